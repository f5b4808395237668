/* mod_pypitoken.c - the module record; everything else is in the rooms beside it. */
#include "httpd/private.h"

#include "httpd/authn.h"
#include "httpd/authz.h"
#include "httpd/config.h"
#include "httpd/crowd.h"
#include "httpd/denial.h"
#include "httpd/guard.h"
#include "httpd/index.h"
#include "httpd/intake.h"
#include "httpd/limits.h"
#include "httpd/manage.h"
#include "httpd/metrics.h"
#include "httpd/notify.h"
#include "httpd/shm.h"

static void mod_pypitoken_register(apr_pool_t *p)
{
    config_register(p);
    shm_register(p);
    authn_register(p);
    guard_register(p);
    authz_register(p);
    limits_register(p);
    denial_register(p);
    intake_register(p);
    crowd_register(p);
    index_register(p);
    manage_register(p);
    notify_register(p);
    metrics_register(p);
}

module AP_MODULE_DECLARE_DATA pypitoken_module = {
    STANDARD20_MODULE_STUFF, config_dir_create, config_dir_merge,       config_server_create,
    config_server_merge,     config_commands,   mod_pypitoken_register, AP_MODULE_FLAG_NONE};
