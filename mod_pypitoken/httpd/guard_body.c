/* guard_body.c - reads, spools and judges the body; see guard_body.h. */
#include "httpd/private.h"
#include "httpd/guard_body.h"

#include <apr_strings.h>

#include "httpd/crowd.h"
#include "httpd/gate.h"
#include "httpd/guard_stream.h"
#include "httpd/intake.h"

#define GUARD_BODY_READ   65536
#define GUARD_BODY_PIECES 16

static const slice_t guard_body_nothing = {NULL, 0};

static verdict_code_t guard_body_too_large(guard_body_t *b, request_rec *r, apr_off_t max)
{
    return verdict_set(&b->g->verdict, VERDICT_UPLOAD_TOO_LARGE,
                       slice_of(apr_psprintf(r->pool, "the %" APR_OFF_T_FMT " bytes", max)),
                       r->pool);
}

/* Another module's filter has answered while we read: that answer stands, and all that is left to
 * do is to say so. */
static void guard_body_answered(guard_body_t *b, request_rec *r)
{
    const char *word = verdict_word(b->g->verdict.code);

    b->answered = 1;
    apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", word);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r,
                  "pypitoken: refused, %s: another module answered %d while the body was read",
                  word, r->status);
}

/* What intake_read said: the client was too slow, went away, sent nonsense or more than httpd's own
 * limit. */
static void guard_body_failed(guard_body_t *b, request_rec *r, int status)
{
    verdict_code_t code = VERDICT_BODY_BROKEN;

    switch (status) {
    case HTTP_REQUEST_ENTITY_TOO_LARGE:
        guard_body_too_large(b, r, ap_get_limit_req_body(r));
        return;
    case HTTP_REQUEST_TIME_OUT:
        code = VERDICT_BODY_TIMEOUT;
        break;
    default:
        break;
    }
    r->connection->keepalive = AP_CONN_CLOSE;
    verdict_set(&b->g->verdict, code, guard_body_nothing, r->pool);
    if (status == AP_FILTER_ERROR) {
        guard_body_answered(b, r);
    }
}

/* What one read brought and the parser took: written with one call. */
typedef struct guard_body_pieces_t {
    struct iovec piece[GUARD_BODY_PIECES];
    int n;
    apr_size_t bytes;
} guard_body_pieces_t;

static verdict_code_t guard_body_spool(guard_body_t *b, request_rec *r, guard_body_pieces_t *pieces)
{
    guard_state_t *g = b->g;
    apr_status_t rv = spool_add_all(g->spool, pieces->piece, pieces->n, pieces->bytes);

    if (rv != APR_SUCCESS) {
        char text[120];

        verdict_set(&g->verdict, VERDICT_SPOOL_FULL, guard_body_nothing, r->pool);
        g->verdict.log = apr_pstrdup(r->pool, apr_strerror(rv, text, sizeof(text)));
    }
    pieces->n = 0;
    pieces->bytes = 0;
    return g->verdict.code;
}

static verdict_code_t guard_body_data(guard_body_t *b, request_rec *r, guard_body_pieces_t *pieces,
                                      const char *p, apr_size_t n)
{
    guard_state_t *g = b->g;

    if (spool_length(g->spool) + (apr_int64_t)(pieces->bytes + n) > b->max) {
        return guard_body_too_large(b, r, b->max);
    }
    if (upload_feed(b->upload, p, n) != VERDICT_ALLOWED) {
        g->verdict = *upload_verdict(b->upload);
        return g->verdict.code;
    }
    if (b->packages && upload_content_at(b->upload) >= 0) {
        spool_offer(g->spool, upload_content_at(b->upload), b->packages);
        b->packages = NULL;
    }
    pieces->piece[pieces->n].iov_base = (void *)p;
    pieces->piece[pieces->n++].iov_len = n;
    pieces->bytes += n;
    return pieces->n < GUARD_BODY_PIECES ? VERDICT_ALLOWED : guard_body_spool(b, r, pieces);
}

/* Nothing of a brigade is spooled from where it is bad on. */
static void guard_body_brigade(guard_body_t *b, request_rec *r, apr_bucket_brigade *bb)
{
    guard_body_pieces_t pieces;
    apr_bucket *e;

    pieces.n = 0;
    pieces.bytes = 0;
    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        const char *p;
        apr_size_t n;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(e)) {
            b->eos = 1;
            break;
        }
        if (APR_BUCKET_IS_METADATA(e)) {
            continue;
        }
        rv = apr_bucket_read(e, &p, &n, APR_BLOCK_READ);
        if (rv != APR_SUCCESS) {
            guard_body_failed(b, r, ap_map_http_request_error(rv, HTTP_BAD_REQUEST));
            return;
        }
        if (guard_body_data(b, r, &pieces, p, n) != VERDICT_ALLOWED) {
            return;
        }
    }
    if (pieces.n) {
        (void)guard_body_spool(b, r, &pieces);
    }
}

int guard_body_read(guard_body_t *b, request_rec *r, ap_filter_t *f, apr_read_type_e block)
{
    apr_table_t *headers = r->headers_in;
    intake_t in;
    int status;

    intake_begin(&in, r);
    status = intake_read_below(&in, f, block, GUARD_BODY_READ);
    r->headers_in = headers; /* without what MergeTrailers puts there behind the gate's back */
    if (status == OK) {
        guard_body_brigade(b, r, in.bb);
    } else if (status != DECLINED) {
        guard_body_failed(b, r, status);
        status = OK;
    }
    intake_end(&in);
    return status;
}

static verdict_code_t guard_body_permit(guard_body_t *b, request_rec *r, const upload_form_t *form)
{
    permit_policy_t policy = {config_dir(r)->new_projects != 0};
    guard_state_t *g = b->g;

    if (permit_upload(&g->permit, config_store(r->server), &seam_system, &g->bearer, form, &policy,
                      &g->verdict, r->pool) == VERDICT_ALLOWED) {
        g->pass.form = form;
        g->pass.user = g->bearer.token.user_name;
        g->pass.token_id = g->bearer.token.id;
        g->pass.body_length = b->eos ? spool_length(g->spool) : -1;
        g->pass.kept = b->eos ? spool_offered(g->spool) : -1;
        g->pass.packages = config_dir(r)->packages;
    }
    return g->verdict.code;
}

verdict_code_t guard_body_judge(guard_body_t *b, request_rec *r)
{
    if (upload_finish(b->upload) != VERDICT_ALLOWED) {
        b->g->verdict = *upload_verdict(b->upload);
        return b->g->verdict.code;
    }
    return guard_body_permit(b, r, upload_form(b->upload));
}

int guard_body_refuse(guard_body_t *b, request_rec *r)
{
    if (b->answered) {
        b->g->stage = GUARD_REFUSED;
        return AP_FILTER_ERROR;
    }
    return guard_refuse_verdict(r, b->g);
}

/* A parser, a spool and a place among the uploads; a token that asks for the file's digest has to
 * wait for all of it. What the built-in index will get as a whole is hashed while the client sends.
 */
static verdict_code_t guard_body_begin(guard_body_t *b, request_rec *r)
{
    const config_dir_t *c = config_dir(r);
    guard_state_t *g = b->g;
    int digest = caveat_set_wants_digest(g->bearer.set);
    int first = c->packages ? UPLOAD_NAME_EARLY : UPLOAD_NAME_FIRST;
    int stream = c->stream == 1 && !digest;
    upload_options_t options = {c->legacy_names == 1, digest || (c->packages && !stream),
                                stream ? first : UPLOAD_NAME_ANY};
    slice_t boundary;

    b->max = config_max_upload(c);
    b->stream = options.name_first != UPLOAD_NAME_ANY;
    b->packages = stream ? NULL : c->packages;
    b->withheld = options.name_first == UPLOAD_NAME_EARLY;
    if (gate_check(r, b->max, &boundary, &g->verdict) != VERDICT_ALLOWED) {
        return g->verdict.code;
    }
    if (!crowd_enter(r, CROWD_SPOOL)) {
        return verdict_set(&g->verdict, VERDICT_BUSY, guard_body_nothing, r->pool);
    }
    b->upload = upload_create(boundary, &options, r->pool);
    g->spool = spool_create(r, config_memory(c), c->spool_dir);
    return verdict_set(&g->verdict, VERDICT_ALLOWED, guard_body_nothing, r->pool);
}

/* Enough to let a handler begin: it is known whose file comes, and what there is would not fit into
 * memory; where that is likely the index, after the next read, so that nothing goes to a file. */
static int guard_body_begun(const guard_body_t *b, const config_dir_t *c)
{
    apr_int64_t length = spool_length(b->g->spool) + (b->withheld ? GUARD_BODY_READ : 0);

    return b->stream && upload_named(b->upload) && length > config_memory(c);
}

int guard_body(request_rec *r, guard_state_t *g)
{
    guard_body_t *b = apr_pcalloc(r->pool, sizeof(*b));
    verdict_code_t code;

    b->g = g;
    g->body = b;
    code = guard_body_begin(b, r);
    while (code == VERDICT_ALLOWED && !b->eos && !guard_body_begun(b, config_dir(r))) {
        (void)guard_body_read(b, r, r->input_filters, APR_BLOCK_READ);
        code = g->verdict.code;
    }
    if (code == VERDICT_ALLOWED) {
        code = b->eos ? guard_body_judge(b, r) : guard_body_permit(b, r, upload_named(b->upload));
    }
    if (code != VERDICT_ALLOWED) {
        return guard_body_refuse(b, r);
    }
    if ((b->eos ? replay_whole(g->spool, r) : guard_stream_begin(r, g)) != APR_SUCCESS) {
        return guard_refuse(r, g, VERDICT_INTERNAL, guard_body_nothing, "no replay filter");
    }
    g->stage = GUARD_PERMITTED;
    return DECLINED;
}
