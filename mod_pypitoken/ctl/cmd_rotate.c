/* cmd_rotate.c - "token rotate": a new secret in the place of an old one. */
#include "ctl/cmd.h"

#include <apr_strings.h>

#include "access/rotate.h"
#include "core/duration.h"

static int cmd_rotate_tell(ctl_t *ctl, const store_token_t *old, const rotate_t *made)
{
    static const table_column_t columns[] = {
        {NULL, "id", TABLE_TEXT, 0},     {NULL, "user", TABLE_TEXT, 0},
        {NULL, "name", TABLE_TEXT, 0},   {NULL, "expires", TABLE_TIME, 0},
        {NULL, "old_id", TABLE_TEXT, 0}, {NULL, "old_expires", TABLE_TIME, 0},
    };
    const table_cell_t cells[] = {TABLE_STRING(made->issued.id), TABLE_STRING(old->user_name),
                                  TABLE_STRING(old->name),       TABLE_INT(made->issued.expires),
                                  TABLE_STRING(old->id),         TABLE_INT(made->until)};

    return cmd_token_tell(ctl, made->text, made->issued.id, columns, 6, cells);
}

int cmd_rotate_run(ctl_t *ctl)
{
    rotate_request_t request = {.overlap = ctl->overlap};
    store_token_t old = {0};
    const char *wrong;
    rotate_t made;
    store_rc_t rc;
    int code = cmd_narrow_expires(ctl, &request.expires), told;

    if (code == CTL_DONE) {
        code = cmd_token_find(ctl, &old, CTL_KEYS_NEEDED);
    }
    if (code == CTL_DONE) {
        code = cmd_token_site(ctl, &request.policy);
    }
    if (code != CTL_DONE) {
        return code;
    }
    request.service = ctl->service;
    request.by = ctl_actor(ctl);
    wrong = rotate_token(&made, ctl->store, ctl->seam, &old, &request, &rc, ctl->pool);
    if (wrong) {
        return ctl_fail(rc == STORE_DOWN ? CTL_DOWN : CTL_REFUSED, "%s", wrong);
    }
    code = ctl_record(ctl, "token-created", made.issued.id, NULL,
                      apr_pstrcat(ctl->pool, "user ", old.user_name, ", ",
                                  rotate_detail_new(&old, ctl->pool), NULL));
    told = ctl_record(ctl, "token-rotated", old.id, NULL, rotate_detail_old(&made, ctl->pool));
    code = code == CTL_DONE ? told : code;
    told = cmd_rotate_tell(ctl, &old, &made);
    if (told == CTL_DONE) {
        ctl_remark(ctl, "Token %s of user %s, expires %s. The old one is %s%s.", made.issued.id,
                   old.user_name,
                   made.issued.expires ? duration_iso(made.issued.expires, ctl->pool) : "never",
                   made.until ? "good until " : "revoked",
                   made.until ? duration_iso(made.until, ctl->pool) : "");
    }
    return told == CTL_DONE ? code : told;
}
