/* cmd_project.c - the projects, and who may upload to them. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <string.h>

#include "core/project.h"

static const table_column_t cmd_project_columns[] = {
    {"PROJECT", "name", TABLE_TEXT, 0},
    {NULL, "normalized", TABLE_TEXT, 0},
    {NULL, "id", TABLE_TEXT, 0},
    {"CREATED", "created", TABLE_TIME, 0},
    {"CONFIRMED", "confirmed", TABLE_FLAG, 0},
};
#define CMD_PROJECT_N (sizeof(cmd_project_columns) / sizeof(cmd_project_columns[0]))

static const table_column_t cmd_project_role_columns[] = {
    {NULL, "project", TABLE_TEXT, 0},
    {"USER", "user", TABLE_TEXT, 0},
    {"ROLE", "role", TABLE_TEXT, 0},
};
#define CMD_PROJECT_ROLE_N (sizeof(cmd_project_role_columns) / sizeof(cmd_project_role_columns[0]))

/* By store_role_t. */
static const char *const cmd_project_roles[] = {"none", "maintainer", "owner"};

static int cmd_project_done(ctl_t *ctl, const char *kind, const store_project_t *p,
                            const char *sentence, const char *detail)
{
    const table_cell_t cells[] = {TABLE_STRING(p->name), TABLE_STRING(p->norm), TABLE_STRING(p->id),
                                  TABLE_INT(p->created), TABLE_INT(p->confirmed)};

    ctl_say(ctl, cmd_project_columns, CMD_PROJECT_N, cells, "Project %s %s.", p->name, sentence);
    return ctl_record(ctl, kind, NULL, p->norm, detail);
}

int cmd_project_add(ctl_t *ctl)
{
    const char *name = ctl->argv[0];
    store_project_t project = {0};
    store_user_t owner = {0};
    int code;

    if (!project_name_valid(slice_of(name))) {
        return ctl_fail(CTL_REFUSED, "'%s' is not a valid project name.", name);
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    if (code == CTL_DONE && ctl->owner) {
        code = ctl_find_user(ctl, ctl->owner, &owner);
    }
    if (code == CTL_DONE) {
        code = ctl_answer(store_project_add(ctl->store, name,
                                            project_normalize(slice_of(name), ctl->pool), owner.id,
                                            1, &project, ctl->pool),
                          apr_psprintf(ctl->pool, "project '%s'", name));
    }
    if (code != CTL_DONE) {
        return code;
    }
    return cmd_project_done(ctl, "project-added", &project, "added",
                            owner.id ? apr_psprintf(ctl->pool, "owner %s", owner.name)
                                     : "without owner");
}

int cmd_project_remove(ctl_t *ctl)
{
    store_project_t project = {0};
    int code = ctl_open(ctl, CTL_KEYS_NONE);

    if (code == CTL_DONE) {
        code = ctl_find_project(ctl, ctl->argv[0], &project);
    }
    if (code == CTL_DONE) {
        code = ctl_answer(store_project_remove(ctl->store, project.id), "such project any more");
    }
    return code == CTL_DONE ? cmd_project_done(ctl, "project-removed", &project, "removed", NULL)
                            : code;
}

static int cmd_project_row(void *baton, const store_project_t *row)
{
    const table_cell_t cells[] = {TABLE_STRING(row->name), TABLE_STRING(row->norm),
                                  TABLE_STRING(row->id), TABLE_INT(row->created),
                                  TABLE_INT(row->confirmed)};

    table_add(baton, cells);
    return 0;
}

int cmd_project_list(ctl_t *ctl)
{
    table_t *table = table_make(cmd_project_columns, CMD_PROJECT_N, ctl->json, ctl->pool);
    store_user_t owner = {0};
    int code = ctl_open(ctl, CTL_KEYS_NONE);

    table_flow(table, stdout);
    if (code == CTL_DONE && ctl->owner) {
        code = ctl_find_user(ctl, ctl->owner, &owner);
    }
    if (code == CTL_DONE) {
        code =
            ctl_answer(store_project_list(ctl->store, owner.id, cmd_project_row, table), "project");
    }
    if (code == CTL_DONE) {
        table_print(table, stdout);
    }
    return code;
}

/* ---- roles ---- */

/* Opens the store and finds what the first two operands name. */
static int cmd_project_pair(ctl_t *ctl, store_project_t *project, store_user_t *user)
{
    int code = ctl_open(ctl, CTL_KEYS_NONE);

    if (code == CTL_DONE) {
        code = ctl_find_project(ctl, ctl->argv[0], project);
    }
    return code == CTL_DONE ? ctl_find_user(ctl, ctl->argv[1], user) : code;
}

static int cmd_project_role_done(ctl_t *ctl, const char *kind, const store_project_t *project,
                                 const store_user_t *user, store_role_t role)
{
    const char *word = cmd_project_roles[role];
    const table_cell_t cells[] = {TABLE_STRING(project->norm), TABLE_STRING(user->name),
                                  TABLE_STRING(role == STORE_ROLE_NONE ? NULL : word)};

    ctl_say(ctl, cmd_project_role_columns, CMD_PROJECT_ROLE_N, cells, "User %s is %s of %s%s.",
            user->name, role == STORE_ROLE_NONE ? "no owner or maintainer" : word, project->name,
            role == STORE_ROLE_NONE ? " any more" : "");
    return ctl_record(ctl, kind, NULL, project->norm,
                      apr_psprintf(ctl->pool, "user %s, role %s", user->name, word));
}

int cmd_project_role_add(ctl_t *ctl)
{
    store_role_t role = STORE_ROLE_OWNER;
    store_project_t project = {0};
    store_user_t user = {0};
    int code;

    while (role != STORE_ROLE_NONE && strcmp(ctl->argv[2], cmd_project_roles[role]) != 0) {
        role--;
    }
    if (role == STORE_ROLE_NONE) {
        return ctl_fail(CTL_USAGE, "The role is either owner or maintainer.");
    }
    code = cmd_project_pair(ctl, &project, &user);
    if (code == CTL_DONE) {
        code = ctl_answer(store_role_set(ctl->store, project.id, user.id, role),
                          "such project or user any more");
    }
    return code == CTL_DONE ? cmd_project_role_done(ctl, "role-added", &project, &user, role)
                            : code;
}

int cmd_project_role_remove(ctl_t *ctl)
{
    store_project_t project = {0};
    store_user_t user = {0};
    int code = cmd_project_pair(ctl, &project, &user);

    if (code == CTL_DONE) {
        code = ctl_answer(store_role_remove(ctl->store, project.id, user.id),
                          apr_psprintf(ctl->pool, "role of '%s' on '%s'", user.name, project.name));
    }
    return code == CTL_DONE
               ? cmd_project_role_done(ctl, "role-removed", &project, &user, STORE_ROLE_NONE)
               : code;
}

typedef struct cmd_project_listing_t {
    table_t *table;
    const char *project;
} cmd_project_listing_t;

static int cmd_project_role_row(void *baton, const char *user_name, store_role_t role)
{
    cmd_project_listing_t *listing = baton;
    const table_cell_t cells[] = {TABLE_STRING(listing->project), TABLE_STRING(user_name),
                                  TABLE_STRING(cmd_project_roles[role])};

    table_add(listing->table, cells);
    return 0;
}

int cmd_project_role_list(ctl_t *ctl)
{
    cmd_project_listing_t listing;
    store_project_t project = {0};
    int code = ctl_open(ctl, CTL_KEYS_NONE);

    if (code == CTL_DONE) {
        code = ctl_find_project(ctl, ctl->argv[0], &project);
    }
    if (code != CTL_DONE) {
        return code;
    }
    listing.table = table_make(cmd_project_role_columns, CMD_PROJECT_ROLE_N, ctl->json, ctl->pool);
    listing.project = project.norm;
    code =
        ctl_answer(store_role_list(ctl->store, project.id, cmd_project_role_row, &listing), "role");
    if (code == CTL_DONE) {
        table_print(listing.table, stdout);
    }
    return code;
}
