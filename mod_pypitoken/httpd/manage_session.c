/* manage_session.c - cookies and Basic; see manage_session.h and manage.h. */
#include "httpd/private.h"
#include "httpd/manage_session.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/credential.h"
#include "core/person.h"
#include "httpd/chain.h"
#include "httpd/config.h"
#include "httpd/limits.h"
#include "httpd/tls.h"
#include "store/keyring.h"

#define MANAGE_KEY_SEAL "pypitoken cookies"
#define MANAGE_KEY_CSRF "pypitoken forms"

#define MANAGE_HOST   "__Host-"
#define MANAGE_PREFIX "pypitoken-"

static const char *const manage_cookies[] = {
    [SESSION_PERSON] = MANAGE_PREFIX "session",
    [SESSION_DEVICE] = MANAGE_PREFIX "device",
    [SESSION_FORM] = MANAGE_PREFIX "form",
};

/* ---- cookies ---- */

static const char *manage_session_cookie(const manage_t *m, session_kind_t kind)
{
    return apr_pstrcat(m->r->pool, tls_seen(m->r) ? MANAGE_HOST : "", manage_cookies[kind], NULL);
}

int manage_session_sent(request_rec *r)
{
    const char *cookies = apr_table_get(r->headers_in, "Cookie");

    return cookies && strstr(cookies, manage_cookies[SESSION_PERSON]) != NULL;
}

/* Cuts the first "name=value" off a Cookie header. */
static slice_t manage_session_pair(slice_t *rest)
{
    const char *end = memchr(rest->p, ';', rest->n);
    apr_size_t n = end ? (apr_size_t)(end - rest->p) : rest->n;
    slice_t pair = slice_trim(slice_make(rest->p, n));

    n += end ? 1 : 0;
    *rest = slice_make(rest->p + n, rest->n - n);
    return pair;
}

/* The n-th cookie of that name, empty when there is none: somebody may have set several. */
static slice_t manage_session_value(const manage_t *m, const char *name, int n)
{
    slice_t rest = slice_of(apr_table_get(m->r->headers_in, "Cookie"));
    apr_size_t k = strlen(name);

    while (rest.n) {
        slice_t pair = manage_session_pair(&rest);

        if (pair.n > k && pair.p[k] == '=' && slice_starts(pair, name) && n-- == 0) {
            return slice_make(pair.p + k + 1, pair.n - k - 1);
        }
    }
    return rest;
}

void manage_session_strip(request_rec *r)
{
    slice_t rest = slice_of(apr_table_get(r->headers_in, "Cookie"));
    const char *kept = NULL;
    int stripped = 0;

    while (rest.n) {
        slice_t pair = manage_session_pair(&rest);

        if (slice_starts(pair, MANAGE_PREFIX) || slice_starts(pair, MANAGE_HOST MANAGE_PREFIX)) {
            stripped = 1;
        } else if (pair.n) {
            kept = apr_psprintf(r->pool, "%s%s%" SLICE_FMT, kept ? kept : "", kept ? "; " : "",
                                SLICE_ARG(pair));
        }
    }
    if (stripped && kept) {
        apr_table_setn(r->headers_in, "Cookie", kept);
    } else if (stripped) {
        apr_table_unset(r->headers_in, "Cookie");
    }
}

int manage_session_read(manage_t *m, session_kind_t kind, session_t *out)
{
    const char *name = manage_session_cookie(m, kind);
    const keyring_t *keys = config_keys(m->r->server);
    slice_t service = slice_of(config_service(m->r->server)), value;
    unsigned char key[KEYRING_DERIVED];
    apr_size_t i;
    int n, rc = -1;

    for (n = 0; rc && (value = manage_session_value(m, name, n)).n; n++) {
        for (i = 0; rc && keys && keyring_derive(keys, i, MANAGE_KEY_SEAL, key) == 0; i++) {
            rc = session_open(out, value, kind, service, key, seam_system.now(), m->r->pool);
        }
    }
    sodium_memzero(key, sizeof(key));
    return rc;
}

/* Path=/ because the prefix __Host- wants it. */
static void manage_session_set(manage_t *m, session_kind_t kind, const char *value,
                               apr_int64_t max_age)
{
    const char *age =
        max_age >= 0 ? apr_psprintf(m->r->pool, "; Max-Age=%" APR_INT64_T_FMT, max_age) : "";

    apr_table_addn(m->r->err_headers_out, "Set-Cookie",
                   apr_pstrcat(m->r->pool, manage_session_cookie(m, kind), "=", value,
                               "; Path=/; HttpOnly; SameSite=Strict",
                               tls_seen(m->r) ? "; Secure" : "", age, NULL));
}

int manage_session_write(manage_t *m, session_kind_t kind, const session_t *s, int kept)
{
    const keyring_t *keys = config_keys(m->r->server);
    unsigned char key[KEYRING_DERIVED];
    const char *value = NULL;

    if (keys && keyring_derive(keys, 0, MANAGE_KEY_SEAL, key) == 0) {
        value = session_seal(s, kind, slice_of(config_service(m->r->server)), key, &seam_system,
                             m->r->pool);
    }
    sodium_memzero(key, sizeof(key));
    if (value) {
        manage_session_set(m, kind, value, kept ? s->expires - s->issued : -1);
    }
    return value ? 0 : -1;
}

void manage_session_drop(manage_t *m, session_kind_t kind)
{
    manage_session_set(m, kind, "", 0);
}

/* ---- tokens against forged requests ---- */

static const char *manage_session_mac(manage_t *m, const slice_t *bound, apr_size_t n)
{
    unsigned char key[KEYRING_DERIVED];
    const keyring_t *keys = config_keys(m->r->server);
    const char *text = NULL;

    if (keys && keyring_derive(keys, 0, MANAGE_KEY_CSRF, key) == 0) {
        text = session_csrf(key, bound, n, m->r->pool);
    }
    sodium_memzero(key, sizeof(key));
    return text;
}

const char *manage_session_csrf(manage_t *m, const unsigned char id[SESSION_ID])
{
    slice_t bound = slice_make((const char *)id, SESSION_ID);

    return manage_session_mac(m, &bound, 1);
}

/* Basic has no session to bind to; a page of another origin cannot read this either. */
static const char *manage_session_csrf_basic(manage_t *m)
{
    slice_t bound[] = {slice_of("basic"), slice_of(m->user),
                       slice_make((const char *)&m->session.epoch, sizeof(m->session.epoch))};

    return manage_session_mac(m, bound, 3);
}

/* ---- who ---- */

/* What the device cookie names, if it is that user's, by whatever spelling. */
static slice_t manage_session_device(manage_t *m, slice_t user, session_t *device)
{
    if (manage_session_read(m, SESSION_DEVICE, device) == 0 &&
        strcmp(person_fold(device->user, m->r->pool), person_fold(user, m->r->pool)) == 0) {
        return slice_make((const char *)device->id, SESSION_ID);
    }
    return slice_make(NULL, 0);
}

verdict_code_t manage_session_login(manage_t *m, login_t *out, login_typed_t *typed, verdict_t *v)
{
    session_t *device = apr_pcalloc(m->r->pool, sizeof(*device));
    login_policy_t policy = {config_factor(config_dir(m->r))};
    login_hooks_t *hooks = limits_hooks(m->r, manage_session_device(m, typed->user, device));
    verdict_code_t code;

    chain_hooks(m->r, hooks);
    if (typed->code_field) {
        /* who gets a session has no need of a code that is good twice */
        hooks->linger_find = NULL;
        hooks->linger_keep = NULL;
    }
    typed->address = m->r->useragent_ip;
    typed->agent = apr_table_get(m->r->headers_in, "User-Agent");
    code = login_check(out, m->store, &seam_system, typed, &policy, hooks, v, m->r->pool);
    if (code == VERDICT_ALLOWED && !out->user_id) {
        code = verdict_set(v, VERDICT_LOGIN_FAILED, slice_of(NULL), m->r->pool);
        v->log = "another provider knows this user, but there is no account here";
    }
    return code;
}

static verdict_code_t manage_session_basic(manage_t *m, const char *header, verdict_t *v)
{
    credential_t credential;
    login_typed_t typed = {.door = "basic"};
    login_t login;
    verdict_code_t code = credential_read(&credential, slice_of(header), m->r->pool);

    if (code == VERDICT_USER_NOT_TOKEN ||
        (code == VERDICT_ALLOWED && credential.kind == CREDENTIAL_TOKEN)) {
        typed.user = slice_of(CREDENTIAL_TOKEN_USER); /* it is refused and written down there */
    } else if (code == VERDICT_ALLOWED) {
        typed.user = credential.user;
        typed.password = credential.password;
    } else {
        return verdict_set(v, code, slice_of(NULL), m->r->pool);
    }
    code = manage_session_login(m, &login, &typed, v);
    if (code == VERDICT_ALLOWED) {
        m->by = MANAGE_BY_BASIC;
        m->user = login.user_name;
        m->factors = login.factors;
        m->session.user = slice_of(login.user_name);
        m->session.epoch = login.epoch;
        m->session.factors = login.factors;
        m->csrf = manage_session_csrf_basic(m);
    }
    return code;
}

verdict_code_t manage_session_asks(manage_t *m, verdict_t *v)
{
    const char *header = apr_table_get(m->r->headers_in, "Authorization");

    return header ? manage_session_basic(m, header, v) : VERDICT_ALLOWED;
}

verdict_code_t manage_session_who(manage_t *m, verdict_t *v)
{
    apr_int64_t epoch;
    verdict_code_t code;

    if (manage_session_read(m, SESSION_PERSON, &m->session) == 0 &&
        !limits_ended(m->r, m->session.id)) {
        code = login_epoch(&epoch, m->store, m->session.user, m->r->pool);
        if (code == VERDICT_STORE_DOWN) {
            return verdict_set(v, code, slice_of(NULL), m->r->pool);
        }
        if (code == VERDICT_ALLOWED && epoch == m->session.epoch) {
            m->by = MANAGE_BY_SESSION;
            m->user = m->session.user.p;
            m->factors = m->session.factors;
            m->csrf = manage_session_csrf(m, m->session.id);
            return VERDICT_ALLOWED;
        }
    }
    return manage_session_asks(m, v);
}

int manage_session_begin(manage_t *m, const login_t *login)
{
    apr_int64_t now = seam_system.now();
    session_t s = {.user = slice_of(login->user_name),
                   .epoch = login->epoch,
                   .issued = now,
                   .expires = now + config_session(config_dir(m->r)),
                   .factors = login->factors};
    session_t device;

    if (session_id(&s, &seam_system) || manage_session_write(m, SESSION_PERSON, &s, 0)) {
        return -1;
    }
    if (!manage_session_device(m, s.user, &device).n) {
        device = s;
        if (session_id(&device, &seam_system)) {
            return -1;
        }
    }
    device.epoch = 0;
    device.issued = now;
    device.expires = now + MANAGE_DEVICE_SECONDS;
    return manage_session_write(m, SESSION_DEVICE, &device, 1);
}

void manage_session_end(manage_t *m)
{
    apr_int64_t left = m->session.expires - seam_system.now();

    if (m->by == MANAGE_BY_SESSION && left > 0) {
        limits_end(m->r, m->session.id, (apr_uint32_t)left);
    }
    manage_session_drop(m, SESSION_PERSON);
}
