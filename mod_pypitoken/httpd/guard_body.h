/*
 * guard_body.h - the body of an upload: read, spooled, judged.
 *
 * Where nobody may see a byte before the verdict (the rule), guard_body does it all. With
 * PyPITokenStream it stops as soon as it is known whose file comes, and guard_stream.c reads on
 * with guard_body_read while a handler takes what is safe: the built-in index where there is one
 * (PyPITokenPackages), and nobody else then. One thread: the request's.
 */
#ifndef PYPITOKEN_GUARD_BODY_H
#define PYPITOKEN_GUARD_BODY_H

#include "httpd/guard_state.h"

#include <util_filter.h>

struct guard_body_t {
    guard_state_t *g;
    upload_t *upload;
    apr_off_t max;
    int stream;           /* PyPITokenStream, and nothing speaks against it */
    int withheld;         /* nobody but the built-in index reads before the verdict */
    const char *packages; /* where a file would be kept that is judged as a whole; NULL: nowhere, or
                             the spool knows */
    int eos;              /* the body has come to its end */
    int answered;         /* another module's filter has answered in our place */
};

/* Checks the request's headers, reads the body into g->spool through the form's parser and asks
 * permit_upload. DECLINED and GUARD_PERMITTED (the Require lines come next), or the status to
 * return: a denial's, or AP_FILTER_ERROR when somebody has answered already. From here on the
 * request reads through the guard: there are modules that read the body in fixups (mod_security2),
 * and what they find is what the handler will get.
 * With PyPITokenStream, g->body->eos tells whether it is judged already. */
int guard_body(request_rec *r, guard_state_t *g);

/* Reads once from f and below. OK, and g->verdict says whether all is well so far; DECLINED when
 * block is APR_NONBLOCK_READ and nothing has come. */
int guard_body_read(guard_body_t *b, request_rec *r, ap_filter_t *f, apr_read_type_e block);

/* At the end of the body: the form as a whole, then scope and role. VERDICT_ALLOWED, or g->verdict
 * tells. */
verdict_code_t guard_body_judge(guard_body_t *b, request_rec *r);

/* What a hook returns for a body that did not pass: the denial's status or AP_FILTER_ERROR. */
int guard_body_refuse(guard_body_t *b, request_rec *r);

#endif
