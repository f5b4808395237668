/* test_trail.c - what is gathered in memory: classes, counts, bounds, and what comes of it in the
 * database. */
#include "store_kit.h"

#include "core/verdict.h"

#include <apr_thread_proc.h>
#include <malloc.h>
#include <sys/wait.h>

#define ID_A    "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define THREADS 8
#define ROUNDS  2000

static apr_pool_t *p;

static store_event_t refusal(verdict_code_t code, const char *token, const char *address)
{
    store_event_t e = {.at = kit_time, .kind = "upload-refused"};

    e.verdict = verdict_word(code);
    e.token_id = token;
    e.address = address;
    return e;
}

/* Takes all, counts what it stands for, and forgets it. */
static apr_int64_t taken(trail_t *t, apr_size_t *rows)
{
    trail_batch_t *batch = trail_take(t);
    apr_int64_t sum = 0;
    apr_size_t i;

    *rows = batch ? batch->n_events : 0;
    for (i = 0; i < *rows; i++) {
        sum += batch->events[i]->times;
    }
    trail_give(t, batch, 1);
    return sum;
}

/* ---- events ---- */

static void classes(void)
{
    static const char *const words[] = {"fact", "named", "noise", "none"};
    int i, n[4] = {0, 0, 0, 0};

    for (i = 0; i < VERDICT_COUNT; i++) {
        trail_class_t class = trail_class(verdict_word((verdict_code_t)i));

        n[class]++;
    }
    tap_ok(n[TRAIL_FACT] == 1 && trail_class("allowed") == TRAIL_FACT &&
               trail_class(NULL) == TRAIL_FACT && trail_class("whatever") == TRAIL_FACT,
           "%s: what was allowed, and what has no verdict", words[0]);
    tap_ok(trail_class("token-revoked") == TRAIL_NAMED &&
               trail_class("token-scope") == TRAIL_NAMED &&
               trail_class("token-expired") == TRAIL_NAMED &&
               trail_class("user-disabled") == TRAIL_NAMED &&
               trail_class("field-missing") == TRAIL_NAMED,
           "%s: refusals of what is genuine", words[1]);
    tap_ok(trail_class("token-signature") == TRAIL_NOISE &&
               trail_class("token-unknown") == TRAIL_NOISE &&
               trail_class("login-failed") == TRAIL_NOISE,
           "%s: what anybody can cause", words[2]);
    tap_ok(trail_class("no-credentials") == TRAIL_NONE && n[TRAIL_NONE] == 5, "%s: no decision",
           words[3]);
}

static void gathering(void)
{
    trail_t *t = trail_make(p);
    store_event_t e = refusal(VERDICT_ALLOWED, ID_A, "::1");
    apr_size_t rows;
    int i, now = 0;

    for (i = 0; i < 5; i++) {
        now += trail_event(t, &e);
    }
    tap_ok(now == 5 && taken(t, &rows) == 0 && rows == 0, "facts are never gathered");
    e = refusal(VERDICT_TOKEN_REVOKED, ID_A, "::1");
    tap_ok(trail_event(t, &e) == 1 && taken(t, &rows) == 0, "a revoked token: at once");
    for (i = now = 0; i < 813; i++) {
        now += trail_event(t, &e);
    }
    tap_ok(now == 1 && taken(t, &rows) == 812 && rows == 1, "  and 812 more in one");
    now = trail_event(t, &e);
    e.project = "b";
    now += trail_event(t, &e);
    e.address = "::2";
    now += trail_event(t, &e);
    tap_ok(now == 3, "  after that, for another project, from another address: at once again");
    e = refusal(VERDICT_TOKEN_SIGNATURE, NULL, "::1");
    for (i = now = 0; i < 100; i++) {
        e.at = kit_time + i;
        now += trail_event(t, &e);
    }
    tap_ok(now == 0 && taken(t, &rows) == 100 && rows == 1, "forged tokens: 100 in one");
    e = refusal(VERDICT_FIELD_MISSING, NULL, "::1");
    tap_ok(trail_event(t, &e) == 0 && taken(t, &rows) == 1, "a form of nobody is noise");
    e = refusal(VERDICT_NO_CREDENTIALS, NULL, "::1");
    tap_ok(trail_event(t, &e) == 0 && taken(t, &rows) == 0, "a challenge is no event");
}

static void times(void)
{
    trail_t *t = trail_make(p);
    store_event_t e = refusal(VERDICT_TOKEN_SIGNATURE, NULL, "::1");
    trail_batch_t *batch;

    (void)trail_event(t, &e);
    e.at += 3;
    e.agent = "another";
    (void)trail_event(t, &e);
    batch = trail_take(t);
    tap_ok(batch && batch->n_events == 1 && batch->events[0]->at == kit_time &&
               !batch->events[0]->agent && batch->events[0]->times == 2 &&
               kit_is(batch->events[0]->address, "::1"),
           "the first one lends time and texts");
    (void)trail_event(t, &e);
    trail_give(t, batch, 0);
    batch = trail_take(t);
    tap_ok(batch && batch->n_events == 1 && batch->events[0]->times == 3,
           "what was not written is counted with what came meanwhile");
    trail_give(t, batch, 1);
    tap_ok(!trail_take(t), "and after that nothing is left");
}

/* A flood of different ones: bounded rows, an exact count. */
static void flood(verdict_code_t code, const char *token, apr_size_t most, const char *what)
{
    trail_t *t = trail_make(p);
    char address[40];
    apr_size_t rows;
    apr_int64_t sum = 0;
    int i;

    for (i = 0; i < 5000; i++) {
        store_event_t e = refusal(code, token, address);

        apr_snprintf(address, sizeof(address), "2001:db8::%x", i);
        sum += trail_event(t, &e);
    }
    tap_ok(sum <= (apr_int64_t)most, "%s: at most %d at once", what, (int)most);
    sum += taken(t, &rows);
    tap_ok(sum == 5000 && rows <= most + 1, "  %d rows stand for all of them", (int)rows);
}

/* ---- uses ---- */

static const store_event_t *used(trail_batch_t *batch, apr_size_t i)
{
    return batch && i < batch->n_uses ? batch->uses[i] : NULL;
}

static void uses(void)
{
    trail_t *t = trail_make(p);
    store_event_t e = {.at = kit_time + 5, .token_id = "b", .address = "::1", .file = "new"};
    trail_batch_t *batch;
    char id[20];
    int i, full = 0;

    (void)trail_use(t, &e);
    e.at = kit_time + 4;
    e.file = "old";
    (void)trail_use(t, &e);
    e.token_id = "a";
    (void)trail_use(t, &e);
    batch = trail_take(t);
    tap_ok(used(batch, 1) && !used(batch, 2) && kit_is(used(batch, 0)->token_id, "a") &&
               kit_is(used(batch, 1)->file, "new") && used(batch, 1)->at == kit_time + 5,
           "one entry a token, the newest, in the order of tokens");
    e.token_id = "b";
    e.at = kit_time + 5;
    e.file = "same second";
    (void)trail_use(t, &e);
    trail_give(t, batch, 0);
    batch = trail_take(t);
    tap_ok(used(batch, 1) && !used(batch, 2) && kit_is(used(batch, 1)->file, "same second"),
           "what comes back does not replace what is newer");
    trail_give(t, batch, 1);
    for (i = 0; i < TRAIL_USES_MAX + 10; i++) {
        apr_snprintf(id, sizeof(id), "%d", i);
        e.token_id = id;
        full += trail_use(t, &e);
    }
    tap_ok(full == 10, "when it is full the caller has to write");
}

/* ---- the database ---- */

static int count_event(void *baton, const store_event_t *row)
{
    apr_int64_t *sums = baton;

    sums[0]++;
    sums[1] += row->times;
    return 0;
}

/* Rows and decisions that the database tells of. */
static int recorded(store_t *s, apr_int64_t rows, apr_int64_t decisions)
{
    apr_int64_t sums[2] = {0, 0};

    if (store_event_list(s, NULL, NULL, 0, 0, count_event, sums) != STORE_OK) {
        return 0;
    }
    if (sums[0] != rows || sums[1] != decisions) {
        printf("# %d rows, %d decisions\n", (int)sums[0], (int)sums[1]);
    }
    return sums[0] == rows && sums[1] == decisions;
}

static int count_kept(void *baton, const store_event_t *row)
{
    *(apr_int64_t *)baton += kit_is(row->kind, "kept") || kit_is(row->kind, "old");
    return 0;
}

static void token_make(store_t *s)
{
    unsigned char key[MACAROON_KEY_BYTES] = {1};
    store_token_t t = {.id = ID_A, .name = "", .scope = "user"};
    store_user_t alice;

    (void)store_user_add(s, "alice", NULL, &alice, p);
    t.user_id = alice.id;
    tap_ok(store_token_add(s, &t, key, p) == STORE_OK, "a token");
}

static store_token_t row_now(store_t *s)
{
    store_token_t row;

    (void)store_token_find(s, slice_of(ID_A), &row, NULL, p);
    return row;
}

static void last_use(store_t *s)
{
    store_event_t e = {.kind = "upload", .token_id = ID_A, .address = "::1", .file = "1"};
    store_token_t row = row_now(s);

    e.at = kit_time + 1;
    tap_ok(store_use(s, &e, &row) == STORE_OK && row_now(s).used == kit_time + 1,
           "the first use is written at once");
    row = row_now(s);
    e.at = kit_time + 2;
    tap_ok(store_use(s, &e, &row) == STORE_OK && row_now(s).used == kit_time + 1 &&
               recorded(s, 2, 2),
           "the next one is not, but its event is");
    row = row_now(s);
    e.at = kit_time + 3;
    e.address = "::2";
    tap_ok(store_use(s, &e, &row) == STORE_OK && row_now(s).used == kit_time + 3 &&
               kit_is(row_now(s).used_address, "::2"),
           "from another address: at once");
    tap_ok(store_flush(s) == STORE_OK && row_now(s).used == kit_time + 3 &&
               kit_is(row_now(s).used_address, "::2"),
           "what was gathered before does not replace it");
    row = row_now(s);
    e.at = kit_time + 4;
    e.file = "4";
    (void)store_use(s, &e, &row);
    tap_ok(row_now(s).used == kit_time + 3 && store_flush(s) == STORE_OK &&
               row_now(s).used == kit_time + 4 && kit_is(row_now(s).used_file, "4"),
           "a flush writes the newest");
    tap_ok(recorded(s, 4, 4), "each upload has its event");
}

static void notes(kit_t *kit, store_t *s)
{
    store_event_t e = refusal(VERDICT_TOKEN_REVOKED, ID_A, "::1");
    int i;

    (void)store_note(s, &e);
    tap_ok(recorded(s, 5, 5), "a denial that matters is there at once");
    for (i = 0; i < 812; i++) {
        (void)store_note(s, &e);
    }
    e = refusal(VERDICT_TOKEN_UNKNOWN, NULL, "::1");
    e.user = "\xff\xfe";
    for (i = 0; i < 100; i++) {
        (void)store_note(s, &e);
    }
    tap_ok(recorded(s, 5, 5) && store_flush(s) == STORE_OK && recorded(s, 7, 917),
           "the rest with the flush, counted");
    kit_edit(kit->db, "ALTER TABLE events RENAME TO elsewhere");
    e = refusal(VERDICT_TOKEN_EXPIRED, ID_A, "::1");
    tap_ok(store_note(s, &e) == STORE_OK && store_note(s, &e) == STORE_OK &&
               store_flush(s) == STORE_DOWN && store_note(s, &e) == STORE_OK,
           "what could not be written");
    e = refusal(VERDICT_ALLOWED, ID_A, "::1");
    tap_ok(store_note(s, &e) == STORE_DOWN && store_use(s, &e, NULL) == STORE_DOWN,
           "  is refused where it allowed something");
    kit_edit(kit->db, "ALTER TABLE elsewhere RENAME TO events");
    tap_ok(store_flush(s) == STORE_OK && recorded(s, 8, 920), "  and otherwise waits");
}

static void ends(kit_t *kit)
{
    store_event_t e = refusal(VERDICT_TOKEN_SIGNATURE, NULL, "::1");
    apr_pool_t *pool;
    store_t *s;
    pid_t child;
    int status;

    apr_pool_create(&pool, p);
    s = kit_open(kit, NULL, pool);
    (void)store_note(s, &e);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        apr_pool_destroy(pool);
        _exit(0);
    }
    waitpid(child, &status, 0);
    apr_pool_destroy(pool);
    s = kit_open(kit, NULL, p);
    tap_ok(recorded(s, 9, 921), "closing writes what is left, once");
}

/* ---- pruning ---- */

static void pruning(kit_t *kit)
{
    store_event_t e = {.kind = "old"};
    apr_int64_t removed = -1, sum = 0, before = kit_time - 1000, n = 0;
    int i, rounds = 0, most = 0;
    store_t *s;

    kit->config = kit->init;
    s = kit_open(kit, NULL, p);
    for (i = 0; i < 300; i++) {
        e.at = before - 300 + i; /* the last one is just old enough */
        (void)store_event_add(s, &e);
        e.at = before - 150;
        (void)store_event_add(s, &e);
    }
    e.at = before;
    e.kind = "kept";
    (void)store_event_add(s, &e);
    while (removed && store_event_prune(s, before, 100, &removed) == STORE_OK) {
        sum += removed;
        rounds++;
        most = removed > most ? (int)removed : most;
    }
    tap_ok(sum == 600 && rounds >= 5 && most >= 301 && most <= 400,
           "old events go, a few at a time (%d in %d, at most %d)", (int)sum, rounds, most);
    tap_ok(store_event_list(s, NULL, NULL, 0, 0, count_kept, &n) == STORE_OK && n == 1,
           "  and no others");
}

/* ---- many threads ---- */

static trail_t *shared;
static atomic_int at_once, taken_sum;

static void *APR_THREAD_FUNC many_run(apr_thread_t *thread, void *data)
{
    char address[20];
    apr_size_t rows;
    int i;

    (void)thread;
    for (i = 0; i < ROUNDS; i++) {
        store_event_t e = refusal(i % 2 ? VERDICT_TOKEN_REVOKED : VERDICT_TOKEN_UNKNOWN,
                                  i % 2 ? ID_A : NULL, address);

        apr_snprintf(address, sizeof(address), "%d", i % 50);
        atomic_fetch_add(&at_once, trail_event(shared, &e));
        if (i % 100 == 0 && data) {
            atomic_fetch_add(&taken_sum, (int)taken(shared, &rows));
        }
    }
    return NULL;
}

static void many(void)
{
    apr_thread_t *threads[THREADS];
    apr_size_t rows;
    apr_status_t rv;
    int i;

    shared = trail_make(p);
    for (i = 0; i < THREADS; i++) {
        apr_thread_create(&threads[i], NULL, many_run, i == 0 ? shared : NULL, p);
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
    }
    i = at_once + taken_sum + (int)taken(shared, &rows);
    tap_ok(i == THREADS * ROUNDS, "%d threads: none is lost, none counted twice (%d)", THREADS, i);
}

/* What a trail still has goes with its pool. (Under a sanitizer's malloc both counts are 0.) */
static void goes(void)
{
    apr_size_t before = 0;
    int i, round;

    for (round = 0; round < 201; round++) {
        store_event_t e = refusal(VERDICT_TOKEN_UNKNOWN, NULL, "::1");
        apr_pool_t *pool;
        trail_t *t;

        apr_pool_create(&pool, p);
        t = trail_make(pool);
        for (i = 0; t && i < 10; i++) {
            e.address = apr_psprintf(pool, "::%d", i + 1);
            (void)trail_event(t, &e);
        }
        apr_pool_destroy(pool);
        before = round == 0 ? mallinfo2().uordblks : before;
    }
    tap_ok(mallinfo2().uordblks < before + 50000,
           "2000 events that nobody took leave no memory behind");
}

int main(void)
{
    kit_t kit;
    store_t *s;

    kit_begin(&kit);
    apr_pool_create(&p, kit.pool);
    classes();
    gathering();
    times();
    flood(VERDICT_TOKEN_UNKNOWN, NULL, TRAIL_NOISE_MAX, "5000 strangers");
    flood(VERDICT_TOKEN_SCOPE, ID_A, TRAIL_NAMED_MAX, "a token gone wild");
    uses();
    goes();
    kit_make(&kit);
    kit.config.serve = 1;
    s = kit_open(&kit, NULL, p);
    token_make(s);
    last_use(s);
    notes(&kit, s);
    ends(&kit);
    pruning(&kit);
    many();
    apr_pool_destroy(p);
    return kit_end(&kit);
}
