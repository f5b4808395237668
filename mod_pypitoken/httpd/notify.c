/* notify.c - a program is told what happens; see notify.h. */
#include "httpd/private.h"
#include "httpd/notify.h"

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <http_config.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/utf8.h"
#include "httpd/asuser.h"
#include "httpd/config.h"
#include "httpd/notify_run.h"

/* A text of a note has at most so many bytes: all of it fits into a pipe. */
#define NOTIFY_TEXT 500

typedef struct notify_t {
    const char *program;
    apr_interval_time_t most;  /* that it may take */
    server_rec *server;        /* the main one, for the log */
    apr_thread_mutex_t *mutex; /* guards all that follows, but for end */
    apr_thread_cond_t *wake;
    apr_thread_t *thread;
    char *notes[NOTIFY_QUEUE]; /* malloc'ed, a ring */
    unsigned int first, n;
    unsigned int lost; /* since the last warning */
    int over;
    apr_time_t last;         /* when the grace is over */
    _Atomic(apr_time_t) end; /* until when the one that runs may */
} notify_t;

/* What is told of all that happens. */
static const char *const notify_kinds[] = {
    "token-created",   "token-rotated", "token-narrowed",  "token-revoked", "token-leaked",
    STORE_NEW_ADDRESS, "project-added", "project-removed", "role-added",    "role-removed",
};

static int notify_wanted(const char *kind)
{
    apr_size_t i;

    for (i = 0; i < sizeof(notify_kinds) / sizeof(*notify_kinds); i++) {
        if (strcmp(notify_kinds[i], kind) == 0) {
            return 1;
        }
    }
    return 0;
}

/* ---- a note ---- */

static json_t *notify_text(const char *text, apr_pool_t *pool)
{
    slice_t s = slice_of(text);

    if (!text) {
        return json_null();
    }
    return json_string(s.n <= NOTIFY_TEXT && utf8_valid(s) ? text
                                                           : slice_printable(s, NOTIFY_TEXT, pool));
}

/* One line of JSON, to be freed; NULL without memory. */
static char *notify_note(server_rec *s, const store_event_t *event)
{
    json_t *o = json_object();
    apr_pool_t *pool;
    char *note;

    apr_pool_create(&pool, NULL);
    json_object_set_new(o, "event", json_string(event->kind));
    json_object_set_new(o, "at", json_integer(event->at));
    json_object_set_new(o, "service", notify_text(config_service(s), pool));
    json_object_set_new(o, "user", notify_text(event->user, pool));
    json_object_set_new(o, "token", notify_text(event->token_id, pool));
    json_object_set_new(o, "project", notify_text(event->project, pool));
    json_object_set_new(o, "file", notify_text(event->file, pool));
    json_object_set_new(o, "address", notify_text(event->address, pool));
    json_object_set_new(o, "agent", notify_text(event->agent, pool));
    json_object_set_new(o, "detail", notify_text(event->detail, pool));
    note = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    apr_pool_destroy(pool);
    return note;
}

void notify_told(void *baton, const store_event_t *event)
{
    server_rec *s = baton;
    notify_t *n = config_server(s)->notify;
    char *note = n && notify_wanted(event->kind) ? notify_note(s, event) : NULL;

    if (!note) {
        return;
    }
    apr_thread_mutex_lock(n->mutex);
    if (n->n < NOTIFY_QUEUE && !n->over) {
        n->notes[(n->first + n->n++) % NOTIFY_QUEUE] = note;
        apr_thread_cond_signal(n->wake);
        note = NULL;
    } else {
        n->lost++;
    }
    apr_thread_mutex_unlock(n->mutex);
    free(note);
}

/* ---- the thread ---- */

static void notify_one(notify_t *n, const char *note)
{
    int status;

    switch (notify_run(n->program, note, strlen(note), &n->end, &status)) {
    case NOTIFY_RUN_HUNG:
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, n->server,
                     "pypitoken: PyPITokenNotify: %s took too long and was killed", n->program);
        return;
    case NOTIFY_RUN_FAILED:
        ap_log_error(APLOG_MARK, APLOG_WARNING, APR_FROM_OS_ERROR(status), n->server,
                     "pypitoken: PyPITokenNotify: %s could not be started", n->program);
        return;
    case NOTIFY_RUN_DONE:
        break;
    }
    if (status) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, n->server,
                     "pypitoken: PyPITokenNotify: %s ended with %s %d", n->program,
                     WIFEXITED(status) ? "exit code" : "signal",
                     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    }
}

/* With the mutex, which is given up meanwhile. */
static void notify_next(notify_t *n)
{
    char *note = n->notes[n->first];
    apr_time_t end = apr_time_now() + n->most;

    n->first = (n->first + 1) % NOTIFY_QUEUE;
    n->n--;
    n->end = n->over && n->last < end ? n->last : end;
    apr_thread_mutex_unlock(n->mutex);
    notify_one(n, note);
    free(note);
    apr_thread_mutex_lock(n->mutex);
}

/* With the mutex. */
static void notify_confess(notify_t *n)
{
    if (n->lost) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, n->server,
                     "pypitoken: PyPITokenNotify: %u notes were lost, %s", n->lost,
                     n->over ? "for this child ends" : "for too much happened at once");
        n->lost = 0;
    }
}

static void *APR_THREAD_FUNC notify_thread(apr_thread_t *thread, void *data)
{
    notify_t *n = data;

    (void)thread;
    apr_thread_mutex_lock(n->mutex);
    while (n->n || !n->over) {
        if (n->n && n->over && apr_time_now() >= n->last) {
            n->lost += n->n;
            while (n->n) {
                n->n--;
                free(n->notes[(n->first + n->n) % NOTIFY_QUEUE]);
            }
        } else if (n->n) {
            notify_next(n);
        } else {
            notify_confess(n);
            (void)apr_thread_cond_wait(n->wake, n->mutex);
        }
    }
    notify_confess(n);
    apr_thread_mutex_unlock(n->mutex);
    return NULL;
}

/* ---- a child's beginning and end ---- */

static apr_status_t notify_stop(void *data)
{
    notify_t *n = data;
    apr_status_t rv;

    apr_thread_mutex_lock(n->mutex);
    n->over = 1;
    n->last = apr_time_now() + apr_time_from_sec(NOTIFY_GRACE);
    if (n->last < n->end) {
        n->end = n->last;
    }
    apr_thread_cond_signal(n->wake);
    apr_thread_mutex_unlock(n->mutex);
    return apr_thread_join(&rv, n->thread);
}

static apr_status_t notify_start(notify_t *n, apr_pool_t *pchild)
{
    apr_status_t rv = apr_thread_mutex_create(&n->mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    sigset_t all, old;

    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&n->wake, pchild);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* inherited by the thread */
    rv = apr_thread_create(&n->thread, NULL, notify_thread, n, pchild);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rv == APR_SUCCESS) {
        apr_pool_pre_cleanup_register(pchild, n, notify_stop);
    }
    return rv;
}

static void notify_child(apr_pool_t *pchild, server_rec *main_server)
{
    const config_server_t *c = config_server(main_server);
    apr_status_t rv;
    server_rec *s;
    notify_t *n;

    if (!c->notify_program) {
        return;
    }
    n = apr_pcalloc(pchild, sizeof(*n));
    n->program = c->notify_program;
    n->most = apr_time_from_sec(c->notify_seconds);
    n->server = main_server;
    rv = notify_start(n, pchild);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, main_server,
                     "pypitoken: PyPITokenNotify: no thread is to be had; nobody is told anything");
        return;
    }
    for (s = main_server; s; s = s->next) {
        config_server(s)->notify = n;
    }
}

/* ---- the check at start ---- */

/* NULL, or what is wrong with the program. */
static const char *notify_fault(const char *path, apr_pool_t *pool)
{
    const char *dir = ap_make_dirstr_parent(pool, path);
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return "is no file";
    }
    if (st.st_mode & S_IWOTH) {
        return "can be written by everybody: chmod o-w it";
    }
    if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) || !asuser_may(path, X_OK)) {
        return "may not be run by httpd's user: chmod it, and the directories above it";
    }
    if (stat(dir, &st) != 0 || ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))) {
        return "lies in a directory where everybody may put another in its place";
    }
    return NULL;
}

static int notify_configured(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                             server_rec *main_server)
{
    const char *path = config_server(main_server)->notify_program;
    const char *fault = path ? notify_fault(path, ptemp) : NULL;

    (void)pconf;
    (void)plog;
    if (fault) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, main_server,
                     "pypitoken: PyPITokenNotify: %s %s", path, fault);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

void notify_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_check_config(notify_configured, NULL, NULL, APR_HOOK_MIDDLE);
    /* before the store is opened, which may tell something */
    ap_hook_child_init(notify_child, NULL, NULL, APR_HOOK_FIRST);
}
