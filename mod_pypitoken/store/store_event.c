/* store_event.c - the audit trail and a token's last use; see store.h. */
#include "store/store_priv.h"

typedef struct store_event_scan_t {
    apr_pool_t *pool;
    store_event_fn *fn;
    void *baton;
} store_event_scan_t;

/* Within a transaction. What clients send is cut to a bound: an event is never lost for being too
 * long. */
static store_rc_t store_event_insert(db_conn_t *conn, const store_event_t *event, apr_int64_t at)
{
    const db_value_t row[] = {
        db_int(at),
        store_cut(event->kind ? event->kind : ""),
        store_cut(event->user),
        store_cut(event->token_id),
        store_cut(event->project),
        store_cut(event->file),
        store_cut(event->address),
        store_cut(event->agent),
        store_cut(event->verdict),
        store_cut(event->detail),
        db_int(event->times > 1 ? event->times : 1),
    };

    return store_exec(conn, QUERY_EVENT_ADD, row, STORE_COUNT(row), NULL);
}

static apr_int64_t store_event_time(const store_t *s, const store_event_t *event)
{
    return event->at ? event->at : store_now(s);
}

store_rc_t store_event_add(store_t *s, const store_event_t *event)
{
    apr_int64_t at = store_event_time(s, event);
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_SOON, &conn);
        if (rc == STORE_OK) {
            rc = store_event_insert(conn, event, at);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

static int store_event_each(void *baton, const db_value_t *row)
{
    store_event_scan_t *scan = baton;
    store_event_t event;

    apr_pool_clear(scan->pool);
    event.id = row[0].i;
    event.at = row[1].i;
    event.kind = store_copy(&row[2], scan->pool);
    event.user = store_copy(&row[3], scan->pool);
    event.token_id = store_copy(&row[4], scan->pool);
    event.project = store_copy(&row[5], scan->pool);
    event.file = store_copy(&row[6], scan->pool);
    event.address = store_copy(&row[7], scan->pool);
    event.agent = store_copy(&row[8], scan->pool);
    event.verdict = store_copy(&row[9], scan->pool);
    event.detail = store_copy(&row[10], scan->pool);
    event.times = row[11].i;
    return scan->fn(scan->baton, &event);
}

store_rc_t store_event_list(store_t *s, const char *user, const char *project, apr_int64_t since,
                            apr_int64_t after, store_event_fn *fn, void *baton)
{
    const db_value_t params[] = {db_int(after), db_int(since),    db_int(since),   db_cstr(user),
                                 db_cstr(user), db_cstr(project), db_cstr(project)};
    store_event_scan_t scan = {NULL, fn, baton};
    store_rc_t rc;

    apr_pool_create(&scan.pool, NULL);
    rc = store_read(s, QUERY_EVENT_LIST, params, STORE_COUNT(params), store_event_each, &scan);
    apr_pool_destroy(scan.pool);
    return rc;
}

/* ---- use ---- */

/* Two uploads may end in another order than they began: the later time stays. */
store_rc_t store_use(store_t *s, const store_event_t *event)
{
    apr_int64_t at = store_event_time(s, event);
    const db_value_t used[] = {db_int(at),
                               store_cut(event->address),
                               store_cut(event->agent),
                               store_cut(event->file),
                               db_text(slice_of(event->token_id)),
                               db_int(at)};
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_SOON, &conn);
        if (rc == STORE_OK && event->token_id) {
            rc = store_exec(conn, QUERY_TOKEN_USED, used, STORE_COUNT(used), NULL);
        }
        if (rc == STORE_OK) {
            rc = store_event_insert(conn, event, at);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}
