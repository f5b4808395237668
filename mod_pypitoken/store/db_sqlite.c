/*
 * db_sqlite.c - SQLite behind db.h.
 *
 * One connection is used by one thread at a time (NOMUTEX). The database is in WAL mode: readers
 * never wait for a writer. Writers take the lock at BEGIN, so that no transaction fails halfway for
 * want of it. A commit does not wait for the disk unless the transaction asks (synchronous FULL
 * instead of NORMAL: in WAL mode neither can harm the database), and does not move the log into the
 * database file, which is for db_tidy, unless the log has become large.
 */
#include "store/db_sqlite.h"

#include <stdlib.h>

#define DB_SQLITE_WAL_PAGES  1000 /* of 4 KiB: from here on db_tidy works */
#define DB_SQLITE_RESTART_MS 20   /* a long reader must not make every writer wait */

/* ---- errors ---- */

typedef struct db_sqlite_class_t {
    int code;
    db_rc_t rc;
} db_sqlite_class_t;

/* Looked up with the extended code first, then with its low byte; what is not here is DB_ERROR. */
static const db_sqlite_class_t db_sqlite_classes[] = {
    {SQLITE_OK, DB_OK},
    {SQLITE_ROW, DB_ROW},
    {SQLITE_DONE, DB_DONE},
    {SQLITE_CONSTRAINT_UNIQUE, DB_CONFLICT},
    {SQLITE_CONSTRAINT_PRIMARYKEY, DB_CONFLICT},
    {SQLITE_CONSTRAINT_ROWID, DB_CONFLICT},
    {SQLITE_CONSTRAINT_FOREIGNKEY, DB_CONFLICT},
    {SQLITE_READONLY_DBMOVED, DB_LOST},
    {SQLITE_BUSY, DB_BUSY},
    {SQLITE_LOCKED, DB_BUSY},
    {SQLITE_IOERR, DB_LOST},
    {SQLITE_CORRUPT, DB_LOST},
    {SQLITE_NOTADB, DB_LOST},
    {SQLITE_CANTOPEN, DB_LOST},
    {SQLITE_PROTOCOL, DB_LOST},
};

db_rc_t db_sqlite_rc(int code)
{
    const apr_size_t n = sizeof(db_sqlite_classes) / sizeof(db_sqlite_classes[0]);
    apr_size_t i;

    for (i = 0; i < n && db_sqlite_classes[i].code != code; i++) {
    }
    return i < n                   ? db_sqlite_classes[i].rc
           : code == (code & 0xff) ? DB_ERROR
                                   : db_sqlite_rc(code & 0xff);
}

static const char *db_sqlite_why(void *conn)
{
    return sqlite3_errmsg(((db_sqlite_t *)conn)->db);
}

/* ---- closing ---- */

void db_sqlite_close(void *handle)
{
    db_sqlite_t *conn = handle;
    int i;

    for (i = 0; i < DB_SQLITE_STATEMENTS; i++) {
        sqlite3_finalize(conn->statements[i]);
    }
    sqlite3_close(conn->db);
    free(conn);
}

/* A database that was put in the place of the one that is open must not be overlooked: revoked
 * tokens would live on, or new ones be lost. */
static int db_sqlite_alive(void *handle, int idle)
{
    int moved = 0;

    (void)idle;
    return sqlite3_file_control(((db_sqlite_t *)handle)->db, "main", SQLITE_FCNTL_HAS_MOVED,
                                &moved) != SQLITE_OK ||
           !moved;
}

/* ---- statements ---- */

static const char *db_sqlite_sql(query_id_t query)
{
    return query == QUERY_SCHEMA_PRESENT ? "SELECT COUNT(*) FROM sqlite_master "
                                           "WHERE type = 'table' AND name = 'schema_version'"
                                         : NULL;
}

/* The bytes stay the caller's until finish. */
static int db_sqlite_bind(sqlite3_stmt *statement, int i, const db_value_t *value)
{
    const char *p = value->s.p ? value->s.p : ""; /* a NULL pointer would bind NULL */

    switch (value->type) {
    case DB_INT:
        return sqlite3_bind_int64(statement, i, value->i);
    case DB_TEXT:
        return sqlite3_bind_text64(statement, i, p, value->s.n, SQLITE_STATIC, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(statement, i, p, value->s.n, SQLITE_STATIC);
    case DB_NULL:
        return sqlite3_bind_null(statement, i);
    case DB_ALIEN:
        break;
    }
    return SQLITE_MISUSE;
}

static int db_sqlite_prepare(db_sqlite_t *conn, int id, const char *sql)
{
    return conn->statements[id] ? SQLITE_OK
                                : sqlite3_prepare_v3(conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                     &conn->statements[id], NULL);
}

static db_rc_t db_sqlite_start(void *handle, query_id_t query, const db_value_t *params)
{
    const char *types = query_table[query].params, *own = db_sqlite_sql(query);
    db_sqlite_t *conn = handle;
    int i, code = db_sqlite_prepare(conn, (int)query, own ? own : query_table[query].sql);

    for (i = 0; code == SQLITE_OK && types[i]; i++) {
        code = db_sqlite_bind(conn->statements[query], i + 1, &params[i]);
    }
    return db_sqlite_rc(code);
}

static void db_sqlite_column(sqlite3_stmt *statement, int i, db_value_t *out)
{
    const void *p;

    switch (sqlite3_column_type(statement, i)) {
    case SQLITE_INTEGER:
        *out = db_int(sqlite3_column_int64(statement, i));
        return;
    case SQLITE_NULL:
        *out = db_cstr(NULL);
        return;
    case SQLITE_TEXT:
        p = sqlite3_column_text(statement, i);
        *out = db_text(slice_make(p, (apr_size_t)sqlite3_column_bytes(statement, i)));
        break;
    case SQLITE_BLOB:
        p = sqlite3_column_blob(statement, i);
        *out = db_blob(slice_make(p, (apr_size_t)sqlite3_column_bytes(statement, i)));
        break;
    default:
        *out = db_int(0);
        out->type = DB_ALIEN;
        return;
    }
    if (!p && out->s.n) { /* out of memory */
        out->type = DB_ALIEN;
    }
}

static db_rc_t db_sqlite_step(void *handle, query_id_t query, db_value_t *row)
{
    sqlite3_stmt *statement = ((db_sqlite_t *)handle)->statements[query];
    const char *types = query_table[query].columns;
    db_rc_t rc = db_sqlite_rc(sqlite3_step(statement));
    int i;

    for (i = 0; rc == DB_ROW && types[i]; i++) {
        db_sqlite_column(statement, i, &row[i]);
    }
    return rc;
}

static void db_sqlite_finish(void *handle, query_id_t query)
{
    sqlite3_stmt *statement = ((db_sqlite_t *)handle)->statements[query];

    if (statement) { /* NULL when it could not even be prepared */
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
    }
}

static apr_int64_t db_sqlite_changed(void *handle)
{
    return sqlite3_changes(((db_sqlite_t *)handle)->db);
}

static db_rc_t db_sqlite_script(void *handle, const char *sql)
{
    return db_sqlite_rc(sqlite3_exec(((db_sqlite_t *)handle)->db, sql, NULL, NULL, NULL));
}

/* ---- transactions ---- */

static db_rc_t db_sqlite_own(db_sqlite_t *conn, db_sqlite_own_t id, const char *sql)
{
    int code = db_sqlite_prepare(conn, (int)id, sql);

    if (code == SQLITE_OK) {
        code = sqlite3_step(conn->statements[id]);
        sqlite3_reset(conn->statements[id]);
    }
    return code == SQLITE_DONE ? DB_OK : db_sqlite_rc(code);
}

static db_rc_t db_sqlite_begin(void *handle, db_sync_t sync)
{
    db_sqlite_t *conn = handle;

    if (sync == DB_SNAPSHOT) {
        return db_sqlite_own(conn, DB_SQLITE_SNAPSHOT, "BEGIN"); /* of the first read */
    }
    if (conn->sync != sync) {
        db_rc_t rc = db_sqlite_script(conn, sync == DB_DURABLE ? "PRAGMA synchronous = FULL"
                                                               : "PRAGMA synchronous = NORMAL");
        if (rc != DB_OK) {
            return rc;
        }
        conn->sync = sync;
    }
    return db_sqlite_own(conn, DB_SQLITE_BEGIN, "BEGIN IMMEDIATE");
}

/* PASSIVE does as much as it can without making anybody wait. Where commits never pause, the log is
 * never moved to its end, nothing begins it anew, it grows for as long as they go on, and each
 * look-up has to search more of it. So a large one is closed to writers for the little that is
 * left, unless somebody reads for long. */
static db_rc_t db_sqlite_tidy(void *handle)
{
    db_sqlite_t *conn = handle;
    int pages = 0;
    int code = sqlite3_wal_checkpoint_v2(conn->db, "main", SQLITE_CHECKPOINT_PASSIVE, &pages, NULL);

    if (code == SQLITE_OK && pages >= DB_SQLITE_MANY) {
        conn->patience = DB_SQLITE_RESTART_MS;
        code = sqlite3_wal_checkpoint_v2(conn->db, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL);
        conn->patience = DB_SQLITE_BUSY_MS;
    }
    return code == SQLITE_BUSY ? DB_OK : db_sqlite_rc(code);
}

/* The log has outgrown what the ticks keep up with. The commit stands, whatever comes of this; a
 * log that could not be begun anew is left alone until it has grown by as much again. */
static db_rc_t db_sqlite_commit(void *handle)
{
    db_sqlite_t *conn = handle;
    db_rc_t rc = db_sqlite_own(conn, DB_SQLITE_COMMIT, "COMMIT");

    if (rc == DB_OK && conn->pages >= conn->many) {
        (void)db_sqlite_tidy(conn);
        conn->many = conn->pages + DB_SQLITE_MANY;
    } else if (conn->pages < DB_SQLITE_MANY) {
        conn->many = DB_SQLITE_MANY;
    }
    return rc;
}

/* After some failures (a full disk) SQLite has rolled back by itself. */
static db_rc_t db_sqlite_rollback(void *handle)
{
    db_sqlite_t *conn = handle;

    return sqlite3_get_autocommit(conn->db) ? DB_OK
                                            : db_sqlite_own(conn, DB_SQLITE_ROLLBACK, "ROLLBACK");
}

const db_driver_t db_sqlite_driver = {
    "sqlite",
    DB_SQLITE_WAL_PAGES,
    NULL,
    db_sqlite_open,
    db_sqlite_close,
    db_sqlite_alive,
    db_sqlite_sql,
    db_sqlite_start,
    db_sqlite_step,
    db_sqlite_finish,
    db_sqlite_changed,
    db_sqlite_begin,
    db_sqlite_commit,
    db_sqlite_rollback,
    db_sqlite_script,
    db_sqlite_tidy,
    db_sqlite_why,
    NULL,
    NULL,
};
