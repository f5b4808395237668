/*
 * fuzz_upload.c - upload forms from a stranger.
 *
 * Input: one byte that chooses splits, the Content-Type up to a newline, the body. Properties: the
 * verdict and the form are the same for the body whole, byte by byte, and in pieces; each piece is
 * a heap block of its own, so that a read past it is seen; of what is accepted, a reader that knows
 * nothing but "split at the boundary, take the bytes between" sees the same name, version, action,
 * file name and file, and the boundary nowhere else; cut short it is not accepted. Where a form is
 * handed on while it is being read: what may go never reaches the delimiter that ends the file and
 * never shrinks, what is held back is bounded, and who it is for does not change any more.
 */
#include "core/upload.h"

#include "fuzz.h"

static upload_t *fuzz_run(slice_t boundary, slice_t body, unsigned step, apr_pool_t *pool)
{
    upload_options_t options = {0};
    upload_t *u = upload_create(boundary, &options, pool);
    unsigned state = step;

    while (body.n) {
        size_t take = step == 0   ? body.n
                      : step == 1 ? 1
                                  : 1 + (state = state * 1103515245 + 12345) / 65536 % 97;
        slice_t piece = fuzz_take(&body, take);
        char *copy = fuzz_copy(piece);

        upload_feed(u, copy, piece.n);
        free(copy);
    }
    upload_finish(u);
    return u;
}

static void fuzz_same(const upload_t *a, const upload_t *b, apr_pool_t *pool)
{
    const upload_form_t *f = upload_form(a), *g = upload_form(b);

    FUZZ_HOLDS(upload_verdict(a)->code == upload_verdict(b)->code && !f == !g);
    FUZZ_HOLDS(!strcmp(verdict_logline(upload_verdict(a), pool),
                       verdict_logline(upload_verdict(b), pool)));
    if (f) {
        FUZZ_HOLDS(!strcmp(f->name, g->name) && !strcmp(f->version, g->version) &&
                   !strcmp(f->filename, g->filename) && !strcmp(f->sha256, g->sha256));
        FUZZ_HOLDS(f->content_offset == g->content_offset &&
                   f->content_length == g->content_length &&
                   f->signature_offset == g->signature_offset &&
                   f->signature_length == g->signature_length);
    }
}

/* ---- a reader of the simplest kind ---- */

/* The value behind key="..." in a part's headers; p NULL when there is none. */
static slice_t fuzz_quoted(slice_t head, const char *key)
{
    slice_t value = {NULL, 0};
    char *at = memmem(head.p, head.n, key, strlen(key)), *end;

    if (at) {
        at += strlen(key);
        end = memchr(at, '"', (size_t)(head.p + head.n - at));
        FUZZ_HOLDS(end);
        value = slice_make(at, (size_t)(end - at));
    }
    return value;
}

typedef struct fuzz_seen_t {
    slice_t name, version, action, filename, content;
} fuzz_seen_t;

static void fuzz_part(fuzz_seen_t *seen, slice_t part)
{
    char *blank = memmem(part.p, part.n, "\r\n\r\n", 4);
    slice_t head, value, name, file;

    FUZZ_HOLDS(blank);
    head = slice_make(part.p, (size_t)(blank - part.p));
    value = slice_make(blank + 4, part.n - head.n - 4);
    name = fuzz_quoted(head, " name=\"");
    file = fuzz_quoted(head, " filename=\"");
    if (slice_is(name, "content")) {
        FUZZ_HOLDS(!seen->content.p && file.p);
        seen->filename = file;
        seen->content = value;
    }
    if (slice_is(name, "name")) {
        FUZZ_HOLDS(!seen->name.p && !file.p);
        seen->name = value;
    }
    if (slice_is(name, "version")) {
        FUZZ_HOLDS(!seen->version.p && !file.p);
        seen->version = value;
    }
    if (slice_is(name, ":action")) {
        FUZZ_HOLDS(!seen->action.p && !file.p);
        seen->action = value;
    }
}

static void fuzz_reader(fuzz_seen_t *seen, slice_t boundary, slice_t body)
{
    char dash[MULTIPART_BOUNDARY_MAX + 2] = "--";
    size_t n = boundary.n + 2;
    char *at, *next;

    memset(seen, 0, sizeof(*seen));
    memcpy(dash + 2, boundary.p, boundary.n);
    at = memmem(body.p, body.n, dash, n);
    FUZZ_HOLDS(at && at <= body.p + 2);
    for (;;) {
        size_t left = (size_t)(body.p + body.n - at) - n;

        at += n;
        if (left >= 2 && memcmp(at, "--", 2) == 0) {
            FUZZ_HOLDS(left == 2 || (left == 4 && memcmp(at + 2, "\r\n", 2) == 0));
            return;
        }
        FUZZ_HOLDS(left > 2 && memcmp(at, "\r\n", 2) == 0);
        next = memmem(at, left, dash, n);
        FUZZ_HOLDS(next && next >= at + 4 && memcmp(next - 2, "\r\n", 2) == 0);
        fuzz_part(seen, slice_make(at + 2, (size_t)(next - at) - 4));
        at = next;
    }
}

static void fuzz_accepted(const upload_t *u, slice_t boundary, slice_t body, apr_pool_t *pool)
{
    const upload_form_t *f = upload_form(u);
    fuzz_seen_t seen;
    upload_t *cut;

    if (!f) {
        return;
    }
    fuzz_reader(&seen, boundary, body);
    FUZZ_HOLDS(slice_is(seen.name, f->name) && slice_is(seen.version, f->version) &&
               slice_is(seen.action, "file_upload") && slice_is(seen.filename, f->filename));
    FUZZ_HOLDS(seen.content.p == body.p + f->content_offset &&
               (apr_int64_t)seen.content.n == f->content_length && f->content_length > 0);
    FUZZ_HOLDS(!strcmp(f->project, f->file.project));
    cut = fuzz_run(boundary, slice_make(body.p, (size_t)(f->content_offset + f->content_length)), 0,
                   pool);
    FUZZ_HOLDS(!upload_form(cut));
}

/* ---- handed on while it is read ---- */

/* Where the delimiter begins that ends the part at offset, or behind the body. */
static apr_int64_t fuzz_end(slice_t boundary, slice_t body, apr_int64_t offset)
{
    char delimiter[MULTIPART_BOUNDARY_MAX + 4] = "\r\n--";
    const char *found;

    memcpy(delimiter + 4, boundary.p, boundary.n);
    found = memmem(body.p + offset, body.n - (size_t)offset, delimiter, boundary.n + 4);
    return found ? found - body.p : (apr_int64_t)body.n + 1;
}

/* After fed bytes, of which safe were let go before; how many are now. */
static apr_int64_t fuzz_let_go(const upload_t *u, slice_t boundary, slice_t body, apr_int64_t fed,
                               apr_int64_t safe)
{
    const upload_form_t *f = upload_named(u);
    apr_int64_t now = upload_safe(u), end;

    if (!f) {
        FUZZ_HOLDS(now == 0);
        return 0;
    }
    end = fuzz_end(boundary, body, f->content_offset);
    FUZZ_HOLDS(now >= safe && now <= fed && now <= end);
    if (upload_verdict(u)->code == VERDICT_ALLOWED && fed < end) {
        FUZZ_HOLDS(fed - now <= (apr_int64_t)boundary.n + 4);
    }
    return now;
}

static void fuzz_stream(slice_t boundary, slice_t body, const upload_t *whole, unsigned step,
                        apr_pool_t *pool)
{
    upload_options_t options = {0, 0, 1};
    upload_t *u = upload_create(boundary, &options, pool);
    const upload_form_t *f = upload_form(whole), *g;
    slice_t rest = body;
    apr_int64_t safe = 0;
    const char *project = NULL, *filename = NULL;

    while (rest.n) {
        slice_t piece = fuzz_take(&rest, 1 + (step = step * 1103515245 + 12345) / 65536 % 97);
        char *copy = fuzz_copy(piece);

        upload_feed(u, copy, piece.n);
        free(copy);
        safe = fuzz_let_go(u, boundary, body, rest.p - body.p, safe);
        if (upload_named(u)) {
            FUZZ_HOLDS(!project || !strcmp(project, upload_named(u)->project));
            FUZZ_HOLDS(!filename || !strcmp(filename, upload_named(u)->filename));
            project = upload_named(u)->project;
            filename = upload_named(u)->filename;
        }
    }
    upload_finish(u);
    g = upload_form(u);
    if (g) {
        FUZZ_HOLDS(f && project && !strcmp(f->project, project) && !strcmp(f->filename, filename));
        FUZZ_HOLDS(f->content_offset == g->content_offset &&
                   f->content_length == g->content_length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice_t rest = slice_make((const char *)data, size), type, boundary;
    unsigned step = 2 + fuzz_byte(&rest);
    const char *newline = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
    apr_pool_t *pool;
    upload_t *whole;

    if (!newline) {
        return 0;
    }
    type = fuzz_take(&rest, (size_t)(newline - rest.p));
    (void)fuzz_take(&rest, 1);
    if (multipart_boundary(type, &boundary) != VERDICT_ALLOWED) {
        return 0;
    }
    pool = fuzz_pool();
    whole = fuzz_run(boundary, rest, 0, pool);
    fuzz_same(whole, fuzz_run(boundary, rest, 1, pool), pool);
    fuzz_same(whole, fuzz_run(boundary, rest, step, pool), pool);
    fuzz_accepted(whole, boundary, rest, pool);
    fuzz_stream(boundary, rest, whole, step, pool);
    apr_pool_destroy(pool);
    return 0;
}
