/*
 * people.h - what is remembered of people for their logins: the password's hash, the second factor,
 * recovery codes, and what ends their sessions.
 *
 * A room of the store: results, failures and threads as in store.h.
 */
#ifndef PYPITOKEN_PEOPLE_H
#define PYPITOKEN_PEOPLE_H

#include "store/store.h"

#define PEOPLE_SEED_MAX      64
#define PEOPLE_RECOVERY_HASH 32

/* A second factor, as core/totp.h has it. */
typedef struct people_totp_t {
    const char *id; /* NULL: there is none */
    int hash, digits, period;
    apr_int64_t counter;                 /* the last that was spent */
    unsigned char seed[PEOPLE_SEED_MAX]; /* secret: whoever holds this wipes it */
    apr_size_t seed_n;
} people_totp_t;

typedef struct people_t {
    const char *id, *name;
    int disabled;
    const char *hash;   /* of the password; NULL: there is none here */
    apr_int64_t epoch;  /* counts "user logout"s */
    people_totp_t totp; /* the one in force */
    int alike;          /* accounts whose name folds to the same, this one counted */
} people_t;

/* The account of a typed name: that of exactly this name, else the only one whose name folds to
 * fold. One read; *out is filled with STORE_OK alone, strings in pool.
 * NOTFOUND, also when fold is empty, for no account's name folds to nothing; CONFLICT: several fold
 * alike and none has this very name; SEALED: the keyring does not open the seed of its second
 * factor, or there is no keyring; DOWN. */
store_rc_t people_find(store_t *s, slice_t name, const char *fold, people_t *out, apr_pool_t *pool);

/* What a login that is right carries into the store, all or nothing, in one transaction. */
typedef struct people_login_t {
    const char *user_id;
    const char *totp_id;                /* its counter is spent; NULL: no code was asked for */
    apr_int64_t counter;                /* only when it is greater than the last one */
    const unsigned char *recovery;      /* PEOPLE_RECOVERY_HASH bytes: burns that code; or NULL */
    const char *old_hash, *new_hash;    /* a better hash for the same password; or NULL */
    const store_event_t *event, *extra; /* extra may be NULL */
} people_login_t;

/* CONFLICT: the code was spent before, by whatever process on whatever machine; nothing else of the
 * login happened. */
store_rc_t people_login(store_t *s, const people_login_t *login);

/* ---- second factors ---- */

/* Keeps totp (id and counter are set here) as one that waits for its first code, in the place of
 * one that waited before; the one in force stays. SEALED without a keyring. */
store_rc_t people_totp_begin(store_t *s, const char *user_id, people_totp_t *totp,
                             apr_pool_t *pool);

/* The one that waits. NOTFOUND, SEALED, DOWN. */
store_rc_t people_totp_waiting(store_t *s, const char *user_id, people_totp_t *totp,
                               apr_pool_t *pool);

/* The waiting one is in force from now on, the one before is forgotten; counter, that of the code
 * that confirmed it, is spent. NOTFOUND: it does not wait any more. */
store_rc_t people_totp_confirm(store_t *s, const char *user_id, const char *totp_id,
                               apr_int64_t counter);

/* Forgets second factors and recovery codes. NOTFOUND: there were no second factors. */
store_rc_t people_totp_remove(store_t *s, const char *user_id);

/* ---- recovery codes ---- */

/* n hashes in the place of all that there were. */
store_rc_t people_recovery_replace(store_t *s, const char *user_id,
                                   const unsigned char (*hashes)[PEOPLE_RECOVERY_HASH],
                                   apr_size_t n);

/* *known: 1 when it is one that was not burnt. Burning is people_login's. */
store_rc_t people_recovery_known(store_t *s, const char *user_id,
                                 const unsigned char hash[PEOPLE_RECOVERY_HASH], int *known);

/* ---- sessions ---- */

/* Ends what the person is logged in to. NOTFOUND: no such account. */
store_rc_t people_logout(store_t *s, const char *user_id);

#endif
