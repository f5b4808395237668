/*
 * caveat_private.h - the caveats that only this project knows, tags 1000 to 1007; the narrower half
 * of caveat.c. Their bytes and meaning are specified in doc/caveats.
 *
 *   1000 networks  1001 versions  1002 digests  1003 project names with a trailing *
 *   1004 number of uses  1005 kinds of file  1006 "new" or "existing"  1007 file names
 *
 * Lists are alternatives: one that matches is enough; an empty list, an item that is not well
 * formed, a field too many or too few deny the whole caveat. Pure; any thread.
 */
#ifndef PYPITOKEN_CAVEAT_PRIVATE_H
#define PYPITOKEN_CAVEAT_PRIVATE_H

#include <jansson.h>

#include "core/caveat.h"
#include "core/caveat_text.h"

/* The reader of a tag, NULL when it is none of these. Returns NULL and fills *out, or says why the
 * caveat denies. array is the whole caveat. */
typedef const char *caveat_private_read_fn(caveat_text_t *out, const json_t *array,
                                           apr_pool_t *pool);
caveat_private_read_fn *caveat_private_reader(apr_int64_t tag);

/* NULL when the request is one that the caveat allows, else why not, in pool: "its version caveat
 * does not allow 2.0". kind must be a private one. What the phase does not know yet is not judged;
 * uses are counted elsewhere. */
const char *caveat_private_judge(const caveat_text_t *caveat, const caveat_context_t *context,
                                 caveat_phase_t phase, apr_pool_t *pool);

/* The caveat in words, in pool. */
const char *caveat_private_describe(const caveat_text_t *caveat, apr_pool_t *pool);

#endif
