/*
 * store_group.c - uploads that are written down at the same time share a transaction; see
 * store_priv.h.
 *
 * Whoever comes while nobody writes, writes at once, for himself alone. Whoever comes meanwhile
 * waits, and one of those who wait writes for all of them in one transaction, so that many uploads
 * cost little more than one. Nobody goes on before his own is committed.
 */
#include "store/store_priv.h"

#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <stdlib.h>
#include <string.h>

/* What one upload waits with; it lives on its thread's stack. */
typedef struct store_group_item_t {
    store_use_t use;
    store_rc_t rc;
    int done;
    struct store_group_item_t *next;
} store_group_item_t;

struct store_group_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *turn;
    store_group_item_t *first, **last; /* those that wait, as they came */
    int busy;                          /* somebody writes */
};

store_group_t *store_group_make(apr_pool_t *pool)
{
    store_group_t *g = apr_pcalloc(pool, sizeof(*g));

    g->last = &g->first;
    if (apr_thread_mutex_create(&g->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&g->turn, pool) != APR_SUCCESS) {
        return NULL;
    }
    return g;
}

/* Under the mutex: the first of those that wait, at most STORE_GROUP_MAX of them. */
static store_group_item_t *store_group_take(store_group_t *g, store_use_t *uses, apr_size_t *n)
{
    store_group_item_t *head = g->first, **end = &head;

    for (*n = 0; *end && *n < STORE_GROUP_MAX; end = &(*end)->next) {
        uses[(*n)++] = (*end)->use;
    }
    g->first = *end;
    if (!g->first) {
        g->last = &g->first;
    }
    *end = NULL;
    return head;
}

/* Under the mutex, which is free while the database works. */
static void store_group_lead(store_t *s, store_group_t *g)
{
    store_use_t uses[STORE_GROUP_MAX];
    store_group_item_t *item, *next;
    store_rc_t rc;
    apr_size_t n;

    g->busy = 1;
    item = store_group_take(g, uses, &n);
    apr_thread_mutex_unlock(g->mutex);
    rc = store_event_uses(s, uses, n);
    apr_thread_mutex_lock(g->mutex);
    for (; item; item = next) {
        next = item->next; /* it may be gone as soon as its thread looks */
        item->rc = rc;
        item->done = 1;
    }
    g->busy = 0;
    apr_thread_cond_broadcast(g->turn);
}

store_rc_t store_group_write(store_t *s, const store_use_t *use)
{
    store_group_item_t item = {*use, STORE_DOWN, 0, NULL};
    store_group_t *g = s->group;

    if (!g) {
        return store_event_uses(s, use, 1);
    }
    apr_thread_mutex_lock(g->mutex);
    *g->last = &item;
    g->last = &item.next;
    while (!item.done) {
        if (g->busy) {
            apr_thread_cond_wait(g->turn, g->mutex);
        } else {
            store_group_lead(s, g);
        }
    }
    apr_thread_mutex_unlock(g->mutex);
    return item.rc;
}
