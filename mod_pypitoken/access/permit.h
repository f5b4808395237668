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
} permit_t;

/* Decides, changes nothing: scope, then role.
 * VERDICT_ALLOWED, or TOKEN_SCOPE and its like, ROLE_MISSING, PROJECT_NEW_REFUSED, STORE_DOWN in
 * *v. form must live as long as *out. */
verdict_code_t permit_upload(permit_t *out, store_t *store, const seam_t *seam,
                             const bearer_t *bearer, const upload_form_t *form,
                             const permit_policy_t *policy, verdict_t *v, apr_pool_t *pool);

/* Carries an allowed upload into the store, last thing before a handler sees it: makes a new
 * project with its owner (not confirmed yet) and records the use and event in one transaction.
 * VERDICT_ALLOWED, ROLE_MISSING (somebody else made the project meanwhile) or STORE_DOWN. */
verdict_code_t permit_commit(permit_t *permit, store_t *store, const seam_t *seam,
                             const store_event_t *event, verdict_t *v, apr_pool_t *pool);

/* The handler behind the guard has answered: success != 0 keeps a project made by this upload, 0
 * forgets one that nobody has uploaded to. */
store_rc_t permit_settle(store_t *store, const permit_t *permit, int success, apr_pool_t *pool);

#endif
