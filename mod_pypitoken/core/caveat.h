/*
 * caveat.h - what a token's caveats say, with PyPI's semantics.
 *
 * Tags 0 Expiration, 1 ProjectName, 2 ProjectID, 3 RequestUser, and the three legacy object forms
 * of 2019-2022; and this project's own, 1000 to 1007 (caveat_private.h). Everything else denies:
 * tag 4, unknown tags, wrong types, text that is not JSON. Pure; any thread. Source: warehouse's
 * caveats (behaviour) for PyPI's, doc/caveats for our own.
 */
#ifndef PYPITOKEN_CAVEAT_H
#define PYPITOKEN_CAVEAT_H

#include "core/slice.h"
#include "core/verdict.h"

/* The request that the caveats are held against. An empty project means "no project context". */
typedef struct caveat_context_t {
    apr_int64_t now;    /* Unix seconds */
    slice_t user_id;    /* lower-case UUID of the token's owner */
    slice_t project;    /* normalised name */
    slice_t project_id; /* lower-case UUID; empty for a project that does not exist yet */
    const char *shown;  /* the project's name as the uploader wrote it, for the sentence */
    slice_t address;    /* of the client, as text; empty: not known; CAVEAT_PHASE_UPLOAD denies */
    /* of the upload; NULL or empty matches nothing */
    const char *version; /* normal form */
    const char *filename;
    const char *filetype; /* by the file name: sdist or bdist_wheel */
    slice_t sha256;       /* of the bytes received, 64 hexadecimal digits */
    int fresh;            /* the upload would make the project */
} caveat_context_t;

typedef enum caveat_phase_t {
    CAVEAT_PHASE_BEARER, /* before the body: what needs the form is read, not yet judged */
    CAVEAT_PHASE_FORM,   /* the form is known, the file's bytes are not */
    CAVEAT_PHASE_UPLOAD  /* everything is judged */
} caveat_phase_t;

/* Evaluates all n caveats, none is skipped; *v gets the first useful verdict.
 * VERDICT_ALLOWED, TOKEN_EXPIRED, TOKEN_NOT_YET, TOKEN_SCOPE, TOKEN_USER, TOKEN_CAVEAT (detail: the
 * reason, e.g. "caveat has unknown tag: 9"). v->log lists every failure, comma-separated. */
verdict_code_t caveat_check(const slice_t *caveats, apr_size_t n, const caveat_context_t *context,
                            caveat_phase_t phase, verdict_t *v, apr_pool_t *pool);

/* The same for caveats that are read once and asked several things. A set lives in pool and points
 * into its caveats; NULL is a set of none. */
typedef struct caveat_set_t caveat_set_t;
caveat_set_t *caveat_set(const slice_t *caveats, apr_size_t n, apr_pool_t *pool);
verdict_code_t caveat_set_check(const caveat_set_t *set, const caveat_context_t *context,
                                caveat_phase_t phase, verdict_t *v, apr_pool_t *pool);

/* 1 when one of the caveats asks for the digest of the file. */
int caveat_set_wants_digest(const caveat_set_t *set);

/* How many accepted uploads the caveat at i allows; 0 when it does not speak of that. Counting is
 * up to the caller: caveat_check takes the caveat for kept. */
apr_int64_t caveat_set_uses(const caveat_set_t *set, apr_size_t i);

/* 1 when the caveat holds a token to certain projects or files; the pattern "*" does not. */
int caveat_confines(slice_t caveat, apr_pool_t *pool);

/* 1 when whether it denies is a matter of project, owner and time alone, whatever the upload; so it
 * is with what is not well formed. */
int caveat_of_project(slice_t caveat, apr_pool_t *pool);

/* One caveat in words for people ("only the projects a, b", "until 2026-01-01T00:00:00Z"); text
 * that does not parse is said to deny. In pool, printable ASCII. */
const char *caveat_describe(slice_t caveat, apr_pool_t *pool);

/* All of them, with "; " between; NULL for none. */
const char *caveat_describe_all(const slice_t *caveats, apr_size_t n, apr_pool_t *pool);

/* How long before its making a token that expires begins, in seconds: the clock of the server that
 * is to take it may be a little behind. */
#define CAVEAT_BACKDATE 60

/* The caveats that this project mints, compact JSON as PyPI emits it, in pool. Strings are
 * JSON-escaped. exp and nbf are Unix seconds. What cannot be written (text that is not UTF-8, no
 * memory) comes out empty: an empty caveat denies. */
slice_t caveat_expiration(apr_int64_t exp, apr_int64_t nbf, apr_pool_t *pool);
slice_t caveat_projects(const slice_t *names, apr_size_t n, apr_pool_t *pool);  /* tag 1 */
slice_t caveat_project_ids(const slice_t *ids, apr_size_t n, apr_pool_t *pool); /* tag 2 */
slice_t caveat_user(slice_t user_id, apr_pool_t *pool);                         /* tag 3 */

/* Our own. Whether the items are well formed is for caveat_fault to tell. */
#define CAVEAT_TAG_NETWORKS   1000
#define CAVEAT_TAG_VERSIONS   1001
#define CAVEAT_TAG_DIGESTS    1002
#define CAVEAT_TAG_GLOBS      1003
#define CAVEAT_TAG_USES       1004
#define CAVEAT_TAG_FILE_KINDS 1005
#define CAVEAT_TAG_CREATION   1006
#define CAVEAT_TAG_FILE_NAMES 1007
#define CAVEAT_USES_MAX       1000000
slice_t caveat_list(int tag, const slice_t *items, apr_size_t n, apr_pool_t *pool);
slice_t caveat_number(int tag, apr_int64_t n, apr_pool_t *pool);
slice_t caveat_word(int tag, slice_t word, apr_pool_t *pool);

/* NULL, or why a caveat denies whatever is asked of it: it is not well formed. Static or in pool.
 */
const char *caveat_fault(slice_t caveat, apr_pool_t *pool);

#endif
