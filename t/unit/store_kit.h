/* store_kit.h - what the store's tests share: a directory, a keyring, a store, a settable seam. The
 * store is an SQLite file, or a database of a server (store_kit_mysql.h): the tests are the same.
 */
#ifndef PYPITOKEN_STORE_KIT_H
#define PYPITOKEN_STORE_KIT_H

#include "store/people.h"
#include "store/store_priv.h"
#include "store_kit_mysql.h"
#include "tap.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIT_UNUSED __attribute__((unused)) static

typedef struct kit_t {
    apr_pool_t *pool;
    char dir[64];
    const char *db, *keyring; /* db: a path, or the URL as sentences name it */
    store_config_t config;
    store_config_t init; /* of an account that may define tables */
} kit_t;

static apr_int64_t kit_time = 1700000000;
static int kit_random_fails;
static char kit_line[4096]; /* the last log line */

static apr_int64_t kit_now(void)
{
    return kit_time;
}

static int kit_random(void *bytes, apr_size_t n)
{
    if (kit_random_fails) {
        return -1;
    }
    randombytes_buf(bytes, n);
    return 0;
}

static const seam_t kit_seam = {kit_now, kit_random};

KIT_UNUSED void kit_log(void *baton, const char *line)
{
    (void)baton;
    apr_cpystrn(kit_line, line, sizeof(kit_line));
}

KIT_UNUSED void kit_begin(kit_t *kit)
{
    const char *tmp = getenv("TMPDIR");

    apr_initialize();
    if (sodium_init() < 0) {
        abort();
    }
    memset(kit, 0, sizeof(*kit));
    apr_pool_create(&kit->pool, NULL);
    apr_snprintf(kit->dir, sizeof(kit->dir), "%s/storeXXXXXX",
                 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(kit->dir)) {
        abort();
    }
    kit->db = apr_pstrcat(kit->pool, kit->dir, "/s.db", NULL);
    kit->keyring = apr_pstrcat(kit->pool, kit->dir, "/keyring", NULL);
    kit->config.url = apr_pstrcat(kit->pool, "sqlite:", kit->db, NULL);
    kit->config.keyring = kit->keyring;
    kit->config.seam = &kit_seam;
    kit->config.log = kit_log;
    kit->init = kit->config;
    kit_mysql_begin(kit->pool);
    if (kit_mysql) {
        kit->init.secret = kit->config.secret = getenv("PYPT_STORE_SECRET");
        kit->init.url = kit_mysql_url("PYPT_STORE_INIT", kit->pool);
        kit->config.url = kit_mysql_url("PYPT_STORE", kit->pool);
        kit->db = apr_pstrndup(kit->pool, kit->config.url, strcspn(kit->config.url, "?"));
    }
}

/* From now on the store is opened by an account that may define tables. */
KIT_UNUSED void kit_define(kit_t *kit)
{
    kit->config.url = kit->init.url;
    if (kit_mysql) {
        kit->db = apr_pstrndup(kit->pool, kit->config.url, strcspn(kit->config.url, "?"));
    }
}

KIT_UNUSED int kit_end(kit_t *kit)
{
    struct dirent *entry;
    DIR *dir = opendir(kit->dir);
    char path[512];

    if (kit_mysql) {
        kit_mysql_end(kit->pool);
    }
    apr_pool_destroy(kit->pool);
    while (dir && (entry = readdir(dir))) {
        apr_snprintf(path, sizeof(path), "%s/%s", kit->dir, entry->d_name);
        (void)unlink(path);
    }
    if (dir) {
        closedir(dir);
    }
    tap_ok(rmdir(kit->dir) == 0, "nothing strange is left in the directory");
    apr_terminate();
    return tap_done();
}

/* Keyring and database with the current schema. */
KIT_UNUSED void kit_make(kit_t *kit)
{
    apr_pool_t *pool;
    const char *wrong;
    store_t *s;

    apr_pool_create(&pool, kit->pool);
    wrong = keyring_create(kit->keyring, &kit_seam, pool);
    wrong = wrong ? wrong : store_open_any(&s, &kit->init, 1, pool);
    wrong = wrong ? wrong : store_migrate(s, pool);
    if (kit_mysql && !wrong) {
        kit_mysql_grant(pool);
    }
    tap_ok(!wrong, "keyring and database are made%s%s", wrong ? ": " : "", wrong ? wrong : "");
    if (wrong) {
        exit(1);
    }
    apr_pool_destroy(pool);
}

KIT_UNUSED store_t *kit_open(kit_t *kit, const db_driver_t *driver, apr_pool_t *pool)
{
    store_t *s;
    const char *wrong = store_open_with(&s, &kit->config, driver, STORE_MODE_SERVE, pool);

    if (wrong) {
        tap_ok(0, "the store opens: %s", wrong);
        exit(1);
    }
    return s;
}

/* ---- the database from outside ---- */

KIT_UNUSED void kit_copy(const char *from, const char *to)
{
    static char bytes[1 << 20];
    apr_pool_t *pool;
    ssize_t n;
    int in, out;

    if (kit_mysql) {
        apr_pool_create(&pool, NULL);
        kit_mysql_copy(kit_mysql_name(from, pool), kit_mysql_name(to, pool), pool);
        apr_pool_destroy(pool);
        return;
    }
    in = open(from, O_RDONLY);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    n = read(in, bytes, sizeof(bytes));
    if (n < 0 || n == sizeof(bytes) || write(out, bytes, (size_t)n) != n) {
        abort();
    }
    close(in);
    close(out);
}

/* SQL behind the store's back. */
KIT_UNUSED void kit_edit(const char *path, const char *sql)
{
    apr_pool_t *pool;
    sqlite3 *db;

    if (kit_mysql) {
        apr_pool_create(&pool, NULL);
        kit_mysql_run(apr_psprintf(pool, "USE %s; %s", kit_mysql_name(path, pool), sql), NULL,
                      NULL);
        apr_pool_destroy(pool);
        return;
    }
    if (sqlite3_open(path, &db) || sqlite3_busy_timeout(db, 2000) ||
        sqlite3_exec(db, sql, NULL, NULL, NULL)) {
        tap_ok(0, "%s: %s", sql, sqlite3_errmsg(db));
    }
    sqlite3_close(db);
}

static void kit_number_row(void *data, MYSQL_ROW row, unsigned int n)
{
    (void)n;
    *(int *)data = row[0] ? atoi(row[0]) : -1;
}

/* The number that such SQL yields; -1 without one. */
KIT_UNUSED int kit_number(const char *path, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    apr_pool_t *pool;
    sqlite3 *db;
    int n = -1;

    if (kit_mysql) {
        apr_pool_create(&pool, NULL);
        kit_mysql_run(apr_psprintf(pool, "USE %s; %s", kit_mysql_name(path, pool), sql),
                      kit_number_row, &n);
        apr_pool_destroy(pool);
        return n;
    }
    if (!sqlite3_open(path, &db) && !sqlite3_prepare_v2(db, sql, -1, &statement, NULL) &&
        sqlite3_step(statement) == SQLITE_ROW) {
        n = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return n;
}

KIT_UNUSED void kit_remove(const kit_t *kit)
{
    if (kit_mysql) {
        kit_mysql_fresh(kit_mysql_main, kit->pool);
        return;
    }
    unlink(kit->db);
    unlink(apr_pstrcat(kit->pool, kit->db, "-wal", NULL));
    unlink(apr_pstrcat(kit->pool, kit->db, "-shm", NULL));
}

/* The database as it was when kit_copy took it away. */
KIT_UNUSED void kit_restore(const kit_t *kit, const char *origin)
{
    if (!kit_mysql) {
        kit_remove(kit);
    }
    kit_copy(origin, kit->db);
}

/* ---- texts ---- */

KIT_UNUSED int kit_is(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Of the password of exactly this name; NULL without one. */
KIT_UNUSED const char *kit_hash(store_t *s, const char *name, apr_pool_t *pool)
{
    people_t person;

    return people_find(s, slice_of(name), name, &person, pool) == STORE_OK ? person.hash : NULL;
}

KIT_UNUSED int kit_has(const char *text, const char *part)
{
    return text && strstr(text, part) != NULL;
}

#endif
