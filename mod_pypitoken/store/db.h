/*
 * db.h - the SQL layer: typed values, a driver's table of functions, and a few connections shared
 * by all threads of a process.
 *
 * A db_t holds slots. A connection is opened lazily, outside of any lock, by the thread that needs
 * it, and belongs to that thread from db_borrow to db_return: borrow for one operation, never for
 * the length of a request. One that is broken is closed and not given to the next, and with it go
 * the idle ones that were opened before. Idle ones stay open with their prepared statements, and
 * are asked whether they live only after a while. Nothing here allocates from a shared pool while
 * it works.
 *
 * A thread waits for a slot for a limited time only, and not at all when those who have them are
 * stuck. After repeated failures a database is left alone for a short while (breaker.h): then
 * everybody gets DB_DOWN at once, but for one who tries.
 *
 * Values go in and come out with type and length; the bytes of a row live until the callback
 * returns. Statements are those of query.h alone.
 */
#ifndef PYPITOKEN_DB_H
#define PYPITOKEN_DB_H

#include "core/slice.h"
#include "store/query.h"

#include <stdatomic.h>

#define DB_SLOTS     8
#define DB_SLOTS_MAX 64
#define DB_WAIT_MS   5000 /* for a free slot */
#define DB_WHY_MAX   1024

typedef enum db_rc_t {
    DB_OK,
    DB_ROW,
    DB_DONE,
    DB_CONFLICT, /* unique name taken, or a reference that would dangle */
    DB_BUSY,     /* somebody else had it locked for too long; no connection was free */
    DB_AGAIN,    /* the transaction met another one and must be run again from its beginning */
    DB_LOST,     /* the connection is of no use any more; by open: the database is not reachable */
    DB_DOWN,     /* it has failed a moment ago and was not asked */
    DB_ERROR
} db_rc_t;

typedef enum db_type_t { DB_NULL, DB_INT, DB_TEXT, DB_BLOB, DB_ALIEN } db_type_t;

typedef struct db_value_t {
    db_type_t type;
    apr_int64_t i;
    slice_t s;
} db_value_t;

/* Values for parameters; the bytes must live as long as the call. A NULL C string is SQL's NULL. A
 * text is UTF-8, or the statement fails: servers take nothing else. */
db_value_t db_int(apr_int64_t i);
db_value_t db_text(slice_t s);
db_value_t db_cstr(const char *text);
db_value_t db_blob(slice_t s);

/* How soon a transaction must be safe against a power cut. No kind is ever half done. */
typedef enum db_sync_t {
    DB_SOON,    /* may be lost with the last moments before the cut */
    DB_DURABLE, /* on the disk when commit returns: what people decide, such as a revocation */
    DB_SNAPSHOT /* writes nothing: all its statements read one state, and nobody waits for it */
} db_sync_t;

/* What a driver needs to connect. */
typedef struct db_target_t {
    const char *place;  /* of the URL, after "scheme:" */
    const char *secret; /* file with a password, or NULL */
    int create;         /* make the database if it is not there */
    atomic_uint *grown; /* size of what waits for db_tidy, in the driver's measure */
    int patient;        /* for what may take long, such as a migration: no short timeouts */
    /* Set by the driver's plan; 0: the defaults of db_make. */
    const void *plan; /* the driver's own reading of place and secret; never changes */
    int slots, wait_ms;
    int stall_ms; /* nobody waits for a slot when none has changed hands for so long; 0: wait_ms */
    int break_ms; /* pause of the breaker; 0: there is none */
} db_target_t;

/* A driver. Every function is called by one thread at a time for one connection. Those that return
 * db_rc_t can fail, and then why() tells the reason until the next call. */
typedef struct db_driver_t {
    const char *scheme;
    unsigned int grown_max; /* from here on db_tidy works; 0: never */
    /* Reads place and secret once, before anything is opened and perhaps in a parent process; what
     * it fills lives in pool. NULL, or a whole sentence. The function may be NULL. */
    const char *(*plan)(db_target_t *target, apr_pool_t *pool);
    /* On failure *conn is NULL and why gets a whole sentence (the place, what to do). DB_LOST or
     * DB_BUSY when waiting may help, DB_ERROR when somebody must mend something. */
    db_rc_t (*open)(void **conn, const db_target_t *target, char *why, apr_size_t why_size);
    void (*close)(void *conn);
    /* Asked before a connection is used again; 0 closes it. Cheap, unless it was idle for long. */
    int (*alive)(void *conn, int idle);
    /* The driver's own text of a statement, or NULL for that of query.h. */
    const char *(*sql)(query_id_t query);
    /* Prepares on the first use, binds and runs. params has the query's number of values. */
    db_rc_t (*start)(void *conn, query_id_t query, const db_value_t *params);
    /* DB_ROW fills one value for each column of the query, DB_DONE: no more rows. */
    db_rc_t (*step)(void *conn, query_id_t query, db_value_t *row);
    void (*finish)(void *conn, query_id_t query); /* after start, whatever came */
    apr_int64_t (*changed)(void *conn);           /* rows matched by the last statement */
    db_rc_t (*begin)(void *conn, db_sync_t sync);
    db_rc_t (*commit)(void *conn);
    db_rc_t (*rollback)(void *conn);
    db_rc_t (*script)(void *conn, const char *sql); /* one statement of a migration */
    db_rc_t (*tidy)(void *conn);
    const char *(*why)(void *conn); /* never holds a value of a row */
    /* Only one connection of all processes holds the lock on changes of the schema; waits for it,
     * then DB_BUSY. It ends with unlock or with the connection. Both NULL: begin is lock enough. */
    db_rc_t (*lock)(void *conn);
    void (*unlock)(void *conn);
} db_driver_t;

extern const db_driver_t db_sqlite_driver, db_mysql_driver;

typedef struct db_t db_t;
typedef struct db_conn_t db_conn_t;

/* Called with each new connection before anything else uses it. DB_OK, or a failure: then why has
 * the reason and the connection is closed. */
typedef db_rc_t db_welcome_fn(void *baton, db_conn_t *conn, char *why);

/* Told when a connection is given back, or was not to be had: DB_OK, the failure that made it
 * useless, or why there was none; and the time since it was asked for. */
typedef void db_meter_fn(void *baton, db_rc_t rc, apr_interval_time_t took);

typedef struct db_config_t {
    const db_driver_t *driver;
    db_target_t target;     /* grown is set by db_make */
    int slots, wait_ms;     /* 0: those of the target, or the defaults above */
    db_welcome_fn *welcome; /* may be NULL */
    db_meter_fn *meter;     /* may be NULL */
    void *baton;
} db_config_t;

/* No connection is opened yet. All are closed with the pool, by the process that made the db_t
 * alone; another one (a fork) can borrow nothing. NULL when no mutex is to be had. */
db_t *db_make(const db_config_t *config, apr_pool_t *pool);

/* From now on a database that is not there is not made. */
void db_created(db_t *db);

/* A connection for this thread, to be given back by db_return (which rolls back what was begun and
 * not committed). DB_OK, or DB_BUSY, DB_LOST, DB_DOWN, DB_ERROR: then *conn is NULL and why, of
 * DB_WHY_MAX bytes, tells the reason. */
db_rc_t db_borrow(db_t *db, db_conn_t **conn, char *why);
void db_return(db_conn_t *conn);

/* A new connection in the place of one that was lost. On failure it can only be given back. */
db_rc_t db_renew(db_conn_t *conn, char *why);

/* Why the last call on this connection failed, as "query: reason"; lives until db_return. */
const char *db_why(const db_conn_t *conn);

/* Called with each row, values as query.h types them. Return 0 to go on. */
typedef int db_row_fn(void *baton, const db_value_t *row);

/* Runs a statement; fn may be NULL. DB_OK, or a failure. *seen, which is not reset, counts the rows
 * given to fn. */
db_rc_t db_query(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                 db_row_fn *fn, void *baton, apr_size_t *seen);
/* Runs a statement without rows; changed may be NULL. */
db_rc_t db_exec(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                apr_int64_t *changed);
db_rc_t db_script(db_conn_t *conn, const char *sql);

/* Around changes of the schema, see db_driver_t. */
db_rc_t db_lock(db_conn_t *conn);
void db_unlock(db_conn_t *conn);

/* A transaction. When commit fails it was rolled back, or its connection is closed:
 * then nobody knows whether it was done, but it was not done by half. */
db_rc_t db_begin(db_conn_t *conn, db_sync_t sync);
db_rc_t db_commit(db_conn_t *conn);
void db_rollback(db_conn_t *conn);

/* After a failure within a transaction: 1 when it may succeed if run again from db_begin (after
 * db_renew, if db_lost). It met another transaction (then a short while has passed), or lost its
 * connection before the commit (once). What was begun is rolled back. */
int db_again(db_conn_t *conn);
int db_lost(const db_conn_t *conn);

/* Statements begun on all connections so far, those of migrations not counted. Any thread. */
apr_uint64_t db_statements(const db_t *db);

/* 0 while a thread has a connection: asked by whoever may have interrupted that very thread. */
int db_idle(db_t *db);

/* Housekeeping, when enough has gathered and no other thread is at it. DB_OK also when there was
 * nothing to do. */
db_rc_t db_tidy(db_t *db, char *why);

#endif
