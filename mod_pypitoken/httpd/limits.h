/*
 * limits.h - throttle, linger and the limit on concurrent password hashes, for one request.
 *
 * The rules are access/throttle.h's and access/linger.h's, the client is r->useragent_ip (as
 * mod_remoteip has it; behind a proxy without mod_remoteip all clients are one). Without a shared
 * block (no store) there is nothing to protect, and every hook lets pass.
 *
 * Hashes: a login waits up to three seconds for one of PyPITokenHashes places; beyond the queue, or
 * after that time, it is BUSY.
 */
#ifndef PYPITOKEN_LIMITS_H
#define PYPITOKEN_LIMITS_H

#include <httpd.h>

#include "access/bearer.h"
#include "access/login.h"
#include "core/session.h"

/* The hooks for one login_check at a time of r; elsewhere is NULL, for the caller to set. device:
 * what a device cookie of the user that was typed names, or empty. In r's pool. */
login_hooks_t *limits_hooks(request_rec *r, slice_t device);

/* bearer_verify, with bad tokens limited: THROTTLED besides its verdicts. */
verdict_code_t limits_bearer(request_rec *r, bearer_t *out, slice_t token, verdict_t *v);

/* A session that was signed out: its id is remembered for so many seconds, the longest it could
 * have lasted. */
void limits_end(request_rec *r, const unsigned char id[SESSION_ID], apr_uint32_t seconds);
int limits_ended(request_rec *r, const unsigned char id[SESSION_ID]);

/* For a check_password provider: what mod_auth_basic answers with 401 becomes *v (copied), which
 * may have any status. The provider then returns AUTH_DENIED. */
void limits_answer(request_rec *r, const verdict_t *v);

void limits_register(apr_pool_t *p);

#endif
