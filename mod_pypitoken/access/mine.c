/* mine.c - a person's own tokens and projects; see mine.h. */
#include "access/mine.h"

#include <apr_strings.h>
#include <string.h>

void mine_record(const mine_t *mine, const char *kind, const char *token_id, const char *project,
                 const char *detail)
{
    store_event_t event = {.kind = kind,
                           .user = mine->user,
                           .token_id = token_id,
                           .project = project,
                           .address = mine->address,
                           .agent = mine->agent,
                           .detail = detail};

    (void)store_event_add(mine->store, &event);
}

store_rc_t mine_token(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool)
{
    store_rc_t rc =
        token_is_uuid(id) ? store_token_find(mine->store, id, row, NULL, pool) : STORE_NOTFOUND;

    if (rc == STORE_OK && strcmp(row->user_name, mine->user) != 0) {
        memset(row, 0, sizeof(*row));
        rc = STORE_NOTFOUND;
    }
    return rc;
}

store_rc_t mine_revoke(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool)
{
    store_rc_t rc = mine_token(mine, id, row, pool);

    if (rc != STORE_OK) {
        return rc;
    }
    rc = store_token_revoke(mine->store, id, mine->user);
    if (rc == STORE_OK) {
        mine_record(mine, "token-revoked", row->id, NULL, NULL);
    }
    return rc == STORE_NOTFOUND ? STORE_CONFLICT : rc;
}

store_rc_t mine_burn(const mine_t *mine, const store_token_t *row)
{
    store_rc_t rc = store_token_revoke(mine->store, slice_of(row->id), row->user_name);

    if (rc == STORE_OK) {
        mine_record(mine, "token-revoked", row->id, NULL, "by the token itself");
    }
    return rc == STORE_NOTFOUND ? STORE_CONFLICT : rc;
}

const char *mine_state(const store_token_t *row, apr_int64_t now)
{
    return row->revoked                          ? "revoked"
           : row->expires && now >= row->expires ? "expired"
           : row->user_disabled                  ? "disabled"
                                                 : "live";
}

const char *mine_rotate(const mine_t *mine, slice_t id, store_token_t *old, rotate_t *made,
                        const rotate_request_t *request, store_rc_t *rc, apr_pool_t *pool)
{
    const char *wrong;

    memset(made, 0, sizeof(*made));
    *rc = mine_token(mine, id, old, pool);
    if (*rc != STORE_OK) {
        return *rc == STORE_NOTFOUND ? "There is no such token."
                                     : "The token database cannot be used at the moment.";
    }
    wrong = rotate_token(made, mine->store, mine->seam, old, request, rc, pool);
    if (!wrong) {
        mine_record(mine, "token-created", made->issued.id, NULL, rotate_detail_new(old, pool));
        mine_record(mine, "token-rotated", old->id, NULL, rotate_detail_old(made, pool));
    }
    return wrong;
}

const char *mine_issue(const mine_t *mine, char **text, issue_t *made, issue_request_t *request,
                       const char *words, store_rc_t *rc, apr_pool_t *pool)
{
    const char *wrong, *detail = request->name && *request->name
                                     ? apr_pstrcat(pool, "name ", request->name, NULL)
                                     : NULL;

    request->user = mine->user;
    wrong = issue_token(text, made, mine->store, mine->seam, request, rc, pool);
    if (!wrong) {
        detail = words ? apr_pstrcat(pool, detail ? detail : "", detail ? ", " : "", words, NULL)
                       : detail;
        mine_record(mine, "token-created", made->id, NULL, detail);
    }
    return wrong;
}

store_rc_t mine_projects(const mine_t *mine, store_project_role_fn *fn, void *baton,
                         apr_pool_t *pool)
{
    store_user_t user = {0};
    store_rc_t rc = store_user_find(mine->store, slice_of(mine->user), &user, pool);

    if (rc == STORE_NOTFOUND) {
        return STORE_OK;
    }
    return rc == STORE_OK ? store_project_of(mine->store, user.id, fn, baton) : rc;
}

store_rc_t mine_events(const mine_t *mine, const store_cursor_t *before, apr_int64_t limit,
                       store_event_fn *fn, void *baton)
{
    return store_event_recent(mine->store, mine->user, NULL, 0, before, limit, fn, baton);
}
