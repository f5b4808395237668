/* manage_event.c - see manage_event.h. */
#include "httpd/private.h"
#include "httpd/manage_event.h"

#include <string.h>

#include "access/admin.h"
#include "httpd/manage_list.h"
#include "httpd/manage_time.h"
#include "httpd/words.h"

/* In the words of the person it is about. A kind that is not here stands as it is. */
static const struct {
    const char *kind, *words;
} manage_event_kinds[] = {
    {"upload", T_("Upload accepted")},
    {"upload-failed", T_("Upload refused by the package index behind")},
    {"upload-refused", T_("Upload refused")},
    {"login", T_("Signed in")},
    {"login-refused", T_("Sign-in refused")},
    {"recovery-code-used", T_("Recovery code used")},
    {"token-created", T_("Token made")},
    {"token-narrowed", T_("Token narrowed")},
    {"token-rotated", T_("Token replaced")},
    {"token-revoked", T_("Token revoked")},
    {"token-leaked", T_("Leaked token revoked")},
    {"role-added", T_("Role given")},
    {"role-removed", T_("Role taken")},
    {"project-added", T_("Project added")},
    {"project-removed", T_("Project removed")},
    {"user-added", T_("Account added")},
    {"user-removed", T_("Account removed")},
    {"user-imported", T_("Accounts imported")},
    {"user-password", T_("Password changed")},
    {"user-disabled", T_("Account disabled")},
    {"user-enabled", T_("Account enabled")},
    {"user-logout", T_("Sessions ended")},
    {"totp-enrolled", T_("Second factor begun")},
    {"totp-confirmed", T_("Second factor in force")},
    {"totp-disabled", T_("Second factor removed")},
    {"recovery-codes", T_("New recovery codes")},
    {"refused", T_("Refused, of various kinds")},
};

static const char *manage_event_words(const char *kind)
{
    apr_size_t i;

    for (i = 0; i < sizeof(manage_event_kinds) / sizeof(*manage_event_kinds); i++) {
        if (strcmp(manage_event_kinds[i].kind, kind) == 0) {
            return manage_event_kinds[i].words;
        }
    }
    return kind;
}

manage_event_scan_t manage_event_scan(const manage_t *m, int each)
{
    return (manage_event_scan_t){.m = m, .rows = json_array(), .each = each};
}

int manage_event_row(void *baton, const store_event_t *row)
{
    manage_event_scan_t *scan = baton;
    const manage_t *m = scan->m;
    json_t *o;

    if (scan->n++ == scan->each) {
        return 1;
    }
    scan->last = (store_cursor_t){row->at, row->id};
    o = json_object();
    json_object_set_new(o, "at", manage_time(m, row->at, seam_system.now()));
    json_object_set_new(o, "what", manage_words(m, manage_event_words(row->kind)));
    json_object_set_new(o, "by", manage_text(m, row->user));
    json_object_set_new(o, "by_token", manage_text(m, row->token_id));
    json_object_set_new(o, "of_project", manage_text(m, row->project));
    json_object_set_new(o, "file", manage_text(m, row->file));
    json_object_set_new(o, "address", manage_text(m, row->address));
    json_object_set_new(o, "agent", manage_text(m, row->agent));
    json_object_set_new(o, "verdict",
                        row->verdict && strcmp(row->verdict, "allowed") != 0
                            ? manage_text(m, row->verdict)
                            : json_false());
    json_object_set_new(o, "detail", manage_text(m, row->detail));
    json_object_set_new(o, "times", row->times > 1 ? json_integer(row->times) : json_false());
    json_array_append_new(scan->rows, o);
    return 0;
}

const store_cursor_t *manage_event_from(const manage_t *m, const form_t *query)
{
    store_cursor_t *at = apr_palloc(m->r->pool, sizeof(*at));

    return store_cursor_read(at, form_get(query, "before"), m->r->pool) ? NULL : at;
}

void manage_event_data(const manage_event_scan_t *scan, const form_t *query, json_t *data)
{
    const char *next = store_cursor_text(&scan->last, scan->m->r->pool);

    json_object_set_new(data, "events", scan->rows);
    json_object_set_new(data, "older",
                        scan->n > scan->each
                            ? json_string(manage_list_link(scan->m, query, "before", next))
                            : json_false());
}

/* ---- pages ---- */

static int manage_event_page(manage_t *m, const manage_event_scan_t *scan, const form_t *query,
                             store_rc_t rc, const char *title)
{
    json_t *data;

    if (rc != STORE_OK) {
        json_decref(scan->rows);
        return manage_failed(m, rc);
    }
    data = json_object();
    manage_event_data(scan, query, data);
    json_object_set_new(data, "filter_user", manage_list_field(m, query, "user"));
    json_object_set_new(data, "filter_project", manage_list_field(m, query, "project"));
    return manage_page(m, HTTP_OK, "events", title, data);
}

int manage_event_mine(manage_t *m)
{
    const form_t *query = manage_list_query(m);
    manage_event_scan_t scan = manage_event_scan(m, MANAGE_EVENT_ROWS);
    store_rc_t rc = m->store ? mine_events(&m->mine, manage_event_from(m, query),
                                           MANAGE_EVENT_ROWS + 1, manage_event_row, &scan)
                             : STORE_DOWN;

    return manage_event_page(m, &scan, query, rc, T_("Your activity"));
}

/* Empty is no filter. */
static const char *manage_event_filter(const manage_t *m, const form_t *query, const char *field)
{
    slice_t value = slice_trim(form_get(query, field));

    return value.n ? slice_dup(value, m->r->pool) : NULL;
}

int manage_event_all(manage_t *m)
{
    const form_t *query = manage_list_query(m);
    manage_event_scan_t scan = manage_event_scan(m, MANAGE_EVENT_ROWS);
    store_rc_t rc = STORE_DOWN;

    if (m->store) {
        rc = admin_events(&m->mine, manage_event_filter(m, query, "user"),
                          manage_event_filter(m, query, "project"), manage_event_from(m, query),
                          MANAGE_EVENT_ROWS + 1, manage_event_row, &scan);
    }
    return manage_event_page(m, &scan, query, rc, T_("All activity"));
}
