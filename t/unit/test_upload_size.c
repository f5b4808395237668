/*
 * test_upload_size.c - forms of sizes that nobody has memory for: more than 32 bits of file,
 * streams that never come to their point. Each must end with its verdict, and take no memory.
 */
#include "upload_kit.h"

#include <sys/resource.h>

#define CD      "Content-Disposition: form-data; name="
#define FIELD   "--B\r\n" CD
#define KIND    "\r\nContent-Type: application/octet-stream\r\n\r\n"
#define PIECE   65536
#define GIB     (APR_INT64_C(1) << 30)
#define GROW_KB 8192

#define FORM                                                                                       \
    FIELD "\":action\"\r\n\r\nfile_upload\r\n" FIELD "\"name\"\r\n\r\naaa\r\n" FIELD               \
          "\"version\"\r\n\r\n1.0\r\n"

typedef struct size_row_t {
    const char *what, *head, *fill, *tail; /* head, then fill over and over, then tail */
    apr_int64_t n;                         /* bytes of fill */
    verdict_code_t code;
} size_row_t;

static const size_row_t size_rows[] = {
    {"a file of 4 GiB and a byte", FORM FIELD "\"content\"; filename=\"aaa-1.0.tar.gz\"" KIND, "x",
     "\r\n--B--\r\n", 4 * GIB + 1, VERDICT_ALLOWED},
    {"a signature of 2 GiB",
     FORM FIELD "\"gpg_signature\"; filename=\"aaa-1.0.tar.gz.asc\"\r\n\r\n", "x", "\r\n--B--\r\n",
     2 * GIB, VERDICT_FIELD_SIZE},
    {"a header without end", "--B\r\nContent-Disposition: ", "x", "", GIB,
     VERDICT_PART_HEADER_SIZE},
    {"headers without end", FIELD "\"x\"\r\n", "X: y\r\n", "", GIB, VERDICT_PART_HEADER_SIZE},
    {"a description of 1 GiB", FIELD "\"description\"\r\n\r\n", "x", "\r\n--B--", GIB,
     VERDICT_FIELD_SIZE},
    {"a name of 1 GiB", FIELD "\"name\"\r\n\r\n", "x", "\r\n--B--", GIB, VERDICT_FIELD_SIZE},
    {"a preamble of 1 GiB", "", "x", "", GIB, VERDICT_FORM_START},
    {"an epilogue of 1 GiB", FIELD "\"x\"\r\n\r\n\r\n--B--\r\n", "\r\n", "", GIB,
     VERDICT_FORM_EPILOGUE},
    {"parts without end", "", FIELD "\"x\"\r\n\r\n\r\n", "--B--", GIB, VERDICT_FORM_PARTS},
    {"fields of other names without end", "", FIELD "\"x\"\r\n\r\ny\r\n" FIELD "\"z\"\r\n\r\n\r\n",
     "--B--", GIB, VERDICT_FORM_PARTS},
};

static long size_rss(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* fill over and over for n bytes, in pieces that end where they may. */
static void size_feed(upload_t *u, const char *fill, apr_int64_t n)
{
    static char piece[PIECE];
    apr_size_t unit = strlen(fill), whole = PIECE / unit * unit, i;

    for (i = 0; i < whole; i += unit) {
        memcpy(piece + i, fill, unit);
    }
    while (n > 0) {
        apr_size_t take = n < (apr_int64_t)whole ? (apr_size_t)n : whole;

        (void)upload_feed(u, piece, take);
        n -= (apr_int64_t)take;
    }
}

static void size_row(const size_row_t *row, apr_pool_t *pool)
{
    upload_options_t options = {0};
    long before = size_rss(), grown;
    upload_t *u = upload_create(slice_of("B"), &options, pool);
    verdict_code_t code;

    (void)upload_feed(u, row->head, strlen(row->head));
    size_feed(u, row->fill, row->n);
    (void)upload_feed(u, row->tail, strlen(row->tail));
    code = upload_finish(u);
    grown = size_rss() - before;
    tap_ok(code == row->code, "%s: %s", row->what, verdict_word(code));
    tap_ok(grown < GROW_KB, "  %ld kB of memory", grown);
    if (code == VERDICT_ALLOWED) {
        tap_ok(upload_form(u)->content_length == row->n, "  and every byte counted");
    }
}

int main(void)
{
    apr_pool_t *pool;
    apr_size_t i;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(size_rows) / sizeof(*size_rows); i++) {
        size_row(&size_rows[i], pool);
        apr_pool_clear(pool);
    }
    apr_terminate();
    return tap_done();
}
