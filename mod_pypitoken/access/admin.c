/* admin.c - what administrators may do; see admin.h. */
#include "access/admin.h"

#include <apr_strings.h>
#include <string.h>

#include "access/enroll.h"
#include "store/people.h"

int admin_named(const apr_array_header_t *names, const char *user)
{
    int i;

    for (i = 0; names && user && i < names->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), user) == 0) {
            return 1;
        }
    }
    return 0;
}

/* ---- seeing ---- */

store_rc_t admin_users(const mine_t *mine, store_user_fn *fn, void *baton)
{
    return mine->admin ? store_user_list(mine->store, fn, baton) : STORE_NOTFOUND;
}

store_rc_t admin_user(const mine_t *mine, slice_t name, store_user_t *user, apr_pool_t *pool)
{
    return mine->admin ? store_user_find(mine->store, name, user, pool) : STORE_NOTFOUND;
}

store_rc_t admin_projects(const mine_t *mine, store_project_fn *fn, void *baton)
{
    return mine->admin ? store_project_list(mine->store, NULL, fn, baton) : STORE_NOTFOUND;
}

store_rc_t admin_token(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool)
{
    return mine->admin && token_is_uuid(id) ? store_token_find(mine->store, id, row, NULL, pool)
                                            : STORE_NOTFOUND;
}

store_rc_t admin_events(const mine_t *mine, const char *user, const char *project,
                        const store_cursor_t *before, apr_int64_t limit, store_event_fn *fn,
                        void *baton)
{
    return mine->admin ? store_event_recent(mine->store, user, project, 0, before, limit, fn, baton)
                       : STORE_NOTFOUND;
}

/* ---- accounts ---- */

/* NOTFOUND for who is none, CONFLICT for what he would do to himself. */
static store_rc_t admin_may(const mine_t *mine, const store_user_t *user)
{
    return !mine->admin                          ? STORE_NOTFOUND
           : strcmp(mine->user, user->name) == 0 ? STORE_CONFLICT
                                                 : STORE_OK;
}

static store_rc_t admin_record(const mine_t *mine, store_rc_t rc, const char *kind,
                               const store_user_t *user)
{
    char detail[256];

    if (rc == STORE_OK) {
        apr_snprintf(detail, sizeof(detail), "user %s", user->name);
        mine_record(mine, kind, NULL, NULL, detail);
    }
    return rc;
}

store_rc_t admin_disable(const mine_t *mine, const store_user_t *user, int disabled)
{
    store_rc_t rc = admin_may(mine, user);

    if (rc == STORE_OK) {
        rc = store_user_set_disabled(mine->store, user->id, disabled);
    }
    return admin_record(mine, rc, disabled ? "user-disabled" : "user-enabled", user);
}

store_rc_t admin_reset_factor(const mine_t *mine, const store_user_t *user)
{
    store_rc_t rc = admin_may(mine, user);

    if (rc == STORE_OK) {
        rc = people_totp_remove(mine->store, user->id);
    }
    return admin_record(mine, rc, "totp-disabled", user);
}

store_rc_t admin_logout(const mine_t *mine, const store_user_t *user)
{
    return admin_record(mine, mine->admin ? people_logout(mine->store, user->id) : STORE_NOTFOUND,
                        "user-logout", user);
}

/* ---- tokens ---- */

store_rc_t admin_revoke(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool)
{
    store_rc_t rc = admin_token(mine, id, row, pool);

    if (rc != STORE_OK) {
        return rc;
    }
    rc = store_token_revoke(mine->store, id, mine->user);
    if (rc == STORE_OK) {
        mine_record(mine, "token-revoked", row->id, NULL,
                    apr_pstrcat(pool, "of ", row->user_name, NULL));
    }
    return rc == STORE_NOTFOUND ? STORE_CONFLICT : rc;
}

leak_t admin_leak(const mine_t *mine, slice_t text, int revoke, store_token_t *row,
                  apr_pool_t *pool)
{
    if (!mine->admin) {
        return LEAK_STRANGE;
    }
    return revoke ? leak_revoke(mine->store, text, mine->user,
                                apr_pstrcat(pool, "told by ", mine->user, NULL), mine->address, row,
                                pool)
                  : leak_look(mine->store, text, row, pool);
}
