/* asuser.c - what httpd's user may do; see asuser.h. */
#include "httpd/private.h"
#include "httpd/asuser.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>
#include <unixd.h>

/* The groups of httpd's user, as mod_unixd finds them: "User #33" is a user with a name, too. */
static int asuser_groups(void)
{
    const char *name = ap_unixd_config.user_name;
    const struct passwd *entry = NULL;

    if (!name || name[0] == '#') {
        entry = getpwuid(ap_unixd_config.user_id);
        name = entry ? entry->pw_name : NULL;
    }
    return name ? initgroups(name, ap_unixd_config.group_id) : setgroups(0, NULL);
}

static int asuser_try(const char *path, int mode)
{
    int ok;

    if (asuser_groups() != 0 || setegid(ap_unixd_config.group_id) != 0 ||
        seteuid(ap_unixd_config.user_id) != 0) {
        return 0;
    }
    ok = faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
    return seteuid(0) == 0 && ok;
}

int asuser_may(const char *path, int mode)
{
    gid_t gid = getegid(), *groups;
    int n = getgroups(0, NULL), ok;

    if (geteuid() != 0) {
        return 1;
    }
    groups = n > 0 ? calloc((size_t)n, sizeof(*groups)) : NULL;
    if (n < 0 || (n > 0 && (!groups || getgroups(n, groups) != n))) {
        free(groups);
        return 0;
    }
    ok = asuser_try(path, mode);
    ok = setegid(gid) == 0 && setgroups((size_t)n, groups) == 0 && ok;
    free(groups);
    return ok;
}

int asuser_become(void)
{
    return geteuid() == 0 && (asuser_groups() != 0 || setgid(ap_unixd_config.group_id) != 0 ||
                              setuid(ap_unixd_config.user_id) != 0)
               ? -1
               : 0;
}
