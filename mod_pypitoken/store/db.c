/* db.c - the slots and the typed statements over any driver; see db.h. */
#include "store/db.h"

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <ctype.h>
#include <string.h>
#include <unistd.h>

struct db_conn_t {
    db_t *db;
    void *handle; /* the driver's; NULL while closed */
    int taken;
    int begun;
    int broken;
    char why[DB_WHY_MAX];
};

struct db_t {
    const db_driver_t *driver;
    db_target_t target;
    apr_interval_time_t wait;
    pid_t pid;
    apr_thread_mutex_t *mutex; /* guards taken of all slots, nothing else */
    apr_thread_cond_t *freed;
    atomic_uint grown;
    atomic_flag tidying;
    int n;
    db_conn_t slots[]; /* handle and the rest belong to whoever has taken the slot */
};

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

/* ---- slots ---- */

static void db_close(db_conn_t *conn)
{
    if (conn->handle) {
        conn->db->driver->close(conn->handle);
    }
    conn->handle = NULL;
    conn->begun = conn->broken = 0;
}

/* When the pool goes nobody uses the db_t any more. */
static apr_status_t db_destroy(void *data)
{
    char why[DB_WHY_MAX];
    db_t *db = data;
    int i;

    if (getpid() != db->pid) {
        return APR_SUCCESS; /* the handles are the parent's: closing them would break its locks */
    }
    (void)db_tidy(db, why);
    for (i = 0; i < db->n; i++) {
        db_close(&db->slots[i]);
    }
    return APR_SUCCESS;
}

db_t *db_make(const db_config_t *config, apr_pool_t *pool)
{
    int i, n = config->slots > 0 ? config->slots : DB_SLOTS;
    db_t *db;

    n = n > DB_SLOTS_MAX ? DB_SLOTS_MAX : n;
    db = apr_pcalloc(pool, sizeof(*db) + (apr_size_t)n * sizeof(db->slots[0]));
    db->driver = config->driver;
    db->target = config->target;
    db->target.grown = &db->grown;
    db->wait = apr_time_from_msec(config->wait_ms > 0 ? config->wait_ms : DB_WAIT_MS);
    db->pid = getpid();
    db->n = n;
    atomic_init(&db->grown, 0);
    atomic_flag_clear(&db->tidying);
    for (i = 0; i < n; i++) {
        db->slots[i].db = db;
    }
    if (apr_thread_mutex_create(&db->mutex, APR_THREAD_MUTEX_DEFAULT, pool) ||
        apr_thread_cond_create(&db->freed, pool)) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, db, db_destroy, apr_pool_cleanup_null);
    return db;
}

void db_created(db_t *db)
{
    db->target.create = 0;
}

/* Under the mutex: the first free slot with a connection, else the first free one, else NULL. */
static db_conn_t *db_free_slot(db_t *db)
{
    db_conn_t *empty = NULL;
    int i;

    for (i = 0; i < db->n; i++) {
        if (!db->slots[i].taken && db->slots[i].handle) {
            return &db->slots[i];
        }
        if (!db->slots[i].taken && !empty) {
            empty = &db->slots[i];
        }
    }
    return empty;
}

static db_conn_t *db_take(db_t *db)
{
    apr_time_t now = apr_time_now(), deadline = now + db->wait;
    db_conn_t *conn;

    apr_thread_mutex_lock(db->mutex);
    while (!(conn = db_free_slot(db)) && now < deadline) {
        apr_thread_cond_timedwait(db->freed, db->mutex, deadline - now);
        now = apr_time_now();
    }
    if (conn) {
        conn->taken = 1;
    }
    apr_thread_mutex_unlock(db->mutex);
    return conn;
}

static void db_give(db_conn_t *conn)
{
    db_t *db = conn->db;

    apr_thread_mutex_lock(db->mutex);
    conn->taken = 0;
    apr_thread_cond_signal(db->freed);
    apr_thread_mutex_unlock(db->mutex);
}

db_rc_t db_borrow(db_t *db, db_conn_t **out, char *why)
{
    db_rc_t rc = DB_OK;
    db_conn_t *conn;

    *out = NULL;
    why[0] = '\0';
    if (getpid() != db->pid) {
        apr_snprintf(why, DB_WHY_MAX, "the store was opened by another process");
        return DB_ERROR;
    }
    conn = db_take(db);
    if (!conn) {
        apr_snprintf(why, DB_WHY_MAX, "all %d connections are in use", db->n);
        return DB_BUSY;
    }
    conn->why[0] = '\0';
    if (conn->handle && !db->driver->alive(conn->handle)) {
        db_close(conn);
    }
    if (!conn->handle) {
        rc = db->driver->open(&conn->handle, &db->target, why, DB_WHY_MAX);
    }
    if (rc != DB_OK) {
        conn->handle = NULL;
        db_give(conn);
        return rc;
    }
    *out = conn;
    return DB_OK;
}

void db_return(db_conn_t *conn)
{
    if (!conn) {
        return;
    }
    db_rollback(conn);
    if (conn->broken) {
        db_close(conn);
    }
    db_give(conn);
}

const char *db_why(const db_conn_t *conn)
{
    return conn->why;
}

/* Keeps the reason of a failure for db_why. */
static db_rc_t db_failed(db_conn_t *conn, const char *what, db_rc_t rc)
{
    apr_snprintf(conn->why, sizeof(conn->why), "%s: %s", what, conn->db->driver->why(conn->handle));
    if (rc == DB_LOST) {
        conn->broken = 1;
    }
    return rc;
}

/* ---- statements ---- */

static db_rc_t db_check_params(db_conn_t *conn, query_id_t query, const db_value_t *params,
                               apr_size_t n)
{
    const query_t *q = &query_table[query];
    apr_size_t i;

    for (i = 0; i < n && q->params[i] && db_fits(q->params[i], params[i].type); i++) {
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

    if (rc != DB_OK) {
        return rc;
    }
    rc = driver->start(conn->handle, query, params);
    if (rc != DB_OK) {
        rc = db_failed(conn, name, rc);
    }
    while (rc == DB_OK) {
        rc = driver->step(conn->handle, query, row);
        if (rc == DB_ROW) {
            rc = db_check_row(conn, query, row);
            if (rc == DB_OK && fn) {
                *seen += 1;
                rc = fn(baton, row) ? DB_DONE : DB_OK;
            }
        } else if (rc != DB_DONE) {
            rc = db_failed(conn, name, rc);
        }
    }
    driver->finish(conn->handle, query);
    return rc == DB_DONE ? DB_OK : rc;
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
    db_rc_t rc = conn->db->driver->script(conn->handle, sql);

    return rc == DB_OK ? rc : db_failed(conn, "migration", rc);
}

db_rc_t db_lock(db_conn_t *conn)
{
    const db_driver_t *driver = conn->db->driver;
    db_rc_t rc = driver->lock ? driver->lock(conn->handle) : DB_OK;

    return rc == DB_OK ? rc : db_failed(conn, "lock", rc);
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
    db_rc_t rc = conn->db->driver->begin(conn->handle, sync);

    conn->begun = 1; /* also when it failed: rolling back what was not begun does no harm */
    return rc == DB_OK ? rc : db_failed(conn, "begin", rc);
}

db_rc_t db_commit(db_conn_t *conn)
{
    db_rc_t rc = conn->db->driver->commit(conn->handle);

    if (rc != DB_OK) {
        rc = db_failed(conn, "commit", rc);
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

/* ---- housekeeping ---- */

db_rc_t db_tidy(db_t *db, char *why)
{
    unsigned int max = db->driver->grown_max;
    db_conn_t *conn;
    db_rc_t rc;

    why[0] = '\0';
    if (!max || atomic_load(&db->grown) < max || atomic_flag_test_and_set(&db->tidying)) {
        return DB_OK;
    }
    rc = db_borrow(db, &conn, why);
    if (rc == DB_OK) {
        atomic_store(&db->grown, 0);
        rc = db->driver->tidy(conn->handle);
        if (rc != DB_OK) {
            (void)db_failed(conn, "tidy", rc);
            apr_cpystrn(why, conn->why, DB_WHY_MAX);
        }
        db_return(conn);
    }
    atomic_flag_clear(&db->tidying);
    return rc;
}
