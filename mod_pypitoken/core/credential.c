/* credential.c - who says who they are; see credential.h for the contract. */
#include "core/credential.h"

#include <string.h>

#include "core/base64.h"
#include "core/token.h"

static int credential_has_control(slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f) {
            return 1;
        }
    }
    return 0;
}

static int credential_is_token_user(slice_t user)
{
    return slice_is(slice_trim(user), CREDENTIAL_TOKEN_USER);
}

int credential_is_token(slice_t user, slice_t password)
{
    return credential_is_token_user(user) || token_looks_like(user) || token_looks_like(password);
}

/* user:password. White space around a token comes from copying it and is forgiven; a person's
 * password is taken as it is. */
static verdict_code_t credential_pair(credential_t *out, slice_t pair)
{
    const char *colon = pair.n ? memchr(pair.p, ':', pair.n) : NULL;
    slice_t user, password;

    if (!colon) {
        return VERDICT_CREDENTIALS_MALFORMED;
    }
    user = slice_make(pair.p, (apr_size_t)(colon - pair.p));
    password = slice_make(colon + 1, pair.n - user.n - 1);
    if (credential_is_token_user(user)) {
        out->kind = CREDENTIAL_TOKEN;
        out->token = slice_trim(password);
        return VERDICT_ALLOWED;
    }
    if (credential_is_token(user, password)) {
        return VERDICT_USER_NOT_TOKEN;
    }
    if (user.n == 0 || credential_has_control(pair)) {
        return VERDICT_CREDENTIALS_MALFORMED;
    }
    out->kind = CREDENTIAL_PERSON;
    out->user = user;
    out->password = password;
    return VERDICT_ALLOWED;
}

verdict_code_t credential_read(credential_t *out, slice_t header, apr_pool_t *pool)
{
    const char *space;
    slice_t scheme, rest, pair;

    memset(out, 0, sizeof(*out));
    if (!header.n) {
        return VERDICT_NO_CREDENTIALS;
    }
    space = memchr(header.p, ' ', header.n);
    if (!space) {
        return VERDICT_CREDENTIALS_MALFORMED;
    }
    scheme = slice_make(header.p, (apr_size_t)(space - header.p));
    rest = slice_trim(slice_make(space + 1, header.n - scheme.n - 1));
    if (slice_is_nocase(scheme, "Basic")) {
        return base64_decode(&pair, rest, BASE64_STANDARD, pool) ? credential_pair(out, pair)
                                                                 : VERDICT_CREDENTIALS_MALFORMED;
    }
    if (slice_is_nocase(scheme, "Bearer") || slice_is_nocase(scheme, "token")) {
        out->kind = CREDENTIAL_TOKEN;
        out->token = rest;
        return VERDICT_ALLOWED;
    }
    return VERDICT_CREDENTIALS_MALFORMED;
}
