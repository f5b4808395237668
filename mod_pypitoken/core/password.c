/* password.c - argon2id by libsodium, with its failures told apart; see password.h. */
#include "core/password.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/password_old.h"

/* Written out: a newer libsodium must not change what this project stores. */
#define PASSWORD_PASSES 2
#define PASSWORD_MEMORY (64 * 1024 * 1024)

/* What a row may ask for at most: one row must not stop the server. */
#define PASSWORD_MOST_PASSES 16
#define PASSWORD_MOST_KIB    (1024 * 1024)

#define PASSWORD_SALT crypto_pwhash_argon2id_SALTBYTES
#define PASSWORD_KEY  32

typedef struct password_parts_t {
    apr_uint64_t kib;
    apr_uint64_t passes;
    unsigned char salt[PASSWORD_SALT];
    unsigned char key[PASSWORD_KEY];
} password_parts_t;

/* libsodium is never given NULL, not even with no bytes. */
static const char *password_bytes(slice_t password)
{
    return password.n ? password.p : "";
}

password_rc_t password_hash(const char **hash, slice_t password, apr_pool_t *pool)
{
    char text[crypto_pwhash_argon2id_STRBYTES];
    password_rc_t rc = PASSWORD_NO_MEMORY;

    *hash = NULL;
    if (password.n > PASSWORD_MAX) {
        return PASSWORD_WRONG;
    }
    if (crypto_pwhash_argon2id_str(text, password_bytes(password), password.n, PASSWORD_PASSES,
                                   PASSWORD_MEMORY) == 0) {
        *hash = apr_pstrdup(pool, text);
        rc = PASSWORD_OK;
    }
    sodium_memzero(text, sizeof(text));
    return rc;
}

/* A decimal number from 1 to most. */
static int password_number(slice_t *s, apr_uint64_t most, apr_uint64_t *out)
{
    *out = 0;
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9' && *out <= most) {
        *out = *out * 10 + (apr_uint64_t)(s->p[0] - '0');
        s->p++;
        s->n--;
    }
    return *out >= 1 && *out <= most;
}

/* Exactly n bytes in unpadded base64. */
static int password_base64(slice_t *s, unsigned char *out, apr_size_t n)
{
    const char *end = s->p;
    size_t got = 0;

    if (sodium_base642bin(out, n, s->p, s->n, NULL, &got, &end,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
        got != n) {
        return 0;
    }
    s->n -= (apr_size_t)(end - s->p);
    s->p = end;
    return 1;
}

/* The encoded form of the argon2 reference implementation, one lane, version 1.3. */
static int password_read(password_parts_t *out, slice_t s)
{
    return slice_skip(&s, "$argon2id$v=19$m=") &&
           password_number(&s, PASSWORD_MOST_KIB, &out->kib) && slice_skip(&s, ",t=") &&
           password_number(&s, PASSWORD_MOST_PASSES, &out->passes) && slice_skip(&s, ",p=1$") &&
           password_base64(&s, out->salt, sizeof(out->salt)) && slice_skip(&s, "$") &&
           password_base64(&s, out->key, sizeof(out->key)) && s.n == 0;
}

/* Not crypto_pwhash_str_verify: it reports want of memory as a mismatch, errno included, and a
 * loaded server would then tell people that their passwords are wrong. */
password_rc_t password_verify(const char *hash, slice_t password)
{
    unsigned char key[PASSWORD_KEY];
    password_parts_t parts;
    password_rc_t rc = PASSWORD_NO_MEMORY;

    if (!hash || !*hash || password.n > PASSWORD_MAX) {
        return PASSWORD_WRONG;
    }
    if (!password_read(&parts, slice_of(hash))) {
        rc = password_old_verify(hash, password);
        goto out;
    }
    if (crypto_pwhash_argon2id(key, sizeof(key), password_bytes(password), password.n, parts.salt,
                               parts.passes, (size_t)parts.kib * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0) {
        rc = sodium_memcmp(key, parts.key, sizeof(key)) == 0 ? PASSWORD_OK : PASSWORD_WRONG;
    }

out:
    sodium_memzero(key, sizeof(key));
    sodium_memzero(&parts, sizeof(parts));
    return rc;
}

int password_is_old(const char *hash)
{
    password_parts_t parts;
    int old = !password_read(&parts, slice_of(hash)) || parts.passes < PASSWORD_PASSES ||
              parts.kib < PASSWORD_MEMORY / 1024;

    sodium_memzero(&parts, sizeof(parts));
    return old;
}

password_rc_t password_dummy(slice_t password)
{
    static const unsigned char salt[PASSWORD_SALT] = "nobody's salt..";
    unsigned char key[PASSWORD_KEY];
    password_rc_t rc = PASSWORD_NO_MEMORY;

    if (password.n > PASSWORD_MAX) {
        return PASSWORD_WRONG;
    }
    if (crypto_pwhash_argon2id(key, sizeof(key), password_bytes(password), password.n, salt,
                               PASSWORD_PASSES, PASSWORD_MEMORY,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0) {
        rc = PASSWORD_WRONG;
    }
    sodium_memzero(key, sizeof(key));
    return rc;
}
