/* store_schema.c - whether program and database belong together; see store.h. */
#include "store/store_priv.h"

#include "store/migrate.h"

#include <apr_strings.h>

static void store_schema_fill(const store_t *s, const migrate_have_t *have, store_schema_t *out)
{
    out->have = have->version;
    out->compatible = have->compatible;
    out->want = migrate_want(s->driver->scheme);
}

/* DB_OK, or why is filled. */
static db_rc_t store_schema_read(store_t *s, store_schema_t *out, char *why)
{
    migrate_have_t have = {0, 0};
    db_conn_t *conn;
    db_rc_t rc = db_borrow(s->db, &conn, why);

    if (rc == DB_OK) {
        rc = migrate_have(conn, &have);
        apr_cpystrn(why, db_why(conn), DB_WHY_MAX);
    }
    db_return(conn);
    store_schema_fill(s, &have, out);
    return rc;
}

int store_schema_want(const store_t *s)
{
    return migrate_want(s->driver->scheme);
}

store_rc_t store_schema(store_t *s, store_schema_t *out)
{
    char why[DB_WHY_MAX];

    return store_schema_read(s, out, why) == DB_OK ? STORE_OK : store_down(s, why);
}

const char *store_schema_fits(const store_schema_t *schema, apr_pool_t *pool)
{
    if (schema->have == 0) {
        return "is empty; run 'pypitokenctl init'";
    }
    if (schema->have < schema->want) {
        return apr_psprintf(pool,
                            "has the older schema %d, needed is %d; run 'pypitokenctl schema "
                            "migrate'",
                            schema->have, schema->want);
    }
    if (schema->compatible > schema->want) {
        return apr_psprintf(pool,
                            "was made by a newer version (its schema is %d, for programs that "
                            "know %d or later; this one knows %d); use that version here too",
                            schema->have, schema->compatible, schema->want);
    }
    return NULL;
}

static const char *store_schema_said(const store_t *s, const store_schema_t *schema,
                                     apr_pool_t *pool)
{
    const char *wrong = store_schema_fits(schema, pool);

    return wrong ? apr_psprintf(pool, "the store %s %s", s->place, wrong) : NULL;
}

db_rc_t store_schema_welcome(void *baton, db_conn_t *conn, char *why)
{
    const store_t *s = baton;
    migrate_have_t have = {0, 0};
    db_rc_t rc = migrate_have(conn, &have);
    store_schema_t schema;
    const char *wrong;
    apr_pool_t *pool;

    if (rc != DB_OK) {
        apr_snprintf(why, DB_WHY_MAX, "cannot read the store %s: %s", s->place, db_why(conn));
        return rc;
    }
    store_schema_fill(s, &have, &schema);
    apr_pool_create(&pool, NULL);
    wrong = store_schema_said(s, &schema, pool);
    if (wrong) {
        apr_cpystrn(why, wrong, DB_WHY_MAX);
    }
    apr_pool_destroy(pool);
    return wrong ? DB_ERROR : DB_OK;
}

const char *store_migrate(store_t *s, apr_pool_t *pool)
{
    char why[DB_WHY_MAX];
    store_schema_t schema;
    migrate_have_t have;
    db_conn_t *conn;
    db_rc_t rc = db_borrow(s->db, &conn, why);

    if (rc == DB_OK) {
        rc = migrate_run(conn, s->driver->scheme, s->seam, &have);
        apr_cpystrn(why, db_why(conn), sizeof(why));
    }
    db_return(conn);
    if (rc != DB_OK) {
        return apr_psprintf(pool, "cannot migrate the store %s: %s", s->place, why);
    }
    store_schema_fill(s, &have, &schema);
    return store_schema_said(s, &schema, pool);
}
