/*
 * denial.h - the one place where a request is refused.
 */
#ifndef PYPITOKEN_DENIAL_H
#define PYPITOKEN_DENIAL_H

#include <httpd.h>

#include "core/verdict.h"

/* Prepares the refusal v of r and returns the status that the calling hook or handler must return:
 * reason phrase, body in HTML, text or JSON by Accept, PYPITOKEN_VERDICT, the headers that verdict
 * or status bring (denial_kinds: Retry-After, a challenge, Allow); one log line; credentials and
 * what is left of the body are gone (drained within PyPITokenDrain), so that no ErrorDocument or
 * back end gets them. */
int denial_send(request_rec *r, const verdict_t *v);

/* The same under another status than the verdict's own. */
int denial_send_as(request_rec *r, const verdict_t *v, int status);

/* 1 when a denial was prepared for r. */
int denial_sent(request_rec *r);

void denial_register(apr_pool_t *p);

#endif
