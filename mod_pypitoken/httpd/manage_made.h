/*
 * manage_made.h - the page that shows a new token, once, with what clients need to use it.
 */
#ifndef PYPITOKEN_MANAGE_MADE_H
#define PYPITOKEN_MANAGE_MADE_H

#include "access/issue.h"
#include "httpd/manage.h"

/* The token is in this answer alone: in no URL, no redirect, no log. */
int manage_made(manage_t *m, const char *text, const issue_t *made);

#endif
