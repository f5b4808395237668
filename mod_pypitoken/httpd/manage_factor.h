/*
 * manage_factor.h - a person's second factor and recovery codes; functions of the route table.
 *
 * Whatever changes one of them asks for the password (and the code) again, and ends every session,
 * this one too: the epoch changes (login_epoch). Secrets are in the answers that show them alone.
 */
#ifndef PYPITOKEN_MANAGE_FACTOR_H
#define PYPITOKEN_MANAGE_FACTOR_H

#include "httpd/manage.h"

/* second-factor: GET says what there is; POST with act "begin", "codes" or "remove". */
int manage_factor_show(manage_t *m);
int manage_factor_act(manage_t *m);

/* second-factor/new: GET shows the one that waits, POST with its code puts it in force. */
int manage_factor_new(manage_t *m);
int manage_factor_confirm(manage_t *m);

/* second-factor/qr: its QR code, SVG. */
int manage_factor_qr(manage_t *m);

#endif
