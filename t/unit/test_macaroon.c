/* test_macaroon.c - the binary format against recorded macaroons, and against every bent one. */
#include "core/macaroon.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "wiped.h"

static slice_t from_hex(const char *hex, apr_pool_t *pool)
{
    size_t n = strlen(hex) / 2;
    unsigned char *p = apr_palloc(pool, n + 1);

    if (sodium_hex2bin(p, n, hex, 2 * n, NULL, &n, NULL) != 0) {
        n = 0;
    }
    return slice_make((const char *)p, n);
}

static const char *string_of(const json_t *vector, const char *key)
{
    return json_string_value(json_object_get(vector, key));
}

static int has_signature(const macaroon_t *m, const char *hex, apr_pool_t *pool)
{
    return m && hex &&
           slice_equal(slice_make((const char *)m->signature, sizeof(m->signature)),
                       from_hex(hex, pool));
}

/* The macaroon in a token text of any prefix: the prefix is token.c's affair. */
static slice_t raw_of(const json_t *vector, apr_pool_t *pool)
{
    const char *text = strchr(string_of(vector, "token"), '-') + 1;
    size_t n = strlen(text);
    unsigned char *p = apr_palloc(pool, n);

    if (sodium_base642bin(p, n, text, n, NULL, &n, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) {
        n = 0;
    }
    return slice_make((const char *)p, n);
}

/* ---- recorded macaroons ---- */

static void read_vector(const json_t *vector, slice_t raw, slice_t key, apr_pool_t *pool)
{
    const char *name = string_of(vector, "name"), *why = NULL;
    const json_t *caveats = json_object_get(vector, "caveats");
    macaroon_t *m;
    apr_size_t i;

    tap_ok(macaroon_parse(&m, raw, &why, pool) == VERDICT_ALLOWED && m && !why, "%s: read", name);
    if (!m) {
        return;
    }
    tap_ok(slice_is(m->location, string_of(vector, "location")), "%s: location", name);
    tap_ok(slice_is(m->identifier, string_of(vector, "identifier")), "%s: identifier", name);
    tap_ok(m->n_caveats == json_array_size(caveats), "%s: number of caveats", name);
    for (i = 0; i < m->n_caveats; i++) {
        tap_ok(slice_is(m->caveats[i], string_of(json_array_get(caveats, i), "text")),
               "%s: caveat %d", name, (int)i);
    }
    tap_ok(has_signature(m, string_of(vector, "final_sig_hex"), pool), "%s: signature", name);
    tap_ok(macaroon_verify(m, key), "%s: verifies", name);
    tap_ok(!macaroon_verify(m, slice_make(key.p, key.n - 1)), "%s: not by a cut key", name);
    tap_ok(!macaroon_verify(m, slice_of("another key")), "%s: not by another key", name);
    tap_ok(!macaroon_verify(m, slice_make("", 0)), "%s: not by no key", name);
    tap_ok(slice_equal(macaroon_serialize(m, pool), raw), "%s: written as it was read", name);
}

static void make_vector(const json_t *vector, slice_t raw, slice_t key, apr_pool_t *pool)
{
    const char *name = string_of(vector, "name");
    const json_t *caveats = json_object_get(vector, "caveats"), *step;
    macaroon_t *m = macaroon_create(slice_of(string_of(vector, "location")),
                                    slice_of(string_of(vector, "identifier")), key, pool);
    size_t i;

    if (string_of(vector, "sig0_hex")) {
        tap_ok(has_signature(m, string_of(vector, "sig0_hex"), pool), "%s: first signature", name);
    }
    json_array_foreach(caveats, i, step)
    {
        const char *after = string_of(step, "sig_after_hex"); /* not every vector has it */

        tap_ok(macaroon_append(m, slice_of(string_of(step, "text")), pool) == 0 &&
                   (!after || has_signature(m, after, pool)),
               "%s: signature after caveat %d", name, (int)i);
    }
    tap_ok(has_signature(m, string_of(vector, "final_sig_hex"), pool), "%s: made", name);
    tap_ok(slice_equal(macaroon_serialize(m, pool), raw), "%s: the same bytes", name);
}

static json_t *load_vectors(apr_pool_t *pool)
{
    const char *srcdir = getenv("srcdir");

    return json_load_file(apr_pstrcat(pool, srcdir ? srcdir : ".", "/t/data/macaroons.json", NULL),
                          0, NULL);
}

static void test_vectors(const json_t *vectors, apr_pool_t *pool)
{
    const json_t *vector;
    size_t i, v1 = 0;

    tap_ok(json_array_size(vectors) == 11, "11 vectors");
    json_array_foreach(vectors, i, vector)
    {
        slice_t raw = raw_of(vector, pool), key = from_hex(string_of(vector, "key_hex"), pool);
        const char *why = NULL;
        macaroon_t *m;

        if (strncmp(string_of(vector, "name"), "TV10 ", 5) == 0) {
            v1++;
            tap_ok(macaroon_parse(&m, raw, &why, pool) == VERDICT_TOKEN_VERSION && !m && why,
                   "version 1 is refused by name: %s", why ? why : "?");
            continue;
        }
        read_vector(vector, raw, key, pool);
        make_vector(vector, raw, key, pool);
    }
    tap_ok(v1 == 1, "version 1 was tried");
}

/* ---- bent ones ---- */

static int refused(slice_t raw, slice_t key, apr_pool_t *pool)
{
    macaroon_t *m;

    return macaroon_parse(&m, raw, NULL, pool) != VERDICT_ALLOWED || !macaroon_verify(m, key);
}

/* The location is all that the signature does not cover. */
static int only_location_differs(slice_t raw, const macaroon_t *good, apr_pool_t *pool)
{
    macaroon_t *m;
    apr_size_t i;
    int same;

    if (macaroon_parse(&m, raw, NULL, pool) != VERDICT_ALLOWED) {
        return 0;
    }
    same = slice_equal(m->identifier, good->identifier) && m->n_caveats == good->n_caveats &&
           memcmp(m->signature, good->signature, sizeof(m->signature)) == 0;
    for (i = 0; same && i < m->n_caveats; i++) {
        same = slice_equal(m->caveats[i], good->caveats[i]);
    }
    return same;
}

static void test_flips(const json_t *vector, apr_pool_t *parent)
{
    slice_t raw = raw_of(vector, parent), key = from_hex(string_of(vector, "key_hex"), parent);
    char *copy = apr_pmemdup(parent, raw.p, raw.n);
    slice_t bent = slice_make(copy, raw.n);
    macaroon_t *good;
    apr_size_t i, location, passed = 0, excused = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    (void)macaroon_parse(&good, raw, NULL, parent);
    location = 3 + good->location.n; /* where it ends */
    for (i = 0; i < 8 * raw.n; i++) {
        copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
        if (!refused(bent, key, pool)) {
            int in_location = i / 8 >= 3 && i / 8 < location;

            excused += in_location && only_location_differs(bent, good, pool);
            passed++;
        }
        copy[i / 8] = raw.p[i / 8];
        apr_pool_clear(pool);
    }
    tap_ok(passed == excused && passed <= 8 * good->location.n,
           "%s: of %d bit flips %d passed, all in the location's text", string_of(vector, "name"),
           (int)(8 * raw.n), (int)passed);
    for (i = passed = 0; i < raw.n; i++) {
        /* a copy of its own, so that a sanitizer sees a read past the cut */
        char *cut = i ? memcpy(malloc(i), raw.p, i) : NULL;

        passed += !refused(slice_make(cut, i), key, pool);
        free(cut);
    }
    tap_ok(passed == 0, "%s: every truncation is refused", string_of(vector, "name"));
    apr_pool_destroy(pool);
}

#define BYTES_32 "0123456789abcdef0123456789abcdef"
#define HEAD     "\2\1\3loc\2\2id\0"
#define CAVEAT   "\2\4text\0"
#define TAIL     "\0\6\40" BYTES_32
#define ROW(bytes, code, why)                                                                      \
    {                                                                                              \
        SLICE(bytes), VERDICT_##code, why                                                          \
    }

static const struct {
    slice_t raw;
    verdict_code_t code;
    const char *why;
} wire[] = {
    ROW(HEAD CAVEAT TAIL, ALLOWED, NULL),
    ROW(HEAD TAIL, ALLOWED, NULL),
    ROW("\2\2\2id\0" TAIL, ALLOWED, NULL), /* no location */
    ROW("\2\1\0\2\2id\0" TAIL, ALLOWED, NULL),
    ROW("\2\2\0\0" TAIL, ALLOWED, NULL), /* an empty identifier: the store knows none */
    ROW(HEAD "\2\0\0" TAIL, ALLOWED, NULL),
    ROW("", TOKEN_MALFORMED, "not a version 2 macaroon"),
    ROW("\1\1\3loc\2\2id\0" TAIL, TOKEN_MALFORMED, "not a version 2 macaroon"),
    ROW("\3\1\3loc\2\2id\0" TAIL, TOKEN_MALFORMED, "not a version 2 macaroon"),
    ROW("{\"v\":2,\"i\":\"id\"}", TOKEN_MALFORMED, "not a version 2 macaroon"),
    ROW("0016location loc\n", TOKEN_VERSION, "version 1 of the macaroon format"),
    ROW("00zz", TOKEN_MALFORMED, "not a version 2 macaroon"),
    ROW(HEAD TAIL "\0", TOKEN_MALFORMED, "bytes after the signature"),
    ROW(HEAD TAIL "\6\40" BYTES_32, TOKEN_MALFORMED, "bytes after the signature"),
    ROW("\2\2\2id\1\3loc\0" TAIL, TOKEN_MALFORMED, "unexpected field after the identifier"),
    ROW("\2\1\3loc\1\3loc\2\2id\0" TAIL, TOKEN_MALFORMED, "no identifier where it belongs"),
    ROW("\2\1\3loc\2\2id\2\2id\0" TAIL, TOKEN_MALFORMED, "unexpected field after the identifier"),
    ROW("\2\1\3loc\2\2id\4\1v\0" TAIL, TOKEN_MALFORMED, "unexpected field after the identifier"),
    ROW("\2\1\3loc\0" TAIL, TOKEN_MALFORMED, "no identifier where it belongs"),
    ROW("\2\1\3l\xff\x63\2\2id\0" TAIL, TOKEN_MALFORMED, "the location is not UTF-8"),
    ROW(HEAD "\2\4text\4\1v\0" TAIL, TOKEN_MALFORMED, "a caveat is for a third party"),
    ROW(HEAD "\1\3loc\2\4text\4\1v\0" TAIL, TOKEN_MALFORMED,
        "a caveat has a location: it is for a third party"),
    ROW(HEAD "\1\3loc\2\4text\0" TAIL, TOKEN_MALFORMED,
        "a caveat has a location: it is for a third party"),
    ROW(HEAD "\2\4text\2\4text\0" TAIL, TOKEN_MALFORMED, "unexpected field in a caveat"),
    ROW(HEAD "\2\4text\7\1x\0" TAIL, TOKEN_MALFORMED, "unexpected field in a caveat"),
    ROW(HEAD "\4\1v\0" TAIL, TOKEN_MALFORMED, "a caveat without a text"),
    ROW(HEAD "\202\0\4text\0" TAIL, TOKEN_MALFORMED, "a caveat without a text"),
    ROW(HEAD "\2\204\0text\0" TAIL, TOKEN_MALFORMED, "a number is not in its shortest form"),
    ROW(HEAD "\2\200\200\200\0" TAIL, TOKEN_MALFORMED, "a number is too large"),
    ROW(HEAD "\2\377\377\377\377\377\377\377\377\377\1" TAIL, TOKEN_MALFORMED,
        "a number is too large"),
    ROW(HEAD "\2\377\177" TAIL, TOKEN_MALFORMED, "a field is longer than the macaroon"),
    ROW(HEAD "\0\6\40"
             "0123456789abcdef0123456789abcde",
        TOKEN_MALFORMED, "a field is longer than the macaroon"),
    ROW(HEAD "\2\4text", TOKEN_MALFORMED, "unexpected field in a caveat"),
    ROW(HEAD "\2\204", TOKEN_MALFORMED, "cut off in a number"),
    ROW(HEAD CAVEAT, TOKEN_MALFORMED, "a caveat without a text"),
    ROW(HEAD CAVEAT "\6\40" BYTES_32, TOKEN_MALFORMED, "a caveat without a text"),
    ROW(HEAD "\0", TOKEN_MALFORMED, "no signature where it belongs"),
    ROW(HEAD "\0\5\40" BYTES_32, TOKEN_MALFORMED, "no signature where it belongs"),
    ROW(HEAD "\0\6\0", TOKEN_MALFORMED, "the signature is not 32 bytes long"),
    ROW(HEAD "\0\6\37"
             "0123456789abcdef0123456789abcde",
        TOKEN_MALFORMED, "the signature is not 32 bytes long"),
    ROW(HEAD "\0\6\41" BYTES_32 "x", TOKEN_MALFORMED, "the signature is not 32 bytes long"),
};

static void test_wire(apr_pool_t *pool)
{
    size_t i;

    for (i = 0; i < sizeof(wire) / sizeof(wire[0]); i++) {
        const char *why = NULL;
        macaroon_t *m;
        verdict_code_t code = macaroon_parse(&m, wire[i].raw, &why, pool);
        int same_why = wire[i].why ? why && strcmp(why, wire[i].why) == 0 : !why;

        tap_ok(code == wire[i].code && same_why && !m == (code != VERDICT_ALLOWED), "wire %d: %s",
               (int)i, why ? why : "read");
    }
}

/* ---- bounds ---- */

static void test_bounds(apr_pool_t *pool)
{
    slice_t key = slice_of("key"), id = slice_of("id"), loc = slice_of("loc");
    char *big = apr_pcalloc(pool, MACAROON_MAX_BYTES + 2);
    macaroon_t *m = macaroon_create(loc, id, key, pool), *again;
    unsigned char before[MACAROON_SIGNATURE_BYTES];
    apr_size_t room = MACAROON_MAX_BYTES - macaroon_serialize(m, pool).n - 5;
    slice_t raw;
    int i, rc = 0;

    memcpy(before, m->signature, sizeof(before));
    tap_ok(macaroon_append(m, slice_make(big, room + 1), pool) == -1 && m->n_caveats == 0 &&
               memcmp(before, m->signature, sizeof(before)) == 0,
           "a caveat one byte too long changes nothing");
    tap_ok(macaroon_append(m, slice_make(big, ~(apr_size_t)0), pool) == -1, "no wrap");
    tap_ok(macaroon_append(m, slice_make(big, room), pool) == 0, "one that just fits");
    raw = macaroon_serialize(m, pool);
    tap_ok(raw.n == MACAROON_MAX_BYTES &&
               macaroon_parse(&again, raw, NULL, pool) == VERDICT_ALLOWED &&
               macaroon_verify(again, key),
           "the largest macaroon can be read");
    tap_ok(macaroon_parse(&again, slice_make(big, MACAROON_MAX_BYTES + 1), NULL, pool) ==
               VERDICT_TOKEN_TOO_LONG,
           "a larger one is too long");
    m = macaroon_create(loc, id, key, pool);
    for (i = 0; i < MACAROON_MAX_CAVEATS; i++) {
        rc |= macaroon_append(m, slice_of("c"), pool);
    }
    tap_ok(rc == 0 && macaroon_append(m, slice_of("c"), pool) == -1, "as many caveats as allowed");
    raw = macaroon_serialize(m, pool);
    tap_ok(macaroon_parse(&again, raw, NULL, pool) == VERDICT_ALLOWED &&
               macaroon_verify(again, key),
           "and they can be read");
    big = apr_palloc(pool, raw.n + 4);
    memcpy(big, raw.p, raw.n - 35);
    memcpy(big + raw.n - 35, "\2\1c", 4);
    memcpy(big + raw.n - 31, raw.p + raw.n - 35, 35);
    tap_ok(macaroon_parse(&again, slice_make(big, raw.n + 4), NULL, pool) ==
                   VERDICT_TOKEN_TOO_LONG &&
               !again,
           "one more is too long");
    big = memset(apr_palloc(pool, 256), 'x', 256);
    tap_ok(macaroon_create(slice_make(big, 255), slice_make(big, 255), key, pool) != NULL,
           "longest location and identifier");
    tap_ok(!macaroon_create(slice_make(big, 256), id, key, pool) &&
               !macaroon_create(loc, slice_make(big, 256), key, pool),
           "longer ones are refused");
    tap_ok(!macaroon_create(loc, id, slice_make("", 0), pool), "no macaroon without a key");
    tap_ok(!macaroon_create(slice_of("\xc0\x80"), id, key, pool), "a location that is not UTF-8");
}

/* A text that begins HEAD with a 256 byte location or identifier. */
static void test_long_names(apr_pool_t *pool)
{
    static const char *const heads[] = {"\2\1\200\2", "\2\2\200\2"};
    static const slice_t tail = SLICE("\2\2id\0" TAIL), tail2 = SLICE("\0" TAIL);
    int i;

    for (i = 0; i < 2; i++) {
        slice_t end = i ? tail2 : tail;
        char *raw = apr_pcalloc(pool, 4 + 256 + end.n);
        macaroon_t *m;

        memcpy(raw, heads[i], 4);
        memcpy(raw + 4 + 256, end.p, end.n);
        tap_ok(macaroon_parse(&m, slice_make(raw, 4 + 256 + end.n), NULL, pool) ==
                   VERDICT_TOKEN_TOO_LONG,
               "a name of 256 bytes is too long");
    }
}

static void test_wiping(apr_pool_t *parent)
{
    static const char nothing[MACAROON_SIGNATURE_BYTES] = "";
    wiped_t signature, bytes;
    apr_pool_t *pool;
    macaroon_t *m;
    slice_t raw;

    apr_pool_create(&pool, parent);
    wiped_watch(&signature, pool);
    wiped_watch(&bytes, pool);
    m = macaroon_create(slice_of(""), slice_of("id"), slice_of("key"), pool);
    raw = macaroon_serialize(m, pool);
    tap_ok(memcmp(m->signature, nothing, sizeof(nothing)) != 0, "there is a signature");
    signature.p = (const char *)m->signature;
    bytes.p = raw.p;
    signature.n = sizeof(m->signature);
    bytes.n = raw.n;
    apr_pool_destroy(pool);
    tap_ok(signature.zero == 1, "it goes with the pool");
    tap_ok(bytes.zero == 1, "and so do the bytes");
}

int main(void)
{
    apr_pool_t *pool;
    json_t *vectors;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    vectors = load_vectors(pool);
    test_vectors(vectors, pool);
    test_flips(json_array_get(vectors, 0), pool);
    test_flips(json_array_get(vectors, 6), pool); /* no location: every flip counts */
    test_flips(json_array_get(vectors, 8), pool);
    test_wire(pool);
    test_bounds(pool);
    test_long_names(pool);
    test_wiping(pool);
    json_decref(vectors);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
