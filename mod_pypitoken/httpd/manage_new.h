/*
 * manage_new.h - a new token: the form, and what comes of it; functions of the route
 * table.
 */
#ifndef PYPITOKEN_MANAGE_NEW_H
#define PYPITOKEN_MANAGE_NEW_H

#include "httpd/manage.h"

/* tokens/new: GET the form (q filters the list of projects), POST with act "find" the same with
 * another q and all that was typed, else it makes the token and shows it (manage_made.h). It
 * is in that answer alone: in no URL, no redirect, no log. */
int manage_new_form(manage_t *m);
int manage_new_make(manage_t *m);

#endif
