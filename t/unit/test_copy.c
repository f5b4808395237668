/* test_copy.c - one store into another: every table and column, all or nothing. The one side is
 * SQLite, the other what store_kit.h has. */
#include "store_kit.h"

#include "store/copy.h"

/* What a migration adds has its rows here, or "every table has rows" says so. Values differ from
 * the defaults, so that a column that is left out is noticed. */
static const char *const rows[] = {
    "INSERT INTO users (id, name, password, disabled, created, fold, epoch) VALUES "
    "('u1', 'alice', '$argon2id$x', 1, 11, 'alice', 3), ('u2', 'bob', NULL, 0, 12, 'bob', 0)",
    "INSERT INTO projects (id, name, norm, confirmed, created) VALUES "
    "('p1', 'Demo.X', 'demo-x', 1, 13), ('p2', 'new', 'new', 0, 14)",
    "INSERT INTO roles (project_id, user_id, role) VALUES ('p1', 'u1', 2), ('p1', 'u2', 1)",
    "INSERT INTO tokens (id, user_id, name, scope, sealed_key, created, expires, revoked, "
    "revoked_by, used, used_address, used_agent, used_file) VALUES "
    "('t1', 'u1', 'na\xc3\xafve \xf0\x9f\x93\xa6', 'demo-x', x'0001ff80', 15, 16, 17, 'cli:root', "
    "18, "
    "'2001:db8::1', "
    "'twine', 'demo_x-1.tar.gz'), ('t2', 'u2', '', '*', x'00', 19, 0, 0, NULL, 0, NULL, NULL, "
    "NULL)",
    "INSERT INTO token_caveats (token_id, seq, caveat) VALUES ('t1', 0, x'5b302c5d'), "
    "('t1', 1, x'ff00')",
    "INSERT INTO token_projects (token_id, project) VALUES ('t1', 'demo-x')",
    "INSERT INTO token_uses (id, token_id, used) VALUES ('c1', 't1', 7)",
    "INSERT INTO totp (id, user_id, confirmed, seed, hash, digits, period, counter, created) "
    "VALUES "
    "('s1', 'u1', 1, x'00ff', 2, 8, 60, 99, 20), ('s2', 'u1', 0, x'01', 1, 6, 30, 0, 21)",
    "INSERT INTO recovery_codes (user_id, hash, created, used) VALUES ('u1', x'aa00', 22, 23), "
    "('u1', x'aa', 24, 0)",
    "INSERT INTO events (id, at, kind, user_name, token_id, project, file, address, agent, "
    "verdict, "
    "detail, times) VALUES (5, 25, 'upload', 'alice', 't1', 'demo-x', 'f', '::1', 'a', 'ok', 'd', "
    "4), (9, 26, 'login', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1)",
    "INSERT INTO front_ends (id, host, pid, key_ids, schema_want, seen) "
    "VALUES ('f1', 'h', 1, 'k', 1, 2)",
};

#define ROWS 18 /* that are copied */

/* ---- a driver that fails at the n-th call ---- */

static const db_driver_t *real;
static int left; /* 0: never */

static int now(void)
{
    return left && --left == 0;
}

static db_rc_t fault_start(void *conn, query_id_t query, const db_value_t *params)
{
    return now() ? DB_LOST : real->start(conn, query, params);
}

static db_rc_t fault_step(void *conn, query_id_t query, db_value_t *row)
{
    return now() ? DB_LOST : real->step(conn, query, row);
}

static db_rc_t fault_begin(void *conn, db_sync_t sync)
{
    return now() ? DB_LOST : real->begin(conn, sync);
}

static db_rc_t fault_commit(void *conn)
{
    return now() ? DB_LOST : real->commit(conn);
}

/* ---- what is where ---- */

typedef struct other_t {
    kit_t *kit;
    store_config_t config;
    const char *path;
} other_t;

/* The second store, an SQLite file with this program's schema. */
static void other_make(other_t *o, kit_t *kit)
{
    apr_pool_t *pool;
    store_t *s = NULL;

    apr_pool_create(&pool, kit->pool);
    o->kit = kit;
    o->config = kit->config;
    o->path = apr_pstrcat(kit->pool, kit->dir, "/other.db", NULL);
    o->config.url = apr_pstrcat(kit->pool, "sqlite:", o->path, NULL);
    o->config.secret = NULL;
    if (store_open_any(&s, &o->config, 1, pool) || store_migrate(s, pool)) {
        abort();
    }
    apr_pool_destroy(pool);
}

static int sqlite_number(const char *path, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db;
    int n = -1;

    if (!sqlite3_open(path, &db) && !sqlite3_prepare_v2(db, sql, -1, &statement, NULL) &&
        sqlite3_step(statement) == SQLITE_ROW) {
        n = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return n;
}

/* Rows of all tables that are copied. */
static int other_rows(const other_t *o)
{
    apr_pool_t *pool;
    int i, n = 0;

    apr_pool_create(&pool, o->kit->pool);
    for (i = 0; i < COPY_TABLES; i++) {
        n += sqlite_number(o->path,
                           apr_pstrcat(pool, "SELECT COUNT(*) FROM ", copy_tables[i].name, NULL));
    }
    apr_pool_destroy(pool);
    return n;
}

/* ---- every table and column ---- */

typedef struct seen_t {
    char table[64], columns[1024];
    int known, n;
} seen_t;

static void seen_check(seen_t *seen)
{
    const char *sql = NULL, *end;
    char want[1024] = "";
    int i;

    if (!seen->table[0] || strcmp(seen->table, "schema_version") == 0 ||
        strcmp(seen->table, "front_ends") == 0 || strncmp(seen->table, "sqlite_", 7) == 0) {
        return;
    }
    for (i = 0; i < COPY_TABLES; i++) {
        if (strcmp(copy_tables[i].name, seen->table) == 0) {
            sql = query_table[copy_tables[i].read].sql + strlen("SELECT ");
            end = strstr(sql, " FROM ");
            apr_cpystrn(want, sql, (apr_size_t)(end - sql) + 1);
        }
    }
    seen->known++;
    tap_ok(kit_is(want, seen->columns), "every column of %s is copied: %s", seen->table, want);
}

/* Table and column, tables together. */
static void seen_column(void *data, MYSQL_ROW row, unsigned int n)
{
    seen_t *seen = data;
    apr_size_t m;

    (void)n;
    if (strcmp(seen->table, row[0]) != 0) {
        seen_check(seen);
        apr_cpystrn(seen->table, row[0], sizeof(seen->table));
        seen->columns[0] = '\0';
    }
    m = strlen(seen->columns);
    apr_snprintf(seen->columns + m, sizeof(seen->columns) - m, "%s%s", m ? ", " : "", row[1]);
}

static int seen_sqlite(void *data, int n, char **values, char **names)
{
    (void)names;
    seen_column(data, values, (unsigned int)n);
    return 0;
}

static void columns(kit_t *kit)
{
    seen_t seen = {0};
    sqlite3 *db;

    if (kit_mysql) {
        kit_mysql_run(apr_psprintf(kit->pool,
                                   "SELECT table_name, column_name FROM information_schema.columns "
                                   "WHERE table_schema = '%s' ORDER BY table_name, "
                                   "ordinal_position",
                                   kit_mysql_main),
                      seen_column, &seen);
    } else if (sqlite3_open(kit->db, &db) ||
               sqlite3_exec(db,
                            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) "
                            "c WHERE m.type = 'table' ORDER BY m.name, c.cid",
                            seen_sqlite, &seen, NULL) ||
               sqlite3_close(db)) {
        abort();
    }
    seen_check(&seen);
    tap_ok(seen.known == COPY_TABLES, "every table is copied: %d of %d", COPY_TABLES, seen.known);
}

/* ---- copying ---- */

typedef struct told_t {
    int calls, back;
} told_t;

static void told(void *baton, const char *table, apr_int64_t n, int reading_back)
{
    told_t *t = baton;

    (void)table;
    (void)n;
    t->calls++;
    t->back += reading_back;
}

static store_rc_t copied(store_config_t *from, store_config_t *to, const db_driver_t *from_driver,
                         const db_driver_t *to_driver, copy_sum_t *sums, const char **why,
                         apr_pool_t *pool)
{
    store_event_t event = {.at = 30, .kind = "store-copied"};
    store_t *a = NULL, *b = NULL;
    told_t t = {0, 0};
    store_rc_t rc;

    memset(sums, 0, COPY_TABLES * sizeof(*sums));
    *why = store_open_with(&a, from, from_driver, STORE_MODE_ANY, pool);
    *why = *why ? *why : store_open_with(&b, to, to_driver, STORE_MODE_ANY, pool);
    if (*why) {
        return STORE_DOWN;
    }
    rc = copy_run(a, b, &event, sums, told, &t, why, pool);
    if (rc == STORE_OK && (t.calls < 2 * COPY_TABLES || t.back < COPY_TABLES)) {
        tap_ok(0, "progress is told");
    }
    return rc;
}

static void kit_clear(const kit_t *kit)
{
    kit_edit(kit->db, "DELETE FROM events; DELETE FROM roles; DELETE FROM token_uses; DELETE FROM "
                      "token_projects; DELETE FROM token_caveats; DELETE FROM tokens; DELETE FROM "
                      "totp; DELETE FROM recovery_codes; DELETE FROM projects; DELETE FROM users");
}

static void there_and_back(kit_t *kit, other_t *o)
{
    copy_sum_t there[COPY_TABLES], back[COPY_TABLES];
    const char *why = NULL;
    apr_pool_t *pool;
    store_rc_t rc;
    int i, empty = 0;

    apr_pool_create(&pool, kit->pool);
    rc = copied(&kit->config, &o->config, NULL, NULL, there, &why, pool);
    tap_ok(rc == STORE_OK, "a copy: %s", why ? why : "done");
    for (i = 0; i < COPY_TABLES; i++) {
        empty += there[i].rows == 0;
    }
    tap_ok(!empty, "every table has rows in this test");
    tap_ok(other_rows(o) == ROWS + 1, "all rows are there, and an event that tells of it");
    tap_ok(sqlite_number(o->path, "SELECT COUNT(*) FROM front_ends") == 0,
           "who serves from the one does not serve from the other");
    tap_ok(sqlite_number(o->path, "SELECT id FROM events WHERE kind = 'store-copied'") == 10,
           "new events are numbered after the old ones");
    rc = copied(&kit->config, &o->config, NULL, NULL, back, &why, pool);
    tap_ok(rc == STORE_CONFLICT && kit_has(why, "is not empty") && other_rows(o) == ROWS + 1,
           "a store that is not empty is refused: %s", why ? why : "no");
    kit_clear(kit);
    rc = copied(&o->config, &kit->config, NULL, NULL, back, &why, pool);
    tap_ok(rc == STORE_OK, "and back: %s", why ? why : "done");
    for (i = 0; i < COPY_TABLES - 1; i++) {
        tap_ok(back[i].rows == there[i].rows &&
                   memcmp(back[i].digest, there[i].digest, COPY_DIGEST) == 0,
               "%s: the same on both engines", copy_tables[i].name);
    }
    tap_ok(back[i].rows == there[i].rows + 1, "events: one more, which tells of the first copy");
    apr_pool_destroy(pool);
}

static void other_empty(const other_t *o)
{
    unlink(o->path);
    unlink(apr_pstrcat(o->kit->pool, o->path, "-wal", NULL));
    unlink(apr_pstrcat(o->kit->pool, o->path, "-shm", NULL));
}

/* A row that the schema does not mean, in a source that somebody has edited. */
static void damaged(kit_t *kit, other_t *o)
{
    copy_sum_t sums[COPY_TABLES];
    const char *why = NULL;
    apr_pool_t *pool;
    store_rc_t rc;

    if (kit_mysql) {
        return; /* a server keeps to the types of its columns */
    }
    apr_pool_create(&pool, kit->pool);
    kit_edit(kit->db, "UPDATE tokens SET sealed_key = 'text' WHERE id = 't1'");
    rc = copied(&kit->config, &o->config, NULL, NULL, sums, &why, pool);
    tap_ok(rc == STORE_CONFLICT && kit_has(why, "damaged row") && other_rows(o) == 0,
           "a damaged row: nothing is copied: %s", why ? why : "it was");
    kit_edit(kit->db, "UPDATE tokens SET sealed_key = x'0001ff80' WHERE id = 't1'");
    apr_pool_destroy(pool);
}

/* What is longer than a column of the other engine is not cut to fit. */
static void too_long(kit_t *kit, other_t *o)
{
    copy_sum_t sums[COPY_TABLES];
    const char *why = NULL;
    apr_pool_t *pool;
    store_rc_t rc;

    if (!kit_mysql) {
        return; /* SQLite's texts have no bound */
    }
    apr_pool_create(&pool, kit->pool);
    sqlite_number(o->path, apr_psprintf(pool,
                                        "INSERT INTO events (at, kind, detail) "
                                        "VALUES (1, 'x', '%0300d')",
                                        0));
    kit_clear(kit);
    rc = copied(&o->config, &kit->config, NULL, NULL, sums, &why, pool);
    tap_ok(rc == STORE_CONFLICT && kit_has(why, "too long") &&
               kit_number(kit->db, "SELECT COUNT(*) FROM events") == 0,
           "a text that does not fit is not cut: %s", why ? why : "it was");
    apr_pool_destroy(pool);
}

/* The n-th call of a driver fails, for every n, on either side. */
static void all_or_nothing(kit_t *kit, other_t *o, int target)
{
    db_driver_t broken = target ? db_sqlite_driver : kit_mysql ? db_mysql_driver : db_sqlite_driver;
    copy_sum_t sums[COPY_TABLES];
    const char *why = NULL;
    int n, bad = 0;
    apr_pool_t *pool;
    store_rc_t rc;

    real = target || !kit_mysql ? &db_sqlite_driver : &db_mysql_driver;
    broken.start = fault_start;
    broken.step = fault_step;
    broken.begin = fault_begin;
    broken.commit = fault_commit;
    for (n = 1; n < 10000; n++) {
        apr_pool_create(&pool, kit->pool);
        left = n;
        rc = copied(&kit->config, &o->config, target ? NULL : &broken, target ? &broken : NULL,
                    sums, &why, pool);
        apr_pool_destroy(pool);
        if (left > 0) {
            break; /* it went through without a failure */
        }
        bad += rc == STORE_OK || !why || other_rows(o) != 0;
    }
    tap_ok(n > 40 && n < 10000 && !bad,
           "%s fails at any of %d calls: nothing is in the target (%d)",
           target ? "the target" : "the source", n - 1, bad);
    tap_ok(rc == STORE_OK, "and without a failure all is");
}

static void schemas(kit_t *kit, other_t *o)
{
    copy_sum_t sums[COPY_TABLES];
    const char *why = NULL;
    apr_pool_t *pool;
    store_rc_t rc;

    apr_pool_create(&pool, kit->pool);
    other_empty(o);
    other_make(o, kit);
    sqlite_number(o->path, "INSERT INTO schema_version VALUES (99, 1, 1)");
    rc = copied(&kit->config, &o->config, NULL, NULL, sums, &why, pool);
    tap_ok(rc == STORE_CONFLICT && kit_has(why, "newer version"), "a target that knows more: %s",
           why ? why : "taken");
    rc = copied(&o->config, &kit->config, NULL, NULL, sums, &why, pool);
    tap_ok(rc == STORE_CONFLICT && kit_has(why, "newer version"), "a source that knows more: %s",
           why ? why : "taken");
    sqlite_number(o->path, "DELETE FROM schema_version WHERE version > 1");
    rc = copied(&kit->config, &o->config, NULL, NULL, sums, &why, pool);
    tap_ok(rc == STORE_CONFLICT && kit_has(why, "schema migrate"),
           "a target of an older schema: %s", why ? why : "taken");
    apr_pool_destroy(pool);
}

int main(void)
{
    apr_size_t i;
    other_t o;
    kit_t kit;

    kit_begin(&kit);
    kit_make(&kit);
    for (i = 0; i < STORE_COUNT(rows); i++) {
        kit_edit(kit.db, rows[i]);
    }
    other_make(&o, &kit);
    columns(&kit);
    there_and_back(&kit, &o);
    kit_edit(kit.db, "DELETE FROM events WHERE kind = 'store-copied'");
    other_empty(&o);
    other_make(&o, &kit);
    damaged(&kit, &o);
    all_or_nothing(&kit, &o, 1);
    other_empty(&o);
    other_make(&o, &kit);
    all_or_nothing(&kit, &o, 0);
    other_empty(&o);
    other_make(&o, &kit);
    too_long(&kit, &o);
    schemas(&kit, &o);
    return kit_end(&kit);
}
