/*
 * store_group.c - uploads that are written down at the same time share a transaction; see
 * store_priv.h.
 *
 * Whoever comes while nobody writes, writes at once, for himself alone. Whoever comes meanwhile
 * waits, and the first of those who wait writes for all of them in one transaction, so that many
 * uploads cost little more than one. Nobody goes on before his own is committed.
 *
 * Each waits for himself alone: those of a group are woken when it is committed, and one more who
 * is to write next. With one condition for all, each commit woke everybody into one mutex.
 */
#include "store/store_priv.h"

#include <apr_thread_mutex.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

/* What one upload waits with; it lives on its thread's stack, which goes on as soon as turn is
 * posted. */
typedef struct store_group_item_t {
    store_use_t use;
    store_rc_t rc;
    int done; /* 0 when turn is posted: it is the first in the queue, and writes */
    sem_t turn;
    struct store_group_item_t *next;
} store_group_item_t;

struct store_group_t {
    apr_thread_mutex_t *mutex;         /* of what follows */
    store_group_item_t *first, **last; /* those that wait, as they came */
    int busy;                          /* somebody writes, or is woken to write */
};

store_group_t *store_group_make(apr_pool_t *pool)
{
    store_group_t *g = apr_pcalloc(pool, sizeof(*g));

    g->last = &g->first;
    if (apr_thread_mutex_create(&g->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return NULL;
    }
    return g;
}

/* 1 when it is this one's turn to write; 0 when somebody else will, and wakes it. */
static int store_group_join(store_group_t *g, store_group_item_t *item)
{
    int lead;

    apr_thread_mutex_lock(g->mutex);
    lead = !g->busy;
    g->busy = 1;
    *g->last = item;
    g->last = &item->next;
    apr_thread_mutex_unlock(g->mutex);
    return lead;
}

/* The first of those that wait, at most STORE_GROUP_MAX of them. */
static store_group_item_t *store_group_take(store_group_t *g, store_use_t *uses, apr_size_t *n)
{
    store_group_item_t *head, **end = &head;

    apr_thread_mutex_lock(g->mutex);
    head = g->first;
    for (*n = 0; *end && *n < STORE_GROUP_MAX; end = &(*end)->next) {
        uses[(*n)++] = (*end)->use;
    }
    g->first = *end;
    if (!g->first) {
        g->last = &g->first;
    }
    *end = NULL;
    apr_thread_mutex_unlock(g->mutex);
    return head;
}

static void store_group_pass(store_group_t *g)
{
    apr_thread_mutex_lock(g->mutex);
    g->busy = g->first != NULL;
    if (g->first) {
        (void)sem_post(&g->first->turn);
    }
    apr_thread_mutex_unlock(g->mutex);
}

/* Writes for the first in the queue, which is own, and for who stands behind it. */
static void store_group_lead(store_t *s, store_group_item_t *own)
{
    store_use_t uses[STORE_GROUP_MAX];
    store_group_item_t *item, *next;
    store_rc_t rc;
    apr_size_t n;

    item = store_group_take(s->group, uses, &n);
    rc = store_event_uses(s, uses, n);
    store_group_pass(s->group);
    for (; item; item = next) {
        next = item->next; /* it may be gone as soon as it is woken */
        item->rc = rc;
        item->done = 1;
        if (item != own) {
            (void)sem_post(&item->turn);
        }
    }
}

store_rc_t store_group_write(store_t *s, const store_use_t *use)
{
    store_group_item_t item = {.use = *use, .rc = STORE_DOWN};
    int lead;

    if (!s->group || sem_init(&item.turn, 0, 0) != 0) {
        return store_event_uses(s, use, 1);
    }
    lead = store_group_join(s->group, &item);
    while (!lead && sem_wait(&item.turn) != 0 && errno == EINTR) {
    }
    if (!item.done) {
        store_group_lead(s, &item);
    }
    (void)sem_destroy(&item.turn);
    return item.rc;
}
