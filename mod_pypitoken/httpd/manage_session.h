/*
 * manage_session.h - who is asking for a page: cookies, Basic, and what is bound to them.
 */
#ifndef PYPITOKEN_MANAGE_SESSION_H
#define PYPITOKEN_MANAGE_SESSION_H

#include "httpd/manage.h"

/* How long a browser that signed in is known (SESSION_DEVICE), and a sign-in form is good. */
#define MANAGE_DEVICE_SECONDS (180 * 86400)
#define MANAGE_FORM_SECONDS   3600

/* Reads the cookie of that kind; 0 and *out filled, or -1. For SESSION_PERSON only that it is
 * sealed and not past its end. */
int manage_session_read(manage_t *m, session_kind_t kind, session_t *out);

/* 1 when the request has something like our session's cookie, good or not. */
int manage_session_sent(request_rec *r);

/* Sets the cookie (kept: it outlives the browser's run), or takes it away. 0, or -1: it could not
 * be sealed. */
int manage_session_write(manage_t *m, session_kind_t kind, const session_t *s, int kept);
void manage_session_drop(manage_t *m, session_kind_t kind);

/* Takes our cookies out of the request's header, for other handlers. */
void manage_session_strip(request_rec *r);

/* Who is signed in, if anybody, into *m. VERDICT_ALLOWED with m->by NOBODY too; else a verdict in
 * *v: those of login_check for Basic, STORE_DOWN. */
verdict_code_t manage_session_who(manage_t *m, verdict_t *v);

/* Who says so with Basic in this request, whatever cookies there are. As above; NOBODY without an
 * Authorization header. */
verdict_code_t manage_session_asks(manage_t *m, verdict_t *v);

/* Signs in: the session cookie, and this browser as known to the throttle. 0 or -1. */
int manage_session_begin(manage_t *m, const login_t *login);

/* Signs out: the session's id is no good any more on this machine, the cookie goes. */
void manage_session_end(manage_t *m);

/* login_check for what was typed here; user and password of Basic, or the form's. */
verdict_code_t manage_session_login(manage_t *m, login_t *out, login_typed_t *typed, verdict_t *v);

/* The token against forged requests that belongs to a form cookie's id. */
const char *manage_session_csrf(manage_t *m, const unsigned char id[SESSION_ID]);

#endif
