/* manage_project.c - see manage_project.h. */
#include "httpd/private.h"
#include "httpd/manage_project.h"

#include <apr_strings.h>
#include <string.h>

#include "access/team.h"
#include "httpd/manage_confirm.h"
#include "httpd/manage_event.h"
#include "httpd/manage_list.h"
#include "httpd/manage_time.h"
#include "httpd/words.h"

#define MANAGE_PROJECT_ROWS    80 /* of the list */
#define MANAGE_PROJECT_PEOPLE  40
#define MANAGE_PROJECT_TOKENS  40
#define MANAGE_PROJECT_UPLOADS 20

/* ---- the list ---- */

typedef struct manage_project_list_t {
    const manage_t *m;
    json_t *all;
    slice_t q;
} manage_project_list_t;

static int manage_project_row(void *baton, const store_project_t *row, store_role_t role)
{
    manage_project_list_t *list = baton;

    if (manage_list_has(row->norm, list->q) || manage_list_has(row->name, list->q)) {
        json_array_append_new(list->all,
                              json_pack("{s:s, s:o, s:b, s:o}", "norm", row->norm, "project",
                                        manage_string(list->m, row->name), "owner",
                                        role == STORE_ROLE_OWNER, "created",
                                        manage_time(list->m, row->created, seam_system.now())));
    }
    return 0;
}

int manage_project_list(manage_t *m)
{
    const form_t *query = manage_list_query(m);
    manage_project_list_t list = {
        .m = m, .all = json_array(), .q = slice_trim(form_get(query, "q"))};
    store_rc_t rc =
        m->store ? mine_projects(&m->mine, manage_project_row, &list, m->r->pool) : STORE_DOWN;
    json_t *data = json_object(), *rows = json_array();
    int i, end;

    json_object_set_new(data, "projects", rows);
    json_object_set_new(
        data, "pager",
        manage_list_pager(m, query, (int)json_array_size(list.all), MANAGE_PROJECT_ROWS, &i, &end));
    for (; i < end; i++) {
        json_array_append(rows, json_array_get(list.all, (size_t)i));
    }
    json_decref(list.all);
    json_object_set_new(data, "q", manage_list_field(m, query, "q"));
    if (rc != STORE_OK) {
        json_decref(data);
        return manage_failed(m, rc);
    }
    return manage_page(m, HTTP_OK, "projects", T_("Your projects"), data);
}

/* ---- one of them ---- */

typedef struct manage_project_scan_t {
    const manage_t *m;
    json_t *rows;
    int more;
} manage_project_scan_t;

static int manage_project_person(void *baton, const char *user_name, store_role_t role)
{
    manage_project_scan_t *scan = baton;

    if (json_array_size(scan->rows) == MANAGE_PROJECT_PEOPLE) {
        scan->more++;
        return 0;
    }
    json_array_append_new(scan->rows, json_pack("{s:o, s:b, s:s, s:b}", "person",
                                                manage_string(scan->m, user_name), "owner",
                                                role == STORE_ROLE_OWNER, "link",
                                                ap_escape_urlencoded(scan->m->r->pool, user_name),
                                                "me", strcmp(user_name, scan->m->user) == 0));
    return 0;
}

/* Names alone: what else a token is good for, and where it was used, is its owner's business. */
static int manage_project_token(void *baton, const store_token_t *row)
{
    manage_project_scan_t *scan = baton;
    const manage_t *m = scan->m;
    apr_int64_t now = seam_system.now();
    int mine = strcmp(row->user_name, m->user) == 0;

    if (json_array_size(scan->rows) == MANAGE_PROJECT_TOKENS) {
        scan->more++;
        return 0;
    }
    json_array_append_new(
        scan->rows,
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "name",
                  *row->name ? manage_string(m, row->name) : manage_words(m, T_("without a name")),
                  "person", manage_string(m, row->user_name), "id",
                  mine ? json_string(row->id) : json_false(), "created",
                  manage_time(m, row->created, now), "expires", manage_time(m, row->expires, now)));
    return 0;
}

static json_t *manage_project_count(int n)
{
    return n ? json_integer(n) : json_false();
}

static store_rc_t manage_project_data(manage_t *m, json_t *data, const form_t *query)
{
    manage_project_scan_t people = {.m = m, .rows = json_array()};
    manage_project_scan_t tokens = {.m = m, .rows = json_array()};
    manage_event_scan_t uploads = manage_event_scan(m, MANAGE_PROJECT_UPLOADS);
    store_rc_t rc = team_roles(&m->mine, &m->team, manage_project_person, &people);

    if (rc == STORE_OK) {
        rc = team_tokens(&m->mine, &m->team, manage_project_token, &tokens, m->r->pool);
    }
    if (rc == STORE_OK) {
        rc = team_uploads(&m->mine, &m->team, manage_event_from(m, query),
                          MANAGE_PROJECT_UPLOADS + 1, manage_event_row, &uploads);
    }
    json_object_set_new(data, "people", people.rows);
    json_object_set_new(data, "more_people", manage_project_count(people.more));
    json_object_set_new(data, "tokens", tokens.rows);
    json_object_set_new(data, "more_tokens", manage_project_count(tokens.more));
    manage_event_data(&uploads, query, data);
    return rc;
}

static int manage_project_page(manage_t *m, int status, const char *field, const char *problem)
{
    const form_t *query = manage_list_query(m), *typed = m->form.n ? &m->form : query;
    slice_t role = form_get(typed, "role");
    json_t *data = json_object();
    store_rc_t rc = manage_project_data(m, data, query);

    if (rc != STORE_OK) {
        json_decref(data);
        return manage_failed(m, rc);
    }
    json_object_set_new(data, "norm", json_string(m->team.project.norm));
    json_object_set_new(data, "title", manage_string(m, m->team.project.name));
    json_object_set_new(data, "created",
                        manage_time(m, m->team.project.created, seam_system.now()));
    json_object_set_new(data, "rules", json_boolean(m->team.rules));
    json_object_set_new(data, "waiting", json_boolean(!m->team.project.confirmed));
    json_object_set_new(data, "typed_user", manage_list_field(m, typed, "user"));
    json_object_set_new(data, "role_maintainer", json_boolean(slice_is(role, "maintainer")));
    json_object_set_new(data, "role_none", json_boolean(slice_is(role, "none")));
    json_object_set_new(data, "problem", manage_words(m, problem));
    json_object_set_new(data, "field", json_string(field ? field : "user"));
    if (field) {
        json_object_set_new(data, apr_pstrcat(m->r->pool, "wrong_", field, NULL),
                            manage_words(m, problem));
    }
    manage_confirm_data(m, data);
    return manage_page(m, status, "project", NULL, data);
}

int manage_project_show(manage_t *m)
{
    return manage_project_page(m, HTTP_OK, NULL, NULL);
}

int manage_project_act(manage_t *m)
{
    static const char *const words[] = {"none", "maintainer", "owner"};
    slice_t user = slice_trim(form_get(&m->form, "user")), asked = form_get(&m->form, "role");
    int role = STORE_ROLE_OWNER;
    const char *wrong;
    store_rc_t rc;
    verdict_t v;

    while (role >= STORE_ROLE_NONE && !slice_is(asked, words[role])) {
        role--;
    }
    if (role < STORE_ROLE_NONE) {
        return manage_refuse_code(m, VERDICT_PAGE_FORM);
    }
    if (!user.n) {
        return manage_project_page(m, HTTP_UNPROCESSABLE_ENTITY, "user",
                                   T_("Say whose role it is: a user name."));
    }
    if (manage_confirm(m, &v, &wrong) != VERDICT_ALLOWED) {
        return manage_project_page(m, verdict_status(v.code), "password", wrong);
    }
    wrong = team_set(&m->mine, &m->team, user, (store_role_t)role, &rc, m->r->pool);
    if (wrong && rc == STORE_DOWN) {
        return manage_failed(m, rc);
    }
    return wrong ? manage_project_page(m, HTTP_UNPROCESSABLE_ENTITY, "user", wrong)
                 : manage_go(m, apr_pstrcat(m->r->pool, "projects/", m->team.project.norm, NULL));
}
