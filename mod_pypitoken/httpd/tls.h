/*
 * tls.h - what a connection is worth: may credentials travel on it.
 */
#ifndef PYPITOKEN_TLS_H
#define PYPITOKEN_TLS_H

#include <httpd.h>

/* 1 when credentials may not travel in this request: neither TLS nor loopback, and
 * PyPITokenRequireTLS is not Off. Loopback is the connection's other end, whatever mod_remoteip
 * says; a proxy there that says "X-Forwarded-Proto: http" is no better than its client. */
int tls_clear(request_rec *r);

/* 1 when the client speaks TLS, here or with a proxy before us (X-Forwarded-Proto, or the variable
 * HTTPS): so that a cookie may be Secure. Not for deciding whom to believe: a client can say so. */
int tls_seen(request_rec *r);

#endif
