/*
 * test_multipart.c - the push parser: which bytes make which calls and which verdict, and that it
 * makes no difference how the body is cut.
 */
#include "core/multipart.h"
#include "upload_kit.h"

#include <apr_strings.h>

#define CD "Content-Disposition: form-data; name=\"n\"\r\n"
#define P  CD "\r\n"

/* What the parser called, as text: "<name|file|type@offset>data;" for each part. */
typedef struct events_t {
    multipart_t *parser;
    kit_buf_t text;
    verdict_t verdict;
    apr_pool_t *pool;
    apr_size_t fed, told; /* bytes of data */
    int open, wrong;      /* wrong: calls out of order, or an empty piece */
    verdict_code_t stop_begin, stop_data, stop_end;
} events_t;

static verdict_code_t events_begin(void *baton, const multipart_part_t *part, apr_int64_t offset)
{
    events_t *e = baton;

    e->wrong |= e->open || (!part->has_filename && part->filename.n);
    e->open = 1;
    kit_str(&e->text, "<");
    kit_add(&e->text, part->name);
    kit_str(&e->text, part->has_filename ? "|" : "");
    kit_add(&e->text, part->filename);
    kit_str(&e->text, part->type.n ? "," : "");
    kit_add(&e->text, part->type);
    kit_str(&e->text, apr_psprintf(e->pool, "@%ld>", (long)offset));
    return e->stop_begin ? verdict_set(&e->verdict, e->stop_begin, slice_of("begin"), e->pool)
                         : VERDICT_ALLOWED;
}

static verdict_code_t events_data(void *baton, slice_t data)
{
    events_t *e = baton;

    e->wrong |= !e->open || data.n == 0;
    e->told += data.n;
    kit_add(&e->text, data);
    return e->stop_data ? verdict_set(&e->verdict, e->stop_data, slice_of("data"), e->pool)
                        : VERDICT_ALLOWED;
}

static verdict_code_t events_end(void *baton)
{
    events_t *e = baton;

    e->wrong |= !e->open;
    e->open = 0;
    kit_str(&e->text, ";");
    return e->stop_end ? verdict_set(&e->verdict, e->stop_end, slice_of("end"), e->pool)
                       : VERDICT_ALLOWED;
}

static const multipart_calls_t events_calls = {events_begin, events_data, events_end};

static void events_start(events_t *e, const char *boundary, apr_pool_t *pool)
{
    kit_buf_t text = e->text;

    memset(e, 0, sizeof(*e));
    e->text = text;
    e->text.n = 0;
    e->pool = pool;
    e->parser = multipart_create(slice_of(boundary), &events_calls, e, &e->verdict, pool);
}

static verdict_code_t events_feed(void *parser, const char *p, apr_size_t n)
{
    return multipart_feed(parser, p, n);
}

static verdict_code_t events_run(events_t *e, const char *boundary, slice_t body, kit_cut_t cut,
                                 apr_pool_t *pool)
{
    verdict_code_t code;

    events_start(e, boundary, pool);
    kit_feed(e->parser, events_feed, body, cut);
    code = multipart_finish(e->parser);
    /* the end of the story is the end: nothing changes it any more */
    e->wrong |= multipart_finish(e->parser) != code || e->verdict.code != code;
    if (code != VERDICT_ALLOWED) {
        apr_size_t n = e->text.n;

        e->wrong |= multipart_feed(e->parser, body.p, body.n) != code || e->text.n != n;
    }
    return code;
}

/* At which cut the calls or the verdict differ from those of the whole body; -1 for nowhere. */
static long events_differ(const char *boundary, slice_t body, apr_pool_t *parent)
{
    static events_t whole, other;
    apr_pool_t *pool;
    verdict_code_t want;
    long found = -1;
    apr_size_t i;

    apr_pool_create(&pool, parent);
    want = events_run(&whole, boundary, body, kit_whole, pool);
    for (i = 0; i < body.n + 9 && found < 0; i++) {
        kit_cut_t cut = i == 0 ? kit_bytes : i < 9 ? kit_random((unsigned)i) : kit_two(i - 9);

        if (events_run(&other, boundary, body, cut, pool) != want || other.wrong || whole.wrong ||
            !slice_equal(kit_slice(&whole.text), kit_slice(&other.text))) {
            found = (long)i;
        }
    }
    apr_pool_destroy(pool);
    return found;
}

/* Boundary "B" unless the row says otherwise. */
static const struct {
    const char *what, *body;
    verdict_code_t code;
    const char *calls; /* NULL: not looked at */
    const char *boundary;
} multipart_rows[] = {
    {"one part", "--B\r\n" P "x\r\n--B--\r\n", VERDICT_ALLOWED, "<n@49>x;", NULL},
    {"no CRLF at the end", "--B\r\n" P "x\r\n--B--", VERDICT_ALLOWED, "<n@49>x;", NULL},
    {"CRLF in front", "\r\n--B\r\n" P "x\r\n--B--\r\n", VERDICT_ALLOWED, "<n@51>x;", NULL},
    {"empty data", "--B\r\n" P "\r\n--B--\r\n", VERDICT_ALLOWED, "<n@49>;", NULL},
    {"two parts", "--B\r\n" P "x\r\n--B\r\n" P "y\r\n--B--\r\n", VERDICT_ALLOWED,
     "<n@49>x;<n@101>y;", NULL},
    {"line ends in data", "--B\r\n" P "\r\n\r\r\n\n\r\r\n--B--\r\n", VERDICT_ALLOWED,
     "<n@49>\r\n\r\r\n\n\r;", NULL},
    {"almost delimiters", "--B\r\n" P "\r\n-B\r\n--\r\n--b\r\n--C--\r\n--B--", VERDICT_ALLOWED,
     "<n@49>\r\n-B\r\n--\r\n--b\r\n--C--;", NULL},
    {"a file",
     "--B\r\nContent-Disposition: form-data; name=\"n\"; filename=\"f\"\r\n\r\nx\r\n--B--",
     VERDICT_ALLOWED, "<n|f@63>x;", NULL},
    {"a typed file, Python 2.7's blank",
     "--B\r\nContent-Disposition: form-data; name=\"n\";filename=\"f\"\r\n"
     "Content-Type: a/b\r\n\r\nx\r\n--B--",
     VERDICT_ALLOWED, "<n|f,a/b@81>x;", NULL},
    {"empty file name",
     "--B\r\nContent-Disposition: form-data; name=\"n\"; filename=\"\"\r\n\r\nx\r\n--B--",
     VERDICT_ALLOWED, "<n|@62>x;", NULL},
    {"python-multipart put this value into the field before, the name",
     "--B\r\n" P "aaa\r\n--B\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\nbbb\r\n--B--",
     VERDICT_PART_HEADER, "<n@49>aaa;", NULL},
    {"CGI.pm lost a field spelled so",
     "--B\r\nCONTENT-DISPOSITION: form-data; name=\"n\"\r\n\r\nx\r\n--B--", VERDICT_PART_HEADER, "",
     NULL},
    {"formidable took a typed field for a file, and the form had no name",
     "--B\r\n" CD "Content-Type: text/plain\r\n\r\nx\r\n--B--", VERDICT_PART_TYPE, "", NULL},
    {"cgi.FieldStorage, bottle and WebOb read an urlencoded file to the end of the body",
     "--B\r\nContent-Disposition: form-data; name=\"n\"; filename=\"f\"\r\n"
     "Content-Type: Application/x-www-form-urlencoded\r\n\r\nx\r\n--B--",
     VERDICT_PART_TYPE, "", NULL},
    {"boundary of dashes", "-----\r\n" P "--\r\n-\r\n-------\r\n", VERDICT_ALLOWED,
     "<n@51>--\r\n-;", "---"},
    {"its data may not hold it", "-----\r\n" P "-----x\r\n-------\r\n", VERDICT_FORM_DELIMITER,
     NULL, "---"},
    {"one dash more in front", "-----\r\n" P "x\r\n------\r\n", VERDICT_FORM_DELIMITER, NULL,
     "---"},
    {"boundary that overlaps itself", "--a-a\r\n" P "a-a--a-\r\n--a-a--\r\n", VERDICT_ALLOWED,
     "<n@51>a-a--a-;", "a-a"},
    {"one with --a at its end", "--a--a\r\n" P "--a\r\n--a--a--", VERDICT_ALLOWED, "<n@52>--a;",
     "a--a"},

    {"nothing", "", VERDICT_FORM_TRUNCATED, "", NULL},
    {"CRLF", "\r\n", VERDICT_FORM_TRUNCATED, "", NULL},
    {"part of a delimiter", "--", VERDICT_FORM_TRUNCATED, "", NULL},
    {"a delimiter", "--B", VERDICT_FORM_TRUNCATED, "", NULL},
    {"and its CR", "--B\r", VERDICT_FORM_TRUNCATED, "", NULL},
    {"and its CRLF", "--B\r\n", VERDICT_FORM_TRUNCATED, "", NULL},
    {"ends in a header", "--B\r\nContent-Disp", VERDICT_FORM_TRUNCATED, "", NULL},
    {"ends in the blank line", "--B\r\n" CD "\r", VERDICT_FORM_TRUNCATED, "", NULL},
    {"ends in data", "--B\r\n" P "x", VERDICT_FORM_TRUNCATED, NULL, NULL},
    {"ends before the close", "--B\r\n" P "x\r\n--B", VERDICT_FORM_TRUNCATED, NULL, NULL},
    {"ends in the close", "--B\r\n" P "x\r\n--B-", VERDICT_FORM_TRUNCATED, NULL, NULL},
    {"ends in the CRLF of the close", "--B\r\n" P "x\r\n--B--\r", VERDICT_FORM_TRUNCATED,
     "<n@49>x;", NULL},

    {"no delimiter", "garbage", VERDICT_FORM_START, "", NULL},
    {"preamble", "x\r\n--B\r\n" P "x\r\n--B--", VERDICT_FORM_START, "", NULL},
    {"LF in front", "\n--B\r\n" P "x\r\n--B--", VERDICT_FORM_START, "", NULL},
    {"CR in front", "\r--B\r\n" P "x\r\n--B--", VERDICT_FORM_START, "", NULL},
    {"two CRLF in front", "\r\n\r\n--B\r\n" P "x\r\n--B--", VERDICT_FORM_START, "", NULL},
    {"blank in front", " --B\r\n" P "x\r\n--B--", VERDICT_FORM_START, "", NULL},
    {"another boundary", "--C\r\n" P "x\r\n--C--", VERDICT_FORM_START, "", NULL},
    {"boundary in another case", "--b\r\n" P "x\r\n--b--", VERDICT_FORM_START, "", NULL},

    {"first delimiter, blank", "--B \r\n" P "x\r\n--B--", VERDICT_FORM_DELIMITER, "", NULL},
    {"first delimiter, LF", "--B\n" P "x\r\n--B--", VERDICT_FORM_DELIMITER, "", NULL},
    {"first delimiter, CR CR LF", "--B\r\r\n" P "x\r\n--B--", VERDICT_FORM_DELIMITER, "", NULL},
    {"first delimiter, junk", "--Bx\r\n" P "x\r\n--Bx--", VERDICT_FORM_DELIMITER, "", NULL},
    {"in mid-line", "--B\r\n" P "x--B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL, NULL},
    {"after LF", "--B\r\n" P "x\n--B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL, NULL},
    {"after CR", "--B\r\n" P "x\r--B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL, NULL},
    {"after LF CR", "--B\r\n" P "x\n\r--B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL, NULL},
    {"after a blank", "--B\r\n" P "x\r\n --B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"after a third dash", "--B\r\n" P "x\r\n---B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"before LF", "--B\r\n" P "x\r\n--B\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL, NULL},
    {"before a blank", "--B\r\n" P "x\r\n--B \r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"before a tab", "--B\r\n" P "x\r\n--B\t\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"before a letter", "--B\r\n" P "x\r\n--Bx\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"before one dash", "--B\r\n" P "x\r\n--B-\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"before CR alone", "--B\r\n" P "x\r\n--B\r" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"data begins with it", "--B\r\n" P "--B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, NULL,
     NULL},
    {"data of LF and it", "--B\r\n" P "\n--B--", VERDICT_FORM_DELIMITER, NULL, NULL},
    {"data ends with it", "--B\r\n" P "x--B\r\n--B--", VERDICT_FORM_DELIMITER, NULL, NULL},
    {"two delimiters", "--B\r\n--B\r\n" P "y\r\n--B--", VERDICT_FORM_DELIMITER, "", NULL},
    {"close in place of headers", "--B\r\n--B--\r\n", VERDICT_FORM_DELIMITER, "", NULL},
    {"in a header", "--B\r\nContent-Disposition: form-data; name=\"x--By\"\r\n\r\nx\r\n--B--",
     VERDICT_FORM_DELIMITER, "", NULL},
    {"headers without a blank line", "--B\r\n" CD "--B\r\n" P "x\r\n--B--", VERDICT_FORM_DELIMITER,
     "", NULL},
    {"LF everywhere", "--B\n\n\nx\n--B--\n", VERDICT_FORM_DELIMITER, "", NULL},

    {"CRLF twice behind", "--B\r\n" P "x\r\n--B--\r\n\r\n", VERDICT_FORM_EPILOGUE, "<n@49>x;",
     NULL},
    {"LF behind", "--B\r\n" P "x\r\n--B--\n", VERDICT_FORM_EPILOGUE, "<n@49>x;", NULL},
    {"CR CR behind", "--B\r\n" P "x\r\n--B--\r\r", VERDICT_FORM_EPILOGUE, "<n@49>x;", NULL},
    {"blank behind", "--B\r\n" P "x\r\n--B-- \r\n", VERDICT_FORM_EPILOGUE, "<n@49>x;", NULL},
    {"a third dash", "--B\r\n" P "x\r\n--B---\r\n", VERDICT_FORM_EPILOGUE, "<n@49>x;", NULL},
    {"text behind", "--B\r\n" P "x\r\n--B--\r\nx", VERDICT_FORM_EPILOGUE, "<n@49>x;", NULL},
    {"parts behind", "--B\r\n" P "x\r\n--B--\r\n--B\r\n" P "y\r\n--B--", VERDICT_FORM_EPILOGUE,
     "<n@49>x;", NULL},

    {"no headers", "--B\r\n\r\nx\r\n--B--", VERDICT_PART_HEADER, "", NULL},
    {"no headers at all", "--B\r\nx\r\n\r\nx\r\n--B--", VERDICT_PART_HEADER, "", NULL},
    {"a third header", "--B\r\n" CD "Content-Type: text/plain\r\nX: y\r\n\r\nx\r\n--B--",
     VERDICT_PART_HEADER, "", NULL},
    {"two types",
     "--B\r\n" CD "Content-Type: text/plain\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--",
     VERDICT_PART_HEADER, "", NULL},
    {"empty type", "--B\r\n" CD "Content-Type: \r\n\r\nx\r\n--B--", VERDICT_PART_HEADER, "", NULL},
    {"LF LF in place of the blank line",
     "--B\r\nContent-Disposition: form-data; name=\"n\"\n\nx\r\n\r\n", VERDICT_PART_HEADER, "",
     NULL},
    {"second header without a colon", "--B\r\n" CD "x\r\n\r\nx\r\n--B--", VERDICT_PART_HEADER, "",
     NULL},
};

static void multipart_table(apr_pool_t *pool)
{
    static events_t e;
    apr_size_t i;

    for (i = 0; i < sizeof(multipart_rows) / sizeof(*multipart_rows); i++) {
        const char *boundary = multipart_rows[i].boundary ? multipart_rows[i].boundary : "B";
        slice_t body = slice_of(multipart_rows[i].body);
        verdict_code_t code = events_run(&e, boundary, body, kit_whole, pool);
        int calls =
            !multipart_rows[i].calls || slice_is(kit_slice(&e.text), multipart_rows[i].calls);
        long at = events_differ(boundary, body, pool);

        tap_ok(code == multipart_rows[i].code && calls && !e.wrong, "%s: %s%s",
               multipart_rows[i].what, verdict_word(code), calls ? "" : ", but other calls");
        tap_ok(at < 0, "  the same in pieces (%ld)", at);
    }
}

/* The Content-Type of the request; the boundary it names, or the refusal. */
static const struct {
    const char *value, *boundary;
    verdict_code_t code;
} multipart_types[] = {
    {"multipart/form-data; boundary=B", "B", VERDICT_ALLOWED},
    {"multipart/form-data; boundary=\"B\"", "B", VERDICT_ALLOWED},
    {"multipart/form-data; boundary=----WebKit_09-azAZ", "----WebKit_09-azAZ", VERDICT_ALLOWED},
    {"multipart/form-data; boundary=-", "-", VERDICT_ALLOWED},
    {"multipart/form-data", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data;", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; ", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=\"\"", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=\"", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=\"B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B\"", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=\"\"B\"\"", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary='B'", NULL, VERDICT_BOUNDARY},
    /* no boundary to CGI.pm, which went on to look for one in the body */
    {"multipart/form-data; boundary=0", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=\"0\"", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=00", "00", VERDICT_ALLOWED},
    {"multipart/form-data; boundary=\"B \"", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=\"B\\C\"", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=\"B\"x", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B ", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B,C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B;", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B; boundary=C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B; charset=utf-8", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; charset=utf-8; boundary=B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B (x)", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B.C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B/C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B+C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B:C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B=C", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B%43", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B\xe9", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary = B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary*=utf-8''B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary*0=B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; xboundary=B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data;; boundary=B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data;\tboundary=B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data;  boundary=B", NULL, VERDICT_BOUNDARY},
    {"multipart/form-data; boundary=B, text/plain", NULL, VERDICT_BOUNDARY},
    {"", NULL, VERDICT_CONTENT_TYPE},
    {"multipart", NULL, VERDICT_CONTENT_TYPE},
    {"multipart/form-dat", NULL, VERDICT_CONTENT_TYPE},
    {"multipart/form-dataX; boundary=B", NULL, VERDICT_CONTENT_TYPE},
    {"multipart/form-data boundary=B", NULL, VERDICT_CONTENT_TYPE},
    {"multipart/form-data , boundary=B", NULL, VERDICT_CONTENT_TYPE},
    {"multipart/mixed; boundary=B", NULL, VERDICT_CONTENT_TYPE},
    {"multipart/related; boundary=B", NULL, VERDICT_CONTENT_TYPE},
    {" multipart/form-data; boundary=B", NULL, VERDICT_CONTENT_TYPE},
    {"application/x-www-form-urlencoded", NULL, VERDICT_CONTENT_TYPE},
    {"application/json, multipart/form-data; boundary=B", NULL, VERDICT_CONTENT_TYPE},
};

static void multipart_boundaries(apr_pool_t *pool)
{
    slice_t boundary;
    apr_size_t i;

    for (i = 0; i < sizeof(multipart_types) / sizeof(*multipart_types); i++) {
        slice_t value = slice_of(multipart_types[i].value);
        verdict_code_t code = multipart_boundary(value, &boundary);

        tap_ok(code == multipart_types[i].code &&
                   (code != VERDICT_ALLOWED || slice_is(boundary, multipart_types[i].boundary)),
               "type %d: %s", (int)i, verdict_word(code));
    }
    for (i = 69; i <= 72; i++) {
        kit_buf_t b = {NULL, 0, 0};
        verdict_code_t code;

        kit_str(&b, "multipart/form-data; boundary=");
        kit_fill(&b, 'x', i);
        code = multipart_boundary(kit_slice(&b), &boundary);
        tap_ok(code == (i <= 70 ? VERDICT_ALLOWED : VERDICT_BOUNDARY), "%d bytes: %s", (int)i,
               verdict_word(code));
        free(b.p);
    }
    tap_ok(multipart_boundary(KIT_S("multipart/form-data; boundary=B\0C"), &boundary) ==
               VERDICT_BOUNDARY,
           "no NUL");
    tap_ok(multipart_boundary(slice_make(NULL, 0), &boundary) == VERDICT_CONTENT_TYPE, "no header");
    (void)pool;
}

/* A part whose header block, with its blank line, is n bytes long. */
static void multipart_block_of(kit_buf_t *b, apr_size_t n)
{
    b->n = 0;
    kit_str(b, "--B\r\nContent-Disposition: form-data; name=\"");
    kit_fill(b, 'n', n - strlen(P) + 1);
    kit_str(b, "\"\r\n\r\nx\r\n--B--\r\n");
}

static void multipart_limits(apr_pool_t *pool)
{
    static events_t e;
    kit_buf_t b = {NULL, 0, 0};
    verdict_code_t code;
    int i, n;

    multipart_block_of(&b, 1000);
    code = events_run(&e, "B", kit_slice(&b), kit_whole, pool);
    tap_ok(code == VERDICT_ALLOWED && events_differ("B", kit_slice(&b), pool) < 0,
           "1000 bytes of headers: %s", verdict_word(code));
    multipart_block_of(&b, 1002);
    code = events_run(&e, "B", kit_slice(&b), kit_whole, pool);
    tap_ok(code == VERDICT_PART_HEADER_SIZE && events_differ("B", kit_slice(&b), pool) < 0,
           "1002: %s", verdict_word(code));
    b.n = 0;
    kit_str(&b, "--B\r\n");
    kit_fill(&b, 'a', 5000);
    code = events_run(&e, "B", kit_slice(&b), kit_whole, pool);
    tap_ok(code == VERDICT_PART_HEADER_SIZE, "a header without end: %s", verdict_word(code));
    for (n = 1000; n <= 1001; n++) {
        b.n = 0;
        for (i = 0; i < n; i++) {
            kit_str(&b, i ? "\r\n--B\r\n" P : "--B\r\n" P);
        }
        kit_str(&b, "\r\n--B--");
        code = events_run(&e, "B", kit_slice(&b), kit_whole, pool);
        tap_ok(code == (n == 1000 ? VERDICT_ALLOWED : VERDICT_FORM_PARTS), "%d parts: %s", n,
               verdict_word(code));
        tap_ok(code == events_run(&e, "B", kit_slice(&b), kit_bytes, pool), "  and byte by byte");
    }
    tap_ok(strstr(verdict_sentence(&e.verdict, pool), "1000") != NULL, "  which says how many: %s",
           verdict_sentence(&e.verdict, pool));
    free(b.p);
}

/* A callback's refusal ends the parse, in the callback's own words. */
static void multipart_stops(apr_pool_t *pool)
{
    static const char body[] = "--B\r\n" P "x\r\n--B\r\n" P "y\r\n--B--";
    static const char *const words[] = {"begin", "data", "end"};
    static const char *const seen[] = {"<n@49>", "<n@49>x", "<n@49>x;"};
    static events_t e;
    int where, bytes;

    for (where = 0; where < 3; where++) {
        for (bytes = 0; bytes < 2; bytes++) {
            verdict_code_t code;

            events_start(&e, "B", pool);
            e.stop_begin = where == 0 ? VERDICT_FIELD_NAME : VERDICT_ALLOWED;
            e.stop_data = where == 1 ? VERDICT_FIELD_NAME : VERDICT_ALLOWED;
            e.stop_end = where == 2 ? VERDICT_FIELD_NAME : VERDICT_ALLOWED;
            code = kit_feed(e.parser, events_feed, slice_make(body, sizeof(body) - 1),
                            bytes ? kit_bytes : kit_whole);
            tap_ok(code == VERDICT_FIELD_NAME && multipart_finish(e.parser) == code &&
                       slice_is(kit_slice(&e.text), seen[where]) &&
                       strcmp(e.verdict.detail, words[where]) == 0,
                   "refused at the %s: %s", words[where], verdict_word(code));
        }
    }
    events_start(&e, "B", pool);
    multipart_feed(e.parser, body, sizeof(body) - 2);
    tap_ok(multipart_finish(e.parser) == VERDICT_FORM_TRUNCATED, "not closed before its last byte");
    events_start(&e, "B", pool);
    multipart_feed(e.parser, body, sizeof(body) - 2);
    multipart_feed(e.parser, body + sizeof(body) - 2, 1);
    tap_ok(multipart_finish(e.parser) == VERDICT_ALLOWED, "but after it");
    tap_ok(multipart_feed(e.parser, NULL, 0) == VERDICT_ALLOWED, "a piece of nothing is nothing");
}

/* Data goes on at once but for what may be a delimiter. */
static void multipart_lag(apr_pool_t *pool)
{
    static const char data[] = "abcdefgh\r\n--BOUN\r\n-\r\r\n--";
    static events_t e;
    apr_size_t i, most = 0;

    events_start(&e, "BOUNDARY", pool);
    multipart_feed(e.parser, "--BOUNDARY\r\n" P, 12 + strlen(P));
    for (i = 0; i < 100000; i++) {
        multipart_feed(e.parser, data + i % (sizeof(data) - 1), 1);
        e.fed++;
        most = e.fed - e.told > most ? e.fed - e.told : most;
    }
    tap_ok(most <= strlen("\r\n--BOUNDARY"), "%d bytes are held back at most", (int)most);
    tap_ok(e.verdict.code == VERDICT_ALLOWED && e.told > 99980, "and the others told");
}

/* Random data out of the bytes that delimiters are made of: the verdict and the parts must be those
 * that cutting the body at every "--boundary" gives. */
static verdict_code_t multipart_model(slice_t data, const char *dash)
{
    const char *at = memmem(data.p, data.n, dash, strlen(dash)), *end = data.p + data.n;

    if (!at) {
        return VERDICT_FORM_TRUNCATED;
    }
    if (at - data.p < 2 || memcmp(at - 2, "\r\n", 2) != 0) {
        return VERDICT_FORM_DELIMITER;
    }
    at += strlen(dash);
    if (end - at < 2) {
        return at < end && *at != '\r' && *at != '-' ? VERDICT_FORM_DELIMITER
                                                     : VERDICT_FORM_TRUNCATED;
    }
    if (memcmp(at, "--", 2) != 0) {
        return VERDICT_FORM_DELIMITER; /* the alphabet has no part headers */
    }
    at += 2;
    return at == end || (end - at == 2 && memcmp(at, "\r\n", 2) == 0) ? VERDICT_ALLOWED
           : end - at == 1 && *at == '\r'                             ? VERDICT_FORM_TRUNCATED
                                                                      : VERDICT_FORM_EPILOGUE;
}

static void multipart_random(apr_pool_t *parent)
{
    static const char *const boundaries[] = {"B", "-", "--", "B-", "-B", "B--B", "BB"};
    static const char letters[] = "\r\n--BBx";
    static events_t e;
    unsigned state = 3, counts[3] = {0, 0, 0};
    int i, wrong = 0, pieces = 0;
    kit_buf_t b = {NULL, 0, 0};
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (i = 0; i < 200000; i++) {
        const char *boundary = boundaries[kit_next(&state) % 7];
        const char *dash = apr_pstrcat(pool, "--", boundary, NULL);
        unsigned n = kit_next(&state) % 24;
        verdict_code_t want, code;
        apr_size_t start;

        b.n = 0;
        kit_str(&b, dash);
        kit_str(&b, "\r\n" P);
        start = b.n;
        while (n--) {
            kit_add(&b, slice_make(letters + kit_next(&state) % 7, 1));
        }
        if (kit_next(&state) % 2) {
            kit_str(&b, "\r\n");
            kit_str(&b, dash);
            kit_str(&b, "--");
        }
        want = multipart_model(slice_make(b.p + start, b.n - start), dash);
        code = events_run(&e, boundary, kit_slice(&b), kit_whole, pool);
        if (want == VERDICT_FORM_DELIMITER && code == VERDICT_PART_HEADER) {
            code = want; /* "\r\n--B\r\n" and then a block of junk */
        }
        if (!(want == VERDICT_FORM_DELIMITER && code == VERDICT_FORM_TRUNCATED)) {
            wrong += code != want; /* else the junk block had no end */
        }
        counts[code == VERDICT_ALLOWED ? 0 : code == VERDICT_FORM_DELIMITER ? 1 : 2]++;
        pieces += i % 20 == 0 && events_differ(boundary, kit_slice(&b), pool) >= 0;
        apr_pool_clear(pool);
    }
    tap_ok(wrong == 0, "200000 random bodies as the model reads them (%d not)", wrong);
    tap_ok(pieces == 0, "and in pieces the same (%d not)", pieces);
    tap_ok(counts[0] > 5000 && counts[1] > 5000 && counts[2] > 5000,
           "%u taken, %u delimiters, %u "
           "others",
           counts[0], counts[1], counts[2]);
    free(b.p);
    apr_pool_destroy(pool);
}

/* multipart_boundary lets none of these through; whoever comes another way is refused, too. */
static void multipart_delimiters(apr_pool_t *pool)
{
    static events_t e;
    char name[MULTIPART_BOUNDARY_MAX + 2];
    const slice_t body =
        SLICE("--\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n----\r\n");

    memset(name, 'b', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    tap_ok(events_run(&e, "", body, kit_whole, pool) == VERDICT_BOUNDARY && !e.text.n && !e.wrong,
           "a delimiter without a name opens nothing");
    tap_ok(events_run(&e, name, body, kit_whole, pool) == VERDICT_BOUNDARY && !e.text.n && !e.wrong,
           "nor one with a name that is too long");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    multipart_table(pool);
    multipart_boundaries(pool);
    multipart_delimiters(pool);
    multipart_limits(pool);
    multipart_stops(pool);
    multipart_lag(pool);
    multipart_random(pool);
    apr_terminate();
    return tap_done();
}
