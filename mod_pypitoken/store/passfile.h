/*
 * passfile.h - a file with one password, as the database's: read once, kept in guarded memory.
 *
 * The file is a regular one that its owner alone may access (else it is refused) and holds one line
 * of 1 to PASSFILE_MAX bytes; the line's end does not belong to the password. The text is in memory
 * from sodium_malloc, locked where the system allows it, wiped with the pool, read-only once read;
 * a fork inherits it. sodium_init() must have been called. Any thread.
 */
#ifndef PYPITOKEN_PASSFILE_H
#define PYPITOKEN_PASSFILE_H

#include <apr_pools.h>
#include <sys/types.h>

#define PASSFILE_MAX 1000

/* NULL, with the text and its final NUL in *text; or a sentence that names the file and never
 * quotes it. */
const char *passfile_read(const char **text, const char *path, apr_pool_t *pool);

/* What a file of this kind holds, up to size bytes of it; the number of bytes, or -1. */
ssize_t passfile_fill(int fd, char *text, apr_size_t size);

#endif
