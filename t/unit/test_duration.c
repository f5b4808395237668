/* test_duration.c - spans and points of time: what is taken, what is refused, and the way back. */
#include <apr_general.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "core/duration.h"
#include "tap.h"

#define BAD APR_INT64_C(-1)

typedef struct test_row_t {
    const char *text;
    apr_int64_t value; /* BAD: refused */
} test_row_t;

static const test_row_t spans[] = {
    {"1s", 1},
    {"10m", 600},
    {"2h", 7200},
    {"30d", 2592000},
    {"2w", 1209600},
    {"1y", 31536000},
    {"007d", 604800},
    {"9999y", BAD}, /* more than there are years after 1970 */
    {"8000y", APR_INT64_C(252288000000)},
    {"", BAD},
    {"s", BAD},
    {"10", BAD},
    {"0m", BAD},
    {"-1d", BAD},
    {"+1d", BAD},
    {"1.5h", BAD},
    {"1 d", BAD},
    {" 1d", BAD},
    {"1d ", BAD},
    {"1D", BAD},
    {"1d2h", BAD},
    {"1x", BAD},
    {"0x1d", BAD},
    {"99999999999999999999999999s", BAD},
    {"18446744073709551617s", BAD},
};

static const test_row_t points[] = {
    {"1970-01-01", 0},
    {"1970-01-01T00:00:01Z", 1},
    {"2000-02-29", 951782400},
    {"2001-09-09T01:46:40Z", 1000000000},
    {"2001-09-09 01:46:40", 1000000000},
    {"2001-09-09t01:46:40z", 1000000000},
    {"2023-11-14T22:13:20+00:00", 1700000000},
    {"2023-11-15T00:13:20+02:00", 1700000000},
    {"2023-11-14T18:43:20-0330", 1700000000},
    {"2038-01-19T03:14:08Z", APR_INT64_C(2147483648)},
    {"2030-01-31T12:00", 1896091200},
    {"2030-01-31T12:00Z", 1896091200},
    {"9999-12-31T23:59:59Z", DURATION_LATEST},
    {"9999-12-31T23:59:59-01:00", BAD},
    {"1970-01-01T00:00:00+01:00", BAD},
    {"1969-12-31", BAD},
    {"2001-02-29", BAD},
    {"1900-02-29", BAD},
    {"2100-02-29", BAD},
    {"2024-02-30", BAD},
    {"2024-00-01", BAD},
    {"2024-13-01", BAD},
    {"2024-04-31", BAD},
    {"2024-1-1", BAD},
    {"20240101", BAD},
    {"2024-01-01T", BAD},
    {"2024-01-01T12", BAD},
    {"2024-01-01T24:00", BAD},
    {"2024-01-01T12:60", BAD},
    {"2024-01-01T12:00:60", BAD},
    {"2024-01-01T12:00:", BAD},
    {"2024-01-01T12:00:00.5", BAD},
    {"2024-01-01T12:00ZZ", BAD},
    {"2024-01-01T12:00+15:00", BAD},
    {"2024-01-01T12:00+2", BAD},
    {"2024-01-01T12:00+", BAD},
    {"2024-01-01x", BAD},
    {" 2024-01-01", BAD},
    {"", BAD},
    {"tomorrow", BAD},
};

static void test_table(const char *what, int (*read)(slice_t, apr_int64_t *),
                       const test_row_t *rows, size_t n)
{
    apr_int64_t got;
    size_t i;

    for (i = 0; i < n; i++) {
        got = BAD;
        if (read(slice_of(rows[i].text), &got)) {
            got = BAD;
        }
        tap_ok(got == rows[i].value, "%s '%s' is %lld", what, rows[i].text,
               (long long)rows[i].value);
    }
}

/* Against the C library, over all years. */
static void test_iso(apr_pool_t *pool)
{
    char expected[40];
    struct tm tm;
    time_t t;
    apr_int64_t back;
    int formatted = 1, returned = 1;

    for (t = 0; t <= DURATION_LATEST; t += 86399 * 11) {
        gmtime_r(&t, &tm);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
        formatted &= strcmp(duration_iso(t, pool), expected) == 0;
        returned &= duration_point(slice_of(expected), &back) == 0 && back == t;
        apr_pool_clear(pool);
    }
    tap_ok(formatted, "times are written as the C library writes them");
    tap_ok(returned, "and read back as the same");
    tap_ok(strcmp(duration_iso(DURATION_LATEST, pool), "9999-12-31T23:59:59Z") == 0,
           "the last second has a form");
    tap_ok(strcmp(duration_iso(DURATION_LATEST + 1, pool), "253402300800") == 0,
           "what comes after is a number");
    tap_ok(strcmp(duration_iso(-5, pool), "-5") == 0, "and so is what came before");
}

static void test_relative(void)
{
    const apr_int64_t now = 1700000000;
    apr_int64_t at = 0;

    tap_ok(duration_ahead(slice_of("2h"), now, &at) == 0 && at == now + 7200, "two hours ahead");
    tap_ok(duration_back(slice_of("2h"), now, &at) == 0 && at == now - 7200, "two hours back");
    tap_ok(duration_ahead(slice_of("1970-01-02"), now, &at) == 0 && at == 86400,
           "a point ahead is a point");
    tap_ok(duration_back(slice_of("1970-01-02"), now, &at) == 0 && at == 86400,
           "a point back is a point");
    tap_ok(duration_ahead(slice_of("8000y"), now, &at), "nothing ends after the year 9999");
    tap_ok(duration_back(slice_of("60y"), now, &at), "nothing begins before 1970");
    tap_ok(duration_ahead(slice_of("soon"), now, &at) && duration_back(slice_of("soon"), now, &at),
           "words are no times");
    tap_ok(duration_span(slice_make("1d\0", 3), &at) && duration_point(slice_make(NULL, 0), &at),
           "neither are a NUL and nothing");
}

int main(void)
{
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    apr_pool_create(&pool, NULL);
    test_table("span", duration_span, spans, sizeof(spans) / sizeof(spans[0]));
    test_table("point", duration_point, points, sizeof(points) / sizeof(points[0]));
    test_relative();
    test_iso(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
