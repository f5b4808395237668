/* scan.c - tokens in any text; see scan.h. */
#include "core/scan.h"

#include <sodium.h>
#include <string.h>

#include "core/base64.h"
#include "core/token.h"

/* A candidate in base64 is a third longer than the token itself. */
#define SCAN_HELD_MAX (TOKEN_MAX_CHARS / 3 * 4 + 64)
#define SCAN_PIECE    16384

/* Where a candidate begins, and the characters that belong to it. */
typedef struct scan_needle_t {
    slice_t begin;
    const char *also; /* besides letters and digits */
    int base64;
} scan_needle_t;

static const scan_needle_t scan_needles[] = {
    {SLICE(TOKEN_PREFIX), "-_=", 0},
    /* "__token__:pypi-": 15 bytes, so that nothing else has a part in these characters */
    {SLICE("X190b2tlbl9fOnB5cGkt"), "+/=", 1},
};
#define SCAN_NEEDLES (sizeof(scan_needles) / sizeof(scan_needles[0]))
#define SCAN_USER    10 /* "__token__:" */

struct scan_t {
    scan_fn *fn;
    void *baton;
    apr_pool_t *pool;
    char *text; /* what is held, and behind it the new piece */
    apr_size_t held;
    apr_size_t
        told[SCAN_NEEDLES]; /* up to here in what is held, each needle's candidates are told */
};

scan_t *scan_create(scan_fn *fn, void *baton, apr_pool_t *pool)
{
    scan_t *scan = apr_pcalloc(pool, sizeof(*scan));

    scan->fn = fn;
    scan->baton = baton;
    scan->pool = pool;
    scan->text = macaroon_secret(SCAN_HELD_MAX + SCAN_PIECE, pool);
    return scan;
}

static int scan_char(const scan_needle_t *needle, char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr(needle->also, c));
}

static void scan_emit(scan_t *scan, const scan_needle_t *needle, slice_t found)
{
    apr_pool_t *pool;
    slice_t pair;

    if (!needle->base64) {
        scan->fn(scan->baton, found);
        return;
    }
    apr_pool_create(&pool, scan->pool);
    if (base64_decode(&pair, found, BASE64_STANDARD, pool) && pair.n > SCAN_USER) {
        scan->fn(scan->baton, slice_make(pair.p + SCAN_USER, pair.n - SCAN_USER));
    }
    apr_pool_destroy(pool);
}

/* Where a beginning of the needle may stand at the end of the text, but not before at. */
static apr_size_t scan_tail(slice_t text, slice_t begin, apr_size_t at)
{
    apr_size_t n = begin.n - 1 < text.n - at ? begin.n - 1 : text.n - at;

    while (n && memcmp(text.p + text.n - n, begin.p, n) != 0) {
        n--;
    }
    return text.n - n;
}

/* Where the needle stands again behind the beginning of a run; the run's end when it does not. */
static apr_size_t scan_next(const scan_needle_t *needle, slice_t run)
{
    const char *next =
        memmem(run.p + needle->begin.n, run.n - needle->begin.n, needle->begin.p, needle->begin.n);

    return next ? (apr_size_t)(next - run.p) : run.n;
}

/* A run of a candidate's characters may hold several: "pypi-token=pypi-AgEI...", or a token in the
 * name of a file. Each beginning is tried up to the next, and the whole as well: what looks like a
 * beginning may be a token's own characters. */
static void scan_run(scan_t *scan, const scan_needle_t *needle, slice_t run)
{
    slice_t rest = run;
    apr_size_t n;

    for (n = scan_next(needle, rest); n < rest.n; n = scan_next(needle, rest)) {
        scan_emit(scan, needle, slice_make(rest.p, n));
        rest = slice_make(rest.p + n, rest.n - n);
    }
    scan_emit(scan, needle, rest);
    if (rest.p != run.p) {
        scan_emit(scan, needle, run);
    }
}

/* From beginning to beginning, as long as the run is longer than any token: each has all that can
 * belong to it. Wherever the text is cut, the same ones are told. Returns what is left of the run;
 * nothing, where no beginning is left. */
static slice_t scan_long(scan_t *scan, const scan_needle_t *needle, slice_t run)
{
    while (run.n >= SCAN_HELD_MAX) {
        apr_size_t within = scan_next(needle, slice_make(run.p, SCAN_HELD_MAX));
        apr_size_t next = scan_next(needle, run);

        scan_emit(scan, needle, slice_make(run.p, within));
        run = slice_make(run.p + next, run.n - next);
    }
    return run;
}

/* Emits what is complete from at on; where to begin with this needle when there is more text. */
static apr_size_t scan_needle(scan_t *scan, const scan_needle_t *needle, slice_t text,
                              apr_size_t at, int last)
{
    for (;;) {
        const char *found = memmem(text.p + at, text.n - at, needle->begin.p, needle->begin.n);
        apr_size_t begin, end;
        slice_t run;

        if (!found) {
            return scan_tail(text, needle->begin, at);
        }
        begin = end = (apr_size_t)(found - text.p);
        while (end < text.n && scan_char(needle, text.p[end])) {
            end++;
        }
        run = scan_long(scan, needle, slice_make(found, end - begin));
        if (end == text.n && !last) {
            return run.n ? (apr_size_t)(run.p - text.p)
                         : scan_tail(text, needle->begin, begin + needle->begin.n);
        }
        if (run.n) {
            scan_run(scan, needle, run);
        }
        at = end;
    }
}

/* Looks at what is held and n new bytes behind it, and holds from the earliest beginning on that is
 * not complete. Of another needle there may be something complete in that: it was told. */
static void scan_look(scan_t *scan, apr_size_t n, int last)
{
    slice_t text = slice_make(scan->text, scan->held + n);
    apr_size_t keep = text.n, i;

    for (i = 0; i < SCAN_NEEDLES; i++) {
        scan->told[i] = scan_needle(scan, &scan_needles[i], text, scan->told[i], last);
        keep = scan->told[i] < keep ? scan->told[i] : keep;
    }
    for (i = 0; i < SCAN_NEEDLES; i++) {
        scan->told[i] -= keep;
    }
    scan->held = text.n - keep;
    memmove(scan->text, scan->text + keep, scan->held);
    sodium_memzero(scan->text + scan->held, text.n - scan->held);
}

void scan_feed(scan_t *scan, const char *p, apr_size_t n)
{
    while (n) {
        apr_size_t take = n < SCAN_PIECE ? n : SCAN_PIECE;

        memcpy(scan->text + scan->held, p, take);
        scan_look(scan, take, 0);
        p += take;
        n -= take;
    }
}

void scan_end(scan_t *scan)
{
    scan_look(scan, 0, 1);
    scan->held = 0;
    memset(scan->told, 0, sizeof(scan->told));
}
