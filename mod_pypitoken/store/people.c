/* people.c - an account as a login sees it, and what a login leaves behind; see people.h. */
#include "store/people_priv.h"

#include <string.h>

typedef struct people_scan_t {
    slice_t name;
    people_t *out;
    slice_t sealed;
    int rows, exact;
    apr_pool_t *pool;
} people_scan_t;

/* The row of exactly this name wins over those that only fold alike. */
static int people_row(void *baton, const db_value_t *row)
{
    people_scan_t *scan = baton;
    people_t *p = scan->out;
    int exact = slice_equal(row[1].s, scan->name);

    scan->rows++;
    if (scan->exact || (scan->rows > 1 && !exact)) {
        return 0;
    }
    scan->exact = exact;
    p->id = store_copy(&row[0], scan->pool);
    p->name = store_copy(&row[1], scan->pool);
    p->disabled = row[2].i != 0;
    p->hash = store_copy(&row[3], scan->pool);
    p->epoch = row[4].i;
    people_totp_fill(&p->totp, &scan->sealed, row + 5, scan->pool);
    return 0;
}

store_rc_t people_find(store_t *s, slice_t name, const char *fold, people_t *out, apr_pool_t *pool)
{
    const db_value_t params[] = {db_text(name), db_cstr(fold)};
    people_scan_t scan = {name, out, {NULL, 0}, 0, 0, pool};
    store_rc_t rc;

    memset(out, 0, sizeof(*out));
    if (!*fold) {
        return STORE_NOTFOUND; /* rows of programs of schema 1 have an empty one, too */
    }
    rc = store_read(s, QUERY_PEOPLE_FIND, params, STORE_COUNT(params), people_row, &scan);
    out->alike = scan.rows;
    if (rc == STORE_OK && !scan.rows) {
        rc = STORE_NOTFOUND;
    } else if (rc == STORE_OK && scan.rows > 1 && !scan.exact) {
        rc = STORE_CONFLICT;
    } else if (rc == STORE_OK) {
        rc = people_totp_open(s, out->id, &out->totp, scan.sealed, pool);
    }
    if (rc != STORE_OK) {
        memset(out, 0, sizeof(*out));
    }
    return rc;
}

/* ---- a login ---- */

/* Within a transaction: one statement that must meet one row. */
static store_rc_t people_spend(db_conn_t *conn, query_id_t query, const db_value_t *params,
                               apr_size_t n)
{
    apr_int64_t changed = 0;
    store_rc_t rc = store_exec(conn, query, params, n, &changed);

    return rc == STORE_OK && changed != 1 ? STORE_CONFLICT : rc;
}

static store_rc_t people_login_steps(store_t *s, db_conn_t *conn, const people_login_t *l)
{
    const db_value_t totp[] = {db_int(l->counter), db_cstr(l->totp_id), db_cstr(l->user_id),
                               db_int(l->counter)};
    const db_value_t recovery[] = {
        db_int(store_now(s)), db_cstr(l->user_id),
        db_blob(slice_make((const char *)l->recovery, l->recovery ? PEOPLE_RECOVERY_HASH : 0))};
    const db_value_t hash[] = {db_cstr(l->new_hash), db_cstr(l->user_id), db_cstr(l->old_hash)};
    store_event_t event = store_event_timed(s, l->event);
    store_event_t extra = store_event_timed(s, l->extra ? l->extra : l->event);
    store_rc_t rc = STORE_OK;

    if (l->totp_id) {
        rc = people_spend(conn, QUERY_TOTP_SPEND, totp, STORE_COUNT(totp));
    }
    if (rc == STORE_OK && l->recovery) {
        rc = people_spend(conn, QUERY_RECOVERY_SPEND, recovery, STORE_COUNT(recovery));
    }
    if (rc == STORE_OK && l->new_hash) {
        /* somebody may have set another password meanwhile: that one stays */
        rc = store_exec(conn, QUERY_USER_REHASH, hash, STORE_COUNT(hash), NULL);
    }
    if (rc == STORE_OK) {
        rc = store_event_insert(conn, &event);
    }
    if (rc == STORE_OK && l->extra) {
        rc = store_event_insert(conn, &extra);
    }
    return rc;
}

store_rc_t people_login(store_t *s, const people_login_t *login)
{
    /* what must not come back with a power cut waits for the disk */
    db_sync_t sync = login->recovery || login->new_hash ? DB_DURABLE : DB_SOON;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, sync, &conn);
        if (rc == STORE_OK) {
            rc = people_login_steps(s, conn, login);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

/* ---- sessions ---- */

store_rc_t people_logout(store_t *s, const char *user_id)
{
    const db_value_t params[] = {db_cstr(user_id)};

    return store_change(s, QUERY_USER_LOGOUT, params, STORE_COUNT(params));
}
