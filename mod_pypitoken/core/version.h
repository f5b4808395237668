/*
 * version.h - PEP 440 versions. Pure; any thread.
 */
#ifndef PYPITOKEN_VERSION_H
#define PYPITOKEN_VERSION_H

#include "core/slice.h"

#define VERSION_MAX 128

/* The normal form of a version ("1.0.RC-1" -> "1.0rc1", "1.0-1" -> "1.0.post1", epochs and local
 * parts kept), NUL-terminated, in pool; NULL when PEP 440 does not know it, when it is longer than
 * VERSION_MAX, when it has a leading "v", or any white space or byte outside ASCII. Trailing zeros
 * of the release are kept, as str(packaging.version.Version(x)) does. */
char *version_normalize(slice_t s, apr_pool_t *pool);

/* 1 when two normal forms mean the same version ("1.0" and "1.0.0" do). */
int version_equal(const char *a, const char *b);

#endif
