/* store_user.c - the people; see store.h. */
#include "store/store_priv.h"

#include <string.h>

typedef struct store_user_scan_t {
    store_user_t *out; /* the one that is looked for, copied into pool */
    apr_pool_t *pool;
    int found;
    store_user_fn *fn; /* or the one that gets them all */
    void *baton;
} store_user_scan_t;

/* By QUERY_USER_COLUMNS. */
static void store_user_fill(store_user_t *user, const db_value_t *row, apr_pool_t *pool)
{
    user->id = store_copy(&row[0], pool);
    user->name = store_copy(&row[1], pool);
    user->disabled = row[2].i != 0;
    user->has_password = row[3].i != 0;
    user->created = row[4].i;
    user->second_factor = row[5].i != 0;
    user->recovery_codes = (int)row[6].i;
}

static int store_user_one(void *baton, const db_value_t *row)
{
    store_user_scan_t *scan = baton;

    store_user_fill(scan->out, row, scan->pool);
    scan->found = 1;
    return 1;
}

static int store_user_each(void *baton, const db_value_t *row)
{
    store_user_scan_t *scan = baton;
    store_user_t user = {0};

    apr_pool_clear(scan->pool);
    store_user_fill(&user, row, scan->pool);
    return scan->fn(scan->baton, &user);
}

store_rc_t store_user_add(store_t *s, const char *name, const char *hash, store_user_t *out,
                          apr_pool_t *pool)
{
    store_user_t user = {0};
    apr_int64_t taken = 0;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    user.id = store_uuid(s, pool);
    if (!user.id) {
        return STORE_DOWN;
    }
    user.name = slice_dup(slice_of(name), pool);
    user.has_password = hash != NULL;
    user.created = store_now(s);
    do {
        const db_value_t alike[] = {db_cstr(user.name)};
        const db_value_t row[] = {db_cstr(user.id), db_cstr(user.name), db_cstr(user.name),
                                  db_cstr(hash), db_int(user.created)};

        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_USER_ADD, row, STORE_COUNT(row), NULL);
        }
        if (rc == STORE_OK) { /* this one counted: of two at once, each finds the other */
            rc = store_fetch(conn, QUERY_USER_ALIKE, alike, STORE_COUNT(alike), &taken);
        }
        if (rc == STORE_OK && taken > 1) {
            rc = STORE_CONFLICT;
        }
    } while (store_end(s, &conn, &rc));
    if (out) {
        *out = rc == STORE_OK ? user : (store_user_t){0};
    }
    return rc;
}

store_rc_t store_user_find(store_t *s, slice_t name, store_user_t *out, apr_pool_t *pool)
{
    const db_value_t params[] = {db_text(name)};
    store_user_scan_t scan = {out, pool, 0, NULL, NULL};
    store_rc_t rc;

    memset(out, 0, sizeof(*out));
    rc = store_read(s, QUERY_USER_BY_NAME, params, 1, store_user_one, &scan);
    return rc == STORE_OK && !scan.found ? STORE_NOTFOUND : rc;
}

store_rc_t store_user_list(store_t *s, store_user_fn *fn, void *baton)
{
    store_user_scan_t scan = {NULL, NULL, 0, fn, baton};
    store_rc_t rc;

    apr_pool_create(&scan.pool, NULL);
    rc = store_read(s, QUERY_USER_LIST, NULL, 0, store_user_each, &scan);
    apr_pool_destroy(scan.pool);
    return rc;
}

/* ---- passwords ---- */

store_rc_t store_user_set_hash(store_t *s, const char *id, const char *hash)
{
    const db_value_t params[] = {db_cstr(hash), db_text(slice_of(id))};

    return store_change(s, QUERY_USER_SET_HASH, params, STORE_COUNT(params));
}

store_rc_t store_user_set_disabled(store_t *s, const char *id, int disabled)
{
    const db_value_t params[] = {db_int(disabled != 0), db_text(slice_of(id))};

    return store_change(s, QUERY_USER_SET_DISABLED, params, STORE_COUNT(params));
}

/* ---- leaving ---- */

/* Within a transaction: CONFLICT while something depends on the user. The update comes first, for
 * it locks the row: nobody adds a token meanwhile. */
static store_rc_t store_user_free(store_t *s, db_conn_t *conn, const char *id)
{
    const db_value_t params[] = {db_text(slice_of(id)), db_int(store_now(s))};
    const db_value_t disable[] = {db_int(1), db_text(slice_of(id))};
    apr_int64_t there = 0, owned = 0, live = 0;
    store_rc_t rc =
        store_exec(conn, QUERY_USER_SET_DISABLED, disable, STORE_COUNT(disable), &there);

    if (rc == STORE_OK && !there) {
        return STORE_NOTFOUND;
    }
    if (rc == STORE_OK) {
        rc = store_fetch(conn, QUERY_USER_OWNED, params, 1, &owned);
    }
    if (rc == STORE_OK) {
        rc = store_fetch(conn, QUERY_USER_LIVE_TOKENS, params, 2, &live);
    }
    return rc == STORE_OK && (owned || live) ? STORE_CONFLICT : rc;
}

/* Dead tokens and a maintainer's roles go along; events stay, they hold names. */
store_rc_t store_user_remove(store_t *s, const char *id)
{
    static const query_id_t steps[] = {QUERY_USER_DROP_ROLES, QUERY_USER_DROP_TOKENS,
                                       QUERY_USER_REMOVE};
    const db_value_t params[] = {db_text(slice_of(id))};
    db_conn_t *conn = NULL;
    apr_size_t i;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_user_free(s, conn, id);
        }
        for (i = 0; i < STORE_COUNT(steps) && rc == STORE_OK; i++) {
            rc = store_exec(conn, steps[i], params, 1, NULL);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}
