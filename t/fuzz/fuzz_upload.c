/*
 * fuzz_upload.c - upload forms from a stranger.
 *
 * Input: one byte that chooses splits, the Content-Type up to a newline, the body. Properties: the
 * verdict and the form are the same for the body whole, byte by byte, and in pieces; each piece is
 * a heap block of its own, so that a read past it is seen; what is accepted has its file where it
 * says, and the boundary nowhere in it.
 */
#include "core/upload.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *fuzz_root;

static upload_t *fuzz_run(slice_t boundary, const char *p, size_t n, unsigned step,
                          apr_pool_t *pool)
{
    upload_options_t options = {0};
    upload_t *u = upload_create(boundary, &options, pool);
    unsigned state = step;

    while (n) {
        size_t take = step == 0   ? n
                      : step == 1 ? 1
                                  : 1 + (state = state * 1103515245 + 12345) / 65536 % 97;
        char *copy;

        take = take < n ? take : n;
        copy = malloc(take);
        if (!copy) {
            abort();
        }
        memcpy(copy, p, take);
        upload_feed(u, copy, take);
        free(copy);
        p += take;
        n -= take;
    }
    upload_finish(u);
    return u;
}

static void fuzz_same(const upload_t *a, const upload_t *b, apr_pool_t *pool)
{
    const upload_form_t *f = upload_form(a), *g = upload_form(b);

    if (upload_verdict(a)->code != upload_verdict(b)->code || !f != !g ||
        strcmp(verdict_sentence(upload_verdict(a), pool),
               verdict_sentence(upload_verdict(b), pool))) {
        abort();
    }
    if (f && (strcmp(f->name, g->name) || strcmp(f->version, g->version) ||
              strcmp(f->filename, g->filename) || strcmp(f->sha256, g->sha256) ||
              f->content_offset != g->content_offset || f->content_length != g->content_length ||
              f->signature_offset != g->signature_offset)) {
        abort();
    }
}

/* 1 when "--boundary" stands in the n bytes at p. */
static int fuzz_dash(slice_t boundary, const char *p, size_t n)
{
    char dash[MULTIPART_BOUNDARY_MAX + 2] = "--";

    memcpy(dash + 2, boundary.p, boundary.n);
    return memmem(p, n, dash, boundary.n + 2) != NULL;
}

static void fuzz_accepted(const upload_t *u, slice_t boundary, const char *p, size_t n)
{
    const upload_form_t *f = upload_form(u);

    if (!f) {
        return;
    }
    if (f->content_offset < 0 || f->content_length <= 0 ||
        (size_t)(f->content_offset + f->content_length) > n ||
        strcmp(f->project, f->file.project) ||
        fuzz_dash(boundary, p + f->content_offset, (size_t)f->content_length) ||
        memcmp(p + f->content_offset + f->content_length, "\r\n--", 4) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *newline;
    slice_t boundary;
    apr_pool_t *pool;
    upload_t *whole;
    size_t n;

    newline = size > 2 ? memchr(p + 1, '\n', size - 1) : NULL;
    if (!newline || multipart_boundary(slice_make(p + 1, (size_t)(newline - p) - 1), &boundary) !=
                        VERDICT_ALLOWED) {
        return 0;
    }
    if (!fuzz_root) {
        apr_initialize();
        apr_pool_create(&fuzz_root, NULL);
    }
    apr_pool_create(&pool, fuzz_root);
    n = size - (size_t)(newline + 1 - p);
    whole = fuzz_run(boundary, newline + 1, n, 0, pool);
    fuzz_same(whole, fuzz_run(boundary, newline + 1, n, 1, pool), pool);
    fuzz_same(whole, fuzz_run(boundary, newline + 1, n, 2u + data[0], pool), pool);
    fuzz_accepted(whole, boundary, newline + 1, n);
    apr_pool_destroy(pool);
    return 0;
}
