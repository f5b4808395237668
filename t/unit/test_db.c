/* test_db.c - slots over a driver that only pretends, and SQLite's own side of db.h. */
#include "store_kit.h"

#include "store/db_sqlite.h"

#include <apr_thread_proc.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

/* ---- a driver without a database ---- */

static struct {
    atomic_int opened, closed, open_now;
    int dead, open_fails, rollbacks, commits;
    db_rc_t fail_step, fail_begin, fail_commit, fail_rollback;
    db_value_t row;
    int rows;
} fake;

static db_rc_t fake_open(void **conn, const db_target_t *target, char *why, apr_size_t size)
{
    (void)target;
    if (fake.open_fails) {
        *conn = NULL;
        apr_snprintf(why, size, "nobody listens");
        return DB_LOST;
    }
    *conn = malloc(1);
    atomic_fetch_add(&fake.opened, 1);
    return DB_OK;
}

static void fake_close(void *conn)
{
    free(conn);
    atomic_fetch_add(&fake.closed, 1);
}

static int fake_alive(void *conn, int idle)
{
    (void)conn;
    (void)idle;
    return !fake.dead;
}

static const char *fake_sql(query_id_t query)
{
    (void)query;
    return NULL;
}

static db_rc_t fake_start(void *conn, query_id_t query, const db_value_t *params)
{
    (void)conn;
    (void)query;
    (void)params;
    return DB_OK;
}

static db_rc_t fake_step(void *conn, query_id_t query, db_value_t *row)
{
    (void)conn;
    (void)query;
    if (fake.fail_step != DB_OK) {
        return fake.fail_step;
    }
    *row = fake.row;
    return fake.rows-- > 0 ? DB_ROW : DB_DONE;
}

static void fake_finish(void *conn, query_id_t query)
{
    (void)conn;
    (void)query;
}

static apr_int64_t fake_changed(void *conn)
{
    (void)conn;
    return 7;
}

static db_rc_t fake_begin(void *conn, db_sync_t sync)
{
    (void)conn;
    (void)sync;
    return fake.fail_begin;
}

static db_rc_t fake_commit(void *conn)
{
    (void)conn;
    fake.commits++;
    return fake.fail_commit;
}

static db_rc_t fake_rollback(void *conn)
{
    (void)conn;
    fake.rollbacks++;
    return fake.fail_rollback;
}

static db_rc_t fake_script(void *conn, const char *sql)
{
    (void)conn;
    (void)sql;
    return DB_OK;
}

static db_rc_t fake_tidy(void *conn)
{
    (void)conn;
    return DB_OK;
}

static const char *fake_why(void *conn)
{
    (void)conn;
    return "it was said so";
}

static const db_driver_t fake_driver = {
    "fake",      0,         NULL,        fake_open,    fake_close, fake_alive,  fake_sql,
    fake_start,  fake_step, fake_finish, fake_changed, fake_begin, fake_commit, fake_rollback,
    fake_script, fake_tidy, fake_why,    NULL,         NULL,
};

static char why[DB_WHY_MAX];

static db_t *make(int slots, int wait_ms, apr_pool_t *pool)
{
    db_config_t config = {.driver = &fake_driver, .slots = slots, .wait_ms = wait_ms};

    memset(&fake, 0, sizeof(fake));
    return db_make(&config, pool);
}

static int keep(void *baton, const db_value_t *row)
{
    *(db_value_t *)baton = *row;
    return 0;
}

static void slots(apr_pool_t *parent)
{
    db_conn_t *a = NULL, *b = NULL, *c = NULL;
    apr_pool_t *pool;
    apr_time_t start;
    db_t *db;

    apr_pool_create(&pool, parent);
    db = make(2, 200, pool);
    tap_ok(fake.opened == 0, "nothing is opened before it is needed");
    tap_ok(db_borrow(db, &a, why) == DB_OK && db_borrow(db, &b, why) == DB_OK && a != b &&
               fake.opened == 2,
           "two connections");
    start = apr_time_now();
    tap_ok(db_borrow(db, &c, why) == DB_BUSY && !c && kit_has(why, "all 2 connections"),
           "no third: %s", why);
    start = apr_time_now() - start;
    tap_ok(start >= apr_time_from_msec(190) && start < apr_time_from_sec(3),
           "  after the wait that was set");
    db_return(b);
    tap_ok(db_borrow(db, &c, why) == DB_OK && c == b && fake.opened == 2, "one is used again");
    db_return(c);
    db_return(a);
    db_return(NULL);
    tap_ok(fake.closed == 0, "idle ones stay open");
    fake.dead = 1;
    tap_ok(db_borrow(db, &a, why) == DB_OK && fake.closed == 1 && fake.opened == 3,
           "one that died while idle is replaced");
    fake.dead = 0;
    db_return(a);
    fake.open_fails = fake.dead = 1;
    tap_ok(db_borrow(db, &a, why) == DB_LOST && !a && kit_is(why, "nobody listens"),
           "an open that fails");
    fake.open_fails = fake.dead = 0;
    tap_ok(db_borrow(db, &a, why) == DB_OK && db_borrow(db, &b, why) == DB_OK,
           "  gives its slot back");
    db_return(a);
    db_return(b);
    apr_pool_destroy(pool);
    tap_ok(fake.opened == fake.closed, "all are closed with the pool");
}

static void failures(apr_pool_t *parent)
{
    const db_value_t id[] = {db_cstr("x")};
    db_value_t got = db_int(0);
    apr_size_t seen = 0;
    apr_pool_t *pool;
    db_conn_t *c;
    db_t *db;

    apr_pool_create(&pool, parent);
    db = make(1, 50, pool);
    (void)db_borrow(db, &c, why);
    fake.fail_step = DB_ERROR;
    tap_ok(db_exec(c, QUERY_USER_REMOVE, id, 1, NULL) == DB_ERROR &&
               kit_is(db_why(c), "user_remove: it was said so"),
           "an error has the statement's name: %s", db_why(c));
    db_return(c);
    (void)db_borrow(db, &c, why);
    tap_ok(fake.closed == 0 && !db_why(c)[0], "an error does not cost the connection");
    fake.fail_step = DB_LOST;
    tap_ok(db_exec(c, QUERY_USER_REMOVE, id, 1, NULL) == DB_LOST, "a lost connection");
    db_return(c);
    tap_ok(fake.closed == 1, "  is closed, not given back");
    fake.fail_step = DB_OK;
    (void)db_borrow(db, &c, why);
    tap_ok(db_begin(c, DB_SOON) == DB_OK, "begin");
    db_return(c);
    tap_ok(fake.rollbacks == 1 && fake.closed == 1, "what was begun is rolled back on return");
    (void)db_borrow(db, &c, why);
    db_begin(c, DB_SOON);
    fake.fail_commit = DB_ERROR;
    tap_ok(db_commit(c) == DB_ERROR && fake.rollbacks == 2 && kit_has(db_why(c), "commit: "),
           "a commit that fails is rolled back");
    fake.fail_commit = DB_OK;
    db_begin(c, DB_SOON);
    fake.fail_rollback = DB_ERROR;
    db_return(c);
    tap_ok(fake.closed == 2, "a rollback that fails costs the connection");
    fake.fail_rollback = DB_OK;
    (void)db_borrow(db, &c, why);
    tap_ok(db_begin(c, DB_SOON) == DB_OK && db_commit(c) == DB_OK && fake.rollbacks == 3,
           "a commit");
    db_return(c);
    tap_ok(fake.rollbacks == 3, "  is not rolled back");
    (void)db_borrow(db, &c, why);
    tap_ok(db_exec(c, QUERY_USER_REMOVE, id, 0, NULL) == DB_ERROR, "a parameter too few");
    tap_ok(db_exec(c, QUERY_SCHEMA_VERSION, id, 1, NULL) == DB_ERROR, "a parameter too many");
    tap_ok(db_exec(c, QUERY_SCHEMA_ADD, id, 1, NULL) == DB_ERROR, "a text for a number");
    got = db_cstr(NULL);
    tap_ok(db_exec(c, QUERY_USER_REMOVE, &got, 1, NULL) == DB_ERROR, "NULL where it may not be");
    fake.rows = 1;
    fake.row = db_cstr("5");
    tap_ok(db_query(c, QUERY_SCHEMA_PRESENT, NULL, 0, keep, &got, &seen) == DB_ERROR && !seen &&
               kit_has(db_why(c), "damaged row, column 1"),
           "a text in a number's column: %s", db_why(c));
    fake.rows = 1;
    fake.row = db_int(5);
    fake.row.type = DB_ALIEN;
    tap_ok(db_query(c, QUERY_SCHEMA_PRESENT, NULL, 0, keep, &got, &seen) == DB_ERROR,
           "a type that nobody knows");
    fake.rows = 3;
    fake.row = db_int(5);
    tap_ok(db_query(c, QUERY_SCHEMA_PRESENT, NULL, 0, keep, &got, &seen) == DB_OK && seen == 3 &&
               got.i == 5,
           "rows");
    db_return(c);
    apr_pool_destroy(pool);
}

static void forked(apr_pool_t *parent)
{
    apr_pool_t *pool;
    int status = -1;
    db_conn_t *c;
    db_t *db;
    pid_t child;

    apr_pool_create(&pool, parent);
    db = make(1, 50, pool);
    (void)db_borrow(db, &c, why);
    db_return(c);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        int bad = db_borrow(db, &c, why) != DB_ERROR || !kit_has(why, "another process");

        apr_pool_destroy(pool);
        _exit(bad || fake.closed);
    }
    waitpid(child, &status, 0);
    tap_ok(child > 0 && status == 0, "after a fork nothing is borrowed, nothing closed");
    apr_pool_destroy(pool);
    tap_ok(fake.closed == 1, "  but by the process that opened it");
}

typedef struct crowd_t {
    db_t *db;
    atomic_int inside, most, failed;
} crowd_t;

static void *APR_THREAD_FUNC crowd_run(apr_thread_t *thread, void *data)
{
    char mine[DB_WHY_MAX];
    crowd_t *crowd = data;
    db_conn_t *c;
    int i, now;

    (void)thread;
    for (i = 0; i < 200; i++) {
        if (db_borrow(crowd->db, &c, mine) != DB_OK) {
            atomic_fetch_add(&crowd->failed, 1);
            continue;
        }
        now = atomic_fetch_add(&crowd->inside, 1) + 1;
        if (now > atomic_load(&crowd->most)) {
            atomic_store(&crowd->most, now);
        }
        apr_sleep(20);
        atomic_fetch_sub(&crowd->inside, 1);
        db_return(c);
    }
    return NULL;
}

static void crowded(apr_pool_t *parent)
{
    apr_thread_t *threads[16];
    apr_status_t rv;
    apr_pool_t *pool;
    crowd_t crowd;
    int i;

    apr_pool_create(&pool, parent);
    memset(&crowd, 0, sizeof(crowd));
    crowd.db = make(3, 0, pool);
    for (i = 0; i < 16; i++) {
        apr_thread_create(&threads[i], NULL, crowd_run, &crowd, pool);
    }
    for (i = 0; i < 16; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    tap_ok(crowd.failed == 0 && crowd.most <= 3 && fake.opened <= 3,
           "16 threads share 3 connections: %d at once, %d opened", crowd.most, fake.opened);
    apr_pool_destroy(pool);
}

/* ---- SQLite ---- */

static db_t *sqlite_make(const char *path, int create, apr_pool_t *pool)
{
    db_config_t config = {
        &db_sqlite_driver, {.place = path, .create = create}, 2, 100, NULL, NULL, NULL};

    return db_make(&config, pool);
}

/* Whether the database at path is taken; why tells the reason. */
static db_rc_t sqlite_try(const char *path, int create, apr_pool_t *parent)
{
    apr_pool_t *pool;
    db_conn_t *c;
    db_rc_t rc;

    apr_pool_create(&pool, parent);
    rc = db_borrow(sqlite_make(path, create, pool), &c, why);
    db_return(c);
    apr_pool_destroy(pool);
    return rc;
}

static void sqlite_run(const char *path, const char *sql)
{
    sqlite3 *db;

    if (sqlite3_open(path, &db) || sqlite3_exec(db, sql, NULL, NULL, NULL)) {
        abort();
    }
    sqlite3_close(db);
}

static void refusals(kit_t *kit)
{
    const char *path = kit->db, *nowhere = apr_pstrcat(kit->pool, kit->dir, "/no/x.db", NULL);
    struct stat st;
    int fd;

    tap_ok(sqlite_try(path, 0, kit->pool) == DB_ERROR && kit_has(why, path) &&
               kit_has(why, "No such file") && kit_has(why, "pypitokenctl init"),
           "no file: %s", why);
    tap_ok(stat(path, &st), "  and none is made");
    tap_ok(sqlite_try(nowhere, 1, kit->pool) == DB_ERROR && kit_has(why, "No such file") &&
               !kit_has(why, "init"),
           "no directory: %s", why);
    tap_ok(sqlite_try(kit->dir, 1, kit->pool) == DB_ERROR && kit_has(why, "regular"),
           "a directory: %s", why);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    tap_ok(fd >= 0 &&
               write(fd, "These are notes of last week, and no database at all.\n", 54) == 54,
           "a text file");
    close(fd);
    tap_ok(sqlite_try(path, 1, kit->pool) == DB_ERROR && kit_has(why, "not an SQLite database"),
           "  is refused: %s", why);
    unlink(path);
    sqlite_run(path, "CREATE TABLE mine (x)");
    tap_ok(sqlite_try(path, 1, kit->pool) == DB_ERROR && kit_has(why, "another program"),
           "a database with other tables: %s", why);
    unlink(path);
    sqlite_run(path, "PRAGMA application_id = 42");
    tap_ok(sqlite_try(path, 1, kit->pool) == DB_ERROR && kit_has(why, "another program"),
           "a database with another mark: %s", why);
    sqlite_run(path, "PRAGMA application_id = 1350128747");
    tap_ok(sqlite_try(path, 0, kit->pool) == DB_OK, "one with ours is taken");
    unlink(path);
}

/* SQLite says more than a class in the upper bytes of a code, and more with each release. */
static void codes(void)
{
    tap_ok(db_sqlite_rc(SQLITE_IOERR_FSYNC) == DB_LOST &&
               db_sqlite_rc(SQLITE_BUSY | 77 << 8) == DB_BUSY,
           "a code that is not known by itself is of the class of its low byte");
    tap_ok(db_sqlite_rc(SQLITE_CONSTRAINT_UNIQUE) == DB_CONFLICT &&
               db_sqlite_rc(SQLITE_CONSTRAINT_CHECK) == DB_ERROR,
           "a constraint is a conflict where it is known as one");
    tap_ok(db_sqlite_rc(SQLITE_MISUSE) == DB_ERROR && db_sqlite_rc(99 | 99 << 8) == DB_ERROR,
           "what nobody knows is an error");
}

static int number(void *baton, const db_value_t *row)
{
    *(int *)baton = (int)row[0].i;
    return 1;
}

static void files(kit_t *kit)
{
    mode_t mask = umask(0);
    const char *const ends[] = {"", "-wal", "-shm"};
    const char *other = apr_pstrcat(kit->pool, kit->dir, "/other.db", NULL);
    apr_size_t i, seen = 0;
    apr_pool_t *pool;
    struct stat st;
    db_conn_t *c;
    int n = -1;
    db_t *db;

    apr_pool_create(&pool, kit->pool);
    db = sqlite_make(kit->db, 1, pool);
    tap_ok(db_borrow(db, &c, why) == DB_OK && db_begin(c, DB_DURABLE) == DB_OK &&
               db_script(c, "CREATE TABLE t (x)") == DB_OK && db_commit(c) == DB_OK,
           "a new database");
    for (i = 0; i < 3; i++) {
        tap_ok(!stat(apr_pstrcat(pool, kit->db, ends[i], NULL), &st) &&
                   (st.st_mode & 07777) == 0600,
               "  mode 600 under umask 0: s.db%s", ends[i]);
    }
    tap_ok(db_script(c, "INSERT INTO nowhere VALUES (1)") == DB_ERROR &&
               kit_has(db_why(c), "no such table"),
           "an error has its reason: %s", db_why(c));
    tap_ok(db_query(c, QUERY_SCHEMA_PRESENT, NULL, 0, number, &n, &seen) == DB_OK && n == 0,
           "the driver's own statement");
    db_return(c);
    tap_ok(sqlite_try(other, 1, pool) == DB_OK, "another database");
    umask(0777);
    unlink(other);
    tap_ok(sqlite_try(other, 1, pool) == DB_OK && !stat(other, &st) && (st.st_mode & 07777) == 0600,
           "  mode 600 under umask 777");
    umask(0);
    sqlite_run(other, "PRAGMA application_id = 1350128747; CREATE TABLE schema_version (version)");
    unlink(apr_pstrcat(pool, kit->db, "-wal", NULL)); /* as whoever restores a database must */
    unlink(apr_pstrcat(pool, kit->db, "-shm", NULL));
    (void)rename(other, kit->db);
    n = -1;
    tap_ok(db_borrow(db, &c, why) == DB_OK &&
               db_query(c, QUERY_SCHEMA_PRESENT, NULL, 0, number, &n, &seen) == DB_OK && n == 1,
           "a database put in its place is opened at once");
    db_return(c);
    apr_pool_destroy(pool);
    unlink(kit->db);
    umask(mask);
}

static void locked(kit_t *kit)
{
    apr_pool_t *pool;
    sqlite3 *other;
    db_conn_t *c;
    apr_time_t start;
    db_t *db;

    apr_pool_create(&pool, kit->pool);
    db = sqlite_make(kit->db, 1, pool);
    (void)db_borrow(db, &c, why);
    tap_ok(!sqlite3_open(kit->db, &other) &&
               !sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
           "another program holds the database");
    start = apr_time_now();
    tap_ok(db_begin(c, DB_SOON) == DB_BUSY && kit_has(db_why(c), "locked"), "a writer gives up: %s",
           db_why(c));
    start = apr_time_now() - start;
    /* an upload takes up to three transactions, and its client waits ten seconds for all */
    tap_ok(start > apr_time_from_msec(1500) && start < apr_time_from_msec(3500),
           "  in a third of the time that a client waits");
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(other);
    tap_ok(db_begin(c, DB_DURABLE) == DB_OK && db_commit(c) == DB_OK, "  and goes on afterwards");
    db_return(c);
    apr_pool_destroy(pool);
}

static int updates(db_conn_t *c, int n)
{
    int done = 0;

    while (done < n && db_begin(c, DB_SOON) == DB_OK &&
           db_script(c, "UPDATE t SET x = randomblob(160000)") == DB_OK && db_commit(c) == DB_OK) {
        done++;
    }
    return done;
}

static apr_off_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : st.st_size;
}

/* A log that commits alone had to keep small grew by 75 MB a second, with no end. */
static void grown(kit_t *kit)
{
    const apr_off_t most = (DB_SQLITE_MANY + 120) * 4120;
    const char *wal = apr_pstrcat(kit->pool, kit->db, "-wal", NULL);
    apr_pool_t *pool;
    sqlite3 *other;
    db_conn_t *c;
    db_t *db;

    apr_pool_create(&pool, kit->pool);
    db = sqlite_make(kit->db, 1, pool);
    tap_ok(db_borrow(db, &c, why) == DB_OK && db_begin(c, DB_SOON) == DB_OK &&
               db_script(c, "CREATE TABLE t (x); INSERT INTO t VALUES (1)") == DB_OK &&
               db_commit(c) == DB_OK,
           "commits, of 40 pages each, and nobody tidies");
    tap_ok(updates(c, 300) == 300, "  300 of them");
    tap_ok(size_of(wal) <= most, "  leave no more in the log than what lets a commit move it");
    sqlite3_open(kit->db, &other);
    sqlite3_exec(other, "BEGIN; SELECT count(*) FROM t", NULL, NULL, NULL);
    tap_ok(updates(c, 300) == 300, "beside one who reads all the while they go on");
    tap_ok(size_of(wal) > most, "  and the log grows");
    sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(other);
    tap_ok(updates(c, 300) == 300 && size_of(wal) <= most,
           "when the reader has gone, it is small again");
    db_return(c);
    apr_pool_destroy(pool);
    unlink(kit->db);
}

static void *APR_THREAD_FUNC hindrance_ends(apr_thread_t *thread, void *data)
{
    (void)thread;
    apr_sleep(apr_time_from_msec(100));
    rmdir(data);
    return NULL;
}

/* As when root has made the log and has not given it away yet. */
static void hindered(kit_t *kit)
{
    char *wal = apr_pstrcat(kit->pool, kit->db, "-wal", NULL);
    apr_thread_t *thread;
    apr_status_t rv;

    unlink(kit->db);
    tap_ok(sqlite_try(kit->db, 1, kit->pool) == DB_OK, "a database");
    tap_ok(!mkdir(wal, 0700) && sqlite_try(kit->db, 0, kit->pool) == DB_ERROR &&
               kit_has(why, "unable to open"),
           "  whose log cannot be opened: %s", why);
    apr_thread_create(&thread, NULL, hindrance_ends, wal, kit->pool);
    tap_ok(sqlite_try(kit->db, 0, kit->pool) == DB_OK,
           "  but only for a moment: it is waited for %s", why);
    apr_thread_join(&rv, thread);
    unlink(kit->db);
}

int main(void)
{
    kit_t kit;

    kit_begin(&kit);
    slots(kit.pool);
    failures(kit.pool);
    forked(kit.pool);
    crowded(kit.pool);
    refusals(&kit);
    codes();
    files(&kit);
    locked(&kit);
    unlink(kit.db);
    grown(&kit);
    hindered(&kit);
    return kit_end(&kit);
}
