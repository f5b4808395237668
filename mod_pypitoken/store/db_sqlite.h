/*
 * db_sqlite.h - one connection, between db_sqlite.c (use) and db_sqlite_open.c (opening).
 */
#ifndef PYPITOKEN_DB_SQLITE_H
#define PYPITOKEN_DB_SQLITE_H

#include "store/db.h"

#include <sqlite3.h>

/* Statements beyond those of query.h. */
typedef enum db_sqlite_own_t {
    DB_SQLITE_BEGIN = QUERY_COUNT,
    DB_SQLITE_SNAPSHOT,
    DB_SQLITE_COMMIT,
    DB_SQLITE_ROLLBACK,
    DB_SQLITE_STATEMENTS
} db_sqlite_own_t;

typedef struct db_sqlite_t {
    sqlite3 *db;
    atomic_uint *grown;
    db_sync_t sync;    /* what the connection is set to */
    unsigned waited;   /* microseconds, for the lock that is asked for just now */
    unsigned patience; /* milliseconds that it may be waited for */
    int pages;         /* in the log after the last commit */
    int many;          /* from so many on a commit moves it */
    sqlite3_stmt *statements[DB_SQLITE_STATEMENTS];
} db_sqlite_t;

#define DB_SQLITE_BUSY_MS 2000 /* three in an upload whose client waits ten seconds */
#define DB_SQLITE_MANY    4000 /* pages of 4 KiB: see db_sqlite_tidy */

/* What SQLite's result code, extended or not, means to db.h. */
db_rc_t db_sqlite_rc(int code);

/* db_driver_t.close and .open */
void db_sqlite_close(void *conn);
db_rc_t db_sqlite_open(void **out, const db_target_t *target, char *why, apr_size_t size);

#endif
