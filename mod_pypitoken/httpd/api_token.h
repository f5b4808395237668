/*
 * api_token.h - a person's tokens by JSON; functions of the API's route table.
 *
 * What one may do is decided in access/ (mine, issue, rotate, narrow), as for the pages and
 * pypitokenctl; the members of a request are called like the options there.
 */
#ifndef PYPITOKEN_API_TOKEN_H
#define PYPITOKEN_API_TOKEN_H

#include "httpd/api.h"

int api_token_list(api_t *a);
int api_token_create(api_t *a);
int api_token_show(api_t *a);
int api_token_revoke(api_t *a);
int api_token_rotate(api_t *a);
int api_token_burn(api_t *a);

#endif
