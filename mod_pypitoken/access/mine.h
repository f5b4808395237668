/*
 * mine.h - what a person may see and do by himself: his own tokens, the projects he has a role on.
 *
 * Another one's token is as one that is not there. Every change is an event. Any thread.
 */
#ifndef PYPITOKEN_MINE_H
#define PYPITOKEN_MINE_H

#include "access/issue.h"
#include "access/rotate.h"

/* Who acts, and from where. */
typedef struct mine_t {
    store_t *store;
    const seam_t *seam;
    const char *user; /* name of the account */
    const char *address, *agent;
    int admin; /* admin_named has said so */
} mine_t;

/* The event of something that was done; each but kind may be NULL. What was done stays done when it
 * cannot be written: the store has told the log. */
void mine_record(const mine_t *mine, const char *kind, const char *token_id, const char *project,
                 const char *detail);

/* The token's row. NOTFOUND also for somebody else's. */
store_rc_t mine_token(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool);

/* NOTFOUND as above, CONFLICT when it was revoked before. row as it was before. */
store_rc_t mine_revoke(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool);

/* Whoever holds a token may end it: revokes row for its owner. CONFLICT when it was revoked before.
 */
store_rc_t mine_burn(const mine_t *mine, const store_token_t *row);

/* What a token is at that moment: "live", "revoked", "expired" or "disabled" (its owner is). */
const char *mine_state(const store_token_t *row, apr_int64_t now);

/* rotate_token for the person, and its events; *old is the row as it was before. */
const char *mine_rotate(const mine_t *mine, slice_t id, store_token_t *old, rotate_t *made,
                        const rotate_request_t *request, store_rc_t *rc, apr_pool_t *pool);

/* issue_token for the person (request->user is set here), and its event. words: what the caveats
 * say, for the event; NULL for none. */
const char *mine_issue(const mine_t *mine, char **text, issue_t *made, issue_request_t *request,
                       const char *words, store_rc_t *rc, apr_pool_t *pool);

/* The projects with a role of his, by normalised name; none for somebody who has no account here.
 */
store_rc_t mine_projects(const mine_t *mine, store_project_role_fn *fn, void *baton,
                         apr_pool_t *pool);

/* What is on record about him (as whoever acted), the last first. */
store_rc_t mine_events(const mine_t *mine, const store_cursor_t *before, apr_int64_t limit,
                       store_event_fn *fn, void *baton);

#endif
