/* test_tally.c - buckets and marks in one table: arithmetic, eviction, wrap, floods. */
#include "tap.h"

#include "core/tally.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define HZ TALLY_HZ

static const tally_rate_t ten = {10, 300 * HZ};

static tally_t table(apr_uint32_t sets)
{
    tally_t t;

    tally_map(&t, calloc(1, tally_size(sets)), sets);
    return t;
}

static void drop(tally_t *t)
{
    free((void *)t->words);
}

/* How many pass in a row at that moment. */
static unsigned burst(const tally_t *t, apr_uint64_t key, tally_rate_t rate, apr_uint32_t now)
{
    unsigned n = 0;

    while (n < 5000 && tally_take(t, key, rate, now) == 0) {
        n++;
    }
    return n;
}

static apr_uint64_t key_of(apr_uint32_t set, apr_uint32_t tag)
{
    return (apr_uint64_t)set << 32 | tag;
}

static void arithmetic(apr_uint32_t start)
{
    tally_t t = table(16);
    apr_uint32_t now = start, passed = 0, s;

    tap_ok(burst(&t, 7, ten, now) == 10, "from tick %u: ten at once", start);
    tap_ok(tally_wait(&t, 7, ten, now) == 30 * HZ, "  then a wait of 30 s");
    tap_ok(tally_take(&t, 7, ten, now + 30 * HZ - 1) == 1, "  a tick too early is refused");
    tap_ok(burst(&t, 7, ten, now + 30 * HZ) == 1, "  after 30 s one, and no more");
    tap_ok(burst(&t, 7, ten, now + 330 * HZ) == 10, "  after a whole period of peace ten again");
    tap_ok(burst(&t, 8, ten, now) == 10, "another key has its own bucket");
    now += 10000 * HZ;
    for (s = 0; s < 3000; s++) { /* ten tries a second, whatever is refused */
        passed += tally_take(&t, 9, ten, now + s * HZ / 10) == 0;
    }
    tap_ok(passed == 19, "five minutes of steady trying: 19 pass (%u)", passed);
    tap_ok(tally_wait(&t, 9, ten, now + s * HZ / 10) <= 30 * HZ,
           "  and what was refused does not make the wait longer");
    drop(&t);
}

static void giving(void)
{
    tally_t t = table(16);
    tally_rate_t slow = {2, 100 * HZ}, off = {0, 0};

    (void)burst(&t, 3, ten, 0);
    tally_give(&t, 3, ten, 0);
    tap_ok(burst(&t, 3, ten, 0) == 1, "one given back is one to take");
    tally_give(&t, 4, ten, 0);
    tap_ok(burst(&t, 4, ten, 0) == 10, "giving back to a full bucket adds nothing");
    tap_ok(burst(&t, 3, slow, 0) == 0 && tally_wait(&t, 3, slow, 0) == 50 * HZ,
           "a rate that was lowered: no wait beyond its own");
    tap_ok(burst(&t, 3, off, 0) == 5000 && tally_wait(&t, 3, off, 0) == 0, "no rate: no limit");
    tally_give(&t, 3, off, 0);
    drop(&t);
}

static void rates(void)
{
    static const tally_rate_t all[] = {{1000, 300 * HZ}, {5, 300 * HZ}, {20, 3600 * HZ},
                                       {50, 86400 * HZ}, {1, HZ},       {HZ, HZ},
                                       {7, 100},         {99, 100}};
    apr_size_t i;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
        tally_t t = table(1);

        tap_ok(burst(&t, 1, all[i], 5) == all[i].burst, "%u in %u ticks: exactly %u at once",
               all[i].burst, all[i].period, all[i].burst);
        drop(&t);
    }
}

static void marks(void)
{
    tally_t t = table(16);

    tally_mark(&t, 5, 100, 10);
    tap_ok(tally_left(&t, 5, 10) == 90 && tally_left(&t, 5, 99) == 1, "a mark holds to its end");
    tap_ok(tally_left(&t, 5, 100) == 0 && tally_left(&t, 6, 10) == 0,
           "  not after, not for others");
    tally_mark(&t, 5, 50, 10);
    tap_ok(tally_left(&t, 5, 60) == 0, "  a later one replaces it");
    tally_mark(&t, 0, 50, 10);
    tap_ok(tally_left(&t, 0, 10) == 40, "key 0 is a key");
    drop(&t);
}

static void eviction(void)
{
    tally_t t = table(4);
    apr_uint32_t i;

    (void)burst(&t, key_of(1, 1000), ten, 0);
    for (i = 1; i < TALLY_WAYS; i++) {
        (void)tally_take(&t, key_of(1, i), ten, 0);
    }
    for (i = 2000; i < 12000; i++) {
        (void)tally_take(&t, key_of(1, i), ten, 0);
    }
    tap_ok(burst(&t, key_of(1, 1000), ten, 0) == 0,
           "ten thousand new keys in one set: the drained bucket is still drained");
    for (i = 0; i < TALLY_WAYS - 1; i++) {
        tally_mark(&t, key_of(2, 100 + i), 1000 + i, 0);
    }
    tally_mark(&t, key_of(2, 99), 10, 0);
    tally_mark(&t, key_of(2, 200), 900, 20);
    tap_ok(tally_left(&t, key_of(2, 100), 20) && tally_left(&t, key_of(2, 200), 20),
           "a full set: what is past makes way first");
    tally_mark(&t, key_of(2, 201), 950, 20);
    tap_ok(!tally_left(&t, key_of(2, 200), 20) && tally_left(&t, key_of(2, 100), 20) &&
               tally_left(&t, key_of(2, 201), 20),
           "  then what ends first");
    drop(&t);
}

/* Keys as a keyed hash makes them: uniform. 3000 strangers with one failure each, in a table of
 * 4096 words, between ten failures of one account. */
static void flood(void)
{
    tally_t t = table(512);
    unsigned char seed[randombytes_SEEDBYTES] = {1};
    apr_uint64_t keys[3001];
    unsigned kept = 0, i;

    randombytes_buf_deterministic(keys, sizeof(keys), seed);
    (void)burst(&t, keys[3000], ten, 0);
    for (i = 0; i < 3000; i++) {
        (void)burst(&t, keys[i], (tally_rate_t){1, 30 * HZ}, 0);
    }
    for (i = 0; i < 3000; i++) {
        kept += tally_wait(&t, keys[i], (tally_rate_t){1, 30 * HZ}, 0) > 0;
    }
    tap_ok(kept > 2800, "a table three quarters full keeps nearly all: %u of 3000", kept);
    tap_ok(tally_wait(&t, keys[3000], ten, 0) > 0, "  and the drained one for certain");
    drop(&t);
}

int main(void)
{
    if (sodium_init() < 0) {
        return 1;
    }
    arithmetic(0);
    arithmetic(0xffffffffu - 20 * HZ); /* the tick wraps on the way */
    arithmetic(0x7fffff00u);
    giving();
    rates();
    marks();
    eviction();
    flood();
    return tap_done();
}
