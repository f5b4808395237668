/*
 * manage_sign.h - the pages for signing in and out, and the first one; functions of the route
 * table.
 */
#ifndef PYPITOKEN_MANAGE_SIGN_H
#define PYPITOKEN_MANAGE_SIGN_H

#include "httpd/manage.h"

int manage_sign_home(manage_t *m);
int manage_sign_in_form(manage_t *m);
int manage_sign_in(manage_t *m);
int manage_sign_basic(manage_t *m);
int manage_sign_out(manage_t *m);
int manage_sign_done(manage_t *m);

#endif
