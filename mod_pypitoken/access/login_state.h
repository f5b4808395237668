/*
 * login_state.h - what the parts of one login_check share: login.c the order of things,
 * login_account.c whose account it is and where its password lives, login_factor.c the code.
 */
#ifndef PYPITOKEN_LOGIN_STATE_H
#define PYPITOKEN_LOGIN_STATE_H

#include "access/login.h"
#include "core/person.h"
#include "core/totp.h"
#include "store/people.h"

typedef struct login_state_t {
    store_t *store;
    const seam_t *seam;
    const login_typed_t *typed;
    const login_hooks_t *hooks; /* never NULL */
    login_factor_t factor;
    apr_pool_t *pool;
    login_t *out;
    verdict_t *v;

    /* whose account it is */
    const char *fold; /* of the typed name */
    people_t person;  /* id NULL: none of ours */
    int barred;       /* nothing lets this in: why says the reason */
    int demanded;     /* a code is */
    int elsewhere;    /* the password is another provider's to check */

    /* what was typed */
    slice_t password;   /* without the code */
    person_code_t code; /* secret */

    /* what came of it */
    int known_password;   /* right */
    apr_int64_t counter;  /* of the one-time code that is right, or -1 */
    int spent;            /* that code was used before */
    const char *new_hash; /* a better one to be kept, or NULL */
    int recovered;        /* a recovery code is right */
    unsigned char burn[PEOPLE_RECOVERY_HASH];
    const char *why; /* what was wrong, for log and event; the first reason counts */
} login_state_t;

/* Finds the account and takes the typed secret apart. VERDICT_ALLOWED, STORE_DOWN or LOGIN_DOWN; an
 * account that nobody gets into is barred, not refused: the work is the same. */
verdict_code_t login_account_find(login_state_t *l);

/* Sets known_password (and new_hash), with the work of a hash whatever the account is.
 * VERDICT_ALLOWED also when the password is wrong; LOGIN_DOWN, BUSY, STORE_DOWN. */
verdict_code_t login_account_password(login_state_t *l);

/* Sets counter, spent or recovered, whatever came of the password. VERDICT_ALLOWED, also when the
 * code is wrong; STORE_DOWN. */
verdict_code_t login_factor_check(login_state_t *l);

/* Remembers why, if nothing was wrong before. */
void login_why(login_state_t *l, const char *why);

verdict_code_t login_refuse(login_state_t *l, verdict_code_t code, const char *log);

#endif
