/*
 * authz.h - "Require pypi-project NAME..." and "Require pypi-role owner|maintainer".
 */
#ifndef PYPITOKEN_AUTHZ_H
#define PYPITOKEN_AUTHZ_H

#include <httpd.h>

void authz_register(apr_pool_t *p);

#endif
