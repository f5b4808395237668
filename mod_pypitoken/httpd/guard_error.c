/*
 * guard_error.c - what others refuse, redirect or fail at on a guarded URL; see guard_error.h.
 *
 * An ErrorDocument is a second request: it carries the upload and its credentials to whatever
 * answers it, and the uploader may read a 200 that is not its own. A redirect makes some clients
 * upload nothing and report success. So from the first hook that knows the Location until the end,
 * and in every request that comes from a guarded one, an error ends as a denial.
 */
#include "httpd/private.h"
#include "httpd/guard_error.h"
#include "httpd/guard_state.h"

#include "httpd/denial.h"
#include "httpd/guard_body.h"
#include "httpd/guard_stream.h"

static int guard_error_ours(request_rec *r)
{
    return config_dir(r)->guard == 1 || guard_state(r);
}

/* The redirects and errors that this httpd knows. Found out once: it takes longer than to read the
 * headers of a request. */
static int guard_error_known(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    apr_array_header_t *known = apr_array_make(pconf, 80, sizeof(int));
    int status;

    (void)plog;
    (void)ptemp;
    for (status = 300; status < 600; status++) {
        /* httpd gives all statuses that it does not know the place of 500 */
        if (status == HTTP_INTERNAL_SERVER_ERROR ||
            ap_index_of_response(status) != ap_index_of_response(HTTP_INTERNAL_SERVER_ERROR)) {
            APR_ARRAY_PUSH(known, int) = status;
        }
    }
    for (; s; s = s->next) {
        config_server(s)->errors = known;
    }
    return OK;
}

/* A custom response, even an empty one, comes before any ErrorDocument. */
static int guard_error_hold(request_rec *r)
{
    const apr_array_header_t *known = config_server(r->server)->errors;
    int i, n = guard_error_ours(r) ? known->nelts : 0;

    for (i = 0; i < n; i++) {
        ap_custom_response(r, APR_ARRAY_IDX(known, i, int), "");
    }
    return DECLINED;
}

/* 1 when somebody has had the last word already. */
static int guard_error_late(request_rec *r)
{
    const guard_state_t *g = guard_state(r);

    return denial_sent(r) || (g && g->body && g->body->answered);
}

/* Where a redirect leads: what the client should have asked for. */
static const char *guard_error_location(request_rec *r)
{
    const char *to = apr_table_get(r->headers_out, "Location");

    return to ? to : apr_table_get(r->err_headers_out, "Location");
}

static verdict_code_t guard_error_code(const guard_state_t *g, int status)
{
    if (guard_going(g)) {
        return VERDICT_BACKEND;
    }
    if (ap_is_HTTP_REDIRECT(status)) {
        return VERDICT_MOVED;
    }
    return status >= 500 ? VERDICT_INTERNAL : VERDICT_REQUIRE;
}

/* The answer is about to be written: a Require line said no (not a challenge for the client, which
 * has shown its token), another module refused, redirected or broke, the handler failed. A page in
 * a browser may be redirected, and what a handler answers to an upload is its own. */
static void guard_error_answer(request_rec *r)
{
    int redirect = ap_is_HTTP_REDIRECT(r->status), status = r->status;
    guard_state_t *g = guard_state(r);
    verdict_code_t code;
    const char *detail;

    if (!guard_error_ours(r) || guard_error_late(r) || status < 300 ||
        (redirect && (r->method_number == M_GET || guard_going(g)))) {
        return;
    }
    g = guard_state_make(r);
    code = guard_error_code(g, status);
    detail = redirect ? guard_error_location(r) : ap_get_status_line(status);
    verdict_set(&g->verdict, code, slice_of(detail), r->pool);
    if (g->stage != GUARD_ALLOWED) {
        guard_stream_stop(g);
    }
    if (redirect) {
        status = verdict_status(code);
    } else if (status == HTTP_UNAUTHORIZED) {
        status = HTTP_FORBIDDEN;
    }
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    r->status = denial_send_as(r, &g->verdict, status);
}

void guard_error_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(guard_error_known, NULL, NULL, APR_HOOK_MIDDLE);
    /* the Location is known before the first of these; a rewritten URL may have another one */
    ap_hook_translate_name(guard_error_hold, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_perdir_config(guard_error_hold, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_insert_error_filter(guard_error_answer, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
