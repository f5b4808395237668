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
    apr_terminate();
    return tap_done();
}
