/* cmd_import.c - many users out of an htpasswd file, many projects out of a list. */
#include "ctl/cmd.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/password_old.h"
#include "core/person.h"
#include "core/project.h"
#include "ctl/progress.h"

#define CMD_IMPORT_LINE 4096

static const table_column_t cmd_import_user_columns[] = {{"LINE", "line", TABLE_NUMBER, 5},
                                                         {"USER", "name", TABLE_TEXT, 24},
                                                         {"HASH", "hash", TABLE_TEXT, 6},
                                                         {"RESULT", "result", TABLE_TEXT, 0}};

static const table_column_t cmd_import_project_columns[] = {
    {"LINE", "line", TABLE_NUMBER, 5},
    {"PROJECT", "name", TABLE_TEXT, 24},
    {"OWNERS", "owners", TABLE_TEXT, 16},
    {"MAINTAINERS", "maintainers", TABLE_TEXT, 16},
    {"RESULT", "result", TABLE_TEXT, 0}};

typedef struct cmd_import_t cmd_import_t;

/* One line that is no comment. CTL_DONE, or what ends it all. */
typedef int cmd_import_take_fn(cmd_import_t *in, slice_t line);

struct cmd_import_t {
    ctl_t *ctl;
    cmd_import_take_fn *take;
    progress_t *progress;
    apr_int64_t line, bytes;
    int added, refused;
    apr_pool_t *pool; /* of this line */
};

/* The parts between colons; what is not there is empty. */
static slice_t cmd_import_part(slice_t *rest)
{
    const char *colon = rest->n ? memchr(rest->p, ':', rest->n) : NULL;
    slice_t part = slice_make(rest->p, colon ? (apr_size_t)(colon - rest->p) : rest->n);

    *rest = colon ? slice_make(colon + 1, rest->n - part.n - 1) : slice_make(NULL, 0);
    return part;
}

/* ---- users ---- */

static int cmd_import_user_row(cmd_import_t *in, const char *name, const char *hash,
                               const char *result)
{
    const table_cell_t cells[] = {TABLE_INT(in->line), TABLE_STRING(name), TABLE_STRING(hash),
                                  TABLE_STRING(result)};

    progress_row(in->progress, cells);
    return CTL_DONE;
}

static int cmd_import_user_refuse(cmd_import_t *in, const char *name, const char *why)
{
    in->refused++;
    return cmd_import_user_row(in, name, NULL, why);
}

static int cmd_import_user_add(cmd_import_t *in, const char *name, const char *hash,
                               const char *kind)
{
    store_rc_t rc = store_user_add(in->ctl->store, name, hash, NULL, in->pool);

    if (rc == STORE_CONFLICT) {
        return cmd_import_user_row(in, name, kind, "left alone: there is such a user already");
    }
    if (rc != STORE_OK) {
        return ctl_answer(rc, "user");
    }
    in->added++;
    (void)cmd_import_user_row(in, name, kind, "added");
    return ctl_record(in->ctl, "user-imported", NULL, NULL,
                      apr_psprintf(in->pool, "user %s, %s", name, kind));
}

/* As mod_authn_file reads it: name, hash, and what comes behind another colon is nobody's business.
 */
static int cmd_import_user(cmd_import_t *in, slice_t line)
{
    const char *name;
    password_old_t kind;
    slice_t user, hash;

    if (!memchr(line.p, ':', line.n)) {
        return cmd_import_user_refuse(in, NULL, "refused: no colon");
    }
    user = cmd_import_part(&line);
    hash = cmd_import_part(&line);
    name = slice_dup(user, in->pool);
    if (!person_name_valid(user)) {
        return cmd_import_user_refuse(in, name, "refused: not a name that users can have here");
    }
    kind = password_old_kind(hash);
    if (kind == PASSWORD_OLD_NONE) {
        return cmd_import_user_refuse(
            in, name,
            "refused: not bcrypt, apr1, SHA-1, SHA-256 or SHA-512, or too "
            "costly; set a new password with 'user add'");
    }
    return cmd_import_user_add(in, name, slice_dup(hash, in->pool), password_old_word(kind));
}

/* ---- projects ---- */

/* What a line asks for. */
typedef struct cmd_import_project_t {
    const char *name, *owners, *maintainers; /* names with commas between; NULL: none */
    apr_array_header_t *users;               /* of store_user_t, owners first */
    int n_owners;
} cmd_import_project_t;

static int cmd_import_project_row(cmd_import_t *in, const cmd_import_project_t *p,
                                  const char *result)
{
    const table_cell_t cells[] = {TABLE_INT(in->line), TABLE_STRING(p->name),
                                  TABLE_STRING(p->owners), TABLE_STRING(p->maintainers),
                                  TABLE_STRING(result)};

    progress_row(in->progress, cells);
    return CTL_DONE;
}

static int cmd_import_project_refuse(cmd_import_t *in, const cmd_import_project_t *p,
                                     const char *why)
{
    in->refused++;
    return cmd_import_project_row(in, p, why);
}

/* Finds the users of a list. NULL, or why not; *down: an exit code, after a complaint. */
static const char *cmd_import_project_users(cmd_import_t *in, cmd_import_project_t *p,
                                            const char *names, int *down)
{
    char *rest, *name = names ? apr_strtok(apr_pstrdup(in->pool, names), ", \t", &rest) : NULL;

    for (; name; name = apr_strtok(NULL, ", \t", &rest)) {
        store_user_t user = {0};
        store_rc_t rc = store_user_find(in->ctl->store, slice_of(name), &user, in->pool);

        if (rc == STORE_NOTFOUND) {
            return apr_psprintf(in->pool, "refused: there is no user '%s'", name);
        }
        if (rc != STORE_OK) {
            *down = ctl_answer(rc, "user");
            return NULL;
        }
        APR_ARRAY_PUSH(p->users, store_user_t) = user;
    }
    return NULL;
}

static int cmd_import_project_add(cmd_import_t *in, const cmd_import_project_t *p)
{
    const char *norm = project_normalize(slice_of(p->name), in->pool);
    const char *owner = p->n_owners ? APR_ARRAY_IDX(p->users, 0, store_user_t).id : NULL;
    store_project_t project = {0};
    store_rc_t rc = store_project_add(in->ctl->store, p->name, norm, owner, 1, &project, in->pool);
    int i;

    if (rc == STORE_CONFLICT) {
        return cmd_import_project_row(in, p, "left alone: there is such a project already");
    }
    /* from behind: who is named twice has the role that is named first */
    for (i = p->users->nelts - 1; i >= 0 && rc == STORE_OK; i--) {
        rc = store_role_set(in->ctl->store, project.id, APR_ARRAY_IDX(p->users, i, store_user_t).id,
                            i < p->n_owners ? STORE_ROLE_OWNER : STORE_ROLE_MAINTAINER);
    }
    if (rc != STORE_OK) {
        return ctl_answer(rc, "project");
    }
    in->added++;
    (void)cmd_import_project_row(in, p, "added");
    return ctl_record(in->ctl, "project-added", NULL, norm,
                      apr_pstrcat(in->pool, "imported, owners ", p->owners ? p->owners : "none",
                                  ", maintainers ", p->maintainers ? p->maintainers : "none",
                                  NULL));
}

static const char *cmd_import_names(slice_t part, apr_pool_t *pool)
{
    slice_t names = slice_trim(part);

    return names.n ? slice_dup(names, pool) : NULL;
}

/* NAME, NAME:OWNERS or NAME:OWNERS:MAINTAINERS. */
static int cmd_import_project(cmd_import_t *in, slice_t line)
{
    cmd_import_project_t p = {0};
    const char *why;
    slice_t name = slice_trim(cmd_import_part(&line));
    int down = CTL_DONE;

    p.users = apr_array_make(in->pool, 4, sizeof(store_user_t));
    p.name = slice_dup(name, in->pool);
    p.owners = cmd_import_names(cmd_import_part(&line), in->pool);
    p.maintainers = cmd_import_names(cmd_import_part(&line), in->pool);
    if (line.n) {
        return cmd_import_project_refuse(in, &p, "refused: more than NAME:OWNERS:MAINTAINERS");
    }
    if (!project_name_valid(name)) {
        return cmd_import_project_refuse(in, &p, "refused: not a valid project name");
    }
    why = cmd_import_project_users(in, &p, p.owners, &down);
    p.n_owners = p.users->nelts;
    if (!why && down == CTL_DONE) {
        why = cmd_import_project_users(in, &p, p.maintainers, &down);
    }
    if (down != CTL_DONE) {
        return down;
    }
    return why ? cmd_import_project_refuse(in, &p, why) : cmd_import_project_add(in, &p);
}

/* ---- files ---- */

static int cmd_import_line(cmd_import_t *in, slice_t line)
{
    line = slice_trim(line);
    if (!line.n || line.p[0] == '#') {
        return CTL_DONE;
    }
    apr_pool_clear(in->pool);
    return in->take(in, line);
}

/* A line that is not looked at. */
static void cmd_import_strange(cmd_import_t *in, const char *why)
{
    static const cmd_import_project_t nothing = {0};

    (void)(in->take == cmd_import_user ? cmd_import_user_refuse(in, NULL, why)
                                       : cmd_import_project_refuse(in, &nothing, why));
}

/* How many bytes the last apr_file_gets has written to line, which was full of 1 before: it does
 * not say, and a line may hold NULs. */
static apr_size_t cmd_import_got(const char line[CMD_IMPORT_LINE])
{
    apr_size_t n = CMD_IMPORT_LINE;

    while (n && line[n - 1] != '\0') {
        n--;
    }
    return n ? n - 1 : 0;
}

/* *rv: why there is no more. */
static int cmd_import_lines(cmd_import_t *in, apr_file_t *f, apr_status_t *rv)
{
    char line[CMD_IMPORT_LINE];
    int code = CTL_DONE, within = 0;

    memset(line, 1, sizeof(line));
    while (code == CTL_DONE && (*rv = apr_file_gets(line, sizeof(line), f)) == APR_SUCCESS) {
        apr_size_t n = cmd_import_got(line);
        int whole = n && line[n - 1] == '\n', full = n == sizeof(line) - 1;

        in->line += !within;
        in->bytes += (apr_int64_t)n;
        if (!within && memchr(line, '\0', n)) {
            cmd_import_strange(in, "refused: the line has a NUL in it");
        } else if (!within && !whole && full) {
            cmd_import_strange(in, "refused: the line is too long");
        } else if (!within) {
            code = cmd_import_line(in, slice_make(line, n));
        }
        within = !whole && full;
        progress_at(in->progress, in->bytes);
        memset(line, 1, sizeof(line));
    }
    sodium_memzero(line, sizeof(line));
    return code;
}

/* Opens what the operand names; *size is 0 for what has none. CTL_DONE, or after a complaint. */
static int cmd_import_open(ctl_t *ctl, apr_file_t **f, apr_int64_t *size)
{
    const char *path = ctl->argv[0];
    int in = strcmp(path, "-") == 0;
    apr_finfo_t info;
    char why[120];
    apr_status_t rv =
        in ? apr_file_open_stdin(f, ctl->pool)
           : apr_file_open(f, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0, ctl->pool);

    *size = 0;
    if (rv != APR_SUCCESS) {
        return ctl_fail(CTL_REFUSED, "%s: %s.", path, apr_strerror(rv, why, sizeof(why)));
    }
    if (!in && apr_file_info_get(&info, APR_FINFO_SIZE, *f) == APR_SUCCESS) {
        *size = info.size;
    }
    return CTL_DONE;
}

static int cmd_import_all(ctl_t *ctl, cmd_import_take_fn *take, const table_column_t *columns,
                          apr_size_t n, const char *more)
{
    cmd_import_t in = {.ctl = ctl, .take = take};
    apr_status_t rv = APR_EOF;
    char why[120];
    apr_int64_t size;
    apr_file_t *f;
    int code = cmd_import_open(ctl, &f, &size);

    if (code == CTL_DONE) {
        code = ctl_open(ctl, CTL_KEYS_NONE);
    }
    if (code != CTL_DONE) {
        return code;
    }
    apr_pool_create(&in.pool, ctl->pool);
    in.progress = progress_begin(ctl, columns, n, size);
    code = cmd_import_lines(&in, f, &rv);
    progress_end(in.progress);
    if (code == CTL_DONE && rv != APR_EOF) {
        code = ctl_fail(CTL_REFUSED, "%s cannot be read to its end: %s.", ctl->argv[0],
                        apr_strerror(rv, why, sizeof(why)));
    }
    if (code == CTL_DONE) {
        ctl_remark(ctl, "%d added, %d refused.%s", in.added, in.refused, more);
    }
    return code == CTL_DONE && in.refused ? CTL_REFUSED : code;
}

int cmd_import_users(ctl_t *ctl)
{
    return cmd_import_all(ctl, cmd_import_user, cmd_import_user_columns, 4,
                          " Each hash is replaced by a better one at the first login.");
}

int cmd_import_projects(ctl_t *ctl)
{
    return cmd_import_all(ctl, cmd_import_project, cmd_import_project_columns, 5, "");
}
