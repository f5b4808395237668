/*
 * authn.h - credentials: out of the Authorization header, and for mod_auth_basic's providers.
 */
#ifndef PYPITOKEN_AUTHN_H
#define PYPITOKEN_AUTHN_H

#include <httpd.h>

#include "core/verdict.h"

/* Takes the token out of the request's Authorization header: Basic with __token__, or Bearer/token.
 * *token points into memory of r->pool that is wiped with it.
 * VERDICT_ALLOWED, NO_CREDENTIALS, TLS_REQUIRED, CREDENTIALS_MALFORMED, USER_NOT_TOKEN,
 * PASSWORD_REFUSED. */
verdict_code_t authn_token(request_rec *r, slice_t *token);

/* The provider "pypitoken" for AuthBasicProvider: a token never logs in; people are left to the
 * providers behind it. */
void authn_register(apr_pool_t *p);

#endif
