/* manage_token.c - the pages of a person's tokens; see manage_token.h. */
#include "httpd/private.h"
#include "httpd/manage_token.h"

#include <apr_strings.h>
#include <string.h>

#include "core/caveat.h"
#include "httpd/manage_session.h"
#include "httpd/manage_time.h"

mine_t manage_token_mine(const manage_t *m)
{
    const char *agent = apr_table_get(m->r->headers_in, "User-Agent");
    mine_t mine = {m->store, &seam_system, m->user, m->r->useragent_ip,
                   agent ? slice_printable(slice_of(agent), 200, m->r->pool) : NULL};

    return mine;
}

int manage_token_failed(manage_t *m, store_rc_t rc)
{
    return manage_refuse_code(m, rc == STORE_NOTFOUND ? VERDICT_PAGE_UNKNOWN : VERDICT_STORE_DOWN);
}

/* ---- one token as data ---- */

static const char *manage_token_state(const store_token_t *row, apr_int64_t now)
{
    const char *state = mine_state(row, now);

    return strcmp(state, "live") == 0 ? "" : state;
}

static json_t *manage_token_restrictions(const manage_t *m, const store_token_t *row)
{
    json_t *list = json_array();
    apr_size_t i;

    for (i = 0; i < row->n_caveats; i++) {
        json_array_append_new(list, manage_string(m, caveat_describe(row->caveats[i], m->r->pool)));
    }
    return list;
}

static json_t *manage_token_text(const manage_t *m, const char *text)
{
    return text && *text ? manage_string(m, text) : json_false();
}

static json_t *manage_token_data(const manage_t *m, const store_token_t *row, apr_int64_t now)
{
    int all = strcmp(row->scope, STORE_SCOPE_ALL) == 0;
    const char *state = manage_token_state(row, now);
    json_t *o = json_object();

    json_object_set_new(o, "id", json_string(row->id));
    json_object_set_new(o, "name", manage_string(m, *row->name ? row->name : "without a name"));
    json_object_set_new(o, "all", json_boolean(all));
    json_object_set_new(o, "scope", all ? json_false() : manage_string(m, row->scope));
    json_object_set_new(o, "restrictions", manage_token_restrictions(m, row));
    json_object_set_new(o, "created", manage_time(m, row->created, now));
    json_object_set_new(o, "expires", manage_time(m, row->expires, now));
    json_object_set_new(o, "revoked", manage_time(m, row->revoked, now));
    json_object_set_new(o, "revoked_by", manage_token_text(m, row->revoked_by));
    json_object_set_new(o, "used", manage_time(m, row->used, now));
    json_object_set_new(o, "used_address", manage_token_text(m, row->used_address));
    json_object_set_new(o, "used_agent", manage_token_text(m, row->used_agent));
    json_object_set_new(o, "used_file", manage_token_text(m, row->used_file));
    json_object_set_new(o, "state", *state ? json_string(state) : json_false());
    json_object_set_new(o, "live", json_boolean(!*state));
    return o;
}

/* ---- the list ---- */

typedef struct manage_token_scan_t {
    const manage_t *m;
    json_t *rows;
    slice_t q;
    int all, live, hidden;
    apr_int64_t now;
} manage_token_scan_t;

static int manage_token_has(const char *text, slice_t part)
{
    return text && memmem(text, strlen(text), part.p, part.n);
}

static int manage_token_row(void *baton, const store_token_t *row)
{
    manage_token_scan_t *scan = baton;
    int live = !*manage_token_state(row, scan->now);

    scan->live += live;
    if ((!live && !scan->all) ||
        (scan->q.n && !manage_token_has(row->name, scan->q) &&
         !manage_token_has(row->scope, scan->q) && !manage_token_has(row->id, scan->q))) {
        scan->hidden++;
        return 0;
    }
    json_array_append_new(scan->rows, manage_token_data(scan->m, row, scan->now));
    return 0;
}

/* The query string as a form; what is none is as if it were not there. */
static void manage_token_query(const manage_t *m, form_t *query)
{
    const char *args = m->r->args ? m->r->args : "";

    if (form_parse(query, apr_pstrdup(m->r->pool, args), strlen(args))) {
        query->n = 0;
    }
}

int manage_token_list(manage_t *m)
{
    form_t *query = apr_palloc(m->r->pool, sizeof(*query));
    manage_token_scan_t scan = {.m = m, .rows = json_array(), .now = seam_system.now()};
    store_rc_t rc = STORE_DOWN;
    json_t *data;

    manage_token_query(m, query);
    scan.q = slice_trim(form_get(query, "q"));
    scan.all = slice_is(form_get(query, "state"), "all");
    if (m->store) {
        rc = store_token_list(m->store, m->user, NULL, manage_token_row, &scan);
    }
    if (rc != STORE_OK) {
        json_decref(scan.rows);
        return manage_token_failed(m, rc);
    }
    data = json_object();
    json_object_set_new(data, "none", json_boolean(json_array_size(scan.rows) == 0));
    json_object_set_new(data, "tokens", scan.rows);
    json_object_set_new(data, "live", json_integer(scan.live));
    json_object_set_new(data, "hidden", scan.hidden ? json_integer(scan.hidden) : json_false());
    json_object_set_new(data, "everything", json_boolean(scan.all));
    json_object_set_new(data, "q", manage_string(m, slice_dup(scan.q, m->r->pool)));
    return manage_page(m, HTTP_OK, "tokens", "Your tokens", data);
}

/* ---- one of them ---- */

static int manage_token_old(const manage_t *m)
{
    return m->by == MANAGE_BY_SESSION && seam_system.now() - m->session.issued > MANAGE_TOKEN_FRESH;
}

static slice_t manage_token_id(const manage_t *m)
{
    const char *slash = strrchr(m->route, '/');

    return slice_of(slash ? slash + 1 : m->route);
}

static int manage_token_page(manage_t *m, int status, const store_token_t *row, const char *problem)
{
    json_t *data = manage_token_data(m, row, seam_system.now());

    json_object_set_new(data, "again", json_boolean(manage_token_old(m)));
    json_object_set_new(data, "coded", json_boolean(m->factors > 1));
    json_object_set_new(data, "problem", manage_token_text(m, problem));
    return manage_page(m, status, "token", "Token", data);
}

int manage_token_show(manage_t *m)
{
    mine_t mine = manage_token_mine(m);
    store_token_t row;
    store_rc_t rc = m->store ? mine_token(&mine, manage_token_id(m), &row, m->r->pool) : STORE_DOWN;

    return rc == STORE_OK ? manage_token_page(m, HTTP_OK, &row, NULL) : manage_token_failed(m, rc);
}

/* The password again, for who signed in a while ago. */
static verdict_code_t manage_token_confirm(manage_t *m, verdict_t *v)
{
    login_typed_t typed = {.user = slice_of(m->user),
                           .password = form_get(&m->form, "password"),
                           .code = form_get(&m->form, "code"),
                           .code_field = 1,
                           .door = "confirm"};
    login_t login;

    return manage_token_old(m) ? manage_session_login(m, &login, &typed, v) : VERDICT_ALLOWED;
}

int manage_token_revoke(manage_t *m)
{
    mine_t mine = manage_token_mine(m);
    slice_t id = manage_token_id(m);
    store_token_t row;
    verdict_t v;
    store_rc_t rc = m->store ? mine_token(&mine, id, &row, m->r->pool) : STORE_DOWN;

    if (rc != STORE_OK) {
        return manage_token_failed(m, rc);
    }
    if (manage_token_confirm(m, &v) != VERDICT_ALLOWED) {
        manage_note(m, &v);
        return manage_token_page(m, verdict_status(v.code), &row,
                                 v.code == VERDICT_LOGIN_FAILED
                                     ? "That was not your password, or not a fresh code."
                                     : verdict_sentence(&v, m->r->pool));
    }
    rc = mine_revoke(&mine, id, &row, m->r->pool);
    return rc == STORE_OK || rc == STORE_CONFLICT ? manage_go(m, "tokens")
                                                  : manage_token_failed(m, rc);
}
