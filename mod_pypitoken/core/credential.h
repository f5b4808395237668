/*
 * credential.h - the Authorization header, read: a token, or a person's name and password.
 *
 * Pure; any thread; sodium_init() must have been called. The caller bounds the header's length
 * (httpd does, with LimitRequestFieldSize).
 * Source: RFC 9110 section 11.4 (the header), RFC 7617 (Basic; no control characters in either
 * half), PyPI's upload API (user name __token__, and the schemes Bearer and token).
 */
#ifndef PYPITOKEN_CREDENTIAL_H
#define PYPITOKEN_CREDENTIAL_H

#include "core/slice.h"
#include "core/verdict.h"

/* The user name that goes with a token. */
#define CREDENTIAL_TOKEN_USER "__token__"

typedef enum credential_kind_t {
    CREDENTIAL_TOKEN, /* token holds what is to be one: it was not looked at */
    CREDENTIAL_PERSON /* user is not empty; password may be; neither looks like a token */
} credential_kind_t;

typedef struct credential_t {
    credential_kind_t kind;
    slice_t token;          /* without white space around it */
    slice_t user, password; /* of a person, byte for byte; without control characters, so no NUL */
} credential_t;

/* Reads the value of an Authorization header. The slices point into the header or into memory of
 * pool that is wiped with it.
 *
 *   VERDICT_ALLOWED         *out is filled
 *   NO_CREDENTIALS          the header is empty
 *   CREDENTIALS_MALFORMED   another scheme, not one spelling of base64, no colon, no user name,
 *                           control characters; two headers that were joined into one
 *   USER_NOT_TOKEN          a token sent under another name than __token__, or as the name
 *
 * Where it is not VERDICT_ALLOWED, *out is empty. */
verdict_code_t credential_read(credential_t *out, slice_t header, apr_pool_t *pool);

/* 1 when a name and a password, which may have come another way than by this header, belong to a
 * token: the name is __token__, or one of the two looks like a token. */
int credential_is_token(slice_t user, slice_t password);

#endif
