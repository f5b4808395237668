/*
 * manage_search.h - a token by its id, or by itself, for administrators; functions of the route
 * table, which has seen to who may; access/admin.h sees to it once more.
 */
#ifndef PYPITOKEN_MANAGE_SEARCH_H
#define PYPITOKEN_MANAGE_SEARCH_H

#include "httpd/manage.h"

/* admin/tokens: GET the form; POST with what: an id, or any text with tokens in it, and act "look"
 * or "revoke". What was pasted is in no answer. */
int manage_search_form(manage_t *m);
int manage_search(manage_t *m);

#endif
