/* spool.c - memory, then an unlinked file; see spool.h. */
#include "httpd/private.h"
#include "httpd/spool.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "httpd/index_disk.h"

#define SPOOL_PIECE 65536
/* When so much of the file has been taken, what little is left moves to its front. */
#define SPOOL_AGAIN 1048576

/* Bytes wait in the brigade or in the file, never in both: once there is something in the file,
 * everything goes there until what waits there is little enough to be taken back. (What stands
 * before a file that is offered stays in the brigade, and goes out first.) A stream of which
 * only a little waits at any time needs no more room than that: the file's beginning is used again.
 * Buckets point into it only when it is sealed and nothing is written any more. */
struct spool_t {
    apr_pool_t *pool;
    apr_bucket_alloc_t *alloc;
    apr_bucket_brigade *bb;
    apr_off_t memory;
    const char *dir;
    apr_int64_t length, taken;
    apr_file_t *file;     /* NULL until memory was not enough */
    apr_off_t from, to;   /* the part of the file that waits */
    apr_off_t at;         /* where the file is read or written next; -1: nobody knows */
    const char *packages; /* where somebody would keep the body from offer on; NULL: nobody */
    apr_int64_t offer;
    apr_off_t begun; /* of a file that is offered: so much is on its way to the disk; else -1 */
};

spool_t *spool_create(request_rec *r, apr_off_t memory, const char *dir)
{
    spool_t *s = apr_pcalloc(r->pool, sizeof(*s));

    s->pool = r->pool;
    s->alloc = r->connection->bucket_alloc;
    s->bb = apr_brigade_create(r->pool, s->alloc);
    s->memory = memory;
    s->dir = dir;
    s->begun = -1;
    return s;
}

void spool_offer(spool_t *s, apr_int64_t at, const char *packages)
{
    s->offer = at;
    s->packages = packages;
}

int spool_offered(const spool_t *s)
{
    apr_os_file_t fd = -1;

    return s->begun >= 0 && apr_os_file_get(&fd, s->file) == APR_SUCCESS ? fd : -1;
}

apr_int64_t spool_length(const spool_t *s)
{
    return s->length;
}

apr_int64_t spool_waiting(const spool_t *s)
{
    return s->length - s->taken;
}

int spool_filed(const spool_t *s)
{
    return s->file != NULL;
}

/* Opened once more through /proc, for APR takes care only of files that it opened itself. */
static apr_status_t spool_own(spool_t *s, int fd)
{
    apr_status_t rv;

    if (fd < 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    rv = apr_file_open(&s->file, apr_psprintf(s->pool, "/proc/self/fd/%d", fd),
                       APR_FOPEN_READ | APR_FOPEN_WRITE | APR_FOPEN_BINARY, 0, s->pool);
    close(fd);
    return rv;
}

/* A file that never has a name: a killed child leaves nothing behind. */
static apr_status_t spool_nameless(spool_t *s, const char *dir)
{
#ifdef O_TMPFILE
    return spool_own(s, open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
#else
    (void)s;
    (void)dir;
    return APR_ENOTIMPL;
#endif
}

/* 1 when there is a file now in which somebody may keep what comes from offer on. */
static int spool_offer_open(spool_t *s)
{
    if (!s->packages || s->file || s->taken || s->length < s->offer ||
        spool_own(s, index_disk_nameless(s->packages)) != APR_SUCCESS) {
        return 0;
    }
    s->begun = 0;
    return 1;
}

static apr_status_t spool_file_open(spool_t *s)
{
    const char *dir = s->dir;
    apr_status_t rv = dir ? APR_SUCCESS : apr_temp_dir_get(&dir, s->pool);
    char *name;

    if (s->file || rv != APR_SUCCESS || spool_nameless(s, dir) == APR_SUCCESS) {
        return rv;
    }
    name = apr_pstrcat(s->pool, dir, "/pypitoken.XXXXXX", NULL);
    rv = apr_file_mktemp(&s->file, name,
                         APR_FOPEN_CREATE | APR_FOPEN_READ | APR_FOPEN_WRITE | APR_FOPEN_EXCL |
                             APR_FOPEN_BINARY,
                         s->pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_remove(name, s->pool);
    } else {
        s->file = NULL;
    }
    return rv;
}

static apr_status_t spool_file_seek(spool_t *s, apr_off_t to)
{
    apr_off_t at = to;
    apr_status_t rv = to == s->at ? APR_SUCCESS : apr_file_seek(s->file, APR_SET, &at);

    s->at = to;
    return rv;
}

static apr_status_t spool_file_write(spool_t *s, const struct iovec *pieces, int n,
                                     apr_size_t bytes)
{
    apr_status_t rv = spool_file_seek(s, s->to);

    if (rv == APR_SUCCESS) {
        rv = apr_file_writev_full(s->file, pieces, (apr_size_t)n, NULL);
    }
    if (rv == APR_SUCCESS) {
        s->to += (apr_off_t)bytes;
    }
    s->at = rv == APR_SUCCESS ? s->to : -1;
    if (s->begun >= 0) {
        index_disk_ahead(spool_offered(s), s->to, &s->begun);
    }
    return rv;
}

static apr_status_t spool_file_write_one(spool_t *s, const char *p, apr_size_t n)
{
    const struct iovec piece = {(void *)p, n};

    return spool_file_write(s, &piece, 1, n);
}

/* What was held in memory goes to the file, from the offer on if that is one. */
static apr_status_t spool_spill(spool_t *s)
{
    apr_bucket *b = APR_BRIGADE_FIRST(s->bb), *next;
    apr_status_t rv =
        spool_offer_open(s) ? apr_brigade_partition(s->bb, s->offer, &b) : spool_file_open(s);

    s->from = s->to = 0;
    s->at = -1;
    for (; rv == APR_SUCCESS && b != APR_BRIGADE_SENTINEL(s->bb); b = next) {
        const char *p;
        apr_size_t n;

        rv = apr_bucket_read(b, &p, &n, APR_BLOCK_READ);
        if (rv == APR_SUCCESS) {
            rv = spool_file_write_one(s, p, n);
        }
        next = APR_BUCKET_NEXT(b);
        apr_bucket_delete(b);
    }
    return rv;
}

/* The n waiting bytes of the file, from its position from. */
static apr_status_t spool_file_read(spool_t *s, char *piece, apr_size_t n)
{
    apr_status_t rv = spool_file_seek(s, s->from);

    if (rv == APR_SUCCESS) {
        rv = apr_file_read_full(s->file, piece, n, NULL);
    }
    s->at = rv == APR_SUCCESS ? s->from + (apr_off_t)n : -1;
    return rv;
}

static apr_status_t spool_rewind(spool_t *s)
{
    apr_size_t n = (apr_size_t)(s->to - s->from);
    char *piece = apr_bucket_alloc(n, s->alloc);
    apr_status_t rv = spool_file_read(s, piece, n);

    if (rv == APR_SUCCESS) {
        s->from = s->to = 0;
        rv = spool_file_write_one(s, piece, n);
    }
    apr_bucket_free(piece);
    return rv;
}

/* Little waits in the file, and it fits into memory with what comes: a stream whose reader keeps up
 * does not go through the file. */
static apr_status_t spool_return(spool_t *s)
{
    apr_size_t n = (apr_size_t)(s->to - s->from);
    char *piece = apr_bucket_alloc(n, s->alloc);
    apr_status_t rv = spool_file_read(s, piece, n);

    if (rv != APR_SUCCESS) {
        apr_bucket_free(piece);
        return rv;
    }
    APR_BRIGADE_INSERT_TAIL(s->bb, apr_bucket_heap_create(piece, n, apr_bucket_free, s->alloc));
    s->from = s->to = 0;
    return APR_SUCCESS;
}

static apr_status_t spool_keep(spool_t *s, const struct iovec *pieces, int n)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; i < n && rv == APR_SUCCESS; i++) {
        rv = apr_brigade_write(s->bb, NULL, NULL, pieces[i].iov_base, pieces[i].iov_len);
    }
    return rv;
}

apr_status_t spool_add_all(spool_t *s, const struct iovec *pieces, int n, apr_size_t bytes)
{
    int in_file = s->from < s->to;
    apr_status_t rv = APR_SUCCESS;

    if (in_file && spool_waiting(s) + (apr_int64_t)bytes <= s->memory) {
        rv = spool_return(s);
        in_file = 0;
    } else if (in_file && s->from >= SPOOL_AGAIN && s->to - s->from <= SPOOL_PIECE) {
        rv = spool_rewind(s);
    }
    if (rv == APR_SUCCESS && !in_file && spool_waiting(s) + (apr_int64_t)bytes > s->memory) {
        rv = spool_spill(s);
        in_file = 1;
    }
    if (rv == APR_SUCCESS) {
        rv = in_file ? spool_file_write(s, pieces, n, bytes) : spool_keep(s, pieces, n);
    }
    if (rv == APR_SUCCESS) {
        s->length += (apr_int64_t)bytes;
    }
    return rv;
}

apr_status_t spool_add(spool_t *s, const char *p, apr_size_t n)
{
    const struct iovec piece = {(void *)p, n};

    return spool_add_all(s, &piece, 1, n);
}

/* One bucket for the whole file, split as it is taken: if a handler sets a piece aside, the file
 * goes along for all of them. */
void spool_seal(spool_t *s)
{
    if (s->from < s->to) {
        apr_brigade_insert_file(s->bb, s->file, s->from, s->to - s->from, s->pool);
        s->from = s->to;
    }
}

static apr_status_t spool_take_file(spool_t *s, apr_bucket_brigade *bb, apr_off_t max)
{
    apr_size_t n = (apr_size_t)(max < SPOOL_PIECE ? max : SPOOL_PIECE);
    apr_status_t rv;
    char *piece;

    n = (apr_off_t)n < s->to - s->from ? n : (apr_size_t)(s->to - s->from);
    piece = apr_bucket_alloc(n, s->alloc);
    rv = spool_file_read(s, piece, n);
    if (rv != APR_SUCCESS) {
        apr_bucket_free(piece);
        return rv;
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_heap_create(piece, n, apr_bucket_free, s->alloc));
    s->from += (apr_off_t)n;
    s->taken += (apr_int64_t)n;
    return APR_SUCCESS;
}

apr_status_t spool_take(spool_t *s, apr_bucket_brigade *bb, apr_off_t max)
{
    apr_bucket *b;

    if (s->from < s->to && APR_BRIGADE_EMPTY(s->bb)) {
        return spool_take_file(s, bb, max);
    }
    while (max > 0 && (b = APR_BRIGADE_FIRST(s->bb)) != APR_BRIGADE_SENTINEL(s->bb)) {
        const char *p;
        apr_size_t n;
        apr_status_t rv;

        if (APR_BUCKET_IS_FILE(b)) {
            if (!APR_BRIGADE_EMPTY(bb)) {
                break;
            }
            rv = apr_bucket_read(b, &p, &n, APR_BLOCK_READ);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        if ((apr_off_t)b->length > max) {
            apr_bucket_split(b, (apr_size_t)max);
        }
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(bb, b);
        s->taken += (apr_int64_t)b->length;
        max -= (apr_off_t)b->length;
    }
    return APR_SUCCESS;
}
