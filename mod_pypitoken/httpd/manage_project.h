/*
 * manage_project.h - the projects of a person, and one of them for those who have a role on it;
 * functions of the route table, which has seen to who may.
 */
#ifndef PYPITOKEN_MANAGE_PROJECT_H
#define PYPITOKEN_MANAGE_PROJECT_H

#include "httpd/manage.h"

/* projects: those with a role of his; q filters, page goes on. */
int manage_project_list(manage_t *m);

/* projects/NAME (normalised): GET shows people, tokens and uploads (user fills the form in, before
 * goes on in the uploads); POST gives or takes a role: user, role (owner, maintainer, none). */
int manage_project_show(manage_t *m);
int manage_project_act(manage_t *m);

#endif
