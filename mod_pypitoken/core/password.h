/*
 * password.h - argon2id hashes of passwords, by libsodium. Pure but for the salt; any thread.
 *
 * One hash takes 64 MiB and 2 passes, 75 ms or so: more than OWASP asks for (19 MiB, 2 passes), and
 * what libsodium calls "interactive". Whoever hashes for strangers limits how many at a time.
 */
#ifndef PYPITOKEN_PASSWORD_H
#define PYPITOKEN_PASSWORD_H

#include "core/slice.h"

#define PASSWORD_MAX 4096 /* bytes; longer ones are refused, never cut */
#define PASSWORD_MIN 8    /* characters; the operator may not go below */

typedef enum password_rc_t {
    PASSWORD_OK,
    PASSWORD_WRONG,
    PASSWORD_NO_MEMORY /* the hash could not be computed: never to be taken for WRONG */
} password_rc_t;

/* *hash gets an encoded argon2id string in pool (64 MiB, 2 passes). PASSWORD_WRONG when password is
 * longer than PASSWORD_MAX; *hash is NULL unless PASSWORD_OK. */
password_rc_t password_hash(const char **hash, slice_t password, apr_pool_t *pool);

/* Holds password against an encoded hash, of argon2id (constant time in the hash) or of one of
 * password_old.h's kinds (APR compares those as text). NULL or "" as hash is an account without a
 * password: PASSWORD_WRONG, at once. A hash that cannot be read, or that asks for more than 1 GiB
 * or 16 passes, is PASSWORD_NO_MEMORY: it is not the person's fault. */
password_rc_t password_verify(const char *hash, slice_t password);

/* 1 when password_hash would make a better one: another scheme, or less memory or passes. */
int password_is_old(const char *hash);

/* As much work as password_verify does for a hash of ours, for nothing: there is no such account.
 * PASSWORD_WRONG or PASSWORD_NO_MEMORY. */
password_rc_t password_dummy(slice_t password);

#endif
