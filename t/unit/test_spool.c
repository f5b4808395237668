/*
 * test_spool.c - the spool against a plain array: whatever is put in comes out, in order and once,
 * from memory and from the file, however it is cut, also when taking begins before the end; a full
 * disk is an error and not a shorter body.
 */
/* First: APR takes offsetof only if it is there, and else reaches through a null pointer. */
#include <stddef.h>

#include "httpd/index_disk.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include "httpd/spool.h"

#define BODY 300000

static char spool_body[BODY];

static unsigned spool_next(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 8) & 0xffffff;
}

typedef struct spool_case_t {
    request_rec r;
    conn_rec c;
    spool_t *s;
    apr_size_t in, out;
    const char *wrong;
} spool_case_t;

static void spool_begin(spool_case_t *k, apr_off_t memory, const char *dir, apr_pool_t *pool)
{
    memset(k, 0, sizeof(*k));
    k->c.bucket_alloc = apr_bucket_alloc_create(pool);
    k->r.pool = pool;
    k->r.connection = &k->c;
    k->s = spool_create(&k->r, memory, dir);
}

/* Takes once and looks at every byte; as mod_fcgid does it: moved first, read then. */
static void spool_look(spool_case_t *k, apr_off_t max)
{
    apr_bucket_brigade *bb = apr_brigade_create(k->r.pool, k->c.bucket_alloc);
    apr_bucket_brigade *moved = apr_brigade_create(k->r.pool, k->c.bucket_alloc);
    apr_size_t before = k->out;
    apr_bucket *b;

    if (spool_take(k->s, bb, max) != APR_SUCCESS) {
        k->wrong = "cannot be read";
    }
    while ((b = APR_BRIGADE_FIRST(bb)) != APR_BRIGADE_SENTINEL(bb)) {
        const char *p;
        apr_size_t n;

        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(moved, b);
        if (apr_bucket_read(b, &p, &n, APR_BLOCK_READ) != APR_SUCCESS ||
            k->out + n > sizeof(spool_body) || memcmp(p, spool_body + k->out, n) != 0) {
            k->wrong = "gives other bytes";
            break;
        }
        k->out += n;
    }
    if (k->out - before > (apr_size_t)max || (k->out == before && k->in > k->out)) {
        k->wrong = k->out == before ? "gives nothing" : "gives too much";
    }
    if (k->out + (apr_size_t)spool_waiting(k->s) != k->in) {
        k->wrong = "counts wrongly";
    }
    apr_brigade_destroy(bb);
    apr_brigade_destroy(moved);
}

/* How much comes or is taken next: 1 to most bytes, often few. */
static apr_size_t spool_piece(unsigned *state, apr_size_t most)
{
    static const unsigned pieces[] = {1, 33, 8000, 8192, 65536, 100000};
    unsigned limit = pieces[spool_next(state) % 6];
    apr_size_t n = 1 + spool_next(state) % limit;

    return n < most ? n : most;
}

/* Takes all that waits. */
static void spool_rest(spool_case_t *k, unsigned *state)
{
    static const unsigned pieces[] = {8000, 8192, 65536, 100000};

    while (k->out < BODY && !k->wrong) {
        unsigned limit = pieces[spool_next(state) % 4];

        spool_look(k, 1 + spool_next(state) % limit);
    }
}

/* seed decides on pieces and on when to take; early: taking begins before all is in. */
static const char *spool_run(unsigned seed, apr_off_t memory, int early, apr_pool_t *parent)
{
    unsigned state = seed;
    spool_case_t k;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    spool_begin(&k, memory, NULL, pool);
    while (k.in < BODY && !k.wrong) {
        apr_size_t n = spool_piece(&state, BODY - k.in);

        if (spool_add(k.s, spool_body + k.in, n) != APR_SUCCESS) {
            k.wrong = "cannot be written";
        }
        k.in += n;
        while (early && spool_next(&state) % 3 && k.out < k.in && !k.wrong) {
            spool_look(&k, (apr_off_t)spool_piece(&state, BODY));
        }
    }
    if (spool_next(&state) % 8) {
        spool_seal(k.s);
    }
    spool_rest(&k, &state);
    if (!k.wrong && (k.out != BODY || spool_length(k.s) != BODY)) {
        k.wrong = "ends early";
    }
    apr_pool_destroy(pool);
    return k.wrong;
}

static void spool_same(apr_pool_t *pool)
{
    static const apr_off_t memory[] = {0, 1, 7999, 65536, BODY - 1, BODY};
    apr_size_t i;
    int early;

    for (i = 0; i < sizeof(memory) / sizeof(*memory); i++) {
        for (early = 0; early < 2; early++) {
            const char *wrong = NULL;
            unsigned seed;

            for (seed = 1; seed <= 40 && !wrong; seed++) {
                wrong = spool_run(seed, memory[i], early, pool);
            }
            tap_ok(!wrong, "%ld bytes in memory, taken %s: %s", (long)memory[i],
                   early ? "meanwhile" : "in the end", wrong ? wrong : "all comes out");
        }
    }
}

/* What the file of an offer has in it: the body from at on. */
static int spool_kept(const spool_t *s, apr_size_t at)
{
    static char kept[BODY + 1];

    return pread(spool_offered(s), kept, sizeof(kept), 0) == (ssize_t)(BODY - at) &&
           memcmp(kept, spool_body + at, BODY - at) == 0;
}

/* 1: offered, -1: not, and there was no reason to; 0: anything else, and *wrong tells. */
static int spool_offer_run(unsigned seed, apr_off_t memory, apr_size_t at, const char *dir,
                           const char **wrong, apr_pool_t *parent)
{
    unsigned state = seed;
    int offered, due = 0, told = 0;
    spool_case_t k;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    spool_begin(&k, memory, NULL, pool);
    while (k.in < BODY && !k.wrong) {
        apr_size_t n = spool_piece(&state, BODY - k.in);

        if (!told && k.in + n > at) { /* with the piece in which it begins */
            spool_offer(k.s, (apr_int64_t)at, dir);
            told = 1;
        }
        due = due ||
              (told && k.in >= at && k.in <= (apr_size_t)memory && k.in + n > (apr_size_t)memory);
        k.wrong = spool_add(k.s, spool_body + k.in, n) == APR_SUCCESS ? NULL : "not written";
        k.in += n;
    }
    offered = spool_offered(k.s) >= 0;
    if (!k.wrong && offered && !spool_kept(k.s, at)) {
        k.wrong = "the file is another one";
    }
    if (!k.wrong && offered != due) {
        k.wrong = offered ? "offered" : "not offered";
    }
    spool_seal(k.s);
    spool_rest(&k, &state);
    *wrong = k.wrong;
    apr_pool_destroy(pool);
    return k.wrong ? 0 : offered ? 1 : -1;
}

static void spool_offers(apr_pool_t *pool)
{
    static const apr_size_t at[] = {0, 1, 777, 8000, 65536, 200000, BODY - 1};
    static const apr_off_t memory[] = {0, 1000, 65536, 131072, BODY};
    const char *wrong = NULL;
    int yes = 0, no = 0, fd = index_disk_nameless(".");
    unsigned i;

    if (fd < 0) {
        tap_ok(1, "# SKIP no files without a name here");
        return;
    }
    close(fd);
    for (i = 0; i < 7 * 5 * 12 && !wrong; i++) {
        int got = spool_offer_run(i + 1, memory[i % 5], at[i % 7], ".", &wrong, pool);

        yes += got > 0;
        no += got < 0;
    }
    tap_ok(!wrong, "a file that somebody would keep: %s",
           wrong ? wrong : "has it, and all comes out");
    tap_ok(yes > 50 && no > 50, "  %d times, and %d times it cannot be", yes, no);
    tap_ok(spool_offer_run(3, 65536, 777, "/no/such/directory", &wrong, pool) == 0 &&
               strcmp(wrong, "not offered") == 0,
           "  not in a directory that is not there");
}

/* Ten times the limit goes through, with little of it in the file at any time. */
static void spool_again(apr_pool_t *pool)
{
    struct rlimit limit = {2 << 20, 100 << 20};
    spool_case_t k;
    apr_size_t i;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    spool_begin(&k, 1000, NULL, pool);
    for (i = 0; i < 100 && !k.wrong; i++) {
        apr_size_t left = BODY;

        k.in = k.out = 0; /* the same body once more, one byte always waits */
        while (left > 0 && !k.wrong) {
            apr_size_t n = left < 60000 ? left : 60000;
            apr_bucket_brigade *bb = apr_brigade_create(pool, k.c.bucket_alloc);

            if (spool_add(k.s, spool_body, n) != APR_SUCCESS) {
                k.wrong = "the file grows and grows";
            }
            left -= n;
            while (spool_waiting(k.s) > 1 && !k.wrong) {
                spool_take(k.s, bb, (apr_off_t)spool_waiting(k.s) - 1);
                apr_brigade_cleanup(bb);
            }
            apr_brigade_destroy(bb);
        }
    }
    tap_ok(!k.wrong, "30 MB go through a file of 2: %s",
           k.wrong ? k.wrong : "the front is used again");
}

static void spool_full(apr_pool_t *pool)
{
    struct rlimit limit = {100000, 100 << 20};
    spool_case_t k;
    apr_status_t rv = APR_SUCCESS;

    spool_begin(&k, 1000, "/no/such/directory", pool);
    tap_ok(spool_add(k.s, spool_body, 1000) == APR_SUCCESS, "what fits into memory needs no disk");
    tap_ok(APR_STATUS_IS_ENOENT(spool_add(k.s, spool_body, 1)), "no directory: an error");
    tap_ok(setrlimit(RLIMIT_FSIZE, &limit) == 0, "files may not grow beyond 100000 bytes");
    spool_begin(&k, 1000, NULL, pool);
    while (rv == APR_SUCCESS && k.in < BODY) {
        rv = spool_add(k.s, spool_body + k.in, 7000);
        k.in += 7000;
    }
    tap_ok(rv == EFBIG, "a disk that is full: an error (%d)", (int)rv);
    tap_ok(k.in > 93000 && k.in < 108000, "  when it is (%lu)", (unsigned long)k.in);
}

int main(void)
{
    unsigned state = 7;
    apr_pool_t *pool;
    apr_size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < BODY; i++) {
        spool_body[i] = (char)spool_next(&state);
    }
    spool_same(pool);
    spool_offers(pool);
    spool_again(pool);
    spool_full(pool);
    apr_terminate();
    return tap_done();
}
