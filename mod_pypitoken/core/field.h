/*
 * field.h - what each field of the form may be: once or often, text or file,
 * how long, kept or not.
 */
#ifndef PYPITOKEN_FIELD_H
#define PYPITOKEN_FIELD_H

#include "core/slice.h"

#define FIELD_NAME_MAX 64

typedef enum field_id_t {
    FIELD_ACTION,
    FIELD_PROTOCOL,
    FIELD_NAME,
    FIELD_VERSION,
    FIELD_METADATA_VERSION,
    FIELD_FILETYPE,
    FIELD_PYVERSION,
    FIELD_MD5,
    FIELD_SHA256,
    FIELD_BLAKE2,
    FIELD_REQUIRES_PYTHON,
    FIELD_SUMMARY,
    FIELD_DESCRIPTION,
    FIELD_CONTENT,
    FIELD_SIGNATURE,
    FIELD_KNOWN, /* the rows of the table end here */
    FIELD_OTHER = FIELD_KNOWN
} field_id_t;

typedef struct field_t {
    const char *name;
    field_id_t id;
    apr_size_t max; /* bytes of text */
    int repeat;     /* may stand more than once */
    int keep;       /* its value is read */
} field_t;

/* The row of a field; names that are not in the table get one for "other". NULL when there is
 * anything but lower-case letters, digits and "_" in the name (behind a first ":"), when it is too
 * long, or begins with "_": to some readers such a one is an order. */
const field_t *field_find(slice_t name);

#endif
