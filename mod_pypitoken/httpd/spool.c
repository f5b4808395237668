/* spool.c - memory, then an unlinked file; and the filter that gives it back. See spool.h. */
#include "httpd/private.h"
#include "httpd/spool.h"

#include <apr_strings.h>
#include <util_filter.h>

#define SPOOL_FILTER "PYPITOKEN_REPLAY"

struct spool_t {
    apr_pool_t *pool;
    apr_bucket_alloc_t *alloc;
    apr_bucket_brigade *bb;
    apr_off_t memory;
    const char *dir;
    apr_int64_t length;
    apr_file_t *file; /* NULL while everything is in memory */
};

spool_t *spool_create(request_rec *r, apr_off_t memory, const char *dir)
{
    spool_t *s = apr_pcalloc(r->pool, sizeof(*s));

    s->pool = r->pool;
    s->alloc = r->connection->bucket_alloc;
    s->bb = apr_brigade_create(r->pool, s->alloc);
    s->memory = memory;
    s->dir = dir;
    return s;
}

apr_int64_t spool_length(const spool_t *s)
{
    return s->length;
}

static apr_status_t spool_file_open(spool_t *s)
{
    const char *dir = s->dir;
    apr_status_t rv = dir ? APR_SUCCESS : apr_temp_dir_get(&dir, s->pool);
    char *name;

    if (rv != APR_SUCCESS) {
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

/* What was held in memory goes to the front of the file. */
static apr_status_t spool_spill(spool_t *s)
{
    apr_status_t rv = spool_file_open(s);

    while (rv == APR_SUCCESS && !APR_BRIGADE_EMPTY(s->bb)) {
        apr_bucket *b = APR_BRIGADE_FIRST(s->bb);
        const char *p;
        apr_size_t n;

        rv = apr_bucket_read(b, &p, &n, APR_BLOCK_READ);
        if (rv == APR_SUCCESS) {
            rv = apr_file_write_full(s->file, p, n, NULL);
        }
        apr_bucket_delete(b);
    }
    return rv;
}

apr_status_t spool_add(spool_t *s, const char *p, apr_size_t n)
{
    apr_status_t rv = APR_SUCCESS;

    if (!s->file && s->length + (apr_int64_t)n > s->memory) {
        rv = spool_spill(s);
    }
    if (rv == APR_SUCCESS) {
        rv = s->file ? apr_file_write_full(s->file, p, n, NULL)
                     : apr_brigade_write(s->bb, NULL, NULL, p, n);
    }
    if (rv == APR_SUCCESS) {
        s->length += (apr_int64_t)n;
    }
    return rv;
}

apr_status_t spool_replay(spool_t *s, request_rec *r)
{
    ap_filter_t *f;

    if (s->file) {
        apr_brigade_insert_file(s->bb, s->file, 0, (apr_off_t)s->length, s->pool);
    }
    APR_BRIGADE_INSERT_TAIL(s->bb, apr_bucket_eos_create(s->alloc));
    f = ap_add_input_filter(SPOOL_FILTER, s, r, r->connection);
    if (!f) {
        return APR_EGENERAL;
    }
    r->proto_input_filters = f;
    apr_table_unset(r->headers_in, "Transfer-Encoding");
    apr_table_setn(r->headers_in, "Content-Length",
                   apr_psprintf(r->pool, "%" APR_INT64_T_FMT, s->length));
    return APR_SUCCESS;
}

static apr_status_t spool_read(spool_t *s, apr_bucket_brigade *bb, apr_off_t readbytes)
{
    apr_bucket *end, *b;
    apr_status_t rv;

    rv = apr_brigade_partition(s->bb, readbytes, &end);
    if (rv != APR_SUCCESS && rv != APR_INCOMPLETE) {
        return rv;
    }
    while ((b = APR_BRIGADE_FIRST(s->bb)) != end) {
        APR_BUCKET_REMOVE(b);
        APR_BRIGADE_INSERT_TAIL(bb, b);
        if (APR_BUCKET_IS_EOS(b)) {
            break;
        }
    }
    return APR_SUCCESS;
}

/* Hands out the spool bucket by bucket; never asks the network again. After the end it says EOS to
 * everybody who asks, as ap_discard_request_body does once more. A handler that peeks or wants
 * everything at once gets the same bytes: the modes below HTTP_IN are raw and never ours. */
static apr_status_t spool_filter(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                 apr_read_type_e block, apr_off_t readbytes)
{
    spool_t *s = f->ctx;
    apr_bucket *e;

    switch (mode) {
    case AP_MODE_READBYTES:
    case AP_MODE_GETLINE:
    case AP_MODE_SPECULATIVE:
    case AP_MODE_EXHAUSTIVE:
        break;
    case AP_MODE_EATCRLF:
    case AP_MODE_INIT:
        return APR_SUCCESS;
    default:
        return APR_ENOTIMPL;
    }
    if (APR_BRIGADE_EMPTY(s->bb)) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(s->alloc));
        return APR_SUCCESS;
    }
    if (mode == AP_MODE_READBYTES) {
        return spool_read(s, bb, readbytes);
    }
    if (mode == AP_MODE_GETLINE) {
        return apr_brigade_split_line(bb, s->bb, block, HUGE_STRING_LEN);
    }
    if (mode == AP_MODE_EXHAUSTIVE) {
        APR_BRIGADE_CONCAT(bb, s->bb);
        return APR_SUCCESS;
    }
    for (e = APR_BRIGADE_FIRST(s->bb); e != APR_BRIGADE_SENTINEL(s->bb) && readbytes > 0;
         e = APR_BUCKET_NEXT(e)) {
        apr_bucket *copy;

        if (apr_bucket_copy(e, &copy) != APR_SUCCESS) {
            return APR_ENOTIMPL;
        }
        APR_BRIGADE_INSERT_TAIL(bb, copy);
        readbytes -= e->length == (apr_size_t)-1 ? readbytes : (apr_off_t)e->length;
    }
    return APR_SUCCESS;
}

void spool_register(apr_pool_t *p)
{
    (void)p;
    /* PROTOCOL - 1: above HTTP_IN, below everything that looks at content. */
    ap_register_input_filter(SPOOL_FILTER, spool_filter, NULL, AP_FTYPE_PROTOCOL - 1);
}
