/* authn.c - credentials; see authn.h. Sources: RFC 7617, warehouse's behaviour for details. */
#include "httpd/private.h"
#include "httpd/authn.h"
#include "httpd/config.h"

#include <apr_optional.h>
#include <apr_strings.h>
#include <mod_auth.h>
#include <sodium.h>
#include <string.h>

#include "core/token.h"

/* mod_ssl's, or that of whatever else speaks TLS here. */
APR_DECLARE_OPTIONAL_FN(int, ssl_is_https, (conn_rec *));

static int authn_loopback(const apr_sockaddr_t *a)
{
    const unsigned char *p = a->ipaddr_ptr;

    if (a->family == APR_INET) {
        return p[0] == 127;
    }
#if APR_HAVE_IPV6
    if (a->family == APR_INET6) {
        static const unsigned char v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        static const unsigned char v4[13] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};

        return memcmp(p, v6, sizeof(v6)) == 0 || memcmp(p, v4, sizeof(v4)) == 0;
    }
#endif
    return 0;
}

static int authn_clear(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ssl_is_https) *is_https = APR_RETRIEVE_OPTIONAL_FN(ssl_is_https);

    if (config_dir(r)->require_tls == 0 || (is_https && is_https(r->connection))) {
        return 0;
    }
    return !authn_loopback(r->connection->client_addr);
}

/* libsodium 1.0.18 takes bytes above 0x7f for a character of the alphabet; nobody else does. */
static int authn_ascii(slice_t text)
{
    apr_size_t i;

    for (i = 0; i < text.n && (unsigned char)text.p[i] < 0x80; i++) {
    }
    return i == text.n;
}

/* The decoded user:password; n 0 when it is not base64. */
static slice_t authn_decode(request_rec *r, slice_t text)
{
    char *pair = macaroon_secret(text.n + 1, r->pool);
    const char *end = NULL;
    size_t n = 0;

    if (!authn_ascii(text) ||
        sodium_base642bin((unsigned char *)pair, text.n + 1, text.p, text.n, NULL, &n, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != text.p + text.n) {
        n = 0;
    }
    return slice_make(pair, n);
}

static verdict_code_t authn_basic(request_rec *r, slice_t text, slice_t *token)
{
    slice_t pair = authn_decode(r, slice_trim(text)), user, password;
    const char *colon = pair.n ? memchr(pair.p, ':', pair.n) : NULL;

    if (!colon) {
        return VERDICT_CREDENTIALS_MALFORMED;
    }
    user = slice_make(pair.p, (apr_size_t)(colon - pair.p));
    password = slice_make(colon + 1, pair.n - user.n - 1);
    if (!slice_is(slice_trim(user), AUTHN_TOKEN_USER)) {
        return token_looks_like(password) ? VERDICT_USER_NOT_TOKEN : VERDICT_PASSWORD_REFUSED;
    }
    *token = password;
    return VERDICT_ALLOWED;
}

verdict_code_t authn_token(request_rec *r, slice_t *token)
{
    slice_t header = slice_of(apr_table_get(r->headers_in, "Authorization")), scheme, rest;
    const char *space;

    if (!header.n) {
        return VERDICT_NO_CREDENTIALS;
    }
    if (authn_clear(r)) {
        return VERDICT_TLS_REQUIRED;
    }
    space = memchr(header.p, ' ', header.n);
    if (!space) {
        return VERDICT_CREDENTIALS_MALFORMED;
    }
    scheme = slice_make(header.p, (apr_size_t)(space - header.p));
    rest = slice_make(space + 1, header.n - scheme.n - 1);
    if (slice_is_nocase(scheme, "Basic")) {
        return authn_basic(r, rest, token);
    }
    if (slice_is_nocase(scheme, "Bearer") || slice_is_nocase(scheme, "token")) {
        *token = rest;
        return VERDICT_ALLOWED;
    }
    return VERDICT_CREDENTIALS_MALFORMED;
}

/* A token uploads; it never logs in. Everybody else is for the next provider. */
static authn_status authn_password(request_rec *r, const char *user, const char *password)
{
    if (strcmp(user, AUTHN_TOKEN_USER) == 0 || token_looks_like(slice_of(password))) {
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                      "pypitoken: refused, %s: an API token was "
                      "sent to a location that is not guarded",
                      verdict_word(VERDICT_TOKEN_UPLOADS_ONLY));
        apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT",
                       verdict_word(VERDICT_TOKEN_UPLOADS_ONLY));
        return AUTH_DENIED;
    }
    return AUTH_USER_NOT_FOUND;
}

static const authn_provider authn_provider_pypitoken = {authn_password, NULL};

void authn_register(apr_pool_t *p)
{
    ap_register_auth_provider(p, AUTHN_PROVIDER_GROUP, "pypitoken", AUTHN_PROVIDER_VERSION,
                              &authn_provider_pypitoken, AP_AUTH_INTERNAL_PER_CONF);
}
