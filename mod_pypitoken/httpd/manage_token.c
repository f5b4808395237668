/* manage_token.c - the pages of a person's tokens; see manage_token.h. */
#include "httpd/private.h"
#include "httpd/manage_token.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "core/caveat.h"
#include "httpd/manage_confirm.h"
#include "httpd/manage_list.h"
#include "httpd/manage_time.h"
#include "httpd/words.h"

/* Rows of one page, so that it stays below 50 kB. */
#define MANAGE_TOKEN_ROWS 40
/* Bytes of what may be long, in such a row. */
#define MANAGE_TOKEN_CELL 90

/* ---- one token as data ---- */

static const char *manage_token_state(const store_token_t *row, apr_int64_t now)
{
    const char *state = mine_state(row, now);

    return strcmp(state, "revoked") == 0    ? T_("revoked")
           : strcmp(state, "expired") == 0  ? T_("expired")
           : strcmp(state, "disabled") == 0 ? T_("disabled")
                                            : "";
}

/* Text that is cut ends so; where an UTF-8 character would be cut it goes whole. */
static json_t *manage_token_cut(const manage_t *m, const char *text, int whole)
{
    apr_size_t n = MANAGE_TOKEN_CELL;

    if (!text || whole || strlen(text) <= n + 3) {
        return manage_text(m, text);
    }
    while (n && ((unsigned char)text[n] & 0xc0) == 0x80) {
        n--;
    }
    return manage_string(m,
                         apr_pstrcat(m->r->pool, apr_pstrndup(m->r->pool, text, n), "...", NULL));
}

static json_t *manage_token_restrictions(const manage_t *m, const store_token_t *row, int whole)
{
    json_t *list = json_array();
    apr_size_t i;

    for (i = 0; i < row->n_caveats; i++) {
        const char *text =
            words_say(m->language, caveat_describe(row->caveats[i], m->r->pool), m->r->pool);

        json_array_append_new(list, manage_token_cut(m, text, whole));
    }
    return list;
}

json_t *manage_token_data(const manage_t *m, const store_token_t *row, int whole)
{
    int all = strcmp(row->scope, STORE_SCOPE_ALL) == 0;
    apr_int64_t now = seam_system.now();
    const char *state = manage_token_state(row, now);
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(row->id));
    json_object_set_new(o, "name",
                        *row->name ? manage_string(m, row->name)
                                   : manage_words(m, T_("without a name")));
    json_object_set_new(o, "owner", manage_string(m, row->user_name));
    json_object_set_new(o, "all", json_boolean(all));
    json_object_set_new(o, "scope", all ? json_false() : manage_token_cut(m, row->scope, whole));
    json_object_set_new(o, "restrictions", manage_token_restrictions(m, row, whole));
    json_object_set_new(o, "created", manage_time(m, row->created, now));
    json_object_set_new(o, "expires", manage_time(m, row->expires, now));
    json_object_set_new(o, "revoked", manage_time(m, row->revoked, now));
    json_object_set_new(o, "revoked_by", manage_text(m, row->revoked_by));
    json_object_set_new(o, "used", manage_time(m, row->used, now));
    json_object_set_new(o, "used_address", manage_text(m, row->used_address));
    json_object_set_new(o, "used_agent", manage_token_cut(m, row->used_agent, whole));
    json_object_set_new(o, "used_file", manage_token_cut(m, row->used_file, whole));
    json_object_set_new(o, "state", *state ? manage_words(m, state) : json_false());
    json_object_set_new(o, "live", json_boolean(!*state));
    return o;
}

/* ---- the list ---- */

typedef struct manage_token_scan_t {
    const manage_t *m;
    apr_array_header_t *rows; /* of store_token_t, in the request's pool */
    slice_t q;
    int all, live, hidden;
    apr_int64_t now;
} manage_token_scan_t;

static const char *manage_token_keep(const char *text, apr_pool_t *pool)
{
    return text ? apr_pstrdup(pool, text) : NULL;
}

/* A row outlives its callback in a copy: the list is sorted first. */
static void manage_token_copy(store_token_t *to, const store_token_t *row, apr_pool_t *pool)
{
    apr_size_t i;

    *to = *row;
    to->id = apr_pstrdup(pool, row->id);
    to->user_id = apr_pstrdup(pool, row->user_id);
    to->user_name = apr_pstrdup(pool, row->user_name);
    to->name = apr_pstrdup(pool, row->name);
    to->scope = apr_pstrdup(pool, row->scope);
    to->revoked_by = manage_token_keep(row->revoked_by, pool);
    to->used_address = manage_token_keep(row->used_address, pool);
    to->used_agent = manage_token_keep(row->used_agent, pool);
    to->used_file = manage_token_keep(row->used_file, pool);
    to->caveats = apr_palloc(pool, (row->n_caveats + 1) * sizeof(slice_t));
    for (i = 0; i < row->n_caveats; i++) {
        to->caveats[i] = slice_make(slice_dup(row->caveats[i], pool), row->caveats[i].n);
    }
}

static int manage_token_row(void *baton, const store_token_t *row)
{
    manage_token_scan_t *scan = baton;
    int live = !*manage_token_state(row, scan->now);

    scan->live += live;
    if ((!live && !scan->all) ||
        (!manage_list_has(row->name, scan->q) && !manage_list_has(row->scope, scan->q) &&
         !manage_list_has(row->id, scan->q) && !manage_list_has(row->used_file, scan->q))) {
        scan->hidden++;
        return 0;
    }
    manage_token_copy(apr_array_push(scan->rows), row, scan->m->r->pool);
    return 0;
}

static int manage_token_by_name(const void *a, const void *b)
{
    return strcasecmp(((const store_token_t *)a)->name, ((const store_token_t *)b)->name);
}

/* The last used first, those never used last. */
static int manage_token_by_use(const void *a, const void *b)
{
    apr_int64_t x = ((const store_token_t *)a)->used, y = ((const store_token_t *)b)->used;

    return x < y ? 1 : x > y ? -1 : 0;
}

/* What ends first first, what has no end last. */
static int manage_token_by_end(const void *a, const void *b)
{
    apr_int64_t x = ((const store_token_t *)a)->expires, y = ((const store_token_t *)b)->expires;

    return x == y ? 0 : !x ? 1 : !y ? -1 : x < y ? -1 : 1;
}

static const struct {
    const char *value, *words;
    int (*compare)(const void *a, const void *b);
} manage_token_orders[] = {
    {"made", T_("the newest first"), NULL}, /* as the store has them */
    {"name", T_("by name"), manage_token_by_name},
    {"used", T_("the last used first"), manage_token_by_use},
    {"end", T_("what ends soon first"), manage_token_by_end},
};
#define MANAGE_TOKEN_ORDERS (sizeof(manage_token_orders) / sizeof(manage_token_orders[0]))

/* Sorts; the data for the choice of orders. */
static json_t *manage_token_sort(const manage_t *m, slice_t asked, apr_array_header_t *rows)
{
    json_t *list = json_array();
    apr_size_t i;

    for (i = 0; i < MANAGE_TOKEN_ORDERS; i++) {
        int chosen = slice_is(asked, manage_token_orders[i].value);

        if (chosen && manage_token_orders[i].compare) {
            qsort(rows->elts, (size_t)rows->nelts, (size_t)rows->elt_size,
                  manage_token_orders[i].compare);
        }
        json_array_append_new(
            list, json_pack("{s:s, s:o, s:b}", "value", manage_token_orders[i].value, "words",
                            manage_words(m, manage_token_orders[i].words), "chosen", chosen));
    }
    return list;
}

int manage_token_list(manage_t *m)
{
    const form_t *query = manage_list_query(m);
    manage_token_scan_t scan = {.m = m,
                                .rows = apr_array_make(m->r->pool, 64, sizeof(store_token_t)),
                                .q = slice_trim(form_get(query, "q")),
                                .all = slice_is(form_get(query, "state"), "all"),
                                .now = seam_system.now()};
    store_rc_t rc =
        m->store ? store_token_list(m->store, m->user, NULL, manage_token_row, &scan) : STORE_DOWN;
    json_t *data, *list;
    int i, end;

    if (rc != STORE_OK) {
        return manage_failed(m, rc);
    }
    data = json_object();
    list = json_array();
    json_object_set_new(data, "orders", manage_token_sort(m, form_get(query, "sort"), scan.rows));
    json_object_set_new(data, "pager",
                        manage_list_pager(m, query, scan.rows->nelts, MANAGE_TOKEN_ROWS, &i, &end));
    for (; i < end; i++) {
        json_array_append_new(list,
                              manage_token_data(m, &APR_ARRAY_IDX(scan.rows, i, store_token_t), 0));
    }
    json_object_set_new(data, "none", json_boolean(scan.rows->nelts == 0));
    json_object_set_new(data, "tokens", list);
    json_object_set_new(data, "live", json_integer(scan.live));
    json_object_set_new(data, "hidden", scan.hidden ? json_integer(scan.hidden) : json_false());
    json_object_set_new(data, "everything", json_boolean(scan.all));
    json_object_set_new(data, "q", manage_list_field(m, query, "q"));
    return manage_page(m, HTTP_OK, "tokens", T_("Your tokens"), data);
}

/* ---- one of them ---- */

static int manage_token_page(manage_t *m, int status, const char *problem)
{
    json_t *data = manage_token_data(m, &m->token, 1);

    manage_confirm_data(m, data);
    json_object_set_new(data, "problem", manage_words(m, problem));
    return manage_page(m, status, "token", T_("Token"), data);
}

int manage_token_show(manage_t *m)
{
    return manage_token_page(m, HTTP_OK, NULL);
}

int manage_token_revoke(manage_t *m)
{
    const char *problem;
    store_token_t row;
    store_rc_t rc;
    verdict_t v;

    if (manage_confirm(m, &v, &problem) != VERDICT_ALLOWED) {
        return manage_token_page(m, verdict_status(v.code), problem);
    }
    rc = mine_revoke(&m->mine, slice_of(m->token.id), &row, m->r->pool);
    return rc == STORE_OK || rc == STORE_CONFLICT ? manage_go(m, "tokens") : manage_failed(m, rc);
}
