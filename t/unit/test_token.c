/* test_token.c - the token text: its spellings, every bent one, and what is minted. */
#include "core/token.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "tap.h"
#include "wiped.h"

#define ID   "d4d8a706-51a1-4844-a49f-12d4bc3db6f9"
#define USER "a614e122-a9ee-473c-b6df-8c4f1b776628"
#define PID  "5b4d4c2a-0f6e-4c1b-9d39-2a7a4a1f0c11"

/* base64url of three recorded macaroons: for a user; without location; version 1. Written without
 * their prefix, so that nobody's scanner takes them for somebody's secret. */
#define TV1                                                                                        \
    "AgEIcHlwaS5vcmcCJGQ0ZDhhNzA2LTUxYTEtNDg0NC1hNDlmLTEyZDRiYzNkYjZmOQACKlszLCJhNjE0ZTEyMi1hOWVl" \
    "LTQ3M2MtYjZkZi04YzRmMWI3NzY2MjgiXQAABiCmlv-mXUb393SHZIRX7bsBYefbyKi_t8_0ansOKVpC2w"
#define TV7                                                                                        \
    "AgEAAiRkNGQ4YTcwNi01MWExLTQ4NDQtYTQ5Zi0xMmQ0YmMzZGI2ZjkAAipbMywiYTYxNGUxMjItYTllZS00NzNjLWI2" \
    "ZGYtOGM0ZjFiNzc2NjI4Il0AAAYgppb_pl1G9_d0h2SEV-27AWHn28iov7fP9Gp7DilaQts"
#define PT0 "AgELZXhhbXBsZS5jb20CBjEyM2ZvbwAABiCK4TytWvy17_Up7TvhdVDhFx8cjU_ne_6wtOqxPUZmxw"

static const unsigned char test_key[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                           11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                           22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

static slice_t key_slice(void)
{
    return slice_make((const char *)test_key, sizeof(test_key));
}

#define ROW(text, code)                                                                            \
    {                                                                                              \
        SLICE(text), VERDICT_##code                                                                \
    }

static const struct {
    slice_t text;
    verdict_code_t code;
} spellings[] = {
    ROW("pypi-" TV1, ALLOWED),
    ROW("pypi-" TV1 "==", ALLOWED),
    ROW("  pypi-" TV1 "\r\n", ALLOWED),
    ROW("\tpypi-" TV1 "==\n", ALLOWED),
    ROW("pypi-" TV7, ALLOWED),
    ROW("pypi-" TV7 "=", ALLOWED),
    ROW("pypi-" TV1 "=", TOKEN_MALFORMED),
    ROW("pypi-" TV1 "===", TOKEN_MALFORMED),
    ROW("pypi-" TV1 "====", TOKEN_MALFORMED),
    ROW("pypi-" TV1 "== ==", TOKEN_MALFORMED),
    ROW("pypi-" TV7 "==", TOKEN_MALFORMED),
    ROW("pypi-=" TV7, TOKEN_MALFORMED),
    ROW("pypi-" TV1 "A", TOKEN_MALFORMED),
    ROW("pypi-" TV1 "AA", TOKEN_MALFORMED), /* a byte after the signature */
    ROW("pypi-" TV1 "!!!!", TOKEN_MALFORMED),
    ROW("pypi-" TV1 "\0", TOKEN_MALFORMED),
    ROW("pypi-" TV1 "\xc3\xa9", TOKEN_MALFORMED),
    ROW("pypi-AgEI " TV1, TOKEN_MALFORMED),
    ROW("pypi-AgEI\n" TV1, TOKEN_MALFORMED),
    ROW("PYPI-" TV1, TOKEN_MALFORMED),
    ROW("Pypi-" TV1, TOKEN_MALFORMED),
    ROW("pypi:" TV1, TOKEN_MALFORMED),
    ROW("pypi--" TV1, TOKEN_MALFORMED),
    ROW("pypi" TV1, TOKEN_MALFORMED),
    ROW("pypi -" TV1, TOKEN_MALFORMED),
    ROW("devpi-" TV1, TOKEN_MALFORMED),
    ROW(TV1, TOKEN_MALFORMED),
    ROW("pypi-", TOKEN_MALFORMED),
    ROW("pypi-=", TOKEN_MALFORMED),
    ROW("pypi-==", TOKEN_MALFORMED),
    ROW("pypi- ", TOKEN_MALFORMED),
    ROW("pypi", TOKEN_MALFORMED),
    ROW("", TOKEN_MALFORMED),
    ROW("hunter2", TOKEN_MALFORMED),
    ROW("pypi-aaaa", TOKEN_MALFORMED),
    ROW("pypi-eyJ2IjoyfQ", TOKEN_MALFORMED),
    ROW("pypi-MDAxNmxvY2F0aW9uIHB5cGkub3JnCg", TOKEN_VERSION),
    ROW("pypi-" PT0, TOKEN_UNKNOWN), /* a sound macaroon, but its identifier is "123foo" */
};

static void test_spellings(apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        const char *why = NULL;
        macaroon_t *m;
        verdict_code_t code = token_parse(&m, spellings[i].text, &why, pool);
        int good = code == VERDICT_ALLOWED;

        tap_ok(code == spellings[i].code && !m == !good && (!why) == good &&
                   (!good || macaroon_verify(m, key_slice())),
               "spelling %d: %s, %s", (int)i, verdict_word(code), why ? why : "read");
    }
    tap_ok(token_looks_like(slice_of(" pypi-x")) && token_looks_like(slice_of("pypi-")) &&
               !token_looks_like(slice_of("Pypi-x")) && !token_looks_like(slice_of("")) &&
               !token_looks_like(slice_of("pyp")),
           "what looks like a token");
}

/* The alphabet's two last characters in both spellings, and the unused bits of the last one. */
static void test_canonical(apr_pool_t *pool)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = apr_pstrdup(pool, "pypi-" TV1), *p;
    macaroon_t *m;
    int i, passed = 0;
    slice_t s = slice_of(text);

    for (i = 0; i < 64; i++) {
        text[s.n - 1] = alphabet[i];
        passed +=
            token_parse(&m, s, NULL, pool) == VERDICT_ALLOWED && macaroon_verify(m, key_slice());
    }
    tap_ok(passed == 1, "one spelling of the last character, not %d", passed);
    text = apr_pstrdup(pool, "pypi-" TV1);
    for (p = text + 5; *p; p++) {
        *p = (char)(*p == '-' ? '+' : *p == '_' ? '/' : *p);
    }
    tap_ok(token_parse(&m, slice_of(text), NULL, pool) == VERDICT_TOKEN_MALFORMED,
           "the other base64 alphabet is refused");
}

static int refused(slice_t text, apr_pool_t *pool)
{
    macaroon_t *m;

    return token_parse(&m, text, NULL, pool) != VERDICT_ALLOWED || !macaroon_verify(m, key_slice());
}

/* TV7 has no location, the one thing that a signature does not cover: so nothing may pass. */
static void test_mutations(apr_pool_t *parent)
{
    char *text = apr_pstrdup(parent, "pypi-" TV7);
    slice_t s = slice_of(text);
    apr_size_t i, j, passed = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    tap_ok(!refused(s, pool), "unbent it is taken");
    for (i = 0; i < s.n; i++) {
        for (j = 1; j < 256; j++) {
            text[i] = (char)(text[i] ^ (int)j);
            passed += !refused(s, pool);
            text[i] = (char)(text[i] ^ (int)j);
        }
        apr_pool_clear(pool);
    }
    tap_ok(passed == 0, "every other byte at every place is refused");
    for (i = passed = 0; i < s.n; i++) {
        passed += !refused(slice_make(s.p, i), pool) +
                  !refused(slice_make(s.p + i + 1, s.n - i - 1), pool);
    }
    tap_ok(passed == 0, "every truncation is refused, at both ends");
    apr_pool_destroy(pool);
}

static void test_lengths(apr_pool_t *pool)
{
    macaroon_t *m = macaroon_create(slice_of("x"), slice_of(ID), key_slice(), pool);
    apr_size_t room = MACAROON_MAX_BYTES - macaroon_serialize(m, pool).n - 5;
    char *big = memset(apr_palloc(pool, TOKEN_MAX_CHARS + 1), 'A', TOKEN_MAX_CHARS + 1);
    const char *text;
    macaroon_t *again;

    tap_ok(macaroon_append(m, slice_make(big, room), pool) == 0, "the largest macaroon");
    text = token_format(m, pool);
    tap_ok(strlen(text) <= TOKEN_MAX_CHARS &&
               token_parse(&again, slice_of(text), NULL, pool) == VERDICT_ALLOWED &&
               macaroon_verify(again, key_slice()),
           "makes a text that can be read, %d characters", (int)strlen(text));
    memcpy(big, "pypi-", 5);
    tap_ok(token_parse(&again, slice_make(big, TOKEN_MAX_CHARS + 1), NULL, pool) ==
               VERDICT_TOKEN_TOO_LONG,
           "a longer text is too long");
    big[TOKEN_MAX_CHARS] = '!';
    tap_ok(token_parse(&again, slice_make(big, TOKEN_MAX_CHARS + 1), NULL, pool) ==
               VERDICT_TOKEN_TOO_LONG,
           "and is not looked at");
    tap_ok(token_parse(&again, slice_make(big, 5 + 32764), NULL, pool) == VERDICT_TOKEN_TOO_LONG,
           "so is a macaroon past its bound");
}

/* ---- minting ---- */

static token_grant_t grant_of(const slice_t *names, const slice_t *ids, apr_size_t n)
{
    token_grant_t g = {0};

    g.service = slice_of("pypi.org");
    g.identifier = slice_of(ID);
    g.key = key_slice();
    g.user_id = slice_of(USER);
    g.projects = names;
    g.project_ids = ids;
    g.n_projects = n;
    return g;
}

static int has_caveats(const macaroon_t *m, const char *const *want)
{
    apr_size_t i;

    for (i = 0; m && want[i]; i++) {
        if (i >= m->n_caveats || !slice_is(m->caveats[i], want[i])) {
            return 0;
        }
    }
    return m && m->n_caveats == i && macaroon_verify(m, key_slice());
}

static void test_mint(apr_pool_t *pool)
{
    static const slice_t names[] = {SLICE("sampleproject"), SLICE("other")};
    static const slice_t ids[] = {SLICE(PID), SLICE(USER)}, part[] = {SLICE(PID), SLICE("")};
    static const char *const two[] = {"[1,[\"sampleproject\",\"other\"]]",
                                      "[2,[\"" PID "\",\"" USER "\"]]", NULL};
    static const char *const dated[] = {"[1,[\"sampleproject\"]]", "[2,[\"" PID "\"]]",
                                        "[0,1700003600,1700000000]", NULL};
    static const char *const user[] = {"[3,\"" USER "\"]", "[0,1700003600,0]", NULL};
    token_grant_t g = grant_of(NULL, NULL, 0);
    macaroon_t *m = token_mint(&g, pool);

    tap_ok(m && strcmp(token_format(m, pool), "pypi-" TV1) == 0, "a user token as PyPI mints it");
    g.expires = 1700003600;
    tap_ok(has_caveats(token_mint(&g, pool), user), "a user token that expires");
    g = grant_of(names, ids, 2);
    tap_ok(has_caveats(token_mint(&g, pool), two), "two projects");
    g = grant_of(names, part, 2);
    tap_ok(has_caveats(token_mint(&g, pool), (const char *const[]){two[0], NULL}),
           "no ids when one is missing");
    g.project_ids = NULL;
    tap_ok(has_caveats(token_mint(&g, pool), (const char *const[]){two[0], NULL}),
           "no ids when there are none");
    g = grant_of(names, ids, 1);
    g.expires = 1700003600;
    g.not_before = 1700000000;
    tap_ok(has_caveats(token_mint(&g, pool), dated), "one project that expires");
}

static void test_mint_refusals(apr_pool_t *pool)
{
    static const slice_t bad[] = {SLICE("\xff")};
    slice_t *many = apr_palloc(pool, 3000 * sizeof(*many));
    char *big = memset(apr_palloc(pool, 256), 'x', 256);
    token_grant_t g = grant_of(NULL, NULL, 0);
    int i, dated = 0, undated = 0;

    g.user_id = slice_of("");
    tap_ok(!token_mint(&g, pool), "no token for nobody");
    g = grant_of(NULL, NULL, 0);
    g.identifier = slice_of("123foo");
    tap_ok(!token_mint(&g, pool), "no token without a UUID");
    g = grant_of(NULL, NULL, 0);
    g.key.n = 31;
    tap_ok(!token_mint(&g, pool), "no token with a short key");
    g = grant_of(NULL, NULL, 0);
    g.service = slice_make(big, 256);
    tap_ok(!token_mint(&g, pool), "no token with too long a service");
    g = grant_of(bad, NULL, 1);
    tap_ok(!token_mint(&g, pool), "no token with a name that cannot be written");
    for (i = 0; i < 3000; i++) {
        many[i] = slice_of("a-project");
    }
    g = grant_of(many, NULL, 3000);
    tap_ok(!token_mint(&g, pool), "no token past its bound");
    do {
        g.n_projects--;
    } while (g.n_projects && !token_mint(&g, pool));
    big = memset(apr_palloc(pool, 30), 'x', 30);
    for (i = 9; i < 30; i++) {
        many[0] = slice_make(big, (apr_size_t)i);
        g.expires = 0;
        undated += token_mint(&g, pool) != NULL;
        g.expires = 1700003600;
        dated += token_mint(&g, pool) != NULL;
    }
    tap_ok(undated > 0 && !dated, "nor one whose end alone does not fit: never one without it");
}

/* ---- identifiers ---- */

static void test_uuid(apr_pool_t *pool)
{
    static const char *const bad[] = {
        "",
        "d4d8a706-51a1-4844-a49f-12d4bc3db6f",
        "d4d8a706-51a1-4844-a49f-12d4bc3db6f99",
        "D4D8A706-51A1-4844-A49F-12D4BC3DB6F9",
        "d4d8a70651a14844a49f12d4bc3db6f9",
        "d4d8a706-51a1-4844-a49f-12d4bc3db6fg",
        "d4d8a706 51a1-4844-a49f-12d4bc3db6f9",
        "d4d8a706-51a1-4844-a49f-12d4bc3db6-9",
        "{d4d8a706-51a1-4844-a49f-12d4bc3db6}",
    };
    unsigned char random[16];
    const char *text;
    size_t i;

    tap_ok(token_is_uuid(slice_of(ID)), "a UUID");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_ok(!token_is_uuid(slice_of(bad[i])), "not one: '%s'", bad[i]);
    }
    memset(random, 0xff, sizeof(random));
    tap_ok(strcmp(token_uuid(random, pool), "ffffffff-ffff-4fff-bfff-ffffffffffff") == 0, "ones");
    memset(random, 0, sizeof(random));
    tap_ok(strcmp(token_uuid(random, pool), "00000000-0000-4000-8000-000000000000") == 0, "zeros");
    text = token_uuid(test_key, pool);
    tap_ok(strcmp(text, "00010203-0405-4607-8809-0a0b0c0d0e0f") == 0 &&
               token_is_uuid(slice_of(text)),
           "the bytes in their order");
}

static void test_wiping(apr_pool_t *parent)
{
    wiped_t text_end, in_end;
    apr_pool_t *pool;
    const char *text;
    macaroon_t *m;
    slice_t in;

    apr_pool_create(&pool, parent);
    wiped_watch(&text_end, pool);
    wiped_watch(&in_end, pool);
    (void)token_parse(&m, slice_of("pypi-" TV1), NULL, pool);
    in = m->identifier; /* points into the decoded bytes */
    text = token_format(m, pool);
    tap_ok(strcmp(text, "pypi-" TV1) == 0 && slice_is(in, ID), "there is a token");
    text_end.p = text;
    text_end.n = strlen(text);
    in_end.p = in.p;
    in_end.n = in.n;
    apr_pool_destroy(pool);
    tap_ok(text_end.zero == 1 && in_end.zero == 1, "text and bytes go with the pool");
}

int main(void)
{
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    test_spellings(pool);
    test_canonical(pool);
    test_mutations(pool);
    test_lengths(pool);
    test_mint(pool);
    test_mint_refusals(pool);
    test_uuid(pool);
    test_wiping(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
