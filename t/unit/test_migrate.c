/* test_migrate.c - which programs work with which schema, and many that migrate at once. */
#include "store_kit.h"

#include "store/migrate.h"

#include <sys/wait.h>

#define CROWD 6

/* ---- one at a time ---- */

static int locks, unlocks, busy;

static db_rc_t counted_lock(void *conn)
{
    (void)conn;
    locks++;
    return busy ? DB_BUSY : DB_OK;
}

static void counted_unlock(void *conn)
{
    (void)conn;
    unlocks++;
}

static void lock(kit_t *kit)
{
    db_driver_t driver = kit_mysql ? db_mysql_driver : db_sqlite_driver;
    store_schema_t schema;
    apr_pool_t *pool;
    store_t *s;

    driver.lock = counted_lock;
    driver.unlock = counted_unlock;
    apr_pool_create(&pool, kit->pool);
    tap_ok(!store_open_with(&s, &kit->config, &driver, STORE_MODE_CREATE, pool), "an empty store");
    busy = 1;
    tap_ok(kit_has(store_migrate(s, pool), "cannot migrate the store") && locks == 1 &&
               unlocks == 0 && store_schema(s, &schema) == STORE_OK && schema.have == 0,
           "whoever does not get the lock changes nothing");
    busy = 0;
    tap_ok(!store_migrate(s, pool) && locks == 2 && unlocks == 1, "the schema is made under it");
    tap_ok(!store_migrate(s, pool) && locks == 2, "  and nobody waits for it when all is done");
    apr_pool_destroy(pool);
    kit_remove(kit);
}

/* ---- a step that fails ---- */

static db_rc_t failing_script(void *conn, const char *sql)
{
    return strstr(sql, "recovery_codes") ? DB_ERROR
           : kit_mysql                   ? db_mysql_driver.script(conn, sql)
                                         : db_sqlite_driver.script(conn, sql);
}

static void step(kit_t *kit)
{
    db_driver_t driver = kit_mysql ? db_mysql_driver : db_sqlite_driver;
    migrate_have_t have = {9, 9};
    char why[DB_WHY_MAX];
    store_schema_t schema;
    db_conn_t *conn = NULL;
    apr_pool_t *pool;
    store_t *s;

    driver.script = failing_script;
    apr_pool_create(&pool, kit->pool);
    tap_ok(!store_open_with(&s, &kit->config, &driver, STORE_MODE_CREATE, pool) &&
               db_borrow(s->db, &conn, why) == DB_OK &&
               migrate_run(conn, driver.scheme, &kit_seam, &have) == DB_ERROR &&
               have.version == 1 && have.compatible == 1,
           "a step that fails is not said to have been made");
    db_return(conn);
    tap_ok(store_schema(s, &schema) == STORE_OK && schema.have == 1, "  nor is it");
    driver.script = kit_mysql ? db_mysql_driver.script : db_sqlite_driver.script;
    tap_ok(!store_migrate(s, pool) && store_schema(s, &schema) == STORE_OK &&
               schema.have == schema.want,
           "  and once more it is");
    apr_pool_destroy(pool);
    kit_remove(kit);
}

static int crowd_one(kit_t *kit)
{
    const char *wrong;
    apr_pool_t *pool;
    store_t *s;

    apr_pool_create(&pool, NULL);
    wrong = store_open_any(&s, &kit->config, 1, pool);
    wrong = wrong ? wrong : store_migrate(s, pool);
    if (wrong) {
        fprintf(stderr, "# %s\n", wrong);
    }
    apr_pool_destroy(pool);
    return wrong != NULL;
}

static void crowd(kit_t *kit)
{
    store_schema_t schema;
    int i, status, bad = 0;
    apr_pool_t *pool;
    store_t *s;

    fflush(stdout);
    for (i = 0; i < CROWD; i++) {
        if (fork() == 0) {
            _exit(crowd_one(kit));
        }
    }
    for (i = 0; i < CROWD; i++) {
        bad += wait(&status) < 0 || status != 0;
    }
    tap_ok(bad == 0, "%d processes migrate the same empty store: no error", CROWD);
    apr_pool_create(&pool, kit->pool);
    s = kit_open(kit, NULL, pool);
    tap_ok(store_schema(s, &schema) == STORE_OK && schema.have == schema.want, "  and it is made");
    apr_pool_destroy(pool);
}

/* ---- programs and schemas ---- */

/* What a program of today says to a store of tomorrow. */
static const char *tomorrow(kit_t *kit, int version, int compatible)
{
    apr_pool_t *pool;
    const char *wrong;
    store_t *s;

    apr_pool_create(&pool, kit->pool);
    kit_edit(kit->db, apr_psprintf(pool, "INSERT INTO schema_version VALUES (%d, %d, 0)", version,
                                   compatible));
    wrong = store_open(&s, &kit->config, pool);
    wrong = wrong ? apr_pstrdup(kit->pool, wrong) : NULL;
    apr_pool_destroy(pool);
    return wrong;
}

static void ages(kit_t *kit)
{
    store_schema_t schema;
    apr_pool_t *pool;
    store_user_t u;
    const char *wrong;
    store_t *s;
    int want;

    apr_pool_create(&pool, kit->pool);
    s = kit_open(kit, NULL, pool);
    (void)store_schema(s, &schema);
    want = schema.want;
    kit_edit(kit->db, "ALTER TABLE users ADD COLUMN shoe INTEGER NOT NULL DEFAULT 42; "
                      "CREATE TABLE shoes (size INTEGER)");
    tap_ok(!tomorrow(kit, want + 1, want), "a step that adds: an older program opens the store");
    tap_ok(store_user_add(s, "alice", NULL, &u, pool) == STORE_OK &&
               store_user_find(s, slice_of("alice"), &u, pool) == STORE_OK,
           "  and one that runs goes on");
    tap_ok(store_schema(s, &schema) == STORE_OK && schema.have == want + 1 &&
               schema.compatible == want && !store_schema_fits(&schema, pool) &&
               !store_migrate(s, pool),
           "  and says so; migrating with it does nothing");
    wrong = tomorrow(kit, want + 2, want + 2);
    tap_ok(kit_has(wrong, "newer version") && kit_has(wrong, kit->db) &&
               kit_has(wrong,
                       apr_psprintf(pool, "is %d, for programs that know %d", want + 2, want + 2)),
           "a step that changes: it is refused: %s", wrong ? wrong : "");
    wrong = tomorrow(kit, want + 3, want);
    tap_ok(kit_has(wrong, "newer version"), "  and no later step takes that back");
    kit_edit(kit->db, apr_psprintf(pool, "DELETE FROM schema_version WHERE version > %d", want));
    tap_ok(store_schema(s, &schema) == STORE_OK && schema.have == want, "as before");
    apr_pool_destroy(pool);
}

int main(void)
{
    kit_t kit;

    kit_begin(&kit);
    kit_define(&kit);
    (void)keyring_create(kit.keyring, &kit_seam, kit.pool);
    lock(&kit);
    step(&kit);
    crowd(&kit);
    ages(&kit);
    return kit_end(&kit);
}
