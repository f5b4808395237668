/* secret.c - secrets on their way in, from stdin or a terminal, and out to stdout; see secret.h. */
#include "ctl/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/ctl.h"

/* How often a prompt looks whether it was interrupted, in milliseconds. */
#define SECRET_TICK 100

/* Bytes that are wiped with their pool. */
typedef struct secret_buffer_t {
    char *p;
    apr_size_t n, max;
} secret_buffer_t;

static apr_status_t secret_wipe(void *data)
{
    secret_buffer_t *b = data;

    sodium_memzero(b->p, b->max);
    return APR_SUCCESS;
}

/* One byte more than max, to see that there was too much. */
static secret_buffer_t *secret_make(apr_size_t max, apr_pool_t *pool)
{
    secret_buffer_t *b = apr_palloc(pool, sizeof(*b));

    b->max = max + 1;
    b->n = 0;
    b->p = apr_pcalloc(pool, b->max);
    apr_pool_cleanup_register(pool, b, secret_wipe, apr_pool_cleanup_null);
    return b;
}

/* Reads bytes one at a time, so that nothing behind a line is swallowed: to the end of the line
 * when line != 0, else to the end of the file. 0, or -1 when reading failed. */
static int secret_fill(secret_buffer_t *b, int fd, int line)
{
    ssize_t got;

    while (b->n < b->max) {
        got = read(fd, b->p + b->n, line ? 1 : b->max - b->n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -1 : 0;
        }
        if (line && b->p[b->n] == '\n') {
            return 0;
        }
        b->n += (apr_size_t)got;
    }
    return 0;
}

/* Waits until the terminal has a line. 0, or -1 when one of the blocked signals has come. */
static int secret_wait(int fd, const sigset_t *blocked)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};
    struct pollfd tty = {fd, POLLIN, 0};
    sigset_t pending;
    size_t i;
    int ready;

    for (;;) {
        ready = poll(&tty, 1, SECRET_TICK);
        sigpending(&pending);
        for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
            if (sigismember(blocked, signals[i]) && sigismember(&pending, signals[i])) {
                return -1;
            }
        }
        if (ready > 0 || (ready < 0 && errno != EINTR)) {
            return 0;
        }
    }
}

static void secret_block(sigset_t *blocked, sigset_t *before)
{
    sigemptyset(blocked);
    sigaddset(blocked, SIGINT);
    sigaddset(blocked, SIGTERM);
    sigaddset(blocked, SIGQUIT);
    sigaddset(blocked, SIGHUP);
    sigaddset(blocked, SIGTSTP);
    sigprocmask(SIG_BLOCK, blocked, before);
}

/* Prompts on the terminal and reads a line without echo. Signals are held back meanwhile, so that
 * whatever ends the program finds the terminal as it was. */
static int secret_prompt(secret_buffer_t *b, const char *prompt)
{
    struct termios was, quiet;
    sigset_t blocked, before;
    int rc = -1;

    if (tcgetattr(STDIN_FILENO, &was)) {
        return -1;
    }
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    quiet.c_lflag |= ECHONL;
    secret_block(&blocked, &before);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0) {
        fprintf(stderr, "%s: ", prompt); /* not before: whoever answers at once must not be seen */
        fflush(stderr);
        rc = secret_wait(STDIN_FILENO, &blocked) || secret_fill(b, STDIN_FILENO, 1) ? -1 : 0;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int secret_interactive(void)
{
    return isatty(STDIN_FILENO);
}

/* all != 0: everything there is, unless people type it. */
static int secret_read(const char *prompt, apr_size_t max, int all, slice_t *out, apr_pool_t *pool)
{
    secret_buffer_t *b = secret_make(max, pool);
    int rc = secret_interactive() ? secret_prompt(b, prompt) : secret_fill(b, STDIN_FILENO, !all);

    if (rc) {
        return ctl_fail(-1, "%s: could not be read.", prompt);
    }
    if (b->n && b->n <= max && b->p[b->n - 1] == '\r') {
        b->n--;
    }
    if (b->n == 0) {
        return ctl_fail(-1, "%s: nothing was given on standard input.", prompt);
    }
    if (b->n > max) {
        return ctl_fail(-1, "%s: longer than %lu bytes.", prompt, (unsigned long)max);
    }
    *out = slice_make(b->p, b->n);
    return 0;
}

int secret_line(const char *prompt, apr_size_t max, slice_t *out, apr_pool_t *pool)
{
    return secret_read(prompt, max, 0, out, pool);
}

int secret_all(const char *prompt, apr_size_t max, slice_t *out, apr_pool_t *pool)
{
    return secret_read(prompt, max, 1, out, pool);
}

int secret_put(const char *bytes, apr_size_t n)
{
    ssize_t put;

    if (fflush(stdout)) {
        return -1;
    }
    while (n) {
        put = write(STDOUT_FILENO, bytes, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return -1;
        }
        bytes += put;
        n -= (apr_size_t)put;
    }
    return 0;
}
