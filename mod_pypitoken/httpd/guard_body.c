/* guard_body.c - reads, spools and judges the body; see guard_body.h. */
#include "httpd/private.h"
#include "httpd/guard_body.h"

#include <apr_strings.h>

#include "httpd/crowd.h"
#include "httpd/gate.h"
#include "httpd/intake.h"

#define GUARD_BODY_READ 65536

static const slice_t guard_body_nothing = {NULL, 0};

typedef struct guard_body_t {
    request_rec *r;
    guard_state_t *g;
    upload_t *upload;
    apr_off_t max;
    int eos;
} guard_body_t;

static int guard_body_too_large(request_rec *r, guard_state_t *g, apr_off_t max)
{
    return guard_refuse(r, g, VERDICT_UPLOAD_TOO_LARGE,
                        slice_of(apr_psprintf(r->pool, "the %" APR_OFF_T_FMT " bytes", max)), NULL);
}

/* What intake_read said: the client was too slow, went away, sent nonsense or more than httpd's own
 * limit. */
static int guard_body_failed(request_rec *r, guard_state_t *g, int status)
{
    verdict_code_t code = VERDICT_BODY_BROKEN;

    switch (status) {
    case AP_FILTER_ERROR:
        g->stage = GUARD_REFUSED;
        verdict_set(&g->verdict, code, guard_body_nothing, r->pool);
        return AP_FILTER_ERROR;
    case HTTP_REQUEST_ENTITY_TOO_LARGE:
        return guard_body_too_large(r, g, ap_get_limit_req_body(r));
    case HTTP_REQUEST_TIME_OUT:
        code = VERDICT_BODY_TIMEOUT;
        break;
    default:
        break;
    }
    r->connection->keepalive = AP_CONN_CLOSE;
    return guard_refuse(r, g, code, guard_body_nothing, NULL);
}

static int guard_body_data(guard_body_t *b, const char *p, apr_size_t n)
{
    apr_status_t rv;

    if (spool_length(b->g->spool) + (apr_int64_t)n > b->max) {
        return guard_body_too_large(b->r, b->g, b->max);
    }
    if (upload_feed(b->upload, p, n) != VERDICT_ALLOWED) {
        b->g->verdict = *upload_verdict(b->upload);
        return guard_refuse_verdict(b->r, b->g);
    }
    rv = spool_add(b->g->spool, p, n);
    if (rv != APR_SUCCESS) {
        char text[120];

        return guard_refuse(b->r, b->g, VERDICT_SPOOL_FULL, guard_body_nothing,
                            apr_pstrdup(b->r->pool, apr_strerror(rv, text, sizeof(text))));
    }
    return OK;
}

static int guard_body_brigade(guard_body_t *b, apr_bucket_brigade *bb)
{
    apr_bucket *e;

    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        const char *p;
        apr_size_t n;
        apr_status_t rv;
        int status;

        if (APR_BUCKET_IS_EOS(e)) {
            b->eos = 1;
            break;
        }
        if (APR_BUCKET_IS_METADATA(e)) {
            continue;
        }
        rv = apr_bucket_read(e, &p, &n, APR_BLOCK_READ);
        if (rv != APR_SUCCESS) {
            return guard_body_failed(b->r, b->g, ap_map_http_request_error(rv, HTTP_BAD_REQUEST));
        }
        status = guard_body_data(b, p, n);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static int guard_body_read(guard_body_t *b)
{
    intake_t in;
    int status = OK;

    intake_begin(&in, b->r);
    while (status == OK && !b->eos) {
        int failed = intake_read(&in, GUARD_BODY_READ);

        status =
            failed == OK ? guard_body_brigade(b, in.bb) : guard_body_failed(b->r, b->g, failed);
    }
    intake_end(&in);
    return status;
}

int guard_body(request_rec *r, guard_state_t *g)
{
    const config_dir_t *c = config_dir(r);
    apr_table_t *headers = apr_table_copy(r->pool, r->headers_in);
    upload_options_t options = {
        c->legacy_names == 1, caveat_wants_digest(g->bearer.caveats, g->bearer.n_caveats, r->pool)};
    permit_policy_t policy = {c->new_projects != 0};
    guard_body_t b = {r, g, NULL, config_max_upload(c), 0};
    slice_t boundary;
    int status;

    if (gate_check(r, b.max, &boundary, &g->verdict) != VERDICT_ALLOWED) {
        return guard_refuse_verdict(r, g);
    }
    if (!crowd_enter(r, CROWD_SPOOL)) {
        return guard_refuse(r, g, VERDICT_BUSY, guard_body_nothing, NULL);
    }
    b.upload = upload_create(boundary, &options, r->pool);
    g->spool = spool_create(r, config_memory(c), c->spool_dir);
    status = guard_body_read(&b);
    r->headers_in = headers; /* without what MergeTrailers put there behind the gate's back */
    if (status != OK) {
        return status;
    }
    if (upload_finish(b.upload) != VERDICT_ALLOWED) {
        g->verdict = *upload_verdict(b.upload);
        return guard_refuse_verdict(r, g);
    }
    if (permit_upload(&g->permit, config_store(r->server), &seam_system, &g->bearer,
                      upload_form(b.upload), &policy, &g->verdict, r->pool) != VERDICT_ALLOWED) {
        return guard_refuse_verdict(r, g);
    }
    g->pass.form = g->permit.form;
    g->pass.user = g->bearer.token.user_name;
    g->pass.token_id = g->bearer.token.id;
    g->pass.body_length = spool_length(g->spool);
    g->stage = GUARD_PERMITTED;
    return DECLINED;
}
