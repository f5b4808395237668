/*
 * api_disclose.h - secrets/disclose-token: a code host reports tokens that it has found; a function
 * of the API's route table.
 *
 * With PyPITokenDisclosureKeys only. The signature is looked at before anything of the body is; who
 * has none of a key that is known is refused before the body is read. The answer tells nothing of
 * what was ours.
 */
#ifndef PYPITOKEN_API_DISCLOSE_H
#define PYPITOKEN_API_DISCLOSE_H

#include "httpd/api.h"

int api_disclose_run(api_t *a);

#endif
