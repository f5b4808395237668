/* login_factor.c - the code of a second factor; see login_state.h. */
#include "access/login_state.h"

#include <sodium.h>
#include <string.h>

/* Who is looked up when there is no account: no id is like that. */
#define LOGIN_FACTOR_NOBODY "00000000-0000-0000-0000-000000000000"

/* A seed for accounts that have none, so that there is something to compute. */
static const unsigned char login_factor_dummy[TOTP_SEED] = "no account has this.";

static verdict_code_t login_factor_recovery(login_state_t *l)
{
    const char *id = l->person.id ? l->person.id : LOGIN_FACTOR_NOBODY;

    recovery_hash(l->burn, slice_of(id), l->code.text);
    if (people_recovery_known(l->store, id, l->burn, &l->recovered) != STORE_OK) {
        return login_refuse(l, VERDICT_STORE_DOWN, NULL);
    }
    return VERDICT_ALLOWED;
}

/* Nothing here depends on whether the account has a second factor, but for what comes of it. */
verdict_code_t login_factor_check(login_state_t *l)
{
    const people_totp_t *own = &l->person.totp;
    totp_t t = {TOTP_SHA1, 6, TOTP_PERIOD, {NULL, 0}};
    slice_t typed = slice_make(l->code.text, l->code.n);
    verdict_code_t code = VERDICT_ALLOWED;

    t.seed = slice_make((const char *)login_factor_dummy, sizeof(login_factor_dummy));
    if (own->id) {
        t.hash = (totp_hash_t)own->hash;
        t.digits = own->digits;
        t.period = own->period;
        t.seed = slice_make((const char *)own->seed, own->seed_n);
    }
    l->counter = totp_match(&t, typed, l->seam->now());
    if (l->code.kind == PERSON_CODE_RECOVERY) {
        code = login_factor_recovery(l);
    }
    if (!own->id) {
        l->counter = -1;
        l->recovered = 0;
    }
    if (l->demanded && l->code.kind == PERSON_CODE_NONE) {
        login_why(l, "no code");
    } else if (l->demanded && l->counter < 0 && !l->recovered) {
        login_why(l, "wrong code");
    }
    l->spent = l->demanded && l->counter >= 0 && l->counter <= own->counter;
    return code;
}
