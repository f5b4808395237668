/*
 * entry.h - people at the door: one check of name and password for every door of a request.
 *
 * TLS first, then access/login with the limits of limits.h and the providers of chain.h. What a
 * request was told once it is told again: internal redirects and sub-requests ask anew, and a code
 * is good once.
 */
#ifndef PYPITOKEN_ENTRY_H
#define PYPITOKEN_ENTRY_H

#include <httpd.h>

#include "access/login.h"

typedef struct entry_t {
    slice_t user, password;
    slice_t code; /* when code_field is set, see login_typed_t */
    int code_field;
    slice_t device;   /* see limits_hooks */
    const char *door; /* "basic", "form", "upload" */
} entry_t;

/* Refuses what tls_clear says of: TLS_REQUIRED in *v, whose sentence tells the person to change the
 * password that everybody on the way could read, and an event. Nothing was looked at. */
verdict_code_t entry_clear(request_rec *r, const char *door, verdict_t *v);

/* login_check's verdicts and TLS_REQUIRED; *out and *v as login_check fills them, in the pool of
 * the first of a chain of requests. PyPITokenSecondFactor is that of r's location. */
verdict_code_t entry_check(request_rec *r, const entry_t *entry, login_t *out, verdict_t *v);

#endif
