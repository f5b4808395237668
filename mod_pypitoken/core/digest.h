/*
 * digest.h - SHA-256 and HMAC-SHA-256 by OpenSSL, which uses what the processor has for them.
 *
 * Five times libsodium's speed on processors with SHA instructions. Should OpenSSL refuse (no
 * memory, a policy), what comes out is random: it equals nothing, and whoever compares refuses.
 * Pure; one thread at a time for each digest_t. OpenSSL wipes what it held.
 */
#ifndef PYPITOKEN_DIGEST_H
#define PYPITOKEN_DIGEST_H

#include "core/slice.h"

#define DIGEST_BYTES 32
#define DIGEST_HEX   (2 * DIGEST_BYTES + 1)

struct evp_md_ctx_st;

/* Good for any number of digests, one after the other. */
typedef struct digest_t {
    struct evp_md_ctx_st *context; /* NULL: there is none to be had */
    int failed;
} digest_t;

/* digest_close must follow, whatever happens. */
void digest_open(digest_t *d);
void digest_close(digest_t *d);

/* One that is closed with pool. */
digest_t *digest_make(apr_pool_t *pool);

/* SHA-256 of all that update brought since start. Nothing may be asked of it in between. */
void digest_start(digest_t *d);
void digest_update(digest_t *d, const void *bytes, apr_size_t n);
void digest_finish(digest_t *d, unsigned char sum[DIGEST_BYTES]);

/* In hexadecimal, with a NUL. */
void digest_hex(char hex[DIGEST_HEX], const unsigned char sum[DIGEST_BYTES]);

/* RFC 2104, for a key of any length; out may be key. */
void digest_hmac(digest_t *d, slice_t key, slice_t message, unsigned char out[DIGEST_BYTES]);

#endif
