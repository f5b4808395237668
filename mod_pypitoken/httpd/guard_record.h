/*
 * guard_record.h - what is written down about an upload.
 */
#ifndef PYPITOKEN_GUARD_RECORD_H
#define PYPITOKEN_GUARD_RECORD_H

#include "httpd/guard_state.h"

/* Writes down that the upload was allowed, last thing before a handler may have all of it:
 * VERDICT_ALLOWED, or g->verdict tells. */
verdict_code_t guard_record_commit(request_rec *r, guard_state_t *g);

/* log_transaction hooks: the access log sees the client's own headers and the status that it got; a
 * project that this upload made is kept or forgotten; a refusal is noted. */
void guard_record_register(apr_pool_t *p);

#endif
