/*
 * utf8.h - the one question this project asks of UTF-8. Pure; any thread. Source: RFC 3629.
 */
#ifndef PYPITOKEN_UTF8_H
#define PYPITOKEN_UTF8_H

#include "core/slice.h"

/* 1 when s is UTF-8: shortest forms, no surrogates, nothing above U+10FFFF. NUL and other control
 * characters are valid, and so is the empty slice. */
int utf8_valid(slice_t s);

#endif
