/*
 * manage_confirm.h - the password again, for what cannot be taken back, when the sign-in is older
 * than MANAGE_CONFIRM_FRESH seconds. Basic sends it each time.
 */
#ifndef PYPITOKEN_MANAGE_CONFIRM_H
#define PYPITOKEN_MANAGE_CONFIRM_H

#include "httpd/manage.h"

#define MANAGE_CONFIRM_FRESH 1800

/* For the template "again": whether its fields are on the page, and what manage_confirm found wrong
 * with them. */
void manage_confirm_data(const manage_t *m, json_t *data);

/* VERDICT_ALLOWED, or *v and, in *problem, the sentence for the page; it is logged. */
verdict_code_t manage_confirm(manage_t *m, verdict_t *v, const char **problem);

#endif
