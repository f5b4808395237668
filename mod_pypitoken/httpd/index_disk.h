/*
 * index_disk.h - files of the built-in index that appear complete or not at all.
 *
 * A file is written without a name (O_TMPFILE), or where the file system cannot do that under a
 * name in PACKAGES/.tmp that its writer holds locked; then flushed; then linked to its name, which
 * fails if the name is taken. A process that dies leaves nothing, or a temporary that nobody holds
 * and index_disk_tidy removes.
 *
 * No httpd. Any thread, one thread at a time per temporary. Errors are errno as apr_status_t.
 * Names are those that index_path.h lets through; no symbolic link below PACKAGES is followed.
 */
#ifndef PYPITOKEN_INDEX_DISK_H
#define PYPITOKEN_INDEX_DISK_H

#include <apr_errno.h>
#include <sys/stat.h>

#include "core/slice.h"

typedef struct index_disk_temp_t {
    int fd;
    int holder;           /* the directory of name, -1 for a file without a name */
    const char *name;     /* NULL for a file without a name */
    off_t written, begun; /* bytes, and how many of them are on their way to the disk */
} index_disk_temp_t;

/* Opens a new temporary on the file system of the directory packages. It is closed, and gone unless
 * it was published, with index_disk_done or at last with pool. */
apr_status_t index_disk_temp(index_disk_temp_t **out, const char *packages, apr_pool_t *pool);

/* A file without a name there, readable and writable, that linkat can give one; the caller's. -1
 * where the file system has none, or no /proc gives them a name later: errno. */
int index_disk_nameless(const char *packages);

/* The file of that descriptor, which stays the caller's, as a temporary of which length bytes are
 * to stay, whatever stands behind them. */
apr_status_t index_disk_adopt(index_disk_temp_t **out, int fd, off_t length, apr_pool_t *pool);

/* Tells the disk to begin with what is written, when that is much more than what it has begun with
 * already (*begun, moved). Errors show in index_disk_sync. */
void index_disk_ahead(int fd, off_t written, off_t *begun);

/* Appends; all or an error. The disk begins with a long file before it is at its end, so that
 * index_disk_sync has less to wait for. */
apr_status_t index_disk_write(index_disk_temp_t *t, const char *p, apr_size_t n);

/* Gives what was written to take, from the first byte on. */
typedef void index_disk_take_t(void *baton, const char *p, apr_size_t n);
apr_status_t index_disk_again(index_disk_temp_t *t, index_disk_take_t *take, void *baton);

/* Flushes it to the disk; *info (may be NULL) gets what the file is like then. */
apr_status_t index_disk_sync(index_disk_temp_t *t, struct stat *info);

/* Gives it its name in dir. APR_EEXIST when there is something of that name already, which is left
 * as it is. dir is not flushed: see index_disk_flush. */
apr_status_t index_disk_publish(index_disk_temp_t *t, int dir, const char *name);

/* As publish, but takes the place of what is there, at once: who looks finds one of the two. For
 * one writer at a time of dir, or at least of name. */
apr_status_t index_disk_replace(index_disk_temp_t *t, int dir, const char *name);

/* No more is to be done with t (may be NULL), which is of this pool. */
void index_disk_done(index_disk_temp_t *t, apr_pool_t *pool);

/* Opens packages/project, packages itself when project is NULL; closed with pool. create != 0 makes
 * a project that is missing. APR_ENOENT, APR_ENOTDIR, ... */
apr_status_t index_disk_open(int *dir, const char *packages, const char *project, int create,
                             apr_pool_t *pool);

/* Opens a directory below dir (not following a link), made if missing; closed with pool. */
apr_status_t index_disk_below(int *below, int dir, const char *name, apr_pool_t *pool);

/* What was published in dir survives a loss of power after this. */
apr_status_t index_disk_flush(int dir);

/* One writer of a project at a time, over all processes and threads that opened dir themselves.
 * Best effort where the file system has no locks. */
void index_disk_lock(int dir);
void index_disk_unlock(int dir);

/* SHA-256 (32 bytes) of a regular file and what it is like; APR_EINVAL for anything else. */
apr_status_t index_disk_sum(int dir, const char *name, unsigned char *sum, struct stat *info);

/* A regular file of at most max bytes, read into pool. */
apr_status_t index_disk_read(slice_t *out, int dir, const char *name, apr_size_t max,
                             apr_pool_t *pool);

/* Removes temporaries that no process holds. */
void index_disk_tidy(const char *packages);

#endif
