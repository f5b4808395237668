/* test_accept.c - which representation an Accept header asks for. */
#include "core/accept.h"

#include <apr_general.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define TEST_JSON "application/vnd.pypi.simple.v1+json"
#define TEST_HTML "application/vnd.pypi.simple.v1+html"

static const char *const test_types[] = {"text/html", TEST_JSON, TEST_HTML, "application/json"};

static const struct {
    const char *header;
    int want;
} test_cases[] = {
    {"", 0},
    {"   ", 0},
    {" , ,", 0},
    {"*/*", 0},
    {"text/*", 0},
    {"application/*", 1},
    {"APPLICATION/*", 1},
    {"text/html", 0},
    {"TEXT/Html", 0},
    {TEST_JSON, 1},
    {TEST_HTML, 2},
    {"application/json", 3},
    /* pip 22.2 and later */
    {TEST_JSON ", " TEST_HTML "; q=0.1, text/html; q=0.01", 1},
    {TEST_HTML ";q=0.2," TEST_JSON ";q=0.1", 2},
    /* ties go to the first of ours, whatever the client's order */
    {TEST_JSON ", text/html", 0},
    {"text/html;q=0.5, " TEST_JSON ";q=0.500", 0},
    /* a browser */
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", 0},
    /* the narrow range decides, not the high weight */
    {"*/*, text/html;q=0", 1},
    {"text/html;q=0, */*", 1},
    {"*/*;q=0.1, text/html;q=0.05", 1},
    {"application/*;q=0.2, application/json;q=0.3", 3},
    {"application/*;q=0.2, application/json;q=0.1, */*;q=0.01", 1},
    {"text/*;q=0, */*;q=0.1", 1},
    /* exclusion */
    {"text/html;q=0", -1},
    {"text/html;q=0.0", -1},
    {"text/html;q=0.000", -1},
    {"*/*;q=0", -1},
    {"image/png", -1},
    {"text/plain, image/*;q=0.5", -1},
    {"application/*;q=0, text/html;q=0.001", 0},
    /* weights as written by people */
    {"text/html;q=1.000, " TEST_JSON ";q=0.999", 0},
    {TEST_JSON ";Q=0.9, text/html;q=0.8", 1},
    {"text/html ; q=0.1 , " TEST_JSON " ; q=0.2", 1},
    {"text/html;q=0.1\t,\t" TEST_JSON ";q=1.", 1},
    /* weights that are none: the element is not there */
    {"text/html;q=2, " TEST_JSON ";q=0.1", 1},
    {"text/html;q=-1, " TEST_JSON ";q=0.1", 1},
    {"text/html;q=1.001, " TEST_JSON ";q=0.1", 1},
    {"text/html;q=0.1234, " TEST_JSON ";q=0.1", 1},
    {"text/html;q=, " TEST_JSON ";q=0.1", 1},
    {"text/html;q=x, " TEST_JSON ";q=0.1", 1},
    {"text/html;q=00, " TEST_JSON ";q=0.1", 1},
    {"text/html;q=\"1\"", -1},
    /* parameters and quoted strings */
    {"text/html;charset=utf-8;q=0.2, " TEST_JSON ";q=0.1", 0},
    {"text/html;x=\",;q=0\";q=0.2, " TEST_JSON ";q=0.1", 0},
    {"text/html;x=\"\\\",\", " TEST_JSON ";q=0.1", 0},
    {"image/png;x=\"text/html, " TEST_JSON, -1},
    {"text/html;quality=0", 0},
    /* no media ranges */
    {"html", -1},
    {"/html", -1},
    {"text/", -1},
    {"*", -1},
    {"*/html", -1},
    {"text/htm", -1},
    {"text/html5", -1},
    {"te*/html", -1},
    {"tex/*", -1},
    {"text/html/*", -1},
    {"text / html", -1},
    {";q=1", -1},
    {"html, " TEST_JSON, 1},
};

static void test_table(void)
{
    size_t i;

    for (i = 0; i < sizeof(test_cases) / sizeof(*test_cases); i++) {
        /* an exact copy on the heap, without a NUL: a sanitizer sees a read past the end */
        size_t n = strlen(test_cases[i].header);
        char *copy = malloc(n ? n : 1);
        int got;

        memcpy(copy, test_cases[i].header, n);
        got = accept_choose(slice_make(copy, n), test_types, 4);
        tap_ok(got == test_cases[i].want, "'%s' gives %d, got %d", test_cases[i].header,
               test_cases[i].want, got);
        free(copy);
    }
}

static void test_edges(void)
{
    const char nul[] = "text/html\0, application/json";
    char *wide = malloc(65536);

    tap_ok(accept_choose(slice_of(NULL), test_types, 4) == 0, "no header gives the first");
    tap_ok(accept_choose(slice_of("text/html"), test_types, 0) < 1, "no types, no crash");
    tap_ok(accept_choose(slice_make(nul, sizeof(nul) - 1), test_types, 4) == 3,
           "a NUL is a byte like others");
    memset(wide, ',', 65536);
    memcpy(wide + 65536 - 10, ",text/html", 10);
    tap_ok(accept_choose(slice_make(wide, 65536), test_types, 4) == 0, "64 KiB of commas");
    free(wide);
}

int main(void)
{
    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    test_table();
    test_edges();
    return tap_done();
}
