/*
 * trail.h - what a process has yet to write down: last uses of tokens, and events of the kind that
 * anybody can cause by the thousand. In memory, bounded; store_flush() carries it to the database.
 *
 * Last uses: one entry for each token, the newest wins. Only uses of a token that its row tells of
 * already (used before, from the same address) come here: the others are written at once.
 *
 * Events, by class (trail_class):
 *
 *   FACT   something was allowed, done or changed: an accepted upload or login, a new or revoked
 *          token, an account. Written at once, each for itself, never gathered.
 *   NAMED  a refusal of credentials that were genuine: revoked, expired, foreign project, no role,
 *          a form that is wrong. The first is written at once. Its like (same kind, verdict, user,
 *          token, project and address) until the next flush are counted, and become one event.
 *   NOISE  a refusal that any stranger can cause: unknown or forged tokens, wrong passwords. All of
 *          a like until the next flush become one event, at the time of the first.
 *   NONE   no decision at all: a challenge, a path or method that is none, no TLS. Not an event.
 *
 * store_event_t.times says how many an event stands for: their sum is the number of decisions. When
 * there are more of different kinds than TRAIL_NAMED_MAX or TRAIL_NOISE_MAX, one event for each
 * class counts the rest ("others").
 *
 * Memory: at most TRAIL_USES_MAX uses of under 1 KiB and the entries above of under 3 KiB each.
 * Any thread.
 */
#ifndef PYPITOKEN_TRAIL_H
#define PYPITOKEN_TRAIL_H

#include "store/store.h"

#define TRAIL_USES_MAX  512
#define TRAIL_NAMED_MAX 256
#define TRAIL_NOISE_MAX 32

typedef enum trail_class_t { TRAIL_FACT, TRAIL_NAMED, TRAIL_NOISE, TRAIL_NONE } trail_class_t;

/* By the word of the verdict; NULL or a word that core/verdict.h does not know: FACT. */
trail_class_t trail_class(const char *verdict);

typedef struct trail_t trail_t;

/* Freed with the pool, with all that is in it: flush first. NULL when no mutex is to be had. */
trail_t *trail_make(apr_pool_t *pool);

/* Takes the event and returns 0, or returns 1: the caller is to write it at once. event->at is set,
 * and so are times when it stands for several. */
int trail_event(trail_t *t, const store_event_t *event);

/* Takes an event whatever its class: it was to be written at once, but could not be. */
void trail_event_keep(trail_t *t, const store_event_t *event);

/* Takes the use (token_id, at, address, agent, file) and returns 0; 1 when there is no room: the
 * caller is to write it at once. */
int trail_use(trail_t *t, const store_event_t *use);

/* All that is gathered, out of the trail; in time the first time of each event, that of the last
 * use. The pointers live until it is given back. uses are in the order of their token's id. */
typedef struct trail_batch_t {
    const store_event_t *uses[TRAIL_USES_MAX];
    const store_event_t *events[TRAIL_NAMED_MAX + TRAIL_NOISE_MAX + 2];
    apr_size_t n_uses, n_events;
} trail_batch_t;

/* NULL when there is nothing, or no memory (then it stays). */
trail_batch_t *trail_take(trail_t *t);

/* written != 0: it is in the database, and forgotten here. 0: it goes back, and is merged with what
 * came meanwhile. Frees batch, which may be NULL. */
void trail_give(trail_t *t, trail_batch_t *batch, int written);

/* 0 while a thread is at it: asked by whoever may have interrupted that very thread. */
int trail_idle(trail_t *t);

#endif
