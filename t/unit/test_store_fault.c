/* test_store_fault.c - the store when something is wrong: a driver that fails at the n-th call, for
 * every n and every operation. */
#include "store_kit.h"

#include <apr_file_io.h>

#include "store/people.h"

#include <sqlite3.h>

#define ID_A "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define ID_B "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
#define ID_C "cccccccc-cccc-4ccc-8ccc-cccccccccccc"

/* ---- the driver ---- */

static const db_driver_t *real;

static struct {
    int left; /* calls until the failure; 0: none is to come */
    int hit;
    int stays; /* all further calls fail too */
    db_rc_t rc;
} fault;

static int fault_now(void)
{
    if (fault.hit && fault.stays) {
        return 1;
    }
    if (fault.left && --fault.left == 0) {
        fault.hit = 1;
        return 1;
    }
    return 0;
}

static db_rc_t fault_open(void **conn, const db_target_t *target, char *why, apr_size_t size)
{
    if (fault_now()) {
        *conn = NULL;
        apr_snprintf(why, size, "injected");
        return fault.rc;
    }
    return real->open(conn, target, why, size);
}

static db_rc_t fault_start(void *conn, query_id_t query, const db_value_t *params)
{
    return fault_now() ? fault.rc : real->start(conn, query, params);
}

static db_rc_t fault_step(void *conn, query_id_t query, db_value_t *row)
{
    return fault_now() ? fault.rc : real->step(conn, query, row);
}

static db_rc_t fault_begin(void *conn, db_sync_t sync)
{
    return fault_now() ? fault.rc : real->begin(conn, sync);
}

static db_rc_t fault_commit(void *conn)
{
    return fault_now() ? fault.rc : real->commit(conn);
}

static db_rc_t fault_rollback(void *conn)
{
    return fault_now() ? fault.rc : real->rollback(conn);
}

static db_rc_t fault_script(void *conn, const char *sql)
{
    return fault_now() ? fault.rc : real->script(conn, sql);
}

static db_driver_t fault_driver(void)
{
    db_driver_t d = *real;

    d.open = fault_open;
    d.start = fault_start;
    d.step = fault_step;
    d.begin = fault_begin;
    d.commit = fault_commit;
    d.rollback = fault_rollback;
    d.script = fault_script;
    return d;
}

static struct {
    store_t *s;
    apr_pool_t *pool;
    const char *alice, *bob, *project, *claimed;
    unsigned char key[MACAROON_KEY_BYTES], codes[2][PEOPLE_RECOVERY_HASH];
    const char *totp, *waits; /* alice's, in force; bob's, waiting */
    keyring_t *rotated;       /* with a new key before that of the origin */
} w;

/* ---- the database from outside ---- */

static int dump_row(void *state, int n, char **values, char **columns)
{
    int i;

    (void)columns;
    for (i = 0; i < n; i++) {
        const char *v = values[i] ? values[i] : "\1NULL";

        crypto_generichash_update(state, (const unsigned char *)v, strlen(v) + 1);
    }
    return 0;
}

static int dump_table(void *data, int n, char **values, char **columns)
{
    void **both = data;
    char sql[100];

    apr_snprintf(sql, sizeof(sql), "SELECT * FROM %s", values[0]);
    (void)columns;
    (void)n;
    return sqlite3_exec(*(sqlite3 **)both[1], sql, dump_row, both[0], NULL);
}

static void dump_mysql_row(void *state, MYSQL_ROW row, unsigned int n)
{
    (void)dump_row(state, (int)n, row, NULL);
}

static void dump_mysql(crypto_generichash_state *state, const char *name)
{
    kit_mysql_tables_t tables;
    int i;

    kit_mysql_tables(&tables, name, w.pool);
    for (i = 0; i < tables.n; i++) {
        crypto_generichash_update(state, (const unsigned char *)tables.names[i],
                                  strlen(tables.names[i]) + 1);
        kit_mysql_run(apr_psprintf(w.pool, "SELECT * FROM %s.%s", name, tables.names[i]),
                      dump_mysql_row, state);
    }
}

/* A hash over the schema and all rows. */
static void dump(const char *path, unsigned char out[32])
{
    crypto_generichash_state state;
    sqlite3 *db;
    void *both[2] = {&state, &db};

    crypto_generichash_init(&state, NULL, 0, 32);
    if (kit_mysql) {
        dump_mysql(&state, kit_mysql_name(path, w.pool));
        crypto_generichash_final(&state, out, 32);
        return;
    }
    if (sqlite3_open(path, &db) ||
        sqlite3_exec(db, "SELECT name, sql FROM sqlite_master", dump_row, &state, NULL) ||
        sqlite3_exec(db, "SELECT name FROM sqlite_master WHERE type = 'table'", dump_table, both,
                     NULL)) {
        tap_ok(0, "dump: %s", sqlite3_errmsg(db));
    }
    sqlite3_close(db);
    crypto_generichash_final(&state, out, 32);
}

/* ---- the operations ---- */

static slice_t caveats[] = {SLICE("one"), SLICE("two")};

static store_token_t new_token(const char *id, const char *user, const char *scope)
{
    store_token_t t = {0};

    t.id = id;
    t.user_id = user;
    t.name = "n";
    t.scope = scope;
    t.caveats = caveats;
    t.n_caveats = 2;
    t.expires = kit_time + 3600;
    return t;
}

static int on_user(void *baton, const store_user_t *row)
{
    (void)baton;
    return row->id == NULL;
}

static store_rc_t op_user_add(void)
{
    return store_user_add(w.s, "carol", "h", NULL, w.pool);
}
static store_rc_t op_user_find(void)
{
    store_user_t u;
    return store_user_find(w.s, slice_of("alice"), &u, w.pool);
}
static store_rc_t op_user_list(void)
{
    return store_user_list(w.s, on_user, NULL);
}
static store_rc_t op_user_set_hash(void)
{
    return store_user_set_hash(w.s, w.alice, "new");
}
static store_rc_t op_user_set_disabled(void)
{
    return store_user_set_disabled(w.s, w.alice, 1);
}
static store_rc_t op_user_remove(void)
{
    return store_user_remove(w.s, w.bob);
}
static store_rc_t op_project_add(void)
{
    return store_project_add(w.s, "N", "n", w.bob, 0, NULL, w.pool);
}
static store_rc_t op_project_role(void)
{
    store_project_t project;
    store_role_t role;
    return store_project_role(w.s, "p", w.alice, &project, &role, w.pool);
}
static store_rc_t op_project_remove(void)
{
    return store_project_remove(w.s, w.project);
}
static store_rc_t op_project_confirm(void)
{
    return store_project_confirm(w.s, w.claimed);
}
static store_rc_t op_project_abandon(void)
{
    return store_project_abandon(w.s, w.claimed, 1);
}
static store_rc_t op_role_set(void)
{
    return store_role_set(w.s, w.project, w.bob, STORE_ROLE_OWNER);
}
static store_rc_t op_role_change(void)
{
    return store_role_set(w.s, w.project, w.alice, STORE_ROLE_MAINTAINER);
}
static store_rc_t op_role_remove(void)
{
    return store_role_remove(w.s, w.project, w.alice);
}
static store_rc_t op_token_add(void)
{
    store_token_t t = new_token(ID_C, w.alice, "p q");
    return store_token_add(w.s, &t, w.key, w.pool);
}
static store_rc_t op_token_find(void)
{
    unsigned char key[MACAROON_KEY_BYTES];
    store_token_t t;
    store_rc_t rc = store_token_find(w.s, slice_of(ID_A), &t, key, w.pool);

    if (rc != STORE_OK && (t.id || !sodium_is_zero(key, sizeof(key)))) {
        tap_ok(0, "a failure leaves neither row nor key");
    }
    return rc;
}
static store_rc_t op_token_revoke(void)
{
    return store_token_revoke(w.s, slice_of(ID_A), "x");
}
static store_rc_t op_event_add(void)
{
    store_event_t e = {.kind = "k"};
    return store_event_add(w.s, &e);
}
static store_rc_t op_use(void)
{
    store_event_t e = {.kind = "k", .token_id = ID_A, .file = "f"};
    return store_use(w.s, &e, NULL);
}
static store_rc_t op_flush(void)
{
    store_event_t e = {.kind = "k", .token_id = ID_A, .verdict = "token-unknown", .at = kit_time};

    if (trail_use(w.s->trail, &e) || trail_event(w.s->trail, &e)) {
        abort();
    }
    e.token_id = ID_B;
    e.address = "::1";
    if (trail_use(w.s->trail, &e) || trail_event(w.s->trail, &e)) {
        abort();
    }
    return store_flush(w.s);
}
static store_rc_t op_reseal(void)
{
    const keyring_t *keys = w.s->keys;
    store_reseal_t r;
    store_rc_t rc;

    w.s->keys = w.rotated;
    rc = store_reseal(w.s, 0, &r);
    w.s->keys = keys;
    return rc == STORE_OK && r.unopened ? STORE_SEALED : rc;
}
static store_rc_t op_prune(void)
{
    apr_int64_t removed;
    return store_event_prune(w.s, kit_time + 1, 1, &removed);
}
static store_rc_t op_front(void)
{
    w.s->front_seen = 0;
    store_front_touch(w.s);
    return w.s->front_seen ? STORE_OK : STORE_DOWN;
}
static store_rc_t op_schema(void)
{
    store_schema_t schema;
    return store_schema(w.s, &schema);
}
static store_rc_t op_migrate(void)
{
    return store_migrate(w.s, w.pool) ? STORE_DOWN : STORE_OK;
}

/* ---- people ---- */

static store_rc_t op_people_find(void)
{
    people_t p;
    return people_find(w.s, slice_of("alice"), "alice", &p, w.pool);
}
static store_rc_t login(int with_recovery)
{
    store_event_t e = {.kind = "login", .user = "alice"}, x = {.kind = "more"};
    people_login_t l = {w.alice, w.totp, 7, NULL, "h", "better", &e, &x};

    if (with_recovery) {
        l.totp_id = NULL;
        l.recovery = w.codes[1];
    }
    return people_login(w.s, &l);
}
static store_rc_t op_people_login(void)
{
    return login(0);
}
static store_rc_t op_people_login_recovery(void)
{
    return login(1);
}
static store_rc_t op_people_totp_begin(void)
{
    people_totp_t t = {.hash = 1, .digits = 6, .period = 30, .seed_n = 20};
    return people_totp_begin(w.s, w.bob, &t, w.pool);
}
static store_rc_t op_people_totp_waiting(void)
{
    people_totp_t t;
    return people_totp_waiting(w.s, w.bob, &t, w.pool);
}
static store_rc_t op_people_totp_confirm(void)
{
    return people_totp_confirm(w.s, w.bob, w.waits, 5);
}
static store_rc_t op_people_totp_remove(void)
{
    return people_totp_remove(w.s, w.alice);
}
static store_rc_t op_people_recovery_replace(void)
{
    static const unsigned char codes[2][PEOPLE_RECOVERY_HASH] = {{9}, {8}};
    return people_recovery_replace(w.s, w.alice, codes, 2);
}
static store_rc_t op_people_recovery_known(void)
{
    int known;
    return people_recovery_known(w.s, w.alice, w.codes[0], &known);
}
static store_rc_t op_people_logout(void)
{
    return people_logout(w.s, w.alice);
}

typedef struct op_t {
    const char *name;
    store_rc_t (*run)(void);
    int empty; /* starts with an empty database */
} op_t;

static const op_t ops[] = {
    {"user_add", op_user_add, 0},
    {"user_find", op_user_find, 0},
    {"user_list", op_user_list, 0},
    {"user_set_hash", op_user_set_hash, 0},
    {"user_set_disabled", op_user_set_disabled, 0},
    {"user_remove", op_user_remove, 0},
    {"project_add", op_project_add, 0},
    {"project_role", op_project_role, 0},
    {"project_remove", op_project_remove, 0},
    {"project_confirm", op_project_confirm, 0},
    {"project_abandon", op_project_abandon, 0},
    {"role_set", op_role_set, 0},
    {"role_set, change", op_role_change, 0},
    {"role_remove", op_role_remove, 0},
    {"token_add", op_token_add, 0},
    {"token_find", op_token_find, 0},
    {"token_revoke", op_token_revoke, 0},
    {"event_add", op_event_add, 0},
    {"use", op_use, 0},
    {"flush", op_flush, 0},
    {"reseal", op_reseal, 0},
    {"front", op_front, 0},
    {"prune", op_prune, 0},
    {"people_find", op_people_find, 0},
    {"people_login", op_people_login, 0},
    {"people_login, recovery", op_people_login_recovery, 0},
    {"people_totp_begin", op_people_totp_begin, 0},
    {"people_totp_waiting", op_people_totp_waiting, 0},
    {"people_totp_confirm", op_people_totp_confirm, 0},
    {"people_totp_remove", op_people_totp_remove, 0},
    {"people_recovery_replace", op_people_recovery_replace, 0},
    {"people_recovery_known", op_people_recovery_known, 0},
    {"people_logout", op_people_logout, 0},
    {"schema", op_schema, 0},
    {"migrate", op_migrate, 1},
};

/* ---- one operation, one n ---- */

/* 1 when after is as it was before; of migrating, when it is as it was at the end of the step
 * before the one that failed. Sealing anew ends between two rows. */
static int untouched(const unsigned char before[32], const unsigned char after[32], const op_t *op)
{
    static unsigned char steps[8][32], seen[8];
    store_schema_t schema;

    if (op->run == op_reseal) {
        return 1;
    }
    if (op->run != op_migrate || store_schema(w.s, &schema) != STORE_OK || schema.have == 0) {
        return sodium_memcmp(before, after, 32) == 0;
    }
    if (!seen[schema.have]) {
        seen[schema.have] = 1; /* the first call that fails is the one that begins the step */
        memcpy(steps[schema.have], after, 32);
    }
    return sodium_memcmp(steps[schema.have], after, 32) == 0;
}

/* 1 when all is well; *done when the operation needs fewer calls than n. */
static int attempt(kit_t *kit, const char *origin, const op_t *op, int n, int *done)
{
    const db_driver_t driver = fault_driver();
    unsigned char before[32], after[32];
    store_rc_t rc;
    int ok;

    apr_pool_create(&w.pool, kit->pool);
    kit_restore(kit, origin);
    dump(kit->db, before);
    if (store_open_with(&w.s, &kit->config, &driver, STORE_MODE_ANY, w.pool)) {
        abort();
    }
    kit_line[0] = '\0';
    fault.hit = 0;
    fault.left = n;
    rc = op->run();
    *done = !fault.hit;
    fault.left = fault.hit = 0;
    dump(kit->db, after);
    ok = rc == STORE_DOWN ? untouched(before, after, op) : rc == STORE_OK;
    if (kit_mysql && op->run == op_migrate) {
        ok = 1; /* what defines tables is not undone there, but done again */
    }
    if (!*done && rc == STORE_OK && fault.rc != DB_LOST && fault.rc != DB_AGAIN) {
        ok = 0; /* only a lost connection and another transaction may be made up for */
    }
    if (rc == STORE_DOWN && !kit_line[0] && op->run != op_migrate) {
        ok = 0; /* and nothing fails without a line in the log */
    }
    if (rc == STORE_DOWN && op->run() != STORE_OK) {
        ok = 0; /* the next one finds a working store */
    }
    apr_pool_destroy(w.pool);
    if (!ok) {
        printf("# %s, call %d: rc %d\n", op->name, n, rc);
    }
    return ok;
}

static void every_call(kit_t *kit, const char *origin, const char *empty)
{
    static const db_rc_t kinds[] = {DB_ERROR, DB_BUSY, DB_LOST, DB_AGAIN};
    apr_size_t i, k;

    for (i = 0; i < STORE_COUNT(ops); i++) {
        int ok = 1, tried = 0;

        for (k = 0; k < 2 * STORE_COUNT(kinds); k++) {
            int n = 0, done = 0;

            fault.rc = kinds[k / 2];
            fault.stays = k % 2;
            if ((fault.stays && (fault.rc == DB_AGAIN || kit_mysql)) ||
                (fault.rc == DB_BUSY && kit_mysql)) {
                continue; /* takes its time: see test_db; what is above the driver was seen */
            }
            while (!done && n < 200) {
                ok = attempt(kit, ops[i].empty ? empty : origin, &ops[i], ++n, &done) && ok;
            }
            tried += n - 1;
        }
        tap_ok(ok && tried >= 6, "%s fails whole at each call (%d failures)", ops[i].name, tried);
    }
    kit_remove(kit);
}

/* ---- the start of all this ---- */

static void origin_make(kit_t *kit)
{
    store_event_t e = {.kind = "old"};
    store_user_t alice, bob;
    store_project_t project, claimed;
    people_totp_t totp = {.hash = 1, .digits = 6, .period = 30, .seed_n = 20};
    store_token_t t;

    kit_make(kit);
    apr_pool_create(&w.pool, kit->pool);
    w.s = kit_open(kit, NULL, w.pool);
    w.codes[1][0] = 1;
    randombytes_buf(w.key, sizeof(w.key));
    (void)store_user_add(w.s, "alice", "h", &alice, kit->pool);
    (void)store_user_add(w.s, "bob", NULL, &bob, kit->pool);
    (void)store_project_add(w.s, "P", "p", alice.id, 1, &project, kit->pool);
    (void)store_project_add(w.s, "C", "c", NULL, 0, &claimed, kit->pool);
    t = new_token(ID_A, alice.id, "p");
    tap_ok(store_token_add(w.s, &t, w.key, w.pool) == STORE_OK, "a token of alice's");
    t.id = ID_B;
    tap_ok(store_token_add(w.s, &t, w.key, w.pool) == STORE_OK, "and another");
    w.alice = alice.id;
    w.bob = bob.id;
    tap_ok(people_totp_begin(w.s, w.alice, &totp, kit->pool) == STORE_OK &&
               people_totp_confirm(w.s, w.alice, totp.id, 3) == STORE_OK &&
               people_recovery_replace(w.s, w.alice, w.codes, 2) == STORE_OK,
           "alice's second factor");
    w.totp = totp.id;
    tap_ok(people_totp_begin(w.s, w.bob, &totp, kit->pool) == STORE_OK, "and bob's");
    w.waits = totp.id;
    e.at = kit_time;
    tap_ok(store_event_add(w.s, &e) == STORE_OK, "an event");
    w.project = project.id;
    w.claimed = claimed.id;
    apr_pool_destroy(w.pool);
}

static void rotated_make(kit_t *kit)
{
    const char *path = apr_pstrcat(kit->pool, kit->dir, "/rotated", NULL), *id;

    tap_ok(apr_file_copy(kit->keyring, path, APR_FPROT_FILE_SOURCE_PERMS, kit->pool) == 0 &&
               !keyring_prepare(path, &kit_seam, &id, kit->pool) &&
               !keyring_promote(path, id, kit->pool) &&
               !keyring_open(&w.rotated, path, &kit_seam, kit->pool),
           "another keyring, which knows the old key");
}

int main(void)
{
    const char *origin, *empty;
    kit_t kit;

    kit_begin(&kit);
    kit.config.serve = 1;
    real = kit_mysql ? &db_mysql_driver : &db_sqlite_driver;
    origin = apr_pstrcat(kit.pool, kit.dir, "/origin.db", NULL);
    empty = apr_pstrcat(kit.pool, kit.dir, "/empty.db", NULL);
    kit_define(&kit);
    if (kit_mysql) {
        kit_copy(kit.db, empty);
    } else {
        kit_edit(empty, "PRAGMA journal_mode = WAL");
    }
    origin_make(&kit);
    kit_copy(kit.db, origin);
    rotated_make(&kit);
    every_call(&kit, origin, empty);
    return kit_end(&kit);
}
