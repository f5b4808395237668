/*
 * person.h - what people type: a name, a password, and the code of a second factor behind it.
 *
 * Where there is one field for password and code (Basic authentication, twine's prompt), the code
 * is the end of it, with or without one comma or one space before it:
 *
 *     correct horse123456     correct horse,123456     correct horse 123 456
 *     correct horse,bcdfg-hjkmn-pqrst-vwxyz            (a recovery code)
 *
 * There is never more than one way to read that: the last digits of an account with 6-digit codes
 * are its last 6, a recovery code has no digits, and at most one separator is taken away. Whoever
 * has a password that ends with a comma or a space puts another one behind it. So one password
 * hash is all that a login ever costs.
 *
 * Pure; any thread. Source: RFC 8265 section 4.2 (OpaqueString), UAX 15 (NFC, NFKC), UAX 31
 * (identifiers alike).
 */
#ifndef PYPITOKEN_PERSON_H
#define PYPITOKEN_PERSON_H

#include "core/recovery.h"
#include "core/slice.h"

#define PERSON_NAME_MAX  64  /* bytes of an account's name */
#define PERSON_TYPED_MAX 255 /* bytes of a name that somebody typed; longer ones are nobody's */

/* Names go into Basic credentials, logs and URLs: letters, digits and . _ @ + - of ASCII, a letter
 * or digit first. "__token__" is none. */
int person_name_valid(slice_t name);

/* A name as those see it who take more than one spelling for the same (LDAP directories do):
 * without case, width, marks, white space and what cannot be seen. Bytes that are not UTF-8 are
 * compared as they are. Two names that fold alike belong to one person. In pool. */
const char *person_fold(slice_t name, apr_pool_t *pool);

/* The bytes that a password is hashed as, so that every keyboard gives the same: NFC, every kind of
 * space the ASCII one. What is not UTF-8 stays as it is. In pool, wiped with it. */
slice_t person_normal(slice_t password, apr_pool_t *pool);

typedef enum person_kind_t {
    PERSON_CODE_NONE,
    PERSON_CODE_TOTP,    /* digits */
    PERSON_CODE_RECOVERY /* RECOVERY_LETTERS lower-case letters */
} person_kind_t;

typedef struct person_code_t {
    person_kind_t kind;
    apr_size_t n;
    char text[RECOVERY_LETTERS + 1]; /* with a NUL; wiped by the caller */
} person_code_t;

/* Takes password and code apart. digits: of the account's codes. *password points into typed;
 * without a code (kind NONE) it is all of typed. */
void person_split(slice_t *password, person_code_t *code, slice_t typed, int digits);

/* The code of a field of its own; white space anywhere in it does not count. */
void person_code(person_code_t *code, slice_t field, int digits);

/* 1 when typed ends with what could be anybody's code: 6 or 8 digits, or a recovery code. */
int person_coded(slice_t typed);

#endif
