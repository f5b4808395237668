/* test_caveat.c - every form of caveat that PyPI's rules tell apart, and what is said about it. */
#include "core/caveat.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define UID "a614e122-a9ee-473c-b6df-8c4f1b776628"
#define UUP "A614E122-A9EE-473C-B6DF-8C4F1B776628"
#define PID "5b4d4c2a-0f6e-4c1b-9d39-2a7a4a1f0c11"
#define PUP "5B4D4C2A-0F6E-4C1B-9D39-2A7A4A1F0C11"
#define OUT "caveat must be an array"
#define BAD "invalid values for fields"

static const caveat_context_t context = {.now = 1700000000,
                                         .user_id = SLICE(UID),
                                         .project = SLICE("sample-project"),
                                         .project_id = SLICE(PID),
                                         .shown = "Sample.Project"};

#define ROW(text, code, detail)                                                                    \
    {                                                                                              \
        SLICE(text), VERDICT_##code, detail                                                        \
    }
#define FINE(text)      ROW(text, ALLOWED, NULL)
#define SCOPE(text)     ROW(text, TOKEN_SCOPE, "Sample.Project")
#define DENY(text, why) ROW(text, TOKEN_CAVEAT, why)

static const struct {
    slice_t text;
    verdict_code_t code;
    const char *detail; /* NULL: there is none */
} table[] = {
    /* 0: dates */
    FINE("[0,1700000001,1700000000]"),
    FINE("[0,99999999999999999999999,0]"),
    FINE("[0,9223372036854775807,0]"),
    FINE("[0,9223372036854775808,0]"),
    FINE("[0,1700000001,-5]"),
    FINE("[0,1700000001,-99999999999999999999999]"),
    FINE("[0,1700000001,-9223372036854775808]"),
    FINE("[0,1700000001,-9223372036854775809]"),
    FINE("[0,1700000001,0,\"extra\"]"),
    FINE("[0,1700000001,0,99999999999999999999999,{\"a\":[1.5]}]"),
    FINE(" [ 0 ,\n1700000001,\t1700000000 ]\r\n"),
    FINE("[-0,1700000001,0]"),
    ROW("[0,1700000000,1699999999]", TOKEN_EXPIRED, NULL),
    ROW("[0,1600000000,0]", TOKEN_EXPIRED, NULL),
    ROW("[0,0,0]", TOKEN_EXPIRED, NULL),
    ROW("[0,-1,0]", TOKEN_EXPIRED, NULL),
    ROW("[0,-99999999999999999999999,0]", TOKEN_EXPIRED, NULL),
    ROW("[0,50,10]", TOKEN_EXPIRED, NULL),
    ROW("[0,10,0]", TOKEN_EXPIRED, NULL),
    ROW("[0,1,99999999999999999999]", TOKEN_EXPIRED, NULL),
    ROW("[0,1700000001,1700000001]", TOKEN_NOT_YET, NULL),
    ROW("[0,1700000120,1700000060]", TOKEN_NOT_YET, NULL),
    ROW("[0,99999999999999999999999,99999999999999999999999]", TOKEN_NOT_YET, NULL),
    DENY("[0,1700000001.0,0]", BAD),
    DENY("[0,1e10,0]", BAD),
    DENY("[0,1e99,0]", BAD),
    DENY("[0,1700000001,5.0]", BAD),
    DENY("[0,1700000001,1E0]", BAD),
    DENY("[0,99999999999999999999999.0,0]", BAD),
    DENY("[0,true,0]", BAD),
    DENY("[0,1700000001,false]", BAD),
    DENY("[0,\"1700000001\",0]", BAD),
    DENY("[0,\"50\",10]", BAD),
    DENY("[0,1700000001,null]", BAD),
    DENY("[0,[1700000001],0]", BAD),
    DENY("[0]", "Not enough values"),
    DENY("[0,5]", "Not enough values"),
    /* 1: names */
    FINE("[1,[\"sample-project\"]]"),
    FINE("[1,[\"a\",\"sample-project\"]]"),
    FINE("[1,[\"sample-project\"],[\"x\"]]"),
    FINE("[1,[\"s\\u0061mple-project\"]]"),
    FINE("[1,[\"\\u0000\",\"sample-project\"]]"),
    FINE("[1, [\"\xc3\xa9\", \"\\ud83d\\ude00\", \"sample-project\"]]"),
    FINE("[1,[\"99999999999999999999\\\"[[[[[[[[[[[[[[[[[[\",\"sample-project\"]]"),
    SCOPE("[1,[\"Sample.Project\"]]"),
    SCOPE("[1,[\"sample_project\"]]"),
    SCOPE("[1,[\"sample-project \"]]"),
    SCOPE("[1,[\"sample-project\\u0000\"]]"),
    SCOPE("[1,[\"sample-project\\u0000x\"]]"),
    SCOPE("[1,[\"sample-projec\"]]"),
    SCOPE("[1,[\"other\"]]"),
    SCOPE("[1,[\"\"]]"),
    SCOPE("[1,[]]"),
    DENY("[1,\"sample-project\"]", BAD),
    DENY("[1,[\"sample-project\",1]]", BAD),
    DENY("[1,[1,\"sample-project\"]]", BAD),
    DENY("[1,[\"sample-project\",null]]", BAD),
    DENY("[1,[[\"sample-project\"]]]", BAD),
    DENY("[1]", "Not enough values"),
    DENY("[1,null]", BAD),
    DENY("[1,{\"sample-project\":1}]", BAD),
    DENY("[1,{}]", BAD),
    /* 2: ids */
    FINE("[2,[\"" PID "\"]]"),
    FINE("[2,[\"" UID "\",\"" PID "\"],5]"),
    SCOPE("[2,[\"" PUP "\"]]"),
    SCOPE("[2,[\"" UID "\"]]"),
    SCOPE("[2,[]]"),
    SCOPE("[2,[\"sample-project\"]]"),
    DENY("[2,\"" PID "\"]", BAD),
    DENY("[2,[\"" PID "\",true]]", BAD),
    DENY("[2]", "Not enough values"),
    /* 3: user */
    FINE("[3,\"" UID "\"]"),
    FINE("[3,\"" UID "\",1]"),
    ROW("[3,\"" UUP "\"]", TOKEN_USER, NULL),
    ROW("[3,\"" PID "\"]", TOKEN_USER, NULL),
    ROW("[3,\"" UID "\\u0000\"]", TOKEN_USER, NULL),
    ROW("[3,\"\"]", TOKEN_USER, NULL),
    DENY("[3]", "Not enough values"),
    DENY("[3,5]", BAD),
    DENY("[3,null]", BAD),
    DENY("[3,[\"" UID "\"]]", BAD),
    /* other tags */
    DENY("[4,\"" PID "\"]", "caveat has unknown tag: 4"),
    DENY("[4,\"" PID "\",null]", "caveat has unknown tag: 4"),
    DENY("[5,\"x\"]", "caveat has unknown tag: 5"),
    DENY("[9999999]", "caveat has unknown tag: 9999999"),
    DENY("[-1]", "caveat has unknown tag: -1"),
    DENY("[4294967296,1700000001,0]", "caveat has unknown tag: 4294967296"),
    DENY("[18446744073709551616,1700000001,0]", "caveat has unknown tag: 9223372036854775807"),
    DENY("[null]", "caveat has unknown tag"),
    DENY("[\"1\",[\"sample-project\"]]", "caveat has unknown tag"),
    DENY("[[1],2]", "caveat has unknown tag"),
    DENY("[true,[\"sample-project\"]]", "caveat has unknown tag"),
    DENY("[1.0,[\"sample-project\"]]", "caveat has unknown tag"),
    DENY("[false,1700000001,0]", "caveat has unknown tag"),
    DENY("[]", "caveat array cannot be empty"),
    /* not an array */
    DENY("{}", OUT),
    DENY("null", OUT),
    DENY("\"foo\"", OUT),
    DENY("5", OUT),
    DENY("true", OUT),
    DENY("99999999999999999999", OUT),
    DENY("{\"nothing\": 1}", OUT),
    /* not JSON */
    DENY("", "caveat is empty"),
    DENY(" ", "caveat is not JSON"),
    DENY("[", "caveat is not JSON"),
    DENY("not json", "caveat is not JSON"),
    DENY("account = 3735928559", "caveat is not JSON"),
    DENY("[3,\"" UID "\"] x", "caveat is not JSON"),
    DENY("[3,\"" UID "\"]]", "caveat is not JSON"),
    DENY("[3,\"" UID "\"][]", "caveat is not JSON"),
    DENY("[3,\"" UID "\"]\0", "caveat is not JSON"),
    DENY("[3,\"" UID "\0\"]", "caveat is not JSON"),
    DENY("[3,\"" UID "\",]", "caveat is not JSON"),
    DENY("[3,'" UID "']", "caveat is not JSON"),
    DENY("\xef\xbb\xbf[3,\"" UID "\"]", "caveat is not JSON"),
    DENY("[3,\"" UID "\",\"\xff\"]", "caveat is not JSON"),
    DENY("[3,\"" UID "\",\"\xed\xa0\x80\"]", "caveat is not JSON"),
    DENY("[3,\"" UID "\",\"\\ud800\"]", "caveat is not JSON"),
    DENY("[3,\"" UID "\",\"\\x\"]", "caveat is not JSON"),
    DENY("[3,\"" UID "\",\"\t\"]", "caveat is not JSON"),
    DENY("[0,NaN,0]", "caveat is not JSON"),
    DENY("[0,Infinity,0]", "caveat is not JSON"),
    DENY("[0,-Infinity,0]", "caveat is not JSON"),
    DENY("[0,1e999,0]", "caveat is not JSON"),
    DENY("[0,01700000001,0]", "caveat is not JSON"),
    DENY("[0,099999999999999999999999,0]", "caveat is not JSON"),
    DENY("[0,+1700000001,0]", "caveat is not JSON"),
    DENY("[0,99999999999999999999-1,0]", "caveat is not JSON"),
    DENY("[0,--99999999999999999999,0]", "caveat is not JSON"),
    DENY("[0,-,0]", "caveat is not JSON"),
    DENY("[0,0x7fffffff,0]", "caveat is not JSON"),
    DENY("[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", "caveat is nested too deeply"),
    FINE("[3,\"" UID "\",[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]"),
    /* the three objects */
    FINE("{\"version\":1,\"permissions\":\"user\"}"),
    FINE("{\"permissions\": \"user\", \"version\": 1}"),
    FINE("{\"version\":1,\"permissions\":\"user\",\"extra\":true}"),
    FINE("{\"version\": 1, \"permissions\": {\"projects\": [\"sample-project\"]}}"),
    FINE("{\"version\":1,\"permissions\":{\"projects\":[\"x\",\"sample-project\"]},\"extra\":[]}"),
    SCOPE("{\"version\":1,\"permissions\":{\"projects\":[\"foo\",\"bar\"]}}"),
    SCOPE("{\"version\":1,\"permissions\":{\"projects\":[]}}"),
    SCOPE("{\"version\":1,\"permissions\":{\"projects\":[\"Sample.Project\"]}}"),
    DENY("{\"version\":1}", BAD),
    DENY("{\"version\":1,\"permissions\":null}", BAD),
    DENY("{\"version\":1,\"permissions\":[]}", BAD),
    DENY("{\"version\":1,\"permissions\":{}}", BAD),
    DENY("{\"version\":1,\"permissions\":\"User\"}", BAD),
    DENY("{\"version\":1,\"permissions\":\"user\\u0000\"}", BAD),
    DENY("{\"version\":1,\"permissions\":{\"otherkey\":\"foo\"}}", BAD),
    DENY("{\"version\":1,\"permissions\":{\"projects\":[\"sample-project\"],\"x\":1}}", BAD),
    DENY("{\"version\":1,\"permissions\":{\"projects\":\"sample-project\"}}", BAD),
    DENY("{\"version\":1,\"permissions\":{\"projects\":null}}", BAD),
    DENY("{\"version\":\"1\",\"permissions\":\"user\"}", OUT),
    DENY("{\"version\":2,\"permissions\":\"user\"}", OUT),
    DENY("{\"version\":true,\"permissions\":\"user\"}", OUT),
    DENY("{\"version\":1.0,\"permissions\":\"user\"}", OUT),
    DENY("{\"version\":18446744073709551617,\"permissions\":\"user\"}", OUT),
    DENY("{\"permissions\":\"user\"}", OUT),
    DENY("{\"Version\":1,\"permissions\":\"user\"}", OUT),
    FINE("{\"exp\":1700000001,\"nbf\":0}"),
    FINE("{\"nbf\": 1700000000, \"exp\": 1700003600}"),
    FINE("{\"exp\":1700000001,\"nbf\":0,\"extra\":1}"),
    FINE("{\"exp\":99999999999999999999999,\"nbf\":-99999999999999999999999}"),
    ROW("{\"exp\": 50, \"nbf\": 10}", TOKEN_EXPIRED, NULL),
    ROW("{\"exp\":1700000060,\"nbf\":1700000001}", TOKEN_NOT_YET, NULL),
    DENY("{\"exp\":1}", BAD),
    DENY("{\"nbf\":1}", BAD),
    DENY("{\"exp\":\"1700000001\",\"nbf\":0}", BAD),
    DENY("{\"exp\":1700000001.0,\"nbf\":0}", BAD),
    DENY("{\"exp\":1700000001,\"nbf\":null}", BAD),
    FINE("{\"project_ids\":[\"" PID "\"]}"),
    SCOPE("{\"project_ids\":[\"" UID "\"]}"),
    SCOPE("{\"project_ids\":[]}"),
    DENY("{\"project_ids\":\"" PID "\"}", BAD),
    DENY("{\"project_ids\":[\"" PID "\",1]}", BAD),
    DENY("{\"project_ids\":[\"" PID "\"],\"x\":1}", "caveat has unexpected keys"),
    DENY("{\"exp\":1700000001,\"nbf\":0,\"project_ids\":[\"nope\"]}",
         "caveat mixes kinds of restrictions"),
    DENY("{\"version\":1,\"permissions\":\"user\",\"exp\":1,\"nbf\":0}",
         "caveat mixes kinds of restrictions"),
    DENY("{\"version\":1,\"permissions\":\"user\",\"nbf\":0}",
         "caveat mixes kinds of restrictions"),
    DENY("{\"version\":1,\"permissions\":\"user\",\"project_ids\":[]}",
         "caveat mixes kinds of restrictions"),
    DENY("{\"version\":1,\"version\":1,\"permissions\":\"user\"}", "caveat is not JSON"),
    DENY("{\"exp\":1,\"exp\":1700000001,\"nbf\":0}", "caveat is not JSON"),
};

#define TABLE (sizeof(table) / sizeof(table[0]))

static int same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static verdict_code_t check(const slice_t *caveats, apr_size_t n, const caveat_context_t *c,
                            caveat_phase_t phase, verdict_t *v, apr_pool_t *pool)
{
    memset(v, 0xff, sizeof(*v)); /* all of it must be set */
    return caveat_check(caveats, n, c, phase, v, pool);
}

static void test_table(apr_pool_t *pool)
{
    apr_size_t i;

    for (i = 0; i < TABLE; i++) {
        const char *shown = slice_printable(table[i].text, 90, pool);
        verdict_code_t want = table[i].code, early = want, code;
        verdict_t v;

        code = check(&table[i].text, 1, &context, CAVEAT_PHASE_UPLOAD, &v, pool);
        tap_ok(code == want && v.code == want && same_text(v.detail, table[i].detail) &&
                   !v.log == (want == VERDICT_ALLOWED),
               "%s: %s, %s", shown, verdict_word(code), v.detail ? v.detail : "-");
        if (want == VERDICT_TOKEN_SCOPE) {
            early = VERDICT_ALLOWED;
        }
        code = check(&table[i].text, 1, &context, CAVEAT_PHASE_BEARER, &v, pool);
        tap_ok(code == early && v.code == early, "%s: before the body %s", shown,
               verdict_word(code));
    }
}

/* ---- several ---- */

static void test_several(apr_pool_t *pool)
{
    static const slice_t both[] = {SLICE("[1,[\"other\"]]"), SLICE("[0,1,0]"), SLICE("[9]")};
    static const slice_t turned[] = {SLICE("[3,\"" UID "\"]"), SLICE("[9]"), SLICE("[1,[]]")};
    static const slice_t narrowed[] = {SLICE("[1,[\"sample-project\"]]"), SLICE("[1,[\"other\"]]")};
    static const slice_t fine[] = {SLICE("[1,[\"sample-project\"]]"), SLICE("[2,[\"" PID "\"]]"),
                                   SLICE("[3,\"" UID "\"]"), SLICE("[0,1700000060,1700000000]")};
    verdict_t v;

    tap_ok(check(both, 3, &context, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_SCOPE &&
               same_text(v.log, "project-scoped token is not valid for project: 'Sample.Project', "
                                "token is expired, caveat has unknown tag: 9"),
           "the first verdict, all of them in the log");
    tap_ok(check(both, 3, &context, CAVEAT_PHASE_BEARER, &v, pool) == VERDICT_TOKEN_EXPIRED &&
               same_text(v.log, "token is expired, caveat has unknown tag: 9"),
           "before the body the project waits");
    tap_ok(check(turned, 3, &context, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_CAVEAT &&
               same_text(v.detail, "caveat has unknown tag: 9"),
           "the first that fails, not the first of a kind");
    tap_ok(check(narrowed, 2, &context, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_SCOPE,
           "caveats only ever narrow");
    tap_ok(check(fine, 4, &context, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_ALLOWED && !v.log,
           "all hold");
    tap_ok(check(NULL, 0, &context, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_ALLOWED, "none");
}

/* What the request does not have is matched by nothing, not by "" either. */
static void test_missing(apr_pool_t *pool)
{
    static const slice_t name = SLICE("[1,[\"\"]]"), id = SLICE("[2,[\"\",\"" PID "\"]]"),
                         user = SLICE("[3,\"\"]"),
                         any = SLICE("{\"version\":1,\"permissions\":"
                                     "\"user\"}"),
                         good = SLICE("[1,[\"sample-project\"]]");
    caveat_context_t c = context;
    verdict_t v;

    c.project = slice_of("");
    tap_ok(check(&name, 1, &c, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_CAVEAT &&
               same_text(v.detail, "project-scoped token used outside of a project context"),
           "no project");
    tap_ok(check(&id, 1, &c, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_CAVEAT,
           "no project, though there is an id");
    tap_ok(check(&name, 1, &c, CAVEAT_PHASE_BEARER, &v, pool) == VERDICT_ALLOWED,
           "which is as it should be before the body");
    c = context;
    c.project_id = slice_of("");
    tap_ok(check(&id, 1, &c, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_SCOPE,
           "a project not made yet has no id");
    tap_ok(check(&good, 1, &c, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_ALLOWED, "but a name");
    c = context;
    c.user_id = slice_of("");
    tap_ok(check(&user, 1, &c, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_USER, "no user");
    tap_ok(check(&any, 1, &c, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_USER,
           "no user for the 2019 form either");
    c = context;
    c.shown = NULL;
    c.project = slice_of("sample");
    tap_ok(check(&good, 1, &c, CAVEAT_PHASE_UPLOAD, &v, pool) == VERDICT_TOKEN_SCOPE &&
               same_text(v.detail, "sample"),
           "the normalised name when no other is at hand");
}

/* ---- no cut of a caveat that holds leaves another that does ---- */

static void test_cuts(apr_pool_t *parent)
{
    apr_pool_t *pool;
    apr_size_t i, n, passed = 0, tried = 0;
    verdict_t v;

    apr_pool_create(&pool, parent);
    for (i = 0; i < TABLE; i++) {
        slice_t whole = slice_trim(table[i].text);

        for (n = 0; n < whole.n; n++) {
            /* a copy of its own, so that a sanitizer sees a read past the cut */
            char *cut = n ? memcpy(malloc(n), whole.p, n) : NULL;
            slice_t s = slice_make(cut, n);
            verdict_code_t code = check(&s, 1, &context, CAVEAT_PHASE_UPLOAD, &v, pool);

            (void)caveat_describe(s, pool);
            if (table[i].code == VERDICT_ALLOWED) {
                tried++;
                passed += code == VERDICT_ALLOWED;
            }
            free(cut);
        }
        apr_pool_clear(pool);
    }
    tap_ok(passed == 0, "%d cut texts, %d passed", (int)tried, (int)passed);
    apr_pool_destroy(pool);
}

int main(void)
{
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    test_table(pool);
    test_several(pool);
    test_missing(pool);
    test_cuts(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
