/* store_uses.c - counters of uses; see store.h. The verdict falls in one conditional UPDATE, so it
 * is the same for all threads, processes and front ends. */
#include "store/store_priv.h"

/* Takes one, or finds none left. The first use makes the counter; when somebody else made it in
 * this very moment, his is taken from. */
static store_rc_t store_uses_take_one(db_conn_t *conn, const char *token_id,
                                      const store_count_t *count)
{
    const db_value_t take[] = {db_cstr(count->id), db_int(count->limit)};
    const db_value_t add[] = {db_cstr(count->id), db_cstr(token_id)};
    apr_int64_t changed = 0;
    store_rc_t rc = store_exec(conn, QUERY_USES_TAKE, take, STORE_COUNT(take), &changed);

    if (rc == STORE_OK && changed == 0) {
        rc = store_exec(conn, QUERY_USES_ADD, add, STORE_COUNT(add), NULL);
        if (rc == STORE_CONFLICT) {
            rc = store_exec(conn, QUERY_USES_TAKE, take, STORE_COUNT(take), &changed);
            rc = rc == STORE_OK && changed == 0 ? STORE_CONFLICT : rc;
        }
    }
    return rc;
}

store_rc_t store_uses_take(store_t *s, const char *token_id, const store_count_t *counts,
                           apr_size_t n, apr_size_t *spent)
{
    db_conn_t *conn = NULL;
    store_rc_t rc;
    apr_size_t i;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        for (i = 0; i < n && rc == STORE_OK; i++) {
            rc = store_uses_take_one(conn, token_id, &counts[i]);
            *spent = i;
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

store_rc_t store_uses_give(store_t *s, const store_count_t *counts, apr_size_t n)
{
    db_conn_t *conn = NULL;
    store_rc_t rc;
    apr_size_t i;

    do {
        rc = store_begin(s, DB_DURABLE, &conn);
        for (i = 0; i < n && rc == STORE_OK; i++) {
            const db_value_t give[] = {db_cstr(counts[i].id)};

            rc = store_exec(conn, QUERY_USES_GIVE, give, STORE_COUNT(give), NULL);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}
