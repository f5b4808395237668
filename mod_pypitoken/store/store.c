/* store.c - opening, housekeeping, and the way from an operation to the database and back;
 * see store.h and store_priv.h. */
#include "store/store_priv.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

static const db_driver_t *const store_drivers[] = {&db_sqlite_driver};

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

store_rc_t store_read(store_t *s, query_id_t query, const db_value_t *params, apr_size_t n,
                      db_row_fn *fn, void *baton)
{
    char why[DB_WHY_MAX];
    apr_size_t seen = 0;
    int attempts = 2;
    db_conn_t *conn;
    db_rc_t rc;

    do {
        rc = db_borrow(s->db, &conn, why);
        if (rc == DB_OK) {
            rc = db_query(conn, query, params, n, fn, baton, &seen);
            apr_cpystrn(why, db_why(conn), sizeof(why));
        }
        db_return(conn);
    } while (rc == DB_LOST && !seen && --attempts);
    return rc == DB_OK ? STORE_OK : store_down(s, why);
}

store_rc_t store_begin(store_t *s, db_sync_t sync, db_conn_t **conn)
{
    char why[DB_WHY_MAX];
    int attempts = 2;
    db_rc_t rc;

    do {
        rc = db_borrow(s->db, conn, why);
        if (rc == DB_OK) {
            rc = db_begin(*conn, sync);
            apr_cpystrn(why, db_why(*conn), sizeof(why));
        }
        if (rc != DB_OK) {
            db_return(*conn);
            *conn = NULL;
        }
    } while (rc == DB_LOST && --attempts);
    return rc == DB_OK ? STORE_OK : store_down(s, why);
}

store_rc_t store_exec(store_t *s, db_conn_t *conn, query_id_t query, const db_value_t *params,
                      apr_size_t n, apr_int64_t *changed)
{
    db_rc_t rc = db_exec(conn, query, params, n, changed);

    if (rc == DB_CONFLICT) {
        return STORE_CONFLICT;
    }
    return rc == DB_OK ? STORE_OK : store_down(s, db_why(conn));
}

static int store_number(void *baton, const db_value_t *row)
{
    *(apr_int64_t *)baton = row[0].i;
    return 1;
}

store_rc_t store_fetch(store_t *s, db_conn_t *conn, query_id_t query, const db_value_t *params,
                       apr_size_t n, apr_int64_t *number)
{
    apr_size_t seen = 0;
    db_rc_t rc = db_query(conn, query, params, n, store_number, number, &seen);

    return rc == DB_OK && seen ? STORE_OK : store_down(s, db_why(conn));
}

store_rc_t store_end(store_t *s, db_conn_t *conn, store_rc_t rc)
{
    if (conn && rc == STORE_OK && db_commit(conn) != DB_OK) {
        rc = store_down(s, db_why(conn));
    }
    db_return(conn); /* rolls back */
    return rc;
}

store_rc_t store_change(store_t *s, query_id_t query, const db_value_t *params, apr_size_t n)
{
    apr_int64_t changed = 0;
    db_conn_t *conn;
    store_rc_t rc = store_begin(s, DB_DURABLE, &conn);

    if (rc == STORE_OK) {
        rc = store_exec(s, conn, query, params, n, &changed);
    }
    if (rc == STORE_OK && changed == 0) {
        rc = STORE_NOTFOUND;
    }
    return store_end(s, conn, rc);
}

/* ---- housekeeping ---- */

void store_tidy(store_t *s)
{
    char why[DB_WHY_MAX];

    if (db_tidy(s->db, why) != DB_OK) {
        (void)store_down(s, why);
    }
}

/* ---- opening ---- */

static const db_driver_t *store_driver(slice_t url, const char **place)
{
    apr_size_t i;

    for (i = 0; i < STORE_COUNT(store_drivers); i++) {
        slice_t scheme = slice_of(store_drivers[i]->scheme);

        if (slice_starts(url, scheme.p) && url.n > scheme.n + 1 && url.p[scheme.n] == ':') {
            *place = url.p + scheme.n + 1;
            return store_drivers[i];
        }
    }
    return NULL;
}

/* Connects once, so that what is wrong shows now and not with the first upload. */
static const char *store_connect(store_t *s, store_mode_t mode, apr_pool_t *pool)
{
    char why[DB_WHY_MAX];
    db_conn_t *conn;
    db_rc_t rc = db_borrow(s->db, &conn, why);

    db_return(conn);
    if (rc != DB_OK) {
        return apr_pstrdup(pool, why);
    }
    db_created(s->db);
    return mode == STORE_MODE_SERVE ? store_schema_check(s, pool) : NULL;
}

const char *store_open_with(store_t **out, const store_config_t *config, const db_driver_t *driver,
                            store_mode_t mode, apr_pool_t *pool)
{
    store_t *s = apr_pcalloc(pool, sizeof(*s));
    const char *url = config->url ? config->url : "", *wrong;
    const db_driver_t *own = store_driver(slice_of(url), &s->place);
    db_config_t db = {0};
    keyring_t *keys;

    *out = NULL;
    if (!own) {
        return apr_psprintf(pool,
                            "'%s' names no store that this program knows; write "
                            "sqlite:/path/file.db",
                            url);
    }
    s->place = apr_pstrdup(pool, s->place);
    s->driver = driver ? driver : own;
    s->seam = config->seam ? config->seam : &seam_system;
    s->log = config->log;
    s->baton = config->baton;
    s->keys = config->keys;
    if (!s->keys && config->keyring) {
        wrong = keyring_open(&keys, config->keyring, s->seam, pool);
        if (wrong) {
            return wrong;
        }
        s->keys = keys;
    }
    db.driver = s->driver;
    db.target.place = s->place;
    db.target.secret = config->secret ? apr_pstrdup(pool, config->secret) : NULL;
    db.target.create = mode == STORE_MODE_CREATE;
    s->db = db_make(&db, pool);
    if (!s->db) {
        return "cannot open the store: no mutex is to be had";
    }
    wrong = store_connect(s, mode, pool);
    *out = wrong ? NULL : s;
    return wrong;
}

const char *store_open(store_t **out, const store_config_t *config, apr_pool_t *pool)
{
    return store_open_with(out, config, NULL, STORE_MODE_SERVE, pool);
}

const char *store_open_any(store_t **out, const store_config_t *config, int create,
                           apr_pool_t *pool)
{
    return store_open_with(out, config, NULL, create ? STORE_MODE_CREATE : STORE_MODE_ANY, pool);
}
