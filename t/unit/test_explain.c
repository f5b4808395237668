/* test_explain.c - how the engine finds the rows of each statement of query.c, asked of the engine
 * itself over tables with many rows: no statement walks a table, but for the lists that are named
 * here. */
#include "store_kit.h"

#define ROWS 400 /* in each table: enough for an index to pay */

/* What may be walked, by whom, and why that does no harm. */
static const struct {
    query_id_t query;
    const char *tables; /* between blanks, as the statement calls them */
} walks[] = {
    {QUERY_SCHEMA_VERSION, " schema_version "}, /* a handful of rows */
    {QUERY_SCHEMA_PRESENT, " sqlite_master tables "},
    {QUERY_USER_LIST, " u "}, /* everything is listed */
    {QUERY_PROJECT_LIST, " p "},
    {QUERY_TOKEN_LIST, " t u "},
    {QUERY_FRONT_LIST, " front_ends "}, /* a row for each process */
    {QUERY_FRONT_EXPIRE, " front_ends "},
    {QUERY_COPY_USERS, " users "}, /* all rows, for pypitokenctl store copy */
    {QUERY_COPY_PROJECTS, " projects "},
    {QUERY_COPY_ROLES, " roles "},
    {QUERY_COPY_TOKENS, " tokens "},
    {QUERY_COPY_TOKEN_CAVEATS, " token_caveats "},
    {QUERY_COPY_TOKEN_PROJECTS, " token_projects "},
    {QUERY_COPY_TOKEN_USES, " token_uses "},
    {QUERY_COPY_TOTP, " totp "},
    {QUERY_COPY_RECOVERY_CODES, " recovery_codes "},
    {QUERY_COPY_EVENTS, " events "},
};

static int may_walk(query_id_t query, const char *table)
{
    char word[80];
    apr_size_t i;

    apr_snprintf(word, sizeof(word), " %s ", table);
    for (i = 0; i < STORE_COUNT(walks); i++) {
        if (walks[i].query == query && strstr(walks[i].tables, word)) {
            return 1;
        }
    }
    return 0;
}

/* ---- SQLite ---- */

/* "SCAN t", "SCAN t USING INDEX x": the whole table, or the whole index. */
static void walked_sqlite(sqlite3 *db, query_id_t id, const char *sql, char *found, apr_size_t size)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL)) {
        apr_snprintf(found, size, "%s", sqlite3_errmsg(db));
    }
    while (statement && sqlite3_step(statement) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(statement, 3);
        char table[64];

        if (sscanf(detail, "SCAN %63[^ ]", table) == 1 && strcmp(table, "CONSTANT") != 0 &&
            !may_walk(id, table)) {
            apr_snprintf(found, size, "%s", detail);
        }
    }
    sqlite3_finalize(statement);
}

/* ---- a server ---- */

typedef struct plan_t {
    query_id_t query;
    char *found;
    apr_size_t size;
} plan_t;

/* id, select_type, table, type, ... */
static void walked_mysql_row(void *data, MYSQL_ROW row, unsigned int n)
{
    plan_t *plan = data;
    const char *table = n > 3 ? row[2] : NULL, *type = n > 3 ? row[3] : NULL;

    if (table && type && (!strcmp(type, "ALL") || !strcmp(type, "index")) && table[0] != '<' &&
        !may_walk(plan->query, table)) {
        apr_snprintf(plan->found, plan->size, "%s of %s", type, table);
    }
}

/* Asked for the first rows instead: pruning goes from the oldest event on. */
static int from_the_first(query_id_t query)
{
    return query == QUERY_EVENT_NTH || query == QUERY_EVENT_PRUNE;
}

/* The statement with values in the place of its parameters. */
static const char *filled(query_id_t query, const char *text, apr_pool_t *pool)
{
    const char *sql = "", *p = text, *types = query_table[query].params;

    for (; *p; p++) {
        if (*p == '?') {
            sql = apr_pstrcat(pool, sql,
                              *types == 'i'            ? from_the_first(query) ? "9" : "390"
                              : (*types | 0x20) == 't' ? "'x5'"
                                                       : "x'7835'",
                              NULL);
            types++;
        } else {
            sql = apr_psprintf(pool, "%s%c", sql, *p);
        }
    }
    return sql;
}

/* ---- many rows ---- */

static const char *const rows[] = {
    "INSERT INTO users (id, name, fold, disabled, created) VALUES ('x%d', 'x%d', 'x%d', 0, 1)",
    "INSERT INTO projects (id, name, norm, confirmed, created) VALUES ('x%d', 'x%d', 'x%d', 1, 1)",
    "INSERT INTO roles (project_id, user_id, role) VALUES ('x%d', 'x%d', 2)",
    "INSERT INTO tokens (id, user_id, name, scope, sealed_key, created) "
    "VALUES ('x%d', 'x%d', 'x%d', 'x', x'7835', %d)",
    "INSERT INTO token_caveats (token_id, seq, caveat) VALUES ('x%d', 1, x'7835')",
    "INSERT INTO token_projects (token_id, project) VALUES ('x%d', 'x%d')",
    "INSERT INTO token_uses (id, token_id, used) VALUES ('x%d', 'x%d', 1)",
    "INSERT INTO totp (id, user_id, confirmed, seed, hash, digits, period, created) "
    "VALUES ('x%d', 'x%d', 1, x'7835', 1, 6, 30, 1)",
    "INSERT INTO recovery_codes (user_id, hash, created) VALUES ('x%d', x'7835', 1)",
    "INSERT INTO events (at, kind, user_name) VALUES (%d, 'x%d', 'x%d')",
    "INSERT INTO front_ends (id, host, pid, key_ids, schema_want, seen) "
    "VALUES ('x%d', 'x%d', 1, '', 1, %d)",
};

static void fill(kit_t *kit)
{
    apr_pool_t *pool;
    apr_size_t k;
    int i;

    for (k = 0; k < STORE_COUNT(rows); k++) {
        const char *sql = kit_mysql ? "SELECT 1" : "BEGIN";

        apr_pool_create(&pool, kit->pool);
        for (i = 0; i < ROWS; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            sql = apr_pstrcat(pool, sql, "; ", apr_psprintf(pool, rows[k], i, i, i, i), NULL);
#pragma GCC diagnostic pop
        }
        kit_edit(kit->db, kit_mysql ? sql : apr_pstrcat(pool, sql, "; COMMIT", NULL));
        apr_pool_destroy(pool);
    }
    kit_edit(kit->db, kit_mysql ? "ANALYZE TABLE users, projects, roles, tokens, token_caveats, "
                                  "token_projects, token_uses, totp, recovery_codes, events, "
                                  "front_ends"
                                : "ANALYZE");
}

int main(void)
{
    sqlite3 *db = NULL;
    int i, seen = 0;
    kit_t kit;

    kit_begin(&kit);
    kit_make(&kit);
    fill(&kit);
    if (!kit_mysql && sqlite3_open(kit.db, &db)) {
        abort();
    }
    for (i = 0; i < QUERY_COUNT; i++) {
        const query_t *q = &query_table[i];
        const char *own =
            kit_mysql ? db_mysql_driver.sql((query_id_t)i) : db_sqlite_driver.sql((query_id_t)i);
        char found[200] = "";
        plan_t plan = {(query_id_t)i, found, sizeof(found)};

        if (strncmp(q->sql, "INSERT", 6) == 0) {
            continue;
        }
        seen++;
        if (kit_mysql) {
            kit_mysql_run(apr_psprintf(kit.pool, "USE %s; EXPLAIN %s", kit_mysql_main,
                                       filled((query_id_t)i, own ? own : q->sql, kit.pool)),
                          walked_mysql_row, &plan);
        } else {
            walked_sqlite(db, (query_id_t)i,
                          apr_pstrcat(kit.pool, "EXPLAIN QUERY PLAN ", own ? own : q->sql, NULL),
                          found, sizeof(found));
        }
        tap_ok(!found[0], "%s finds its rows: %s", q->name, found[0] ? found : "by an index");
    }
    tap_ok(seen > 40, "%d statements were looked at", seen);
    sqlite3_close(db);
    return kit_end(&kit);
}
