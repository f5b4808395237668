/*
 * accept.h - which of our media types a client wants.
 *
 * Pure; any thread. Source: RFC 9110 section 12.5.1 (Accept) and 12.4.2 (weights).
 */
#ifndef PYPITOKEN_ACCEPT_H
#define PYPITOKEN_ACCEPT_H

#include "core/slice.h"

#define ACCEPT_BAD_WEIGHT (-1)

/* 1 when the parameter is one of weight, "q=0.25": *weight in thousandths, 0 to 1000, or
 * ACCEPT_BAD_WEIGHT where no such number stands behind "q=". */
int accept_weight(slice_t parameter, int *weight);

/* The index of the best of our n types ("text/html", lower case, no parameters) for an Accept
 * header: the highest weight wins, the first of equals; wildcard ranges count, the most specific
 * range decides a type's weight, q=0 excludes it. Parameters other than q are not looked at; an
 * element that is no media range, or whose q is no weight, is not there.
 * An empty header or one without any element: 0. None acceptable: -1. */
int accept_choose(slice_t header, const char *const *types, apr_size_t n);

#endif
