/* notify_run.c - runs a program; see notify_run.h. */
#include "httpd/notify_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often is looked whether it has ended: soon at first, programs are short. Milliseconds. */
#define NOTIFY_RUN_SOON 2
#define NOTIFY_RUN_LATE 100

/* What a library may have opened without a thought of us. */
#ifndef HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
static int notify_run_close(posix_spawn_file_actions_t *actions)
{
    long fd, most = sysconf(_SC_OPEN_MAX);

    (void)actions;
    for (fd = 3; fd < (most > 0 && most < 65536 ? most : 65536); fd++) {
        int flags = fcntl((int)fd, F_GETFD);

        if (flags >= 0) {
            (void)fcntl((int)fd, F_SETFD, flags | FD_CLOEXEC);
        }
    }
    return 0;
}
#else
static int notify_run_close(posix_spawn_file_actions_t *actions)
{
    return posix_spawn_file_actions_addclosefrom_np(actions, 3);
}
#endif

static int notify_run_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;
    int rc;

    sigfillset(&all);
    sigemptyset(&none);
    rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETPGROUP);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attributes, &all);
    rc = rc ? rc : posix_spawnattr_setsigmask(attributes, &none);
    return rc ? rc : posix_spawnattr_setpgroup(attributes, 0);
}

/* 0 and *pid, or errno. */
static int notify_run_spawn(const char *program, int in, pid_t *pid)
{
    char *argv[] = {(char *)program, NULL};
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *environment[] = {path, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);

    if (rc) {
        return rc;
    }
    rc = posix_spawnattr_init(&attributes);
    if (rc) {
        posix_spawn_file_actions_destroy(&actions);
        return rc;
    }
    rc = posix_spawn_file_actions_adddup2(&actions, in, 0);
    rc = rc ? rc : posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    rc = rc ? rc : notify_run_close(&actions);
    rc = rc ? rc : notify_run_attributes(&attributes);
    rc = rc ? rc : posix_spawn(pid, program, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* As much as it takes; a program may end without reading. (SIGPIPE is blocked in this thread.) */
static void notify_run_feed(int fd, const char *text, apr_size_t n, const _Atomic(apr_time_t) *end)
{
    struct pollfd ready = {fd, POLLOUT, 0};
    ssize_t did;

    while (n && apr_time_now() < *end) {
        did = write(fd, text, n);
        if (did > 0) {
            text += did;
            n -= (apr_size_t)did;
        } else if (errno == EAGAIN) {
            (void)poll(&ready, 1, NOTIFY_RUN_LATE);
        } else if (errno != EINTR) {
            return;
        }
    }
}

static notify_run_t notify_run_wait(pid_t pid, const _Atomic(apr_time_t) *end, int *status)
{
    int pause = NOTIFY_RUN_SOON;
    pid_t got;

    while ((got = waitpid(pid, status, WNOHANG)) == 0 && apr_time_now() < *end) {
        apr_sleep(apr_time_from_msec(pause));
        pause = pause < NOTIFY_RUN_LATE / 2 ? 2 * pause : NOTIFY_RUN_LATE;
    }
    if (got != 0) {
        return NOTIFY_RUN_DONE;
    }
    /* not waited for yet, so this is still its number */
    (void)kill(-pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
    }
    return NOTIFY_RUN_HUNG;
}

notify_run_t notify_run(const char *program, const char *text, apr_size_t n,
                        const _Atomic(apr_time_t) *end, int *status)
{
    int fds[2];
    pid_t pid;

    *status = 0;
    if (pipe2(fds, O_CLOEXEC) != 0) {
        *status = errno;
        return NOTIFY_RUN_FAILED;
    }
    (void)fcntl(fds[1], F_SETFL, O_NONBLOCK);
    *status = notify_run_spawn(program, fds[0], &pid);
    close(fds[0]);
    if (*status) {
        close(fds[1]);
        return NOTIFY_RUN_FAILED;
    }
    notify_run_feed(fds[1], text, n, end);
    close(fds[1]);
    return notify_run_wait(pid, end, status);
}
