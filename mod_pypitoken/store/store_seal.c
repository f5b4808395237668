/*
 * store_seal.c - every sealed column, under the key that seals now; see store.h.
 *
 * A row is opened and sealed anew outside any transaction, then put in the place of the very bytes
 * that were read: what somebody else has written meanwhile stays. Each page is a transaction of its
 * own, so that nobody waits long and one that was cut off goes on with the rows that are left.
 */
#include "store/people_priv.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <string.h>

#define STORE_SEAL_PAGE 64

/* More different keys than a keyring can hold are damage, and counted as one. */
#define STORE_SEAL_KEYS 100

/* A column: the statement that pages through it by id, the one that replaces a value, and the
 * function that opens a row and seals it anew. */
typedef struct store_seal_column_t {
    const char *table;
    query_id_t page, replace;
    store_rc_t (*again)(store_t *s, slice_t id, slice_t *old, slice_t *fresh, apr_pool_t *pool);
} store_seal_column_t;

static const store_seal_column_t store_seal_columns[] = {
    {"tokens", QUERY_TOKEN_SEALS, QUERY_TOKEN_RESEAL, store_token_again},
    {"totp", QUERY_TOTP_SEALS, QUERY_TOTP_RESEAL, people_totp_again},
};

/* ---- paging ---- */

typedef struct store_seal_row_t {
    const char *id;
    slice_t sealed;
} store_seal_row_t;

typedef struct store_seal_page_t {
    apr_pool_t *pool;
    store_seal_row_t rows[STORE_SEAL_PAGE];
    apr_size_t n;
} store_seal_page_t;

static int store_seal_row(void *baton, const db_value_t *row)
{
    store_seal_page_t *page = baton;
    store_seal_row_t *r = &page->rows[page->n++];

    r->id = store_copy(&row[0], page->pool);
    r->sealed = slice_make(slice_dup(row[1].s, page->pool), row[1].s.n);
    return page->n == STORE_SEAL_PAGE;
}

typedef store_rc_t store_seal_page_fn(void *baton, const store_seal_column_t *column,
                                      const store_seal_page_t *page);

/* Page for page, a pool for each. */
static store_rc_t store_seal_walk(store_t *s, const store_seal_column_t *column,
                                  store_seal_page_fn *fn, void *baton)
{
    char after[STORE_TEXT_MAX + 1] = "";
    store_seal_page_t page;
    store_rc_t rc;

    apr_pool_create(&page.pool, NULL);
    do {
        const db_value_t params[] = {db_cstr(after), db_int(STORE_SEAL_PAGE)};

        page.n = 0;
        rc = store_read(s, column->page, params, STORE_COUNT(params), store_seal_row, &page);
        if (rc == STORE_OK && page.n) {
            apr_cpystrn(after, page.rows[page.n - 1].id, sizeof(after));
            rc = fn(baton, column, &page);
        }
        apr_pool_clear(page.pool);
    } while (rc == STORE_OK && page.n == STORE_SEAL_PAGE);
    apr_pool_destroy(page.pool);
    return rc;
}

/* ---- counting ---- */

typedef struct store_seal_count_t {
    char id[STORE_TEXT_MAX + 1];
    apr_int64_t rows;
} store_seal_count_t;

static store_rc_t store_seal_tally(void *baton, const store_seal_column_t *column,
                                   const store_seal_page_t *page)
{
    apr_array_header_t *counts = baton;
    apr_size_t i;
    int k;

    (void)column;
    for (i = 0; i < page->n; i++) {
        slice_t by = keyring_sealed_by(page->rows[i].sealed);
        store_seal_count_t *all = (store_seal_count_t *)(void *)counts->elts;

        by = by.n && by.n <= STORE_TEXT_MAX ? by : slice_of("?");
        for (k = 0; k < counts->nelts && !slice_is(by, all[k].id); k++) {
        }
        if (k == counts->nelts && k < STORE_SEAL_KEYS) {
            all = apr_array_push(counts);
            memset(all, 0, sizeof(*all));
            memcpy(all->id, by.p, by.n);
            all->rows = 1;
        } else {
            all[k < counts->nelts ? k : k - 1].rows++;
        }
    }
    return STORE_OK;
}

store_rc_t store_seal_count(store_t *s, store_seal_fn *fn, void *baton)
{
    store_rc_t rc = STORE_OK;
    apr_pool_t *pool;
    apr_size_t i;
    int k;

    for (i = 0; i < STORE_COUNT(store_seal_columns) && rc == STORE_OK; i++) {
        apr_array_header_t *counts;

        apr_pool_create(&pool, NULL);
        counts = apr_array_make(pool, 4, sizeof(store_seal_count_t));
        rc = store_seal_walk(s, &store_seal_columns[i], store_seal_tally, counts);
        for (k = 0; k < counts->nelts && rc == STORE_OK; k++) {
            const store_seal_count_t *count = &APR_ARRAY_IDX(counts, k, store_seal_count_t);

            fn(baton, store_seal_columns[i].table, count->id, count->rows);
        }
        apr_pool_destroy(pool);
    }
    return rc;
}

/* ---- sealing anew ---- */

typedef struct store_seal_work_t {
    store_t *s;
    apr_interval_time_t pause;
    store_reseal_t *out;
} store_seal_work_t;

typedef struct store_seal_change_t {
    slice_t id, old, fresh;
} store_seal_change_t;

static store_rc_t store_seal_replace(store_t *s, query_id_t query,
                                     const store_seal_change_t *changes, apr_size_t n,
                                     apr_int64_t *done)
{
    db_conn_t *conn = NULL;
    apr_int64_t changed, sum;
    apr_size_t i;
    store_rc_t rc;

    do {
        sum = 0;
        rc = store_begin(s, DB_DURABLE, &conn); /* before anybody throws the old key away */
        for (i = 0; i < n && rc == STORE_OK; i++) {
            const db_value_t row[] = {db_blob(changes[i].fresh), db_text(changes[i].id),
                                      db_blob(changes[i].old)};

            rc = store_exec(conn, query, row, STORE_COUNT(row), &changed);
            sum += changed;
        }
    } while (store_end(s, &conn, &rc));
    *done += rc == STORE_OK ? sum : 0;
    return rc;
}

static store_rc_t store_seal_page(void *baton, const store_seal_column_t *column,
                                  const store_seal_page_t *page)
{
    store_seal_change_t changes[STORE_SEAL_PAGE];
    store_seal_work_t *work = baton;
    store_rc_t rc = STORE_OK;
    apr_size_t i, n = 0;

    for (i = 0; i < page->n && rc == STORE_OK; i++) {
        store_seal_change_t *c = &changes[n];

        if (keyring_is_current(work->s->keys, page->rows[i].sealed)) {
            continue;
        }
        c->id = slice_of(page->rows[i].id);
        rc = column->again(work->s, c->id, &c->old, &c->fresh, page->pool);
        n += rc == STORE_OK;
        work->out->unopened += rc == STORE_SEALED;
        rc = rc == STORE_DOWN ? rc : STORE_OK; /* one that is gone needs no seal */
    }
    if (rc == STORE_OK && n) {
        rc = store_seal_replace(work->s, column->replace, changes, n, &work->out->resealed);
        apr_sleep(work->pause);
    }
    return rc;
}

store_rc_t store_reseal(store_t *s, apr_interval_time_t pause, store_reseal_t *out)
{
    store_seal_work_t work = {s, pause, out};
    store_rc_t rc = s->keys ? STORE_OK : STORE_SEALED;
    apr_size_t i;

    memset(out, 0, sizeof(*out));
    for (i = 0; i < STORE_COUNT(store_seal_columns) && rc == STORE_OK; i++) {
        rc = store_seal_walk(s, &store_seal_columns[i], store_seal_page, &work);
    }
    return rc;
}
