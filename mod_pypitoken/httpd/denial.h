/*
 * denial.h - the one place where a request is refused.
 */
#ifndef PYPITOKEN_DENIAL_H
#define PYPITOKEN_DENIAL_H

#include <httpd.h>

#include "core/verdict.h"

/* Prepares the refusal v of r and returns the status that the calling hook or handler must return:
 * reason phrase, body in HTML, text or JSON by Accept, PYPITOKEN_VERDICT, Retry-After where it
 * is known or usual (503),
 * a challenge on 401, Allow on 405; one log line; credentials and what is left of the body are gone
 * (drained within PyPITokenDrain), so that no ErrorDocument or back end gets them. */
int denial_send(request_rec *r, const verdict_t *v);

void denial_register(apr_pool_t *p);

#endif
