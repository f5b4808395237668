/*
 * part.h - the header block of one part: DESIGN section 6, rules 3 and 4.
 *
 * The shapes that every reader takes alike, and nothing else (RFC 7578 without
 * its liberties). Pure; any thread.
 */
#ifndef PYPITOKEN_PART_H
#define PYPITOKEN_PART_H

#include "core/multipart.h"

/* Reads a block of header lines, each with its CRLF, without the empty line at
 * the end. *out points into block. VERDICT_ALLOWED, PART_HEADER,
 * PART_DISPOSITION or PART_TYPE in *v. */
verdict_code_t part_parse(multipart_part_t *out, slice_t block, verdict_t *v, apr_pool_t *pool);

#endif
