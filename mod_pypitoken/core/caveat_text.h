/*
 * caveat_text.h - one caveat's JSON, read; the lower half of caveat.c, for nobody else. The tags
 * from 1000 on are read by caveat_private.c.
 *
 * What comes out is checked for shape only (types, tags, known keys), not judged. Pure; any thread.
 * Source: reference section 2.1 (arrays) and 2.2 (objects of 2019-2022).
 */
#ifndef PYPITOKEN_CAVEAT_TEXT_H
#define PYPITOKEN_CAVEAT_TEXT_H

#include "core/slice.h"

#define CAVEAT_TEXT_MAX_DEPTH 16 /* of arrays and objects in one another; real ones need 3 */

typedef enum caveat_kind_t {
    CAVEAT_EXPIRATION,
    CAVEAT_PROJECT_NAMES,
    CAVEAT_PROJECT_IDS,
    CAVEAT_USER,     /* list holds the one user id */
    CAVEAT_ANY_USER, /* legacy {"permissions": "user"}: whoever owns the token */
    CAVEAT_NETWORKS, /* 1000; from here on the private ones, in the order of their tags */
    CAVEAT_VERSIONS,
    CAVEAT_DIGESTS,
    CAVEAT_GLOBS,
    CAVEAT_USES, /* uses holds the number */
    CAVEAT_FILE_KINDS,
    CAVEAT_CREATION, /* list holds the one word */
    CAVEAT_FILE_NAMES
} caveat_kind_t;

typedef struct caveat_text_t {
    caveat_kind_t kind;
    apr_int64_t expires; /* integers of the text beyond 64 bits are the nearest end of the range */
    apr_int64_t not_before;
    apr_int64_t uses;
    const slice_t *list; /* decoded strings, in pool; may hold NULs */
    apr_size_t n;
} caveat_text_t;

/* The strings of array as slices in pool: NULL and out->kind, list and n filled, or why not. */
struct json_t;
const char *caveat_text_list(caveat_text_t *out, caveat_kind_t kind, const struct json_t *array,
                             apr_pool_t *pool);

/* NULL and *out filled, or why the caveat denies: static, or in pool; printable ASCII. */
const char *caveat_text_read(caveat_text_t *out, slice_t text, apr_pool_t *pool);

#endif
