/* cmd_totp.c - second factors and recovery codes. */
#include "ctl/cmd.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "access/enroll.h"
#include "core/qr.h"
#include "ctl/secret.h"

#define CMD_TOTP_CODE_MAX 64

/* ---- what all of them say ---- */

static const table_column_t cmd_totp_columns[] = {
    {"User", "name", TABLE_TEXT, 0}, {"Second factor", "second_factor", TABLE_FLAG, 0}};

static int cmd_totp_answer(enroll_rc_t rc, const char *name)
{
    switch (rc) {
    case ENROLL_OK:
        return CTL_DONE;
    case ENROLL_NONE:
        return ctl_fail(CTL_REFUSED, "User '%s' has no such second factor.", name);
    case ENROLL_WRONG:
        return ctl_fail(CTL_REFUSED,
                        "That is not the code that the authenticator shows now. Look at the clocks "
                        "of both, then try the next code.");
    case ENROLL_SEALED:
        return ctl_fail(CTL_REFUSED,
                        "The second factor of '%s' does not open with this keyring: another one "
                        "sealed it, or it was edited in the database.",
                        name);
    case ENROLL_DOWN:
        break;
    }
    return ctl_fail(CTL_DOWN, "The store is not available.");
}

static int cmd_totp_open(ctl_t *ctl, ctl_keys_t keys, store_user_t *user)
{
    int code = ctl_open(ctl, keys);

    return code == CTL_DONE ? ctl_find_user(ctl, ctl->argv[0], user) : code;
}

static int cmd_totp_record(ctl_t *ctl, const char *kind, const store_user_t *user)
{
    return ctl_record(ctl, kind, NULL, NULL, apr_psprintf(ctl->pool, "user %s", user->name));
}

/* ---- enroll ---- */

/* A new file that only its owner reads, made before anything else is. Its descriptor, or -1 after a
 * complaint. */
static int cmd_totp_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd >= 0 ? fd : ctl_fail(-1, "%s: %s.", path, strerror(errno));
}

/* It is the caller's, while root works on the store as that one's owner. */
static void cmd_totp_unlink(const char *path)
{
    ctl_caller_t caller;

    ctl_caller_begin(&caller);
    (void)unlink(path);
    ctl_caller_end(&caller);
}

/* 0, or -1 after a complaint, and the file is gone. fd is closed. */
static int cmd_totp_picture(int fd, const char *path, const enroll_t *e, apr_pool_t *pool)
{
    const char *svg = qr_svg(slice_of(e->uri), pool);
    apr_size_t n = svg ? strlen(svg) : 0;
    ssize_t put = svg ? write(fd, svg, n) : -1;

    if (close(fd) || put != (ssize_t)n) {
        cmd_totp_unlink(path);
        return ctl_fail(-1, "%s: the QR code could not be written.", path);
    }
    return 0;
}

static int cmd_totp_put(const char *text)
{
    return secret_put(text, strlen(text));
}

/* {"name":...,"uri":...,"secret":...}: neither of the secrets has anything to be escaped. */
static int cmd_totp_show_json(const store_user_t *user, const enroll_t *e)
{
    return cmd_totp_put("{\"name\":\"") || cmd_totp_put(user->name) ||
           cmd_totp_put("\",\"uri\":\"") || cmd_totp_put(e->uri) ||
           cmd_totp_put("\",\"secret\":\"") || cmd_totp_put(e->secret) || cmd_totp_put("\"}\n");
}

/* For people with a terminal the picture too; for programs and files the URI alone. */
static int cmd_totp_show(ctl_t *ctl, const store_user_t *user, const enroll_t *e)
{
    const char *picture = isatty(STDOUT_FILENO) ? qr_terminal(slice_of(e->uri), ctl->pool) : NULL;

    if (ctl->json) {
        return cmd_totp_show_json(user, e);
    }
    if ((picture && cmd_totp_put(picture)) || cmd_totp_put(e->uri) || cmd_totp_put("\n")) {
        return -1;
    }
    if (picture &&
        (cmd_totp_put("To type it: ") || cmd_totp_put(e->secret) || cmd_totp_put("\n"))) {
        return -1;
    }
    ctl_remark(ctl, "Shown this once. It counts after its first code: pypitokenctl totp confirm %s",
               user->name);
    return 0;
}

static int cmd_totp_options(const ctl_t *ctl, totp_hash_t *hash, int *digits)
{
    *hash = ctl->algorithm ? totp_hash_of(slice_of(ctl->algorithm)) : TOTP_SHA1;
    *digits = !ctl->digits || strcmp(ctl->digits, "6") == 0 ? 6
              : strcmp(ctl->digits, "8") == 0               ? 8
                                                            : 0;
    if (!*hash) {
        return ctl_fail(CTL_USAGE, "--algorithm takes SHA1, SHA256 or SHA512.");
    }
    return *digits ? CTL_DONE : ctl_fail(CTL_USAGE, "--digits takes 6 or 8.");
}

static int cmd_totp_begin(ctl_t *ctl, store_user_t *user, enroll_t *e)
{
    const char *issuer = ctl->service ? ctl->service : "PyPI";
    totp_hash_t hash;
    int digits, code = cmd_totp_options(ctl, &hash, &digits);

    if (code == CTL_DONE) {
        code = cmd_totp_open(ctl, CTL_KEYS_NEEDED, user);
    }
    if (code == CTL_DONE) {
        code = cmd_totp_answer(
            enroll_begin(e, ctl->store, ctl->seam, slice_of(issuer), user, hash, digits, ctl->pool),
            user->name);
    }
    return code;
}

int cmd_totp_enroll(ctl_t *ctl)
{
    store_user_t user = {0};
    enroll_t e = {0};
    int fd = ctl->svg ? cmd_totp_file(ctl->svg) : -1, code;

    if (ctl->svg && fd < 0) {
        return CTL_REFUSED;
    }
    code = cmd_totp_begin(ctl, &user, &e);
    if (code != CTL_DONE) {
        if (ctl->svg) {
            close(fd);
            cmd_totp_unlink(ctl->svg);
        }
        return code;
    }
    if (ctl->svg && cmd_totp_picture(fd, ctl->svg, &e, ctl->pool)) {
        return CTL_REFUSED;
    }
    if (cmd_totp_show(ctl, &user, &e)) {
        return ctl_fail(CTL_REFUSED, "Not all of the answer could be written.");
    }
    return cmd_totp_record(ctl, "totp-enrolled", &user);
}

/* ---- recovery codes ---- */

static int cmd_totp_codes_json(const store_user_t *user, const enroll_codes_t codes)
{
    int i, rc = cmd_totp_put("{\"name\":\"") || cmd_totp_put(user->name) ||
                cmd_totp_put("\",\"recovery_codes\":[\"");

    for (i = 0; i < RECOVERY_CODES && !rc; i++) {
        rc = (i && cmd_totp_put("\",\"")) || cmd_totp_put(codes[i]);
    }
    return rc || cmd_totp_put("\"]}\n");
}

/* Makes and shows new ones. */
static int cmd_totp_codes(ctl_t *ctl, const store_user_t *user)
{
    enroll_codes_t codes;
    int i, rc,
        code = cmd_totp_answer(enroll_recovery(codes, ctl->store, ctl->seam, user->id), user->name);

    if (code != CTL_DONE) {
        return code;
    }
    rc = ctl->json ? cmd_totp_codes_json(user, codes) : 0;
    for (i = 0; i < RECOVERY_CODES && !ctl->json && !rc; i++) {
        rc = cmd_totp_put(codes[i]) || cmd_totp_put("\n");
    }
    sodium_memzero(codes, sizeof(codes));
    if (rc) {
        return ctl_fail(CTL_REFUSED, "Not all of the answer could be written: make new ones.");
    }
    ctl_remark(ctl, "Recovery codes of %s, shown this once. Each stands in for one code, once.",
               user->name);
    return cmd_totp_record(ctl, "recovery-codes", user);
}

int cmd_totp_recovery(ctl_t *ctl)
{
    store_user_t user = {0};
    int code = cmd_totp_open(ctl, CTL_KEYS_NONE, &user);

    if (code == CTL_DONE && !user.second_factor) {
        return ctl_fail(CTL_REFUSED,
                        "User '%s' has no second factor: pypitokenctl totp enroll %s comes first.",
                        user.name, user.name);
    }
    return code == CTL_DONE ? cmd_totp_codes(ctl, &user) : code;
}

/* ---- confirm, disable ---- */

static int cmd_totp_said(ctl_t *ctl, const store_user_t *user, int factor, const char *sentence)
{
    const table_cell_t cells[] = {TABLE_STRING(user->name), TABLE_INT(factor)};

    ctl_say(ctl, cmd_totp_columns, 2, cells, "User %s %s.", user->name, sentence);
    return CTL_DONE;
}

int cmd_totp_confirm(ctl_t *ctl)
{
    store_user_t user = {0};
    slice_t typed;
    int code = cmd_totp_open(ctl, CTL_KEYS_NEEDED, &user);

    if (code == CTL_DONE && secret_line("Code", CMD_TOTP_CODE_MAX, &typed, ctl->pool)) {
        code = CTL_REFUSED;
    }
    if (code == CTL_DONE) {
        code = cmd_totp_answer(enroll_confirm(ctl->store, ctl->seam, user.id, typed, ctl->pool),
                               user.name);
    }
    if (code == CTL_DONE) {
        code = cmd_totp_record(ctl, "totp-confirmed", &user);
    }
    if (code != CTL_DONE) {
        return code;
    }
    (void)cmd_totp_said(ctl, &user, 1, "has a second factor from now on");
    if (!user.recovery_codes) {
        ctl_remark(ctl, "For when it is lost: pypitokenctl recovery-codes %s", user.name);
    }
    return CTL_DONE;
}

int cmd_totp_disable(ctl_t *ctl)
{
    store_user_t user = {0};
    int code = cmd_totp_open(ctl, CTL_KEYS_NONE, &user);

    if (code == CTL_DONE) {
        code = cmd_totp_answer(enroll_remove(ctl->store, user.id), user.name);
    }
    if (code == CTL_DONE) {
        code = cmd_totp_record(ctl, "totp-disabled", &user);
    }
    return code == CTL_DONE ? cmd_totp_said(ctl, &user, 0, "has no second factor any more") : code;
}
