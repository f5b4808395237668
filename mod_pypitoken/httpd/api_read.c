/* api_read.c - projects and events by JSON; see api_read.h. */
#include "httpd/private.h"
#include "httpd/api_read.h"

#include <string.h>

typedef struct api_read_scan_t {
    const api_t *a;
    json_t *rows;
    int more;            /* there are more of them */
    store_cursor_t last; /* of those in rows */
} api_read_scan_t;

static json_t *api_read_text(const api_read_scan_t *scan, const char *text)
{
    return text ? manage_string(scan->a->m, text) : json_null();
}

/* ---- projects ---- */

static int api_read_project(void *baton, const store_project_t *row, store_role_t role)
{
    api_read_scan_t *scan = baton;

    json_array_append_new(scan->rows, json_pack("{s:s, s:o, s:s, s:I}", "project", row->norm,
                                                "name", api_read_text(scan, row->name), "role",
                                                role == STORE_ROLE_OWNER ? "owner" : "maintainer",
                                                "created", (json_int_t)row->created));
    return 0;
}

int api_read_projects(api_t *a)
{
    api_read_scan_t scan = {.a = a, .rows = json_array()};
    mine_t mine = api_mine(a);
    store_rc_t rc = mine_projects(&mine, api_read_project, &scan, a->r->pool);

    if (rc != STORE_OK) {
        json_decref(scan.rows);
        return api_failed(a, rc);
    }
    return api_answer(a, HTTP_OK, json_pack("{s:o}", "projects", scan.rows));
}

/* ---- events ---- */

static int api_read_event(void *baton, const store_event_t *row)
{
    api_read_scan_t *scan = baton;
    json_t *o;

    if (json_array_size(scan->rows) == API_READ_EVENTS) {
        scan->more = 1;
        return 1;
    }
    scan->last.at = row->at;
    scan->last.id = row->id;
    o = json_object();
    json_object_set_new(o, "id", json_integer(row->id));
    json_object_set_new(o, "at", json_integer(row->at));
    json_object_set_new(o, "kind", api_read_text(scan, row->kind));
    json_object_set_new(o, "token", api_read_text(scan, row->token_id));
    json_object_set_new(o, "project", api_read_text(scan, row->project));
    json_object_set_new(o, "file", api_read_text(scan, row->file));
    json_object_set_new(o, "address", api_read_text(scan, row->address));
    json_object_set_new(o, "agent", api_read_text(scan, row->agent));
    json_object_set_new(o, "verdict", api_read_text(scan, row->verdict));
    json_object_set_new(o, "detail", api_read_text(scan, row->detail));
    json_object_set_new(o, "times", json_integer(row->times));
    json_array_append_new(scan->rows, o);
    return 0;
}

int api_read_events(api_t *a)
{
    api_read_scan_t scan = {.a = a};
    slice_t text = form_get(a->query, "before");
    store_cursor_t before = {0, 0};
    mine_t mine = api_mine(a);
    store_rc_t rc;

    if (text.n && store_cursor_read(&before, text, a->r->pool)) {
        return api_refuse_code(a, VERDICT_API_QUERY, "before");
    }
    scan.rows = json_array();
    rc = mine_events(&mine, text.n ? &before : NULL, API_READ_EVENTS + 1, api_read_event, &scan);
    if (rc != STORE_OK) {
        json_decref(scan.rows);
        return api_failed(a, rc);
    }
    return api_answer(a, HTTP_OK,
                      json_pack("{s:o, s:o}", "events", scan.rows, "next",
                                scan.more ? json_string(store_cursor_text(&scan.last, a->r->pool))
                                          : json_null()));
}
