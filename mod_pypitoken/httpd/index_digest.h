/*
 * index_digest.h - the digests of an uploaded file, and whether they are those the form names.
 *
 * Pure; one thread at a time. Sources: the upload form's md5_digest, sha256_digest and
 * blake2_256_digest; md5 also in the urlsafe base64 of RFC 4648 that some clients send.
 */
#ifndef PYPITOKEN_INDEX_DIGEST_H
#define PYPITOKEN_INDEX_DIGEST_H

#include <apr_md5.h>
#include <sodium.h>

#include "core/slice.h"

#define INDEX_DIGEST_HEX (crypto_hash_sha256_BYTES * 2 + 1)

/* Keep it on the stack: libsodium's states are aligned to 64 bytes, pool memory is not. */
typedef struct index_digest_t {
    const char *md5, *blake2, *sha256; /* as sent, "" for none */
    crypto_hash_sha256_state state;
    crypto_generichash_state blake2_state;
    apr_md5_ctx_t md5_state;
    unsigned char sum[crypto_hash_sha256_BYTES]; /* SHA-256, after finish */
} index_digest_t;

/* Starts; the strings of the form must outlive d. SHA-256 is always made, the others when sent. */
void index_digest_start(index_digest_t *d, const char *md5, const char *sha256, const char *blake2);

void index_digest_update(index_digest_t *d, const char *p, apr_size_t n);

/* Ends. NULL when the file has every digest that was sent, else the name of the first that it has
 * not ("sha256 digest"). d->sum is set either way. */
const char *index_digest_finish(index_digest_t *d);

/* The 64 digits of a SHA-256 and a NUL. */
void index_digest_hex(char hex[INDEX_DIGEST_HEX], const unsigned char *sum);

#endif
