/* authn.c - credentials; see authn.h. */
#include "httpd/private.h"
#include "httpd/authn.h"
#include "httpd/config.h"

#include <apr_strings.h>
#include <mod_auth.h>
#include <string.h>

#include "core/credential.h"
#include "httpd/tls.h"

verdict_code_t authn_token(request_rec *r, slice_t *token)
{
    slice_t header = slice_of(apr_table_get(r->headers_in, "Authorization"));
    credential_t credential;
    verdict_code_t code;

    if (header.n && tls_clear(r)) {
        return VERDICT_TLS_REQUIRED;
    }
    code = credential_read(&credential, header, r->pool);
    if (code == VERDICT_ALLOWED && credential.kind == CREDENTIAL_PERSON) {
        return VERDICT_PASSWORD_REFUSED;
    }
    *token = credential.token;
    return code;
}

/* A token uploads; it never logs in. Everybody else is for the next provider. */
static authn_status authn_password(request_rec *r, const char *user, const char *password)
{
    if (credential_is_token(slice_of(user), slice_of(password))) {
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
