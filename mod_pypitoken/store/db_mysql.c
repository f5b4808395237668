/*
 * db_mysql.c - MySQL and MariaDB behind db.h, on Connector/C.
 *
 * A connection is used by one thread at a time and never reconnects by itself: its statements are
 * prepared on it and would be dead. Rows are read as they come, each column into a buffer of its
 * own that grows when a value does not fit; a value is never cut.
 *
 * How safe a commit is against a power cut is the server's choice (innodb_flush_log_at_trx_commit),
 * which a session cannot change: DB_SOON and DB_DURABLE are the same here.
 */
#include "store/db_mysql.h"

#include <apr_strings.h>
#include <stdlib.h>

#define DB_MYSQL_COLUMN     256                /* bytes that a column's buffer has to begin with, */
#define DB_MYSQL_COLUMN_MAX (16 * 1024 * 1024) /* and may grow to */
#define DB_MYSQL_BINARY     63                 /* the character set of bytes */

/* ---- closing ---- */

static void db_mysql_drop(db_mysql_statement_t *s)
{
    int i;

    if (!s) {
        return;
    }
    if (s->stmt) {
        mysql_stmt_close(s->stmt);
    }
    for (i = 0; i < s->n; i++) {
        free(s->columns[i].bytes);
    }
    free(s);
}

void db_mysql_close(void *handle)
{
    db_mysql_t *conn = handle;
    int i;

    db_mysql_compat_thread();
    for (i = 0; i < QUERY_COUNT; i++) {
        db_mysql_drop(conn->statements[i]);
    }
    if (conn->mysql) {
        mysql_close(conn->mysql);
    }
    free(conn);
}

static int db_mysql_alive(void *handle, int idle)
{
    db_mysql_compat_thread();
    return !idle || mysql_ping(((db_mysql_t *)handle)->mysql) == 0;
}

static const char *db_mysql_why(void *handle)
{
    return ((db_mysql_t *)handle)->why;
}

/* ---- plain statements ---- */

db_rc_t db_mysql_run(db_mysql_t *conn, const char *sql, MYSQL_RES **rows)
{
    db_mysql_compat_thread();
    if (mysql_real_query(conn->mysql, sql, (unsigned long)strlen(sql))) {
        return db_mysql_error(conn, NULL);
    }
    if (rows) {
        *rows = mysql_store_result(conn->mysql);
        return *rows ? DB_OK : db_mysql_error(conn, NULL);
    }
    return DB_OK;
}

/* The number in the first column of the first row; -1 without one. */
static db_rc_t db_mysql_number(db_mysql_t *conn, const char *sql, apr_int64_t *number)
{
    MYSQL_RES *rows = NULL;
    db_rc_t rc = db_mysql_run(conn, sql, &rows);
    MYSQL_ROW row = rc == DB_OK ? mysql_fetch_row(rows) : NULL;

    *number = row && row[0] ? apr_atoi64(row[0]) : -1;
    if (rows) {
        mysql_free_result(rows);
    }
    return rc;
}

/* ---- prepared statements ---- */

static db_rc_t db_mysql_odd(db_mysql_t *conn, const char *what)
{
    apr_cpystrn(conn->why, what, sizeof(conn->why));
    return DB_ERROR;
}

/* The letter of query.h that a column of the server's stands for. */
static char db_mysql_letter(const MYSQL_FIELD *field)
{
    switch (field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
        return 'i';
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
        return field->charsetnr == DB_MYSQL_BINARY ? 'b' : 't';
    default:
        return '?';
    }
}

/* A table that is not as the schema made it is noticed here, not by what its values turn into. */
static db_rc_t db_mysql_check(db_mysql_t *conn, db_mysql_statement_t *s, const query_t *q)
{
    MYSQL_RES *meta = mysql_stmt_result_metadata(s->stmt);
    unsigned int i, n = meta ? mysql_num_fields(meta) : 0;
    db_rc_t rc = DB_OK;

    if (n != strlen(q->columns) || mysql_stmt_param_count(s->stmt) != strlen(q->params)) {
        rc = db_mysql_odd(conn, "other columns or parameters than expected");
    }
    for (i = 0; i < n && rc == DB_OK; i++) {
        if (db_mysql_letter(mysql_fetch_field_direct(meta, i)) != (q->columns[i] | 0x20)) {
            apr_snprintf(conn->why, sizeof(conn->why),
                         "column %u is not of the type that the schema gives it", i + 1);
            rc = DB_ERROR;
        }
    }
    if (meta) {
        mysql_free_result(meta);
    }
    return rc;
}

static int db_mysql_grow(db_mysql_column_t *column, MYSQL_BIND *out, unsigned long size)
{
    char *bytes = size <= DB_MYSQL_COLUMN_MAX ? realloc(column->bytes, size) : NULL;

    if (!bytes) {
        return -1;
    }
    column->bytes = bytes;
    column->size = size;
    out->buffer = bytes;
    out->buffer_length = size;
    return 0;
}

/* Where each column's value goes. */
static db_rc_t db_mysql_bind_columns(db_mysql_t *conn, db_mysql_statement_t *s, const char *types)
{
    for (; types[s->n]; s->n++) {
        db_mysql_column_t *column = &s->columns[s->n];
        MYSQL_BIND *out = &s->out[s->n];

        out->is_null = &column->null;
        out->error = &column->cut;
        out->length = &column->length;
        if ((types[s->n] | 0x20) == 'i') {
            out->buffer_type = MYSQL_TYPE_LONGLONG;
            out->buffer = &column->number;
            continue;
        }
        out->buffer_type = (types[s->n] | 0x20) == 't' ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
        if (db_mysql_grow(column, out, DB_MYSQL_COLUMN)) {
            return db_mysql_odd(conn, "no memory");
        }
    }
    return s->n && mysql_stmt_bind_result(s->stmt, s->out) ? db_mysql_error(conn, s->stmt) : DB_OK;
}

static const char *db_mysql_sql(query_id_t query)
{
    return query == QUERY_USER_ALIKE ? "SELECT COUNT(*) FROM users WHERE fold = LOWER(?) FOR UPDATE"
                                     : NULL;
}

static db_rc_t db_mysql_prepare(db_mysql_t *conn, query_id_t query)
{
    const query_t *q = &query_table[query];
    const char *own = db_mysql_sql(query), *sql = own ? own : q->sql;
    db_mysql_statement_t *s = calloc(1, sizeof(*s));
    db_rc_t rc;

    if (!s || !(s->stmt = mysql_stmt_init(conn->mysql))) {
        free(s);
        return db_mysql_odd(conn, "no memory");
    }
    rc = mysql_stmt_prepare(s->stmt, sql, (unsigned long)strlen(sql))
             ? db_mysql_error(conn, s->stmt)
             : db_mysql_check(conn, s, q);
    if (rc == DB_OK) {
        rc = db_mysql_bind_columns(conn, s, q->columns);
    }
    if (rc != DB_OK) {
        db_mysql_drop(s);
        return rc;
    }
    conn->statements[query] = s;
    return DB_OK;
}

/* The bytes stay the caller's. */
static void db_mysql_bind(MYSQL_BIND *in, const db_value_t *value, long long *number,
                          unsigned long *length)
{
    *number = value->i;
    *length = (unsigned long)value->s.n;
    in->buffer = (void *)(value->s.p ? value->s.p : "");
    in->buffer_length = *length;
    in->length = length;
    switch (value->type) {
    case DB_INT:
        in->buffer_type = MYSQL_TYPE_LONGLONG;
        in->buffer = number;
        break;
    case DB_TEXT:
        in->buffer_type = MYSQL_TYPE_STRING;
        break;
    case DB_BLOB:
        in->buffer_type = MYSQL_TYPE_BLOB;
        break;
    case DB_NULL:
    case DB_ALIEN:
        in->buffer_type = MYSQL_TYPE_NULL;
        break;
    }
}

static db_rc_t db_mysql_start(void *handle, query_id_t query, const db_value_t *params)
{
    MYSQL_BIND in[DB_MYSQL_PARAMS_MAX];
    unsigned long lengths[DB_MYSQL_PARAMS_MAX];
    long long numbers[DB_MYSQL_PARAMS_MAX];
    const char *types = query_table[query].params;
    db_mysql_t *conn = handle;
    MYSQL_STMT *stmt;
    db_rc_t rc;
    int i;

    db_mysql_compat_thread();
    conn->changed = 0;
    rc = conn->statements[query] ? DB_OK : db_mysql_prepare(conn, query);
    if (rc != DB_OK) {
        return rc;
    }
    stmt = conn->statements[query]->stmt;
    memset(in, 0, sizeof(in));
    for (i = 0; i < DB_MYSQL_PARAMS_MAX && types[i]; i++) {
        db_mysql_bind(&in[i], &params[i], &numbers[i], &lengths[i]);
    }
    if ((i && mysql_stmt_bind_param(stmt, in)) || mysql_stmt_execute(stmt)) {
        return db_mysql_error(conn, stmt);
    }
    if (!conn->statements[query]->n) {
        conn->changed = (apr_int64_t)mysql_stmt_affected_rows(stmt);
    }
    return DB_OK;
}

/* A value that was cut is fetched again, whole. */
static db_rc_t db_mysql_whole(db_mysql_t *conn, db_mysql_statement_t *s, const char *types)
{
    int i;

    for (i = 0; i < s->n; i++) {
        db_mysql_column_t *column = &s->columns[i];

        if (column->null ||
            ((types[i] | 0x20) == 'i' ? !column->cut : column->length <= column->size)) {
            continue;
        }
        if ((types[i] | 0x20) == 'i' || db_mysql_grow(column, &s->out[i], column->length)) {
            return db_mysql_odd(conn, "a value that is too large");
        }
        if (mysql_stmt_fetch_column(s->stmt, &s->out[i], (unsigned int)i, 0)) {
            return db_mysql_error(conn, s->stmt);
        }
    }
    return mysql_stmt_bind_result(s->stmt, s->out) ? db_mysql_error(conn, s->stmt) : DB_OK;
}

static void db_mysql_value(const db_mysql_column_t *column, char type, db_value_t *out)
{
    slice_t bytes = slice_make(column->bytes, column->length);

    if (column->null) {
        *out = db_cstr(NULL);
    } else if ((type | 0x20) == 'i') {
        *out = db_int(column->number);
    } else {
        *out = (type | 0x20) == 't' ? db_text(bytes) : db_blob(bytes);
    }
}

static db_rc_t db_mysql_step(void *handle, query_id_t query, db_value_t *row)
{
    const char *types = query_table[query].columns;
    db_mysql_t *conn = handle;
    db_mysql_statement_t *s = conn->statements[query];
    db_rc_t rc = DB_OK;
    int i, code;

    if (!s->n) {
        return DB_DONE;
    }
    code = mysql_stmt_fetch(s->stmt);
    if (code == MYSQL_NO_DATA) {
        return DB_DONE;
    }
    if (code == MYSQL_DATA_TRUNCATED) {
        rc = db_mysql_whole(conn, s, types);
    } else if (code) {
        rc = db_mysql_error(conn, s->stmt);
    }
    for (i = 0; i < s->n && rc == DB_OK; i++) {
        db_mysql_value(&s->columns[i], types[i], &row[i]);
    }
    return rc == DB_OK ? DB_ROW : rc;
}

static void db_mysql_finish(void *handle, query_id_t query)
{
    db_mysql_statement_t *s = ((db_mysql_t *)handle)->statements[query];

    if (s && s->n) {
        mysql_stmt_free_result(s->stmt);
    }
}

static apr_int64_t db_mysql_changed(void *handle)
{
    return ((db_mysql_t *)handle)->changed;
}

/* ---- transactions ---- */

static db_rc_t db_mysql_begin(void *handle, db_sync_t sync)
{
    db_rc_t rc;

    if (sync != DB_SNAPSHOT) {
        return db_mysql_run(handle, "START TRANSACTION", NULL);
    }
    /* for the next transaction alone */
    rc = db_mysql_run(handle, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", NULL);
    return rc == DB_OK
               ? db_mysql_run(handle, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", NULL)
               : rc;
}

static db_rc_t db_mysql_commit(void *handle)
{
    return db_mysql_run(handle, "COMMIT", NULL);
}

static db_rc_t db_mysql_rollback(void *handle)
{
    return db_mysql_run(handle, "ROLLBACK", NULL);
}

/* ---- the schema ---- */

/* Before anything is defined: an empty database, or one of ours. */
static db_rc_t db_mysql_ours(db_mysql_t *conn)
{
    apr_int64_t tables = 0, ours = 0;
    db_rc_t rc = db_mysql_number(conn,
                                 "SELECT COUNT(*) FROM information_schema.tables "
                                 "WHERE table_schema = DATABASE()",
                                 &tables);

    if (rc == DB_OK && tables) {
        rc = db_mysql_number(conn,
                             "SELECT COUNT(*) FROM information_schema.columns "
                             "WHERE table_schema = DATABASE() AND table_name = 'schema_version' "
                             "AND column_name = 'compatible'",
                             &ours);
    }
    if (rc == DB_OK && tables && !ours) {
        return db_mysql_odd(conn, "the database has tables of another program; name an empty one");
    }
    conn->ours = rc == DB_OK;
    return rc;
}

static db_rc_t db_mysql_script(void *handle, const char *sql)
{
    db_mysql_t *conn = handle;
    db_rc_t rc = conn->ours ? DB_OK : db_mysql_ours(conn);

    if (rc == DB_OK) {
        rc = db_mysql_run(conn, sql, NULL);
    }
    return rc != DB_OK && db_mysql_error_made(mysql_errno(conn->mysql)) ? DB_OK : rc;
}

static db_rc_t db_mysql_lock(void *handle)
{
    db_mysql_t *conn = handle;
    apr_int64_t got = 0;
    db_rc_t rc =
        db_mysql_number(conn, "SELECT GET_LOCK(CONCAT('pypitoken-', MD5(DATABASE())), 30)", &got);

    if (rc == DB_OK && got != 1) {
        (void)db_mysql_odd(conn, "another process has been changing the schema for 30 seconds");
        return DB_BUSY;
    }
    return rc;
}

static void db_mysql_unlock(void *handle)
{
    apr_int64_t released;

    (void)db_mysql_number(handle, "SELECT RELEASE_LOCK(CONCAT('pypitoken-', MD5(DATABASE())))",
                          &released);
}

static db_rc_t db_mysql_tidy(void *handle)
{
    (void)handle;
    return DB_OK;
}

const db_driver_t db_mysql_driver = {
    "mysql",          0,
    db_mysql_plan,    db_mysql_open,
    db_mysql_close,   db_mysql_alive,
    db_mysql_sql,     db_mysql_start,
    db_mysql_step,    db_mysql_finish,
    db_mysql_changed, db_mysql_begin,
    db_mysql_commit,  db_mysql_rollback,
    db_mysql_script,  db_mysql_tidy,
    db_mysql_why,     db_mysql_lock,
    db_mysql_unlock,
};
