/*
 * rotate.h - a new secret in the place of an old one: for the command line, the API and the pages.
 *
 * The new token has owner, name, projects and restrictions of the old one's row, and a key and an
 * id of its own. What somebody has added to the old token's text offline is unknown here and not in
 * the new one; a limit on the number of uploads counts from the beginning. The old token ends when
 * the overlap is over, or earlier if it was to end earlier; without an overlap it is revoked.
 * Two that read the same row and both rotate it do not both succeed, if that changed its end. The
 * owner's roles and the site's policy are asked as for any new token. Any thread.
 */
#ifndef PYPITOKEN_ROTATE_H
#define PYPITOKEN_ROTATE_H

#include "access/issue.h"

#define ROTATE_OVERLAP     3600         /* seconds, when nobody says */
#define ROTATE_OVERLAP_MAX (30 * 86400) /* the most */

typedef struct rotate_request_t {
    const char *service;
    const policy_t *policy; /* of the site; NULL: none */
    const char *by;         /* who revokes the old token, when that is asked for */
    apr_int64_t expires; /* of the new token, Unix seconds; 0: it lives as long as the old one was
                          * to live from its making to its end, if that has one */
    const char *overlap; /* a span like "2h", "0" for none; NULL: ROTATE_OVERLAP */
} rotate_request_t;

typedef struct rotate_t {
    char *text;        /* the new token, in pool, wiped with it */
    issue_t issued;    /* what else there is to say of it */
    apr_int64_t until; /* the old one is good until then; 0: it is revoked */
} rotate_t;

/* NULL, or a sentence for the person who asked; *rc as issue_token's, CONFLICT too for a token that
 * is not live or an overlap that is none. Then the old token is as it was. */
const char *rotate_token(rotate_t *made, store_t *store, const seam_t *seam,
                         const store_token_t *old, const rotate_request_t *request, store_rc_t *rc,
                         apr_pool_t *pool);

/* For the events of both, in pool. */
const char *rotate_detail_new(const store_token_t *old, apr_pool_t *pool);
const char *rotate_detail_old(const rotate_t *made, apr_pool_t *pool);

#endif
