/*
 * spool.h - where a body waits until it is judged: in memory, then in an unlinked file.
 *
 * spool_add every bucket; then spool_replay puts an input filter in front of the request that
 * hands the same bytes to whatever handler follows. One thread at a time; lives in r->pool.
 */
#ifndef PYPITOKEN_SPOOL_H
#define PYPITOKEN_SPOOL_H

#include <httpd.h>
#include <apr_buckets.h>

#include "core/slice.h"

typedef struct spool_t spool_t;

/* Up to memory bytes are kept in memory; dir NULL: the system's temporary directory. */
spool_t *spool_create(request_rec *r, apr_off_t memory, const char *dir);

/* The next bytes, copied. APR_SUCCESS, APR_ENOSPC and its like (then the spool is spoiled). */
apr_status_t spool_add(spool_t *s, const char *p, apr_size_t n);

apr_int64_t spool_length(const spool_t *s);

/* Gives the body to the request: the filter is promoted to r->proto_input_filters, so that it
 * survives internal redirects and handlers see a plain body of known length; Content-Length is set
 * and Transfer-Encoding removed. */
apr_status_t spool_replay(spool_t *s, request_rec *r);

/* The filter's registration. */
void spool_register(apr_pool_t *p);

#endif
