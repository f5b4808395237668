/* db_pool.c - the slots: who has which connection, which are trusted, and when it is not even
 * tried; see db.h. */
#include "store/db_priv.h"

#include <apr_strings.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A connection that nobody used for so long is asked whether it lives. */
#define DB_POOL_IDLE apr_time_from_sec(30)

/* A statement that was lost after so long ran into a timeout: the database does not answer. */
#define DB_POOL_SLOW apr_time_from_sec(1)

apr_time_t db_pool_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (apr_time_t)now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void db_pool_close(db_conn_t *conn)
{
    if (conn->handle) {
        conn->db->driver->close(conn->handle);
    }
    conn->handle = NULL;
    conn->begun = conn->broken = 0;
}

/* When the pool goes nobody uses the db_t any more, unless a signal has ended a child of the
 * prefork MPM in the middle of a request: then nothing more is begun. */
static apr_status_t db_pool_destroy(void *data)
{
    char why[DB_WHY_MAX];
    db_t *db = data;
    int i;

    if (getpid() != db->pid) {
        return APR_SUCCESS; /* the handles are the parent's: closing them would break its locks */
    }
    if (db_idle(db)) {
        (void)db_tidy(db, why);
    }
    for (i = 0; i < db->n; i++) {
        db_pool_close(&db->slots[i]);
    }
    return APR_SUCCESS;
}

/* 0, or -1: not to be had. Both end with the process and not before: where a signal has ended it in
 * the middle of a request, somebody may still be in there, whom destroying them would wait for. */
static int db_pool_locks(db_t *db)
{
    pthread_condattr_t clock;
    int rc;

    if (pthread_condattr_init(&clock)) {
        return -1;
    }
    rc = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) ||
                 pthread_cond_init(&db->freed, &clock) || pthread_mutex_init(&db->mutex, NULL)
             ? -1
             : 0;
    (void)pthread_condattr_destroy(&clock);
    return rc;
}

static int db_pool_or(int first, int second, int otherwise)
{
    return first > 0 ? first : second > 0 ? second : otherwise;
}

db_t *db_make(const db_config_t *config, apr_pool_t *pool)
{
    int i, n = db_pool_or(config->slots, config->target.slots, DB_SLOTS);
    int wait = db_pool_or(config->wait_ms, config->target.wait_ms, DB_WAIT_MS);
    db_t *db;

    n = n > DB_SLOTS_MAX ? DB_SLOTS_MAX : n;
    db = apr_pcalloc(pool, sizeof(*db) + (apr_size_t)n * sizeof(db->slots[0]));
    db->driver = config->driver;
    db->target = config->target;
    db->target.grown = &db->grown;
    db->welcome = config->welcome;
    db->meter = config->meter;
    db->baton = config->baton;
    db->wait = apr_time_from_msec(wait);
    db->stall = apr_time_from_msec(db_pool_or(config->target.stall_ms, wait, wait));
    db->pid = getpid();
    db->n = n;
    breaker_init(&db->breaker, apr_time_from_msec(config->target.break_ms));
    atomic_init(&db->failing, 0);
    atomic_init(&db->grown, 0);
    atomic_init(&db->statements, 0);
    atomic_flag_clear(&db->tidying);
    for (i = 0; i < n; i++) {
        db->slots[i].db = db;
    }
    if (db_pool_locks(db)) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, db, db_pool_destroy, apr_pool_cleanup_null);
    return db;
}

void db_created(db_t *db)
{
    db->target.create = 0;
}

/* ---- slots ---- */

/* Under the mutex: the first free slot with a connection, else the first free one, else NULL. */
static db_conn_t *db_pool_free_slot(db_t *db)
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

/* Under the mutex: waits until a slot may be free, or until that time. */
static void db_pool_sleep(db_t *db, apr_time_t until)
{
    struct timespec end = {until / APR_USEC_PER_SEC, until % APR_USEC_PER_SEC * 1000};

    (void)pthread_cond_timedwait(&db->freed, &db->mutex, &end);
}

/* Under the mutex: waits for a slot. When none has changed hands for the stall time, all those who
 * have one are stuck, and whoever came to wait would be too. */
static db_conn_t *db_pool_wait(db_t *db)
{
    apr_time_t now = db_pool_now(), deadline = now + db->wait;
    db_conn_t *conn;

    while (!(conn = db_pool_free_slot(db)) && now < deadline && now < db->moved + db->stall) {
        db_pool_sleep(db, deadline < db->moved + db->stall ? deadline : db->moved + db->stall);
        now = db_pool_now();
    }
    if (conn) {
        conn->taken = 1;
        conn->borrowed = db->moved = now;
    }
    return conn;
}

static void db_pool_meter(const db_t *db, db_rc_t rc, apr_interval_time_t took)
{
    if (db->meter) {
        db->meter(db->baton, rc, took);
    }
}

static db_rc_t db_pool_take(db_t *db, db_conn_t **conn, char *why)
{
    apr_time_t now = db_pool_now();
    int may, stale = 0;

    (void)pthread_mutex_lock(&db->mutex);
    may = breaker_enter(&db->breaker, now);
    *conn = may ? db_pool_wait(db) : NULL;
    if (may && !*conn) {
        breaker_neither(&db->breaker, now);
    }
    if (*conn) {
        (*conn)->asked = now;
    }
    stale = *conn && (*conn)->epoch != db->epoch;
    (void)pthread_mutex_unlock(&db->mutex);
    if (!*conn) {
        db_pool_meter(db, may ? DB_BUSY : DB_DOWN, db_pool_now() - now);
    }
    if (!may) {
        apr_snprintf(why, DB_WHY_MAX, "it failed a moment ago and is left alone for a while");
        return DB_DOWN;
    }
    if (!*conn) {
        apr_snprintf(why, DB_WHY_MAX, "all %d connections are in use", db->n);
        return DB_BUSY;
    }
    if (stale) {
        db_pool_close(*conn);
    }
    return DB_OK;
}

static void db_pool_give(db_conn_t *conn, db_rc_t rc)
{
    db_t *db = conn->db;

    apr_interval_time_t took;

    conn->idle = db_pool_now();
    took = conn->idle - conn->asked;
    (void)pthread_mutex_lock(&db->mutex);
    conn->taken = 0;
    db->moved = conn->idle;
    (void)pthread_cond_signal(&db->freed);
    (void)pthread_mutex_unlock(&db->mutex);
    db_pool_meter(db, rc, took);
}

/* ---- what is known of the database ---- */

static void db_pool_outcome(db_t *db, int good)
{
    (void)pthread_mutex_lock(&db->mutex);
    atomic_store(&db->failing, !good);
    if (good) {
        breaker_good(&db->breaker);
    } else {
        breaker_bad(&db->breaker, db_pool_now());
    }
    (void)pthread_mutex_unlock(&db->mutex);
}

void db_pool_lost(db_conn_t *conn, apr_interval_time_t after)
{
    db_t *db = conn->db;

    (void)pthread_mutex_lock(&db->mutex);
    db->epoch += conn->epoch == db->epoch; /* many are lost at once: that counts once */
    (void)pthread_mutex_unlock(&db->mutex);
    if (after >= DB_POOL_SLOW) {
        db_pool_outcome(db, 0);
    }
}

void db_pool_good(db_t *db)
{
    if (atomic_load(&db->failing)) {
        db_pool_outcome(db, 1);
    }
}

/* ---- borrowing ---- */

static db_rc_t db_pool_open(db_conn_t *conn, char *why)
{
    db_t *db = conn->db;
    db_rc_t rc;

    (void)pthread_mutex_lock(&db->mutex);
    conn->epoch = db->epoch;
    (void)pthread_mutex_unlock(&db->mutex);
    rc = db->driver->open(&conn->handle, &db->target, why, DB_WHY_MAX);
    if (rc != DB_OK) {
        conn->handle = NULL;
    } else if (db->welcome) {
        rc = db->welcome(db->baton, conn, why);
        if (rc != DB_OK) {
            db_pool_close(conn);
        }
    }
    db_pool_outcome(db, rc == DB_OK);
    return rc;
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
    rc = db_pool_take(db, &conn, why);
    if (rc != DB_OK) {
        return rc;
    }
    conn->why[0] = '\0';
    conn->last = DB_OK;
    conn->tries = conn->renewed = conn->committing = 0;
    if (conn->handle &&
        !db->driver->alive(conn->handle, conn->borrowed - conn->idle > DB_POOL_IDLE)) {
        db_pool_close(conn);
    }
    if (!conn->handle) {
        rc = db_pool_open(conn, why);
    }
    if (rc != DB_OK) {
        db_pool_give(conn, rc);
        return rc;
    }
    *out = conn;
    return DB_OK;
}

db_rc_t db_renew(db_conn_t *conn, char *why)
{
    db_pool_close(conn);
    conn->renewed = 1;
    conn->last = DB_OK;
    return db_pool_open(conn, why);
}

void db_return(db_conn_t *conn)
{
    if (!conn) {
        return;
    }
    db_rollback(conn);
    if (conn->broken) {
        db_pool_close(conn);
    }
    db_pool_give(conn, conn->last);
}

/* ---- housekeeping ---- */

int db_idle(db_t *db)
{
    int i, idle = 1;

    if (pthread_mutex_trylock(&db->mutex) != 0) {
        return 0;
    }
    for (i = 0; i < db->n; i++) {
        idle = idle && !db->slots[i].taken;
    }
    (void)pthread_mutex_unlock(&db->mutex);
    return idle;
}

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
            apr_snprintf(why, DB_WHY_MAX, "tidy: %s", db->driver->why(conn->handle));
            conn->broken = rc == DB_LOST;
        }
        db_return(conn);
    }
    atomic_flag_clear(&db->tidying);
    return rc;
}
