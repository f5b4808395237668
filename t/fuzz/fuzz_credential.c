/*
 * fuzz_credential.c - the Authorization header of a stranger.
 *
 * The input is read twice. As the header: what is read as a person is, written anew, that header,
 * so nobody has two spellings; two headers that httpd joined are nobody; what is refused leaves
 * nothing behind. As user:password, put into a header by an encoder of its own: it is cut at the
 * first colon and comes back byte for byte; a token is never a person, whichever half it is in.
 */
#include "core/credential.h"
#include "core/token.h"

#include "fuzz.h"

static const char fuzz_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static slice_t fuzz_basic(slice_t pair, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, pair.n / 3 * 4 + 10), *to = text + 6;
    apr_size_t i, k;

    memcpy(text, "Basic ", 6);
    for (i = 0; i < pair.n; i += 3) {
        unsigned bits = 0;

        for (k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < pair.n ? (unsigned char)pair.p[i + k] : 0u);
        }
        for (k = 0; k < 4; k++) {
            *to++ = i + k <= pair.n ? fuzz_digits[bits >> (18 - 6 * k) & 63] : '=';
        }
    }
    return slice_make(text, (apr_size_t)(to - text));
}

static int fuzz_has(slice_t s, char c)
{
    return s.n && memchr(s.p, c, s.n);
}

/* What holds of whatever was read. */
static void fuzz_read(credential_t *out, verdict_code_t code)
{
    static const credential_t none;

    if (code != VERDICT_ALLOWED) {
        FUZZ_HOLDS(code == VERDICT_NO_CREDENTIALS || code == VERDICT_CREDENTIALS_MALFORMED ||
                   code == VERDICT_USER_NOT_TOKEN);
        FUZZ_HOLDS(memcmp(out, &none, sizeof(none)) == 0);
    } else if (out->kind == CREDENTIAL_TOKEN) {
        FUZZ_HOLDS(!out->user.n && !out->password.n && slice_trim(out->token).n == out->token.n);
    } else {
        FUZZ_HOLDS(out->user.n && !out->token.n && !fuzz_has(out->user, ':'));
        FUZZ_HOLDS(!fuzz_has(out->user, 0) && !fuzz_has(out->password, 0) &&
                   !fuzz_has(out->user, '\n') && !fuzz_has(out->password, '\r'));
        FUZZ_HOLDS(!credential_is_token(out->user, out->password));
    }
}

/* Two fields of that name, as httpd hands them on. */
static void fuzz_joined(slice_t header, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, 2 * header.n + 2);
    const char *why;
    credential_t c;
    macaroon_t *m;
    verdict_code_t code;

    memcpy(text, header.p, header.n);
    memcpy(text + header.n, ", ", 2);
    memcpy(text + header.n + 2, header.p, header.n);
    code = credential_read(&c, slice_make(text, 2 * header.n + 2), pool);
    fuzz_read(&c, code);
    FUZZ_HOLDS(
        code != VERDICT_ALLOWED ||
        (c.kind == CREDENTIAL_TOKEN && token_parse(&m, c.token, &why, pool) != VERDICT_ALLOWED));
}

static void fuzz_header(slice_t header, apr_pool_t *pool)
{
    char *copy = fuzz_copy(header);
    credential_t c;
    verdict_code_t code = credential_read(&c, slice_make(copy, header.n), pool);
    slice_t again, tail;

    fuzz_read(&c, code);
    if (code == VERDICT_ALLOWED && c.kind == CREDENTIAL_PERSON) {
        again = fuzz_basic(slice_make(c.user.p, c.user.n + 1 + c.password.n), pool);
        again = slice_make(again.p + 6, again.n - 6);
        tail = slice_trim(header);
        FUZZ_HOLDS(tail.n > again.n &&
                   slice_equal(slice_make(tail.p + tail.n - again.n, again.n), again));
    }
    free(copy);
    FUZZ_HOLDS((code == VERDICT_NO_CREDENTIALS) == (header.n == 0));
    if (header.n) {
        fuzz_joined(header, pool);
    }
}

static void fuzz_pair(slice_t pair, apr_pool_t *pool)
{
    const char *colon = pair.n ? memchr(pair.p, ':', pair.n) : NULL;
    slice_t user = slice_make(pair.p, colon ? (apr_size_t)(colon - pair.p) : 0), password;
    credential_t c;
    verdict_code_t code = credential_read(&c, fuzz_basic(pair, pool), pool);

    fuzz_read(&c, code);
    if (!colon) {
        FUZZ_HOLDS(code == VERDICT_CREDENTIALS_MALFORMED);
        return;
    }
    password = slice_make(colon + 1, pair.n - user.n - 1);
    if (slice_is(slice_trim(user), "__token__")) {
        FUZZ_HOLDS(code == VERDICT_ALLOWED && c.kind == CREDENTIAL_TOKEN &&
                   slice_equal(c.token, slice_trim(password)));
    } else if (slice_starts(slice_trim(user), "pypi-") ||
               slice_starts(slice_trim(password), "pypi-")) {
        FUZZ_HOLDS(code == VERDICT_USER_NOT_TOKEN);
    } else if (code == VERDICT_ALLOWED) {
        FUZZ_HOLDS(c.kind == CREDENTIAL_PERSON && slice_equal(c.user, user) &&
                   slice_equal(c.password, password));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice_t s = slice_make((const char *)data, size);
    apr_pool_t *pool = fuzz_pool();

    fuzz_header(s, pool);
    fuzz_pair(s, pool);
    apr_pool_destroy(pool);
    return 0;
}
