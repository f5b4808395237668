/*
 * replay.h - the input filter that gives a handler the body out of a spool.
 *
 * It stands in for the network: a plain body, whatever the client's framing was, in whatever way
 * the handler reads; memory that stays as it is, no file buckets (spool_take says why). Promoted to
 * r->proto_input_filters, so that it survives internal redirects. One for each guarded request; the
 * request's thread.
 */
#ifndef PYPITOKEN_REPLAY_H
#define PYPITOKEN_REPLAY_H

#include <httpd.h>
#include <util_filter.h>

#include "httpd/spool.h"

typedef enum replay_state_t {
    REPLAY_OPEN,
    REPLAY_DRAIN, /* nothing goes out any more; who reads gets what still comes from the network,
                     to throw it away */
    REPLAY_BROKEN /* reading fails */
} replay_state_t;

typedef struct replay_t {
    spool_t *spool;
    apr_int64_t limit; /* how many bytes of the body may go out so far */
    int whole;         /* the whole body may: EOS comes after the spool's last byte */
    /* Called when nothing may go out and whole is not set: reads on below f, and raises limit or
     * sets whole; APR_EAGAIN or an error end the handler's call. NULL with whole. */
    apr_status_t (*more)(void *baton, ap_filter_t *f, apr_read_type_e block);
    void *baton;
    replay_state_t state;
    int reading; /* more is at work: HTTP_IN reads the trailers of a chunked body from the top of
                    the filters, that is, through this one */
    ap_filter_t *filter; /* once inserted */
} replay_t;

/* Puts the filter in front of r; rp must live as long as the request. APR_EGENERAL when it is not
 * registered. */
apr_status_t replay_insert(replay_t *rp, request_rec *r);

/* The whole spool, sealed, with the headers of replay_length. */
apr_status_t replay_whole(spool_t *s, request_rec *r);

/* Content-Length that of the spool, and no Transfer-Encoding: what handlers learn of the framing.
 */
void replay_length(const spool_t *s, request_rec *r);

void replay_register(apr_pool_t *p);

#endif
