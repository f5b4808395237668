/* config_outside.c - the directives about others who tell us something, or are told; see config.h.
 */
#include "httpd/private.h"
#include "httpd/config.h"

#include <apr_strings.h>

#include "access/disclose.h"
#include "httpd/notify.h"

/* Read here, in the parent: a mistake stops httpd. */
const char *config_set_disclosure(cmd_parms *cmd, void *dir, const char *path)
{
    const char *full = ap_server_root_relative(cmd->pool, path);
    const char *wrong =
        full ? disclose_keys_read(&((config_dir_t *)dir)->disclosure, full, cmd->pool)
             : "the path is not valid";

    return wrong ? apr_psprintf(cmd->pool, "PyPITokenDisclosureKeys: %s", wrong) : NULL;
}

/* What the program must be is looked at when httpd's user is known: notify.c. */
const char *config_set_notify(cmd_parms *cmd, void *dir, const char *path, const char *seconds)
{
    const char *err = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    config_server_t *c = config_server(cmd->server);
    apr_interval_time_t t = apr_time_from_sec(NOTIFY_SECONDS);

    (void)dir;
    if (err) {
        return err;
    }
    if (path[0] != '/') {
        return "PyPITokenNotify must be the whole path of a program";
    }
    if (seconds && (ap_timeout_parameter_parse(seconds, &t, "s") != APR_SUCCESS ||
                    t < apr_time_from_sec(1) || t > apr_time_from_sec(NOTIFY_SECONDS_MAX))) {
        return "PyPITokenNotify: the time that the program may take must be from 1s to 5min";
    }
    c->notify_program = path;
    c->notify_seconds = (int)apr_time_sec(t);
    return NULL;
}
