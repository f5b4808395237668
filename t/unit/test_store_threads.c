/* test_store_threads.c - many threads, and many processes, on one database. */
#include "store_kit.h"

#include <apr_thread_proc.h>
#include <pthread.h>
#include <sys/wait.h>

#define ID_A     "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define THREADS  16
#define WRITERS  16 /* processes */
#define ROUNDS   40
#define PROJECTS 25

typedef struct crowd_t {
    store_t *s;
    const char *owner;
    unsigned char key[MACAROON_KEY_BYTES];
    atomic_int number, errors, made;
} crowd_t;

static int seen(void *baton, const store_event_t *event)
{
    (void)event;
    ++*(int *)baton;
    return 0;
}

/* What an upload does, over and over. */
static void upload(crowd_t *crowd, int me, int round, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES];
    store_event_t e = {.kind = "upload", .token_id = ID_A, .address = "::1", .user = "alice"};
    const char *name = apr_psprintf(pool, "p%d", round % PROJECTS);
    store_project_t project;
    store_role_t role;
    store_token_t t;
    store_rc_t rc;
    int n = 0;

    if (store_token_find(crowd->s, slice_of(ID_A), &t, key, pool) != STORE_OK ||
        sodium_memcmp(key, crowd->key, sizeof(key))) {
        atomic_fetch_add(&crowd->errors, 1);
    }
    rc = store_project_add(crowd->s, name, name, crowd->owner, 0, &project, pool);
    if (rc == STORE_OK) {
        atomic_fetch_add(&crowd->made, 1);
    } else if (rc != STORE_CONFLICT) {
        atomic_fetch_add(&crowd->errors, 1);
    }
    if (store_project_role(crowd->s, name, crowd->owner, &project, &role, pool) != STORE_OK ||
        role != STORE_ROLE_OWNER || store_project_confirm(crowd->s, project.id) != STORE_OK) {
        atomic_fetch_add(&crowd->errors, 1);
    }
    e.at = kit_time + me * ROUNDS + round;
    e.file = apr_psprintf(pool, "%d-%d", me, round);
    e.project = e.file;
    if (store_use(crowd->s, &e, &t) != STORE_OK) {
        atomic_fetch_add(&crowd->errors, 1);
    }
    /* written together with others' or not: it is committed when store_use returns, once */
    if (store_event_list(crowd->s, NULL, e.project, 0, 0, seen, &n) != STORE_OK || n != 1) {
        atomic_fetch_add(&crowd->errors, 1);
    }
    if (me % THREADS == 0) {
        store_tick(crowd->s);
    }
}

static void *APR_THREAD_FUNC crowd_run(apr_thread_t *thread, void *data)
{
    crowd_t *crowd = data;
    int i, me = atomic_fetch_add(&crowd->number, 1);
    apr_pool_t *pool;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (i = 0; i < ROUNDS; i++) {
        upload(crowd, me, i, pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void crowd_all(crowd_t *crowd, kit_t *kit)
{
    apr_thread_t *threads[THREADS];
    apr_status_t rv;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, kit->pool);
    crowd->s = kit_open(kit, NULL, pool);
    for (i = 0; i < THREADS; i++) {
        apr_thread_create(&threads[i], NULL, crowd_run, crowd, pool);
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    apr_pool_destroy(pool);
}

/* Processes that come at the same moment, open the database each for itself, and write. How many
 * of them met an error. */
static int writers(crowd_t *crowd, kit_t *kit, int first)
{
    int gate[2], i, status, bad = 0;
    pid_t children[WRITERS];
    char byte;

    if (pipe(gate)) {
        abort();
    }
    for (i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            close(gate[1]);
            atomic_store(&crowd->number, first + i);
            if (read(gate[0], &byte, 1) == 0) { /* the end of the pipe: all are here */
                crowd->s = kit_open(kit, NULL, kit->pool);
                (void)crowd_run(NULL, crowd);
                bad = store_flush(crowd->s) != STORE_OK;
            }
            if (crowd->errors || bad) {
                printf("# %d errors: %s\n", crowd->errors, kit_line);
                fflush(stdout);
            }
            _exit(crowd->errors || bad);
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (i = 0; i < WRITERS; i++) {
        bad += children[i] < 0 || waitpid(children[i], &status, 0) < 0 || status != 0;
    }
    return bad;
}

static int count_event(void *baton, const store_event_t *row)
{
    *(int *)baton += kit_is(row->kind, "upload");
    return 0;
}

static int count_project(void *baton, const store_project_t *row)
{
    *(int *)baton += row->confirmed;
    return 0;
}

/* events: as many uses as there were. */
static void look(kit_t *kit, int uses, int numbers)
{
    int events = 0, projects = 0;
    store_token_t t;
    apr_pool_t *pool;
    store_t *s;

    apr_pool_create(&pool, kit->pool);
    s = kit_open(kit, NULL, pool);
    if (store_event_list(s, NULL, NULL, 0, 0, count_event, &events) != STORE_OK ||
        store_project_list(s, NULL, count_project, &projects) != STORE_OK) {
        tap_ok(0, "the lists");
    }
    tap_ok(events == uses, "no event is lost: %d", events);
    tap_ok(projects == PROJECTS, "every project is there once, and confirmed: %d", projects);
    tap_ok(store_token_find(s, slice_of(ID_A), &t, NULL, pool) == STORE_OK &&
               t.used == kit_time + numbers * ROUNDS - 1,
           "the last use is the latest");
    apr_pool_destroy(pool);
}

static void revoked_at_once(kit_t *kit)
{
    store_t *here, *there;
    apr_pool_t *pool;
    store_token_t t;

    apr_pool_create(&pool, kit->pool);
    here = kit_open(kit, NULL, pool);
    there = kit_open(kit, NULL, pool);
    tap_ok(store_token_find(there, slice_of(ID_A), &t, NULL, pool) == STORE_OK && !t.revoked &&
               store_token_revoke(here, slice_of(ID_A), "x") == STORE_OK &&
               store_token_find(there, slice_of(ID_A), &t, NULL, pool) == STORE_OK && t.revoked,
           "a revocation is seen by all at once");
    apr_pool_destroy(pool);
}

/* ---- transactions that want what the other has ---- */

#define TANGLES 150

typedef struct tangle_t {
    store_t *s;
    atomic_int number, errors;
} tangle_t;

/* Two counters, one after the other; the other thread takes them in the other order. */
static void *APR_THREAD_FUNC tangle_run(apr_thread_t *thread, void *data)
{
    static const store_count_t orders[2][2] = {{{"one", 1000000}, {"two", 1000000}},
                                               {{"two", 1000000}, {"one", 1000000}}};
    tangle_t *tangle = data;
    int i, me = atomic_fetch_add(&tangle->number, 1);
    apr_size_t spent;

    (void)thread;
    for (i = 0; i < TANGLES; i++) {
        if (store_uses_take(tangle->s, ID_A, orders[me % 2], 2, &spent) != STORE_OK) {
            atomic_fetch_add(&tangle->errors, 1);
        }
    }
    return NULL;
}

static void status_row(void *data, MYSQL_ROW row, unsigned int n)
{
    (void)n;
    *(int *)data = row[1] ? atoi(row[1]) : -1;
}

static int deadlocks(void)
{
    int n = 0;

    if (kit_mysql) {
        kit_mysql_run("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'", status_row, &n);
    }
    return n;
}

static void tangled(kit_t *kit)
{
    int i, one, two, before = deadlocks();
    apr_thread_t *threads[4];
    tangle_t tangle = {0};
    apr_status_t rv;
    apr_pool_t *pool;

    apr_pool_create(&pool, kit->pool);
    tangle.s = kit_open(kit, NULL, pool);
    for (i = 0; i < 4; i++) {
        apr_thread_create(&threads[i], NULL, tangle_run, &tangle, pool);
    }
    for (i = 0; i < 4; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    tap_ok(tangle.errors == 0, "transactions that want each other's rows: no error (%s)", kit_line);
    one = kit_number(kit->db, "SELECT used FROM token_uses WHERE id = 'one'");
    two = kit_number(kit->db, "SELECT used FROM token_uses WHERE id = 'two'");
    tap_ok(one == 4 * TANGLES && two == 4 * TANGLES, "  each is done once: %d and %d", one, two);
    tap_ok(!kit_mysql || kit_mysql_other || deadlocks() > before,
           "  and the server has met some: %d deadlocks", deadlocks() - before);
    apr_pool_destroy(pool);
}

/* ---- the same name by several spellings ---- */

#define SPELLINGS 4

typedef struct twins_t {
    store_t *s;
    pthread_barrier_t gate;
    atomic_int number, made, errors;
} twins_t;

static void *APR_THREAD_FUNC twins_run(apr_thread_t *thread, void *data)
{
    static const char *const spellings[SPELLINGS] = {"casey", "Casey", "CASEY", "caseY"};
    twins_t *twins = data;
    int i, me = atomic_fetch_add(&twins->number, 1);
    apr_pool_t *pool;
    store_rc_t rc;

    (void)thread;
    apr_pool_create(&pool, NULL);
    for (i = 0; i < ROUNDS; i++) {
        const char *name = apr_psprintf(pool, "%s%d", spellings[me], i);

        pthread_barrier_wait(&twins->gate);
        rc = store_user_add(twins->s, name, NULL, NULL, pool);
        atomic_fetch_add(&twins->made, rc == STORE_OK);
        atomic_fetch_add(&twins->errors, rc != STORE_OK && rc != STORE_CONFLICT);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void twins_all(kit_t *kit)
{
    apr_thread_t *threads[SPELLINGS];
    twins_t twins = {0};
    apr_status_t rv;
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, kit->pool);
    twins.s = kit_open(kit, NULL, pool);
    pthread_barrier_init(&twins.gate, NULL, SPELLINGS);
    for (i = 0; i < SPELLINGS; i++) {
        apr_thread_create(&threads[i], NULL, twins_run, &twins, pool);
    }
    for (i = 0; i < SPELLINGS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    pthread_barrier_destroy(&twins.gate);
    tap_ok(twins.errors == 0, "accounts added at once that differ by case alone: no error (%s)",
           kit_line);
    tap_ok(twins.made == ROUNDS, "  there is one of each name: %d of %d", twins.made, ROUNDS);
    apr_pool_destroy(pool);
}

static void crowd_prepare(crowd_t *crowd, kit_t *kit)
{
    store_token_t t = {0};
    store_user_t alice;
    apr_pool_t *pool;
    store_t *s;

    kit_make(kit);
    apr_pool_create(&pool, kit->pool);
    s = kit_open(kit, NULL, pool);
    memset(crowd, 0, sizeof(*crowd));
    randombytes_buf(crowd->key, sizeof(crowd->key));
    (void)store_user_add(s, "alice", NULL, &alice, kit->pool);
    crowd->owner = alice.id;
    t.id = ID_A;
    t.user_id = alice.id;
    t.name = "";
    t.scope = STORE_SCOPE_ALL;
    tap_ok(store_token_add(s, &t, crowd->key, pool) == STORE_OK, "a token for all");
    apr_pool_destroy(pool);
}

int main(void)
{
    int status = -1;
    crowd_t crowd;
    pid_t child;
    kit_t kit;

    kit_begin(&kit);
    kit.config.serve = 1;
    crowd_prepare(&crowd, &kit);
    crowd_all(&crowd, &kit);
    tap_ok(crowd.errors == 0, "%d threads: no error (%s)", THREADS, kit_line);
    tap_ok(crowd.made == PROJECTS, "  each project has one maker: %d", crowd.made);
    look(&kit, THREADS * ROUNDS, THREADS);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        atomic_store(&crowd.number, 2 * THREADS);
        crowd_all(&crowd, &kit);
        _exit(crowd.errors != 0);
    }
    crowd_all(&crowd, &kit);
    waitpid(child, &status, 0);
    tap_ok(child > 0 && status == 0 && crowd.errors == 0, "two processes: no error (%s)", kit_line);
    look(&kit, 3 * THREADS * ROUNDS, 3 * THREADS);
    fflush(stdout);
    tap_ok(writers(&crowd, &kit, 3 * THREADS) == 0, "%d processes: no error", WRITERS);
    look(&kit, (3 * THREADS + WRITERS) * ROUNDS, 3 * THREADS + WRITERS);
    tangled(&kit);
    twins_all(&kit);
    revoked_at_once(&kit);
    return kit_end(&kit);
}
