/*
 * db_mysql.h - one connection, between db_mysql.c (use), db_mysql_open.c (opening) and
 * db_mysql_error.c (what error numbers mean).
 */
#ifndef PYPITOKEN_DB_MYSQL_H
#define PYPITOKEN_DB_MYSQL_H

#include "store/db.h"
#include "store/db_mysql_compat.h"

#define DB_MYSQL_PARAMS_MAX 88

/* A column of a statement's current row. */
typedef struct db_mysql_column_t {
    long long number;
    char *bytes; /* malloc */
    unsigned long size, length;
    db_mysql_bool_t null, cut;
} db_mysql_column_t;

typedef struct db_mysql_statement_t {
    MYSQL_STMT *stmt;
    int n; /* columns */
    db_mysql_column_t columns[QUERY_COLUMNS_MAX];
    MYSQL_BIND out[QUERY_COLUMNS_MAX];
} db_mysql_statement_t;

/* What db_driver_t.plan makes of a target: url and password never change; away does. */
typedef struct db_mysql_plan_t {
    db_mysql_url_t url;
    const char *password; /* guarded memory, or "" */
    /* One that failed is tried after the others until then (db_pool_now). */
    atomic_llong *away; /* for each host */
} db_mysql_plan_t;

typedef struct db_mysql_t {
    MYSQL *mysql;
    const db_mysql_plan_t *plan;
    int host; /* index in the plan */
    int ours; /* the database was looked at before anything was defined in it */
    apr_int64_t changed;
    db_mysql_statement_t *statements[QUERY_COUNT];
    char why[DB_WHY_MAX];
} db_mysql_t;

/* ---- db_mysql_error.c ---- */

/* What an error number means to db.h, for a statement and for an attempt to connect. */
db_rc_t db_mysql_error_rc(unsigned int code);
db_rc_t db_mysql_error_connect(unsigned int code);

/* 1 when a statement of a migration failed because what it makes is there already. */
int db_mysql_error_made(unsigned int code);

/* What to do about a failure to connect, to be added to the reason; may be "". */
const char *db_mysql_error_hint(unsigned int code);

/* The message for a log: without what servers quote from rows. */
void db_mysql_error_text(char *why, apr_size_t size, unsigned int code, const char *message);

/* Of a call on the connection, or on one of its statements, that failed: fills why. */
db_rc_t db_mysql_error(db_mysql_t *conn, MYSQL_STMT *stmt);

/* ---- db_mysql_open.c: db_driver_t.plan and .open ---- */

const char *db_mysql_plan(db_target_t *target, apr_pool_t *pool);
db_rc_t db_mysql_open(void **out, const db_target_t *target, char *why, apr_size_t size);

/* This connection's host is to be left alone for a while, the others are to be tried first. */
void db_mysql_open_shun(const db_mysql_t *conn);

/* ---- db_mysql.c ---- */

void db_mysql_close(void *conn);
/* Runs one statement. rows may be NULL: then it has none. Otherwise they must be freed. */
db_rc_t db_mysql_run(db_mysql_t *conn, const char *sql, MYSQL_RES **rows);

#endif
