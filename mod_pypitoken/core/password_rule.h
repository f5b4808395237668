/*
 * password_rule.h - which new passwords are refused. Pure; any thread.
 *
 * Length is what counts (NIST SP 800-63B section 5.1.1.2); besides, nobody may have what everybody
 * tries first: one of the ten thousand commonest passwords, the own name, a few characters again
 * and again. No rules about kinds of characters.
 */
#ifndef PYPITOKEN_PASSWORD_RULE_H
#define PYPITOKEN_PASSWORD_RULE_H

#include "core/slice.h"

/* NULL, or the sentence that says why password is no good for the account name. password must be
 * person_normal's. */
const char *password_rule_check(slice_t password, slice_t name, apr_pool_t *pool);

#endif
