/* digest.c - SHA-256 and HMAC; see digest.h. */
#include "core/digest.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#define DIGEST_BLOCK 64 /* bytes that SHA-256 takes at a time */

/* The first start looks the algorithm up, which costs as much as hashing a short text; the others
 * go on with what the context has. */
void digest_open(digest_t *d)
{
    d->context = EVP_MD_CTX_new();
    d->failed = !d->context || EVP_DigestInit_ex(d->context, EVP_sha256(), NULL) != 1;
}

void digest_close(digest_t *d)
{
    EVP_MD_CTX_free(d->context);
    d->context = NULL;
    d->failed = 1;
}

static apr_status_t digest_end(void *data)
{
    digest_close(data);
    return APR_SUCCESS;
}

digest_t *digest_make(apr_pool_t *pool)
{
    digest_t *d = apr_palloc(pool, sizeof(*d));

    digest_open(d);
    apr_pool_cleanup_register(pool, d, digest_end, apr_pool_cleanup_null);
    return d;
}

void digest_start(digest_t *d)
{
    if (!d->context || EVP_DigestInit_ex(d->context, NULL, NULL) != 1) {
        d->failed = 1;
    }
}

void digest_update(digest_t *d, const void *bytes, apr_size_t n)
{
    if (n && !d->failed && EVP_DigestUpdate(d->context, bytes, n) != 1) {
        d->failed = 1;
    }
}

void digest_finish(digest_t *d, unsigned char sum[DIGEST_BYTES])
{
    if (d->failed || EVP_DigestFinal_ex(d->context, sum, NULL) != 1) {
        d->failed = 1;
        randombytes_buf(sum, DIGEST_BYTES);
    }
}

void digest_hex(char hex[DIGEST_HEX], const unsigned char sum[DIGEST_BYTES])
{
    sodium_bin2hex(hex, DIGEST_HEX, sum, DIGEST_BYTES);
}

static void digest_one(digest_t *d, const unsigned char pad[DIGEST_BLOCK], slice_t message,
                       unsigned char out[DIGEST_BYTES])
{
    digest_start(d);
    digest_update(d, pad, DIGEST_BLOCK);
    digest_update(d, message.p, message.n);
    digest_finish(d, out);
}

void digest_hmac(digest_t *d, slice_t key, slice_t message, unsigned char out[DIGEST_BYTES])
{
    unsigned char inner[DIGEST_BLOCK], outer[DIGEST_BLOCK], sum[DIGEST_BYTES];
    int i;

    memset(inner, 0, sizeof(inner));
    if (key.n > DIGEST_BLOCK) {
        digest_start(d);
        digest_update(d, key.p, key.n);
        digest_finish(d, inner);
    } else if (key.n) {
        memcpy(inner, key.p, key.n);
    }
    for (i = 0; i < DIGEST_BLOCK; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    digest_one(d, inner, message, sum);
    digest_one(d, outer, slice_make((const char *)sum, sizeof(sum)), out);
    sodium_memzero(inner, sizeof(inner));
    sodium_memzero(outer, sizeof(outer));
    sodium_memzero(sum, sizeof(sum));
}
