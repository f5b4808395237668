/*
 * migrate.h - numbered steps from an empty database to the schema of this program.
 *
 * The steps are the files schema/ENGINE/NNNN_name.sql, compiled in by schema/embed. Each runs in
 * one transaction together with its row in schema_version (MySQL commits after each statement that
 * defines a table: its steps must bear being run again). For pypitokenctl, not for requests.
 */
#ifndef PYPITOKEN_MIGRATE_H
#define PYPITOKEN_MIGRATE_H

#include "core/seam.h"
#include "store/db.h"

typedef struct migrate_step_t {
    int version;
    const char *name;
    const char *const *statements; /* up to a NULL */
} migrate_step_t;

typedef struct migrate_series_t {
    const char *scheme;
    const migrate_step_t *steps; /* version i + 1 at index i */
    int n;
} migrate_series_t;

/* The version that this program works with; 0 for an engine without steps. Constant. */
int migrate_want(const char *scheme);

/* The version of the database, 0 when it is empty. On failure db_why tells the reason. */
db_rc_t migrate_have(db_conn_t *conn, int *have);

/* Runs what is missing; harmless when several processes do so at the same time. *have is the
 * version that the database has in the end. On failure the steps before stay, the failed one left
 * nothing, and db_why tells the reason. A database that is newer is left alone: DB_OK. */
db_rc_t migrate_run(db_conn_t *conn, const char *scheme, const seam_t *seam, int *have);

#endif
