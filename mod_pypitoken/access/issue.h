/*
 * issue.h - a new token: minted, stored, told once. For the command line and the pages alike.
 */
#ifndef PYPITOKEN_ISSUE_H
#define PYPITOKEN_ISSUE_H

#include "core/token.h"
#include "store/store.h"

typedef struct issue_request_t {
    const char *service;         /* location */
    const char *user;            /* name */
    const char *name;            /* of the token, for people; "" allowed */
    const char *const *projects; /* as written; normalised here; must exist */
    apr_size_t n_projects;       /* 0: everything the user may upload to */
    apr_int64_t expires;         /* Unix seconds, 0 never */
} issue_request_t;

/* *text gets the token (in pool, wiped with it), *id its identifier. NULL, or a sentence for the
 * person who asked; *rc tells the kind (NOTFOUND: user or project, DOWN, ...). */
const char *issue_token(char **text, const char **id, store_t *store, const seam_t *seam,
                        const issue_request_t *request, store_rc_t *rc, apr_pool_t *pool);

#endif
