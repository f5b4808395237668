/* test_scan.c - tokens in any text, found whole wherever the text is cut. */
#include "core/scan.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/token.h"
#include "tap.h"

#define T1 "pypi-AgEKaW5kZXgudGVzdAIkN2U5ZTRiY2YtNDkzMy00YWIwLWE2OGUtZmNkMmVjNTU2YzJk"
#define T2 "pypi-AgEK_w-x=="

/* base64 of "__token__:pypi-AgEK_w-x" and of "__token__:pypi-A" */
#define B1 "X190b2tlbl9fOnB5cGktQWdFS193LXg="
#define B2 "X190b2tlbl9fOnB5cGktQQ=="

typedef struct seen_t {
    apr_pool_t *pool;
    const char *all;
} seen_t;

static void take(void *baton, slice_t token)
{
    seen_t *seen = baton;

    seen->all = apr_pstrcat(seen->pool, seen->all, slice_dup(token, seen->pool), "|", NULL);
}

/* What is found when the text comes in pieces of this size; 0: at random. */
static const char *found(slice_t text, apr_size_t piece, apr_pool_t *pool)
{
    seen_t seen = {pool, ""};
    scan_t *scan = scan_create(take, &seen, pool);
    apr_size_t at = 0, n;

    for (; at < text.n; at += n) {
        n = piece ? piece : 1 + (apr_size_t)random() % 40;
        n = n < text.n - at ? n : text.n - at;
        scan_feed(scan, text.p + at, n);
    }
    scan_end(scan);
    return seen.all;
}

static const struct {
    const char *text, *want;
} table[] = {
    {"", ""},
    {"nothing here", ""},
    {T1, T1 "|"},
    {"password = " T1 "\n", T1 "|"},
    {"\"" T1 "\",'" T2 "'", T1 "|" T2 "|"},
    {"pypi-token=" T1 "\n", "pypi-token=|" T1 "|pypi-token=" T1 "|"},
    {T1 T1, T1 "|" T1 "|" T1 T1 "|"},
    {"pypypi-x pypipypi-y ppypi-z", "pypi-x|pypi-y|pypi-z|"},
    {"PYPI-x pypi x pypi_x", ""},
    {"pypi-", "pypi-|"},
    {"Authorization: Basic " B1 "\r\n", "pypi-AgEK_w-x|"},
    {"{\"auth\":\"" B2 "\"}", "pypi-A|"},
    {"X190b2tlbl9fOnB5cGkt", "pypi-|"},
    {"X190b2tlbl9fOnB5cGktQ", ""}, /* cut off: no base64 */
    {"X190b2tlbl9fOnB5cGktQQ== X190b2tlbl9fOnB5cGktQWdFS193LXg=", "pypi-A|pypi-AgEK_w-x|"},
};

static void rows(apr_pool_t *pool)
{
    apr_size_t i, piece;

    for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
        slice_t text = slice_of(table[i].text);
        int wrong = 0;

        for (piece = 0; piece <= text.n + 1; piece++) {
            wrong += strcmp(found(text, piece, pool), table[i].want) != 0;
        }
        if (!tap_ok(wrong == 0, "text %d in pieces of any size", (int)i)) {
            printf("# %d wrong; whole: %s\n", wrong, found(text, text.n, pool));
        }
    }
}

static int count(const char *text, char c)
{
    int n = 0;

    for (; *text; text++) {
        n += *text == c;
    }
    return n;
}

/* One is in the other and complete before it: it is told once, not again with what holds it. */
static void nested(apr_pool_t *pool)
{
    slice_t text = slice_of("pypi-" B2 "_rest and on");
    apr_size_t piece;
    int wrong = 0;

    for (piece = 0; piece <= text.n + 1; piece++) {
        const char *all = found(text, piece, pool);

        wrong += count(all, '|') != 2 || !strstr(all, "pypi-A|") || !strstr(all, "_rest|");
    }
    tap_ok(wrong == 0, "one within another is told once (%d wrong)", wrong);
}

/* Megabytes that are one long candidate, or nearly one again and again: an end to memory and time.
 */
static void floods(apr_pool_t *pool)
{
    apr_size_t n = 1 << 21, i;
    char *text = apr_palloc(pool, n + 1);
    const char *got;

    memset(text, 'A', n);
    memcpy(text, "pypi-", 5);
    text[n] = '\0';
    got = found(slice_make(text, n), 8192, pool);
    tap_ok(strlen(got) > TOKEN_MAX_CHARS && strlen(got) < TOKEN_MAX_CHARS * 3,
           "a candidate without an end is cut where no token can be longer");
    for (i = 0; i + 4 < n; i += 4) {
        memcpy(text + i, "pypi", 4);
    }
    memcpy(text + n - 100, " " T2 " ", sizeof(" " T2 " ") - 1);
    tap_ok(strcmp(found(slice_make(text, n), 8192, pool), T2 "|") == 0,
           "beginnings without number hide none");
}

/* The same ones, whatever the pieces: a sum over what is told. */
static void sum(void *baton, slice_t token)
{
    apr_uint64_t hash = 14695981039346656037u;
    apr_size_t i;

    for (i = 0; i < token.n; i++) {
        hash = (hash ^ (unsigned char)token.p[i]) * 1099511628211u;
    }
    *(apr_uint64_t *)baton += hash;
}

/* Whether T1 is told out of a run of n characters in which it begins at this place. */
static int found_at(apr_size_t at, apr_size_t n, apr_size_t piece, apr_uint64_t *told,
                    apr_pool_t *pool)
{
    char *text = apr_palloc(pool, n);
    seen_t seen = {pool, ""};
    scan_t *scan = scan_create(take, &seen, pool), *other = scan_create(sum, told, pool);
    apr_size_t i;

    memset(text, 'x', n);
    memcpy(text, "pypi-", 5);
    memcpy(text + at, T1, strlen(T1));
    text[at + strlen(T1)] = ' ';
    *told = 0;
    for (i = 0; i < n; i += piece) {
        scan_feed(scan, text + i, piece < n - i ? piece : n - i);
        scan_feed(other, text + i, piece < n - i ? piece : n - i);
    }
    scan_end(scan);
    scan_end(other);
    return strstr(seen.all, "|" T1 "|") != NULL;
}

/* A run that is longer than a token can be is cut; what begins before the cut, on it or behind it
 * is found, wherever the pieces end. */
static void cuts(apr_pool_t *pool)
{
    static const apr_size_t pieces[] = {16384, 5000, 1 << 20};
    apr_size_t at, i;
    int lost = 0, other = 0;

    for (at = 40000; at < 50200; at += 41) {
        apr_pool_t *each;
        apr_uint64_t first, told;

        apr_pool_create(&each, pool);
        lost += !found_at(at, 50400, pieces[0], &first, each);
        for (i = 1; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
            lost += !found_at(at, 50400, pieces[i], &told, each);
            other += told != first;
        }
        apr_pool_destroy(each);
    }
    tap_ok(lost == 0, "no token hides behind 43 KB of letters (%d lost)", lost);
    tap_ok(other == 0, "  and where the pieces end makes no difference (%d)", other);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    if (sodium_init() < 0) {
        return 1;
    }
    apr_pool_create(&pool, NULL);
    rows(pool);
    nested(pool);
    floods(pool);
    cuts(pool);
    apr_terminate();
    return tap_done();
}
