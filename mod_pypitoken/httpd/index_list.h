/*
 * index_list.h - what the built-in index holds: projects, and the files of a project.
 *
 * No httpd. Any thread. Results are sorted and live in pool.
 */
#ifndef PYPITOKEN_INDEX_LIST_H
#define PYPITOKEN_INDEX_LIST_H

#include <apr_tables.h>

#include "httpd/index_meta.h"

typedef struct index_list_file_t {
    const char *name;
    const char *version; /* normalised */
    index_meta_t meta;
} index_list_file_t;

typedef struct index_list_t {
    apr_array_header_t *entries; /* const char * or index_list_file_t */
    apr_int64_t newest;          /* seconds: the last change that may have changed the list */
} index_list_t;

/* The projects (normalised names) that have at least one file to list. */
apr_status_t index_list_projects(index_list_t *out, const char *packages, apr_pool_t *pool);

/* The wheels and sdists of a project; APR_ENOENT when it has none. Dot files, signatures, links,
 * and files whose name says another project are not listed. */
apr_status_t index_list_files(index_list_t *out, const char *packages, const char *project,
                              apr_pool_t *pool);

#endif
