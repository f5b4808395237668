/* config_outside.c - the directives about others who tell us something, or are told; see config.h.
 */
#include "httpd/private.h"
#include "httpd/config.h"

#include <apr_strings.h>

#include "access/disclose.h"

/* Read here, in the parent: a mistake stops httpd. */
const char *config_set_disclosure(cmd_parms *cmd, void *dir, const char *path)
{
    const char *full = ap_server_root_relative(cmd->pool, path);
    const char *wrong =
        full ? disclose_keys_read(&((config_dir_t *)dir)->disclosure, full, cmd->pool)
             : "the path is not valid";

    return wrong ? apr_psprintf(cmd->pool, "PyPITokenDisclosureKeys: %s", wrong) : NULL;
}
