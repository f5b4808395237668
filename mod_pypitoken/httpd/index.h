/*
 * index.h - SetHandler pypi-index: stores guarded uploads, serves PEP 503 and PEP 691.
 */
#ifndef PYPITOKEN_INDEX_H
#define PYPITOKEN_INDEX_H

#include <httpd.h>

void index_register(apr_pool_t *p);

#endif
