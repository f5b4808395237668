/* store_front.c - the list of those that serve from a database; see store.h. */
#include "store/store_priv.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>
#include <unistd.h>

/* Often enough that one or two that were missed do not make a front end look dead. */
#define STORE_FRONT_TOUCH (STORE_FRONT_ALIVE / 3)

/* Rows of the dead go when somebody new comes. */
#define STORE_FRONT_FORGET 86400

static store_rc_t store_front_write(store_t *s, apr_int64_t now, const char *host, const char *keys,
                                    int want)
{
    const db_value_t seen[] = {db_int(now), db_cstr(s->front_id)};
    const db_value_t old[] = {db_int(now - STORE_FRONT_FORGET)};
    const db_value_t row[] = {db_cstr(s->front_id), store_cut(host), db_int(s->pid),
                              db_cstr(keys),        db_int(want),    db_int(now)};
    apr_int64_t changed = 0;
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_SOON, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_FRONT_SEEN, seen, STORE_COUNT(seen), &changed);
        }
        if (rc == STORE_OK && changed == 0) {
            rc = store_exec(conn, QUERY_FRONT_EXPIRE, old, STORE_COUNT(old), NULL);
        }
        if (rc == STORE_OK && changed == 0) {
            rc = store_exec(conn, QUERY_FRONT_ADD, row, STORE_COUNT(row), NULL);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

static const char *store_front_keys(const store_t *s, apr_pool_t *pool)
{
    const char *ids = "";
    apr_size_t i;

    for (i = 0; s->keys && i < keyring_count(s->keys); i++) {
        ids = apr_pstrcat(pool, ids, i ? " " : "", keyring_id(s->keys, i), NULL);
    }
    return ids;
}

void store_front_touch(store_t *s)
{
    char host[APRMAXHOSTLEN + 1] = "unknown";
    apr_int64_t now = store_now(s), age = now - s->front_seen;
    apr_pool_t *pool;
    const char *id;

    if (s->front_seen && age >= 0 && age < STORE_FRONT_TOUCH) {
        return;
    }
    apr_pool_create(&pool, NULL);
    (void)apr_gethostname(host, sizeof(host), pool);
    if (!s->front_id[0] && (id = store_uuid(s, pool))) {
        apr_cpystrn(s->front_id, id, sizeof(s->front_id));
    }
    if (s->front_id[0] && store_front_write(s, now, host, store_front_keys(s, pool),
                                            store_schema_want(s)) == STORE_OK) {
        s->front_seen = now;
    }
    apr_pool_destroy(pool);
}

void store_front_gone(store_t *s)
{
    const db_value_t id[] = {db_cstr(s->front_id)};
    db_conn_t *conn = NULL;
    store_rc_t rc;

    if (!s->front_seen) {
        return;
    }
    do {
        rc = store_begin(s, DB_SOON, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_FRONT_GONE, id, STORE_COUNT(id), NULL);
        }
    } while (store_end(s, &conn, &rc));
}

/* ---- the list ---- */

typedef struct store_front_scan_t {
    apr_pool_t *pool;
    store_front_fn *fn;
    void *baton;
} store_front_scan_t;

static int store_front_each(void *baton, const db_value_t *row)
{
    store_front_scan_t *scan = baton;
    store_front_t front;

    apr_pool_clear(scan->pool);
    front.host = store_copy(&row[0], scan->pool);
    front.pid = row[1].i;
    front.key_ids = store_copy(&row[2], scan->pool);
    front.schema = row[3].i;
    front.seen = row[4].i;
    return scan->fn(scan->baton, &front);
}

store_rc_t store_front_list(store_t *s, store_front_fn *fn, void *baton)
{
    const db_value_t since[] = {db_int(store_now(s) - STORE_FRONT_ALIVE)};
    store_front_scan_t scan = {NULL, fn, baton};
    store_rc_t rc;

    apr_pool_create(&scan.pool, NULL);
    rc = store_read(s, QUERY_FRONT_LIST, since, 1, store_front_each, &scan);
    apr_pool_destroy(scan.pool);
    return rc;
}

int store_front_knows(const store_front_t *front, const char *key_id, int seals)
{
    const char *ids = front->key_ids;
    apr_size_t n = strlen(key_id);

    while (*ids) {
        apr_size_t m = strcspn(ids, " ");

        if (m == n && memcmp(ids, key_id, n) == 0) {
            return 1;
        }
        if (seals) {
            return 0;
        }
        ids += m + (ids[m] == ' ');
    }
    return 0;
}
