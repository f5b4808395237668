/*
 * password.h - argon2id hashes of passwords, by libsodium. Pure but for the salt; any thread.
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

/* *hash gets an encoded argon2id string in pool (64 MiB, 2 passes). */
password_rc_t password_hash(const char **hash, slice_t password, apr_pool_t *pool);

/* Holds password against an encoded hash. */
password_rc_t password_verify(const char *hash, slice_t password);

#endif
