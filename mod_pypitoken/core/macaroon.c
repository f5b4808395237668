/* macaroon.c - the v2 binary format and its HMAC chain; see macaroon.h for the contract. */
#include "core/macaroon.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/digest.h"
#include "core/utf8.h"

_Static_assert(MACAROON_SIGNATURE_BYTES == DIGEST_BYTES, "a signature is an HMAC-SHA-256");

enum {
    MACAROON_EOS = 0,
    MACAROON_LOCATION = 1,
    MACAROON_IDENTIFIER = 2,
    MACAROON_VID = 4, /* marks a third-party caveat */
    MACAROON_SIGNATURE = 6
};

#define MACAROON_V2 2

/* The label that the format's authors put in front of every root key. */
static const slice_t macaroon_label = SLICE("macaroons-key-generator");

/* What is left to be read. The first fault stays: code and why are set once. */
typedef struct macaroon_reader_t {
    slice_t rest;
    verdict_code_t code;
    const char *why;
} macaroon_reader_t;

typedef struct macaroon_secret_t {
    char *p;
    apr_size_t n;
} macaroon_secret_t;

static apr_status_t macaroon_wipe(void *baton)
{
    macaroon_secret_t *secret = baton;

    sodium_memzero(secret->p, secret->n);
    return APR_SUCCESS;
}

char *macaroon_secret(apr_size_t n, apr_pool_t *pool)
{
    macaroon_secret_t *secret = apr_palloc(pool, sizeof(*secret));

    secret->p = apr_pcalloc(pool, n ? n : 1);
    secret->n = n;
    apr_pool_cleanup_register(pool, secret, macaroon_wipe, apr_pool_cleanup_null);
    return secret->p;
}

static macaroon_t *macaroon_new(apr_pool_t *pool)
{
    /* a pool's memory is aligned for every type */
    return (macaroon_t *)(void *)macaroon_secret(sizeof(macaroon_t), pool);
}

/* ---- reading ---- */

/* Returns 0 so that a reading step can end with it. */
static int macaroon_fault(macaroon_reader_t *r, verdict_code_t code, const char *why)
{
    r->code = code;
    r->why = why;
    return 0;
}

static int macaroon_bad(macaroon_reader_t *r, const char *why)
{
    return macaroon_fault(r, VERDICT_TOKEN_MALFORMED, why);
}

/* LEB128. Nothing here may be larger than MACAROON_MAX_BYTES, so three bytes always do; the
 * minimal spelling is asked for so that one macaroon has one binary form. */
static int macaroon_varint(macaroon_reader_t *r, apr_size_t *out)
{
    apr_size_t value = 0;
    unsigned i;

    for (i = 0; i < 3; i++) {
        unsigned char c;

        if (r->rest.n == 0) {
            return macaroon_bad(r, "cut off in a number");
        }
        c = (unsigned char)r->rest.p[0];
        r->rest.p++;
        r->rest.n--;
        value |= (apr_size_t)(c & 0x7f) << (7 * i);
        if (!(c & 0x80)) {
            if (i > 0 && c == 0) {
                return macaroon_bad(r, "a number is not in its shortest form");
            }
            *out = value;
            return 1;
        }
    }
    return macaroon_bad(r, "a number is too large");
}

/* The type of the next field, which is left in place. Types are one byte; whatever needs more is
 * unknown, and told apart from all known ones. */
static int macaroon_peek(const macaroon_reader_t *r)
{
    return r->rest.n ? (unsigned char)r->rest.p[0] : -1;
}

static int macaroon_eos(macaroon_reader_t *r, const char *why)
{
    if (macaroon_peek(r) != MACAROON_EOS) {
        return macaroon_bad(r, why);
    }
    r->rest.p++;
    r->rest.n--;
    return 1;
}

static int macaroon_field(macaroon_reader_t *r, int type, slice_t *out, const char *why)
{
    apr_size_t n;

    if (macaroon_peek(r) != type) {
        return macaroon_bad(r, why);
    }
    r->rest.p++;
    r->rest.n--;
    if (!macaroon_varint(r, &n)) {
        return 0;
    }
    if (n > r->rest.n) {
        return macaroon_bad(r, "a field is longer than the macaroon");
    }
    *out = slice_make(r->rest.p, n);
    r->rest.p += n;
    r->rest.n -= n;
    return 1;
}

static int macaroon_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A v1 macaroon begins with the length of its first packet, four hexadecimal digits. */
static int macaroon_is_v1(slice_t raw)
{
    return raw.n >= 4 && macaroon_is_hex(raw.p[0]) && macaroon_is_hex(raw.p[1]) &&
           macaroon_is_hex(raw.p[2]) && macaroon_is_hex(raw.p[3]);
}

static int macaroon_read_header(macaroon_reader_t *r, macaroon_t *m)
{
    if (macaroon_is_v1(r->rest)) {
        return macaroon_fault(r, VERDICT_TOKEN_VERSION, "version 1 of the macaroon format");
    }
    if (macaroon_peek(r) != MACAROON_V2) {
        return macaroon_bad(r, "not a version 2 macaroon");
    }
    r->rest.p++;
    r->rest.n--;
    if (macaroon_peek(r) == MACAROON_LOCATION &&
        !macaroon_field(r, MACAROON_LOCATION, &m->location, "")) {
        return 0;
    }
    if (!macaroon_field(r, MACAROON_IDENTIFIER, &m->identifier, "no identifier where it belongs") ||
        !macaroon_eos(r, "unexpected field after the identifier")) {
        return 0;
    }
    if (m->location.n > MACAROON_MAX_LOCATION || m->identifier.n > MACAROON_MAX_IDENTIFIER) {
        return macaroon_fault(r, VERDICT_TOKEN_TOO_LONG, "location or identifier too long");
    }
    return utf8_valid(m->location) || macaroon_bad(r, "the location is not UTF-8");
}

static int macaroon_read_caveats(macaroon_reader_t *r, macaroon_t *m)
{
    while (macaroon_peek(r) != MACAROON_EOS) {
        slice_t caveat;

        if (m->n_caveats == MACAROON_MAX_CAVEATS) {
            return macaroon_fault(r, VERDICT_TOKEN_TOO_LONG, "too many caveats");
        }
        if (macaroon_peek(r) == MACAROON_LOCATION) {
            return macaroon_bad(r, "a caveat has a location: it is for a third party");
        }
        if (!macaroon_field(r, MACAROON_IDENTIFIER, &caveat, "a caveat without a text")) {
            return 0;
        }
        if (macaroon_peek(r) == MACAROON_VID) {
            return macaroon_bad(r, "a caveat is for a third party");
        }
        if (!macaroon_eos(r, "unexpected field in a caveat")) {
            return 0;
        }
        m->caveats[m->n_caveats++] = caveat;
    }
    return macaroon_eos(r, "no end of the caveats");
}

static int macaroon_read_signature(macaroon_reader_t *r, macaroon_t *m)
{
    slice_t signature;

    if (!macaroon_field(r, MACAROON_SIGNATURE, &signature, "no signature where it belongs")) {
        return 0;
    }
    if (signature.n != sizeof(m->signature)) {
        return macaroon_bad(r, "the signature is not 32 bytes long");
    }
    if (r->rest.n != 0) {
        return macaroon_bad(r, "bytes after the signature");
    }
    memcpy(m->signature, signature.p, sizeof(m->signature));
    return 1;
}

verdict_code_t macaroon_parse(macaroon_t **out, slice_t raw, const char **why, apr_pool_t *pool)
{
    macaroon_reader_t r = {raw, VERDICT_ALLOWED, NULL};
    macaroon_t *m = NULL;

    if (raw.n > MACAROON_MAX_BYTES) {
        (void)macaroon_fault(&r, VERDICT_TOKEN_TOO_LONG, "the macaroon is too long");
    } else {
        m = macaroon_new(pool);
        if (!macaroon_read_header(&r, m) || !macaroon_read_caveats(&r, m) ||
            !macaroon_read_signature(&r, m)) {
            m = NULL;
        }
    }
    if (why) {
        *why = r.why;
    }
    *out = m;
    return r.code;
}

/* ---- the chain ---- */

/* signature = HMAC(signature, message). */
static void macaroon_step(digest_t *d, unsigned char signature[MACAROON_SIGNATURE_BYTES],
                          slice_t message)
{
    digest_hmac(d, slice_make((const char *)signature, MACAROON_SIGNATURE_BYTES), message,
                signature);
}

static void macaroon_first(digest_t *d, unsigned char signature[MACAROON_SIGNATURE_BYTES],
                           slice_t key, slice_t identifier)
{
    digest_hmac(d, macaroon_label, key, signature);
    macaroon_step(d, signature, identifier);
}

/* The signature behind the first n caveats. */
static void macaroon_chain(const macaroon_t *m, slice_t key, apr_size_t n,
                           unsigned char signature[MACAROON_SIGNATURE_BYTES])
{
    digest_t d;
    apr_size_t i;

    digest_open(&d);
    macaroon_first(&d, signature, key, m->identifier);
    for (i = 0; i < n; i++) {
        macaroon_step(&d, signature, m->caveats[i]);
    }
    digest_close(&d);
}

void macaroon_running(const macaroon_t *m, slice_t key, apr_size_t i,
                      unsigned char out[MACAROON_SIGNATURE_BYTES])
{
    macaroon_chain(m, key, i + 1, out);
}

int macaroon_verify(const macaroon_t *m, slice_t key)
{
    unsigned char signature[MACAROON_SIGNATURE_BYTES];
    int same;

    if (key.n == 0) {
        return 0;
    }
    macaroon_chain(m, key, m->n_caveats, signature);
    same = sodium_memcmp(signature, m->signature, sizeof(signature)) == 0;
    sodium_memzero(signature, sizeof(signature));
    return same;
}

/* ---- making and writing ---- */

static slice_t macaroon_copy(slice_t s, apr_pool_t *pool)
{
    return slice_make(s.n ? apr_pmemdup(pool, s.p, s.n) : "", s.n);
}

static apr_size_t macaroon_varint_size(apr_size_t n)
{
    apr_size_t size = 1;

    while (n >>= 7) {
        size++;
    }
    return size;
}

static apr_size_t macaroon_field_size(apr_size_t n)
{
    return 1 + macaroon_varint_size(n) + n;
}

static apr_size_t macaroon_size(const macaroon_t *m)
{
    /* version, end of header, end of caveats */
    apr_size_t n =
        3 + macaroon_field_size(m->identifier.n) + macaroon_field_size(MACAROON_SIGNATURE_BYTES);
    apr_size_t i;

    if (m->location.p) {
        n += macaroon_field_size(m->location.n);
    }
    for (i = 0; i < m->n_caveats; i++) {
        n += macaroon_field_size(m->caveats[i].n) + 1;
    }
    return n;
}

macaroon_t *macaroon_create(slice_t location, slice_t identifier, slice_t key, apr_pool_t *pool)
{
    macaroon_t *m;

    if (location.n > MACAROON_MAX_LOCATION || identifier.n > MACAROON_MAX_IDENTIFIER ||
        key.n == 0 || !utf8_valid(location)) {
        return NULL;
    }
    m = macaroon_new(pool);
    m->location = macaroon_copy(location, pool);
    m->identifier = macaroon_copy(identifier, pool);
    macaroon_chain(m, key, 0, m->signature);
    return m;
}

int macaroon_append(macaroon_t *m, slice_t caveat, apr_pool_t *pool)
{
    digest_t d;

    /* the length first: then the sum cannot wrap */
    if (m->n_caveats == MACAROON_MAX_CAVEATS || caveat.n > MACAROON_MAX_BYTES ||
        macaroon_size(m) + macaroon_field_size(caveat.n) + 1 > MACAROON_MAX_BYTES) {
        return -1;
    }
    caveat = macaroon_copy(caveat, pool);
    m->caveats[m->n_caveats++] = caveat;
    digest_open(&d);
    macaroon_step(&d, m->signature, caveat);
    digest_close(&d);
    return 0;
}

static char *macaroon_put(char *to, int type, slice_t s)
{
    apr_size_t n = s.n;

    *to++ = (char)type;
    for (; n >= 0x80; n >>= 7) {
        *to++ = (char)(n | 0x80);
    }
    *to++ = (char)n;
    if (s.n) {
        memcpy(to, s.p, s.n);
    }
    return to + s.n;
}

slice_t macaroon_serialize(const macaroon_t *m, apr_pool_t *pool)
{
    apr_size_t n = macaroon_size(m), i;
    char *raw = macaroon_secret(n, pool);
    char *to = raw;

    *to++ = MACAROON_V2;
    if (m->location.p) {
        to = macaroon_put(to, MACAROON_LOCATION, m->location);
    }
    to = macaroon_put(to, MACAROON_IDENTIFIER, m->identifier);
    *to++ = MACAROON_EOS;
    for (i = 0; i < m->n_caveats; i++) {
        to = macaroon_put(to, MACAROON_IDENTIFIER, m->caveats[i]);
        *to++ = MACAROON_EOS;
    }
    *to++ = MACAROON_EOS;
    (void)macaroon_put(to, MACAROON_SIGNATURE,
                       slice_make((const char *)m->signature, sizeof(m->signature)));
    return slice_make(raw, n);
}
