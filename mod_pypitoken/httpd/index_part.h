/*
 * index_part.h - a file that travels in an upload form, on its way into the built-in index.
 *
 * No httpd. One thread at a time. Zeroed, then name, offset, length and temp are set, and digest is
 * started; keep it on the stack (index_digest.h says why). Errors are errno as apr_status_t.
 */
#ifndef PYPITOKEN_INDEX_PART_H
#define PYPITOKEN_INDEX_PART_H

#include "httpd/index_digest.h"
#include "httpd/index_disk.h"

#define INDEX_PART_BLOCK 131072

typedef struct index_part_t {
    const char *name;                /* NULL when it was not sent */
    apr_int64_t offset, length, got; /* in the body; length -1: all that comes */
    index_disk_temp_t *temp;
    char *block; /* of INDEX_PART_BLOCK bytes: httpd reads 8000 bytes at a time, kept together for
                    the disk; NULL: written at once */
    apr_size_t held;
    int kept; /* it is in a file already (index_part_adopt): its bytes are only counted */
    index_digest_t digest;
    struct stat info;
} index_part_t;

/* Takes what of the n bytes at position at of the body belongs to part. */
apr_status_t index_part_take(index_part_t *part, apr_int64_t at, const char *p, apr_size_t n);

/* Writes what block still holds. */
apr_status_t index_part_flush(index_part_t *part);

/* Its temporary is the file of that descriptor, which begins with it; what the form's digests still
 * want is made of that. */
apr_status_t index_part_adopt(index_part_t *part, int fd, apr_pool_t *pool);

/* Gives all of it to its digest, once more. */
apr_status_t index_part_again(index_part_t *part);

#endif
