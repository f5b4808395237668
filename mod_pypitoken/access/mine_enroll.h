/*
 * mine_enroll.h - a person's own second factor: access/enroll with an event for each act. Any
 * thread.
 */
#ifndef PYPITOKEN_MINE_ENROLL_H
#define PYPITOKEN_MINE_ENROLL_H

#include "access/enroll.h"
#include "access/mine.h"

/* The account with its second factor and recovery codes. NOTFOUND, DOWN. */
store_rc_t mine_enroll_account(const mine_t *mine, store_user_t *user, apr_pool_t *pool);

/* As enroll_begin and its kin. */
enroll_rc_t mine_enroll_begin(const mine_t *mine, const store_user_t *user, const char *issuer,
                              apr_pool_t *pool);
enroll_rc_t mine_enroll_confirm(const mine_t *mine, const store_user_t *user, slice_t code,
                                apr_pool_t *pool);
enroll_rc_t mine_enroll_remove(const mine_t *mine, const store_user_t *user);
enroll_rc_t mine_enroll_recovery(enroll_codes_t codes, const mine_t *mine,
                                 const store_user_t *user);

#endif
