/* team.c - a project among its people; see team.h. */
#include "access/team.h"

#include <apr_strings.h>
#include <string.h>

#include "core/caveat.h"

store_rc_t team_find(team_t *team, const mine_t *mine, slice_t norm, apr_pool_t *pool)
{
    store_user_t user = {0};
    store_rc_t rc;

    memset(team, 0, sizeof(*team));
    rc = store_user_find(mine->store, slice_of(mine->user), &user, pool);
    if (rc == STORE_OK) {
        rc = store_project_role(mine->store, slice_dup(norm, pool), user.id, &team->project,
                                &team->role, pool);
    }
    if (rc == STORE_OK && !mine->admin &&
        (team->role == STORE_ROLE_NONE || !team->project.confirmed)) {
        rc = STORE_NOTFOUND;
    }
    team->rules = rc == STORE_OK && (mine->admin || team->role == STORE_ROLE_OWNER);
    if (rc != STORE_OK) {
        memset(team, 0, sizeof(*team));
    }
    return rc;
}

store_rc_t team_roles(const mine_t *mine, const team_t *team, store_role_fn *fn, void *baton)
{
    return store_role_list(mine->store, team->project.id, fn, baton);
}

/* ---- tokens ---- */

typedef struct team_scan_t {
    const team_t *team;
    apr_int64_t now;
    store_token_fn *fn;
    void *baton;
    apr_pool_t *pool;
} team_scan_t;

/* Held against the caveats of its row as an upload would be, as far as the project goes. */
static int team_reaches(const team_scan_t *scan, const store_token_t *row)
{
    caveat_context_t context = {.now = scan->now,
                                .user_id = slice_of(row->user_id),
                                .project = slice_of(scan->team->project.norm),
                                .project_id = slice_of(scan->team->project.id),
                                .shown = scan->team->project.norm};
    apr_size_t i;
    verdict_t v;
    int good = 1;

    for (i = 0; i < row->n_caveats && good; i++) {
        good = !caveat_of_project(row->caveats[i], scan->pool) ||
               caveat_check(&row->caveats[i], 1, &context, CAVEAT_PHASE_FORM, &v, scan->pool) ==
                   VERDICT_ALLOWED;
    }
    return good;
}

static int team_token(void *baton, const store_token_t *row)
{
    team_scan_t *scan = baton;
    int stop = 0;

    apr_pool_clear(scan->pool);
    if (!row->user_disabled && !row->revoked && (!row->expires || scan->now < row->expires) &&
        team_reaches(scan, row)) {
        stop = scan->fn(scan->baton, row);
    }
    return stop;
}

store_rc_t team_tokens(const mine_t *mine, const team_t *team, store_token_fn *fn, void *baton,
                       apr_pool_t *pool)
{
    team_scan_t scan = {team, mine->seam->now(), fn, baton, NULL};
    store_rc_t rc;

    apr_pool_create(&scan.pool, pool);
    rc = store_token_reaching(mine->store, &team->project, team_token, &scan);
    apr_pool_destroy(scan.pool);
    return rc;
}

store_rc_t team_uploads(const mine_t *mine, const team_t *team, const store_cursor_t *before,
                        apr_int64_t limit, store_event_fn *fn, void *baton)
{
    return store_event_recent(mine->store, NULL, team->project.norm, 1, before, limit, fn, baton);
}

/* ---- roles ---- */

static const char *team_refuse(store_rc_t *rc, store_rc_t kind, const char *sentence)
{
    *rc = kind;
    return sentence;
}

const char *team_set(const mine_t *mine, const team_t *team, slice_t user_name, store_role_t role,
                     store_rc_t *rc, apr_pool_t *pool)
{
    static const char *const words[] = {"none", "maintainer", "owner"}; /* as pypitokenctl's */
    store_user_t user = {0};

    if (!team->rules) {
        return team_refuse(rc, STORE_CONFLICT, "Only an owner of the project may do that.");
    }
    *rc = store_user_find(mine->store, user_name, &user, pool);
    if (*rc == STORE_NOTFOUND) {
        return apr_psprintf(pool, "There is no user '%s'.", slice_printable(user_name, 100, pool));
    }
    if (*rc == STORE_OK) {
        *rc = store_role_change(mine->store, team->project.id, user.id, role);
    }
    if (*rc == STORE_CONFLICT) {
        return "A project keeps at least one owner: make somebody else an owner first.";
    }
    if (*rc == STORE_NOTFOUND) {
        return apr_psprintf(pool, "The user '%s' has no role on this project.", user.name);
    }
    if (*rc != STORE_OK) {
        return team_refuse(rc, STORE_DOWN, "The token database cannot be used at the moment.");
    }
    mine_record(mine, role == STORE_ROLE_NONE ? "role-removed" : "role-added", NULL,
                team->project.norm, apr_psprintf(pool, "user %s, role %s", user.name, words[role]));
    return NULL;
}
