/*
 * form.h - an HTML form as a browser sends it: application/x-www-form-urlencoded.
 *
 * Decoded where it stands, so that what is secret in there is in one place, which the caller wipes.
 * Strict: UTF-8, whole escapes, no control characters but TAB, CR and LF, no name twice unless it
 * ends in "[]".
 * Pure; any thread. Source: URL Living Standard, section 5.
 */
#ifndef PYPITOKEN_FORM_H
#define PYPITOKEN_FORM_H

#include "core/slice.h"

#define FORM_MAX 1024 /* fields */

typedef struct form_t {
    int n;
    struct {
        slice_t name, value;
    } fields[FORM_MAX];
} form_t;

/* 0 and *out filled with slices of body, or -1: not such a form. Either way body is overwritten. */
int form_parse(form_t *out, char *body, apr_size_t n);

/* The value of a field, empty when it is not there. */
slice_t form_get(const form_t *f, const char *name);

#endif
