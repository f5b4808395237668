/*
 * migrate.h - numbered steps from an empty database to the schema of this program.
 *
 * The steps are the files schema/ENGINE/NNNN_name.sql, compiled in by schema/embed. Each runs in
 * one transaction together with its row in schema_version (MySQL commits after each statement that
 * defines a table: its steps must bear being run again), and under the driver's lock, so that of
 * two processes one waits and then finds nothing to do. For pypitokenctl, not for requests.
 *
 * Each step says which programs may go on working when it is made (see schema/embed); the database
 * keeps that, so that programs older than the step know it.
 */
#ifndef PYPITOKEN_MIGRATE_H
#define PYPITOKEN_MIGRATE_H

#include "core/seam.h"
#include "store/db.h"

typedef struct migrate_step_t {
    int version, compatible;
    const char *name;
    const char *const *statements; /* up to a NULL */
} migrate_step_t;

typedef struct migrate_series_t {
    const char *scheme;
    const migrate_step_t *steps; /* version i + 1 at index i */
    int n;
} migrate_series_t;

/* What a database says of itself. */
typedef struct migrate_have_t {
    int version;    /* 0: it is empty */
    int compatible; /* programs of this version and later may work with it */
} migrate_have_t;

/* The version that this program works with; 0 for an engine without steps. Constant. */
int migrate_want(const char *scheme);

/* On failure db_why tells the reason. */
db_rc_t migrate_have(db_conn_t *conn, migrate_have_t *have);

/* Runs what is missing. *have is what the database has in the end. On failure the steps before
 * stay, the failed one left nothing, and db_why tells the reason. A database that is newer is left
 * alone: DB_OK. */
db_rc_t migrate_run(db_conn_t *conn, const char *scheme, const seam_t *seam, migrate_have_t *have);

#endif
