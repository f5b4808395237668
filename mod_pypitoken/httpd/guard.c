/*
 * guard.c - the guard of an upload location: its hooks, in the order in which a request meets them.
 *
 *   translate_name     which Location the client named, and which it nearly named
 *   map_to_storage     TRACE, which httpd answers there
 *   access_checker_ex  the exact path, the method; GET needs no credentials
 *   force_authn        a POST is authenticated whatever Require says
 *   check_authn        the token, or the person's password (guard_person.c), before a byte of the
 *                      body is read
 *   auth_checker       the body, the form, the project, the role (guard_body.c)
 *   fixups             the seatbelt; the upload is written down and may go on
 *   handler            the page for GET; the back end's Authorization
 *   log_transaction    what became of it (guard_record.c)
 *
 * guard_error.c has what others refuse, redirect or fail at.
 */
#include "httpd/private.h"
#include "httpd/guard_state.h"

#include <apr_strings.h>
#include <string.h>

#include "httpd/authn.h"
#include "httpd/denial.h"
#include "httpd/gate.h"
#include "httpd/guard_body.h"
#include "httpd/guard_error.h"
#include "httpd/guard_person.h"
#include "httpd/guard_record.h"
#include "httpd/guard_stream.h"
#include "httpd/handoff.h"
#include "httpd/limits.h"
#include "httpd/replay.h"

static const slice_t guard_nothing = {NULL, 0};

guard_state_t *guard_state(request_rec *r)
{
    for (; r; r = r->main ? r->main : r->prev) {
        guard_state_t *g = ap_get_module_config(r->request_config, &pypitoken_module);

        if (g) {
            return g;
        }
    }
    return NULL;
}

guard_state_t *guard_state_make(request_rec *r)
{
    guard_state_t *g = guard_state(r);

    if (!g || (r->main && g->request != r)) {
        g = apr_pcalloc(r->pool, sizeof(*g));
        g->request = r;
        ap_set_module_config(r->request_config, &pypitoken_module, g);
    }
    return g;
}

const guard_pass_t *guard_passed(request_rec *r)
{
    guard_state_t *g = guard_state(r);

    return g && g->stage == GUARD_ALLOWED ? &g->pass : NULL;
}

const guard_pass_t *guard_taken(request_rec *r)
{
    guard_state_t *g = guard_state(r);

    if (g && g->stage == GUARD_STREAMING) {
        guard_stream_take(g);
    }
    return guard_going(g) ? &g->pass : NULL;
}

int guard_going(const guard_state_t *g)
{
    return g && (g->stage == GUARD_ALLOWED || g->stage == GUARD_STREAMING);
}

int guard_refuse_verdict(request_rec *r, guard_state_t *g)
{
    guard_stream_stop(g);
    return denial_send(r, &g->verdict);
}

int guard_refuse(request_rec *r, guard_state_t *g, verdict_code_t code, slice_t detail,
                 const char *log)
{
    verdict_set(&g->verdict, code, detail, r->pool);
    g->verdict.log = log;
    return guard_refuse_verdict(r, g);
}

static int guard_on(request_rec *r)
{
    return config_dir(r)->guard == 1;
}

/* 1 for a sub-request that only looks where an upload that passed would lead (MultiViews). */
static int guard_looking(request_rec *r, const guard_state_t *g)
{
    return r->main && r->method_number == M_GET && g && g->stage == GUARD_PERMITTED;
}

/* 1 when r needs the guard's word: it would do something, and its own Location is guarded, or the
 * one that the client named is. */
static int guard_needed(request_rec *r)
{
    guard_state_t *g = guard_state(r);

    return r->method_number != M_GET && (guard_on(r) || (g && g->asked)) && !guard_going(g);
}

/* ---- translate_name ---- */

/* 1 for a guarded URL without its last slash: <Location "/legacy/"> does not cover "/legacy", while
 * a ProxyPass, ScriptAlias or WSGIScriptAlias for it does, and takes any number of slashes for one.
 */
static int guard_beside(request_rec *r)
{
    const apr_array_header_t *paths = config_server(r->server)->guard_paths;
    char *uri = apr_pstrdup(r->pool, r->uri);
    apr_size_t n;
    int i;

    ap_no2slash(uri);
    n = strlen(uri);
    for (i = 0; i < paths->nelts; i++) {
        const char *path = APR_ARRAY_IDX(paths, i, const char *);

        if (strncmp(path, uri, n) == 0 && strcmp(path + n, "/") == 0) {
            return 1;
        }
    }
    return 0;
}

/* The Location that the client named is known here and no later: what rewriting makes of the URL
 * may have another one. */
static int guard_asked(request_rec *r)
{
    if (guard_on(r) && ap_is_initial_req(r)) {
        guard_state_make(r)->asked = 1;
    }
    if (!guard_on(r) && !r->main && r->method_number != M_GET && !guard_going(guard_state(r)) &&
        guard_beside(r)) {
        return guard_refuse(r, guard_state_make(r), VERDICT_NOT_FOUND, guard_nothing, NULL);
    }
    return DECLINED;
}

/* ---- map_to_storage ---- */

/* httpd echoes a TRACE, credentials and all, before any access hook runs and before it has looked
 * which Location it is for. */
static int guard_trace(request_rec *r)
{
    if (r->method_number != M_TRACE || ap_location_walk(r) != OK || !guard_on(r)) {
        return DECLINED;
    }
    return guard_refuse(r, guard_state_make(r), VERDICT_METHOD, guard_nothing, NULL);
}

/* ---- access_checker_ex ---- */

/* Rewritten to a Location without a guard: a mistake of the operator, and no way around it. */
static int guard_astray(request_rec *r)
{
    return guard_refuse(r, guard_state_make(r), VERDICT_INTERNAL, guard_nothing,
                        apr_pstrcat(r->pool, "the guarded URL was rewritten to ", r->uri,
                                    ", which has no PyPITokenGuard", NULL));
}

static int guard_access(request_rec *r)
{
    guard_state_t *g = guard_state(r);

    if (!guard_on(r)) {
        return guard_needed(r) ? guard_astray(r) : DECLINED;
    }
    if (guard_going(g) || guard_looking(r, g)) {
        return DECLINED;
    }
    if (!gate_exact(r, config_dir(r)->guard_path)) {
        return guard_refuse(r, guard_state_make(r), VERDICT_NOT_FOUND, guard_nothing, NULL);
    }
    if (r->method_number == M_GET) {
        return OK;
    }
    if (r->method_number != M_POST) {
        return guard_refuse(r, guard_state_make(r), VERDICT_METHOD, guard_nothing, NULL);
    }
    return DECLINED;
}

static int guard_force(request_rec *r)
{
    return guard_on(r) && r->method_number != M_GET ? OK : DECLINED;
}

/* ---- check_authn ---- */

static int guard_authenticate(request_rec *r)
{
    guard_state_t *g;
    credential_t credential;
    verdict_code_t code;

    if (!guard_on(r)) {
        return DECLINED;
    }
    g = guard_state(r);
    if (guard_going(g) || guard_looking(r, g)) {
        r->user = apr_pstrdup(r->pool, g->pass.user);
        return OK;
    }
    g = guard_state_make(r);
    if (g->stage != GUARD_NEW) {
        return guard_refuse(r, g, VERDICT_NO_CREDENTIALS, guard_nothing, "authenticated twice");
    }
    code = authn_read(r, &credential);
    if (code != VERDICT_ALLOWED) {
        return guard_refuse(r, g, code, guard_nothing, NULL);
    }
    code = credential.kind == CREDENTIAL_PERSON
               ? guard_person(r, g, &credential)
               : limits_bearer(r, &g->bearer, credential.token, &g->verdict);
    if (g->bearer.token.user_name) {
        r->user = apr_pstrdup(r->pool, g->bearer.token.user_name);
    }
    if (g->bearer.token.id) {
        apr_table_setn(r->subprocess_env, "PYPITOKEN_ID", g->bearer.token.id);
    }
    if (code != VERDICT_ALLOWED) {
        return guard_refuse_verdict(r, g);
    }
    r->ap_auth_type = apr_pstrdup(r->pool, "Basic");
    g->authorization = apr_table_get(r->headers_in, "Authorization");
    apr_table_unset(r->headers_in, "Authorization");
    g->stage = GUARD_BEARER;
    return OK;
}

/* ---- auth_checker ---- */

static int guard_authorize(request_rec *r)
{
    guard_state_t *g = guard_state(r);

    if (!guard_on(r) || r->method_number == M_GET || guard_going(g)) {
        return DECLINED;
    }
    if (!g || g->stage != GUARD_BEARER || r->main) {
        return guard_refuse(r, guard_state_make(r), VERDICT_NO_CREDENTIALS, guard_nothing, NULL);
    }
    return guard_body(r, g);
}

/* ---- fixups ---- */

/* Everything has said yes: the upload is written down and handed over. Or, with PyPITokenStream,
 * handed over as far as it is safe, unless the handler wants the whole body at once. */
static int guard_release(request_rec *r, guard_state_t *g)
{
    if (!g->body->eos && !guard_stream_possible(r, g) &&
        guard_stream_rest(r, g) != VERDICT_ALLOWED) {
        return guard_body_refuse(g->body, r);
    }
    if (g->body->eos && guard_record_commit(r, g) != VERDICT_ALLOWED) {
        return guard_refuse_verdict(r, g);
    }
    g->headers = apr_table_copy(r->pool, r->headers_in);
    handoff_headers(r);
    if (g->body->eos) {
        replay_length(g->spool, r);
    }
    g->stage = g->body->eos ? GUARD_ALLOWED : GUARD_STREAMING;
    return OK;
}

/* Whatever way a request came here, it does not get past without the guard's word. */
static int guard_fixups(request_rec *r)
{
    guard_state_t *g = guard_state(r);
    int status = OK;

    if (g && g->stage == GUARD_PERMITTED && g->request == r) {
        status = guard_release(r, g);
    } else if (guard_needed(r)) {
        status = guard_refuse(r, guard_state_make(r), VERDICT_NO_CREDENTIALS, guard_nothing, NULL);
    }
    if (status == OK && guard_going(g)) {
        handoff_environment(r, config_dir(r), &g->pass, g->authorization);
        if (g->stage == GUARD_ALLOWED) {
            apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(VERDICT_ALLOWED));
        }
    }
    return status == OK ? DECLINED : status;
}

/* ---- handler ---- */

/* The index was to read along, and now it is another handler's turn (RewriteRule [P], a redirect):
 * that one gets the body after the verdict. */
static int guard_other(request_rec *r, guard_state_t *g)
{
    if (g->stage != GUARD_STREAMING || !g->body->withheld || guard_stream_possible(r, g)) {
        return OK;
    }
    if (guard_stream_rest(r, g) != VERDICT_ALLOWED) {
        return guard_body_refuse(g->body, r);
    }
    replay_length(g->spool, r);
    apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(VERDICT_ALLOWED));
    return OK;
}

static int guard_page(request_rec *r)
{
    ap_set_content_type(r, "text/html; charset=utf-8");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_rprintf(r,
               "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Upload URL of %s</title></head>\n"
               "<body><h1>This is an upload URL</h1>\n"
               "<p>Python packages are uploaded here, for example with<br>"
               "<code>twine upload --repository-url THIS-URL dist/*</code></p>\n"
               "<p>The user name is <code>__token__</code>, the password an API token of this "
               "index (<code>pypi-&hellip;</code>).</p></body></html>\n",
               ap_escape_html(r->pool, config_service(r->server)));
    return OK;
}

static int guard_handler(request_rec *r)
{
    guard_state_t *g = guard_state(r);

    if (guard_going(g) && !r->main) {
        int status = guard_other(r, g);

        if (status == OK) {
            handoff_authorization(r, config_dir(r), g->authorization);
        }
        return status == OK ? DECLINED : status;
    }
    if (!guard_on(r)) {
        return DECLINED;
    }
    if (r->method_number == M_GET) {
        return guard_page(r);
    }
    return guard_refuse(r, guard_state_make(r), VERDICT_NO_CREDENTIALS, guard_nothing, NULL);
}

void guard_register(apr_pool_t *p)
{
    /* reads the body in its fixups: better for it to begin when all is decided */
    static const char *const later[] = {"mod_security2.c", NULL};

    ap_hook_translate_name(guard_asked, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(guard_trace, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_check_access_ex(guard_access, NULL, NULL, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_force_authn(guard_force, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_check_authn(guard_authenticate, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(guard_authorize, NULL, NULL, APR_HOOK_REALLY_FIRST,
                        AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(guard_fixups, NULL, later, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(guard_handler, NULL, NULL, APR_HOOK_REALLY_FIRST);
    guard_error_register(p);
    guard_record_register(p);
    guard_stream_register(p);
    replay_register(p);
}
