/* store_kit_mysql.h - the other engine for the tests of store_kit.h: databases of a real server,
 * which t/store_contract.t starts. From the environment:
 *
 *   PYPT_STORE         URL of the account under test, "{db}" in the place of the database
 *   PYPT_STORE_INIT    URL of the account that may define tables
 *   PYPT_STORE_SECRET  file with the password of both
 *   PYPT_STORE_ADMIN   the server's socket, where root has no password
 *   PYPT_STORE_CLUSTER the socket of the Galera node that the URLs lead to, if that is another one
 *   PYPT_STORE_GRANTS  file with what the account under test may do to database "pypitoken"
 *
 * A database stands for the file at kit->db, and others for the files that tests copy it to. */
#ifndef PYPITOKEN_STORE_KIT_MYSQL_H
#define PYPITOKEN_STORE_KIT_MYSQL_H

#include "tap.h"

#include <apr_strings.h>
#include <mysql.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static MYSQL *kit_mysql;       /* NULL: the tests run on SQLite */
static MYSQL *kit_mysql_other; /* of PYPT_STORE_CLUSTER, or NULL */
static char kit_mysql_main[32];

/* Runs any number of statements; calls row with each row of their results. */
static void kit_mysql_run(const char *sql, void (*row)(void *, MYSQL_ROW, unsigned int), void *data)
{
    int more = mysql_query(kit_mysql, sql);

    while (more == 0) {
        MYSQL_RES *rows = mysql_store_result(kit_mysql);
        MYSQL_ROW r;

        while (rows && (r = mysql_fetch_row(rows))) {
            if (row) {
                row(data, r, mysql_num_fields(rows));
            }
        }
        mysql_free_result(rows);
        more = mysql_next_result(kit_mysql);
    }
    if (more > 0) {
        tap_ok(0, "%s: %s", sql, mysql_error(kit_mysql));
    }
    if (kit_mysql_other && mysql_query(kit_mysql_other, "START TRANSACTION; COMMIT")) {
        tap_ok(0, "waiting for the other node: %s", mysql_error(kit_mysql_other));
    }
    while (kit_mysql_other && mysql_next_result(kit_mysql_other) == 0) {
    }
}

/* "mysql://.../pypt_7" is database pypt_7, "/tmp/x/origin.db" is pypt_7_origin. */
static const char *kit_mysql_name(const char *path, apr_pool_t *pool)
{
    const char *base = strrchr(path, '/') + 1;

    return strncmp(path, "mysql:", 6) == 0
               ? base
               : apr_psprintf(pool, "%s_%.*s", kit_mysql_main, (int)strcspn(base, "."), base);
}

static void kit_mysql_fresh(const char *name, apr_pool_t *pool)
{
    kit_mysql_run(apr_psprintf(pool, "DROP DATABASE IF EXISTS %s; CREATE DATABASE %s", name, name),
                  NULL, NULL);
}

/* ---- all tables ---- */

typedef struct kit_mysql_tables_t {
    apr_pool_t *pool;
    const char *names[64];
    int n;
} kit_mysql_tables_t;

static void kit_mysql_table(void *data, MYSQL_ROW row, unsigned int n)
{
    kit_mysql_tables_t *tables = data;

    (void)n;
    if (tables->n < 64) {
        tables->names[tables->n++] = apr_pstrdup(tables->pool, row[0]);
    }
}

static void kit_mysql_tables(kit_mysql_tables_t *tables, const char *name, apr_pool_t *pool)
{
    tables->pool = pool;
    tables->n = 0;
    kit_mysql_run(apr_psprintf(pool, "SHOW TABLES FROM %s", name), kit_mysql_table, tables);
}

static void kit_mysql_text(void *data, MYSQL_ROW row, unsigned int n)
{
    const char **sql = data;

    (void)n;
    *sql = apr_pstrcat((apr_pool_t *)sql[1], *sql, "; ", row[1], NULL);
}

static int kit_mysql_has(const kit_mysql_tables_t *tables, const char *name)
{
    int i;

    for (i = 0; i < tables->n && strcmp(tables->names[i], name) != 0; i++) {
    }
    return i < tables->n;
}

/* One database becomes as another: its tables, with their constraints, and their rows. */
static void kit_mysql_copy(const char *from, const char *to, apr_pool_t *pool)
{
    const char *sql[2] = {apr_psprintf(pool, "USE %s", to), (const char *)pool};
    kit_mysql_tables_t tables, there;
    int i;

    kit_mysql_run(apr_psprintf(pool, "CREATE DATABASE IF NOT EXISTS %s", to), NULL, NULL);
    kit_mysql_tables(&tables, from, pool);
    kit_mysql_tables(&there, to, pool);
    for (i = 0; i < there.n; i++) {
        sql[0] = apr_psprintf(pool, "%s; %s %s", sql[0],
                              kit_mysql_has(&tables, there.names[i]) ? "DELETE FROM" : "DROP TABLE",
                              there.names[i]);
    }
    for (i = 0; i < tables.n; i++) {
        if (!kit_mysql_has(&there, tables.names[i])) {
            kit_mysql_run(apr_psprintf(pool, "SHOW CREATE TABLE %s.%s", from, tables.names[i]),
                          kit_mysql_text, sql);
        }
        sql[0] = apr_psprintf(pool, "%s; INSERT INTO %s SELECT * FROM %s.%s", sql[0],
                              tables.names[i], from, tables.names[i]);
    }
    kit_mysql_run(sql[0], NULL, NULL);
}

/* What conf/mysql-grants.sql gives the module's account, in this database. */
static void kit_mysql_grant(apr_pool_t *pool)
{
    char line[512], *on;
    FILE *f = fopen(getenv("PYPT_STORE_GRANTS"), "r");

    while (f && fgets(line, sizeof(line), f)) {
        on = strstr(line, " ON pypitoken.");
        if (strncmp(line, "GRANT", 5) == 0 && on) {
            *on = '\0';
            kit_mysql_run(apr_pstrcat(pool, line, " ON ", kit_mysql_main, on + 13, NULL), NULL,
                          NULL);
        }
    }
    if (!f || fclose(f)) {
        abort();
    }
}

/* ---- beginning and end ---- */

static const char *kit_mysql_url(const char *variable, apr_pool_t *pool)
{
    const char *url = getenv(variable), *at = url ? strstr(url, "{db}") : NULL;

    if (!at) {
        abort();
    }
    return apr_psprintf(pool, "%.*s%s%s", (int)(at - url), url, kit_mysql_main, at + 4);
}

static MYSQL *kit_mysql_connect(const char *socket)
{
    MYSQL *mysql = mysql_init(NULL);

    if (!socket || !mysql_real_connect(mysql, "localhost", "root", "", NULL, 0, socket,
                                       CLIENT_MULTI_STATEMENTS)) {
        tap_ok(0, "%s: %s", socket ? socket : "no PYPT_STORE_ADMIN", mysql_error(mysql));
        exit(1);
    }
    return mysql;
}

__attribute__((unused)) static void kit_mysql_begin(apr_pool_t *pool)
{
    const char *other = getenv("PYPT_STORE_CLUSTER");

    if (!getenv("PYPT_STORE")) {
        return;
    }
    apr_snprintf(kit_mysql_main, sizeof(kit_mysql_main), "pypt_%d", (int)getpid());
    kit_mysql = kit_mysql_connect(getenv("PYPT_STORE_ADMIN"));
    kit_mysql_run("SET NAMES utf8mb4; SET SESSION foreign_key_checks = 0, autocommit = 1, "
                  "sql_mode = 'STRICT_ALL_TABLES'; "
                  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                  NULL, NULL);
    if (other) { /* each sees what was done on the other, at once */
        kit_mysql_run("SET SESSION wsrep_sync_wait = 15", NULL, NULL);
        kit_mysql_other = kit_mysql_connect(other);
        if (mysql_query(kit_mysql_other, "SET SESSION wsrep_sync_wait = 15")) {
            abort();
        }
    }
    kit_mysql_fresh(kit_mysql_main, pool);
}

static void kit_mysql_drop(void *data, MYSQL_ROW row, unsigned int n)
{
    const char **sql = data;

    (void)n;
    *sql = apr_pstrcat((apr_pool_t *)sql[1], *sql, "; DROP DATABASE ", row[0], NULL);
}

__attribute__((unused)) static void kit_mysql_end(apr_pool_t *pool)
{
    const char *sql[2] = {"SELECT 1", (const char *)pool};

    kit_mysql_run(apr_psprintf(pool, "SHOW DATABASES LIKE '%s%%'", kit_mysql_main), kit_mysql_drop,
                  sql);
    kit_mysql_run(sql[0], NULL, NULL);
    mysql_close(kit_mysql);
    if (kit_mysql_other) {
        mysql_close(kit_mysql_other);
    }
}

#endif
