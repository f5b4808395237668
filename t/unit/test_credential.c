/* test_credential.c - the Authorization header: whose it is, and every bent one. */
#include "core/base64.h"
#include "core/credential.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static apr_pool_t *pool;

/* "Basic " and the base64 of pair, made by another encoder than the one under test decodes for. */
static slice_t test_basic(const char *scheme, slice_t pair)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = apr_palloc(pool, strlen(scheme) + pair.n / 3 * 4 + 5), *to = text;
    apr_size_t i;

    memcpy(to, scheme, strlen(scheme));
    to += strlen(scheme);
    for (i = 0; i < pair.n; i += 3) {
        unsigned bits = 0, k;

        for (k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < pair.n ? (unsigned char)pair.p[i + k] : 0u);
        }
        for (k = 0; k < 4; k++) {
            *to++ = i + k <= pair.n ? digits[bits >> (18 - 6 * k) & 63] : '=';
        }
    }
    return slice_make(text, (apr_size_t)(to - text));
}

/* Reads an exact copy on the heap: a sanitizer sees a read past the end. */
static verdict_code_t test_read(credential_t *out, slice_t header)
{
    char *copy = malloc(header.n ? header.n : 1);
    verdict_code_t code;

    memcpy(copy, header.p, header.n);
    memset(out, 'x', sizeof(*out));
    code = credential_read(out, slice_make(copy, header.n), pool);
    if (out->token.p >= copy && out->token.p <= copy + header.n) {
        out->token.p = header.p + (out->token.p - copy);
    }
    free(copy);
    return code;
}

static int test_empty(const credential_t *c)
{
    static const credential_t none;

    return memcmp(c, &none, sizeof(none)) == 0;
}

#define PAIR(text, code, token, user, password)                                                    \
    {                                                                                              \
        SLICE(text), VERDICT_##code, token, user, password                                         \
    }

static const struct {
    slice_t pair;
    verdict_code_t code;
    const char *token, *user, *password; /* token NULL: a person */
} test_pairs[] = {
    PAIR("__token__:pypi-abc", ALLOWED, "pypi-abc", NULL, NULL),
    PAIR(" __token__\t:pypi-abc", ALLOWED, "pypi-abc", NULL, NULL),
    PAIR("__token__: pypi-abc\r\n", ALLOWED, "pypi-abc", NULL, NULL),
    PAIR("__token__:pypi-a:b", ALLOWED, "pypi-a:b", NULL, NULL),
    PAIR("__token__:hunter2", ALLOWED, "hunter2", NULL, NULL),
    PAIR("__token__:", ALLOWED, "", NULL, NULL),
    PAIR("__token__:pypi-\0abc", ALLOWED, NULL, NULL, NULL), /* see test_bytes */
    PAIR("__TOKEN__:hunter2", ALLOWED, NULL, "__TOKEN__", "hunter2"),
    PAIR("__token:hunter2", ALLOWED, NULL, "__token", "hunter2"),
    PAIR("alice:hunter2", ALLOWED, NULL, "alice", "hunter2"),
    PAIR("alice: hunter2 ", ALLOWED, NULL, "alice", " hunter2 "),
    PAIR("alice:a:b:c", ALLOWED, NULL, "alice", "a:b:c"),
    PAIR("alice:", ALLOWED, NULL, "alice", ""),
    PAIR(" alice:x", ALLOWED, NULL, " alice", "x"),
    PAIR("al\xc3\xa9:\xc3\xa9", ALLOWED, NULL, "al\xc3\xa9", "\xc3\xa9"),
    PAIR("alice:xpypi-abc", ALLOWED, NULL, "alice", "xpypi-abc"),
    /* a token under a name */
    PAIR("alice:pypi-abc", USER_NOT_TOKEN, NULL, NULL, NULL),
    PAIR("alice: pypi-abc\n", USER_NOT_TOKEN, NULL, NULL, NULL),
    PAIR(":pypi-abc", USER_NOT_TOKEN, NULL, NULL, NULL),
    PAIR("__TOKEN__:pypi-abc", USER_NOT_TOKEN, NULL, NULL, NULL),
    PAIR("__token__\0:pypi-abc", USER_NOT_TOKEN, NULL, NULL, NULL),
    /* or as the name: it must not end up in a log as one */
    PAIR("pypi-abc:", USER_NOT_TOKEN, NULL, NULL, NULL),
    PAIR(" pypi-abc:x", USER_NOT_TOKEN, NULL, NULL, NULL),
    /* no pair, or none that RFC 7617 knows */
    PAIR("", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR("alice", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR("__token__", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR(":", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR(":hunter2", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR("al\0ice:hunter2", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR("alice:hunter2\0x", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR("alice:hunter2\n", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR("al\nice:hunter2", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
    PAIR("alice\x7f:hunter2", CREDENTIALS_MALFORMED, NULL, NULL, NULL),
};

static int test_as_said(const credential_t *c, size_t i)
{
    if (test_pairs[i].code != VERDICT_ALLOWED) {
        return test_empty(c);
    }
    if (test_pairs[i].user) {
        return c->kind == CREDENTIAL_PERSON && slice_is(c->user, test_pairs[i].user) &&
               slice_is(c->password, test_pairs[i].password) && !c->token.n;
    }
    return c->kind == CREDENTIAL_TOKEN && !c->user.n && !c->password.n &&
           (!test_pairs[i].token || slice_is(c->token, test_pairs[i].token));
}

static void test_table(void)
{
    static const char *const schemes[] = {"Basic ", "basic ", "BASIC ", "Basic   "};
    size_t i, k;

    for (i = 0; i < sizeof(test_pairs) / sizeof(*test_pairs); i++) {
        for (k = 0; k < sizeof(schemes) / sizeof(*schemes); k++) {
            credential_t c;
            verdict_code_t code = test_read(&c, test_basic(schemes[k], test_pairs[i].pair));

            tap_ok(code == test_pairs[i].code && test_as_said(&c, i), "%s'%s' is %s, got %s",
                   schemes[k], slice_printable(test_pairs[i].pair, 60, pool),
                   verdict_word(test_pairs[i].code), verdict_word(code));
        }
    }
}

static const struct {
    slice_t header;
    verdict_code_t code;
    const char *token;
} test_headers[] = {
    {SLICE(""), VERDICT_NO_CREDENTIALS, NULL},
    {SLICE("Bearer pypi-abc"), VERDICT_ALLOWED, "pypi-abc"},
    {SLICE("bearer  pypi-abc "), VERDICT_ALLOWED, "pypi-abc"},
    {SLICE("token pypi-abc"), VERDICT_ALLOWED, "pypi-abc"},
    {SLICE("Token x"), VERDICT_ALLOWED, "x"},
    {SLICE("Bearer "), VERDICT_ALLOWED, ""},
    {SLICE(" "), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic "), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic !!!!"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic\tYTpi"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE(" Basic YTpi"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic YTpi YTpi"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic YTpi, Basic YTpj"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic YTpi,"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic YTpiYw"), VERDICT_CREDENTIALS_MALFORMED, NULL},   /* padding left out */
    {SLICE("Basic YTpiYx=="), VERDICT_CREDENTIALS_MALFORMED, NULL}, /* unused bits set */
    {SLICE("Basic YTpiYw=\0"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic YTo-Pz8_"), VERDICT_CREDENTIALS_MALFORMED, NULL}, /* the other alphabet */
    {SLICE("Basic YT\xff\xff"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic YT\npi"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Digest username=\"__token__\""), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Negotiate YTpi"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("pypi-abc"), VERDICT_CREDENTIALS_MALFORMED, NULL},
    {SLICE("Basic\0 YTpi"), VERDICT_CREDENTIALS_MALFORMED, NULL},
};

static void test_schemes(void)
{
    size_t i;

    for (i = 0; i < sizeof(test_headers) / sizeof(*test_headers); i++) {
        credential_t c;
        verdict_code_t code = test_read(&c, test_headers[i].header);

        tap_ok(code == test_headers[i].code &&
                   (test_headers[i].token
                        ? c.kind == CREDENTIAL_TOKEN && slice_is(c.token, test_headers[i].token)
                        : test_empty(&c)),
               "'%s' is %s, got %s", slice_printable(test_headers[i].header, 60, pool),
               verdict_word(test_headers[i].code), verdict_word(code));
    }
}

/* One header says one thing, and one thing is said by one base64 text. */
static void test_canonical(void)
{
    static const slice_t pair = SLICE("carol:correct horse");
    slice_t header = test_basic("Basic ", pair);
    char *bent = apr_pmemdup(pool, header.p, header.n);
    unsigned wrong = 0, allowed = 0;
    apr_size_t i;
    int c;

    for (i = strlen("Basic "); i < header.n; i++) {
        for (c = 0; c < 256; c++) {
            credential_t got;

            bent[i] = (char)c;
            if (test_read(&got, slice_make(bent, header.n)) != VERDICT_ALLOWED) {
                continue;
            }
            allowed++;
            if (!slice_equal(slice_make(bent, header.n),
                             test_basic("Basic ",
                                        slice_make(got.user.p, got.user.n + 1 + got.password.n)))) {
                wrong++;
            }
        }
        bent[i] = header.p[i];
    }
    tap_ok(allowed > 500 && !wrong, "%u headers with one byte bent are read, %u in two spellings",
           allowed, wrong);
}

static void test_bytes(void)
{
    static const slice_t pair = SLICE("__token__:pypi-\0abc");
    static const slice_t token = SLICE("pypi-\0abc");
    apr_size_t big = 200000;
    char *wide = apr_palloc(pool, big);
    credential_t c;

    tap_ok(test_read(&c, test_basic("Basic ", pair)) == VERDICT_ALLOWED &&
               slice_equal(c.token, token),
           "a NUL in a token is handed on, not an end");
    memset(wide, 'A', big);
    memcpy(wide, "alice:", 6);
    tap_ok(test_read(&c, test_basic("Basic ", slice_make(wide, big))) == VERDICT_ALLOWED &&
               c.password.n == big - 6,
           "a password of 200,000 bytes, and no bound of its own");
}

static void test_any_door(void)
{
    tap_ok(credential_is_token(slice_of("__token__"), slice_of("x")),
           "__token__ is a token's name");
    tap_ok(credential_is_token(slice_of(" __token__ "), slice_of("")), "with spaces, too");
    tap_ok(credential_is_token(slice_of("alice"), slice_of(" pypi-x")), "a token as password");
    tap_ok(credential_is_token(slice_of("pypi-x"), slice_of("")), "a token as name");
    tap_ok(!credential_is_token(slice_of("alice"), slice_of("pypi")), "a person");
    tap_ok(!credential_is_token(slice_of(NULL), slice_of(NULL)), "nobody");
}

static void test_base64(void)
{
    static const struct {
        const char *text;
        int standard, url; /* how many bytes, or -1 */
    } rows[] = {
        {"", 0, 0},        {"AA==", 1, 1},   {"AA", -1, 1},        {"AAA=", 2, 2},
        {"AAA", -1, 2},    {"AAAA", 3, 3},   {"A", -1, -1},        {"AA=", -1, -1},
        {"=", -1, -1},     {"====", -1, -1}, {"AB==", -1, -1},     {"AAB=", -1, -1},
        {"+/+/", 3, -1},   {"-_-_", -1, 3},  {"AA==AAAA", -1, -1}, {"AA AA", -1, -1},
        {"AAAA=", -1, -1},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        slice_t bytes = {NULL, 0};
        int standard = base64_decode(&bytes, slice_of(rows[i].text), BASE64_STANDARD, pool);
        int got = standard ? (int)bytes.n : -1;

        tap_ok(got == rows[i].standard, "standard '%s' is %d bytes, got %d", rows[i].text,
               rows[i].standard, got);
        got = base64_decode(&bytes, slice_of(rows[i].text), BASE64_URL, pool) ? (int)bytes.n : -1;
        tap_ok(got == rows[i].url, "url '%s' is %d bytes, got %d", rows[i].text, rows[i].url, got);
    }
}

int main(void)
{
    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    apr_pool_create(&pool, NULL);
    test_table();
    test_schemes();
    test_canonical();
    test_bytes();
    test_any_door();
    test_base64();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
