/* mine_enroll.c - a person's own second factor; see mine_enroll.h. */
#include "access/mine_enroll.h"

store_rc_t mine_enroll_account(const mine_t *mine, store_user_t *user, apr_pool_t *pool)
{
    return store_user_find(mine->store, slice_of(mine->user), user, pool);
}

/* What was done stays done, on record or not; the store has told the log. */
static enroll_rc_t mine_enroll_done(const mine_t *mine, enroll_rc_t rc, const char *kind)
{
    store_event_t event = {
        .kind = kind, .user = mine->user, .address = mine->address, .agent = mine->agent};

    if (rc == ENROLL_OK) {
        (void)store_event_add(mine->store, &event);
    }
    return rc;
}

enroll_rc_t mine_enroll_begin(const mine_t *mine, const store_user_t *user, const char *issuer,
                              apr_pool_t *pool)
{
    enroll_t e;

    return mine_enroll_done(
        mine, enroll_begin(&e, mine->store, mine->seam, slice_of(issuer), user, TOTP_SHA1, 6, pool),
        "totp-enrolled");
}

enroll_rc_t mine_enroll_confirm(const mine_t *mine, const store_user_t *user, slice_t code,
                                apr_pool_t *pool)
{
    return mine_enroll_done(mine, enroll_confirm(mine->store, mine->seam, user->id, code, pool),
                            "totp-confirmed");
}

enroll_rc_t mine_enroll_remove(const mine_t *mine, const store_user_t *user)
{
    return mine_enroll_done(mine, enroll_remove(mine->store, user->id), "totp-disabled");
}

enroll_rc_t mine_enroll_recovery(enroll_codes_t codes, const mine_t *mine, const store_user_t *user)
{
    return mine_enroll_done(mine, enroll_recovery(codes, mine->store, mine->seam, user->id),
                            "recovery-codes");
}
