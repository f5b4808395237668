/* ticker.c - a thread that wakes up every few seconds; see ticker.h. */
#include "httpd/ticker.h"

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include <signal.h>

typedef struct ticker_t {
    apr_thread_mutex_t *mutex; /* guards over */
    apr_thread_cond_t *wake;
    apr_thread_t *thread;
    apr_interval_time_t interval;
    ticker_fn *fn;
    void *baton;
    int over;
} ticker_t;

static void *APR_THREAD_FUNC ticker_run(apr_thread_t *thread, void *data)
{
    ticker_t *t = data;
    apr_time_t next = apr_time_now(), now;

    (void)thread;
    apr_thread_mutex_lock(t->mutex);
    while (!t->over) {
        now = apr_time_now();
        if (now < next && next - now <= t->interval) {
            (void)apr_thread_cond_timedwait(t->wake, t->mutex, next - now);
            continue;
        }
        apr_thread_mutex_unlock(t->mutex);
        t->fn(t->baton);
        next = apr_time_now() + t->interval; /* the clock may have been set, too */
        apr_thread_mutex_lock(t->mutex);
    }
    apr_thread_mutex_unlock(t->mutex);
    return NULL;
}

static apr_status_t ticker_stop(void *data)
{
    ticker_t *t = data;
    apr_status_t rv;

    apr_thread_mutex_lock(t->mutex);
    t->over = 1;
    apr_thread_cond_signal(t->wake);
    apr_thread_mutex_unlock(t->mutex);
    return apr_thread_join(&rv, t->thread);
}

apr_status_t ticker_start(apr_pool_t *pchild, apr_interval_time_t interval, ticker_fn *fn,
                          void *baton)
{
    ticker_t *t = apr_pcalloc(pchild, sizeof(*t));
    sigset_t all, old;
    apr_status_t rv;

    t->interval = interval;
    t->fn = fn;
    t->baton = baton;
    rv = apr_thread_mutex_create(&t->mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&t->wake, pchild);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* inherited by the thread */
    rv = apr_thread_create(&t->thread, NULL, ticker_run, t, pchild);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rv == APR_SUCCESS) {
        apr_pool_pre_cleanup_register(pchild, t, ticker_stop);
    }
    return rv;
}
