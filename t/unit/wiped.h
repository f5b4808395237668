/*
 * wiped.h - whether bytes are zero when their pool ends. They are looked at by a cleanup of the
 * pool's: after all that were registered later, and while the memory is still there.
 */
#ifndef PYPITOKEN_WIPED_H
#define PYPITOKEN_WIPED_H

#include <apr_pools.h>

typedef struct wiped_t {
    const char *p; /* to be set before the pool ends */
    apr_size_t n;
    int zero; /* -1: the pool has not ended yet */
} wiped_t;

__attribute__((unused)) static apr_status_t wiped_look(void *data)
{
    wiped_t *w = data;
    apr_size_t i;

    w->zero = 1;
    for (i = 0; i < w->n; i++) {
        w->zero &= w->p[i] == 0;
    }
    return APR_SUCCESS;
}

/* To be called before anything secret is put into the pool. */
__attribute__((unused)) static void wiped_watch(wiped_t *w, apr_pool_t *pool)
{
    w->n = 0;
    w->zero = -1;
    apr_pool_cleanup_register(pool, w, wiped_look, apr_pool_cleanup_null);
}

#endif
