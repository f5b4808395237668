/* asuser.c - what httpd's user may do; see asuser.h. */
#include "httpd/private.h"
#include "httpd/asuser.h"

#include <fcntl.h>
#include <unistd.h>
#include <unixd.h>

int asuser_may(const char *path, int mode)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int ok;

    if (uid != 0) {
        return 1;
    }
    if (setegid(ap_unixd_config.group_id) != 0 || seteuid(ap_unixd_config.user_id) != 0) {
        return 0;
    }
    ok = faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
    if (seteuid(uid) != 0 || setegid(gid) != 0) {
        return 0;
    }
    return ok;
}
