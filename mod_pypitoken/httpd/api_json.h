/*
 * api_json.h - members of a JSON object into the fields of a struct, by a table. Strict: a member
 * that the table does not have, or of another type, is refused. Any thread.
 */
#ifndef PYPITOKEN_API_JSON_H
#define PYPITOKEN_API_JSON_H

#include <apr_tables.h>
#include <jansson.h>
#include <stddef.h>

typedef enum api_json_kind_t {
    API_JSON_TEXT,   /* const char *: text without NUL */
    API_JSON_NUMBER, /* apr_int64_t: an integer from 1 on */
    API_JSON_FLAG,   /* int: true or false */
    API_JSON_TEXTS,  /* apr_array_header_t * of const char *: a list of at least one text */
    API_JSON_LIST    /* const json_t *: a list of at least one object, for the caller to read */
} api_json_kind_t;

typedef struct api_json_member_t {
    const char *name;
    api_json_kind_t kind;
    size_t offset;
} api_json_member_t;

/* A name that somebody sent, for a sentence that is also logged: not repeated if it is long or has
 * other characters than our names, for it may be a secret in the wrong place. */
const char *api_json_name(const char *name, apr_pool_t *pool);

/* Fills the fields of *out that body has members for; texts are copied into pool. NULL, or what is
 * wrong, as a part of a sentence. */
const char *api_json_read(void *out, json_t *body, const api_json_member_t *members, size_t n,
                          apr_pool_t *pool);

#endif
