/*
 * manage_token.h - a person's tokens: the list, one of them, its end; functions of the route table.
 */
#ifndef PYPITOKEN_MANAGE_TOKEN_H
#define PYPITOKEN_MANAGE_TOKEN_H

#include "httpd/manage.h"

/* tokens: q and state ("all") filter, sort orders, page goes on. */
int manage_token_list(manage_t *m);

/* tokens/ID: GET shows it, POST revokes it (field password, and code, when the sign-in is old). */
int manage_token_show(manage_t *m);
int manage_token_revoke(manage_t *m);

/* A token's row for a template. whole == 0: long lists are cut, for a table. */
json_t *manage_token_data(const manage_t *m, const store_token_t *row, int whole);

#endif
