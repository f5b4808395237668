/*
 * token.h - the token string: "pypi-" and a base64url macaroon.
 *
 * Pure; any thread. Token texts and macaroons made here are wiped with their pool.
 */
#ifndef PYPITOKEN_TOKEN_H
#define PYPITOKEN_TOKEN_H

#include "core/macaroon.h"

#define TOKEN_PREFIX     "pypi-"
#define TOKEN_MAX_CHARS  32768 /* of the whole text, prefix and padding included */
#define TOKEN_UUID_CHARS 36

/* 1 when the trimmed text begins like a token of ours ("pypi-"). */
int token_looks_like(slice_t text);

/* Trims ASCII white space, takes off the prefix and the base64url (padding optional, but if there
 * then exact; no other character), parses the macaroon. As macaroon_parse; the bytes live in pool.
 * The identifier must be a lower-case UUID, else TOKEN_UNKNOWN. */
verdict_code_t token_parse(macaroon_t **out, slice_t text, const char **why, apr_pool_t *pool);

/* The text of a macaroon, without padding, NUL-terminated, in pool, wiped with it. */
char *token_format(const macaroon_t *m, apr_pool_t *pool);

/* What a new token is made of. */
typedef struct token_grant_t {
    slice_t service;            /* written as location */
    slice_t identifier;         /* lower-case UUID */
    slice_t key;                /* MACAROON_KEY_BYTES of root key */
    slice_t user_id;            /* lower-case UUID: makes [3,user] when there are no projects */
    const slice_t *projects;    /* normalised names: make [1,[..]] and [2,[..]] */
    const slice_t *project_ids; /* as many; an empty id (project not made yet) omits [2,..] */
    apr_size_t n_projects;
    apr_int64_t expires;    /* Unix seconds, 0 for never: makes [0,exp,nbf] */
    apr_int64_t not_before; /* used with expires */
} token_grant_t;

/* A macaroon as PyPI mints it; NULL when a bound is exceeded, when the identifier is no UUID, the
 * key not MACAROON_KEY_BYTES long, a text not UTF-8, or when there is neither project nor user. */
macaroon_t *token_mint(const token_grant_t *grant, apr_pool_t *pool);

/* A regular expression, as scanners of every kind take it, for the tokens of a service and what is
 * derived from them: "pypi-", what service and format make of the beginning, and as many characters
 * as the shortest has. In pool; NULL for a service that no token can have. */
char *token_pattern(slice_t service, apr_pool_t *pool);

/* 1 when s is a UUID in lower case with hyphens. */
int token_is_uuid(slice_t s);

/* A random (version 4) UUID from 16 random bytes, 36 characters and NUL, in pool. */
char *token_uuid(const unsigned char random[16], apr_pool_t *pool);

#endif
