/* test_verdict.c - every verdict can be sent to every client, and slices hold their promises. */
#include "core/verdict.h"

#include <apr_general.h>
#include <string.h>

#include "tap.h"

/* What twine, poetry, pdm and others take, in lower case, for "the file is there, go on". */
static const char *const phrases[] = {"already exist",      "updating asset",
                                      "cannot be updated",  "already been taken",
                                      "overwrite artifact", "was ever registered"};

static const int registered[] = {200, 400, 401, 403, 404, 405, 408, 411,
                                 413, 415, 422, 429, 500, 502, 503, 507};

static int has(const char *hay, const char *needle)
{
    apr_size_t i, n = strlen(needle);

    for (i = 0; strlen(hay) - i >= n && hay[i]; i++) {
        if (slice_is_nocase(slice_make(hay + i, n), needle)) {
            return 1;
        }
    }
    return 0;
}

/* A field of the uploader's own may say anything. */
static int misled(verdict_code_t code, const char *detail, apr_pool_t *pool)
{
    const char *text;
    verdict_t v;
    apr_size_t k;

    verdict_set(&v, code, slice_of(detail), pool);
    text = verdict_sentence(&v, pool);
    for (k = 0; k < sizeof(phrases) / sizeof(*phrases) && !has(text, phrases[k]); k++) {
    }
    return k < sizeof(phrases) / sizeof(*phrases);
}

static void check_details(verdict_code_t code, apr_pool_t *pool)
{
    static const char *const details[] = {"a file that ALREADY EXISTS.whl",
                                          "updating asset",
                                          "x Cannot Be Updated",
                                          "already been taken",
                                          "overwrite artifact",
                                          "was ever registered"};
    apr_size_t k;
    int n = 0;

    for (k = 0; k < sizeof(details) / sizeof(*details); k++) {
        n += misled(code, details[k], pool);
    }
    tap_ok((n > 0) == (code == VERDICT_FILE_EXISTS), "%s: a name cannot make it one of those",
           verdict_word(code));
}

static void check_row(verdict_code_t code, apr_pool_t *pool)
{
    verdict_t v;
    char detail[400];
    const char *text, *word = verdict_word(code);
    apr_size_t i, k;
    int known = 0, clean = 1, quiet = 1;

    memset(detail, '\n', sizeof(detail));
    tap_ok(verdict_set(&v, code, slice_make(detail, sizeof(detail)), pool) == code, "%s is set",
           word);
    text = verdict_sentence(&v, pool);
    for (i = 0; text[i]; i++) {
        clean = clean && text[i] >= 0x20 && text[i] <= 0x7e;
    }
    tap_ok(clean && i > 0 && i <= VERDICT_REASON_MAX, "%s: %d printable bytes", word, (int)i);
    for (k = 0; k < sizeof(registered) / sizeof(*registered); k++) {
        known = known || registered[k] == verdict_status(code);
    }
    tap_ok(known, "%s: status %d is one that clients know", word, verdict_status(code));
    for (k = 0; k < sizeof(phrases) / sizeof(*phrases); k++) {
        quiet = quiet && !has(text, phrases[k]);
    }
    tap_ok(quiet == (code != VERDICT_FILE_EXISTS), "%s: is it taken for a file that is there",
           word);
    tap_ok(verdict_of_word(word) == code, "%s is one word only", word);
    tap_ok(strstr(text, "{}") == NULL, "%s: no hole is left", word);
}

/* Who is refused must not come again by itself: twine repeats an upload five times for 500, 502,
 * 503 and 504. So a 5xx says that this server or what is behind it failed, and is one of these; and
 * no status sends a client elsewhere. */
static void check_repeated(void)
{
    static const verdict_code_t ours[] = {VERDICT_STORE_DOWN, VERDICT_LOGIN_DOWN, VERDICT_BUSY,
                                          VERDICT_BACKEND,    VERDICT_SPOOL_FULL, VERDICT_INTERNAL};
    apr_size_t k;
    int i;

    for (i = 0; i < VERDICT_COUNT; i++) {
        int status = verdict_status((verdict_code_t)i), failed = 0;

        for (k = 0; k < sizeof(ours) / sizeof(*ours); k++) {
            failed = failed || ours[k] == (verdict_code_t)i;
        }
        tap_ok(failed == (status >= 500) && status / 100 != 3 &&
                   (status == 200) == (i == VERDICT_ALLOWED),
               "%s: %d is %s", verdict_word((verdict_code_t)i), status,
               failed ? "our failure" : "an answer for good");
    }
}

static void check_waits(apr_pool_t *pool)
{
    static const struct {
        unsigned seconds;
        const char *words;
    } rows[] = {{1, "a second"},    {30, "30 seconds"},   {119, "119 seconds"}, {120, "2 minutes"},
                {121, "3 minutes"}, {3600, "60 minutes"}, {7200, "2 hours"},    {7201, "3 hours"}};
    apr_size_t i;
    verdict_t v;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        verdict_set_wait(&v, VERDICT_THROTTLED, rows[i].seconds, pool);
        tap_ok(v.retry_after == rows[i].seconds &&
                   strstr(verdict_sentence(&v, pool), rows[i].words),
               "%u s to wait: %s", rows[i].seconds, verdict_sentence(&v, pool));
    }
    verdict_set(&v, VERDICT_BUSY, slice_of(NULL), pool);
    tap_ok(v.retry_after == 0, "no wait of its own: none is left from before");
}

static void check_slices(apr_pool_t *pool)
{
    slice_t s = slice_trim(slice_of(" \t\r\n a b \v\f"));

    tap_ok(slice_is(s, "a b"), "white space at both ends is trimmed, inside kept");
    tap_ok(slice_trim(slice_of(" \n")).n == 0, "nothing but white space is nothing");
    tap_ok(!slice_equal(slice_make("a\0b", 3), slice_make("a\0c", 3)), "a NUL ends no comparison");
    tap_ok(slice_equal(slice_of(NULL), slice_of("")), "no string is the empty slice");
    tap_ok(slice_is_nocase(slice_of("bAsIc"), "Basic") &&
               !slice_is_nocase(slice_of("basi"), "basic"),
           "letters without case");
    tap_ok(!slice_is_nocase(slice_of("[\\"), "{|"), "only letters have a case");
    tap_ok(strcmp(slice_printable(slice_make("a\0\r\n\x80z", 6), 100, pool), "a????z") == 0,
           "what does not print is a question mark");
    tap_ok(strcmp(slice_printable(slice_of("abcdef"), 3, pool), "abc...") == 0, "cut with a mark");
    tap_ok(slice_starts(slice_of("pypi-x"), "pypi-") && !slice_starts(slice_of("pyp"), "pypi-"),
           "a prefix is a prefix");
}

int main(void)
{
    apr_pool_t *pool;
    verdict_t v;
    int i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < VERDICT_COUNT; i++) {
        check_row((verdict_code_t)i, pool);
        check_details((verdict_code_t)i, pool);
    }
    tap_ok(verdict_of_word("nonsense") == VERDICT_COUNT, "an unknown word has no verdict");
    tap_ok(verdict_status((verdict_code_t)999) == 500, "an unknown code is an internal error");
    verdict_set(&v, VERDICT_TOKEN_SCOPE, slice_of("demo"), pool);
    v.log = "why\n";
    tap_ok(strstr(verdict_sentence(&v, pool), "'demo'") &&
               !strstr(verdict_sentence(&v, pool), "why"),
           "the sentence has the detail, not the operator's part");
    tap_ok(strstr(verdict_logline(&v, pool), "(why?)") != NULL, "the log line has both");
    check_slices(pool);
    check_repeated();
    check_waits(pool);
    apr_terminate();
    return tap_done();
}
