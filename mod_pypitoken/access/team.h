/*
 * team.h - a project among the people who have a role on it: what each may see and do.
 *
 * Maintainers see who has a role, which tokens can upload to it (by their names and their owners',
 * not what else they are good for) and what was uploaded. Owners, besides, give roles and take
 * them. Administrators (admin.h) may what owners may. For all others there is no such project.
 * Every change is an event. Any thread.
 */
#ifndef PYPITOKEN_TEAM_H
#define PYPITOKEN_TEAM_H

#include "access/mine.h"

typedef struct team_t {
    store_project_t project;
    store_role_t role; /* of who asks; NONE for an administrator without one */
    int rules;         /* may give and take roles */
} team_t;

/* The project of a normalised name. NOTFOUND also for who has no role on it and is no
 * administrator, and, but for administrators, for one whose first upload has not arrived. */
store_rc_t team_find(team_t *team, const mine_t *mine, slice_t norm, apr_pool_t *pool);

/* The people, by name. */
store_rc_t team_roles(const mine_t *mine, const team_t *team, store_role_fn *fn, void *baton);

/* Every token that an upload to the project could be made with now: live, of an enabled account
 * with a role, and not held to other projects by itself or its row. row->scope, used_file and
 * caveats are not for other eyes than its owner's. One statement. */
store_rc_t team_tokens(const mine_t *mine, const team_t *team, store_token_fn *fn, void *baton,
                       apr_pool_t *pool);

/* Uploads that were let through, the last first ("upload", and "upload-failed" where the back end
 * has then refused one). */
store_rc_t team_uploads(const mine_t *mine, const team_t *team, const store_cursor_t *before,
                        apr_int64_t limit, store_event_fn *fn, void *baton);

/* Gives user_name a role, or takes it (NONE). NULL, or a sentence: *rc NOTFOUND (no such user; no
 * role to take), CONFLICT (not an owner; it is the last owner), DOWN. */
const char *team_set(const mine_t *mine, const team_t *team, slice_t user_name, store_role_t role,
                     store_rc_t *rc, apr_pool_t *pool);

#endif
