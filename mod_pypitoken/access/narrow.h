/*
 * narrow.h - how a token is to be narrower, as people say it, made into caveats. For the command
 * line and the pages alike, for new tokens, for tokens in the field, and offline. Any thread.
 */
#ifndef PYPITOKEN_NARROW_H
#define PYPITOKEN_NARROW_H

#include <apr_tables.h>

#include "core/caveat.h"

/* Lists are of const char *, NULL or empty for no such restriction. */
typedef struct narrow_t {
    const apr_array_header_t *projects; /* as written; normalised here */
    const apr_array_header_t *globs;    /* names with one trailing "*" */
    const apr_array_header_t *versions;
    const apr_array_header_t *networks;
    const apr_array_header_t *kinds; /* sdist, wheel (or bdist_wheel) */
    const apr_array_header_t *filenames;
    const apr_array_header_t *digests; /* SHA-256, 64 hexadecimal digits in lower case */
    apr_int64_t uses;                  /* 0: any number */
    int only_new, only_existing;
    apr_int64_t expires; /* Unix seconds, 0: no end */
} narrow_t;

/* Appends a slice_t to caveats (in pool) for each restriction, PyPI's own first. NULL, or a
 * sentence that names what cannot be, for the person who asked; then caveats is as it was. */
const char *narrow_caveats(apr_array_header_t *caveats, const narrow_t *narrow, apr_int64_t now,
                           apr_pool_t *pool);

/* The lists of a narrow_t for which files are named: what is uploaded must be one of them. */
typedef struct narrow_files_t {
    apr_array_header_t *projects, *versions, *filenames, *digests; /* NULL: no file yet */
} narrow_files_t;

/* Adds a file by its name, without directories, and its SHA-256; its project and version follow
 * from the name. NULL, or a sentence. */
const char *narrow_files_add(narrow_files_t *files, const char *name, const char *sha256,
                             apr_pool_t *pool);

/* What they ask for. */
narrow_t narrow_files_all(const narrow_files_t *files);

#endif
