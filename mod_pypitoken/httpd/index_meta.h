/*
 * index_meta.h - what the listing says of a file beyond its name, kept beside the file.
 *
 * PACKAGES/<project>/.meta/<filename> is a small JSON object. It is believed while size and
 * modification time are the file's; otherwise the file is hashed again, so that files which an
 * operator copies in, replaces or restores are listed like uploaded ones.
 *
 * No httpd. Any thread. Source: PEP 503 (data-requires-python), PEP 691, PEP 700 (size,
 * upload-time).
 */
#ifndef PYPITOKEN_INDEX_META_H
#define PYPITOKEN_INDEX_META_H

#include "httpd/index_digest.h"
#include "httpd/index_disk.h"

typedef struct index_meta_t {
    apr_int64_t size;
    apr_int64_t mtime;           /* nanoseconds */
    apr_int64_t uploaded;        /* seconds */
    const char *requires_python; /* "" for none; printable ASCII */
    char sha256[INDEX_DIGEST_HEX];
} index_meta_t;

/* Fills m for a file that is like info and has the SHA-256 sum. requires_python as the form had it:
 * what is no plain short text is dropped. Strings in pool. */
void index_meta_set(index_meta_t *m, const struct stat *info, const unsigned char *sum,
                    const char *requires_python, apr_pool_t *pool);

/* Writes m to a temporary, flushed. */
apr_status_t index_meta_prepare(index_disk_temp_t **out, const char *packages,
                                const index_meta_t *m, apr_pool_t *pool);

/* Puts a prepared one in its place in the project directory dir, which is locked. */
apr_status_t index_meta_publish(index_disk_temp_t *t, int dir, const char *filename,
                                apr_pool_t *pool);

/* The metadata of packages/<project dir>/filename, which is like info. Hashes the file when there
 * is none that fits, and keeps the result if that can be written. An error only when the file
 * cannot be read. dir is not locked by the caller. */
apr_status_t index_meta_get(index_meta_t *m, const char *packages, int dir, const char *filename,
                            const struct stat *info, apr_pool_t *pool);

#endif
