/* replay.c - the input filter in front of a handler; see replay.h. */
#include "httpd/private.h"
#include "httpd/replay.h"

#include <apr_strings.h>

#define REPLAY_FILTER "PYPITOKEN_REPLAY"
#define REPLAY_PIECE  65536

apr_status_t replay_insert(replay_t *rp, request_rec *r)
{
    ap_filter_t *f = ap_add_input_filter(REPLAY_FILTER, rp, r, r->connection);

    if (!f) {
        return APR_EGENERAL;
    }
    rp->filter = f;
    r->proto_input_filters = f;
    return APR_SUCCESS;
}

void replay_length(const spool_t *s, request_rec *r)
{
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    apr_table_setn(r->headers_in, "Content-Length",
                   apr_psprintf(r->pool, "%" APR_INT64_T_FMT, spool_length(s)));
}

apr_status_t replay_whole(spool_t *s, request_rec *r)
{
    replay_t *rp = apr_pcalloc(r->pool, sizeof(*rp));

    spool_seal(s);
    rp->spool = s;
    rp->whole = 1;
    replay_length(s, r);
    return replay_insert(rp, r);
}

/* How many bytes may go out now. */
static apr_int64_t replay_ready(const replay_t *rp)
{
    apr_int64_t waiting = spool_waiting(rp->spool);
    apr_int64_t held = rp->whole ? 0 : spool_length(rp->spool) - rp->limit;

    return waiting > held ? waiting - held : 0;
}

/* Up to max bytes to bb, or EOS; at least one byte of it unless block says not to wait. */
static apr_status_t replay_read(replay_t *rp, ap_filter_t *f, apr_bucket_brigade *bb,
                                apr_read_type_e block, apr_off_t max)
{
    apr_status_t rv = APR_SUCCESS;
    apr_int64_t ready;

    while ((ready = replay_ready(rp)) == 0 && !rp->whole && rv == APR_SUCCESS) {
        rv = rp->more(rp->baton, f, block);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (ready == 0) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(f->c->bucket_alloc));
        return APR_SUCCESS;
    }
    rv = spool_take(rp->spool, bb, ready < max ? ready : max);
    if (rv == APR_SUCCESS && rp->whole && spool_waiting(rp->spool) == 0) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(f->c->bucket_alloc));
    }
    return rv;
}

/* After the end it says EOS to everybody who asks, as ap_discard_request_body does once more. The
 * other modes are for what lies below HTTP_IN, raw, and never ours: a handler that asks for them
 * does not get around this filter. */
static apr_status_t replay_filter(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                  apr_read_type_e block, apr_off_t readbytes)
{
    const replay_t *rp = f->ctx;

    if (rp->state == REPLAY_DRAIN || rp->reading) {
        return ap_get_brigade(f->next, bb, mode, block, readbytes);
    }
    if (rp->state == REPLAY_BROKEN) {
        return AP_FILTER_ERROR;
    }
    switch (mode) {
    case AP_MODE_READBYTES:
        return readbytes > 0 ? replay_read(f->ctx, f, bb, block, readbytes) : APR_EINVAL;
    case AP_MODE_EXHAUSTIVE:
        return replay_read(f->ctx, f, bb, block, REPLAY_PIECE);
    case AP_MODE_EATCRLF:
    case AP_MODE_INIT:
        return APR_SUCCESS;
    default:
        return APR_ENOTIMPL;
    }
}

void replay_register(apr_pool_t *p)
{
    (void)p;
    /* PROTOCOL - 1: above HTTP_IN, below everything that looks at content. */
    ap_register_input_filter(REPLAY_FILTER, replay_filter, NULL, AP_FTYPE_PROTOCOL - 1);
}
