/*
 * intake.h - reading the body of a request, with the last word on what is answered.
 *
 * httpd's HTTP_IN filter answers by itself what it cannot read (a broken chunk, a body beyond
 * LimitRequestBody): it sends an error down the output filters while its caller waits, and an
 * ErrorDocument runs inside the read. An intake catches that error and gives its status to the
 * caller instead, so that a refusal is answered once and by denial.c alone. A success that another
 * module declares while the body is still being read ends here, too.
 *
 * One thread at a time: the request's.
 */
#ifndef PYPITOKEN_INTAKE_H
#define PYPITOKEN_INTAKE_H

#include <httpd.h>
#include <apr_buckets.h>
#include <util_filter.h>

typedef struct intake_t {
    request_rec *r;
    apr_bucket_brigade *bb; /* what the last intake_read brought; the next one empties it */
    ap_filter_t *trap;
    int caught; /* the status that HTTP_IN meant to answer, 0 for none */
} intake_t;

/* Begins to read; intake_end must follow, before anything is answered. */
void intake_begin(intake_t *in, request_rec *r);

/* The next bytes, at most n, or EOS. OK; or the status that fits what went wrong (400 the client
 * went away or wrote nonsense, 408 it was too slow, 413 LimitRequestBody, ...); or AP_FILTER_ERROR
 * when another module's filter has answered already. Once it failed, it fails for the rest of the
 * request at once: nobody waits twice for a client that is gone. */
int intake_read(intake_t *in, apr_off_t n);

/* The same from f and below. DECLINED when block is APR_NONBLOCK_READ and nothing has come. */
int intake_read_below(intake_t *in, ap_filter_t *f, apr_read_type_e block, apr_off_t n);

void intake_end(intake_t *in);

/* The filter's registration. */
void intake_register(apr_pool_t *p);

#endif
