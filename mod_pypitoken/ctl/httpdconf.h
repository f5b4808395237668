/*
 * httpdconf.h - a look at one httpd configuration file, as far as doctor wants to know.
 *
 * Not httpd's parser: Include is not followed, sections are not told apart, the last one of each
 * directive counts. Reads one file; everything found lives in pool.
 */
#ifndef PYPITOKEN_HTTPDCONF_H
#define PYPITOKEN_HTTPDCONF_H

#include <apr_pools.h>

typedef struct httpdconf_t {
    int loads_module;       /* LoadModule pypitoken_module */
    const char *field_size; /* LimitRequestFieldSize; NULL: not set; so for all below */
    const char *store;      /* PyPITokenStore */
    const char *keyring;    /* PyPITokenKeyring */
    const char *service;    /* PyPITokenService */
} httpdconf_t;

/* NULL, or a sentence that names the file. */
const char *httpdconf_read(httpdconf_t *out, const char *path, apr_pool_t *pool);

#endif
