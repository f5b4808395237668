/* copy.c - one store into another; see copy.h. */
#include "store/copy.h"

#include "store/store_priv.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

const copy_table_t copy_tables[COPY_TABLES] = {
    {"users", QUERY_COPY_USERS, QUERY_PASTE_USERS},
    {"projects", QUERY_COPY_PROJECTS, QUERY_PASTE_PROJECTS},
    {"roles", QUERY_COPY_ROLES, QUERY_PASTE_ROLES},
    {"tokens", QUERY_COPY_TOKENS, QUERY_PASTE_TOKENS},
    {"token_caveats", QUERY_COPY_TOKEN_CAVEATS, QUERY_PASTE_TOKEN_CAVEATS},
    {"token_projects", QUERY_COPY_TOKEN_PROJECTS, QUERY_PASTE_TOKEN_PROJECTS},
    {"token_uses", QUERY_COPY_TOKEN_USES, QUERY_PASTE_TOKEN_USES},
    {"totp", QUERY_COPY_TOTP, QUERY_PASTE_TOTP},
    {"recovery_codes", QUERY_COPY_RECOVERY_CODES, QUERY_PASTE_RECOVERY_CODES},
    {"events", QUERY_COPY_EVENTS, QUERY_PASTE_EVENTS},
};

typedef struct copy_t {
    store_t *from, *to;
    db_conn_t *in, *out; /* of from and to */
    copy_progress_fn *fn;
    void *baton;
    const char *why;
    apr_pool_t *pool;
} copy_t;

/* One walk over a table. */
typedef struct copy_pass_t {
    copy_t *copy;
    const copy_table_t *table;
    db_conn_t *write; /* NULL: the rows are only summed up */
    db_rc_t wrote;
    apr_int64_t rows;
    crypto_generichash_state hash;
} copy_pass_t;

/* ---- failures ---- */

/* What a driver's answer means here. */
static store_rc_t copy_rc(db_rc_t rc)
{
    return rc == DB_OK                           ? STORE_OK
           : rc == DB_CONFLICT || rc == DB_ERROR ? STORE_CONFLICT
                                                 : STORE_DOWN;
}

static store_rc_t copy_failed(copy_t *c, const store_t *s, db_rc_t rc, const char *what,
                              const char *why)
{
    c->why = apr_psprintf(c->pool, "Cannot %s the store %s: %s. Nothing was copied.", what,
                          s->place, why);
    return copy_rc(rc);
}

/* ---- rows ---- */

static void copy_hash_number(crypto_generichash_state *hash, apr_uint64_t n)
{
    unsigned char bytes[8];
    int i;

    for (i = 7; i >= 0; i--, n >>= 8) {
        bytes[i] = (unsigned char)n;
    }
    crypto_generichash_update(hash, bytes, sizeof(bytes));
}

static void copy_hash(crypto_generichash_state *hash, const db_value_t *value)
{
    unsigned char type = (unsigned char)value->type;

    crypto_generichash_update(hash, &type, 1);
    if (value->type == DB_INT) {
        copy_hash_number(hash, (apr_uint64_t)value->i);
    } else if (value->type != DB_NULL) {
        copy_hash_number(hash, value->s.n);
        crypto_generichash_update(hash, (const unsigned char *)value->s.p, value->s.n);
    }
}

static int copy_row(void *baton, const db_value_t *row)
{
    copy_pass_t *pass = baton;
    copy_t *c = pass->copy;
    apr_size_t i, n = strlen(query_table[pass->table->read].columns);

    for (i = 0; i < n; i++) {
        copy_hash(&pass->hash, &row[i]);
    }
    pass->rows++;
    if (pass->write) {
        pass->wrote = db_exec(pass->write, pass->table->write, row, n, NULL);
    }
    if (c->fn && pass->rows % COPY_STEP == 0) {
        c->fn(c->baton, pass->table->name, pass->rows, !pass->write);
    }
    return pass->wrote != DB_OK;
}

/* Sums up a table as it is read from one connection and, unless write is NULL, added by another. */
static store_rc_t copy_walk(copy_t *c, const copy_table_t *table, db_conn_t *read, db_conn_t *write,
                            copy_sum_t *sum)
{
    copy_pass_t pass = {.copy = c, .table = table, .write = write, .wrote = DB_OK};
    apr_size_t seen = 0;
    db_rc_t rc;

    crypto_generichash_init(&pass.hash, NULL, 0, COPY_DIGEST);
    if (c->fn) {
        c->fn(c->baton, table->name, 0, !write);
    }
    rc = db_query(read, table->read, NULL, 0, copy_row, &pass, &seen);
    crypto_generichash_final(&pass.hash, sum->digest, COPY_DIGEST);
    sum->rows = pass.rows;
    if (pass.wrote != DB_OK) {
        return copy_failed(c, c->to, pass.wrote, "write", db_why(write));
    }
    return rc == DB_OK ? STORE_OK
                       : copy_failed(c, read == c->in ? c->from : c->to, rc, "read", db_why(read));
}

/* ---- the target ---- */

static int copy_one(void *baton, const db_value_t *row)
{
    (void)baton;
    (void)row;
    return 1;
}

static store_rc_t copy_empty(copy_t *c)
{
    apr_size_t seen;
    db_rc_t rc;
    int i;

    for (i = 0; i < COPY_TABLES; i++) {
        seen = 0;
        rc = db_query(c->out, copy_tables[i].read, NULL, 0, copy_one, NULL, &seen);
        if (rc != DB_OK) {
            return copy_failed(c, c->to, rc, "read", db_why(c->out));
        }
        if (seen) {
            c->why = apr_psprintf(c->pool,
                                  "The store %s is not empty: there are rows in its table %s. "
                                  "Nothing was copied; name an empty one.",
                                  c->to->place, copy_tables[i].name);
            return STORE_CONFLICT;
        }
    }
    return STORE_OK;
}

/* Within the transaction: what it wrote is what it reads. */
static store_rc_t copy_check(copy_t *c, const copy_sum_t *sums)
{
    copy_sum_t there;
    store_rc_t rc;
    int i;

    for (i = 0; i < COPY_TABLES; i++) {
        rc = copy_walk(c, &copy_tables[i], c->out, NULL, &there);
        if (rc != STORE_OK) {
            return rc;
        }
        if (there.rows != sums[i].rows || memcmp(there.digest, sums[i].digest, COPY_DIGEST) != 0) {
            c->why = apr_psprintf(c->pool,
                                  "The table %s of the store %s does not read as it was written: "
                                  "%" APR_INT64_T_FMT " rows instead of %" APR_INT64_T_FMT
                                  ", or others. Does somebody else write to it? Nothing was "
                                  "copied.",
                                  copy_tables[i].name, c->to->place, there.rows, sums[i].rows);
            return STORE_CONFLICT;
        }
    }
    return STORE_OK;
}

/* ---- all of it ---- */

static store_rc_t copy_borrow(copy_t *c, store_t *s, db_conn_t **conn, db_sync_t sync)
{
    char why[DB_WHY_MAX];
    db_rc_t rc = db_borrow(s->db, conn, why);

    if (rc == DB_OK && sync != DB_SNAPSHOT) {
        rc = db_lock(*conn);
        apr_cpystrn(why, db_why(*conn), sizeof(why));
    }
    if (rc == DB_OK) {
        rc = db_begin(*conn, sync);
        apr_cpystrn(why, db_why(*conn), sizeof(why));
    }
    return rc == DB_OK ? STORE_OK : copy_failed(c, s, rc, "use", why);
}

/* Each table whole, then all read back. */
static store_rc_t copy_tables_all(copy_t *c, copy_sum_t *sums)
{
    store_rc_t rc = copy_empty(c);
    int i;

    for (i = 0; i < COPY_TABLES && rc == STORE_OK; i++) {
        rc = copy_walk(c, &copy_tables[i], c->in, c->out, &sums[i]);
    }
    return rc == STORE_OK ? copy_check(c, sums) : rc;
}

static store_rc_t copy_commit(copy_t *c, const store_event_t *event)
{
    db_rc_t rc;

    if (event && store_event_insert(c->out, event) != STORE_OK) {
        return copy_failed(c, c->to, DB_ERROR, "write", db_why(c->out));
    }
    rc = db_commit(c->out);
    if (rc != DB_OK) {
        c->why = apr_psprintf(c->pool,
                              "The store %s did not say that it has kept the rows: %s. It has "
                              "either all of them or none.",
                              c->to->place, db_why(c->out));
    }
    return copy_rc(rc);
}

/* Both must have this program's schema: a newer one may have columns that are not known here. */
static store_rc_t copy_schema(copy_t *c, store_t *s)
{
    store_schema_t schema;
    const char *wrong;

    if (store_schema(s, &schema) != STORE_OK) {
        c->why = apr_psprintf(c->pool, "Cannot read the store %s.", s->place);
        return STORE_DOWN;
    }
    wrong = store_schema_fits(&schema, c->pool);
    if (!wrong && schema.have != schema.want) {
        wrong = "was made by a newer version, which may remember more than this one knows; use "
                "that version here too";
    }
    c->why = wrong ? apr_psprintf(c->pool, "The store %s %s.", s->place, wrong) : NULL;
    return wrong ? STORE_CONFLICT : STORE_OK;
}

store_rc_t copy_run(store_t *from, store_t *to, const store_event_t *event, copy_sum_t *sums,
                    copy_progress_fn *fn, void *baton, const char **why, apr_pool_t *pool)
{
    copy_t c = {.from = from, .to = to, .fn = fn, .baton = baton, .pool = pool};
    store_rc_t rc = copy_schema(&c, from);

    if (rc == STORE_OK) {
        rc = copy_schema(&c, to);
    }
    if (rc == STORE_OK) {
        rc = copy_borrow(&c, from, &c.in, DB_SNAPSHOT);
    }
    if (rc == STORE_OK) {
        rc = copy_borrow(&c, to, &c.out, DB_DURABLE);
    }
    if (rc == STORE_OK) {
        rc = copy_tables_all(&c, sums);
    }
    if (rc == STORE_OK) {
        rc = copy_commit(&c, event);
    }
    if (c.out) {
        db_rollback(c.out);
        db_unlock(c.out);
    }
    db_return(c.out); /* what was not committed is rolled back */
    db_return(c.in);
    *why = c.why;
    return rc;
}
