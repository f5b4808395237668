/*
 * handoff.h - what a handler behind the guard is handed beside the body: headers, credentials,
 * environment.
 *
 * Nothing that a client wrote can be taken for something that this server says of it. Each function
 * is for the request's own thread and allocates in r->pool.
 */
#ifndef PYPITOKEN_HANDOFF_H
#define PYPITOKEN_HANDOFF_H

#include <httpd.h>

#include "httpd/config.h"
#include "httpd/guard.h"

/* Leaves of the client's headers those that say what is sent and how, and nothing of who sends it:
 * a list of what may pass, since no list of names under which some back end looks for a user could
 * be whole. Runs before mod_headers' fixups, so that what the operator sets there is not lost
 * (RequestHeader ... early is). */
void handoff_headers(request_rec *r);

/* Authorization as PyPITokenBackendAuth wants it; own is what the client had sent. The last thing
 * before the handler. */
void handoff_authorization(request_rec *r, const config_dir_t *c, const char *own);

/* r->user and the PYPITOKEN_ variables, but for the verdict, for every request of a chain of
 * internal redirects. Variables into which others have put what the client authenticated with, own,
 * go, unless PyPITokenBackendAuth is Keep: recipes for CGI and PHP are full of them (SetEnvIf
 * Authorization, RewriteRule with [E=HTTP_AUTHORIZATION:...]). */
void handoff_environment(request_rec *r, const config_dir_t *c, const guard_pass_t *pass,
                         const char *own);

#endif
