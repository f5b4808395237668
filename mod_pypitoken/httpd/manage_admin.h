/*
 * manage_admin.h - the pages of administrators: accounts, projects, one token;
 * functions of the route table, which has seen to who may; access/admin.h sees to it once more.
 */
#ifndef PYPITOKEN_MANAGE_ADMIN_H
#define PYPITOKEN_MANAGE_ADMIN_H

#include "httpd/manage.h"

/* admin/users: q filters, page goes on. */
int manage_admin_users(manage_t *m);

/* admin/users/NAME: GET shows the account; POST with act "disable", "enable", "factor" (takes the
 * second factor off) or "logout". */
int manage_admin_user(manage_t *m);
int manage_admin_user_act(manage_t *m);

/* admin/projects: q filters, page goes on. */
int manage_admin_projects(manage_t *m);

/* admin/tokens/ID: GET shows it, POST revokes it. */
int manage_admin_token(manage_t *m);
int manage_admin_revoke(manage_t *m);

#endif
