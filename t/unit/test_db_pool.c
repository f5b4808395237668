/* test_db_pool.c - which connections are trusted, what is run again, when nobody waits any more,
 * and when the database is left alone: over a driver that only pretends. The clock of the machine
 * is set back and forth (Makefile.am: apr_time_now is wrapped). */
#include "store_kit.h"

#include "store/db_priv.h"

#include <apr_thread_proc.h>
#include <stdatomic.h>

/* How far the wall clock has been set. */
static _Atomic(apr_int64_t) set_by;

/* In sight: under clang's sanitizers the linker has it referenced by a shared object, too. */
apr_time_t __real_apr_time_now(void);
__attribute__((visibility("default"))) apr_time_t __wrap_apr_time_now(void);

apr_time_t __wrap_apr_time_now(void)
{
    return __real_apr_time_now() + atomic_load(&set_by);
}

static struct {
    int opened, closed, rollbacks, asked_idle, dead;
    db_rc_t open, step, begin, commit;
} fake;

static db_rc_t fake_open(void **conn, const db_target_t *target, char *text, apr_size_t size)
{
    (void)target;
    fake.opened++;
    if (fake.open != DB_OK) {
        apr_snprintf(text, size, "nobody listens");
        return fake.open;
    }
    *conn = malloc(1);
    return DB_OK;
}

static void fake_close(void *conn)
{
    free(conn);
    fake.closed++;
}

static int fake_alive(void *conn, int idle)
{
    (void)conn;
    fake.asked_idle += idle;
    return !(idle && fake.dead);
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
    (void)row;
    return fake.step == DB_OK ? DB_DONE : fake.step;
}

static void fake_finish(void *conn, query_id_t query)
{
    (void)conn;
    (void)query;
}

static apr_int64_t fake_changed(void *conn)
{
    (void)conn;
    return 1;
}

static db_rc_t fake_begin(void *conn, db_sync_t sync)
{
    (void)conn;
    (void)sync;
    return fake.begin;
}

static db_rc_t fake_commit(void *conn)
{
    (void)conn;
    return fake.commit;
}

static db_rc_t fake_rollback(void *conn)
{
    (void)conn;
    fake.rollbacks++;
    return DB_OK;
}

static const char *fake_why(void *conn)
{
    (void)conn;
    return "so it is";
}

static const db_driver_t fake_driver = {.scheme = "fake",
                                        .open = fake_open,
                                        .close = fake_close,
                                        .alive = fake_alive,
                                        .sql = fake_sql,
                                        .start = fake_start,
                                        .step = fake_step,
                                        .finish = fake_finish,
                                        .changed = fake_changed,
                                        .begin = fake_begin,
                                        .commit = fake_commit,
                                        .rollback = fake_rollback,
                                        .why = fake_why};

static char why[DB_WHY_MAX];
static apr_pool_t *pool;

static db_t *make(db_config_t config)
{
    config.driver = &fake_driver;
    memset(&fake, 0, sizeof(fake));
    return db_make(&config, pool);
}

static db_rc_t use(db_conn_t *conn)
{
    const db_value_t id[] = {db_cstr("x")};

    return db_exec(conn, QUERY_USER_REMOVE, id, 1, NULL);
}

/* ---- transactions ---- */

static void again(void)
{
    db_t *db = make((db_config_t){.slots = 1});
    db_conn_t *c;
    int n = 0;

    (void)db_borrow(db, &c, why);
    (void)db_begin(c, DB_SOON);
    fake.step = DB_AGAIN;
    tap_ok(use(c) == DB_AGAIN && db_again(c) && fake.rollbacks == 1 && !db_why(c)[0] && !db_lost(c),
           "a transaction that met another one is rolled back, to be run again");
    tap_ok(!db_again(c), "  once for each failure");
    do {
        (void)db_begin(c, DB_SOON);
        (void)use(c);
        n++;
    } while (db_again(c) && n < 1000);
    tap_ok(n > 3 && n < 20, "  but not for ever: %d times", n + 1);
    db_return(c);
    fake.step = DB_OK;
    (void)db_borrow(db, &c, why);
    fake.commit = DB_AGAIN;
    tap_ok(db_begin(c, DB_SOON) == DB_OK && db_commit(c) == DB_AGAIN && db_again(c),
           "the same when it is told at the commit");
    fake.commit = DB_OK;
    fake.step = DB_ERROR;
    tap_ok(db_begin(c, DB_SOON) == DB_OK && use(c) == DB_ERROR && !db_again(c),
           "an error is final");
    db_return(c);
    (void)db_borrow(db, &c, why);
    tap_ok(!db_again(c), "the next who gets the connection does not inherit it");
    db_return(c);
}

static void lost(void)
{
    db_t *db = make((db_config_t){.slots = 1});
    db_conn_t *c;

    (void)db_borrow(db, &c, why);
    (void)db_begin(c, DB_SOON);
    fake.step = DB_LOST;
    tap_ok(use(c) == DB_LOST && db_lost(c) && db_again(c), "lost in a transaction: again");
    tap_ok(db_renew(c, why) == DB_OK && !db_lost(c) && fake.opened == 2 && fake.closed == 1,
           "  on a new connection");
    (void)db_begin(c, DB_SOON);
    tap_ok(use(c) == DB_LOST && !db_again(c), "  but once only");
    db_return(c);
    fake.step = DB_OK;
    fake.commit = DB_LOST;
    (void)db_borrow(db, &c, why);
    tap_ok(db_begin(c, DB_SOON) == DB_OK && db_commit(c) == DB_LOST && !db_again(c),
           "lost in the commit: nobody knows, so it is not run again");
    db_return(c);
    fake.commit = DB_OK;
    (void)db_borrow(db, &c, why);
    fake.open = DB_LOST;
    tap_ok(db_renew(c, why) == DB_LOST && db_lost(c) && !db_again(c) && kit_has(why, "listens"),
           "no new connection is to be had");
    db_return(c);
    tap_ok(fake.opened == 5 && fake.closed == 4, "  and nothing is closed twice");
    fake.open = DB_OK;
}

/* ---- trust ---- */

static void epochs(void)
{
    db_t *db = make((db_config_t){.slots = 3});
    db_conn_t *a, *b, *c;

    (void)db_borrow(db, &a, why);
    (void)db_borrow(db, &b, why);
    (void)db_borrow(db, &c, why);
    fake.step = DB_LOST;
    (void)use(b);
    (void)use(c);
    fake.step = DB_OK;
    tap_ok(use(a) == DB_OK, "one that is in use goes on when others are lost");
    db_return(a);
    db_return(b);
    db_return(c);
    tap_ok(fake.closed == 2, "the lost ones are closed");
    (void)db_borrow(db, &a, why);
    tap_ok(fake.closed == 3 && fake.opened == 4, "  and an idle one of before is not trusted");
    db_return(a);
    (void)db_borrow(db, &a, why);
    tap_ok(fake.opened == 4, "the new one is");
    fake.step = DB_LOST;
    (void)use(a);
    db_return(a);
    fake.step = DB_OK;
}

static void idle(void)
{
    db_t *db = make((db_config_t){.slots = 1});
    db_conn_t *c;

    (void)db_borrow(db, &c, why);
    db_return(c);
    (void)db_borrow(db, &c, why);
    tap_ok(!fake.asked_idle, "one that was just used is not asked whether it lives");
    db_return(c);
    c->idle -= apr_time_from_sec(31);
    (void)db_borrow(db, &c, why);
    tap_ok(fake.asked_idle == 1 && fake.opened == 1, "one that was idle for long is");
    db_return(c);
    c->idle -= apr_time_from_sec(31);
    fake.dead = 1;
    (void)db_borrow(db, &c, why);
    tap_ok(fake.opened == 2 && fake.closed == 1, "  and is replaced if it does not");
    db_return(c);
}

static db_rc_t greeting;

static db_rc_t greet(void *baton, db_conn_t *conn, char *text)
{
    (void)baton;
    if (greeting != DB_OK || use(conn) != DB_OK) {
        apr_cpystrn(text, "wrong schema", DB_WHY_MAX);
        return DB_ERROR;
    }
    return DB_OK;
}

static void welcome(void)
{
    db_t *db = make((db_config_t){.slots = 1, .welcome = greet});
    db_conn_t *c;

    greeting = DB_ERROR;
    tap_ok(db_borrow(db, &c, why) == DB_ERROR && !c && kit_is(why, "wrong schema") &&
               fake.closed == 1,
           "a connection that is not welcome is nobody's");
    greeting = DB_OK;
    tap_ok(db_borrow(db, &c, why) == DB_OK && fake.opened == 2, "one that is");
    db_return(c);
    greeting = DB_ERROR;
    tap_ok(db_borrow(db, &c, why) == DB_OK, "  is greeted once");
    tap_ok(db_renew(c, why) == DB_ERROR && kit_is(why, "wrong schema"), "a renewed one is, too");
    db_return(c);
}

/* ---- when it is away ---- */

static void breaks(void)
{
    db_t *db = make((db_config_t){.slots = 2, .target.break_ms = 300});
    db_conn_t *c;
    int i, n;

    fake.open = DB_LOST;
    for (i = 0; i < BREAKER_FAILURES; i++) {
        (void)db_borrow(db, &c, why);
    }
    n = fake.opened;
    tap_ok(n == BREAKER_FAILURES && db_borrow(db, &c, why) == DB_DOWN && !c && fake.opened == n &&
               kit_has(why, "left alone"),
           "after repeated failures nobody tries for a while: %s", why);
    apr_sleep(apr_time_from_msec(301));
    tap_ok(db_borrow(db, &c, why) == DB_LOST && fake.opened == n + 1, "then one does");
    tap_ok(db_borrow(db, &c, why) == DB_DOWN && fake.opened == n + 1, "  and the others wait");
    fake.open = DB_OK;
    apr_sleep(apr_time_from_msec(301));
    tap_ok(db_borrow(db, &c, why) == DB_OK, "one that gets through");
    db_return(c);
    tap_ok(db_borrow(db, &c, why) == DB_OK, "  lets everybody in");
    fake.step = DB_LOST;
    for (i = 0; i < BREAKER_FAILURES; i++) {
        (void)use(c);
        (void)db_renew(c, why);
    }
    db_return(c);
    tap_ok(db_borrow(db, &c, why) == DB_OK,
           "connections that are lost at once say nothing of the database");
    fake.step = DB_OK;
    (void)use(c);
    for (i = 0; i < BREAKER_FAILURES; i++) {
        db_pool_lost(c, apr_time_from_sec(2)); /* as a statement that ran into its timeout */
    }
    db_return(c);
    n = fake.opened;
    tap_ok(db_borrow(db, &c, why) == DB_DOWN && !c && fake.opened == n,
           "those that are lost after a long wait do");
}

static void never_breaks(void)
{
    db_t *db = make((db_config_t){.slots = 2});
    db_conn_t *c;
    int i;

    fake.open = DB_LOST;
    for (i = 0; i < 5 * BREAKER_FAILURES; i++) {
        (void)db_borrow(db, &c, why);
    }
    tap_ok(fake.opened == i, "an engine without a breaker is tried each time");
}

static void *APR_THREAD_FUNC stuck_run(apr_thread_t *thread, void *data)
{
    char mine[DB_WHY_MAX];
    db_conn_t *c;

    (void)thread;
    (void)db_borrow(data, &c, mine);
    return NULL;
}

static void stalls(void)
{
    db_t *db = make((db_config_t){.slots = 1, .wait_ms = 20000, .target.stall_ms = 200});
    apr_thread_t *threads[3];
    apr_time_t start;
    apr_status_t rv;
    db_conn_t *c, *d;
    int i;

    (void)db_borrow(db, &c, why);
    start = apr_time_now();
    for (i = 0; i < 3; i++) {
        apr_thread_create(&threads[i], NULL, stuck_run, db, pool);
    }
    for (i = 0; i < 3; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    tap_ok(apr_time_now() - start < apr_time_from_sec(10),
           "nobody waits for a slot when those who have them are stuck");
    start = apr_time_now();
    tap_ok(db_borrow(db, &d, why) == DB_BUSY && apr_time_now() - start < apr_time_from_sec(10),
           "  and who comes later not at all");
    db_return(c);
    tap_ok(db_borrow(db, &d, why) == DB_OK, "  until one is given back");
    db_return(d);
}

/* ---- when somebody sets the clock ---- */

#define HOUR (3600 * (apr_int64_t)APR_USEC_PER_SEC)

static void a_clock_that_locks_the_database_out(void)
{
    db_t *db = make((db_config_t){.slots = 1, .target.break_ms = 50});
    db_conn_t *c;
    int i, n;

    atomic_store(&set_by, HOUR);
    fake.open = DB_LOST;
    for (i = 0; i < BREAKER_FAILURES; i++) {
        (void)db_borrow(db, &c, why);
    }
    n = fake.opened;
    atomic_store(&set_by, 0);
    for (i = 0; i < 100 && fake.opened == n; i++) {
        apr_sleep(apr_time_from_msec(51));
        (void)db_borrow(db, &c, why);
    }
    tap_ok(fake.opened > n, "the clock is set back: the database is tried again after the pause");
    fake.open = DB_OK;
}

typedef struct setter_t {
    db_conn_t *held;
    atomic_int done;
} setter_t;

/* Sets the clock back while somebody waits; the slot comes much later. */
static void *APR_THREAD_FUNC setter_run(apr_thread_t *thread, void *data)
{
    setter_t *s = data;
    int i;

    (void)thread;
    apr_sleep(apr_time_from_msec(100));
    atomic_store(&set_by, -HOUR);
    for (i = 0; i < 500 && !atomic_load(&s->done); i++) {
        apr_sleep(apr_time_from_msec(10));
    }
    db_return(s->held);
    return NULL;
}

static void a_clock_that_keeps_workers_waiting(void)
{
    db_t *db = make((db_config_t){.slots = 1, .wait_ms = 300});
    setter_t s = {NULL, 0};
    apr_thread_t *thread;
    apr_status_t rv;
    db_conn_t *c;
    db_rc_t rc;

    (void)db_borrow(db, &s.held, why);
    apr_thread_create(&thread, NULL, setter_run, &s, pool);
    rc = db_borrow(db, &c, why);
    atomic_store(&s.done, 1);
    apr_thread_join(&rv, thread);
    atomic_store(&set_by, 0);
    tap_ok(rc == DB_BUSY, "the clock is set back: nobody waits longer for a slot");
    db_return(c);
}

int main(void)
{
    kit_t kit;

    kit_begin(&kit);
    pool = kit.pool;
    again();
    lost();
    epochs();
    idle();
    welcome();
    breaks();
    never_breaks();
    stalls();
    a_clock_that_locks_the_database_out();
    a_clock_that_keeps_workers_waiting();
    return kit_end(&kit);
}
