/*
 * guard_error.h - what others refuse, redirect or fail at on a guarded URL.
 */
#ifndef PYPITOKEN_GUARD_ERROR_H
#define PYPITOKEN_GUARD_ERROR_H

#include <apr_pools.h>

/* Hooks: no ErrorDocument on a guarded URL; a denial in the place of every error that is not one.
 */
void guard_error_register(apr_pool_t *p);

#endif
