/*
 * authn.h - credentials: out of the Authorization header, and for the providers of httpd.
 */
#ifndef PYPITOKEN_AUTHN_H
#define PYPITOKEN_AUTHN_H

#include <httpd.h>

#include "core/credential.h"

#define AUTHN_PROVIDER_NAME "pypitoken"

/* Reads the request's Authorization header. *out points into memory of r->pool that is wiped with
 * it. VERDICT_ALLOWED, TLS_REQUIRED, and credential_read's. */
verdict_code_t authn_read(request_rec *r, credential_t *out);

/* The provider "pypitoken" for AuthBasicProvider and AuthFormProvider: people with their password
 * and second factor, here or (chain.h) elsewhere. A token never logs in, and no other provider sees
 * one. And the seatbelt behind PyPITokenSecondFactor: where it is set, nobody gets in by a list of
 * providers that ours is not in. */
void authn_register(apr_pool_t *p);

#endif
