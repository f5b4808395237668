/* cmd_token.c - tokens: made, listed, shown, revoked. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "access/mine.h"
#include "core/project.h"
#include "core/duration.h"
#include "ctl/secret.h"

static const table_column_t cmd_token_columns[] = {
    {"ID", "id", TABLE_TEXT, 0},           {"USER", "user", TABLE_TEXT, 0},
    {"NAME", "name", TABLE_TEXT, 0},       {"SCOPE", "scope", TABLE_TEXT, 0},
    {"STATE", "state", TABLE_TEXT, 0},     {"CREATED", "created", TABLE_TIME, 0},
    {"EXPIRES", "expires", TABLE_TIME, 0}, {"USED", "used", TABLE_TIME, 0},
    {NULL, "revoked", TABLE_TIME, 0},      {NULL, "revoked_by", TABLE_TEXT, 0},
    {NULL, "used_address", TABLE_TEXT, 0}, {NULL, "used_agent", TABLE_TEXT, 0},
    {NULL, "used_file", TABLE_TEXT, 0},    {NULL, "restrictions", TABLE_TEXT, 0},
};

static const table_column_t cmd_token_show_columns[] = {
    {"Id", "id", TABLE_TEXT, 0},
    {"User", "user", TABLE_TEXT, 0},
    {"Name", "name", TABLE_TEXT, 0},
    {"Scope", "scope", TABLE_TEXT, 0},
    {"State", "state", TABLE_TEXT, 0},
    {"Created", "created", TABLE_TIME, 0},
    {"Expires", "expires", TABLE_TIME, 0},
    {"Last used", "used", TABLE_TIME, 0},
    {"Revoked", "revoked", TABLE_TIME, 0},
    {"Revoked by", "revoked_by", TABLE_TEXT, 0},
    {"Last address", "used_address", TABLE_TEXT, 0},
    {"Last client", "used_agent", TABLE_TEXT, 0},
    {"Last file", "used_file", TABLE_TEXT, 0},
    {"Restrictions", "restrictions", TABLE_TEXT, 0},
};
#define CMD_TOKEN_N (sizeof(cmd_token_columns) / sizeof(cmd_token_columns[0]))

/* ---- create ---- */

/* The object of a new token. The token itself is put in by hand: jansson and stdio would leave
 * copies of it that nobody wipes; it holds no byte that JSON escapes. */
static int cmd_token_put_json(const char *text, json_t *object)
{
    char *rest = json_dumps(object, JSON_COMPACT);
    int rc = -1;

    if (rest) {
        rc = secret_put("{\"token\":\"", 10) || secret_put(text, strlen(text)) ||
             secret_put("\",", 2) || secret_put(rest + 1, strlen(rest + 1)) || secret_put("\n", 1);
    }
    free(rest);
    return rc;
}

static int cmd_token_put(ctl_t *ctl, const char *text, const table_column_t *columns, apr_size_t n,
                         const table_cell_t *cells)
{
    json_t *object;
    int rc;

    if (!ctl->json) {
        return secret_put(text, strlen(text)) || secret_put("\n", 1);
    }
    object = table_json(table_make(columns, n, 1, ctl->pool), cells, ctl->pool);
    rc = cmd_token_put_json(text, object);
    json_decref(object);
    return rc;
}

/* A token that nobody got to see must not stay alive. */
static int cmd_token_lost(ctl_t *ctl, const char *id)
{
    int code;

    if (store_token_revoke(ctl->store, slice_of(id), ctl_actor(ctl)) != STORE_OK) {
        return ctl_fail(CTL_DOWN,
                        "Token %s could not be written to standard output, and could "
                        "not be revoked either: revoke it.",
                        id);
    }
    code = ctl_record(ctl, "token-revoked", id, NULL, "could not be written when it was made");
    return ctl_fail(code == CTL_DONE ? CTL_REFUSED : code,
                    "Token %s could not be written to standard output and was revoked.", id);
}

int cmd_token_tell(ctl_t *ctl, const char *text, const char *id, const table_column_t *columns,
                   apr_size_t n, const table_cell_t *cells)
{
    return cmd_token_put(ctl, text, columns, n, cells) ? cmd_token_lost(ctl, id) : CTL_DONE;
}

static int cmd_token_request(ctl_t *ctl, issue_request_t *request)
{
    apr_array_header_t *caveats = apr_array_make(ctl->pool, 8, sizeof(slice_t));
    narrow_t narrow = {0};

    if (!ctl->user) {
        return ctl_fail(CTL_USAGE, "Whose token is it to be? Use --user USER.");
    }
    if (cmd_narrow_expires(ctl, &request->expires) != CTL_DONE) {
        return CTL_USAGE;
    }
    request->user = ctl->user;
    request->name = ctl->name ? ctl->name : "";
    request->projects = (const char *const *)ctl->projects->elts;
    request->n_projects = (apr_size_t)ctl->projects->nelts;
    request->caveats = caveats;
    return cmd_narrow_options(ctl, caveats, &narrow, 0);
}

/* The exit code of a sentence of issue_token. */
static int cmd_token_refused(store_rc_t rc, const char *wrong)
{
    return ctl_fail(rc == STORE_DOWN ? CTL_DOWN : CTL_REFUSED, "%s", wrong);
}

static const char *cmd_token_detail(ctl_t *ctl, const issue_request_t *request)
{
    const char *words = caveat_describe_all((const slice_t *)request->caveats->elts,
                                            (apr_size_t)request->caveats->nelts, ctl->pool);

    return apr_pstrcat(ctl->pool, "user ", request->user, request->n_projects ? ", projects " : "",
                       apr_array_pstrcat(ctl->pool, ctl->projects, ' '),
                       *request->name ? ", name " : "", request->name, words ? ", " : "",
                       words ? words : "", NULL);
}

int cmd_token_site(ctl_t *ctl, const policy_t **policy)
{
    policy_t *read = NULL;
    ctl_caller_t caller;
    const char *wrong;

    ctl_caller_begin(&caller); /* the file is the caller's, and may be nobody else's to read */
    wrong = ctl->policy ? policy_read(&read, ctl->policy, ctl->pool) : NULL;
    ctl_caller_end(&caller);
    *policy = read;
    if (wrong) {
        return ctl_fail(CTL_USAGE, "%s", wrong);
    }
    if (!ctl->service) {
        return ctl_fail(CTL_USAGE, "No service is named: use --service NAME, PYPITOKEN_SERVICE or "
                                   "'service =' in " CTL_CONFIG ".");
    }
    return CTL_DONE;
}

int cmd_token_create(ctl_t *ctl)
{
    static const table_column_t columns[] = {
        {NULL, "id", TABLE_TEXT, 0},
        {NULL, "user", TABLE_TEXT, 0},
        {NULL, "name", TABLE_TEXT, 0},
        {NULL, "expires", TABLE_TIME, 0},
    };
    issue_request_t request = {0};
    issue_t made;
    const char *wrong;
    store_rc_t rc;
    char *text;
    int code = cmd_token_request(ctl, &request), told;

    if (code == CTL_DONE) {
        code = ctl_open(ctl, CTL_KEYS_NEEDED);
    }
    if (code == CTL_DONE) {
        code = cmd_token_site(ctl, &request.policy);
    }
    if (code != CTL_DONE) {
        return code;
    }
    request.service = ctl->service;
    wrong = issue_token(&text, &made, ctl->store, ctl->seam, &request, &rc, ctl->pool);
    if (wrong) {
        return cmd_token_refused(rc, wrong);
    }
    code = ctl_record(ctl, "token-created", made.id,
                      request.n_projects == 1
                          ? project_normalize(slice_of(request.projects[0]), ctl->pool)
                          : NULL,
                      cmd_token_detail(ctl, &request));
    {
        const table_cell_t cells[] = {TABLE_STRING(made.id), TABLE_STRING(request.user),
                                      TABLE_STRING(request.name), TABLE_INT(made.expires)};

        told = cmd_token_tell(ctl, text, made.id, columns, 4, cells);
    }
    if (told != CTL_DONE) {
        return told;
    }
    ctl_remark(ctl, "Token %s of user %s, expires %s. It is not shown again.", made.id,
               request.user, made.expires ? duration_iso(made.expires, ctl->pool) : "never");
    return code;
}

/* ---- list, show, revoke ---- */

static void cmd_token_cells(table_cell_t cells[CMD_TOKEN_N], const store_token_t *row,
                            apr_int64_t now, apr_pool_t *pool)
{
    const table_cell_t filled[CMD_TOKEN_N] = {
        TABLE_STRING(row->id),
        TABLE_STRING(row->user_name),
        TABLE_STRING(row->name),
        TABLE_STRING(row->scope),
        TABLE_STRING(mine_state(row, now)),
        TABLE_INT(row->created),
        TABLE_INT(row->expires),
        TABLE_INT(row->used),
        TABLE_INT(row->revoked),
        TABLE_STRING(row->revoked_by),
        TABLE_STRING(row->used_address),
        TABLE_STRING(row->used_agent),
        TABLE_STRING(row->used_file),
        TABLE_STRING(caveat_describe_all(row->caveats, row->n_caveats, pool)),
    };

    memcpy(cells, filled, sizeof(filled));
}

typedef struct cmd_token_listing_t {
    table_t *table;
    apr_int64_t now;
    apr_pool_t *pool; /* of one row */
} cmd_token_listing_t;

static int cmd_token_row(void *baton, const store_token_t *row)
{
    cmd_token_listing_t *listing = baton;
    table_cell_t cells[CMD_TOKEN_N];

    apr_pool_clear(listing->pool);
    cmd_token_cells(cells, row, listing->now, listing->pool);
    table_add(listing->table, cells);
    return 0;
}

int cmd_token_list(ctl_t *ctl)
{
    cmd_token_listing_t listing;
    const char *project = NULL;
    store_user_t user = {0};
    int code;

    if (ctl_project_filter(ctl, &project)) {
        return CTL_USAGE;
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    if (code == CTL_DONE && ctl->user) {
        code = ctl_find_user(ctl, ctl->user, &user);
    }
    if (code != CTL_DONE) {
        return code;
    }
    listing.table = table_make(cmd_token_columns, CMD_TOKEN_N, ctl->json, ctl->pool);
    listing.now = ctl->seam->now();
    table_flow(listing.table, stdout);
    apr_pool_create(&listing.pool, ctl->pool);
    code = ctl_answer(store_token_list(ctl->store, user.name, project, cmd_token_row, &listing),
                      "token");
    if (code == CTL_DONE) {
        table_print(listing.table, stdout);
    }
    return code;
}

int cmd_token_find(ctl_t *ctl, store_token_t *row, ctl_keys_t keys)
{
    slice_t id = slice_of(ctl->argv[0]);
    int code;

    if (token_looks_like(id)) {
        return ctl_fail(CTL_USAGE,
                        "This is the token, not its id, and now it stands in the list of processes "
                        "and in the shell's history: revoke it. 'token inspect' reads a token from "
                        "standard input and tells its id.");
    }
    code = ctl_open(ctl, keys);
    if (code != CTL_DONE) {
        return code;
    }
    return ctl_answer(token_is_uuid(id) ? store_token_find(ctl->store, id, row, NULL, ctl->pool)
                                        : STORE_NOTFOUND,
                      apr_psprintf(ctl->pool, "token '%s'", ctl->argv[0]));
}

int cmd_token_show(ctl_t *ctl)
{
    table_cell_t cells[CMD_TOKEN_N];
    store_token_t row = {0};
    int code = cmd_token_find(ctl, &row, CTL_KEYS_NONE);

    if (code == CTL_DONE) {
        cmd_token_cells(cells, &row, ctl->seam->now(), ctl->pool);
        table_record(table_make(cmd_token_show_columns, CMD_TOKEN_N, ctl->json, ctl->pool), cells,
                     stdout);
    }
    return code;
}

int cmd_token_revoke(ctl_t *ctl)
{
    static const table_column_t columns[] = {
        {"Token", "id", TABLE_TEXT, 0},
        {"State", "state", TABLE_TEXT, 0},
    };
    store_token_t row = {0};
    store_rc_t rc;
    int code;

    if (!ctl->argc == !ctl->from_file) {
        return ctl_fail(CTL_USAGE, "Revoke what? The id of a token, or --from-file FILE.");
    }
    if (ctl->from_file) {
        return cmd_leak_run(ctl);
    }
    code = cmd_token_find(ctl, &row, CTL_KEYS_NONE);
    if (code != CTL_DONE) {
        return code;
    }
    rc = store_token_revoke(ctl->store, slice_of(row.id), ctl_actor(ctl));
    if (rc == STORE_NOTFOUND) {
        return ctl_fail(CTL_REFUSED, "Token %s was revoked before.", row.id);
    }
    code = ctl_answer(rc, "token");
    if (code == CTL_DONE) {
        const table_cell_t cells[] = {TABLE_STRING(row.id), TABLE_STRING("revoked")};

        ctl_say(ctl, columns, 2, cells, "Token %s of user %s revoked.", row.id, row.user_name);
        code = ctl_record(ctl, "token-revoked", row.id, NULL,
                          apr_psprintf(ctl->pool, "user %s", row.user_name));
    }
    return code;
}
