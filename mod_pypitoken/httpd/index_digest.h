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

#include "core/digest.h"

#define INDEX_DIGEST_HEX DIGEST_HEX

/* Keep it on the stack: libsodium's states are aligned to 64 bytes, pool memory is not. */
typedef struct index_digest_t {
    const char *md5, *blake2, *sha256; /* as sent, "" for none */
    const char *known;                 /* SHA-256 that the parser has made, or NULL */
    digest_t *state;
    crypto_generichash_state blake2_state;
    apr_md5_ctx_t md5_state;
    unsigned char sum[DIGEST_BYTES]; /* SHA-256, after finish */
} index_digest_t;

/* Starts; all strings must outlive d, and d must not outlive pool. SHA-256 is always made, unless
 * known has the 64 digits of it (upload_form_t.content_sha256) and is not NULL; the others are made
 * when sent. */
void index_digest_start(index_digest_t *d, const char *md5, const char *sha256, const char *blake2,
                        const char *known, apr_pool_t *pool);

void index_digest_update(index_digest_t *d, const char *p, apr_size_t n);

/* 1 when there is something to make of the bytes. */
int index_digest_wanted(const index_digest_t *d);

/* The same form has come to its end and declares md5, sha256 and blake2. 1 when one of them was not
 * known at the start and is not being made: start again with these, and the bytes from the first
 * on. */
int index_digest_late(index_digest_t *d, const char *md5, const char *sha256, const char *blake2);

/* Ends. NULL when the file has every digest that was sent, else the name of the first that it has
 * not ("sha256 digest"). d->sum is set either way. */
const char *index_digest_finish(index_digest_t *d);

/* The 64 digits of a SHA-256 and a NUL. */
void index_digest_hex(char hex[INDEX_DIGEST_HEX], const unsigned char *sum);

#endif
