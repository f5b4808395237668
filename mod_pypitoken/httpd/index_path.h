/*
 * index_path.h - what a URL below the built-in index asks for.
 *
 * Pure; any thread. Nothing of a URL becomes part of a file system path but what came out of here.
 * Source: PEP 503 (layout, normalised names), PEP 427 and PEP 625 (alphabet of file names).
 */
#ifndef PYPITOKEN_INDEX_PATH_H
#define PYPITOKEN_INDEX_PATH_H

#include "core/slice.h"

/* Where the index stands when PyPITokenPackages does not stand in a Location. */
#define INDEX_PATH_BASE "/simple/"

typedef enum index_path_kind_t {
    INDEX_PATH_NONE,    /* nothing that the index could have */
    INDEX_PATH_ROOT,    /* the list of projects */
    INDEX_PATH_PROJECT, /* the list of a project's files */
    INDEX_PATH_FILE,    /* a file of a project */
    INDEX_PATH_MOVED    /* move: the URL under which PEP 503 wants it */
} index_path_kind_t;

typedef struct index_path_t {
    index_path_kind_t kind;
    const char *project; /* normalised; PROJECT and FILE */
    const char *file;    /* FILE */
    const char *move;    /* MOVED: path of the URL, not escaped */
} index_path_t;

/* Sorts out the path of a URL, unescaped, below base (with or without its last slash; NULL for
 * INDEX_PATH_BASE). Strings in pool. */
void index_path_parse(index_path_t *out, const char *base, const char *uri, apr_pool_t *pool);

/* 1 when s is [A-Za-z0-9][A-Za-z0-9._+!-]* of at most 255 bytes: the name of a file that may be
 * stored or served. Never a dot file, never with a slash. */
int index_path_file_valid(slice_t s);

/* 1 when s is a valid project name in its normalised form. */
int index_path_project_valid(slice_t s, apr_pool_t *pool);

#endif
