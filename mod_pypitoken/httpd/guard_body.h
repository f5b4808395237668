/*
 * guard_body.h - the body of an upload: read, spooled, judged.
 */
#ifndef PYPITOKEN_GUARD_BODY_H
#define PYPITOKEN_GUARD_BODY_H

#include "httpd/guard_state.h"

/* Reads the whole body into g->spool through the form's parser and asks permit_upload.
 * DECLINED and GUARD_PERMITTED (the Require lines come next), or the status to return: a denial's,
 * or AP_FILTER_ERROR when httpd has answered already. */
int guard_body(request_rec *r, guard_state_t *g);

#endif
