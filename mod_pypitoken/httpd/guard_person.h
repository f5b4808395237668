/*
 * guard_person.h - uploads with user name and password (PyPITokenPasswordUpload).
 */
#ifndef PYPITOKEN_GUARD_PERSON_H
#define PYPITOKEN_GUARD_PERSON_H

#include "core/credential.h"
#include "httpd/guard_state.h"

/* Fills g->bearer for a person as for a token without restrictions, or g->verdict:
 * VERDICT_ALLOWED, PASSWORD_REFUSED, PASSWORD_2FA, entry_check's. Only accounts of ours upload, for
 * roles are theirs; their password may live elsewhere. */
verdict_code_t guard_person(request_rec *r, guard_state_t *g, const credential_t *person);

#endif
