/*
 * language.h - which of our languages a reader wants.
 *
 * Pure; any thread. Source: RFC 9110 section 12.5.4 (Accept-Language), RFC 4647 section 3.4
 * (lookup: "de-AT" gets "de").
 */
#ifndef PYPITOKEN_LANGUAGE_H
#define PYPITOKEN_LANGUAGE_H

#include "core/slice.h"

/* The index of the best of our n tags (lower case, without regions), for an Accept-Language header:
 * the highest weight wins, the first of equals. None wanted, an empty header, "*": 0. An element
 * whose weight is none is not there. */
int language_choose(slice_t header, const char *const *tags, int n);

#endif
