/* guard_stream.c - the file goes on while it is still being checked; see guard_stream.h. */
#include "httpd/private.h"
#include "httpd/guard_stream.h"

#include <http_connection.h>
#include <string.h>

#include "httpd/denial.h"
#include "httpd/guard_body.h"
#include "httpd/guard_record.h"
#include "httpd/intake.h"
#include "httpd/replay.h"

#define GUARD_STREAM_FILTER "PYPITOKEN_STREAM"
#define GUARD_STREAM_READ   65536

/* 1 for the built-in index, and no mistake: mod_proxy takes what ProxyPass gave it, whatever
 * SetHandler says. */
static int guard_stream_index(request_rec *r)
{
    return config_dir(r)->packages && !r->proxyreq &&
           !slice_starts(slice_of(r->filename), "proxy:");
}

int guard_stream_possible(request_rec *r, const guard_state_t *g)
{
    static const char *const http[] = {"proxy:http:", "proxy:https:", "proxy:h2:", "proxy:h2c:"};
    slice_t handler = slice_of(r->handler), name = slice_of(r->filename);
    apr_size_t i;

    if (g->body->withheld || slice_is(handler, "pypi-index")) {
        return slice_is(handler, "pypi-index") && guard_stream_index(r);
    }
    if (!apr_table_get(r->headers_in, "Transfer-Encoding")) {
        return 1;
    }
    for (i = 0; i < sizeof(http) / sizeof(*http); i++) {
        if (slice_starts(name, http[i]) || slice_starts(handler, http[i])) {
            return 1;
        }
    }
    return 0;
}

/* The whole body is in: judged, written down unless fixups will do that, and all of it may go. */
static void guard_stream_judge(request_rec *r, guard_state_t *g)
{
    verdict_code_t code = guard_body_judge(g->body, r);

    if (code == VERDICT_ALLOWED && g->stage == GUARD_STREAMING) {
        code = guard_record_commit(r, g);
    }
    if (code == VERDICT_ALLOWED && g->stage == GUARD_STREAMING) {
        g->stage = GUARD_ALLOWED;
        apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(code));
    }
    if (code == VERDICT_ALLOWED) {
        g->replay->whole = 1;
        spool_seal(g->spool);
    }
}

void guard_stream_stop(guard_state_t *g)
{
    g->stage = GUARD_REFUSED;
    if (g->replay) {
        g->replay->state = REPLAY_DRAIN;
    }
}

/* The client gets the denial and nothing else. What the handler makes of its failed read (uwsgi,
 * scgi, mod_wsgi: a page of its own, or of httpd's) ends at denial.c's filter, or where it was
 * another module that answered, at the EOC bucket: t/stream.t, answered(). */
static void guard_stream_abort(request_rec *r, guard_state_t *g)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    guard_stream_stop(g);
    g->aborted = r->status;
    if (!g->body->answered) {
        g->aborted = denial_send(r, &g->verdict);
        r->connection->keepalive = AP_CONN_CLOSE;
        ap_die(g->aborted, r);
    }
    g->replay->state = REPLAY_BROKEN;
    r->connection->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(bb, ap_bucket_eoc_create(r->connection->bucket_alloc));
    ap_pass_brigade(r->proto_output_filters, bb);
}

/* How much may be read so far. */
static apr_int64_t guard_stream_limit(const guard_state_t *g)
{
    return g->body->withheld && !g->taken ? 0 : upload_safe(g->body->upload);
}

/* Reads once from the network. OK; DECLINED when block is APR_NONBLOCK_READ and nothing has come.
 */
static int guard_stream_read(request_rec *r, guard_state_t *g, apr_read_type_e block)
{
    int status;

    g->replay->reading = 1;
    status = guard_body_read(g->body, r, g->replay->filter->next, block);
    g->replay->reading = 0;
    if (g->verdict.code == VERDICT_ALLOWED && g->body->eos) {
        guard_stream_judge(r, g);
    }
    g->replay->limit = guard_stream_limit(g);
    return status;
}

/* The same, and sees what that means for a handler. APR_SUCCESS, APR_EAGAIN, or AP_FILTER_ERROR
 * when it is all over. */
static apr_status_t guard_stream_step(request_rec *r, guard_state_t *g, apr_read_type_e block)
{
    if (guard_stream_read(r, g, block) == DECLINED) {
        return APR_EAGAIN;
    }
    if (g->verdict.code == VERDICT_ALLOWED) {
        return APR_SUCCESS;
    }
    guard_stream_abort(r, g);
    return AP_FILTER_ERROR;
}

static apr_status_t guard_stream_more(void *baton, ap_filter_t *f, apr_read_type_e block)
{
    return guard_stream_step(f->r, baton, block);
}

apr_status_t guard_stream_begin(request_rec *r, guard_state_t *g)
{
    replay_t *rp = apr_pcalloc(r->pool, sizeof(*rp));

    rp->spool = g->spool;
    rp->limit = guard_stream_limit(g);
    rp->more = guard_stream_more;
    rp->baton = g;
    g->replay = rp;
    return replay_insert(rp, r);
}

void guard_stream_take(guard_state_t *g)
{
    g->taken = 1;
    g->replay->limit = guard_stream_limit(g);
}

verdict_code_t guard_stream_rest(request_rec *r, guard_state_t *g)
{
    while (g->verdict.code == VERDICT_ALLOWED && !g->body->eos) {
        (void)guard_stream_read(r, g, APR_BLOCK_READ);
    }
    return g->verdict.code;
}

/* ---- output ---- */

/* The handler's own refusal is out: now the rest of the body, so that the client gets to reading
 * it. */
static void guard_stream_drain(request_rec *r, guard_state_t *g)
{
    apr_off_t left = config_drain(config_dir(r));
    apr_off_t length;
    intake_t in;

    g->replay->state = REPLAY_DRAIN;
    intake_begin(&in, r);
    while (left > 0 && intake_read(&in, GUARD_STREAM_READ) == OK &&
           !(APR_BRIGADE_EMPTY(in.bb) || APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(in.bb)))) {
        left -= apr_brigade_length(in.bb, 0, &length) == APR_SUCCESS ? length : left;
    }
    intake_end(&in);
    g->replay->state = REPLAY_BROKEN;
}

/* The handler refuses an upload that it has not seen to its end. It will not get any more of it. */
static void guard_stream_refused(request_rec *r, guard_state_t *g)
{
    guard_stream_stop(g);
    g->replay->state = REPLAY_BROKEN;
    g->spoken = 1;
    verdict_set(&g->verdict, VERDICT_BACKEND, slice_of(ap_get_status_line(r->status)), r->pool);
    apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(g->verdict.code));
    r->connection->keepalive = AP_CONN_CLOSE;
}

static void guard_stream_insert(request_rec *r)
{
    guard_state_t *g = r->main ? NULL : guard_state(r);

    if (g && g->stage == GUARD_STREAMING) {
        ap_add_output_filter(GUARD_STREAM_FILTER, g, r, r->connection);
    }
}

/* What the handler says while the body is not read to its end. A success waits until that is
 * judged: the rest of it is spooled, so that the handler may still read it. */
static apr_status_t guard_stream_output(ap_filter_t *f, apr_bucket_brigade *bb)
{
    guard_state_t *g = f->ctx;
    request_rec *r = f->r;
    apr_status_t rv = APR_SUCCESS;
    int last;

    if (g->stage == GUARD_STREAMING && r->status >= HTTP_BAD_REQUEST) {
        guard_stream_refused(r, g);
    }
    while (rv == APR_SUCCESS && g->stage == GUARD_STREAMING) {
        rv = guard_stream_step(r, g, APR_BLOCK_READ);
    }
    if (rv != APR_SUCCESS) {
        apr_brigade_cleanup(bb);
        return rv;
    }
    last = g->spoken && !APR_BRIGADE_EMPTY(bb) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(bb));
    if (last) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(f->c->bucket_alloc));
    }
    rv = ap_pass_brigade(f->next, bb);
    if (last && rv == APR_SUCCESS) {
        g->spoken = 0;
        guard_stream_drain(r, g);
    }
    return rv;
}

void guard_stream_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_insert_filter(guard_stream_insert, NULL, NULL, APR_HOOK_LAST);
    ap_register_output_filter(GUARD_STREAM_FILTER, guard_stream_output, NULL, AP_FTYPE_RESOURCE);
}
