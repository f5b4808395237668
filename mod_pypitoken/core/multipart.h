/*
 * multipart.h - a push parser for the one shape of multipart/form-data that every parser reads
 * alike.
 *
 * Feed it the body in any pieces; it calls back with parts. The grammar is DESIGN section 6, rules
 * 2-4: everything else is a verdict, and no reader behind us can then see other parts than we did.
 * Constant memory: it keeps at most one part's header block (1000 bytes) and a possible piece of
 * a delimiter between calls. No backtracking; the same bytes give the same calls and the same
 * verdict however they were split (part_data may be cut differently).
 * One thread at a time.
 */
#ifndef PYPITOKEN_MULTIPART_H
#define PYPITOKEN_MULTIPART_H

#include "core/slice.h"
#include "core/verdict.h"

#define MULTIPART_BOUNDARY_MAX 70
#define MULTIPART_HEADERS_MAX  1000
#define MULTIPART_PARTS_MAX    1000

typedef struct multipart_t multipart_t;

/* The header block of one part, valid during part_begin only. */
typedef struct multipart_part_t {
    slice_t name;
    slice_t filename;
    int has_filename;
    slice_t type; /* Content-Type as sent, empty if there was none */
} multipart_part_t;

/* Each returns VERDICT_ALLOWED to go on, or a code (after verdict_set on its own verdict) that ends
 * the parse. offset is the position in the body of the first byte of data. */
typedef struct multipart_calls_t {
    verdict_code_t (*part_begin)(void *baton, const multipart_part_t *part, apr_int64_t offset);
    verdict_code_t (*part_data)(void *baton, slice_t data);
    verdict_code_t (*part_end)(void *baton);
} multipart_calls_t;

/* Reads the value of the request's Content-Type header (one header, not merged): on success
 * *boundary points into value. VERDICT_ALLOWED, CONTENT_TYPE (other media type) or BOUNDARY. */
verdict_code_t multipart_boundary(slice_t value, slice_t *boundary);

/* A parser for boundary (copied). calls and baton must outlive it; v gets the verdict. */
multipart_t *multipart_create(slice_t boundary, const multipart_calls_t *calls, void *baton,
                              verdict_t *v, apr_pool_t *pool);

/* The next bytes. VERDICT_ALLOWED, or the verdict that ended the parse; after one, every further
 * call returns it again. */
verdict_code_t multipart_feed(multipart_t *m, const char *p, apr_size_t n);

/* The body has ended: FORM_TRUNCATED unless the closing delimiter was seen. */
verdict_code_t multipart_finish(multipart_t *m);

#endif
