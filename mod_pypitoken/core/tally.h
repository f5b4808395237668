/*
 * tally.h - a table of keys and times over a block of memory that many processes share.
 *
 * Two uses of one table: a bucket says when a key will have its full allowance again, a mark says
 * until when something holds for a key. Either is one 64-bit word, changed by compare-and-swap
 * alone: there is no lock that a child which is killed could keep, and no half-written entry.
 *
 * The block is sets of TALLY_WAYS words. A word holds the key's low half as its tag and the time;
 * the key's high half chooses the set. Keys must come out of a keyed hash whose key no client
 * knows: then nobody can aim at a set, and a foreign key meets one of a set's tags by chance with
 * 2^-29. When a set is full the word with the earliest time goes: the bucket closest to full, the
 * mark that ends first. What is drained most is kept longest.
 *
 * Two threads that bring a new key at the very same time while a third changes the same set may
 * write it twice; the earlier place counts then, and one attempt is forgotten.
 *
 * Times are ticks of 1/16 second since the block was made, by the machine's monotonic clock. Words
 * further ahead than TALLY_AHEAD are taken for empty, so that the tick may wrap (after 8 years).
 * Bytes of zero are an empty table. Any thread of any process.
 */
#ifndef PYPITOKEN_TALLY_H
#define PYPITOKEN_TALLY_H

#include <apr.h>
#include <stdatomic.h>

#define TALLY_WAYS  8
#define TALLY_HZ    16
#define TALLY_AHEAD ((apr_uint32_t)1 << 30) /* 2 years */

typedef struct tally_t {
    _Atomic(apr_uint64_t) *words;
    apr_uint32_t sets; /* a power of two */
} tally_t;

/* A bucket of burst attempts, filled again at burst attempts a period: after a pause burst attempts
 * pass at once, then one each period/burst (the generic cell rate algorithm: equal to a token
 * bucket). At most 2*burst - 1 pass in any period. */
typedef struct tally_rate_t {
    apr_uint32_t burst;  /* 0: no limit */
    apr_uint32_t period; /* ticks, at most TALLY_AHEAD / 2 */
} tally_rate_t;

/* Bytes of a table with that many sets. */
apr_size_t tally_size(apr_uint32_t sets);

/* A table over memory (aligned for 64 bits, tally_size(sets) bytes, zero when new). */
void tally_map(tally_t *t, void *memory, apr_uint32_t sets);

/* Takes one attempt out of key's bucket. 0 when there was one, else the ticks until there will be
 * (at least 1) and nothing is changed. */
apr_uint32_t tally_take(const tally_t *t, apr_uint64_t key, tally_rate_t rate, apr_uint32_t now);

/* Puts back what tally_take took. */
void tally_give(const tally_t *t, apr_uint64_t key, tally_rate_t rate, apr_uint32_t now);

/* As tally_take, but only looks. */
apr_uint32_t tally_wait(const tally_t *t, apr_uint64_t key, tally_rate_t rate, apr_uint32_t now);

/* key is marked until that tick (at most TALLY_AHEAD - 1 from now); an earlier mark of it is
 * replaced. */
void tally_mark(const tally_t *t, apr_uint64_t key, apr_uint32_t until, apr_uint32_t now);

/* Ticks for which key is still marked; 0: it is not. */
apr_uint32_t tally_left(const tally_t *t, apr_uint64_t key, apr_uint32_t now);

#endif
