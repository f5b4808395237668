/* test_caveat_words.c - the caveats that are written here, and what people are told of any. */
#include "core/caveat.h"

#include <apr_general.h>
#include <sodium.h>
#include <string.h>

#include "tap.h"

#define UID "a614e122-a9ee-473c-b6df-8c4f1b776628"
#define PID "5b4d4c2a-0f6e-4c1b-9d39-2a7a4a1f0c11"

static void test_written(apr_pool_t *pool)
{
    static const slice_t names[] = {SLICE("foo"), SLICE("bar")};
    static const slice_t ids[] = {SLICE("123uuid"), SLICE("456uuid")};
    static const slice_t odd[] = {SLICE("a\"b\\\n\0\xc3\xa9\xf0\x9f\x98\x80")};
    static const slice_t bad[] = {SLICE("ok"), SLICE("\xff")};
    static const caveat_context_t context = {.now = 1700000000,
                                             .user_id = SLICE(UID),
                                             .project = SLICE("ok"),
                                             .project_id = SLICE(PID),
                                             .shown = "ok"};
    slice_t s;
    verdict_t v;

    tap_ok(slice_is(caveat_expiration(50, 10, pool), "[0,50,10]"), "dates");
    tap_ok(slice_is(caveat_expiration(APR_INT64_MAX, APR_INT64_MIN, pool),
                    "[0,9223372036854775807,-9223372036854775808]"),
           "the ends of time");
    tap_ok(slice_is(caveat_projects(names, 2, pool), "[1,[\"foo\",\"bar\"]]"), "names");
    tap_ok(slice_is(caveat_project_ids(ids, 2, pool), "[2,[\"123uuid\",\"456uuid\"]]"), "ids");
    tap_ok(slice_is(caveat_user(slice_of("a uuid"), pool), "[3,\"a uuid\"]"), "user");
    tap_ok(slice_is(caveat_projects(NULL, 0, pool), "[1,[]]"), "no names");
    tap_ok(slice_is(caveat_projects(odd, 1, pool),
                    "[1,[\"a\\\"b\\\\\\n\\u0000\\u00E9\\uD83D\\uDE00\"]]"),
           "escaped: %s", caveat_projects(odd, 1, pool).p);
    tap_ok(caveat_projects(bad, 2, pool).n == 0 && caveat_user(bad[1], pool).n == 0,
           "what cannot be written is empty");
    s = caveat_projects(bad, 2, pool);
    tap_ok(caveat_check(&s, 1, &context, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_CAVEAT,
           "and denies");
}

static const struct {
    const char *caveat;
    const char *words;
} told[] = {
    {"[0,1767225600,0]", "until 2026-01-01T00:00:00Z"},
    {"[0,1767225600,1700000000]", "from 2023-11-14T22:13:20Z until 2026-01-01T00:00:00Z"},
    {"[0,253402300799,0]", "until 9999-12-31T23:59:59Z"},
    {"[0,99999999999999999999,0]", "until further notice"},
    {"[0,-5,0]", "until second -5"},
    {"[0,-99999999999999999999,0]", "until second -9223372036854775808"},
    {"{\"nbf\": 1700000000, \"exp\": 1767225600}",
     "from 2023-11-14T22:13:20Z until 2026-01-01T00:00:00Z"},
    {"[1,[\"a\"]]", "only the project a"},
    {"[1,[\"a\",\"b\"]]", "only the projects a, b"},
    {"[1,[]]", "no projects at all"},
    {"[1,[\"\\u001b[2J\xc3\xa9\"]]", "only the project ?[2J??"},
    {"[2,[\"" PID "\"]]", "only the project id " PID},
    {"[2,[\"x\",\"y\"]]", "only the project ids x, y"},
    {"[3,\"" UID "\"]", "only the user id " UID},
    {"{\"version\":1,\"permissions\":\"user\"}", "only its owner"},
    {"{\"version\":1,\"permissions\":{\"projects\":[\"a\"]}}", "only the project a"},
    {"[4,\"x\"]", "denies everything (caveat has unknown tag: 4)"},
    {"\x1b\xff", "denies everything (caveat is not JSON)"},
    {"", "denies everything (caveat is empty)"},
};

static void test_told(apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        const char *got = caveat_describe(slice_of(told[i].caveat), pool);

        tap_ok(strcmp(got, told[i].words) == 0, "told: %s", got);
    }
}

int main(void)
{
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    test_written(pool);
    test_told(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
