/* index_disk.c - temporaries, names, locks; see index_disk.h for the contract. */
#include "httpd/index_disk.h"

#include <apr_strings.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/digest.h"

#define INDEX_DISK_DIR    ".tmp"
#define INDEX_DISK_PREFIX "pypitoken-"
#define INDEX_DISK_RANDOM 16 /* bytes of a temporary's name, written as twice as many digits */
#define INDEX_DISK_TRIES  8
#define INDEX_DISK_NEXT   250 /* of a name's bytes, behind a dot: names have at most 255 */
#define INDEX_DISK_BLOCK  65536
#define INDEX_DISK_AHEAD  4194304

typedef struct index_disk_fd_t {
    int fd;
} index_disk_fd_t;

static apr_status_t index_disk_close(void *data)
{
    close(((index_disk_fd_t *)data)->fd);
    return APR_SUCCESS;
}

/* Keeps a directory open for as long as the pool lives. */
static apr_status_t index_disk_keep(int fd, int *out, apr_pool_t *pool)
{
    index_disk_fd_t *keep;

    if (fd < 0) {
        return errno;
    }
    keep = apr_palloc(pool, sizeof(*keep));
    keep->fd = *out = fd;
    apr_pool_cleanup_register(pool, keep, index_disk_close, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

/* ---- directories ---- */

apr_status_t index_disk_below(int *below, int dir, const char *name, apr_pool_t *pool)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(dir, name, flags);

    if (fd < 0 && errno == ENOENT) {
        if (mkdirat(dir, name, 0777) == 0) {
            (void)fsync(dir);
        } else if (errno != EEXIST) {
            return errno;
        }
        fd = openat(dir, name, flags);
    }
    return index_disk_keep(fd, below, pool);
}

apr_status_t index_disk_open(int *dir, const char *packages, const char *project, int create,
                             apr_pool_t *pool)
{
    /* The operator may have made packages itself a link; below it there are none. */
    int root = open(packages, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    apr_status_t rv;

    if (!project || root < 0) {
        return index_disk_keep(root, dir, pool);
    }
    if (create) {
        rv = index_disk_below(dir, root, project, pool);
    } else {
        rv = index_disk_keep(openat(root, project, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                             dir, pool);
    }
    close(root);
    return rv;
}

apr_status_t index_disk_flush(int dir)
{
    /* Some network file systems cannot flush a directory and need not. */
    return fsync(dir) == 0 || errno == EINVAL ? APR_SUCCESS : errno;
}

void index_disk_lock(int dir)
{
    while (flock(dir, LOCK_EX) != 0 && errno == EINTR) {
    }
}

void index_disk_unlock(int dir)
{
    (void)flock(dir, LOCK_UN);
}

/* ---- temporaries ---- */

static apr_status_t index_disk_drop(void *data)
{
    index_disk_temp_t *t = data;

    if (t->name) {
        (void)unlinkat(t->holder, t->name, 0);
        t->name = NULL;
    }
    if (t->fd >= 0) {
        close(t->fd);
        t->fd = -1;
    }
    if (t->holder >= 0) {
        close(t->holder);
        t->holder = -1;
    }
    return APR_SUCCESS;
}

/* The path under which linkat finds a file without a name. */
static const char *index_disk_proc(char *path, size_t size, int fd)
{
    snprintf(path, size, "/proc/self/fd/%d", fd);
    return path;
}

int index_disk_nameless(const char *packages)
{
#ifdef O_TMPFILE
    int fd = open(packages, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    char path[40];

    if (fd >= 0 && access(index_disk_proc(path, sizeof(path), fd), F_OK) != 0) {
        close(fd);
        errno = EOPNOTSUPP;
        fd = -1;
    }
    return fd;
#else
    (void)packages;
    errno = EOPNOTSUPP;
    return -1;
#endif
}

/* A named temporary, locked so that no index_disk_tidy takes it for a dead process's. One that ran
 * between our open and our lock has the lock or has removed the name: then another name is tried.
 */
static apr_status_t index_disk_named(index_disk_temp_t *t, const char *packages, apr_pool_t *pool)
{
    unsigned char random[INDEX_DISK_RANDOM];
    char hex[INDEX_DISK_RANDOM * 2 + 1];
    apr_status_t rv;
    int root = -1, dir = -1, tries;

    rv = index_disk_open(&root, packages, NULL, 0, pool);
    if (rv == APR_SUCCESS) {
        rv = index_disk_below(&dir, root, INDEX_DISK_DIR, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    t->holder = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    for (tries = 0; tries < INDEX_DISK_TRIES && t->holder >= 0; tries++) {
        struct stat info;

        randombytes_buf(random, sizeof(random));
        sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
        t->name = apr_pstrcat(pool, INDEX_DISK_PREFIX, hex, NULL);
        t->fd =
            openat(t->holder, t->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (t->fd < 0) {
            t->name = NULL;
            return errno;
        }
        /* where there are no locks, tidy cannot get one either and leaves the file alone */
        if ((flock(t->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
            fstat(t->fd, &info) == 0 && info.st_nlink > 0) {
            return APR_SUCCESS;
        }
        close(t->fd);
        t->fd = -1;
    }
    return t->holder < 0 ? errno : EBUSY;
}

apr_status_t index_disk_temp(index_disk_temp_t **out, const char *packages, apr_pool_t *pool)
{
    index_disk_temp_t *t = apr_pcalloc(pool, sizeof(*t));

    t->holder = -1;
    t->fd = index_disk_nameless(packages);
    apr_pool_cleanup_register(pool, t, index_disk_drop, apr_pool_cleanup_null);
    *out = t;
    if (t->fd >= 0) {
        return APR_SUCCESS;
    }
    /* EISDIR is what a kernel says that has never heard of O_TMPFILE */
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) {
        return errno;
    }
    return index_disk_named(t, packages, pool);
}

apr_status_t index_disk_adopt(index_disk_temp_t **out, int fd, off_t length, apr_pool_t *pool)
{
    index_disk_temp_t *t = apr_pcalloc(pool, sizeof(*t));

    t->holder = -1;
    t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    t->written = t->begun = length;
    apr_pool_cleanup_register(pool, t, index_disk_drop, apr_pool_cleanup_null);
    *out = t;
    return t->fd >= 0 && ftruncate(t->fd, length) == 0 ? APR_SUCCESS : errno;
}

void index_disk_ahead(int fd, off_t written, off_t *begun)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (written - *begun >= INDEX_DISK_AHEAD) {
        (void)sync_file_range(fd, *begun, written - *begun, SYNC_FILE_RANGE_WRITE);
        *begun = written;
    }
#else
    (void)fd;
    (void)written;
    (void)begun;
#endif
}

apr_status_t index_disk_write(index_disk_temp_t *t, const char *p, apr_size_t n)
{
    while (n > 0) {
        ssize_t done = write(t->fd, p, n);

        if (done < 0 && errno != EINTR) {
            return errno;
        }
        if (done > 0) {
            p += done;
            n -= (apr_size_t)done;
            t->written += done;
        }
    }
    index_disk_ahead(t->fd, t->written, &t->begun);
    return APR_SUCCESS;
}

apr_status_t index_disk_again(index_disk_temp_t *t, index_disk_take_t *take, void *baton)
{
    char block[INDEX_DISK_BLOCK];
    off_t at = 0;

    while (at < t->written) {
        ssize_t n = pread(t->fd, block, sizeof(block), at);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            return n < 0 ? errno : EIO;
        }
        if (n > 0) {
            take(baton, block, (apr_size_t)n);
            at += n;
        }
    }
    return APR_SUCCESS;
}

apr_status_t index_disk_sync(index_disk_temp_t *t, struct stat *info)
{
    if (fsync(t->fd) != 0 || (info && fstat(t->fd, info) != 0)) {
        return errno;
    }
    return APR_SUCCESS;
}

apr_status_t index_disk_publish(index_disk_temp_t *t, int dir, const char *name)
{
    char path[40];
    int rc;

    if (t->name) {
        rc = linkat(t->holder, t->name, dir, name, 0);
    } else {
        rc = linkat(AT_FDCWD, index_disk_proc(path, sizeof(path), t->fd), dir, name,
                    AT_SYMLINK_FOLLOW);
    }
    return rc == 0 ? APR_SUCCESS : errno;
}

/* A file without a name can take none that is taken: it gets another one first. What a process that
 * died there left under that one goes when the name is next replaced. */
apr_status_t index_disk_replace(index_disk_temp_t *t, int dir, const char *name)
{
    char next[INDEX_DISK_NEXT + 2];
    apr_status_t rv = index_disk_publish(t, dir, name);
    int tries;

    if (!APR_STATUS_IS_EEXIST(rv)) {
        return rv;
    }
    snprintf(next, sizeof(next), ".%.*s", INDEX_DISK_NEXT, name);
    for (tries = 0; tries < INDEX_DISK_TRIES && APR_STATUS_IS_EEXIST(rv); tries++) {
        if (unlinkat(dir, next, 0) != 0 && errno != ENOENT) {
            return errno;
        }
        rv = index_disk_publish(t, dir, next);
    }
    return rv == APR_SUCCESS && renameat(dir, next, dir, name) != 0 ? errno : rv;
}

void index_disk_done(index_disk_temp_t *t, apr_pool_t *pool)
{
    if (t) {
        apr_pool_cleanup_run(pool, t, index_disk_drop);
    }
}

/* ---- reading ---- */

/* Opens a regular file; a FIFO must not make us wait, a link not lead us away. */
static int index_disk_regular(int dir, const char *name, struct stat *info)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0 && (fstat(fd, info) != 0 || !S_ISREG(info->st_mode))) {
        close(fd);
        errno = EINVAL;
        fd = -1;
    }
    if (fd < 0 && (errno == ELOOP || errno == ENXIO)) {
        errno = EINVAL;
    }
    return fd;
}

apr_status_t index_disk_sum(int dir, const char *name, unsigned char *sum, struct stat *info)
{
    unsigned char block[INDEX_DISK_BLOCK];
    digest_t state;
    ssize_t n = 0;
    int fd = index_disk_regular(dir, name, info);
    apr_status_t rv;

    if (fd < 0) {
        return errno;
    }
    digest_open(&state);
    while ((n = read(fd, block, sizeof(block))) > 0 || (n < 0 && errno == EINTR)) {
        digest_update(&state, block, n > 0 ? (apr_size_t)n : 0);
    }
    rv = n < 0 ? errno : APR_SUCCESS;
    digest_finish(&state, sum);
    digest_close(&state);
    close(fd);
    return rv;
}

apr_status_t index_disk_read(slice_t *out, int dir, const char *name, apr_size_t max,
                             apr_pool_t *pool)
{
    struct stat info;
    int fd = index_disk_regular(dir, name, &info);
    apr_status_t rv = APR_SUCCESS;
    char *buffer;
    apr_size_t size, n = 0;

    if (fd < 0) {
        return errno;
    }
    if (info.st_size > (off_t)max) {
        close(fd);
        return EFBIG;
    }
    size = (apr_size_t)info.st_size;
    buffer = apr_palloc(pool, size + 1);
    while (n < size) {
        ssize_t got = read(fd, buffer + n, size - n);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            rv = got < 0 ? errno : EINVAL;
            break;
        }
        n += (apr_size_t)got;
    }
    close(fd);
    *out = slice_make(buffer, n);
    return rv;
}

/* ---- what dead processes left ---- */

/* 1 for a name that index_disk_named makes: nobody else's file is ever removed. */
static int index_disk_ours(const char *name)
{
    const char *digits = name + sizeof(INDEX_DISK_PREFIX) - 1;

    return strncmp(name, INDEX_DISK_PREFIX, sizeof(INDEX_DISK_PREFIX) - 1) == 0 &&
           strlen(digits) == INDEX_DISK_RANDOM * 2 &&
           strspn(digits, "0123456789abcdef") == INDEX_DISK_RANDOM * 2;
}

static void index_disk_tidy_one(int dir, const char *name)
{
    struct stat info;
    int fd = index_disk_regular(dir, name, &info);

    if (fd >= 0) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            (void)unlinkat(dir, name, 0);
        }
        close(fd);
    }
}

void index_disk_tidy(const char *packages)
{
    int root = open(packages, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = root < 0
                 ? -1
                 : openat(root, INDEX_DISK_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (root >= 0) {
        close(root);
    }
    if (!dir) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    while ((entry = readdir(dir))) {
        if (index_disk_ours(entry->d_name)) {
            index_disk_tidy_one(fd, entry->d_name);
        }
    }
    closedir(dir);
}
