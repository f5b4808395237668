/* store.c - the way from an operation to the database and back, and housekeeping; see store.h and
 * store_priv.h. */
#include "store/store_priv.h"

#include "core/utf8.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

/* ---- words and numbers ---- */

void store_log(const store_t *s, const char *line)
{
    if (s->log) {
        s->log(s->baton, line);
    }
}

store_rc_t store_down(const store_t *s, const char *what)
{
    char line[2 * DB_WHY_MAX];

    apr_snprintf(line, sizeof(line), "store %s: %s", s->place, what);
    store_log(s, line);
    return STORE_DOWN;
}

apr_int64_t store_now(const store_t *s)
{
    return s->seam->now();
}

apr_uint64_t store_statements(const store_t *s)
{
    return db_statements(s->db);
}

const char *store_uuid(const store_t *s, apr_pool_t *pool)
{
    static const unsigned char groups[] = {4, 2, 2, 2, 6};
    unsigned char bytes[16], *b = bytes;
    char hex[2 * 6 + 1], *out = apr_pcalloc(pool, 37), *p = out;
    apr_size_t i;

    if (s->seam->random(bytes, sizeof(bytes))) {
        (void)store_down(s, "no random bytes");
        return NULL;
    }
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* and its variant */
    for (i = 0; i < sizeof(groups); i++) {
        sodium_bin2hex(hex, sizeof(hex), b, groups[i]);
        b += groups[i];
        p += apr_snprintf(p, (apr_size_t)(out + 37 - p), i ? "-%s" : "%s", hex);
    }
    return out;
}

const char *store_copy(const db_value_t *value, apr_pool_t *pool)
{
    return value->type == DB_NULL ? NULL : slice_dup(value->s, pool);
}

db_value_t store_cut(const char *text)
{
    db_value_t v = db_cstr(text);

    if (v.s.n > STORE_TEXT_MAX) {
        v.s.n = STORE_TEXT_MAX;
        while (v.s.n && ((unsigned char)v.s.p[v.s.n] & 0xc0) == 0x80) {
            v.s.n--;
        }
    }
    return v;
}

/* ---- operations ---- */

/* One line for a failure; those of a database that is left alone have been told before. */
static store_rc_t store_failed(const store_t *s, db_rc_t rc, const char *why)
{
    return rc == DB_OK ? STORE_OK : rc == DB_DOWN ? STORE_DOWN : store_down(s, why);
}

/* 1 when a text is none: it stands in no row, so that nothing needs to be asked. */
static int store_nowhere(const db_value_t *params, apr_size_t n)
{
    apr_size_t i;

    for (i = 0; i < n && (params[i].type != DB_TEXT || utf8_valid(params[i].s)); i++) {
    }
    return i < n;
}

store_rc_t store_read(store_t *s, query_id_t query, const db_value_t *params, apr_size_t n,
                      db_row_fn *fn, void *baton)
{
    char why[DB_WHY_MAX];
    apr_size_t seen = 0;
    db_conn_t *conn;
    db_rc_t rc;
    int again = 1;

    if (store_nowhere(params, n)) {
        return STORE_OK;
    }
    rc = db_borrow(s->db, &conn, why);
    while (rc == DB_OK && again) {
        rc = db_query(conn, query, params, n, fn, baton, &seen);
        apr_cpystrn(why, db_why(conn), sizeof(why));
        again = rc != DB_OK && !seen && db_again(conn);
        if (again) {
            rc = db_lost(conn) ? db_renew(conn, why) : DB_OK;
        }
    }
    db_return(conn);
    return store_failed(s, rc, why);
}

static db_rc_t store_start(db_conn_t *conn, db_sync_t sync, char *why)
{
    db_rc_t rc = db_lost(conn) ? db_renew(conn, why) : DB_OK;

    if (rc == DB_OK) {
        rc = db_begin(conn, sync);
        apr_cpystrn(why, db_why(conn), DB_WHY_MAX);
    }
    return rc;
}

store_rc_t store_begin(store_t *s, db_sync_t sync, db_conn_t **conn)
{
    char why[DB_WHY_MAX] = "";
    db_rc_t rc = *conn ? DB_OK : db_borrow(s->db, conn, why);

    if (rc == DB_OK) {
        do {
            rc = store_start(*conn, sync, why);
        } while (rc != DB_OK && db_again(*conn));
    }
    if (rc != DB_OK) {
        db_return(*conn);
        *conn = NULL;
    }
    return store_failed(s, rc, why);
}

store_rc_t store_exec(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                      apr_int64_t *changed)
{
    db_rc_t rc = db_exec(conn, query, params, n, changed);

    return rc == DB_OK ? STORE_OK : rc == DB_CONFLICT ? STORE_CONFLICT : STORE_DOWN;
}

static int store_number(void *baton, const db_value_t *row)
{
    *(apr_int64_t *)baton = row[0].i;
    return 1;
}

store_rc_t store_fetch(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                       apr_int64_t *number)
{
    apr_size_t seen = 0;

    return db_query(conn, query, params, n, store_number, number, &seen) == DB_OK && seen
               ? STORE_OK
               : STORE_DOWN;
}

int store_end(store_t *s, db_conn_t **conn, store_rc_t *rc)
{
    if (!*conn) {
        return 0;
    }
    if (*rc == STORE_OK && db_commit(*conn) != DB_OK) {
        *rc = STORE_DOWN;
    }
    if (*rc == STORE_DOWN) {
        if (db_again(*conn)) {
            return 1;
        }
        (void)store_down(s, db_why(*conn));
    }
    db_return(*conn); /* rolls back */
    *conn = NULL;
    return 0;
}

store_rc_t store_change(store_t *s, query_id_t query, const db_value_t *params, apr_size_t n)
{
    apr_int64_t changed = 0;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    if (store_nowhere(params, n)) {
        return STORE_NOTFOUND;
    }
    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, query, params, n, &changed);
        }
        if (rc == STORE_OK && changed == 0) {
            rc = STORE_NOTFOUND;
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

/* ---- housekeeping ---- */

void store_tick(store_t *s)
{
    char why[DB_WHY_MAX];

    if (store_flush(s) == STORE_OK && s->trail) {
        store_front_touch(s);
    }
    if (db_tidy(s->db, why) != DB_OK) {
        (void)store_down(s, why);
    }
}
