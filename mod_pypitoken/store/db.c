/* db.c - typed values, statements and transactions over any driver; see db.h. */
#include "store/db_priv.h"

#include "core/utf8.h"

#include <apr_strings.h>
#include <ctype.h>

/* A transaction that was in the way of another is run again: so often, and not after so long. */
#define DB_TRIES     10
#define DB_TRIES_MAX apr_time_from_sec(3)

/* ---- values ---- */

db_value_t db_int(apr_int64_t i)
{
    db_value_t v = {DB_INT, i, {NULL, 0}};
    return v;
}

db_value_t db_text(slice_t s)
{
    db_value_t v = {DB_TEXT, 0, s};
    return v;
}

db_value_t db_cstr(const char *text)
{
    db_value_t v = {text ? DB_TEXT : DB_NULL, 0, slice_of(text)};
    return v;
}

db_value_t db_blob(slice_t s)
{
    db_value_t v = {DB_BLOB, 0, s};
    return v;
}

/* 1 when a value is of the type that the letter stands for. */
static int db_fits(char letter, db_type_t type)
{
    static const char letters[] = "?itb"; /* by db_type_t */

    if (type == DB_NULL) {
        return isupper((unsigned char)letter) != 0;
    }
    return type < DB_ALIEN && letters[type] == tolower((unsigned char)letter);
}

/* ---- failures ---- */

const char *db_why(const db_conn_t *conn)
{
    return conn->why;
}

/* Keeps the reason of a failure for db_why. */
static db_rc_t db_failed(db_conn_t *conn, const char *what, db_rc_t rc, apr_time_t since)
{
    apr_snprintf(conn->why, sizeof(conn->why), "%s: %s", what, conn->db->driver->why(conn->handle));
    conn->last = rc;
    if (rc == DB_LOST) {
        conn->broken = 1;
        db_pool_lost(conn, db_pool_now() - since);
    }
    return rc;
}

/* ---- statements ---- */

static db_rc_t db_check_params(db_conn_t *conn, query_id_t query, const db_value_t *params,
                               apr_size_t n)
{
    const query_t *q = &query_table[query];
    apr_size_t i;

    for (i = 0; i < n && q->params[i] && db_fits(q->params[i], params[i].type) &&
                (params[i].type != DB_TEXT || utf8_valid(params[i].s));
         i++) {
    }
    if (i < n || q->params[i]) {
        apr_snprintf(conn->why, sizeof(conn->why), "%s: wrong parameter %d", q->name, (int)i + 1);
        return DB_ERROR;
    }
    return DB_OK;
}

/* An SQLite column may hold anything; whoever edits the database does not get a say in types. */
static db_rc_t db_check_row(db_conn_t *conn, query_id_t query, const db_value_t *row)
{
    const query_t *q = &query_table[query];
    apr_size_t i;

    for (i = 0; q->columns[i]; i++) {
        if (!db_fits(q->columns[i], row[i].type)) {
            apr_snprintf(conn->why, sizeof(conn->why), "%s: damaged row, column %d", q->name,
                         (int)i + 1);
            return DB_ERROR;
        }
    }
    return DB_OK;
}

db_rc_t db_query(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                 db_row_fn *fn, void *baton, apr_size_t *seen)
{
    const db_driver_t *driver = conn->db->driver;
    const char *name = query_table[query].name;
    db_value_t row[QUERY_COLUMNS_MAX];
    db_rc_t rc = db_check_params(conn, query, params, n);
    apr_time_t at = db_pool_now();

    if (rc != DB_OK) {
        return rc;
    }
    atomic_fetch_add_explicit(&conn->db->statements, 1, memory_order_relaxed);
    rc = driver->start(conn->handle, query, params);
    if (rc != DB_OK) {
        rc = db_failed(conn, name, rc, at);
    }
    while (rc == DB_OK) {
        at = db_pool_now();
        rc = driver->step(conn->handle, query, row);
        if (rc == DB_ROW) {
            rc = db_check_row(conn, query, row);
            if (rc == DB_OK && fn) {
                *seen += 1;
                rc = fn(baton, row) ? DB_DONE : DB_OK;
            }
        } else if (rc != DB_DONE) {
            rc = db_failed(conn, name, rc, at);
        }
    }
    driver->finish(conn->handle, query);
    if (rc != DB_LOST) {
        db_pool_good(conn->db);
    }
    return rc == DB_DONE ? DB_OK : rc;
}

apr_uint64_t db_statements(const db_t *db)
{
    return atomic_load_explicit(&db->statements, memory_order_relaxed);
}

db_rc_t db_exec(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                apr_int64_t *changed)
{
    apr_size_t seen = 0;
    db_rc_t rc = db_query(conn, query, params, n, NULL, NULL, &seen);

    if (changed) {
        *changed = rc == DB_OK ? conn->db->driver->changed(conn->handle) : 0;
    }
    return rc;
}

db_rc_t db_script(db_conn_t *conn, const char *sql)
{
    apr_time_t at = db_pool_now();
    db_rc_t rc = conn->db->driver->script(conn->handle, sql);

    return rc == DB_OK ? rc : db_failed(conn, "migration", rc, at);
}

db_rc_t db_lock(db_conn_t *conn)
{
    const db_driver_t *driver = conn->db->driver;
    apr_time_t at = db_pool_now();
    db_rc_t rc = driver->lock ? driver->lock(conn->handle) : DB_OK;

    return rc == DB_OK ? rc : db_failed(conn, "lock", rc, at);
}

void db_unlock(db_conn_t *conn)
{
    if (conn->db->driver->unlock && !conn->broken) {
        conn->db->driver->unlock(conn->handle);
    }
}

/* ---- transactions ---- */

db_rc_t db_begin(db_conn_t *conn, db_sync_t sync)
{
    apr_time_t at = db_pool_now();
    db_rc_t rc = conn->db->driver->begin(conn->handle, sync);

    conn->begun = 1; /* also when it failed: rolling back what was not begun does no harm */
    conn->committing = 0;
    return rc == DB_OK ? rc : db_failed(conn, "begin", rc, at);
}

db_rc_t db_commit(db_conn_t *conn)
{
    apr_time_t at = db_pool_now();
    db_rc_t rc;

    conn->committing = 1;
    rc = conn->db->driver->commit(conn->handle);
    if (rc != DB_OK) {
        rc = db_failed(conn, "commit", rc, at);
        db_rollback(conn);
        return rc;
    }
    conn->begun = 0;
    return DB_OK;
}

void db_rollback(db_conn_t *conn)
{
    if (conn->begun && !conn->broken && conn->db->driver->rollback(conn->handle) != DB_OK) {
        conn->broken = 1; /* closing it ends the transaction */
    }
    conn->begun = 0;
}

/* Longer with every try, and not for all at the same time. */
static void db_pause(int tries)
{
    apr_interval_time_t most = apr_time_from_msec(2) << (tries < 6 ? tries : 6);

    apr_sleep(most / 2 + db_pool_now() % (most / 2));
}

int db_again(db_conn_t *conn)
{
    if (conn->last == DB_AGAIN) {
        if (conn->tries >= DB_TRIES || db_pool_now() - conn->borrowed > DB_TRIES_MAX) {
            return 0;
        }
    } else if (conn->last != DB_LOST || conn->committing || conn->renewed) {
        return 0; /* nobody knows what became of a commit whose answer was lost */
    }
    db_rollback(conn);
    if (conn->last == DB_AGAIN) {
        db_pause(++conn->tries);
    }
    conn->last = DB_OK;
    conn->why[0] = '\0';
    return 1;
}

int db_lost(const db_conn_t *conn)
{
    return conn->broken || !conn->handle;
}
