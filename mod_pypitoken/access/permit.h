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
    store_project_t project;
    store_role_t role;
    int created; /* the project was made for this upload: confirm or abandon it afterwards */
} permit_t;

/* VERDICT_ALLOWED, or TOKEN_SCOPE and its like, ROLE_MISSING, PROJECT_NEW_REFUSED, STORE_DOWN in
 * *v. */
verdict_code_t permit_upload(permit_t *out, store_t *store, const seam_t *seam,
                             const bearer_t *bearer, const upload_form_t *form,
                             const permit_policy_t *policy, verdict_t *v, apr_pool_t *pool);

/* The handler behind the guard has answered: success != 0 keeps a project made by this upload. */
store_rc_t permit_settle(store_t *store, const permit_t *permit, int success);

#endif
