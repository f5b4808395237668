/* manage_admin.c - accounts, projects and single tokens for administrators; see manage_admin.h. */
#include "httpd/private.h"
#include "httpd/manage_admin.h"

#include <apr_strings.h>
#include <string.h>

#include "access/admin.h"
#include "httpd/manage_confirm.h"
#include "httpd/manage_list.h"
#include "httpd/manage_route.h"
#include "httpd/manage_time.h"
#include "httpd/manage_token.h"
#include "httpd/words.h"

#define MANAGE_ADMIN_ROWS 80

/* ---- lists ---- */

typedef struct manage_admin_list_t {
    const manage_t *m;
    json_t *all;
    slice_t q;
} manage_admin_list_t;

static json_t *manage_admin_account(const manage_t *m, const store_user_t *row)
{
    return json_pack(
        "{s:o, s:s, s:b, s:b, s:b, s:i, s:o, s:b}", "person", manage_string(m, row->name), "link",
        ap_escape_urlencoded(m->r->pool, row->name), "disabled", row->disabled, "password",
        row->has_password, "factor", row->second_factor, "codes", row->recovery_codes, "created",
        manage_time(m, row->created, seam_system.now()), "me", strcmp(row->name, m->user) == 0);
}

static int manage_admin_user_row(void *baton, const store_user_t *row)
{
    manage_admin_list_t *list = baton;

    if (manage_list_has(row->name, list->q)) {
        json_array_append_new(list->all, manage_admin_account(list->m, row));
    }
    return 0;
}

static int manage_admin_project_row(void *baton, const store_project_t *row)
{
    manage_admin_list_t *list = baton;

    if (manage_list_has(row->norm, list->q) || manage_list_has(row->name, list->q)) {
        json_array_append_new(list->all,
                              json_pack("{s:s, s:o, s:o, s:b}", "norm", row->norm, "project",
                                        manage_string(list->m, row->name), "created",
                                        manage_time(list->m, row->created, seam_system.now()),
                                        "waiting", !row->confirmed));
    }
    return 0;
}

static int manage_admin_list_page(manage_t *m, const form_t *query, const manage_admin_list_t *list,
                                  store_rc_t rc, const char *template, const char *title)
{
    json_t *data = json_object(), *rows = json_array();
    int i, end;

    json_object_set_new(data, "rows", rows);
    json_object_set_new(
        data, "pager",
        manage_list_pager(m, query, (int)json_array_size(list->all), MANAGE_ADMIN_ROWS, &i, &end));
    for (; i < end; i++) {
        json_array_append(rows, json_array_get(list->all, (size_t)i));
    }
    json_decref(list->all);
    json_object_set_new(data, "q", manage_list_field(m, query, "q"));
    if (rc != STORE_OK) {
        json_decref(data);
        return manage_failed(m, rc);
    }
    return manage_page(m, HTTP_OK, template, title, data);
}

int manage_admin_users(manage_t *m)
{
    const form_t *query = manage_list_query(m);
    manage_admin_list_t list = {m, json_array(), slice_trim(form_get(query, "q"))};
    store_rc_t rc = m->store ? admin_users(&m->mine, manage_admin_user_row, &list) : STORE_DOWN;

    return manage_admin_list_page(m, query, &list, rc, "admin-users", T_("Accounts"));
}

int manage_admin_projects(manage_t *m)
{
    const form_t *query = manage_list_query(m);
    manage_admin_list_t list = {m, json_array(), slice_trim(form_get(query, "q"))};
    store_rc_t rc =
        m->store ? admin_projects(&m->mine, manage_admin_project_row, &list) : STORE_DOWN;

    return manage_admin_list_page(m, query, &list, rc, "admin-projects", T_("All projects"));
}

/* ---- an account ---- */

static int manage_admin_user_page(manage_t *m, int status, const store_user_t *user,
                                  const char *problem)
{
    json_t *data = manage_admin_account(m, user);

    json_object_set_new(data, "problem", manage_words(m, problem));
    manage_confirm_data(m, data);
    return manage_page(m, status, "admin-user", T_("Account"), data);
}

/* 1, or 0 and *answer is the handler's return value. */
static int manage_admin_find(manage_t *m, store_user_t *user, int *answer)
{
    store_rc_t rc;

    memset(user, 0, sizeof(*user));
    rc = m->store ? admin_user(&m->mine, manage_route_last(m), user, m->r->pool) : STORE_DOWN;
    *answer = rc == STORE_OK ? OK : manage_failed(m, rc);
    return rc == STORE_OK;
}

int manage_admin_user(manage_t *m)
{
    store_user_t user;
    int answer;

    return manage_admin_find(m, &user, &answer) ? manage_admin_user_page(m, HTTP_OK, &user, NULL)
                                                : answer;
}

static store_rc_t manage_admin_user_do(manage_t *m, slice_t act, const store_user_t *user)
{
    if (slice_is(act, "disable") || slice_is(act, "enable")) {
        return admin_disable(&m->mine, user, slice_is(act, "disable"));
    }
    return slice_is(act, "factor") ? admin_reset_factor(&m->mine, user)
                                   : admin_logout(&m->mine, user);
}

int manage_admin_user_act(manage_t *m)
{
    slice_t act = form_get(&m->form, "act");
    const char *problem;
    store_user_t user;
    store_rc_t rc;
    verdict_t v;
    int answer;

    if (!manage_admin_find(m, &user, &answer)) {
        return answer;
    }
    if (!slice_is(act, "disable") && !slice_is(act, "enable") && !slice_is(act, "factor") &&
        !slice_is(act, "logout")) {
        return manage_refuse_code(m, VERDICT_PAGE_FORM);
    }
    if (manage_confirm(m, &v, &problem) != VERDICT_ALLOWED) {
        return manage_admin_user_page(m, verdict_status(v.code), &user, problem);
    }
    rc = manage_admin_user_do(m, act, &user);
    if (rc == STORE_CONFLICT) {
        return manage_admin_user_page(m, HTTP_UNPROCESSABLE_ENTITY, &user,
                                      T_("That is your own account: another administrator can do "
                                         "it."));
    }
    return rc == STORE_OK || rc == STORE_NOTFOUND /* done before */
               ? manage_go(m, apr_pstrcat(m->r->pool, "admin/users/",
                                          ap_escape_urlencoded(m->r->pool, user.name), NULL))
               : manage_failed(m, rc);
}

/* ---- a token ---- */

static int manage_admin_token_page(manage_t *m, int status, const store_token_t *row,
                                   const char *problem)
{
    json_t *data = manage_token_data(m, row, 1);

    json_object_set_new(data, "others", json_true());
    json_object_set_new(data, "link",
                        json_string(ap_escape_urlencoded(m->r->pool, row->user_name)));
    json_object_set_new(data, "problem", manage_words(m, problem));
    manage_confirm_data(m, data);
    return manage_page(m, status, "token", T_("Token"), data);
}

int manage_admin_token(manage_t *m)
{
    store_token_t row;
    store_rc_t rc =
        m->store ? admin_token(&m->mine, manage_route_last(m), &row, m->r->pool) : STORE_DOWN;

    return rc == STORE_OK ? manage_admin_token_page(m, HTTP_OK, &row, NULL) : manage_failed(m, rc);
}

int manage_admin_revoke(manage_t *m)
{
    slice_t id = manage_route_last(m);
    const char *problem;
    store_token_t row;
    verdict_t v;
    store_rc_t rc = m->store ? admin_token(&m->mine, id, &row, m->r->pool) : STORE_DOWN;

    if (rc != STORE_OK) {
        return manage_failed(m, rc);
    }
    if (manage_confirm(m, &v, &problem) != VERDICT_ALLOWED) {
        return manage_admin_token_page(m, verdict_status(v.code), &row, problem);
    }
    rc = admin_revoke(&m->mine, id, &row, m->r->pool);
    return rc == STORE_OK || rc == STORE_CONFLICT
               ? manage_go(m, apr_pstrcat(m->r->pool, "admin/tokens/", row.id, NULL))
               : manage_failed(m, rc);
}
