/* manage_route.c - see manage_route.h. */
#include "httpd/private.h"
#include "httpd/manage_route.h"

#include <string.h>

#include "httpd/manage_admin.h"
#include "httpd/manage_event.h"
#include "httpd/manage_factor.h"
#include "httpd/manage_new.h"
#include "httpd/manage_project.h"
#include "httpd/manage_search.h"
#include "httpd/manage_sign.h"
#include "httpd/manage_token.h"

/* clang-format off */
static const manage_route_t manage_routes[] = {
    {"", MANAGE_PERSON, manage_sign_home, MANAGE_PERSON, NULL},
    {"tokens", MANAGE_PERSON, manage_token_list, MANAGE_PERSON, NULL},
    {"tokens/new", MANAGE_PERSON, manage_new_form, MANAGE_PERSON, manage_new_make},
    {"tokens/*", MANAGE_OWN_TOKEN, manage_token_show, MANAGE_OWN_TOKEN, manage_token_revoke},
    {"projects", MANAGE_PERSON, manage_project_list, MANAGE_PERSON, NULL},
    {"projects/*", MANAGE_MAINTAINER, manage_project_show, MANAGE_OWNER, manage_project_act},
    {"events", MANAGE_PERSON, manage_event_mine, MANAGE_PERSON, NULL},
    {"second-factor", MANAGE_PERSON, manage_factor_show, MANAGE_PERSON, manage_factor_act},
    {"second-factor/new", MANAGE_PERSON, manage_factor_new, MANAGE_PERSON, manage_factor_confirm},
    {"second-factor/qr", MANAGE_PERSON, manage_factor_qr, MANAGE_PERSON, NULL},
    {"admin/users", MANAGE_ADMIN, manage_admin_users, MANAGE_ADMIN, NULL},
    {"admin/users/*", MANAGE_ADMIN, manage_admin_user, MANAGE_ADMIN, manage_admin_user_act},
    {"admin/projects", MANAGE_ADMIN, manage_admin_projects, MANAGE_ADMIN, NULL},
    {"admin/tokens", MANAGE_ADMIN, manage_search_form, MANAGE_ADMIN, manage_search},
    {"admin/tokens/*", MANAGE_ADMIN, manage_admin_token, MANAGE_ADMIN, manage_admin_revoke},
    {"admin/events", MANAGE_ADMIN, manage_event_all, MANAGE_ADMIN, NULL},
    {"sign-in", MANAGE_OPEN, manage_sign_in_form, MANAGE_OPEN, manage_sign_in},
    {"basic", MANAGE_ASKED, manage_sign_basic, MANAGE_ASKED, NULL},
    {"sign-out", MANAGE_ASKED, NULL, MANAGE_ASKED, manage_sign_out},
    {"signed-out", MANAGE_OPEN, manage_sign_done, MANAGE_OPEN, NULL},
    {"style.css", MANAGE_OPEN, manage_style, MANAGE_OPEN, NULL},
};
/* clang-format on */

static int manage_route_fits(const char *pattern, const char *path)
{
    apr_size_t n = strlen(pattern);

    if (n == 0 || pattern[n - 1] != '*') {
        return strcmp(pattern, path) == 0;
    }
    return strncmp(pattern, path, n - 1) == 0 && path[n - 1] && !strchr(path + n - 1, '/');
}

const manage_route_t *manage_route_find(const char *path)
{
    apr_size_t i;

    for (i = 0; i < sizeof(manage_routes) / sizeof(*manage_routes); i++) {
        if (manage_route_fits(manage_routes[i].path, path)) {
            return &manage_routes[i];
        }
    }
    return NULL;
}

slice_t manage_route_last(const manage_t *m)
{
    const char *slash = strrchr(m->route, '/');

    return slice_of(slash ? slash + 1 : m->route);
}

void manage_route_where(const manage_t *m, json_t *data)
{
    static const struct {
        const char *begin, *name;
    } rows[] = {{"tokens", "at_tokens"},       {"projects", "at_projects"},
                {"events", "at_events"},       {"admin/", "at_admin"},
                {"admin/users", "at_users"},   {"admin/projects", "at_all_projects"},
                {"admin/tokens", "at_search"}, {"admin/events", "at_all_events"}};
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (strncmp(m->route, rows[i].begin, strlen(rows[i].begin)) == 0) {
            json_object_set_new(data, rows[i].name, json_true());
        }
    }
    json_object_set_new(data, "at_account",
                        json_boolean(!*m->route || strncmp(m->route, "second", 6) == 0));
    json_object_set_new(data, "admin", json_boolean(m->mine.admin));
}
