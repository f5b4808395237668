/*
 * issue.h - a new token: minted, stored, told once. For the command line and the pages alike.
 *
 * The user must be there and enabled; every project must be there (not only claimed by an upload
 * that is still under way) and the user must have a role on it. An expiring token is valid from
 * CAVEAT_BACKDATE seconds before its making, so that a server whose clock is a little behind takes
 * it too. Everything the token may do stands in its own caveats; further restrictions stand in the
 * row as well, so that people can be told. Any thread.
 */
#ifndef PYPITOKEN_ISSUE_H
#define PYPITOKEN_ISSUE_H

#include <apr_tables.h>

#include "access/policy.h"
#include "core/token.h"
#include "store/store.h"

#define ISSUE_NAME_MAX 100 /* bytes of a token's name */

typedef struct issue_request_t {
    const char *service;               /* location; not empty */
    const char *user;                  /* name */
    const char *name;                  /* of the token, for people: UTF-8; "" allowed, NULL is "" */
    const char *const *projects;       /* as written; normalised here; must exist */
    apr_size_t n_projects;             /* 0: everything the user may upload to */
    apr_int64_t expires;               /* Unix seconds, 0 never; else it must lie ahead */
    const apr_array_header_t *caveats; /* of slice_t: further restrictions (narrow.h); NULL: none */
    const policy_t *policy;            /* of the site; NULL: none */
} issue_request_t;

/* What was made. */
typedef struct issue_t {
    const char *id;
    apr_int64_t expires; /* 0: never; by the policy, when the request did not say */
} issue_t;

/* *text gets the token (in pool, wiped with it), *made the rest. NULL, or a sentence for the
 * person who asked, *text and made->id NULL then; *rc tells the kind: NOTFOUND (user or project),
 * CONFLICT (refused: a bound, disabled user, no role), DOWN (store or random generator). */
const char *issue_token(char **text, issue_t *made, store_t *store, const seam_t *seam,
                        const issue_request_t *request, store_rc_t *rc, apr_pool_t *pool);

#endif
