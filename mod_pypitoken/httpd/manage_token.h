/*
 * manage_token.h - a person's tokens: the list, one of them, its end; functions of the route table.
 */
#ifndef PYPITOKEN_MANAGE_TOKEN_H
#define PYPITOKEN_MANAGE_TOKEN_H

#include "access/mine.h"
#include "httpd/manage.h"

/* How long a sign-in counts as fresh: then the password is not asked for again. Seconds. */
#define MANAGE_TOKEN_FRESH 1800

/* tokens: q and state ("all") filter. */
int manage_token_list(manage_t *m);

/* tokens/ID: GET shows it, POST revokes it (field password, and code, when the sign-in is old). */
int manage_token_show(manage_t *m);
int manage_token_revoke(manage_t *m);

/* Who acts here. */
mine_t manage_token_mine(const manage_t *m);

/* What a store's failure means for a page. */
int manage_token_failed(manage_t *m, store_rc_t rc);

#endif
