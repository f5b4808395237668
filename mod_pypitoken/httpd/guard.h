/*
 * guard.h - the guard of an upload location: what it decided, for whoever runs behind it.
 *
 * httpd/ rooms only. One state per upload, kept at the initial request and found again through
 * r->prev and r->main; it lives in that request's pool.
 */
#ifndef PYPITOKEN_GUARD_H
#define PYPITOKEN_GUARD_H

#include <httpd.h>

#include "core/upload.h"
#include "core/verdict.h"

/* An upload that passed: but for guard_taken nothing here before the whole body was checked and
 * permitted. */
typedef struct guard_pass_t {
    const upload_form_t *form;
    const char *user;        /* owner of the token, or who gave a password */
    const char *token_id;    /* NULL: a password */
    apr_int64_t body_length; /* of the whole form, as the handler will read it; -1 until judged */
    int kept;             /* a file in packages that has no name and is the body from content_offset
                             on: spool_offered; -1: there is none */
    const char *packages; /* PyPITokenPackages where the body was read; NULL: none */
} guard_pass_t;

/* The pass of this request (or of the request it came from), NULL when there is none. */
const guard_pass_t *guard_passed(request_rec *r);

/* The same for the built-in index, which keeps what it reads to itself until there is a verdict: a
 * pass also while the file is on its way, and from here on it may be read. Until body_length is
 * told, form is what upload_named gives, and what is read from content_offset on is content and
 * nothing else; a reading that fails means that the client has been refused. */
const guard_pass_t *guard_taken(request_rec *r);

/* Hooks: access, authn, authz, fixups seatbelt, handler for GET, input filter, log. */
void guard_register(apr_pool_t *p);

#endif
