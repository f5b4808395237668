/*
 * index_store.c - keeps a guarded upload; see index_store.h for the contract.
 *
 * A file that the guard has put where it can stay (guard_pass_t.kept) is not written once more.
 *
 * body -> temporaries and digests, while it comes -> the guard's verdict, with the last read ->
 * digests checked -> all flushed -> under the project's lock:
 * metadata, file, signature get their names -> directory flushed -> 200. The link of the file is
 * what decides: whoever makes it has stored the file, everybody else compares.
 */
#include "httpd/private.h"
#include "httpd/index_store.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "httpd/denial.h"
#include "httpd/index_meta.h"
#include "httpd/index_part.h"
#include "httpd/index_path.h"

#define INDEX_STORE_READ 65536

typedef struct index_store_t {
    request_rec *r;
    const guard_pass_t *pass;
    const upload_form_t *form;
    const char *packages;
    int whole; /* all of form is known */
    index_part_t file, signature;
    index_disk_temp_t *meta;
    int dir; /* of the project */
    verdict_t verdict;
} index_store_t;

static verdict_code_t index_store_refuse(index_store_t *s, verdict_code_t code, const char *detail)
{
    return verdict_set(&s->verdict, code, slice_of(detail), s->r->pool);
}

/* The disk did not do what it should; what names the step. */
static verdict_code_t index_store_failed(index_store_t *s, apr_status_t rv, const char *what)
{
    int full = APR_STATUS_IS_ENOSPC(rv) || rv == EDQUOT || rv == EFBIG;
    char text[160];

    index_store_refuse(s, full ? VERDICT_SPOOL_FULL : VERDICT_INTERNAL, NULL);
    s->verdict.log =
        apr_psprintf(s->r->pool, "%s %s/%s/%s: %s", what, s->packages, s->form->project,
                     s->form->filename, apr_strerror(rv, text, sizeof(text)));
    return s->verdict.code;
}

/* ---- before it has a name ---- */

static verdict_code_t index_store_open(index_store_t *s, index_part_t *part, const char *name,
                                       apr_int64_t offset, apr_int64_t length)
{
    apr_status_t rv;

    part->name = name;
    part->offset = offset;
    part->length = length;
    /* The guard let nothing else through but a file whose signature has too long a name; a path is
     * not made on trust, though. */
    if (!index_path_file_valid(slice_of(name))) {
        return index_store_refuse(s, VERDICT_FILENAME_INVALID, name);
    }
    rv = part->kept ? APR_SUCCESS : index_disk_temp(&part->temp, s->packages, s->r->pool);
    return rv == APR_SUCCESS ? VERDICT_ALLOWED
                             : index_store_failed(s, rv, "cannot make a temporary for");
}

/* 1 when the guard has put the file where this index keeps its own: with the bytes that it has
 * judged, and hashed. */
static int index_store_kept(const index_store_t *s)
{
    return s->pass->kept >= 0 && s->form->content_sha256 &&
           strcmp(s->pass->packages, s->packages) == 0;
}

/* As soon as it is known that there is one: at the start, or with the end of the form. */
static verdict_code_t index_store_signature(index_store_t *s)
{
    const upload_form_t *form = s->form;

    if (s->signature.name || form->signature_length < 0) {
        return VERDICT_ALLOWED;
    }
    return index_store_open(s, &s->signature, apr_pstrcat(s->r->pool, form->filename, ".asc", NULL),
                            form->signature_offset, form->signature_length);
}

static verdict_code_t index_store_begin(index_store_t *s)
{
    const upload_form_t *form = s->form;
    apr_pool_t *pool = s->r->pool;
    verdict_code_t code;

    index_digest_start(&s->file.digest, form->md5, form->sha256, form->blake2, form->content_sha256,
                       pool);
    index_digest_start(&s->signature.digest, "", "", "", NULL, pool);
    s->file.kept = index_store_kept(s);
    if (!s->file.kept && (s->pass->body_length < 0 || form->content_length > INDEX_STORE_READ)) {
        s->file.block = apr_palloc(pool, INDEX_PART_BLOCK);
    }
    if (!index_path_project_valid(slice_of(form->project), pool)) {
        return index_store_refuse(s, VERDICT_FILENAME_INVALID, form->filename);
    }
    code = index_store_open(s, &s->file, form->filename, form->content_offset, -1);
    return code == VERDICT_ALLOWED ? index_store_signature(s) : code;
}

/* After each read: the verdict may have come with it, and then what was read may be more than
 * content. */
static verdict_code_t index_store_look(index_store_t *s)
{
    if (s->whole || s->pass->body_length < 0) {
        return VERDICT_ALLOWED;
    }
    s->whole = 1;
    s->file.length = s->form->content_length;
    return index_store_signature(s);
}

/* ---- the body ---- */

static apr_status_t index_store_bytes(index_store_t *s, apr_int64_t at, const char *p, apr_size_t n)
{
    apr_status_t rv = index_part_take(&s->file, at, p, n);

    return rv == APR_SUCCESS ? index_part_take(&s->signature, at, p, n) : rv;
}

/* One brigade; *eos when it had the end. What cannot be kept is read all the same. */
static apr_status_t index_store_brigade(index_store_t *s, apr_bucket_brigade *bb, apr_int64_t *at,
                                        int *eos)
{
    while (!APR_BRIGADE_EMPTY(bb) && !*eos) {
        apr_bucket *b = APR_BRIGADE_FIRST(bb);
        const char *p;
        apr_size_t n = 0;
        apr_status_t rv = APR_SUCCESS;

        *eos = APR_BUCKET_IS_EOS(b);
        if (!APR_BUCKET_IS_METADATA(b)) {
            rv = apr_bucket_read(b, &p, &n, APR_BLOCK_READ);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (n && s->verdict.code == VERDICT_ALLOWED) {
            rv = index_store_bytes(s, *at, p, n);
        }
        if (rv != APR_SUCCESS) {
            index_store_failed(s, rv, "cannot write a temporary for");
        }
        *at += (apr_int64_t)n;
        apr_bucket_delete(b); /* a big file goes by bucket by bucket, not as a whole */
    }
    return APR_SUCCESS;
}

/* To its end, also when there is a reason to refuse it: the guard's comes first. OK, and the
 * verdict tells; or the status of a body that does not come to its end. */
static int index_store_body(index_store_t *s)
{
    request_rec *r = s->r;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_status_t rv = APR_SUCCESS;
    apr_int64_t at = 0;
    int eos = 0;

    while (rv == APR_SUCCESS && !eos) {
        rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ,
                            INDEX_STORE_READ);
        if (rv == APR_SUCCESS && s->verdict.code == VERDICT_ALLOWED) {
            (void)index_store_look(s);
        }
        if (rv == APR_SUCCESS) {
            rv = index_store_brigade(s, bb, &at, &eos);
        }
        apr_brigade_cleanup(bb);
    }
    apr_brigade_destroy(bb);
    if (rv != APR_SUCCESS) {
        return ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    }
    rv = s->verdict.code == VERDICT_ALLOWED ? index_part_flush(&s->file) : APR_SUCCESS;
    if (rv != APR_SUCCESS) {
        index_store_failed(s, rv, "cannot write a temporary for");
    }
    if (s->verdict.code == VERDICT_ALLOWED &&
        (!s->whole || guard_passed(r) != s->pass || at != s->pass->body_length ||
         s->file.got != s->file.length ||
         (s->signature.name && s->signature.got != s->signature.length))) {
        index_store_refuse(s, VERDICT_BODY_BROKEN, NULL);
    }
    return OK;
}

/* Digests that the form names behind the file are made of what was kept. */
static verdict_code_t index_store_digests(index_store_t *s)
{
    const upload_form_t *form = s->form;
    index_digest_t *d = &s->file.digest;
    apr_status_t rv =
        s->file.kept ? index_part_adopt(&s->file, s->pass->kept, s->r->pool) : APR_SUCCESS;
    const char *wrong;

    if (rv == APR_SUCCESS && index_digest_late(d, form->md5, form->sha256, form->blake2)) {
        (void)index_digest_finish(d);
        index_digest_start(d, form->md5, form->sha256, form->blake2, form->content_sha256,
                           s->r->pool);
        rv = index_part_again(&s->file);
    }
    wrong = index_digest_finish(d);
    (void)index_digest_finish(&s->signature.digest);
    if (rv != APR_SUCCESS) {
        return index_store_failed(s, rv, "cannot read again");
    }
    return wrong ? index_store_refuse(s, VERDICT_DIGEST_MISMATCH, wrong) : VERDICT_ALLOWED;
}

/* Digests checked, everything on the disk, the project's directory there. */
static verdict_code_t index_store_settle(index_store_t *s)
{
    verdict_code_t code = index_store_digests(s);
    apr_pool_t *pool = s->r->pool;
    index_meta_t meta;
    apr_status_t rv;

    if (code != VERDICT_ALLOWED) {
        return code;
    }
    rv = index_disk_sync(s->file.temp, &s->file.info);
    if (rv == APR_SUCCESS && s->signature.name) {
        rv = index_disk_sync(s->signature.temp, &s->signature.info);
    }
    if (rv == APR_SUCCESS) {
        index_meta_set(&meta, &s->file.info, s->file.digest.sum, s->form->requires_python, pool);
        rv = index_meta_prepare(&s->meta, s->packages, &meta, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = index_disk_open(&s->dir, s->packages, s->form->project, 1, pool);
    }
    return rv == APR_SUCCESS ? VERDICT_ALLOWED : index_store_failed(s, rv, "cannot store");
}

/* ---- its name ---- */

/* What of that name is there: VERDICT_ALLOWED for the same bytes. */
static verdict_code_t index_store_compare(index_store_t *s, const index_part_t *part)
{
    unsigned char sum[DIGEST_BYTES];
    struct stat info;
    apr_status_t rv;

    if (fstatat(s->dir, part->name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        (!S_ISREG(info.st_mode) || info.st_size != part->info.st_size)) {
        return index_store_refuse(s, VERDICT_FILE_EXISTS, part->name);
    }
    rv = index_disk_sum(s->dir, part->name, sum, &info);
    if (rv != APR_SUCCESS) {
        return index_store_failed(s, rv, "cannot compare with");
    }
    return memcmp(sum, part->digest.sum, sizeof(sum)) == 0
               ? VERDICT_ALLOWED
               : index_store_refuse(s, VERDICT_FILE_EXISTS, part->name);
}

static int index_store_there(const index_store_t *s, const index_part_t *part)
{
    struct stat info;

    return part->name && fstatat(s->dir, part->name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Names part, or finds the same bytes there. */
static verdict_code_t index_store_link(index_store_t *s, const index_part_t *part)
{
    apr_status_t rv = index_disk_publish(part->temp, s->dir, part->name);

    if (APR_STATUS_IS_EEXIST(rv)) {
        return index_store_compare(s, part);
    }
    return rv == APR_SUCCESS ? VERDICT_ALLOWED : index_store_failed(s, rv, "cannot link");
}

/* With the lock held. Metadata comes first, so that the file is never listed without; the file
 * before its signature, so that no signature stands there alone, and an upload that died between
 * the two may be repeated. */
static verdict_code_t index_store_publish(index_store_t *s)
{
    int again = index_store_there(s, &s->file);
    verdict_code_t code = VERDICT_ALLOWED;
    apr_status_t rv;

    if (!again) {
        rv = index_meta_publish(s->meta, s->dir, s->file.name, s->r->pool);
        if (rv != APR_SUCCESS) {
            return index_store_failed(s, rv, "cannot keep the metadata of");
        }
        code = index_store_there(s, &s->signature) ? index_store_compare(s, &s->signature) : code;
    }
    if (code == VERDICT_ALLOWED) {
        code = index_store_link(s, &s->file);
    }
    if (code == VERDICT_ALLOWED && s->signature.name) {
        code = index_store_link(s, &s->signature);
    }
    if (code == VERDICT_ALLOWED) {
        rv = index_disk_flush(s->dir);
        code = rv == APR_SUCCESS ? code : index_store_failed(s, rv, "cannot flush");
    }
    return code;
}

/* Before the client hears of it, so that an answer means that all is in its place. */
static void index_store_end(index_store_t *s)
{
    index_disk_done(s->file.temp, s->r->pool);
    index_disk_done(s->signature.temp, s->r->pool);
    index_disk_done(s->meta, s->r->pool);
}

static int index_store_answer(request_rec *r, const upload_form_t *form)
{
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "pypitoken: stored %s/%s", form->project,
                  form->filename);
    ap_set_content_type(r, "text/plain; charset=utf-8");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_rprintf(r, "Stored %s.\n", form->filename);
    return OK;
}

int index_store(request_rec *r, const guard_pass_t *pass, const char *packages)
{
    index_store_t s; /* on the stack: the digests want more alignment than a pool gives */
    verdict_code_t code;
    int status;

    memset(&s, 0, sizeof(s));
    s.r = r;
    s.pass = pass;
    s.form = pass->form;
    s.packages = packages;
    (void)index_store_begin(&s);
    status = index_store_body(&s);
    code = status == OK ? s.verdict.code : VERDICT_BODY_BROKEN;
    if (code == VERDICT_ALLOWED) {
        code = index_store_settle(&s);
    }
    if (code == VERDICT_ALLOWED) {
        index_disk_lock(s.dir);
        code = index_store_publish(&s);
        index_disk_unlock(s.dir);
    }
    index_store_end(&s);
    if (status != OK) {
        return status;
    }
    return code == VERDICT_ALLOWED ? index_store_answer(r, pass->form) : denial_send(r, &s.verdict);
}
