/* authn.c - credentials; see authn.h. */
#include "httpd/private.h"
#include "httpd/authn.h"
#include "httpd/config.h"

#include <apr_strings.h>
#include <mod_auth.h>
#include <string.h>

#include "core/token.h"
#include "httpd/chain.h"
#include "httpd/denial.h"
#include "httpd/entry.h"
#include "httpd/limits.h"
#include "httpd/tls.h"

verdict_code_t authn_read(request_rec *r, credential_t *out)
{
    slice_t header = slice_of(apr_table_get(r->headers_in, "Authorization"));

    memset(out, 0, sizeof(*out));
    if (header.n && tls_clear(r)) {
        return VERDICT_TLS_REQUIRED;
    }
    return credential_read(out, header, r->pool);
}

/* ---- the provider ---- */

static int authn_basic(request_rec *r)
{
    const char *type = ap_auth_type(r);

    return type && strcasecmp(type, "Basic") == 0;
}

/* What mod_auth_basic hands over must be what credential_read finds: it cuts at a NUL and reads
 * base64 in many spellings. (authn_early has refused that already where it could.) */
static int authn_whole(request_rec *r, const char *user, const char *password)
{
    slice_t header = slice_of(apr_table_get(r->headers_in, "Authorization"));
    credential_t c;

    if (!authn_basic(r) || r->proxyreq == PROXYREQ_PROXY || !header.n) {
        return 1;
    }
    return credential_read(&c, header, r->pool) == VERDICT_ALLOWED &&
           (c.kind == CREDENTIAL_TOKEN ||
            (slice_is(c.user, user) && slice_is(c.password, password)));
}

/* Anything but a plain failure has an answer of its own, with its own status: mod_auth_basic knows
 * 401 alone. */
static authn_status authn_refused(request_rec *r, const char *user, const login_t *login,
                                  verdict_t *v)
{
    apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(v->code));
    if (token_looks_like(slice_of(user))) {
        /* whoever asked would log the name, with any other answer; this one is 500 */
        r->user = NULL;
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                      "pypitoken: refused, an API token was sent as a user name");
        return AUTH_GENERAL_ERROR;
    }
    if (v->code != VERDICT_LOGIN_FAILED) {
        limits_answer(r, v);
        return AUTH_DENIED;
    }
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "pypitoken: refused, %s",
                  verdict_logline(v, r->pool));
    return login->unknown ? AUTH_USER_NOT_FOUND : AUTH_DENIED;
}

/* A server without a store knows nobody: what is left is that no token goes further. */
static int authn_storeless(request_rec *r, const char *user, const char *password)
{
    return !config_server(r->server)->store &&
           config_factor(config_dir(r)) != LOGIN_FACTOR_REQUIRED &&
           !credential_is_token(slice_of(user), slice_of(password));
}

static authn_status authn_password(request_rec *r, const char *user, const char *password)
{
    entry_t entry = {0};
    login_t login;
    verdict_t v = {0};

    if (authn_storeless(r, user, password)) {
        return AUTH_USER_NOT_FOUND;
    }
    if (!authn_whole(r, user, password)) {
        verdict_set(&v, VERDICT_CREDENTIALS_MALFORMED, slice_of(NULL), r->pool);
        limits_answer(r, &v);
        return AUTH_DENIED;
    }
    entry.user = slice_of(user);
    entry.password = slice_of(password);
    entry.door = authn_basic(r) ? "basic" : "form";
    if (entry_check(r, &entry, &login, &v) != VERDICT_ALLOWED) {
        return authn_refused(r, user, &login, &v);
    }
    r->user = apr_pstrdup(r->pool, login.user_name);
    return AUTH_GRANTED;
}

static const authn_provider authn_provider_pypitoken = {authn_password, NULL};

/* ---- before anybody else ---- */

/* Tokens, clear text and what cannot be read are refused before mod_auth_basic sees them: it would
 * log the name, which may be a token that was put into the wrong field. */
static int authn_early(request_rec *r)
{
    slice_t header = slice_of(apr_table_get(r->headers_in, "Authorization"));
    entry_t entry = {0};
    credential_t c;
    login_t login;
    verdict_t v;
    verdict_code_t code;

    if (config_dir(r)->guard == 1 || !header.n || r->proxyreq == PROXYREQ_PROXY ||
        !authn_basic(r) || !chain_has_us(r)) {
        return DECLINED;
    }
    entry.door = "basic";
    code = authn_read(r, &c);
    verdict_set(&v, code, slice_of(NULL), r->pool);
    if (code == VERDICT_TLS_REQUIRED || code == VERDICT_USER_NOT_TOKEN ||
        (code == VERDICT_ALLOWED && c.kind == CREDENTIAL_TOKEN)) {
        entry.user = slice_of(CREDENTIAL_TOKEN_USER); /* as what it is written down */
        (void)entry_check(r, &entry, &login, &v);
        return denial_send(r, &v);
    }
    if (code == VERDICT_CREDENTIALS_MALFORMED && strncasecmp(header.p, "Basic ", 6) == 0) {
        return denial_send(r, &v);
    }
    return DECLINED;
}

/* ---- the seatbelt ---- */

/* PyPITokenSecondFactor stands in this section, and yet other providers alone let somebody in. */
static int authn_seatbelt(request_rec *r)
{
    const config_dir_t *c = config_dir(r);
    verdict_t v;

    if (!r->user || !c->factor_here || c->guard == 1 || config_factor(c) == LOGIN_FACTOR_OFF ||
        !authn_basic(r) || chain_has_us(r)) {
        return DECLINED;
    }
    verdict_set(&v, VERDICT_INTERNAL, slice_of(NULL), r->pool);
    v.log =
        "PyPITokenSecondFactor is set here, but AuthBasicProvider does not begin with pypitoken: "
        "nobody asks for the code. Put pypitoken first.";
    return denial_send(r, &v);
}

void authn_register(apr_pool_t *p)
{
    ap_register_auth_provider(p, AUTHN_PROVIDER_GROUP, AUTHN_PROVIDER_NAME, AUTHN_PROVIDER_VERSION,
                              &authn_provider_pypitoken, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(authn_early, NULL, NULL, APR_HOOK_REALLY_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(authn_seatbelt, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
}
