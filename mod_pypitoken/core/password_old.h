/*
 * password_old.h - hashes that came along from elsewhere: the schemes of htpasswd files.
 *
 * Verified by apr-util (bcrypt, apr1, SHA-1) and the system's crypt (SHA-256, SHA-512), and
 * replaced by argon2id at the first login that they let in. What is not exactly of one of these
 * forms is no hash: nothing falls through to DES or to comparing clear text, as
 * apr_password_validate does. Any thread. Source: httpd's htpasswd and "Password Formats",
 * Drepper's SHA-crypt specification.
 */
#ifndef PYPITOKEN_PASSWORD_OLD_H
#define PYPITOKEN_PASSWORD_OLD_H

#include "core/password.h"

typedef enum password_old_t {
    PASSWORD_OLD_NONE,
    PASSWORD_OLD_BCRYPT, /* $2y$ (also $2a$, $2b$), cost up to PASSWORD_OLD_COST */
    PASSWORD_OLD_APR1,   /* $apr1$ */
    PASSWORD_OLD_SHA1,   /* {SHA} */
    PASSWORD_OLD_SHA256, /* $5$, rounds up to PASSWORD_OLD_ROUNDS */
    PASSWORD_OLD_SHA512  /* $6$, likewise */
} password_old_t;

/* What a row may ask for at most: about two seconds. */
#define PASSWORD_OLD_COST   15
#define PASSWORD_OLD_ROUNDS 2000000

/* bcrypt looks at no more than this: longer passwords cannot be told apart, and are WRONG. */
#define PASSWORD_OLD_BCRYPT_MAX 72

password_old_t password_old_kind(slice_t hash);

/* The kind in a word, for people. */
const char *password_old_word(password_old_t kind);

/* As password_verify; PASSWORD_NO_MEMORY too for what is no hash of these kinds. */
password_rc_t password_old_verify(const char *hash, slice_t password);

#endif
