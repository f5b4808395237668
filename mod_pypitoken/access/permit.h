/*
 * permit.h - may this bearer upload this form: scope, role, and what happens to new projects.
 * Any thread.
 */
#ifndef PYPITOKEN_PERMIT_H
#define PYPITOKEN_PERMIT_H

#include "access/bearer.h"
#include "core/upload.h"

typedef struct permit_policy_t {
    int new_projects; /* PyPITokenNewProjects Anyone */
} permit_policy_t;

typedef struct permit_t {
    const char *user_id;
    const upload_form_t *form;
    store_project_t project; /* id NULL while the project is not known yet */
    store_role_t role;       /* OWNER for a project that this upload will make */
    int fresh;               /* the project was made for this upload */
    const bearer_t *bearer;
    int recorded; /* its event is in the trail */
    int held;     /* uses are taken from the bearer's counters */
    int settled;  /* permit_settle was here */
} permit_t;

/* Decides, changes nothing: still the bearer (who is as of now afterwards), scope, then role.
 * bearer and form must live as long as *out. VERDICT_ALLOWED; or in *v what bearer_still says,
 * TOKEN_SCOPE and its like, ROLE_MISSING, PROJECT_NEW_REFUSED, STORE_DOWN. */
verdict_code_t permit_upload(permit_t *out, store_t *store, const seam_t *seam, bearer_t *bearer,
                             const upload_form_t *form, const permit_policy_t *policy, verdict_t *v,
                             apr_pool_t *pool);

/* Carries an allowed upload into the store, last thing before a handler sees it: takes a use where
 * the token counts them, makes a new project with its owner (not confirmed yet) and records the use
 * and event. VERDICT_ALLOWED, or nothing is left behind: TOKEN_CAVEAT (all uses are spent, or a
 * token for new projects came second), ROLE_MISSING (somebody else made the project meanwhile),
 * STORE_DOWN. A project that was not confirmed when permit_upload saw it is looked at again, and
 * the caveats are held against what it is now. */
verdict_code_t permit_commit(permit_t *permit, store_t *store, const seam_t *seam,
                             const store_event_t *event, verdict_t *v, apr_pool_t *pool);

typedef enum permit_end_t {
    PERMIT_ARRIVED, /* the back end has it */
    PERMIT_REFUSED, /* the back end has said that it does not take it */
    PERMIT_UNKNOWN  /* anything else: it may have it, as after a timeout */
} permit_end_t;

/* The handler behind the guard has answered: ARRIVED confirms a project made by this upload,
 * REFUSED forgets it, unless another upload to it may have arrived or still may, and gives back
 * what was taken of a counted use. UNKNOWN changes nothing: the name stays with whoever uploaded
 * and the use stays taken, as they do when no end is ever told because the process died. A file of
 * his may be in the back end; nobody else gets a project that has it, and a token for one upload is
 * not good for two. His next upload that arrives confirms the project, and the operator can remove
 * it. Only the first call does something. */
store_rc_t permit_settle(store_t *store, permit_t *permit, permit_end_t end, apr_pool_t *pool);

#endif
