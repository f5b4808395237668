/* test_caveat_private.c - our own caveats: every tag allowed, refused, at its edges and malformed;
 * and the property that a caveat more never allows more. */
#include "core/caveat.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define UID       "a614e122-a9ee-473c-b6df-8c4f1b776628"
#define PID       "5b4d4c2a-0f6e-4c1b-9d39-2a7a4a1f0c11"
#define SUM       "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define OTHER     "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
#define FILE_NAME "team_app-1.2.3.tar.gz"
#define BAD       "invalid values for fields"

static const caveat_context_t context = {
    1700000000, SLICE(UID), SLICE("team-app"), SLICE(PID), "Team.App", SLICE("192.0.2.7"),
    "1.2.3",    FILE_NAME,  "sdist",           SLICE(SUM), 0};

#define FINE(text)                                                                                 \
    {                                                                                              \
        SLICE(text), NULL                                                                          \
    }
#define DENY(text, why)                                                                            \
    {                                                                                              \
        SLICE(text), why                                                                           \
    }

static const struct {
    slice_t text;
    const char *why; /* NULL: allowed */
} table[] = {
    /* 1000: the client's network */
    FINE("[1000,[\"192.0.2.0/24\"]]"),
    FINE("[1000,[\"10.0.0.0/8\",\"192.0.2.7\"]]"),
    FINE("[1000,[\"::ffff:192.0.2.0/120\"]]"),
    FINE("[ 1000 , [ \"0.0.0.0/0\" ] ]"),
    DENY("[1000,[\"10.0.0.0/8\",\"2001:db8::/32\"]]",
         "its network caveat does not allow 192.0.2.7"),
    DENY("[1000,[\"192.0.2.7/24\"]]", BAD),
    DENY("[1000,[\"192.0.2.0/24\",\"\"]]", BAD),
    DENY("[1000,[\"192.0.2.0/24\",\"192.0.2.0/33\"]]", BAD),
    DENY("[1000,[\"192.0.2.0/24\\u0000\"]]", BAD),
    /* 1001: versions */
    FINE("[1001,[\"1.2.*\"]]"),
    FINE("[1001,[\"2.0\",\"1.2.3\"]]"),
    FINE("[1001,[\"1.2.3.0\"]]"),
    FINE("[1001,[\"01.2.3\"]]"),
    FINE("[1001,[\"1.*\"]]"),
    DENY("[1001,[\"1.2\"]]", "its version caveat does not allow 1.2.3"),
    DENY("[1001,[\"1.20.*\",\"1!1.2.3\"]]", "its version caveat does not allow 1.2.3"),
    DENY("[1001,[\"1.2.3rc1\"]]", "its version caveat does not allow 1.2.3"),
    DENY("[1001,[\"1.2.3+local\"]]", "its version caveat does not allow 1.2.3"),
    DENY("[1001,[\"*\"]]", BAD),
    DENY("[1001,[\"1.2*\"]]", BAD),
    DENY("[1001,[\"1.2.3rc1.*\"]]", BAD),
    DENY("[1001,[\"v1.2.3\"]]", BAD),
    DENY("[1001,[\"==1.2.3\"]]", BAD),
    DENY("[1001,[\">=1.0\"]]", BAD),
    DENY("[1001,[\"1.2.3 \"]]", BAD),
    /* 1002: digests of the file */
    FINE("[1002,[\"" SUM "\"]]"),
    FINE("[1002,[\"" OTHER "\",\"" SUM "\"]]"),
    DENY("[1002,[\"" OTHER "\"]]", "its digest caveat is not for the bytes of " FILE_NAME),
    DENY("[1002,[\"9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08\"]]", BAD),
    DENY("[1002,[\"9f86d081\"]]", BAD),
    DENY("[1002,[\"" SUM "0\"]]", BAD),
    DENY("[1002,[\"" SUM "\",\"\"]]", BAD),
    /* 1003: project names */
    FINE("[1003,[\"team-*\"]]"),
    FINE("[1003,[\"team-app\"]]"),
    FINE("[1003,[\"team-app*\"]]"),
    FINE("[1003,[\"te*\"]]"),
    FINE("[1003,[\"*\"]]"),
    FINE("[1003,[\"other\",\"t*\"]]"),
    DENY("[1003,[\"team\"]]", "its name caveat does not allow team-app"),
    DENY("[1003,[\"team-app-*\"]]", "its name caveat does not allow team-app"),
    DENY("[1003,[\"team-apps\",\"eam-*\"]]", "its name caveat does not allow team-app"),
    DENY("[1003,[\"*-app\"]]", BAD),
    DENY("[1003,[\"te*m-*\"]]", BAD),
    DENY("[1003,[\"team-**\"]]", BAD),
    DENY("[1003,[\"Team-*\"]]", BAD),
    DENY("[1003,[\"team_*\"]]", BAD),
    DENY("[1003,[\"team--*\"]]", BAD),
    DENY("[1003,[\"-*\"]]", BAD),
    DENY("[1003,[\"team-\"]]", BAD),
    DENY("[1003,[\"\"]]", BAD),
    /* 1004: uses are counted elsewhere */
    FINE("[1004,1]"),
    FINE("[1004,1000000]"),
    DENY("[1004,0]", BAD),
    DENY("[1004,-1]", BAD),
    DENY("[1004,1000001]", BAD),
    DENY("[1004,99999999999999999999999999]", BAD),
    DENY("[1004,1.0]", BAD),
    DENY("[1004,true]", BAD),
    DENY("[1004,\"1\"]", BAD),
    DENY("[1004,[1]]", BAD),
    DENY("[1004,1,2]", BAD),
    /* 1005: kinds of file */
    FINE("[1005,[\"sdist\"]]"),
    FINE("[1005,[\"bdist_wheel\",\"sdist\"]]"),
    DENY("[1005,[\"bdist_wheel\"]]", "its kind caveat does not allow sdist"),
    DENY("[1005,[\"wheel\"]]", BAD),
    DENY("[1005,[\"sdist\",\"bdist_egg\"]]", BAD),
    DENY("[1005,\"sdist\"]", BAD),
    /* 1006: new projects, or never */
    FINE("[1006,\"existing\"]"),
    DENY("[1006,\"new\"]", "its creation caveat is for new projects only, and team-app is there"),
    DENY("[1006,\"New\"]", BAD),
    DENY("[1006,\"\"]", BAD),
    DENY("[1006,[\"existing\"]]", BAD),
    DENY("[1006,\"existing\",0]", BAD),
    /* 1007: file names */
    FINE("[1007,[\"" FILE_NAME "\"]]"),
    FINE("[1007,[\"x.whl\",\"team_app-1.2.3.t\\u0061r.gz\"]]"),
    DENY("[1007,[\"team-app-1.2.3.tar.gz\"]]", "its file caveat does not allow " FILE_NAME),
    DENY("[1007,[\"" FILE_NAME "\\u0000\"]]", BAD),
    DENY("[1007,[\"\"]]", BAD),
    /* and what is none of ours */
    DENY("[999,[\"x\"]]", "caveat has unknown tag: 999"),
    DENY("[1008,[\"x\"]]", "caveat has unknown tag: 1008"),
    DENY("[-1000,[\"x\"]]", "caveat has unknown tag: -1000"),
    DENY("[1000.0,[\"0.0.0.0/0\"]]", "caveat has unknown tag"),
    DENY("[\"1000\",[\"0.0.0.0/0\"]]", "caveat has unknown tag"),
    DENY("{\"1000\":[\"0.0.0.0/0\"]}", "caveat must be an array"),
};

#define TABLE_N (sizeof(table) / sizeof(*table))

static verdict_code_t judge(const slice_t *caveats, apr_size_t n, const caveat_context_t *with,
                            caveat_phase_t phase, verdict_t *v, apr_pool_t *pool)
{
    return caveat_check(caveats, n, with, phase, v, pool);
}

static void rows(apr_pool_t *pool)
{
    apr_size_t i;

    for (i = 0; i < TABLE_N; i++) {
        verdict_t v;
        verdict_code_t code = judge(&table[i].text, 1, &context, CAVEAT_PHASE_UPLOAD, &v, pool);
        int fits = table[i].why ? code == VERDICT_TOKEN_CAVEAT && v.detail &&
                                      strcmp(v.detail, table[i].why) == 0
                                : code == VERDICT_ALLOWED;

        tap_ok(fits, "%" SLICE_FMT ": %s", SLICE_ARG(table[i].text),
               table[i].why ? table[i].why : "allowed");
    }
}

/* For each list tag: no field, no list, an empty one, a wrong item, a field too many. */
static void shapes(apr_pool_t *pool)
{
    static const char *const tags[] = {"1000", "1001", "1002", "1003", "1005", "1007"};
    static const char *const rest[] = {
        "",     ",null",   ",\"x\"", ",1",         ",[]",
        ",[1]", ",[null]", ",{}",    ",[[\"*\"]]", ",[\"*\"],[\"*\"]"};
    apr_size_t t, k;

    for (t = 0; t < sizeof(tags) / sizeof(*tags); t++) {
        for (k = 0; k < sizeof(rest) / sizeof(*rest); k++) {
            slice_t caveat = slice_of(apr_pstrcat(pool, "[", tags[t], rest[k], "]", NULL));
            verdict_t v;

            tap_ok(judge(&caveat, 1, &context, CAVEAT_PHASE_UPLOAD, &v, pool) ==
                       VERDICT_TOKEN_CAVEAT,
                   "%s denies", caveat.p);
            tap_ok(judge(&caveat, 1, &context, CAVEAT_PHASE_BEARER, &v, pool) ==
                       VERDICT_TOKEN_CAVEAT,
                   "  before the body too");
        }
    }
}

/* What is known when: nothing is denied before its time, and everything that never came. */
static void phases(apr_pool_t *pool)
{
    static const struct {
        slice_t text;
        verdict_code_t bearer, form;
    } when[] = {
        {SLICE("[1000,[\"10.0.0.0/8\"]]"), VERDICT_TOKEN_CAVEAT, VERDICT_TOKEN_CAVEAT},
        {SLICE("[1001,[\"9\"]]"), VERDICT_ALLOWED, VERDICT_TOKEN_CAVEAT},
        {SLICE("[1002,[\"" OTHER "\"]]"), VERDICT_ALLOWED, VERDICT_ALLOWED},
        {SLICE("[1003,[\"x\"]]"), VERDICT_ALLOWED, VERDICT_TOKEN_CAVEAT},
        {SLICE("[1005,[\"bdist_wheel\"]]"), VERDICT_ALLOWED, VERDICT_TOKEN_CAVEAT},
        {SLICE("[1006,\"new\"]"), VERDICT_ALLOWED, VERDICT_TOKEN_CAVEAT},
        {SLICE("[1007,[\"x\"]]"), VERDICT_ALLOWED, VERDICT_TOKEN_CAVEAT},
    };
    static const caveat_context_t nobody = {1700000000, SLICE(UID), {NULL, 0}, {NULL, 0},
                                            NULL,       {NULL, 0},  NULL,      NULL,
                                            NULL,       {NULL, 0},  0};
    apr_size_t i;
    verdict_t v;

    for (i = 0; i < sizeof(when) / sizeof(*when); i++) {
        const slice_t *c = &when[i].text;

        tap_ok(judge(c, 1, &context, CAVEAT_PHASE_BEARER, &v, pool) == when[i].bearer,
               "%" SLICE_FMT " before the body", SLICE_ARG(*c));
        tap_ok(judge(c, 1, &context, CAVEAT_PHASE_FORM, &v, pool) == when[i].form,
               "  with the form");
        tap_ok(judge(c, 1, &context, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_CAVEAT,
               "  at the end");
    }
    for (i = 0; i < TABLE_N; i++) {
        if (!table[i].why && !strstr(table[i].text.p, "1004")) {
            tap_ok(judge(&table[i].text, 1, &nobody, CAVEAT_PHASE_UPLOAD, &v, pool) ==
                       VERDICT_TOKEN_CAVEAT,
                   "%" SLICE_FMT " denies an upload of which nothing is known",
                   SLICE_ARG(table[i].text));
        }
    }
}

static void creation(apr_pool_t *pool)
{
    static const slice_t only_new = SLICE("[1006,\"new\"]"),
                         existing = SLICE("[1006,\"existing\"]");
    caveat_context_t fresh = context;
    verdict_t v;

    fresh.fresh = 1;
    tap_ok(judge(&only_new, 1, &fresh, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_ALLOWED,
           "a token for new projects makes one");
    tap_ok(judge(&existing, 1, &fresh, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_CAVEAT &&
               strcmp(v.detail,
                      "its creation caveat is for existing projects only, and team-app is "
                      "new") == 0,
           "one for existing projects does not");
}

/* Random sets: whatever is allowed with one caveat more is allowed without it. */
static void property(apr_pool_t *root)
{
    caveat_context_t with = context;
    int i, wrong = 0, allowed = 0;

    srandom(1);
    for (i = 0; i < 20000; i++) {
        slice_t set[4];
        apr_pool_t *pool;
        verdict_t v;
        apr_size_t n = (apr_size_t)random() % 4, k;
        int more, less;

        apr_pool_create(&pool, root);
        for (k = 0; k <= n; k++) {
            set[k] = table[(apr_size_t)random() % TABLE_N].text;
        }
        with.fresh = (int)(random() & 1);
        with.address = random() & 1 ? context.address : slice_of("10.1.2.3");
        more = judge(set, n + 1, &with, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_ALLOWED;
        less = judge(set, n, &with, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_ALLOWED;
        wrong += more && !less;
        allowed += more;
        apr_pool_destroy(pool);
    }
    tap_ok(wrong == 0, "a caveat more never allows what was refused without it");
    tap_ok(allowed > 200, "  and some sets allow the upload (%d of 20000)", allowed);
}

static void words(apr_pool_t *pool)
{
    static const struct {
        slice_t text;
        const char *words;
    } said[] = {
        {SLICE("[1000,[\"10.0.0.0/8\"]]"), "from the network 10.0.0.0/8"},
        {SLICE("[1000,[\"10.0.0.0/8\",\"::1\"]]"), "from the networks 10.0.0.0/8, ::1"},
        {SLICE("[1001,[\"1.2.*\",\"2.0\"]]"), "only the versions 1.2.*, 2.0"},
        {SLICE("[1002,[\"" SUM "\"]]"), "only the file with the SHA-256 " SUM},
        {SLICE("[1003,[\"team-*\"]]"), "only projects named team-*"},
        {SLICE("[1004,1]"), "at most 1 accepted upload"},
        {SLICE("[1004,3]"), "at most 3 accepted uploads"},
        {SLICE("[1005,[\"sdist\"]]"), "only files of the kind sdist"},
        {SLICE("[1006,\"new\"]"), "only the first file of a new project"},
        {SLICE("[1006,\"existing\"]"), "only projects that exist"},
        {SLICE("[1007,[\"a.whl\"]]"), "only the file a.whl"},
        {SLICE("[1007,[]]"), "denies everything (" BAD ")"},
    };
    static const slice_t digest = SLICE("[1002,[\"" SUM "\"]]");
    static const slice_t items[] = {SLICE("a"), SLICE("b\"")};
    static const slice_t counts[] = {SLICE("[1004,5]"), SLICE("[1004,0]"), SLICE("[0,5,0]")};
    const caveat_set_t *set;
    apr_size_t i;

    for (i = 0; i < sizeof(said) / sizeof(*said); i++) {
        tap_ok(strcmp(caveat_describe(said[i].text, pool), said[i].words) == 0, "in words: %s",
               said[i].words);
    }
    tap_ok(slice_is(caveat_list(1007, items, 2, pool), "[1007,[\"a\",\"b\\\"\"]]"),
           "a list is written");
    tap_ok(slice_is(caveat_number(1004, 5, pool), "[1004,5]"), "a number is written");
    tap_ok(slice_is(caveat_word(1006, slice_of("new"), pool), "[1006,\"new\"]"),
           "a word is written");
    set = caveat_set(counts, 3, pool);
    tap_ok(caveat_set_uses(set, 0) == 5 && caveat_set_uses(set, 1) == 0 &&
               caveat_set_uses(set, 2) == 0,
           "the number of uses is told");
    tap_ok(caveat_set_wants_digest(caveat_set(&digest, 1, pool)) &&
               !caveat_set_wants_digest(caveat_set(&said[4].text, 1, pool)) &&
               !caveat_set_wants_digest(caveat_set(NULL, 0, pool)) &&
               !caveat_set_wants_digest(NULL),
           "who asks for a digest is told");
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
    shapes(pool);
    phases(pool);
    creation(pool);
    property(pool);
    words(pool);
    apr_terminate();
    return tap_done();
}
