/*
 * scan.h - tokens in any text: a log, a dump of a repository, what somebody pasted.
 *
 * A token is "pypi-" and what may follow in one; it is also found inside the credentials of a Basic
 * Authorization header, where it stands in base64 behind "__token__:". Text comes in pieces of any
 * size; nothing of it is kept but what may be the beginning of a token. Whether a candidate is one,
 * and whose, is for the caller. Pure; one thread at a time.
 */
#ifndef PYPITOKEN_SCAN_H
#define PYPITOKEN_SCAN_H

#include "core/slice.h"

typedef struct scan_t scan_t;

/* A candidate, "pypi-..."; its bytes live for the call and are wiped later. Where several stand in
 * one run of characters, each is told, and the run. */
typedef void scan_fn(void *baton, slice_t token);

scan_t *scan_create(scan_fn *fn, void *baton, apr_pool_t *pool);
void scan_feed(scan_t *scan, const char *p, apr_size_t n);
/* There is no more text: what the last piece ended with is complete. */
void scan_end(scan_t *scan);

#endif
