/*
 * session.h - what a browser holds for us in a cookie: sealed, bound, and with an end.
 *
 * One form for three purposes (session_kind_t), told apart by the seal, so that none is taken for
 * another:
 *   SESSION_PERSON  somebody signed in: name, epoch, when, with how many factors
 *   SESSION_DEVICE  a browser in which somebody signed in before, for the throttle
 *   SESSION_FORM    a sign-in form was given to this browser; no name
 * XChaCha20-Poly1305 with a random nonce; the associated data holds kind and service, so a seal of
 * one service is nothing to another with the same keys. A seal says nothing about whether a person
 * is still who he was: the caller compares the epoch with the store's, and asks whether the id was
 * signed out.
 *
 * Pure; any thread; sodium_init() must have been called. Sources: RFC 6265 section 4.1.1 (what a
 * cookie's value may hold), draft-irtf-cfrg-xchacha.
 */
#ifndef PYPITOKEN_SESSION_H
#define PYPITOKEN_SESSION_H

#include "core/seam.h"
#include "core/slice.h"

#define SESSION_KEY      32
#define SESSION_ID       16
#define SESSION_NAME_MAX 512 /* of a user, bytes: a cookie may have 4096 in all */

typedef enum session_kind_t { SESSION_PERSON = 1, SESSION_DEVICE, SESSION_FORM } session_kind_t;

typedef struct session_t {
    slice_t user; /* name of the account; empty for SESSION_FORM */
    apr_int64_t epoch;
    apr_int64_t issued, expires; /* Unix seconds; good from issued on, until expires */
    int factors;
    unsigned char id[SESSION_ID];
} session_t;

/* Draws a new id. 0, or -1: no random bytes. */
int session_id(session_t *s, const seam_t *seam);

/* The cookie's value, base64url, in pool. NULL: no random bytes, or a name that is too long. */
const char *session_seal(const session_t *s, session_kind_t kind, slice_t service,
                         const unsigned char key[SESSION_KEY], const seam_t *seam,
                         apr_pool_t *pool);

/* 0 and *out filled (user in pool), or -1: not sealed by this key for this kind and service, not
 * begun, or past its end. */
int session_open(session_t *out, slice_t value, session_kind_t kind, slice_t service,
                 const unsigned char key[SESSION_KEY], apr_int64_t now, apr_pool_t *pool);

/* A token against forged requests, 32 characters of base64url: a MAC under key of what it is bound
 * to (a session's id, or a person and epoch). In pool. */
#define SESSION_CSRF 24
const char *session_csrf(const unsigned char key[SESSION_KEY], const slice_t *bound, apr_size_t n,
                         apr_pool_t *pool);

/* 1 when text is that token. Constant time. */
int session_csrf_is(slice_t text, const char *token);

#endif
