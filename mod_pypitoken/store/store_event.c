/* store_event.c - the audit trail and a token's last use; see store.h. */
#include "store/store_priv.h"

#include "core/utf8.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define STORE_EVENT_COLUMNS 11 /* of QUERY_EVENT_ADD */
#define STORE_EVENT_ROWS    8  /* of the largest statement */

typedef struct store_event_scan_t {
    apr_pool_t *pool;
    store_event_fn *fn;
    void *baton;
} store_event_scan_t;

/* ---- writing ---- */

/* The events of one statement: its values, and where texts go that have to be made anew. */
typedef struct store_event_rows_t {
    db_value_t values[STORE_EVENT_COLUMNS * STORE_EVENT_ROWS];
    apr_size_t n;
    apr_pool_t *pool; /* NULL: none was */
} store_event_rows_t;

/* What clients send is cut to a bound, and made UTF-8 where it is not. */
static db_value_t store_event_text(const char *text, apr_pool_t **pool)
{
    db_value_t v = store_cut(text);

    if (v.type == DB_NULL || utf8_valid(v.s)) {
        return v;
    }
    if (!*pool) {
        apr_pool_create(pool, NULL);
    }
    return db_cstr(slice_printable(v.s, STORE_TEXT_MAX, *pool));
}

static void store_event_row(store_event_rows_t *rows, const store_event_t *event)
{
    const char *const texts[] = {event->kind ? event->kind : "",
                                 event->user,
                                 event->token_id,
                                 event->project,
                                 event->file,
                                 event->address,
                                 event->agent,
                                 event->verdict,
                                 event->detail};
    apr_size_t i;

    rows->values[rows->n++] = db_int(event->at);
    for (i = 0; i < STORE_COUNT(texts); i++) {
        rows->values[rows->n++] = store_event_text(texts[i], &rows->pool);
    }
    rows->values[rows->n++] = db_int(event->times > 1 ? event->times : 1);
}

/* By one statement for n rows. */
static store_rc_t store_event_insert_some(db_conn_t *conn, query_id_t query,
                                          const store_event_t *const *events, apr_size_t n)
{
    store_event_rows_t rows;
    store_rc_t rc;
    apr_size_t i;

    rows.n = 0;
    rows.pool = NULL;
    for (i = 0; i < n; i++) {
        store_event_row(&rows, events[i]);
    }
    rc = store_exec(conn, query, rows.values, rows.n, NULL);
    if (rows.pool) {
        apr_pool_destroy(rows.pool);
    }
    return rc;
}

store_rc_t store_event_insert_all(db_conn_t *conn, const store_event_t *const *events, apr_size_t n)
{
    static const struct {
        query_id_t query;
        apr_size_t n;
    } sizes[] = {{QUERY_EVENT_ADD_8, 8},
                 {QUERY_EVENT_ADD_4, 4},
                 {QUERY_EVENT_ADD_2, 2},
                 {QUERY_EVENT_ADD, 1}};
    store_rc_t rc = STORE_OK;
    apr_size_t i = 0;

    while (n && rc == STORE_OK) {
        if (sizes[i].n > n) {
            i++;
            continue;
        }
        rc = store_event_insert_some(conn, sizes[i].query, events, sizes[i].n);
        events += sizes[i].n;
        n -= sizes[i].n;
    }
    return rc;
}

store_rc_t store_event_insert(db_conn_t *conn, const store_event_t *event)
{
    return store_event_insert_all(conn, &event, 1);
}

/* Within a transaction. Two uploads may end in another order than they began: the later stays. */
static store_rc_t store_event_used(db_conn_t *conn, const store_event_t *use)
{
    apr_pool_t *pool = NULL;
    const db_value_t used[] = {db_int(use->at),
                               store_event_text(use->address, &pool),
                               store_event_text(use->agent, &pool),
                               store_event_text(use->file, &pool),
                               db_text(slice_of(use->token_id)),
                               db_int(use->at)};
    store_rc_t rc = store_exec(conn, QUERY_TOKEN_USED, used, STORE_COUNT(used), NULL);

    if (pool) {
        apr_pool_destroy(pool);
    }
    return rc;
}

store_event_t store_event_timed(const store_t *s, const store_event_t *event)
{
    store_event_t timed = *event;

    if (!timed.at) {
        timed.at = store_now(s);
    }
    return timed;
}

/* To who wants to know, once it is written. kind: another one than the event's, or NULL. */
static void store_event_tell(const store_t *s, const store_event_t *event, const char *kind,
                             store_rc_t rc)
{
    store_event_t told = *event;

    if (s->told && rc == STORE_OK) {
        told.kind = kind ? kind : event->kind;
        s->told(s->baton, &told);
    }
}

store_rc_t store_event_add(store_t *s, const store_event_t *event)
{
    store_event_t timed = store_event_timed(s, event);
    db_conn_t *conn = NULL;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_SOON, &conn);
        if (rc == STORE_OK) {
            rc = store_event_insert(conn, &timed);
        }
    } while (store_end(s, &conn, &rc));
    store_event_tell(s, &timed, NULL, rc);
    return rc;
}

store_rc_t store_note(store_t *s, const store_event_t *event)
{
    store_event_t timed = store_event_timed(s, event);
    trail_class_t class = trail_class(event->verdict);
    store_rc_t rc;

    if (class == TRAIL_NONE || (s->trail && !trail_event(s->trail, &timed))) {
        return STORE_OK;
    }
    rc = store_event_add(s, &timed);
    if (rc != STORE_OK && s->trail && class != TRAIL_FACT) {
        trail_event_keep(s->trail, &timed);
        rc = STORE_OK;
    }
    return rc;
}

/* ---- last use ---- */

/* 1 when the row says the same but for time, agent and file. */
static int store_event_known(const store_event_t *use, const store_token_t *token)
{
    const char *a = use->address ? use->address : "";

    return token && token->used && token->used_address && strcmp(token->used_address, a) == 0;
}

static int store_event_by_token(const void *a, const void *b)
{
    return strcmp((*(const store_event_t *const *)a)->token_id,
                  (*(const store_event_t *const *)b)->token_id);
}

/* Rows in the same order for everybody: those who wait for each other never do so in a circle. */
store_rc_t store_event_uses(store_t *s, const store_use_t *uses, apr_size_t n)
{
    const store_event_t *events[STORE_GROUP_MAX], *rows[STORE_GROUP_MAX];
    db_conn_t *conn = NULL;
    apr_size_t i, n_rows = 0;
    store_rc_t rc;

    for (i = 0; i < n; i++) {
        events[i] = uses[i].event;
        if (uses[i].row) {
            rows[n_rows++] = uses[i].event;
        }
    }
    if (n_rows > 1) {
        qsort(rows, n_rows, sizeof(rows[0]), store_event_by_token);
    }
    do {
        rc = store_begin(s, DB_SOON, &conn);
        for (i = 0; i < n_rows && rc == STORE_OK; i++) {
            rc = store_event_used(conn, rows[i]);
        }
        if (rc == STORE_OK) {
            rc = store_event_insert_all(conn, events, n);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

store_rc_t store_use(store_t *s, const store_event_t *event, const store_token_t *token)
{
    store_event_t timed = store_event_timed(s, event);
    int known = store_event_known(&timed, token);
    int later = s->trail && known && trail_use(s->trail, &timed) == 0;
    store_use_t use = {&timed, timed.token_id && !later};
    store_rc_t rc = store_group_write(s, &use);

    if (token && !known) {
        store_event_tell(s, &timed, STORE_NEW_ADDRESS, rc);
    }
    return rc;
}

/* ---- what was gathered ---- */

static store_rc_t store_event_batch(store_t *s, const trail_batch_t *batch)
{
    db_conn_t *conn = NULL;
    apr_size_t i;
    store_rc_t rc;

    do {
        rc = store_begin(s, DB_SOON, &conn);
        for (i = 0; i < batch->n_uses && rc == STORE_OK; i++) {
            rc = store_event_used(conn, batch->uses[i]);
        }
        if (rc == STORE_OK) {
            rc = store_event_insert_all(conn, batch->events, batch->n_events);
        }
    } while (store_end(s, &conn, &rc));
    return rc;
}

store_rc_t store_flush(store_t *s)
{
    trail_batch_t *batch = s->trail ? trail_take(s->trail) : NULL;
    store_rc_t rc = batch ? store_event_batch(s, batch) : STORE_OK;

    trail_give(s->trail, batch, rc == STORE_OK);
    return rc;
}

/* ---- reading ---- */

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

store_rc_t store_event_recent(store_t *s, const char *user, const char *project, int uploads,
                              const store_cursor_t *before, apr_int64_t limit, store_event_fn *fn,
                              void *baton)
{
    const store_cursor_t end = before ? *before : (store_cursor_t){APR_INT64_MAX, APR_INT64_MAX};
    const db_value_t of_user[] = {db_cstr(user),  db_cstr(project), db_cstr(project),
                                  db_int(end.at), db_int(end.at),   db_int(end.id),
                                  db_int(limit)};
    const db_value_t of_project[] = {db_cstr(project), of_user[3], of_user[4], of_user[5],
                                     of_user[6]};
    store_event_scan_t scan = {NULL, fn, baton};
    store_rc_t rc;

    apr_pool_create(&scan.pool, NULL);
    if (user) {
        rc = store_read(s, QUERY_EVENT_RECENT_USER, of_user, STORE_COUNT(of_user), store_event_each,
                        &scan);
    } else if (project) {
        rc = store_read(s, uploads ? QUERY_EVENT_UPLOADS : QUERY_EVENT_RECENT_PROJECT, of_project,
                        STORE_COUNT(of_project), store_event_each, &scan);
    } else {
        rc = store_read(s, QUERY_EVENT_RECENT, &of_user[3], 4, store_event_each, &scan);
    }
    apr_pool_destroy(scan.pool);
    return rc;
}

/* ---- pruning ---- */

static int store_event_at(void *baton, const db_value_t *row)
{
    *(apr_int64_t *)baton = row[0].i;
    return 1;
}

store_rc_t store_event_prune(store_t *s, apr_int64_t before, apr_int64_t n, apr_int64_t *removed)
{
    const db_value_t nth[] = {db_int(before), db_int(n > 0 ? n - 1 : 0)};
    apr_int64_t at = before - 1;
    db_conn_t *conn = NULL;
    store_rc_t rc = store_read(s, QUERY_EVENT_NTH, nth, STORE_COUNT(nth), store_event_at, &at);

    *removed = 0;
    if (rc != STORE_OK) {
        return rc;
    }
    do {
        const db_value_t until[] = {db_int(at + 1)};

        rc = store_begin(s, DB_SOON, &conn);
        if (rc == STORE_OK) {
            rc = store_exec(conn, QUERY_EVENT_PRUNE, until, STORE_COUNT(until), removed);
        }
    } while (store_end(s, &conn, &rc));
    *removed = rc == STORE_OK ? *removed : 0;
    return rc;
}

/* ---- where a list goes on ---- */

const char *store_cursor_text(const store_cursor_t *cursor, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "-%" APR_INT64_T_FMT, cursor->at, cursor->id);
}

int store_cursor_read(store_cursor_t *out, slice_t text, apr_pool_t *pool)
{
    const char *p = slice_dup(text, pool);
    char *end;

    if (!text.n || strspn(p, "0123456789-") != text.n || *p == '-') {
        return -1;
    }
    out->at = apr_strtoi64(p, &end, 10);
    if (*end != '-' || end[1] < '0') {
        return -1;
    }
    out->id = apr_strtoi64(end + 1, &end, 10);
    return *end ? -1 : 0;
}
