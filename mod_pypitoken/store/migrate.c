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

static int migrate_number(void *baton, const db_value_t *row)
{
    apr_int64_t n = row[0].i;

    *(int *)baton = n < 0 ? 0 : n > INT_MAX ? INT_MAX : (int)n;
    return 1;
}

db_rc_t migrate_have(db_conn_t *conn, int *have)
{
    apr_size_t seen = 0;
    int present = 0;
    db_rc_t rc = db_query(conn, QUERY_SCHEMA_PRESENT, NULL, 0, migrate_number, &present, &seen);

    *have = 0;
    if (rc == DB_OK && present) {
        rc = db_query(conn, QUERY_SCHEMA_VERSION, NULL, 0, migrate_number, have, &seen);
    }
    return rc;
}

/* Within a transaction: the step, unless another process has made it meanwhile. */
static db_rc_t migrate_apply(db_conn_t *conn, const migrate_step_t *step, apr_int64_t now,
                             int *have)
{
    const db_value_t row[] = {db_int(step->version), db_int(now)};
    const char *const *sql;
    db_rc_t rc = migrate_have(conn, have);

    if (rc != DB_OK || *have >= step->version) {
        return rc;
    }
    for (sql = step->statements; *sql && rc == DB_OK; sql++) {
        rc = db_script(conn, *sql);
    }
    *have = step->version;
    return rc == DB_OK ? db_exec(conn, QUERY_SCHEMA_ADD, row, 2, NULL) : rc;
}

db_rc_t migrate_run(db_conn_t *conn, const char *scheme, const seam_t *seam, int *have)
{
    const migrate_series_t *series = migrate_series(scheme);
    int n = series ? series->n : 0;
    db_rc_t rc = migrate_have(conn, have);

    while (rc == DB_OK && *have < n) {
        rc = db_begin(conn, DB_DURABLE);
        if (rc == DB_OK) {
            rc = migrate_apply(conn, &series->steps[*have], seam->now(), have);
        }
        if (rc == DB_OK) {
            rc = db_commit(conn);
        } else {
            db_rollback(conn);
        }
    }
    return rc;
}
