/* tally.c - keys and times, one word each, without a lock; see tally.h. */
#include "core/tally.h"

typedef _Atomic(apr_uint64_t) tally_word_t;

/* What a word says of now: how many ticks its time is ahead, 0 when it is empty or past. */
static apr_uint32_t tally_ahead(apr_uint64_t word, apr_uint32_t now)
{
    apr_uint32_t ahead = (apr_uint32_t)(word >> 32) - now;

    return word == 0 || ahead >= TALLY_AHEAD ? 0 : ahead;
}

/* Never 0, so that no word of a key is an empty one. */
static apr_uint32_t tally_tag(apr_uint64_t key)
{
    apr_uint32_t tag = (apr_uint32_t)key;

    return tag ? tag : 1;
}

static apr_uint64_t tally_word(apr_uint64_t key, apr_uint32_t time)
{
    return (apr_uint64_t)time << 32 | tally_tag(key);
}

static int tally_mine(apr_uint64_t word, apr_uint64_t key)
{
    return (apr_uint32_t)word == tally_tag(key);
}

static tally_word_t *tally_set(const tally_t *t, apr_uint64_t key)
{
    return t->words + (apr_size_t)((apr_uint32_t)(key >> 32) & (t->sets - 1)) * TALLY_WAYS;
}

apr_size_t tally_size(apr_uint32_t sets)
{
    return (apr_size_t)sets * TALLY_WAYS * sizeof(tally_word_t);
}

void tally_map(tally_t *t, void *memory, apr_uint32_t sets)
{
    t->words = memory;
    t->sets = sets;
}

/* The key's word, NULL if it has none; *seen is what it held. */
static tally_word_t *tally_find(const tally_t *t, apr_uint64_t key, apr_uint64_t *seen)
{
    tally_word_t *set = tally_set(t, key);
    int i;

    for (i = 0; i < TALLY_WAYS; i++) {
        *seen = atomic_load_explicit(&set[i], memory_order_relaxed);
        if (tally_mine(*seen, key)) {
            return &set[i];
        }
    }
    *seen = 0;
    return NULL;
}

/* The key's word, or else the one that makes way for it: empty, past, or the earliest. */
static tally_word_t *tally_place(const tally_t *t, apr_uint64_t key, apr_uint64_t *seen,
                                 apr_uint32_t now)
{
    tally_word_t *set = tally_set(t, key), *place = tally_find(t, key, seen);
    apr_uint32_t least = TALLY_AHEAD;
    int i;

    if (place) {
        return place;
    }
    for (i = 0; i < TALLY_WAYS; i++) {
        apr_uint64_t word = atomic_load_explicit(&set[i], memory_order_relaxed);
        apr_uint32_t ahead = tally_ahead(word, now);

        if (ahead < least) {
            least = ahead;
            *seen = word;
            place = &set[i];
        }
    }
    return place;
}

/* Ticks that one attempt costs, rounded up: never more than burst in a row. */
static apr_uint32_t tally_step(tally_rate_t rate)
{
    apr_uint32_t step = (rate.period + rate.burst - 1) / rate.burst;

    return step ? step : 1;
}

/* How far ahead the word puts this key's bucket. More than a whole allowance cannot be: then the
 * rate was changed, or the word is years old. */
static apr_uint32_t tally_debt(apr_uint64_t word, apr_uint64_t key, apr_uint32_t most,
                               apr_uint32_t now)
{
    apr_uint32_t ahead = tally_mine(word, key) ? tally_ahead(word, now) : 0;

    return ahead < most ? ahead : most;
}

apr_uint32_t tally_take(const tally_t *t, apr_uint64_t key, tally_rate_t rate, apr_uint32_t now)
{
    apr_uint32_t step, debt;
    apr_uint64_t seen;
    tally_word_t *place;

    if (!rate.burst) {
        return 0;
    }
    step = tally_step(rate);
    do {
        place = tally_place(t, key, &seen, now);
        debt = tally_debt(seen, key, step * rate.burst, now) + step;
        if (debt > step * rate.burst) {
            return debt - step * rate.burst;
        }
    } while (!atomic_compare_exchange_weak(place, &seen, tally_word(key, now + debt)));
    return 0;
}

void tally_give(const tally_t *t, apr_uint64_t key, tally_rate_t rate, apr_uint32_t now)
{
    apr_uint32_t step, debt;
    apr_uint64_t seen;
    tally_word_t *place;

    if (!rate.burst) {
        return;
    }
    step = tally_step(rate);
    do {
        place = tally_find(t, key, &seen);
        if (!place) {
            return;
        }
        debt = tally_debt(seen, key, step * rate.burst, now);
    } while (!atomic_compare_exchange_weak(place, &seen,
                                           debt > step ? tally_word(key, now + debt - step) : 0));
}

apr_uint32_t tally_wait(const tally_t *t, apr_uint64_t key, tally_rate_t rate, apr_uint32_t now)
{
    apr_uint32_t step, debt;
    apr_uint64_t seen;

    if (!rate.burst) {
        return 0;
    }
    step = tally_step(rate);
    (void)tally_find(t, key, &seen);
    debt = tally_debt(seen, key, step * rate.burst, now) + step;
    return debt > step * rate.burst ? debt - step * rate.burst : 0;
}

void tally_mark(const tally_t *t, apr_uint64_t key, apr_uint32_t until, apr_uint32_t now)
{
    apr_uint64_t seen;
    tally_word_t *place;

    do {
        place = tally_place(t, key, &seen, now);
    } while (!atomic_compare_exchange_weak(place, &seen, tally_word(key, until)));
}

apr_uint32_t tally_left(const tally_t *t, apr_uint64_t key, apr_uint32_t now)
{
    apr_uint64_t seen;

    return tally_find(t, key, &seen) ? tally_ahead(seen, now) : 0;
}
