/* cmd_user.c - the users. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/password.h"
#include "ctl/secret.h"

#define CMD_USER_NAME_MAX 64

static const table_column_t cmd_user_columns[] = {
    {"USER", "name", TABLE_TEXT, 0},         {NULL, "id", TABLE_TEXT, 0},
    {"DISABLED", "disabled", TABLE_FLAG, 0}, {"PASSWORD", "has_password", TABLE_FLAG, 0},
    {"CREATED", "created", TABLE_TIME, 0},
};
#define CMD_USER_N (sizeof(cmd_user_columns) / sizeof(cmd_user_columns[0]))

/* Names go into Basic credentials, logs and URLs: no colon, no white space, nothing outside ASCII.
 * "__token__" is what clients send with a token and begins with no letter or digit anyway. */
static int cmd_user_name_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = strlen(name);

    return n >= 1 && n <= CMD_USER_NAME_MAX && strspn(name, letters) >= 1 &&
           name[strspn(name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-")] ==
               '\0';
}

/* Characters of UTF-8; of anything else, no more than its bytes. */
static apr_size_t cmd_user_characters(slice_t s)
{
    apr_size_t i, n = 0;

    for (i = 0; i < s.n; i++) {
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    }
    return n;
}

/* Reads a new password, on a terminal twice. 0, or -1 after a complaint. */
static int cmd_user_read(slice_t *password, apr_pool_t *pool)
{
    slice_t again;

    if (secret_line("New password", PASSWORD_MAX, password, pool)) {
        return -1;
    }
    if (memchr(password->p, '\0', password->n)) {
        return ctl_fail(-1, "A password cannot hold a NUL byte.");
    }
    if (cmd_user_characters(*password) < PASSWORD_MIN) {
        return ctl_fail(-1, "A password needs at least %d characters.", PASSWORD_MIN);
    }
    if (!secret_interactive()) {
        return 0;
    }
    if (secret_line("The same again", PASSWORD_MAX, &again, pool)) {
        return -1;
    }
    if (again.n != password->n || sodium_memcmp(again.p, password->p, again.n) != 0) {
        return ctl_fail(-1, "These were two different passwords.");
    }
    return 0;
}

/* The hash of a password that is read now. CTL_DONE, or CTL_REFUSED after a complaint. The password
 * itself is gone when this returns. */
static int cmd_user_hash(ctl_t *ctl, const char **hash)
{
    int code = CTL_REFUSED;
    apr_pool_t *pool;
    slice_t password;

    apr_pool_create(&pool, ctl->pool);
    if (cmd_user_read(&password, pool)) {
        goto out;
    }
    if (password_hash(hash, password, ctl->pool) != PASSWORD_OK) {
        ctl_fail(0, "There is not enough memory for the hash of a password.");
        goto out;
    }
    code = CTL_DONE;

out:
    apr_pool_destroy(pool); /* wipes what was read */
    return code;
}

static int cmd_user_done(ctl_t *ctl, const char *kind, const store_user_t *user,
                         const char *sentence)
{
    const table_cell_t cells[] = {TABLE_STRING(user->name), TABLE_STRING(user->id),
                                  TABLE_INT(user->disabled), TABLE_INT(user->has_password),
                                  TABLE_INT(user->created)};

    ctl_say(ctl, cmd_user_columns, CMD_USER_N, cells, "User %s %s.", user->name, sentence);
    return ctl_record(ctl, kind, NULL, NULL, apr_psprintf(ctl->pool, "user %s", user->name));
}

int cmd_user_add(ctl_t *ctl)
{
    const char *name = ctl->argv[0];
    const char *hash = NULL;
    store_user_t user = {0};
    int code;

    if (!cmd_user_name_valid(name)) {
        return ctl_fail(CTL_REFUSED,
                        "A user name has 1 to %d letters, digits and . _ @ + -, and begins with a "
                        "letter or digit.",
                        CMD_USER_NAME_MAX);
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    if (code == CTL_DONE &&
        store_user_find(ctl->store, slice_of(name), &user, ctl->pool) == STORE_OK) {
        code = ctl_answer(STORE_CONFLICT, apr_psprintf(ctl->pool, "user '%s'", name));
    }
    if (code == CTL_DONE && !ctl->no_password) {
        code = cmd_user_hash(ctl, &hash);
    }
    if (code == CTL_DONE) {
        code = ctl_answer(store_user_add(ctl->store, name, hash, &user, ctl->pool),
                          apr_psprintf(ctl->pool, "user '%s'", name));
    }
    return code == CTL_DONE ? cmd_user_done(ctl, "user-added", &user, "added") : code;
}

/* Opens the store and finds the user of the first operand. */
static int cmd_user_named(ctl_t *ctl, store_user_t *user)
{
    int code = ctl_open(ctl, CTL_KEYS_NONE);

    return code == CTL_DONE ? ctl_find_user(ctl, ctl->argv[0], user) : code;
}

int cmd_user_passwd(ctl_t *ctl)
{
    const char *hash = NULL;
    store_user_t user = {0};
    int code = cmd_user_named(ctl, &user);

    if (code == CTL_DONE && !ctl->no_password) {
        code = cmd_user_hash(ctl, &hash);
    }
    if (code == CTL_DONE) {
        code = ctl_answer(store_user_set_hash(ctl->store, user.id, hash), "such user any more");
    }
    if (code != CTL_DONE) {
        return code;
    }
    user.has_password = hash != NULL;
    return cmd_user_done(ctl, "user-password", &user,
                         hash ? "has a new password" : "has no password any more");
}

static int cmd_user_set_disabled(ctl_t *ctl, int disabled)
{
    store_user_t user = {0};
    int code = cmd_user_named(ctl, &user);

    if (code == CTL_DONE) {
        code = ctl_answer(store_user_set_disabled(ctl->store, user.id, disabled),
                          "such user any more");
    }
    if (code != CTL_DONE) {
        return code;
    }
    user.disabled = disabled;
    return cmd_user_done(ctl, disabled ? "user-disabled" : "user-enabled", &user,
                         disabled ? "disabled" : "enabled");
}

int cmd_user_disable(ctl_t *ctl)
{
    return cmd_user_set_disabled(ctl, 1);
}

int cmd_user_enable(ctl_t *ctl)
{
    return cmd_user_set_disabled(ctl, 0);
}

int cmd_user_remove(ctl_t *ctl)
{
    store_user_t user = {0};
    store_rc_t rc;
    int code = cmd_user_named(ctl, &user);

    if (code != CTL_DONE) {
        return code;
    }
    rc = store_user_remove(ctl->store, user.id);
    if (rc == STORE_CONFLICT) {
        return ctl_fail(CTL_REFUSED,
                        "User '%s' owns projects or has live tokens. Give the projects to somebody "
                        "else and revoke the tokens first, or use 'user disable'.",
                        user.name);
    }
    code = ctl_answer(rc, "such user any more");
    return code == CTL_DONE ? cmd_user_done(ctl, "user-removed", &user, "removed") : code;
}

static int cmd_user_row(void *baton, const store_user_t *row)
{
    const table_cell_t cells[] = {TABLE_STRING(row->name), TABLE_STRING(row->id),
                                  TABLE_INT(row->disabled), TABLE_INT(row->has_password),
                                  TABLE_INT(row->created)};

    table_add(baton, cells);
    return 0;
}

int cmd_user_list(ctl_t *ctl)
{
    table_t *table = table_make(cmd_user_columns, CMD_USER_N, ctl->json, ctl->pool);
    int code = ctl_open(ctl, CTL_KEYS_NONE);

    if (code == CTL_DONE) {
        code = ctl_answer(store_user_list(ctl->store, cmd_user_row, table), "user");
    }
    if (code == CTL_DONE) {
        table_print(table, stdout);
    }
    return code;
}
