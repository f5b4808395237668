/* cmd_init.c - init and schema: keyring, database, and the schema's version. */
#include "ctl/cmd.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <string.h>
#include <sys/stat.h>

#define CMD_INIT_SQLITE "sqlite:"

static const table_column_t cmd_init_columns[] = {
    {"Keyring", "keyring", TABLE_TEXT, 0}, {"New keyring", "keyring_created", TABLE_FLAG, 0},
    {"Store", "store", TABLE_TEXT, 0},     {"Schema before", "schema_before", TABLE_NUMBER, 0},
    {"Schema", "schema", TABLE_NUMBER, 0},
};
#define CMD_INIT_N (sizeof(cmd_init_columns) / sizeof(cmd_init_columns[0]))

/* Brings the schema up to date; *before is what it was. */
static int cmd_init_upgrade(ctl_t *ctl, store_schema_t *before)
{
    int code = ctl_answer(store_schema(ctl->store, before), "schema");
    const char *wrong;

    if (code != CTL_DONE) {
        return code;
    }
    wrong = store_migrate(ctl->store, ctl->pool);
    return wrong ? ctl_fail(CTL_DOWN, "%s", wrong) : CTL_DONE;
}

static int cmd_init_one(void *baton, const store_token_t *row)
{
    (void)row;
    *(int *)baton = 1;
    return 1;
}

/* Makes the keyring unless it is there. A new one opens nothing that is in the store already. */
static int cmd_init_keyring(ctl_t *ctl, int *created)
{
    const char *wrong;
    apr_finfo_t info;
    apr_status_t rv;
    keyring_t *keys;
    int tokens = 0;

    rv = apr_stat(&info, ctl->keyring, APR_FINFO_TYPE, ctl->pool);
    *created = APR_STATUS_IS_ENOENT(rv);
    if (!*created) {
        wrong = keyring_open(&keys, ctl->keyring, ctl->seam, ctl->pool);
        return wrong ? ctl_fail(CTL_REFUSED, "%s", wrong) : CTL_DONE;
    }
    if (store_token_list(ctl->store, NULL, NULL, cmd_init_one, &tokens) != STORE_OK) {
        return ctl_answer(STORE_DOWN, "store");
    }
    wrong = keyring_create(ctl->keyring, ctl->seam, ctl->pool);
    if (wrong) {
        return ctl_fail(CTL_REFUSED, "%s", wrong);
    }
    if (tokens) {
        ctl_fail(0,
                 "Warning: the store holds tokens that another keyring has sealed. The new keyring "
                 "%s does not open them: put the old one in its place, or make new tokens.",
                 ctl->keyring);
    }
    return CTL_DONE;
}

/* A database of root's is of no use to httpd, which drops to a user of its own. The keyring stays
 * root's: httpd reads it before that. */
static void cmd_init_hint(const ctl_t *ctl)
{
    const char *file = ctl->store_url + strlen(CMD_INIT_SQLITE);
    struct stat st;

    if (strncmp(ctl->store_url, CMD_INIT_SQLITE, strlen(CMD_INIT_SQLITE)) == 0 &&
        stat(file, &st) == 0 && st.st_uid == 0) {
        ctl_remark(ctl,
                   "Hint: httpd's user must own the database and be able to write to its directory "
                   "(the keyring may stay root's): chown www-data '%s'",
                   file);
    }
}

int cmd_init_run(ctl_t *ctl)
{
    int created = 0, code = ctl_configure(ctl);
    store_schema_t before = {0, 0, 0};
    ctl_caller_t owner;

    if (code != CTL_DONE) {
        return code;
    }
    if (!ctl->keyring) {
        return ctl_fail(CTL_USAGE, "No keyring is named: say with --keyring where it is to be.");
    }
    code = ctl_open_any(ctl, 1);
    if (code == CTL_DONE) {
        code = cmd_init_upgrade(ctl, &before);
    }
    if (code == CTL_DONE) {
        ctl_caller_begin(&owner);
        code = cmd_init_keyring(ctl, &created);
        ctl_caller_end(&owner);
    }
    if (code == CTL_DONE) {
        int after = before.have > before.want ? before.have : before.want;
        const table_cell_t cells[] = {TABLE_STRING(ctl->keyring), TABLE_INT(created),
                                      TABLE_STRING(ctl->store_url), TABLE_INT(before.have),
                                      TABLE_INT(after)};

        ctl_say(ctl, cmd_init_columns, CMD_INIT_N, cells, "Keyring %s: %s.\nStore %s: %s %d.",
                ctl->keyring, created ? "created" : "was there already", ctl->store_url,
                before.have == 0       ? "created, with schema"
                : before.have == after ? "was there already, with schema"
                                       : "brought to schema",
                after);
        cmd_init_hint(ctl);
    }
    return code;
}

/* Exit 1 when this program cannot work with the database. */
static int cmd_init_report(ctl_t *ctl, const store_schema_t *schema, const char *sentence)
{
    static const table_column_t columns[] = {
        {"Schema", "have", TABLE_NUMBER, 0},
        {"Needed", "want", TABLE_NUMBER, 0},
        {"Works with programs since", "compatible", TABLE_NUMBER, 0},
        {"Usable", "usable", TABLE_FLAG, 0},
    };
    const char *wrong = store_schema_fits(schema, ctl->pool);
    const table_cell_t cells[] = {TABLE_INT(schema->have), TABLE_INT(schema->want),
                                  TABLE_INT(schema->compatible), TABLE_INT(!wrong)};

    ctl_say(ctl, columns, sizeof(columns) / sizeof(columns[0]), cells,
            "Schema %d, needed %d: %s%s.", schema->have, schema->want, wrong ? "the store " : "",
            wrong                          ? wrong
            : sentence                     ? sentence
            : schema->have == schema->want ? "up to date"
                                           : "newer, and this program may work with it");
    return wrong ? CTL_REFUSED : CTL_DONE;
}

int cmd_init_status(ctl_t *ctl)
{
    store_schema_t schema;
    int code = ctl_open_any(ctl, 0);

    if (code == CTL_DONE) {
        code = ctl_answer(store_schema(ctl->store, &schema), "schema");
    }
    return code == CTL_DONE ? cmd_init_report(ctl, &schema, NULL) : code;
}

int cmd_init_migrate(ctl_t *ctl)
{
    store_schema_t before = {0, 0, 0}, after;
    int code = ctl_open_any(ctl, 0);

    if (code == CTL_DONE) {
        code = cmd_init_upgrade(ctl, &before);
    }
    if (code == CTL_DONE) {
        code = ctl_answer(store_schema(ctl->store, &after), "schema");
    }
    return code == CTL_DONE
               ? cmd_init_report(ctl, &after,
                                 before.have < after.have ? "brought up to date" : "nothing to do")
               : code;
}
