/* signed.c - signatures that others have made; see signed.h. */
#include "core/signed.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <string.h>

/* A DER signature on P-256 has at most 72 bytes. */
#define SIGNED_MAX 72

struct signed_key_t {
    EVP_PKEY *key;
};

static apr_status_t signed_key_free(void *data)
{
    EVP_PKEY_free(((signed_key_t *)data)->key);
    return APR_SUCCESS;
}

/* 1 for a key on P-256, by both names that the curve goes by. */
static int signed_key_fits(const EVP_PKEY *key)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    char name[40];
    size_t n;

    return EVP_PKEY_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name, sizeof(name), &n) == 1 &&
           OBJ_txt2nid(name) == NID_X9_62_prime256v1;
#else
    const EC_KEY *ec =
        EVP_PKEY_base_id(key) == EVP_PKEY_EC ? EVP_PKEY_get0_EC_KEY((EVP_PKEY *)key) : NULL;

    return ec && EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) == NID_X9_62_prime256v1;
#endif
}

signed_key_t *signed_key_read(slice_t pem, apr_pool_t *pool)
{
    slice_t text = slice_trim(pem);
    signed_key_t *key;
    EVP_PKEY *read = NULL;
    BIO *bio;

    if (!slice_starts(text, "-----BEGIN PUBLIC KEY-----") || text.n > 4096) {
        return NULL;
    }
    bio = BIO_new_mem_buf(text.p, (int)text.n);
    if (bio) {
        read = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        if (read && BIO_pending(bio) > 0) { /* something stands behind it */
            EVP_PKEY_free(read);
            read = NULL;
        }
        BIO_free(bio);
    }
    if (!read || !signed_key_fits(read)) {
        EVP_PKEY_free(read);
        return NULL;
    }
    key = apr_palloc(pool, sizeof(*key));
    key->key = read;
    apr_pool_cleanup_register(pool, key, signed_key_free, apr_pool_cleanup_null);
    return key;
}

int signed_holds(const signed_key_t *key, slice_t body, slice_t signature)
{
    EVP_MD_CTX *context;
    int holds = 0;

    if (signature.n == 0 || signature.n > SIGNED_MAX) {
        return 0;
    }
    context = EVP_MD_CTX_new();
    if (context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->key) == 1) {
        holds = EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
                                 (const unsigned char *)body.p, body.n) == 1;
    }
    EVP_MD_CTX_free(context);
    return holds;
}
