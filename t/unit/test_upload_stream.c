/*
 * test_upload_stream.c - what of a form may go on before its verdict (PyPITokenStream): never a
 * byte of the delimiter that ends the file, whatever comes and however it is cut.
 */
#include "upload_kit.h"

#include <apr_strings.h>

#define B                 "BOUND9f3c2a"
#define D                 "--" B
#define CD                "Content-Disposition: form-data; name="
#define TEXT(name, value) D "\r\n" CD "\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_HEAD                                                                                  \
    D "\r\n" CD "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\n"                                     \
      "Content-Type: application/octet-stream\r\n\r\n"
#define FIRST TEXT(":action", "file_upload") TEXT("name", "aaa") TEXT("version", "1.0")
/* bytes that look like the beginning of a delimiter, and half of one at the end */
#define DATA "\r\n-\r\n--BOUND9f3c2\r\n--BOUND\r\n\r\n--B\r"

typedef struct stream_row_t {
    const char *what;
    slice_t body;
    verdict_code_t code;
    const char *file; /* what comes of the file, NULL: not a byte may go on */
} stream_row_t;

static const stream_row_t stream_rows[] = {
    {"good", SLICE(FIRST FILE_HEAD DATA "\r\n" D "--\r\n"), VERDICT_ALLOWED, DATA},
    {"fields after the file", SLICE(FIRST FILE_HEAD DATA "\r\n" TEXT("summary", "x") D "--\r\n"),
     VERDICT_ALLOWED, DATA},
    {"name after the file",
     SLICE(TEXT(":action", "file_upload") TEXT("version", "1.0") FILE_HEAD DATA
           "\r\n" TEXT("name", "aaa") D "--\r\n"),
     VERDICT_FIELD_ORDER, NULL},
    {"action after the file",
     SLICE(TEXT("name", "aaa") TEXT("version", "1.0") FILE_HEAD DATA
           "\r\n" TEXT(":action", "file_upload") D "--\r\n"),
     VERDICT_FIELD_ORDER, NULL},
    {"another action",
     SLICE(TEXT(":action", "remove_pkg") TEXT("name", "aaa") TEXT("version", "1.0") FILE_HEAD DATA
           "\r\n" D "--\r\n"),
     VERDICT_ACTION, NULL},
    {"a file of another project",
     SLICE(TEXT(":action", "file_upload") TEXT("name", "bbb") TEXT("version", "1.0") FILE_HEAD DATA
           "\r\n" D "--\r\n"),
     VERDICT_FILENAME_PROJECT, NULL},
    {"a file of another version",
     SLICE(TEXT(":action", "file_upload") TEXT("name", "aaa") TEXT("version", "2") FILE_HEAD DATA
           "\r\n" D "--\r\n"),
     VERDICT_FILENAME_VERSION, NULL},
    {"a second name after the file",
     SLICE(FIRST FILE_HEAD DATA "\r\n" TEXT("name", "bbb") D "--\r\n"), VERDICT_FIELD_DUPLICATE,
     DATA},
    {"a second file", SLICE(FIRST FILE_HEAD DATA "\r\n" FILE_HEAD "x\r\n" D "--\r\n"),
     VERDICT_FIELD_DUPLICATE, DATA},
    {"a delimiter in mid-line", SLICE(FIRST FILE_HEAD DATA "y" D "--\r\n"), VERDICT_FORM_DELIMITER,
     DATA "y"},
    {"a delimiter after LF", SLICE(FIRST FILE_HEAD "y\n" D "--\r\n"), VERDICT_FORM_DELIMITER,
     "y\n"},
    {"no end", SLICE(FIRST FILE_HEAD DATA "\r\n" D), VERDICT_FORM_TRUNCATED, DATA},
    {"no end of the file", SLICE(FIRST FILE_HEAD DATA), VERDICT_FORM_TRUNCATED, DATA},
    {"something behind", SLICE(FIRST FILE_HEAD DATA "\r\n" D "--\r\nx"), VERDICT_FORM_EPILOGUE,
     DATA},
    {"a digest that is none",
     SLICE(FIRST FILE_HEAD DATA "\r\n" TEXT("sha256_digest", "!") D "--\r\n"), VERDICT_FIELD_VALUE,
     DATA},
    {"an empty file", SLICE(FIRST FILE_HEAD "\r\n" D "--\r\n"), VERDICT_FIELD_VALUE, ""},
};

/* Feeds row in pieces by cut and looks after each; NULL, or what is wrong. */
static const char *stream_run(const stream_row_t *row, kit_cut_t cut, apr_pool_t *pool)
{
    upload_options_t options = {.name_first = 1};
    upload_t *u = upload_create(slice_of(B), &options, pool);
    apr_size_t done = 0, held = sizeof(D) + 1;
    const char *head = strstr(row->body.p, "octet-stream\r\n\r\n");
    apr_int64_t begin = head - row->body.p + (apr_int64_t)strlen("octet-stream\r\n\r\n");
    apr_int64_t most = row->file ? begin + (apr_int64_t)strlen(row->file) : 0, before = 0, safe;
    unsigned state = cut.seed;
    verdict_code_t code = VERDICT_ALLOWED;

    while (done < row->body.n && code == VERDICT_ALLOWED) {
        apr_size_t take = kit_piece(&cut, &state, done, row->body.n);

        code = upload_feed(u, row->body.p + done, take);
        done += take;
        safe = upload_safe(u);
        if (safe < before || safe > most || safe > (apr_int64_t)done) {
            return "too much goes on";
        }
        if (code == VERDICT_ALLOWED && row->file && (apr_int64_t)done > begin &&
            safe + (apr_int64_t)held < (done < (apr_size_t)most ? (apr_int64_t)done : most)) {
            return "too much is held back";
        }
        if ((safe > 0) != (upload_named(u) != NULL) || (safe && safe < begin)) {
            return "something goes on before it is known whose file it is";
        }
        before = safe;
    }
    code = upload_finish(u);
    if (code != row->code) {
        return verdict_word(code);
    }
    return (code == VERDICT_ALLOWED) == (upload_form(u) != NULL) ? NULL : "form without verdict";
}

int main(void)
{
    apr_pool_t *pool;
    apr_size_t i, k;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 0; i < sizeof(stream_rows) / sizeof(*stream_rows); i++) {
        const stream_row_t *row = &stream_rows[i];
        const char *wrong = stream_run(row, kit_whole, pool);

        for (k = 0; k < row->body.n && !wrong; k++) {
            wrong = stream_run(row, kit_two(k), pool);
        }
        for (k = 2; k < 40 && !wrong; k++) {
            wrong = stream_run(row, kit_random((unsigned)k), pool);
        }
        if (!wrong) {
            wrong = stream_run(row, kit_bytes, pool);
        }
        tap_ok(!wrong, "%s: %s%s%s", row->what, verdict_word(row->code), wrong ? " but " : "",
               wrong ? wrong : "");
    }
    apr_terminate();
    return tap_done();
}
