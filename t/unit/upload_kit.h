/*
 * upload_kit.h - what the tests of forms share: a buffer to build bodies in, and ways to cut a body
 * into pieces. Every piece is a heap block of its own, so that a sanitizer sees a read past it.
 */
#ifndef PYPITOKEN_UPLOAD_KIT_H
#define PYPITOKEN_UPLOAD_KIT_H

#include "core/upload.h"
#include "tap.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

#define KIT_UNUSED __attribute__((unused)) static

/* A slice over a literal that may hold NULs, for expressions. */
#define KIT_S(literal) slice_make((literal), sizeof(literal) - 1)

typedef struct kit_buf_t {
    char *p;
    apr_size_t n, room;
} kit_buf_t;

KIT_UNUSED void kit_add(kit_buf_t *b, slice_t s)
{
    if (b->n + s.n > b->room) {
        b->room = 2 * (b->n + s.n) + 256;
        b->p = realloc(b->p, b->room);
        if (!b->p) {
            abort();
        }
    }
    if (s.n) {
        memcpy(b->p + b->n, s.p, s.n);
    }
    b->n += s.n;
}

KIT_UNUSED void kit_str(kit_buf_t *b, const char *text)
{
    kit_add(b, slice_of(text));
}

KIT_UNUSED void kit_fill(kit_buf_t *b, char c, apr_size_t n)
{
    while (n--) {
        kit_add(b, slice_make(&c, 1));
    }
}

KIT_UNUSED slice_t kit_slice(const kit_buf_t *b)
{
    return slice_make(b->p, b->n);
}

/* How a body is cut: in two at "at", or (at < 0) by the seed: 0 whole, 1 byte by byte, else in
 * pieces of random length. */
typedef struct kit_cut_t {
    apr_ssize_t at;
    unsigned seed;
} kit_cut_t;

static const kit_cut_t kit_whole = {-1, 0}, kit_bytes = {-1, 1};

KIT_UNUSED kit_cut_t kit_two(apr_size_t at)
{
    kit_cut_t cut = {(apr_ssize_t)at, 0};
    return cut;
}

KIT_UNUSED kit_cut_t kit_random(unsigned seed)
{
    kit_cut_t cut = {-1, seed < 2 ? seed + 2 : seed};
    return cut;
}

/* A small generator, so that every run sees the same pieces. */
KIT_UNUSED unsigned kit_next(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 16) & 0x7fff;
}

/* The length of the next piece, at offset done of a body of n bytes. */
KIT_UNUSED apr_size_t kit_piece(const kit_cut_t *cut, unsigned *state, apr_size_t done,
                                apr_size_t n)
{
    apr_size_t take = n - done;

    if (cut->at >= 0 && done < (apr_size_t)cut->at) {
        take = (apr_size_t)cut->at - done;
    } else if (cut->at < 0 && cut->seed == 1) {
        take = 1;
    } else if (cut->at < 0 && cut->seed > 1) {
        take = 1 + kit_next(state) % 113;
    }
    return take < n - done ? take : n - done;
}

typedef verdict_code_t (*kit_feed_t)(void *parser, const char *p, apr_size_t n);

KIT_UNUSED verdict_code_t kit_feed(void *parser, kit_feed_t feed, slice_t body, kit_cut_t cut)
{
    verdict_code_t code = VERDICT_ALLOWED;
    unsigned state = cut.seed;
    apr_size_t done = 0;

    while (done < body.n) {
        apr_size_t take = kit_piece(&cut, &state, done, body.n);
        char *copy = malloc(take);

        if (!copy) {
            abort();
        }
        memcpy(copy, body.p + done, take);
        code = feed(parser, copy, take);
        free(copy);
        done += take;
    }
    return code;
}

KIT_UNUSED verdict_code_t kit_upload_feed(void *parser, const char *p, apr_size_t n)
{
    return upload_feed(parser, p, n);
}

/* A form read to its end. The verdict of finish is that of the last feed, if that was a refusal. */
KIT_UNUSED upload_t *kit_upload(slice_t boundary, slice_t body, int legacy, kit_cut_t cut,
                                apr_pool_t *pool)
{
    upload_options_t options = {.legacy_names = legacy};
    upload_t *u = upload_create(boundary, &options, pool);
    verdict_code_t fed = kit_feed(u, kit_upload_feed, body, cut);
    verdict_code_t code = upload_finish(u);

    if (fed != VERDICT_ALLOWED && code != fed) {
        abort();
    }
    return u;
}

/* 1 when both ended with the same verdict, sentence and form. */
KIT_UNUSED int kit_same(const upload_t *a, const upload_t *b, apr_pool_t *pool)
{
    const upload_form_t *f = upload_form(a), *g = upload_form(b);

    if (upload_verdict(a)->code != upload_verdict(b)->code || !f != !g ||
        strcmp(verdict_logline(upload_verdict(a), pool),
               verdict_logline(upload_verdict(b), pool)) != 0) {
        return 0;
    }
    return !f ||
           (strcmp(f->name, g->name) == 0 && strcmp(f->project, g->project) == 0 &&
            strcmp(f->version, g->version) == 0 && strcmp(f->filename, g->filename) == 0 &&
            strcmp(f->filetype, g->filetype) == 0 && strcmp(f->pyversion, g->pyversion) == 0 &&
            strcmp(f->metadata_version, g->metadata_version) == 0 &&
            strcmp(f->requires_python, g->requires_python) == 0 && strcmp(f->md5, g->md5) == 0 &&
            strcmp(f->sha256, g->sha256) == 0 && strcmp(f->blake2, g->blake2) == 0 &&
            f->content_offset == g->content_offset && f->content_length == g->content_length &&
            f->signature_offset == g->signature_offset &&
            f->signature_length == g->signature_length);
}

/* At which of the cuts the outcome differs from that of the body in one piece: every cut in two
 * when step is 1, else every step-th; byte by byte; 8 random ways. -1 for nowhere. */
KIT_UNUSED long kit_differs(slice_t boundary, slice_t body, int legacy, apr_size_t step,
                            apr_pool_t *parent)
{
    apr_pool_t *pool, *sub;
    upload_t *whole;
    long found = -1;
    apr_size_t i, n = body.n / step + 9;

    apr_pool_create(&pool, parent);
    apr_pool_create(&sub, parent);
    whole = kit_upload(boundary, body, legacy, kit_whole, pool);
    for (i = 0; i < n && found < 0; i++) {
        kit_cut_t cut = i == 0  ? kit_bytes
                        : i < 9 ? kit_random((unsigned)i)
                                : kit_two((i - 9) * step);

        if (!kit_same(whole, kit_upload(boundary, body, legacy, cut, sub), sub)) {
            found = (long)i;
        }
        apr_pool_clear(sub);
    }
    apr_pool_destroy(sub);
    apr_pool_destroy(pool);
    return found;
}

#endif
