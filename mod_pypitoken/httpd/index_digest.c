/* index_digest.c - checks what the client says about the file; see index_digest.h. */
#include "httpd/index_digest.h"

#include <string.h>

/* blake2_256_digest is BLAKE2b with 32 bytes, but Python's own distutils sends the full 64. The
 * length is a parameter of the hash, so it must be known before the first byte. */
static size_t index_digest_blake2_size(const char *text)
{
    return strlen(text) == crypto_generichash_BYTES_MAX * 2 ? crypto_generichash_BYTES_MAX
                                                            : crypto_generichash_BYTES;
}

void index_digest_start(index_digest_t *d, const char *md5, const char *sha256, const char *blake2,
                        const char *known, apr_pool_t *pool)
{
    memset(d, 0, sizeof(*d));
    d->md5 = md5 ? md5 : "";
    d->sha256 = sha256 ? sha256 : "";
    d->blake2 = blake2 ? blake2 : "";
    d->known = known;
    d->state = known ? NULL : digest_make(pool);
    crypto_generichash_init(&d->blake2_state, NULL, 0, index_digest_blake2_size(d->blake2));
    apr_md5_init(&d->md5_state);
}

void index_digest_update(index_digest_t *d, const char *p, apr_size_t n)
{
    if (d->state) {
        digest_update(d->state, p, n);
    }
    if (*d->blake2) {
        crypto_generichash_update(&d->blake2_state, (const unsigned char *)p, n);
    }
    if (*d->md5) {
        apr_md5_update(&d->md5_state, p, n);
    }
}

int index_digest_wanted(const index_digest_t *d)
{
    return d->state || *d->blake2 || *d->md5;
}

int index_digest_late(index_digest_t *d, const char *md5, const char *sha256, const char *blake2)
{
    d->sha256 = sha256;
    return (*md5 && !*d->md5) || (*blake2 && !*d->blake2);
}

void index_digest_hex(char hex[INDEX_DIGEST_HEX], const unsigned char *sum)
{
    digest_hex(hex, sum);
}

/* 1 when text is the n bytes at sum in hexadecimal, in either case. */
static int index_digest_is_hex(const char *text, const unsigned char *sum, size_t n)
{
    unsigned char bin[crypto_generichash_BYTES_MAX];
    size_t got = 0;

    return strlen(text) == n * 2 &&
           sodium_hex2bin(bin, sizeof(bin), text, n * 2, NULL, &got, NULL) == 0 && got == n &&
           memcmp(bin, sum, n) == 0;
}

/* 1 when text is the n bytes at sum in base64, urlsafe or not, padded or not. */
static int index_digest_is_base64(const char *text, const unsigned char *sum, size_t n)
{
    static const int variants[] = {
        sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING,
        sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING};
    unsigned char bin[crypto_generichash_BYTES_MAX];
    size_t i, got = 0, length = strlen(text);

    for (i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
        if (sodium_base642bin(bin, sizeof(bin), text, length, NULL, &got, NULL, variants[i]) == 0 &&
            got == n) {
            return memcmp(bin, sum, n) == 0;
        }
    }
    return 0;
}

/* Into d->sum; 0 when there is none to be had. */
static int index_digest_sum(index_digest_t *d)
{
    size_t got = 0;

    if (!d->state) {
        return sodium_hex2bin(d->sum, sizeof(d->sum), d->known, strlen(d->known), NULL, &got,
                              NULL) == 0 &&
               got == sizeof(d->sum);
    }
    digest_finish(d->state, d->sum);
    return !d->state->failed;
}

const char *index_digest_finish(index_digest_t *d)
{
    unsigned char md5[APR_MD5_DIGESTSIZE], blake2[crypto_generichash_BYTES_MAX];
    size_t size = index_digest_blake2_size(d->blake2);

    apr_md5_final(md5, &d->md5_state);
    crypto_generichash_final(&d->blake2_state, blake2, size);
    if (!index_digest_sum(d) ||
        (*d->sha256 && !index_digest_is_hex(d->sha256, d->sum, sizeof(d->sum)))) {
        return "sha256 digest";
    }
    if (*d->blake2 && !index_digest_is_hex(d->blake2, blake2, size)) {
        return "blake2_256 digest";
    }
    if (*d->md5 && !index_digest_is_hex(d->md5, md5, sizeof(md5)) &&
        !index_digest_is_base64(d->md5, md5, sizeof(md5))) {
        return "md5 digest";
    }
    return NULL;
}
