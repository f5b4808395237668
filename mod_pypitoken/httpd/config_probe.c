/* config_probe.c - see config_probe.h. */
#include "httpd/config_probe.h"

#include <apr_strings.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>
#include <unixd.h>

#include "httpd/asuser.h"

typedef struct config_probe_t {
    store_rc_t rc;
    char why[1024];
} config_probe_t;

static void config_probe_run(const store_config_t *config, config_probe_t *found, apr_pool_t *pool)
{
    const char *wrong;
    store_t *store;

    found->rc = STORE_CONFLICT;
    if (asuser_become()) {
        wrong = apr_psprintf(pool, "cannot become httpd's user (uid %ld)",
                             (long)ap_unixd_config.user_id);
    } else {
        wrong = store_open_later(&store, config, pool);
        if (!wrong) {
            found->rc = store_try(store, &wrong, pool);
        }
    }
    apr_cpystrn(found->why, wrong ? wrong : "", sizeof(found->why));
}

/* All of found, or nothing. A pipe takes so little in one piece. */
static int config_probe_read(int fd, config_probe_t *found)
{
    ssize_t n;

    do {
        n = read(fd, found, sizeof(*found));
    } while (n < 0 && errno == EINTR);
    found->why[sizeof(found->why) - 1] = '\0';
    return n == (ssize_t)sizeof(*found) ? 0 : -1;
}

store_rc_t config_probe(const store_config_t *config, const char **why, apr_pool_t *pool)
{
    config_probe_t found = {STORE_DOWN, ""};
    int ends[2], bad = 1;
    pid_t pid;

    *why = "no process is to be had for looking at the store";
    if (pipe(ends) != 0) {
        return STORE_DOWN;
    }
    pid = fork();
    if (pid == 0) {
        config_probe_run(config, &found, pool);
        _exit(write(ends[1], &found, sizeof(found)) == (ssize_t)sizeof(found) ? 0 : 1);
    }
    close(ends[1]);
    if (pid > 0) {
        bad = config_probe_read(ends[0], &found);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(ends[0]);
    if (bad) {
        return STORE_DOWN;
    }
    *why = found.rc == STORE_OK ? NULL : apr_pstrdup(pool, found.why);
    return found.rc;
}
