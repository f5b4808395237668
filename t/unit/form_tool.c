/*
 * form_tool.c - what the guard makes of request bodies, in bulk.
 *
 * A record on standard input: three 32-bit numbers, highest byte first (flags, the length of the
 * Content-Type, the length of the body), then the two. Flag 1: PyPITokenLegacyNames is on; flag 4:
 * feed the body byte by byte and in random pieces, too; flag 2: and in two, cut at every byte, or
 * at every so many as bits 8 and up say. For each record one line of JSON: the verdict, what the
 * guard read if it allowed the upload, and "cut", the first way of cutting the body at which the
 * outcome was another one (-1: none; upload_kit.h numbers them).
 */
#include "upload_kit.h"

#include <sodium.h>
#include <stdio.h>

#define TOOL_LEGACY     1u
#define TOOL_CUT_ALL    2u
#define TOOL_CUT        4u
#define TOOL_STEP_SHIFT 8
#define TOOL_BODY_MAX   67108864u

static apr_uint32_t tool_number(const unsigned char *p)
{
    return (apr_uint32_t)p[0] << 24 | (apr_uint32_t)p[1] << 16 | (apr_uint32_t)p[2] << 8 | p[3];
}

static char *tool_bytes(apr_uint32_t n)
{
    char *p = n <= TOOL_BODY_MAX ? malloc(n ? n : 1) : NULL;

    if (!p || fread(p, 1, n, stdin) != n) {
        fputs("form_tool: a record that is cut off or too long\n", stderr);
        exit(2);
    }
    return p;
}

static verdict_code_t tool_begin(void *baton, const multipart_part_t *part, apr_int64_t offset)
{
    int *first = baton;

    (void)offset;
    printf("%s\"%" SLICE_FMT "\"", *first ? "" : ",", SLICE_ARG(part->name));
    *first = 0;
    return VERDICT_ALLOWED;
}

static verdict_code_t tool_data(void *baton, slice_t data)
{
    (void)baton;
    (void)data;
    return VERDICT_ALLOWED;
}

static verdict_code_t tool_end(void *baton)
{
    (void)baton;
    return VERDICT_ALLOWED;
}

/* The names of all parts, as the guard's own parser tells them. They are known to be plain. */
static void tool_fields(slice_t boundary, slice_t body, apr_pool_t *pool)
{
    static const multipart_calls_t calls = {tool_begin, tool_data, tool_end};
    int first = 1;
    verdict_t v;
    multipart_t *m = multipart_create(boundary, &calls, &first, &v, pool);

    printf(",\"fields\":[");
    (void)multipart_feed(m, body.p, body.n);
    putchar(']');
}

/* Name, version, file name: the guard's grammar leaves nothing in them that JSON would escape. */
static void tool_form(const upload_form_t *f, slice_t body)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof(digest) + 1];

    crypto_hash_sha256(digest, (const unsigned char *)body.p + f->content_offset,
                       (unsigned long long)f->content_length);
    printf(",\"name\":\"%s\",\"version\":\"%s\",\"action\":\"file_upload\",\"filename\":\"%s\","
           "\"sha256\":\"%s\",\"project\":\"%s\",\"offset\":%" APR_INT64_T_FMT,
           f->name, f->version, f->filename,
           sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest)), f->project, f->content_offset);
}

static void tool_judge(apr_uint32_t flags, slice_t type, slice_t body, apr_pool_t *pool)
{
    slice_t boundary;
    verdict_code_t code = multipart_boundary(type, &boundary);
    int legacy = (flags & TOOL_LEGACY) != 0;
    upload_t *u;
    long cut = -1;

    if (code != VERDICT_ALLOWED) {
        printf("{\"verdict\":\"%s\",\"cut\":-1}\n", verdict_word(code));
        return;
    }
    u = kit_upload(boundary, body, legacy, kit_whole, pool);
    if (flags & (TOOL_CUT | TOOL_CUT_ALL)) {
        apr_size_t step = flags & TOOL_CUT_ALL ? flags >> TOOL_STEP_SHIFT : body.n + 1;

        cut = kit_differs(boundary, body, legacy, step ? step : 1, pool);
    }
    printf("{\"verdict\":\"%s\",\"cut\":%ld", verdict_word(upload_verdict(u)->code), cut);
    if (upload_form(u)) {
        tool_form(upload_form(u), body);
        tool_fields(boundary, body, pool);
    }
    puts("}");
}

int main(void)
{
    unsigned char head[12];
    apr_pool_t *pool;

    if (apr_initialize() != APR_SUCCESS || sodium_init() < 0) {
        return 2;
    }
    apr_pool_create(&pool, NULL);
    while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
        apr_uint32_t type_n = tool_number(head + 4), body_n = tool_number(head + 8);
        char *type = tool_bytes(type_n), *body = tool_bytes(body_n);

        tool_judge(tool_number(head), slice_make(type, type_n), slice_make(body, body_n), pool);
        fflush(stdout);
        free(type);
        free(body);
        apr_pool_clear(pool);
    }
    apr_terminate();
    return 0;
}
