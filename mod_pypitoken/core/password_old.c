/* password_old.c - the hashes of htpasswd files; see password_old.h. */
#include "core/password_old.h"

#include <apr_errno.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/macaroon.h"

static const char password_old_crypt[] =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char password_old_base64[] =
    "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* ---- forms ---- */

/* Takes bytes of the set off the front, as many as there are; their number. */
static apr_size_t password_old_run(slice_t *s, const char *set)
{
    apr_size_t n = 0;

    while (n < s->n && s->p[n] && strchr(set, s->p[n])) {
        n++;
    }
    *s = slice_make(s->p + n, s->n - n);
    return n;
}

/* A decimal number of at most 7 digits, 0 when there is none. */
static long password_old_number(slice_t *s)
{
    slice_t digits = *s;
    apr_size_t i, n = password_old_run(s, "0123456789");
    long value = 0;

    for (i = 0; i < n && n <= 7; i++) {
        value = value * 10 + (digits.p[i] - '0');
    }
    return value;
}

static int password_old_is_bcrypt(slice_t s)
{
    apr_size_t before;
    long cost;

    if (!slice_skip(&s, "$2y$") && !slice_skip(&s, "$2b$") && !slice_skip(&s, "$2a$")) {
        return 0;
    }
    before = s.n;
    cost = password_old_number(&s);
    return before - s.n == 2 && cost >= 4 && cost <= PASSWORD_OLD_COST && slice_skip(&s, "$") &&
           password_old_run(&s, password_old_crypt) == 53 && s.n == 0;
}

static int password_old_is_apr1(slice_t s)
{
    apr_size_t salt;

    if (!slice_skip(&s, "$apr1$")) {
        return 0;
    }
    salt = password_old_run(&s, password_old_crypt);
    return salt >= 1 && salt <= 8 && slice_skip(&s, "$") &&
           password_old_run(&s, password_old_crypt) == 22 && s.n == 0;
}

static int password_old_is_sha1(slice_t s)
{
    return slice_skip(&s, "{SHA}") && password_old_run(&s, password_old_base64) == 27 &&
           slice_is(s, "=");
}

static int password_old_is_sha2(slice_t s, const char *prefix, apr_size_t length)
{
    apr_size_t salt;

    if (!slice_skip(&s, prefix)) {
        return 0;
    }
    if (slice_skip(&s, "rounds=")) {
        long rounds = password_old_number(&s);

        if (rounds < 1000 || rounds > PASSWORD_OLD_ROUNDS || !slice_skip(&s, "$")) {
            return 0;
        }
    }
    salt = password_old_run(&s, password_old_crypt);
    return salt >= 1 && salt <= 16 && slice_skip(&s, "$") &&
           password_old_run(&s, password_old_crypt) == length && s.n == 0;
}

password_old_t password_old_kind(slice_t hash)
{
    return password_old_is_bcrypt(hash)            ? PASSWORD_OLD_BCRYPT
           : password_old_is_apr1(hash)            ? PASSWORD_OLD_APR1
           : password_old_is_sha1(hash)            ? PASSWORD_OLD_SHA1
           : password_old_is_sha2(hash, "$5$", 43) ? PASSWORD_OLD_SHA256
           : password_old_is_sha2(hash, "$6$", 86) ? PASSWORD_OLD_SHA512
                                                   : PASSWORD_OLD_NONE;
}

const char *password_old_word(password_old_t kind)
{
    static const char *const words[] = {"unknown", "bcrypt", "apr1", "sha1", "sha-256", "sha-512"};

    return words[kind];
}

/* ---- verifying ---- */

password_rc_t password_old_verify(const char *hash, slice_t password)
{
    password_old_t kind = password_old_kind(slice_of(hash));
    password_rc_t rc = PASSWORD_NO_MEMORY;
    apr_pool_t *pool;
    apr_status_t rv;
    char *text, *known;

    if (kind == PASSWORD_OLD_NONE) {
        return PASSWORD_NO_MEMORY;
    }
    if (password.n > PASSWORD_MAX || (password.n && memchr(password.p, '\0', password.n)) ||
        (kind == PASSWORD_OLD_BCRYPT && password.n > PASSWORD_OLD_BCRYPT_MAX)) {
        return PASSWORD_WRONG;
    }
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return PASSWORD_NO_MEMORY;
    }
    text = macaroon_secret(password.n + 1, pool);
    if (password.n) {
        memcpy(text, password.p, password.n);
    }
    known = apr_pstrdup(pool, hash);
    if (kind == PASSWORD_OLD_BCRYPT) {
        known[2] = known[2] == 'b' ? 'y' : known[2]; /* two names of one thing */
    }
    rv = apr_password_validate(text, known);
    if (rv == APR_SUCCESS) {
        rc = PASSWORD_OK;
    } else if (rv == APR_EMISMATCH) {
        rc = PASSWORD_WRONG;
    }
    apr_pool_destroy(pool); /* wipes text */
    return rc;
}
