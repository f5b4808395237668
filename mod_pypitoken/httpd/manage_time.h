/*
 * manage_time.h - points of time on a page: exact for machines, in words for people.
 */
#ifndef PYPITOKEN_MANAGE_TIME_H
#define PYPITOKEN_MANAGE_TIME_H

#include "httpd/manage.h"

/* {"iso": "2026-01-31 12:00:05Z", "words": "3 days ago"}; false for 0, which is never. A new
 * reference. */
json_t *manage_time(const manage_t *m, apr_int64_t at, apr_int64_t now);

/* A pattern with one %s, filled with a number. */
const char *manage_time_fill(const char *pattern, apr_int64_t n, apr_pool_t *pool);

#endif
