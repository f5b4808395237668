/*
 * store_priv.h - what the files of the store share; nobody else includes it, but for tests.
 *
 * A read is one statement. A change is a loop, for a transaction that met another one, or lost its
 * connection before the commit, is run again from its beginning:
 *
 *     db_conn_t *conn = NULL;
 *     do {
 *         rc = store_begin(s, DB_DURABLE, &conn);
 *         if (rc == STORE_OK) {
 *             rc = store_exec(conn, ...);        any number of store_exec and store_fetch
 *         }
 *     } while (store_end(s, &conn, &rc));
 *
 * store_end commits on STORE_OK and rolls back on anything else. Failures of the database are
 * logged here, once, and come back as STORE_DOWN.
 */
#ifndef PYPITOKEN_STORE_PRIV_H
#define PYPITOKEN_STORE_PRIV_H

#include "store/db.h"
#include "store/keyring.h"
#include "store/store.h"
#include "store/trail.h"

#define STORE_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes of text that are kept; longer text is cut, not refused. */
#define STORE_TEXT_MAX 255

/* An accepted upload: its event, and whether the token's row is to tell of it at once. */
typedef struct store_use_t {
    const store_event_t *event; /* its time is set */
    int row;
} store_use_t;

typedef struct store_group_t store_group_t;

struct store_t {
    db_t *db;
    const db_driver_t *driver;
    const char *place; /* for sentences: the URL without its scheme */
    const keyring_t *keys;
    const seam_t *seam;
    trail_t *trail;       /* NULL: all is written at once */
    store_group_t *group; /* NULL: one at a time */
    pid_t pid;            /* with a trail; so for the next two */
    char front_id[37];
    apr_int64_t front_seen; /* when it was last written; 0: never */
    void (*log)(void *baton, const char *line);
    void (*told)(void *baton, const store_event_t *event);
    void (*meter)(void *baton, store_went_t went, apr_interval_time_t took);
    void *baton;
};

typedef enum store_mode_t {
    STORE_MODE_SERVE,  /* the schema must be this program's */
    STORE_MODE_ANY,    /* any schema */
    STORE_MODE_CREATE, /* any, and made if it is not there */
} store_mode_t;

/* store_open with a driver of the caller's, NULL: that of the URL. */
const char *store_open_with(store_t **out, const store_config_t *config, const db_driver_t *driver,
                            store_mode_t mode, apr_pool_t *pool);

void store_log(const store_t *s, const char *line);
/* Logs "store PLACE: what"; STORE_DOWN. */
store_rc_t store_down(const store_t *s, const char *what);
apr_int64_t store_now(const store_t *s);

/* A new random id in pool; NULL, after a log line, without random bytes. */
const char *store_uuid(const store_t *s, apr_pool_t *pool);

/* A copy in pool; NULL for NULL, "" for an empty slice. Bytes of a row end with the row. */
const char *store_copy(const db_value_t *value, apr_pool_t *pool);
/* text as a value, cut to STORE_TEXT_MAX bytes but not within an UTF-8 character. */
db_value_t store_cut(const char *text);

/* One reading statement on a connection of its own, tried again when the connection turned out to
 * be lost before the first row. STORE_OK (also without rows) or STORE_DOWN. A text that is not
 * UTF-8 is in no row. */
store_rc_t store_read(store_t *s, query_id_t query, const db_value_t *params, apr_size_t n,
                      db_row_fn *fn, void *baton);

/* *conn is NULL the first time, and that of before when store_end said again. */
store_rc_t store_begin(store_t *s, db_sync_t sync, db_conn_t **conn);
store_rc_t store_exec(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                      apr_int64_t *changed);
/* The single number that a statement yields. */
store_rc_t store_fetch(db_conn_t *conn, query_id_t query, const db_value_t *params, apr_size_t n,
                       apr_int64_t *number);
/* 1 when the transaction has to be run again; otherwise the connection is given back, and *rc is
 * what it was, or STORE_DOWN when the commit failed. */
int store_end(store_t *s, db_conn_t **conn, store_rc_t *rc);

/* Within a transaction; event->at is set. */
store_rc_t store_event_insert(db_conn_t *conn, const store_event_t *event);
/* Several, n of at most STORE_GROUP_MAX, in as few statements as there are sizes of them. */
store_rc_t store_event_insert_all(db_conn_t *conn, const store_event_t *const *events,
                                  apr_size_t n);
/* All of them in one transaction, or none. */
#define STORE_GROUP_MAX 64
store_rc_t store_event_uses(store_t *s, const store_use_t *uses, apr_size_t n);
/* The event with its time. */
store_event_t store_event_timed(const store_t *s, const store_event_t *event);

/* NULL when no mutex is to be had. Any thread. */
store_group_t *store_group_make(apr_pool_t *pool);
/* store_event_uses for one, together with those of other threads. */
store_rc_t store_group_write(store_t *s, const store_use_t *use);

/* db_welcome_fn, baton is the store: whether this program can work with the database as it is. */
db_rc_t store_schema_welcome(void *baton, db_conn_t *conn, char *why);

int store_schema_want(const store_t *s);

/* What store_tick and the end of a front end do with its row. */
void store_front_touch(store_t *s);
void store_front_gone(store_t *s);

/* The words of a new token's scope as rows, each once. Within a transaction. */
store_rc_t store_scope_add(db_conn_t *conn, const store_token_t *token);

/* The sealed bytes of a row, and what the current key makes of them, in pool. STORE_OK, NOTFOUND,
 * SEALED (no key opens it) or DOWN. */
store_rc_t store_token_again(store_t *s, slice_t id, slice_t *old, slice_t *fresh,
                             apr_pool_t *pool);

/* A durable change by one statement; STORE_NOTFOUND when it met no row. */
store_rc_t store_change(store_t *s, query_id_t query, const db_value_t *params, apr_size_t n);

#endif
