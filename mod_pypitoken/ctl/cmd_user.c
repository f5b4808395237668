/* cmd_user.c - the users. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/password.h"
#include "core/password_rule.h"
#include "core/person.h"
#include "ctl/secret.h"
#include "store/people.h"

static const table_column_t cmd_user_columns[] = {
    {"USER", "name", TABLE_TEXT, 0},         {NULL, "id", TABLE_TEXT, 0},
    {"DISABLED", "disabled", TABLE_FLAG, 0}, {"PASSWORD", "has_password", TABLE_FLAG, 0},
    {"2FA", "second_factor", TABLE_FLAG, 0}, {"CODES", "recovery_codes", TABLE_NUMBER, 0},
    {"CREATED", "created", TABLE_TIME, 0},
};
#define CMD_USER_CELLS(u)                                                                          \
    {                                                                                              \
        TABLE_STRING((u)->name), TABLE_STRING((u)->id), TABLE_INT((u)->disabled),                  \
            TABLE_INT((u)->has_password), TABLE_INT((u)->second_factor),                           \
            TABLE_INT((u)->recovery_codes), TABLE_INT((u)->created)                                \
    }
#define CMD_USER_N (sizeof(cmd_user_columns) / sizeof(cmd_user_columns[0]))

/* Reads a new password, on a terminal twice. 0, or -1 after a complaint. */
static int cmd_user_read(const char *name, slice_t *password, apr_pool_t *pool)
{
    const char *wrong;
    slice_t again;

    if (secret_line("New password", PASSWORD_MAX, password, pool)) {
        return -1;
    }
    wrong = password_rule_check(person_normal(*password, pool), slice_of(name), pool);
    if (wrong) {
        return ctl_fail(-1, "%s", wrong);
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
static int cmd_user_hash(ctl_t *ctl, const char *name, const char **hash)
{
    int code = CTL_REFUSED;
    apr_pool_t *pool;
    slice_t password;

    apr_pool_create(&pool, ctl->pool);
    if (cmd_user_read(name, &password, pool)) {
        goto out;
    }
    if (password_hash(hash, person_normal(password, pool), ctl->pool) != PASSWORD_OK) {
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
    const table_cell_t cells[] = CMD_USER_CELLS(user);

    ctl_say(ctl, cmd_user_columns, CMD_USER_N, cells, "User %s %s.", user->name, sentence);
    return ctl_record(ctl, kind, NULL, NULL, apr_psprintf(ctl->pool, "user %s", user->name));
}

int cmd_user_add(ctl_t *ctl)
{
    const char *name = ctl->argv[0];
    const char *hash = NULL;
    store_user_t user = {0};
    int code;

    if (!person_name_valid(slice_of(name))) {
        return ctl_fail(CTL_REFUSED,
                        "A user name has 1 to %d letters, digits and . _ @ + -, and begins with a "
                        "letter or digit.",
                        PERSON_NAME_MAX);
    }
    code = ctl_open(ctl, CTL_KEYS_NONE);
    if (code == CTL_DONE &&
        store_user_find(ctl->store, slice_of(name), &user, ctl->pool) == STORE_OK) {
        code = ctl_answer(STORE_CONFLICT, apr_psprintf(ctl->pool, "user '%s'", name));
    }
    if (code == CTL_DONE && !ctl->no_password) {
        code = cmd_user_hash(ctl, name, &hash);
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
        code = cmd_user_hash(ctl, user.name, &hash);
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

int cmd_user_logout(ctl_t *ctl)
{
    store_user_t user = {0};
    int code = cmd_user_named(ctl, &user);

    if (code == CTL_DONE) {
        code = ctl_answer(people_logout(ctl->store, user.id), "such user any more");
    }
    return code == CTL_DONE ? cmd_user_done(ctl, "user-logout", &user, "is logged out everywhere")
                            : code;
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
    const table_cell_t cells[] = CMD_USER_CELLS(row);

    table_add(baton, cells);
    return 0;
}

int cmd_user_list(ctl_t *ctl)
{
    table_t *table = table_make(cmd_user_columns, CMD_USER_N, ctl->json, ctl->pool);
    int code = ctl_open(ctl, CTL_KEYS_NONE);

    table_flow(table, stdout);
    if (code == CTL_DONE) {
        code = ctl_answer(store_user_list(ctl->store, cmd_user_row, table), "user");
    }
    if (code == CTL_DONE) {
        table_print(table, stdout);
    }
    return code;
}
