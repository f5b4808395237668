/*
 * test_captures.c - every recorded request of a real client: accepted but for the listed ones, with
 * the name, version, file name and file bytes that a second, simpler reader finds in it, and the
 * same however the body is cut.
 */
#include "upload_kit.h"

#include <apr_strings.h>
#include <dirent.h>
#include <stdio.h>

#define CAPTURES_MAX (1 << 20)

typedef struct capture_t {
    const char *file;
    slice_t head, body, boundary;
} capture_t;

/* Requests that are not accepted, and what becomes of them (DESIGN section 6). */
static const struct {
    const char *part; /* of the capture's name */
    verdict_code_t code;
} capture_refused[] = {
    {"weirdname", VERDICT_PART_HEADER},
    {"first4k", VERDICT_FORM_TRUNCATED},
    {NULL, VERDICT_ALLOWED},
};

static slice_t capture_read(const char *path, apr_pool_t *pool)
{
    char *p = apr_palloc(pool, CAPTURES_MAX);
    FILE *f = fopen(path, "rb");
    apr_size_t n = f ? fread(p, 1, CAPTURES_MAX, f) : 0;

    if (f) {
        fclose(f);
    }
    return slice_make(p, n);
}

/* The value of a header of the request, in any letter case; empty when it is not there. */
static slice_t capture_header(slice_t head, const char *name)
{
    apr_size_t i, n = strlen(name);

    for (i = 0; i + n + 2 < head.n; i++) {
        if (head.p[i] == '\n' && head.p[i + 1 + n] == ':' &&
            slice_is_nocase(slice_make(head.p + i + 1, n), name)) {
            const char *start = head.p + i + n + 2;
            const char *end = memchr(start, '\r', (apr_size_t)(head.p + head.n - start));

            return slice_trim(slice_make(start, (apr_size_t)(end - start)));
        }
    }
    return slice_make(NULL, 0);
}

static slice_t capture_dechunk(slice_t in, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, in.n), *end;
    apr_size_t n = 0, at = 0, size;

    do {
        size = strtoul(in.p + at, &end, 16);
        at = (apr_size_t)(end - in.p) + 2;
        memcpy(out + n, in.p + at, size);
        n += size;
        at += size + 2;
    } while (size && at < in.n);
    return slice_make(out, n);
}

static int capture_open(capture_t *c, const char *dir, apr_pool_t *pool)
{
    slice_t all = capture_read(apr_pstrcat(pool, dir, "/", c->file, NULL), pool);
    const char *end = all.n ? memmem(all.p, all.n, "\r\n\r\n", 4) : NULL;

    if (!end) {
        return 0;
    }
    c->head = slice_make(all.p, (apr_size_t)(end - all.p) + 2);
    c->body = slice_make(end + 4, all.n - c->head.n - 2);
    if (slice_is_nocase(capture_header(c->head, "Transfer-Encoding"), "chunked")) {
        c->body = capture_dechunk(c->body, pool);
    }
    return 1;
}

/* The bytes between before and the next delimiter: the second opinion. */
static slice_t capture_field(const capture_t *c, const char *before, apr_pool_t *pool)
{
    const char *dash = apr_pstrcat(pool, "\r\n--", slice_dup(c->boundary, pool), NULL);
    const char *at = memmem(c->body.p, c->body.n, before, strlen(before)), *end;

    if (!at) {
        return slice_make(NULL, 0);
    }
    at += strlen(before);
    end = memmem(at, (apr_size_t)(c->body.p + c->body.n - at), dash, strlen(dash));
    return slice_make(at, end ? (apr_size_t)(end - at) : 0);
}

/* The content part, whose header block may go on after the file name. */
static slice_t capture_content(const capture_t *c, slice_t *filename, apr_pool_t *pool)
{
    slice_t part = capture_field(c, "name=\"content\"; filename=\"", pool);
    const char *quote, *blank;

    if (!part.n) {
        part = capture_field(c, "name=\"content\";filename=\"", pool);
    }
    quote = part.n ? memchr(part.p, '"', part.n) : NULL;
    blank = part.n ? memmem(part.p, part.n, "\r\n\r\n", 4) : NULL;
    if (!quote || !blank) {
        return slice_make(NULL, 0);
    }
    *filename = slice_make(part.p, (apr_size_t)(quote - part.p));
    return slice_make(blank + 4, part.n - (apr_size_t)(blank + 4 - part.p));
}

static void capture_accepted(const capture_t *c, const upload_t *u, apr_pool_t *pool)
{
    const upload_form_t *f = upload_form(u);
    slice_t filename = {NULL, 0}, content = capture_content(c, &filename, pool);
    slice_t name = capture_field(c, "name=\"name\"\r\n\r\n", pool);
    slice_t version = capture_field(c, "name=\"version\"\r\n\r\n", pool);

    if (!tap_ok(f != NULL, "%s: accepted (%s)", c->file,
                verdict_logline(upload_verdict(u), pool))) {
        return;
    }
    tap_ok(slice_is(name, f->name) && slice_is(version, f->version) &&
               strcmp(f->project, "demo-pkg-test") == 0,
           "%s: %s %s", c->file, f->name, f->version);
    tap_ok(content.n > 0 && slice_is(filename, f->filename) &&
               f->content_offset == content.p - c->body.p &&
               f->content_length == (apr_int64_t)content.n,
           "%s: %s, %ld bytes at %ld", c->file, f->filename, (long)f->content_length,
           (long)f->content_offset);
    tap_ok(strcmp(f->file.project, f->project) == 0 && strcmp(f->file.normal, "1.2.3") == 0 &&
               slice_is(capture_field(c, "name=\"sha256_digest\"\r\n\r\n", pool), f->sha256) &&
               slice_is(capture_field(c, "name=\"requires_python\"\r\n\r\n", pool),
                        f->requires_python),
           "%s: the file's own name and the other fields", c->file);
    tap_ok((f->signature_length >= 0) ==
               (memmem(c->body.p, c->body.n, ".asc\"", 5) && strncmp(c->file, "pdm", 3) != 0),
           "%s: a signature only where there is one", c->file);
}

static void capture_check(capture_t *c, const char *dir, apr_pool_t *pool)
{
    verdict_code_t code;
    upload_t *u;
    long at;
    int i;

    if (!capture_open(c, dir, pool)) {
        tap_ok(0, "%s: cannot be read", c->file);
        return;
    }
    code = multipart_boundary(capture_header(c->head, "Content-Type"), &c->boundary);
    if (slice_starts(c->head, "GET ")) {
        tap_ok(code == VERDICT_CONTENT_TYPE, "%s: no form", c->file);
        return;
    }
    if (!tap_ok(code == VERDICT_ALLOWED, "%s: boundary", c->file)) {
        return;
    }
    u = kit_upload(c->boundary, c->body, 0, kit_whole, pool);
    for (i = 0; capture_refused[i].part && !strstr(c->file, capture_refused[i].part); i++) {
    }
    if (capture_refused[i].part) {
        code = upload_verdict(u)->code;
        tap_ok(code == capture_refused[i].code && !upload_form(u), "%s: refused, %s", c->file,
               verdict_word(code));
    } else {
        capture_accepted(c, u, pool);
    }
    at = kit_differs(c->boundary, c->body, 0, c->body.n < 20000 ? 1 : 4099, pool);
    tap_ok(at < 0, "%s: the same in pieces (%ld)", c->file, at);
}

int main(void)
{
    const char *srcdir = getenv("srcdir"), *dir;
    apr_pool_t *root, *pool;
    struct dirent **entries;
    int i, n, bins = 0;

    apr_initialize();
    apr_pool_create(&root, NULL);
    dir = apr_pstrcat(root, srcdir ? srcdir : ".", "/t/data/captures", NULL);
    n = scandir(dir, &entries, NULL, alphasort);
    for (i = 0; i < n; i++) {
        capture_t c = {entries[i]->d_name, {NULL, 0}, {NULL, 0}, {NULL, 0}};

        if (strstr(c.file, ".bin")) {
            bins++;
            apr_pool_create(&pool, root);
            capture_check(&c, dir, pool);
            apr_pool_destroy(pool);
        }
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
    tap_ok(bins == 71, "%d recorded requests", bins);
    apr_terminate();
    return tap_done();
}
