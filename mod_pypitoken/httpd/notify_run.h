/*
 * notify_run.h - runs a program with a text on its standard input, and ends it when it takes too
 * long.
 *
 * posix_spawn, not fork: the caller is a thread among others, of a process with secrets in its
 * memory. The program has a process group of its own, /dev/null as output, our standard error
 * (httpd's error log) and no other open file; of our environment it gets nothing but a PATH; its
 * signals are as after a login. No thread but the caller's waits for it.
 */
#ifndef PYPITOKEN_NOTIFY_RUN_H
#define PYPITOKEN_NOTIFY_RUN_H

#include <apr_time.h>

typedef enum notify_run_t {
    NOTIFY_RUN_DONE,  /* it ended by itself; *status is waitpid's */
    NOTIFY_RUN_HUNG,  /* it took too long: its group was killed */
    NOTIFY_RUN_FAILED /* it could not be started; *status is errno */
} notify_run_t;

/* It may run until *end (now and then looked at: another thread may bring it forward). */
notify_run_t notify_run(const char *program, const char *text, apr_size_t n,
                        const _Atomic(apr_time_t) *end, int *status);

#endif
