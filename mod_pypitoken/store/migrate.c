/* migrate.c - brings a database up to this program's schema; see migrate.h. */
#include "store/migrate.h"

#include <limits.h>
#include <string.h>

#include "store/schema_data.h"

static const migrate_series_t *migrate_series(const char *scheme)
{
    apr_size_t i, n = sizeof(schema_series) / sizeof(schema_series[0]);

    for (i = 0; i < n; i++) {
        if (strcmp(schema_series[i].scheme, scheme) == 0) {
            return &schema_series[i];
        }
    }
    return NULL;
}

int migrate_want(const char *scheme)
{
    const migrate_series_t *series = migrate_series(scheme);

    return series ? series->n : 0;
}

static int migrate_number(apr_int64_t n)
{
    return n < 0 ? 0 : n > INT_MAX ? INT_MAX : (int)n;
}

static int migrate_present(void *baton, const db_value_t *row)
{
    *(int *)baton = row[0].i > 0;
    return 1;
}

static int migrate_versions(void *baton, const db_value_t *row)
{
    migrate_have_t *have = baton;

    have->version = migrate_number(row[0].i);
    have->compatible = migrate_number(row[1].i);
    return 1;
}

db_rc_t migrate_have(db_conn_t *conn, migrate_have_t *have)
{
    apr_size_t seen = 0;
    int present = 0;
    db_rc_t rc = db_query(conn, QUERY_SCHEMA_PRESENT, NULL, 0, migrate_present, &present, &seen);

    memset(have, 0, sizeof(*have));
    if (rc == DB_OK && present) {
        rc = db_query(conn, QUERY_SCHEMA_VERSION, NULL, 0, migrate_versions, have, &seen);
    }
    return rc;
}

/* Within a transaction: the step, unless another process has made it meanwhile. */
static db_rc_t migrate_apply(db_conn_t *conn, const migrate_step_t *step, apr_int64_t now)
{
    const db_value_t row[] = {db_int(step->version), db_int(step->compatible), db_int(now)};
    const char *const *sql;
    migrate_have_t have;
    db_rc_t rc = migrate_have(conn, &have);

    if (rc != DB_OK || have.version >= step->version) {
        return rc;
    }
    for (sql = step->statements; *sql && rc == DB_OK; sql++) {
        rc = db_script(conn, *sql);
    }
    if (rc == DB_OK) {
        rc = db_exec(conn, QUERY_SCHEMA_ADD, row, 3, NULL);
    }
    return rc;
}

static db_rc_t migrate_steps(db_conn_t *conn, const migrate_series_t *series, const seam_t *seam,
                             migrate_have_t *have)
{
    db_rc_t rc = migrate_have(conn, have);

    while (rc == DB_OK && have->version < series->n) {
        rc = db_begin(conn, DB_DURABLE);
        if (rc == DB_OK) {
            rc = migrate_apply(conn, &series->steps[have->version], seam->now());
        }
        if (rc == DB_OK) {
            rc = db_commit(conn);
        } else {
            db_rollback(conn);
        }
        if (rc == DB_OK) {
            rc = migrate_have(conn, have);
        }
    }
    return rc;
}

db_rc_t migrate_run(db_conn_t *conn, const char *scheme, const seam_t *seam, migrate_have_t *have)
{
    const migrate_series_t *series = migrate_series(scheme);
    db_rc_t rc = migrate_have(conn, have);

    if (rc != DB_OK || !series || have->version >= series->n) {
        return rc;
    }
    rc = db_lock(conn);
    if (rc == DB_OK) {
        rc = migrate_steps(conn, series, seam, have);
        db_unlock(conn);
    }
    return rc;
}
