/*
 * store_token.c - tokens and their sealed root keys; see store.h.
 *
 * What the seal binds besides the key's place: the row's id, owner, creation, expiry and stored
 * caveats. Whoever edits one of them in the database, or moves the key to another row, has a row
 * that does not open. Not bound, since they change or are for people only: name, scope, revocation
 * and last use. (Who can write to the database can take a revocation back.)
 */
#include "store/store_priv.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <sodium.h>
#include <string.h>

#define STORE_TOKEN_TABLE  "tokens"
#define STORE_TOKEN_ID_MAX 36

/* Columns by QUERY_TOKEN_COLUMNS. */
enum { STORE_TOKEN_CAVEAT = 14, STORE_TOKEN_SEALED, STORE_TOKEN_SEQ };

typedef struct store_token_scan_t {
    store_token_t token;         /* of the rows seen so far */
    apr_array_header_t *caveats; /* slice_t */
    apr_array_header_t *places;  /* with_key: the place of each, in the order of caveats */
    slice_t sealed;
    int found, with_key, stopped;
    apr_pool_t *pool;
    store_token_fn *fn;
    void *baton;
} store_token_scan_t;

/* ---- what the seal binds ---- */

static char *store_token_number(char *p, apr_uint64_t n)
{
    int shift;

    for (shift = 56; shift >= 0; shift -= 8) {
        *p++ = (char)(n >> shift & 0xff);
    }
    return p;
}

static char *store_token_bytes(char *p, slice_t s)
{
    p = store_token_number(p, s.n);
    if (s.n) {
        memcpy(p, s.p, s.n);
    }
    return p + s.n;
}

/* id, user_id, created, expires, number of caveats, caveats; bytes with their length before them,
 * numbers in 8 bytes, high byte first. Not a secret. */
static slice_t store_token_bound(const store_token_t *token, apr_pool_t *pool)
{
    slice_t id = slice_of(token->id), user = slice_of(token->user_id);
    apr_size_t i, n = 5 * 8 + id.n + user.n;
    char *bytes, *p;

    for (i = 0; i < token->n_caveats; i++) {
        n += 8 + token->caveats[i].n;
    }
    bytes = p = apr_palloc(pool, n);
    p = store_token_bytes(p, id);
    p = store_token_bytes(p, user);
    p = store_token_number(p, (apr_uint64_t)token->created);
    p = store_token_number(p, (apr_uint64_t)token->expires);
    p = store_token_number(p, token->n_caveats);
    for (i = 0; i < token->n_caveats; i++) {
        p = store_token_bytes(p, token->caveats[i]);
    }
    return slice_make(bytes, n);
}

/* ---- adding ---- */

/* Those from the first on. */
static store_rc_t store_token_add_caveats(db_conn_t *conn, const store_token_t *token,
                                          apr_size_t first)
{
    store_rc_t rc = STORE_OK;
    apr_size_t i;

    for (i = first; i < token->n_caveats && rc == STORE_OK; i++) {
        const db_value_t row[] = {db_cstr(token->id), db_int((apr_int64_t)i),
                                  db_blob(token->caveats[i])};

        rc = store_exec(conn, QUERY_TOKEN_ADD_CAVEAT, row, STORE_COUNT(row), NULL);
    }
    return rc;
}

static store_rc_t store_token_insert(db_conn_t *conn, const store_token_t *token, slice_t sealed)
{
    const db_value_t row[] = {db_text(slice_of(token->id)),
                              db_text(slice_of(token->user_id)),
                              db_text(slice_of(token->name)),
                              db_text(slice_of(token->scope)),
                              db_blob(sealed),
                              db_int(token->created),
                              db_int(token->expires)};
    store_rc_t rc = store_exec(conn, QUERY_TOKEN_ADD, row, STORE_COUNT(row), NULL);

    if (rc == STORE_OK) {
        rc = store_token_add_caveats(conn, token, 0);
    }
    if (rc == STORE_OK) {
        rc = store_scope_add(conn, token);
    }
    return rc;
}

store_rc_t store_token_add(store_t *s, const store_token_t *token,
                           const unsigned char key[MACAROON_KEY_BYTES], apr_pool_t *pool)
{
    store_token_t row = *token;
    db_conn_t *conn = NULL;
    slice_t sealed;
    store_rc_t rc;

    if (!s->keys) {
        return STORE_SEALED;
    }
    row.created = store_now(s);
    sealed = keyring_seal(s->keys, STORE_TOKEN_TABLE, store_token_bound(&row, pool),
                          slice_make((const char *)key, MACAROON_KEY_BYTES), pool);
    if (!sealed.n) {
        store_log(s, "store: no random bytes for a nonce");
        return STORE_DOWN;
    }
    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_token_insert(conn, &row, sealed);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

/* ---- reading ---- */

static void store_token_fill(store_token_t *token, const db_value_t *row, apr_pool_t *pool)
{
    token->id = store_copy(&row[0], pool);
    token->user_id = store_copy(&row[1], pool);
    token->user_name = store_copy(&row[2], pool);
    token->user_disabled = row[3].i != 0;
    token->name = store_copy(&row[4], pool);
    token->scope = store_copy(&row[5], pool);
    token->created = row[6].i;
    token->expires = row[7].i;
    token->revoked = row[8].i;
    token->revoked_by = store_copy(&row[9], pool);
    token->used = row[10].i;
    token->used_address = store_copy(&row[11], pool);
    token->used_agent = store_copy(&row[12], pool);
    token->used_file = store_copy(&row[13], pool);
}

/* A caveat, where it belongs: QUERY_TOKEN_FIND brings them in any order. */
static void store_token_place(store_token_scan_t *scan, slice_t caveat, apr_int64_t place)
{
    slice_t *caveats;
    apr_int64_t *places;
    int i = scan->places->nelts;

    (void)apr_array_push(scan->caveats);
    (void)apr_array_push(scan->places);
    caveats = (slice_t *)scan->caveats->elts;
    places = (apr_int64_t *)scan->places->elts;
    for (; i > 0 && places[i - 1] > place; i--) {
        caveats[i] = caveats[i - 1];
        places[i] = places[i - 1];
    }
    caveats[i] = caveat;
    places[i] = place;
}

/* The rows of one token are complete. */
static void store_token_emit(store_token_scan_t *scan)
{
    scan->token.caveats = (slice_t *)scan->caveats->elts;
    scan->token.n_caveats = (apr_size_t)scan->caveats->nelts;
    if (scan->fn && !scan->stopped) {
        scan->stopped = scan->fn(scan->baton, &scan->token);
    }
}

/* One row for each caveat: gathers until the next token begins. */
static int store_token_row(void *baton, const db_value_t *row)
{
    store_token_scan_t *scan = baton;
    const db_value_t *caveat = &row[STORE_TOKEN_CAVEAT];

    if (!scan->found || !slice_is(row[0].s, scan->token.id)) {
        if (scan->found) {
            store_token_emit(scan);
            if (scan->stopped) {
                return 1;
            }
            apr_pool_clear(scan->pool);
        }
        store_token_fill(&scan->token, row, scan->pool);
        scan->caveats = apr_array_make(scan->pool, 2, sizeof(slice_t));
        scan->places = apr_array_make(scan->pool, 2, sizeof(apr_int64_t));
        if (scan->with_key) {
            slice_t s = row[STORE_TOKEN_SEALED].s;

            scan->sealed = slice_make(apr_pmemdup(scan->pool, s.n ? s.p : "", s.n), s.n);
        }
        scan->found = 1;
    }
    if (caveat->type != DB_NULL) {
        slice_t s = slice_make(slice_dup(caveat->s, scan->pool), caveat->s.n);

        store_token_place(scan, s, scan->with_key ? row[STORE_TOKEN_SEQ].i : 0);
    }
    return 0;
}

/* The row and its sealed key as they stand. */
static store_rc_t store_token_scan(store_token_scan_t *scan, store_t *s, slice_t id,
                                   apr_pool_t *pool)
{
    const db_value_t params[] = {db_text(id)};
    store_rc_t rc = STORE_NOTFOUND;

    memset(scan, 0, sizeof(*scan));
    scan->pool = pool;
    scan->with_key = 1;
    if (id.n && id.n <= STORE_TOKEN_ID_MAX) {
        rc = store_read(s, QUERY_TOKEN_FIND, params, 1, store_token_row, scan);
    }
    if (rc == STORE_OK && !scan->found) {
        rc = STORE_NOTFOUND;
    }
    if (rc == STORE_OK) {
        store_token_emit(scan);
    }
    return rc;
}

store_rc_t store_token_find(store_t *s, slice_t id, store_token_t *out,
                            unsigned char key[MACAROON_KEY_BYTES], apr_pool_t *pool)
{
    store_token_scan_t scan;
    store_rc_t rc;

    memset(out, 0, sizeof(*out));
    if (key) {
        sodium_memzero(key, MACAROON_KEY_BYTES);
    }
    rc = store_token_scan(&scan, s, id, pool);
    if (rc != STORE_OK) {
        return rc;
    }
    if (key && (!s->keys ||
                keyring_unseal(s->keys, STORE_TOKEN_TABLE, store_token_bound(&scan.token, pool),
                               scan.sealed, key, MACAROON_KEY_BYTES))) {
        sodium_memzero(key, MACAROON_KEY_BYTES);
        return STORE_SEALED;
    }
    *out = scan.token;
    return STORE_OK;
}

static store_rc_t store_token_each(store_t *s, query_id_t query, const db_value_t *params,
                                   apr_size_t n, store_token_fn *fn, void *baton)
{
    store_token_scan_t scan = {0};
    store_rc_t rc;

    scan.fn = fn;
    scan.baton = baton;
    apr_pool_create(&scan.pool, NULL);
    rc = store_read(s, query, params, n, store_token_row, &scan);
    if (rc == STORE_OK && scan.found) {
        store_token_emit(&scan);
    }
    apr_pool_destroy(scan.pool);
    return rc;
}

store_rc_t store_token_list(store_t *s, const char *user, const char *project, store_token_fn *fn,
                            void *baton)
{
    const db_value_t params[] = {db_cstr(user), db_cstr(project), db_cstr(project)};

    return user      ? store_token_each(s, QUERY_TOKEN_LIST_USER, params, 3, fn, baton)
           : project ? store_token_each(s, QUERY_TOKEN_LIST_PROJECT, params + 1, 1, fn, baton)
                     : store_token_each(s, QUERY_TOKEN_LIST, NULL, 0, fn, baton);
}

store_rc_t store_token_reaching(store_t *s, const store_project_t *project, store_token_fn *fn,
                                void *baton)
{
    const db_value_t params[] = {db_cstr(project->id), db_cstr(project->norm)};

    return store_token_each(s, QUERY_TOKEN_REACHING, params, STORE_COUNT(params), fn, baton);
}

/* ---- another key ---- */

store_rc_t store_token_again(store_t *s, slice_t id, slice_t *old, slice_t *fresh, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES];
    store_token_scan_t scan;
    store_rc_t rc = store_token_scan(&scan, s, id, pool);
    slice_t bound;

    if (rc != STORE_OK) {
        return rc;
    }
    bound = store_token_bound(&scan.token, pool);
    rc = keyring_unseal(s->keys, STORE_TOKEN_TABLE, bound, scan.sealed, key, sizeof(key))
             ? STORE_SEALED
             : STORE_OK;
    if (rc == STORE_OK) {
        *old = scan.sealed;
        *fresh = keyring_seal(s->keys, STORE_TOKEN_TABLE, bound,
                              slice_make((const char *)key, sizeof(key)), pool);
        rc = fresh->n ? STORE_OK : store_down(s, "no random bytes for a seal");
    }
    sodium_memzero(key, sizeof(key));
    return rc;
}

/* ---- the end of a token ---- */

store_rc_t store_token_revoke(store_t *s, slice_t id, const char *by)
{
    apr_int64_t now = store_now(s);
    const db_value_t params[] = {db_int(now > 0 ? now : 1), store_cut(by), db_text(id)};

    return store_change(s, QUERY_TOKEN_REVOKE, params, STORE_COUNT(params));
}

/* ---- narrowing ---- */

/* The row with its caveats and n more. */
static store_token_t store_token_narrower(const store_token_t *token, const slice_t *caveats,
                                          apr_size_t n, apr_pool_t *pool)
{
    store_token_t row = *token;

    row.n_caveats = token->n_caveats + n;
    row.caveats = apr_palloc(pool, row.n_caveats * sizeof(*row.caveats));
    if (token->n_caveats) {
        memcpy(row.caveats, token->caveats, token->n_caveats * sizeof(*row.caveats));
    }
    memcpy(row.caveats + token->n_caveats, caveats, n * sizeof(*row.caveats));
    return row;
}

/* Puts the new seal in the place of the old one, which must still be there, and adds the caveats
 * from the first on. */
static store_rc_t store_token_reseal(store_t *s, const store_token_t *row, apr_size_t first,
                                     slice_t sealed, slice_t old)
{
    const db_value_t params[] = {db_blob(sealed), db_int(row->expires), db_cstr(row->id),
                                 db_blob(old)};
    db_conn_t *conn = NULL;
    apr_int64_t changed = 0;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_TOKEN_NARROW, params, STORE_COUNT(params), &changed);
        }
        if (rc == STORE_OK && changed == 0) {
            rc = STORE_CONFLICT;
        }
        if (rc == STORE_OK) {
            rc = store_token_add_caveats(conn, row, first);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

/* What was read becomes row, which has more caveats or an earlier end. */
static store_rc_t store_token_change(store_t *s, const store_token_scan_t *scan,
                                     const store_token_t *row, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES];
    store_rc_t rc = STORE_SEALED;
    slice_t sealed;

    if (s->keys && keyring_unseal(s->keys, STORE_TOKEN_TABLE, store_token_bound(&scan->token, pool),
                                  scan->sealed, key, sizeof(key)) == 0) {
        sealed = keyring_seal(s->keys, STORE_TOKEN_TABLE, store_token_bound(row, pool),
                              slice_make((const char *)key, sizeof(key)), pool);
        rc = sealed.n ? store_token_reseal(s, row, scan->token.n_caveats, sealed, scan->sealed)
                      : STORE_DOWN;
    }
    sodium_memzero(key, sizeof(key));
    return rc;
}

store_rc_t store_token_narrow(store_t *s, slice_t id, const slice_t *caveats, apr_size_t n,
                              apr_pool_t *pool)
{
    store_token_scan_t scan;
    store_token_t row;
    store_rc_t rc = store_token_scan(&scan, s, id, pool);

    if (rc != STORE_OK || n == 0) {
        return rc;
    }
    row = store_token_narrower(&scan.token, caveats, n, pool);
    return row.n_caveats > STORE_CAVEATS_MAX ? STORE_CONFLICT
                                             : store_token_change(s, &scan, &row, pool);
}

store_rc_t store_token_end(store_t *s, const store_token_t *seen, apr_int64_t at, apr_pool_t *pool)
{
    store_token_scan_t scan;
    store_token_t row;
    store_rc_t rc = store_token_scan(&scan, s, slice_of(seen->id), pool);

    if (rc != STORE_OK) {
        return rc;
    }
    row = scan.token;
    if (row.revoked || row.expires != seen->expires || row.n_caveats != seen->n_caveats) {
        return STORE_CONFLICT;
    }
    row.expires = row.expires && row.expires < at ? row.expires : at;
    return store_token_change(s, &scan, &row, pool);
}
