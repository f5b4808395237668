/*
 * signed.h - signatures that others have made: ECDSA over P-256 with SHA-256, as code hosts sign
 * what they report. OpenSSL does the work. Pure; a key may be used by any number of threads.
 */
#ifndef PYPITOKEN_SIGNED_H
#define PYPITOKEN_SIGNED_H

#include "core/slice.h"

typedef struct signed_key_t signed_key_t;

/* A public key in PEM ("BEGIN PUBLIC KEY"); freed with the pool. NULL: not one of a key on P-256,
 * or something stands around it. */
signed_key_t *signed_key_read(slice_t pem, apr_pool_t *pool);

/* 1 when signature (DER) is that key's over the bytes of body. */
int signed_holds(const signed_key_t *key, slice_t body, slice_t signature);

#endif
