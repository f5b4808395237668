/*
 * macaroon.h - macaroons of the v2 binary format, as PyPI's tokens carry them.
 *
 * Pure: bytes in, bytes out; no clock, no I/O. sodium_init() must have been called once.
 * The reader is strict: minimal varints, fields in order, no trailing bytes, no third-party
 * caveats, a location (which may be absent) in UTF-8, exactly 32 bytes of signature. The signature
 * does not cover the location: never base a decision on it. Source: the macaroons paper (Birgisson
 * et al., 2014) for the chain, the libmacaroons v2 binary format for the bytes; HMAC-SHA256
 * throughout. All functions may be called from any thread on distinct macaroons.
 */
#ifndef PYPITOKEN_MACAROON_H
#define PYPITOKEN_MACAROON_H

#include "core/slice.h"
#include "core/verdict.h"

#define MACAROON_SIGNATURE_BYTES 32
#define MACAROON_KEY_BYTES       32    /* of a root key that this project makes */
#define MACAROON_MAX_BYTES       24570 /* binary; its text is within TOKEN_MAX_CHARS */
#define MACAROON_MAX_CAVEATS     128
#define MACAROON_MAX_LOCATION    255
#define MACAROON_MAX_IDENTIFIER  255

typedef struct macaroon_t {
    slice_t location; /* p is NULL when there is no such field; an empty one is another thing */
    slice_t identifier;
    apr_size_t n_caveats;
    slice_t caveats[MACAROON_MAX_CAVEATS];
    unsigned char signature[MACAROON_SIGNATURE_BYTES]; /* secret: wiped with the pool */
} macaroon_t;

/* Reads one binary macaroon. *out is allocated in pool (its signature is wiped when the pool goes);
 * its slices point into raw, which must outlive it.
 * VERDICT_ALLOWED, or TOKEN_MALFORMED, TOKEN_VERSION (v1 recognised), TOKEN_TOO_LONG; then *why,
 * if not NULL, gets a static text for the operator and *out is NULL. */
verdict_code_t macaroon_parse(macaroon_t **out, slice_t raw, const char **why, apr_pool_t *pool);

/* A new macaroon without caveats; key may have any length > 0. location and identifier are copied.
 * NULL when one of them is longer than its bound. */
macaroon_t *macaroon_create(slice_t location, slice_t identifier, slice_t key, apr_pool_t *pool);

/* Appends a first-party caveat (copied) and moves the signature on; needs no key.
 * 0, or -1 when the macaroon would get past its bounds (then it is unchanged). */
int macaroon_append(macaroon_t *m, slice_t caveat, apr_pool_t *pool);

/* 1 when the signature is the one that key makes; constant time in the signature. */
int macaroon_verify(const macaroon_t *m, slice_t key);

/* The running signature behind caveat i (0 <= i < n_caveats): that of the token which ends there.
 * Secret: the caller wipes out. */
void macaroon_running(const macaroon_t *m, slice_t key, apr_size_t i,
                      unsigned char out[MACAROON_SIGNATURE_BYTES]);

/* The binary form, allocated in pool and wiped with it: the bytes that were parsed, if they were.
 */
slice_t macaroon_serialize(const macaroon_t *m, apr_pool_t *pool);

/* n zero bytes in pool for something secret, wiped when the pool goes (pools themselves are not).
 */
char *macaroon_secret(apr_size_t n, apr_pool_t *pool);

#endif
