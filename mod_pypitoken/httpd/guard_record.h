/*
 * guard_record.h - what is written down about an upload.
 */
#ifndef PYPITOKEN_GUARD_RECORD_H
#define PYPITOKEN_GUARD_RECORD_H

#include "httpd/guard_state.h"

/* Fills in *event about the upload g as far as it is known; strings live in r->pool or in g. */
void guard_record_event(request_rec *r, const guard_state_t *g, const char *kind,
                        store_event_t *event);

/* The log_transaction hook: keeps or forgets a project that this upload made, and notes a refusal.
 */
void guard_record_register(apr_pool_t *p);

#endif
