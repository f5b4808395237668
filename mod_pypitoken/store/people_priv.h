/*
 * people_priv.h - what people.c and people_factor.c share: a second factor's columns and its seal.
 */
#ifndef PYPITOKEN_PEOPLE_PRIV_H
#define PYPITOKEN_PEOPLE_PRIV_H

#include "store/people.h"
#include "store/store_priv.h"

/* Fills *totp but for its seed, and *sealed, from the columns that QUERY_TOTP_COLUMNS begins with
 * at row. All NULL: totp->id is NULL. */
void people_totp_fill(people_totp_t *totp, slice_t *sealed, const db_value_t *row,
                      apr_pool_t *pool);

/* Opens the seed. STORE_OK, also when there is no second factor; STORE_SEALED. */
store_rc_t people_totp_open(store_t *s, const char *user_id, people_totp_t *totp, slice_t sealed,
                            apr_pool_t *pool);

/* As store_token_again. */
store_rc_t people_totp_again(store_t *s, slice_t id, slice_t *old, slice_t *fresh,
                             apr_pool_t *pool);

#endif
