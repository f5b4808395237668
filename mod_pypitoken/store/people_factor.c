/*
 * people_factor.c - second factors, with their seeds sealed, and recovery codes; see people.h.
 *
 * What the seal binds besides the seed's place: the row's id, the account, hash, digits and period.
 * Whoever moves a seed of their own to another account, or edits one of these, has a row that does
 * not open, and then nobody logs in to that account. (Who can write to the database can remove a
 * second factor altogether; that is what its backups and its audit are for.)
 */
#include "store/people_priv.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#define PEOPLE_TOTP_TABLE "totp"

/* The plain text has always the same length, so that the sealed one does not tell the seed's. */
#define PEOPLE_TOTP_PLAIN (1 + PEOPLE_SEED_MAX)

/* ---- the seal ---- */

static slice_t people_totp_bound(const char *user_id, const people_totp_t *t, apr_pool_t *pool)
{
    /* ids have no spaces, numbers neither */
    return slice_of(
        apr_psprintf(pool, "%s %s %d %d %d", t->id, user_id, t->hash, t->digits, t->period));
}

static slice_t people_totp_seal(store_t *s, const char *user_id, const people_totp_t *t,
                                apr_pool_t *pool)
{
    unsigned char plain[PEOPLE_TOTP_PLAIN] = {0};
    slice_t sealed;

    plain[0] = (unsigned char)t->seed_n;
    memcpy(plain + 1, t->seed, t->seed_n);
    sealed = keyring_seal(s->keys, PEOPLE_TOTP_TABLE, people_totp_bound(user_id, t, pool),
                          slice_make((const char *)plain, sizeof(plain)), pool);
    sodium_memzero(plain, sizeof(plain));
    return sealed;
}

store_rc_t people_totp_open(store_t *s, const char *user_id, people_totp_t *totp, slice_t sealed,
                            apr_pool_t *pool)
{
    unsigned char plain[PEOPLE_TOTP_PLAIN];
    store_rc_t rc = STORE_SEALED;

    if (!totp->id) {
        return STORE_OK;
    }
    if (s->keys &&
        keyring_unseal(s->keys, PEOPLE_TOTP_TABLE, people_totp_bound(user_id, totp, pool), sealed,
                       plain, sizeof(plain)) == 0 &&
        plain[0] <= PEOPLE_SEED_MAX) {
        totp->seed_n = plain[0];
        memcpy(totp->seed, plain + 1, totp->seed_n);
        rc = STORE_OK;
    }
    sodium_memzero(plain, sizeof(plain));
    return rc;
}

void people_totp_fill(people_totp_t *totp, slice_t *sealed, const db_value_t *row, apr_pool_t *pool)
{
    totp->id = store_copy(&row[0], pool);
    if (totp->id) {
        *sealed = slice_make(slice_dup(row[1].s, pool), row[1].s.n);
        totp->hash = (int)row[2].i;
        totp->digits = (int)row[3].i;
        totp->period = (int)row[4].i;
        totp->counter = row[5].i;
    }
}

/* ---- enrolling ---- */

store_rc_t people_totp_begin(store_t *s, const char *user_id, people_totp_t *totp, apr_pool_t *pool)
{
    const db_value_t waiting[] = {db_cstr(user_id), db_int(0)}, user[] = {db_cstr(user_id)};
    db_conn_t *conn = NULL;
    slice_t sealed;
    store_rc_t rc;

    if (!s->keys || totp->seed_n > PEOPLE_SEED_MAX) {
        return STORE_SEALED;
    }
    totp->id = store_uuid(s, pool);
    totp->counter = 0;
    sealed = totp->id ? people_totp_seal(s, user_id, totp, pool) : slice_of(NULL);
    if (!sealed.n) {
        return store_down(s, "no random bytes for a seal");
    }
    do {
        const db_value_t row[] = {db_cstr(totp->id),   db_cstr(user_id),     db_blob(sealed),
                                  db_int(totp->hash),  db_int(totp->digits), db_int(totp->period),
                                  db_int(store_now(s))};

        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_USER_FOLD, user, STORE_COUNT(user), NULL);
        }
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_TOTP_DROP, waiting, STORE_COUNT(waiting), NULL);
        }
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_TOTP_ADD, row, STORE_COUNT(row), NULL);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

typedef struct people_waiting_t {
    people_totp_t *totp;
    slice_t sealed;
    apr_pool_t *pool;
    const char *user_id;
} people_waiting_t;

static int people_waiting_row(void *baton, const db_value_t *row)
{
    people_waiting_t *w = baton;

    people_totp_fill(w->totp, &w->sealed, row, w->pool);
    return 1;
}

store_rc_t people_totp_waiting(store_t *s, const char *user_id, people_totp_t *totp,
                               apr_pool_t *pool)
{
    const db_value_t params[] = {db_cstr(user_id)};
    people_waiting_t waiting = {totp, {NULL, 0}, pool, user_id};
    store_rc_t rc;

    memset(totp, 0, sizeof(*totp));
    rc = store_read(s, QUERY_TOTP_WAITING, params, 1, people_waiting_row, &waiting);
    if (rc == STORE_OK && !totp->id) {
        rc = STORE_NOTFOUND;
    }
    if (rc == STORE_OK) {
        rc = people_totp_open(s, user_id, totp, waiting.sealed, pool);
    }
    if (rc != STORE_OK) {
        memset(totp, 0, sizeof(*totp));
    }
    return rc;
}

static int people_again_row(void *baton, const db_value_t *row)
{
    people_waiting_t *w = baton;

    w->user_id = store_copy(&row[6], w->pool);
    return people_waiting_row(baton, row);
}

store_rc_t people_totp_again(store_t *s, slice_t id, slice_t *old, slice_t *fresh, apr_pool_t *pool)
{
    const db_value_t params[] = {db_text(id)};
    people_totp_t totp = {0};
    people_waiting_t row = {&totp, {NULL, 0}, pool, NULL};
    store_rc_t rc = store_read(s, QUERY_TOTP_BY_ID, params, 1, people_again_row, &row);

    if (rc != STORE_OK || !totp.id) {
        return rc == STORE_OK ? STORE_NOTFOUND : rc;
    }
    rc = people_totp_open(s, row.user_id, &totp, row.sealed, pool);
    if (rc == STORE_OK) {
        *old = row.sealed;
        *fresh = people_totp_seal(s, row.user_id, &totp, pool);
        rc = fresh->n ? STORE_OK : store_down(s, "no random bytes for a seal");
    }
    sodium_memzero(totp.seed, sizeof(totp.seed));
    return rc;
}

store_rc_t people_totp_confirm(store_t *s, const char *user_id, const char *totp_id,
                               apr_int64_t counter)
{
    const db_value_t old[] = {db_cstr(user_id), db_int(1)};
    const db_value_t row[] = {db_int(counter), db_cstr(totp_id), db_cstr(user_id)};
    apr_int64_t changed = 0;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_TOTP_DROP, old, STORE_COUNT(old), NULL);
        }
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_TOTP_CONFIRM, row, STORE_COUNT(row), &changed);
        }
        if (rc == STORE_OK && changed != 1) {
            rc = STORE_NOTFOUND;
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

store_rc_t people_totp_remove(store_t *s, const char *user_id)
{
    const db_value_t params[] = {db_cstr(user_id)};
    apr_int64_t changed = 0;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_TOTP_REMOVE, params, 1, &changed);
        }
        if (rc == STORE_OK && !changed) {
            rc = STORE_NOTFOUND;
        }
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_RECOVERY_DROP, params, 1, NULL);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

/* ---- recovery codes ---- */

static slice_t people_recovery_bytes(const unsigned char hash[PEOPLE_RECOVERY_HASH])
{
    return slice_make((const char *)hash, PEOPLE_RECOVERY_HASH);
}

store_rc_t people_recovery_replace(store_t *s, const char *user_id,
                                   const unsigned char (*hashes)[PEOPLE_RECOVERY_HASH],
                                   apr_size_t n)
{
    const db_value_t user[] = {db_cstr(user_id)};
    apr_int64_t now = store_now(s);
    db_conn_t *conn = NULL;
    store_rc_t rc;
    apr_size_t i;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_RECOVERY_DROP, user, 1, NULL);
        }
        for (i = 0; i < n && rc == STORE_OK; i++) {
            const db_value_t row[] = {db_cstr(user_id), db_blob(people_recovery_bytes(hashes[i])),
                                      db_int(now)};

            rc = store_exec(conn, QUERY_RECOVERY_ADD, row, STORE_COUNT(row), NULL);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

static int people_recovery_row(void *baton, const db_value_t *row)
{
    *(int *)baton = row[0].i != 0;
    return 1;
}

store_rc_t people_recovery_known(store_t *s, const char *user_id,
                                 const unsigned char hash[PEOPLE_RECOVERY_HASH], int *known)
{
    const db_value_t params[] = {db_cstr(user_id), db_blob(people_recovery_bytes(hash))};

    *known = 0;
    return store_read(s, QUERY_RECOVERY_KNOWN, params, STORE_COUNT(params), people_recovery_row,
                      known);
}
