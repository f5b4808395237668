/*
 * follow.h - which of the numbered rows that a database shows again and again are new.
 *
 * A row is numbered when it is written, and seen when its transaction ends: on MySQL a lower number
 * may come to light after a higher one, and in a cluster each node leaves gaps for the others. So
 * the reading goes on from below the first gap until that is FOLLOW_GRACE seconds old, and what was
 * told before is left out. Pure; one thread.
 */
#ifndef PYPITOKEN_FOLLOW_H
#define PYPITOKEN_FOLLOW_H

#include <apr_pools.h>

#define FOLLOW_GRACE 30  /* seconds: no transaction of ours lasts so long */
#define FOLLOW_OLD   660 /* a row of so long ago is surely not followed by lower numbers */

typedef struct follow_t follow_t;

/* Freed with the pool. */
follow_t *follow_make(apr_pool_t *pool);

/* Rows with higher numbers than this are to be read next. */
apr_int64_t follow_after(const follow_t *f);

/* 1 when the row was not seen before. at: what the row says of its time; now: of the reading. */
int follow_new(follow_t *f, apr_int64_t id, apr_int64_t at, apr_int64_t now);

/* After all rows of a reading. */
void follow_settle(follow_t *f, apr_int64_t now);

#endif
