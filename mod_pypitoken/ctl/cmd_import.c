/* cmd_import.c - users and their password hashes out of an htpasswd file. */
#include "ctl/cmd.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/password_old.h"
#include "core/person.h"

#define CMD_IMPORT_LINE 1024

static const table_column_t cmd_import_columns[] = {{"LINE", "line", TABLE_NUMBER, 0},
                                                    {"USER", "name", TABLE_TEXT, 0},
                                                    {"HASH", "hash", TABLE_TEXT, 0},
                                                    {"RESULT", "result", TABLE_TEXT, 0}};
#define CMD_IMPORT_N (sizeof(cmd_import_columns) / sizeof(cmd_import_columns[0]))

typedef struct cmd_import_t {
    ctl_t *ctl;
    table_t *table;
    apr_int64_t line;
    int added, refused;
} cmd_import_t;

static void cmd_import_row(cmd_import_t *in, const char *name, const char *hash, const char *result)
{
    const table_cell_t cells[] = {TABLE_INT(in->line), TABLE_STRING(name), TABLE_STRING(hash),
                                  TABLE_STRING(result)};

    table_add(in->table, cells);
}

static int cmd_import_refuse(cmd_import_t *in, const char *name, const char *why)
{
    in->refused++;
    cmd_import_row(in, name, NULL, why);
    return CTL_DONE;
}

static int cmd_import_user(cmd_import_t *in, const char *name, const char *hash, const char *kind)
{
    ctl_t *ctl = in->ctl;
    store_rc_t rc = store_user_add(ctl->store, name, hash, NULL, ctl->pool);

    if (rc == STORE_CONFLICT) {
        cmd_import_row(in, name, kind, "left alone: there is such a user already");
        return CTL_DONE;
    }
    if (rc != STORE_OK) {
        return ctl_answer(rc, "user");
    }
    in->added++;
    cmd_import_row(in, name, kind, "added");
    return ctl_record(ctl, "user-imported", NULL, NULL,
                      apr_psprintf(ctl->pool, "user %s, %s", name, kind));
}

/* One line as mod_authn_file reads it: name, hash, and what comes behind another colon is nobody's
 * business. CTL_DONE, or what ends it all. */
static int cmd_import_line(cmd_import_t *in, slice_t line)
{
    const char *colon, *name;
    password_old_t kind;
    slice_t user, hash;

    line = slice_trim(line);
    if (!line.n || line.p[0] == '#') {
        return CTL_DONE;
    }
    colon = memchr(line.p, ':', line.n);
    if (!colon) {
        return cmd_import_refuse(in, NULL, "refused: no colon");
    }
    user = slice_make(line.p, (apr_size_t)(colon - line.p));
    hash = slice_make(colon + 1, line.n - user.n - 1);
    colon = hash.n ? memchr(hash.p, ':', hash.n) : NULL;
    if (colon) {
        hash.n = (apr_size_t)(colon - hash.p);
    }
    name = slice_dup(user, in->ctl->pool);
    if (!person_name_valid(user)) {
        return cmd_import_refuse(in, name, "refused: not a name that users can have here");
    }
    kind = password_old_kind(hash);
    if (kind == PASSWORD_OLD_NONE) {
        return cmd_import_refuse(in, name,
                                 "refused: not bcrypt, apr1, SHA-1, SHA-256 or SHA-512, or too "
                                 "costly; set a new password with 'user add'");
    }
    return cmd_import_user(in, name, slice_dup(hash, in->ctl->pool), password_old_word(kind));
}

static int cmd_import_file(cmd_import_t *in, apr_file_t *f)
{
    char line[CMD_IMPORT_LINE];
    int code = CTL_DONE, within = 0;

    while (code == CTL_DONE && apr_file_gets(line, sizeof(line), f) == APR_SUCCESS) {
        apr_size_t n = strlen(line);
        int whole = n && line[n - 1] == '\n';

        in->line += !within;
        if (within) {
            within = !whole;
        } else if (whole || apr_file_eof(f) == APR_EOF) {
            code = cmd_import_line(in, slice_make(line, n));
        } else {
            within = 1;
            (void)cmd_import_refuse(in, NULL, "refused: the line is too long");
        }
    }
    sodium_memzero(line, sizeof(line));
    return code;
}

int cmd_import_run(ctl_t *ctl)
{
    const char *path = ctl->argv[0];
    cmd_import_t in = {ctl, NULL, 0, 0, 0};
    apr_file_t *f = NULL;
    apr_status_t rv =
        strcmp(path, "-") == 0
            ? apr_file_open_stdin(&f, ctl->pool)
            : apr_file_open(&f, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0, ctl->pool);
    char why[120];
    int code;

    if (rv != APR_SUCCESS) {
        return ctl_fail(CTL_REFUSED, "%s: %s.", path, apr_strerror(rv, why, sizeof(why)));
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    in.table = table_make(cmd_import_columns, CMD_IMPORT_N, ctl->json, ctl->pool);
    if (code == CTL_DONE) {
        code = cmd_import_file(&in, f);
        table_print(in.table, stdout);
    }
    if (code == CTL_DONE) {
        ctl_remark(
            ctl, "%d added, %d refused. Each hash is replaced by a better one at the first login.",
            in.added, in.refused);
    }
    return code == CTL_DONE && in.refused ? CTL_REFUSED : code;
}
