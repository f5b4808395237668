/* test_index_path.c - which URLs below the index mean something, and that no others become paths.
 */
#include "httpd/index_path.h"

#include <apr_general.h>
#include <sodium.h>
#include <string.h>

#include "tap.h"

static apr_pool_t *test_pool;

static const struct {
    const char *base, *uri;
    index_path_kind_t kind;
    const char *project, *file, *move;
} test_cases[] = {
    {NULL, "/simple/", INDEX_PATH_ROOT, NULL, NULL, NULL},
    {NULL, "/simple", INDEX_PATH_MOVED, NULL, NULL, "/simple/"},
    {"/simple", "/simple/", INDEX_PATH_ROOT, NULL, NULL, NULL},
    {"/simple/", "/simple/aaa/", INDEX_PATH_PROJECT, "aaa", NULL, NULL},
    {"/simple", "/simple/aaa/", INDEX_PATH_PROJECT, "aaa", NULL, NULL},
    {"/", "/", INDEX_PATH_ROOT, NULL, NULL, NULL},
    {"/", "/aaa/", INDEX_PATH_PROJECT, "aaa", NULL, NULL},
    {"/a/b//", "/a/b/aaa/", INDEX_PATH_PROJECT, "aaa", NULL, NULL},
    {"/", "/Aaa", INDEX_PATH_MOVED, "aaa", NULL, "/aaa/"},
    {NULL, "/simple/aaa", INDEX_PATH_MOVED, "aaa", NULL, "/simple/aaa/"},
    {NULL, "/simple/AAA/", INDEX_PATH_MOVED, "aaa", NULL, "/simple/aaa/"},
    {NULL, "/simple/a_.-B/", INDEX_PATH_MOVED, "a-b", NULL, "/simple/a-b/"},
    {NULL, "/simple/aaa/aaa-1.0.tar.gz", INDEX_PATH_FILE, "aaa", "aaa-1.0.tar.gz", NULL},
    {NULL, "/simple/aaa/aaa-1!2+a_b-py3-none-any.whl.asc", INDEX_PATH_FILE, "aaa",
     "aaa-1!2+a_b-py3-none-any.whl.asc", NULL},
    {NULL, "/simple/AAA/aaa-1.0.tar.gz", INDEX_PATH_NONE, NULL, NULL, NULL},
    /* outside */
    {NULL, "", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simpl", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simplex/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/Simple/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {"/a/b", "/a/", INDEX_PATH_NONE, NULL, NULL, NULL},
    /* names that are none */
    {NULL, "/simple//", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/.", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/..", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/../", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/../x", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/.tmp/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/-aaa/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa-/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/a a/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/a\na/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/\xc3\xa4/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/a\\b/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/.", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/..", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/../bbb", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/.meta", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/.meta/aaa-1.0.tar.gz", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa//aaa-1.0.tar.gz", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x/", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x/y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/-x", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/_x", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x\"y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x<y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x#y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x?y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x%2fy", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x:y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x\\y", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/x\x7f", INDEX_PATH_NONE, NULL, NULL, NULL},
    {NULL, "/simple/aaa/\xc3\xa4", INDEX_PATH_NONE, NULL, NULL, NULL},
};

static int test_same(const char *want, const char *got)
{
    return !want || (got && strcmp(want, got) == 0);
}

static void test_table(void)
{
    size_t i;

    for (i = 0; i < sizeof(test_cases) / sizeof(*test_cases); i++) {
        index_path_t got;

        index_path_parse(&got, test_cases[i].base, test_cases[i].uri, test_pool);
        tap_ok(got.kind == test_cases[i].kind && test_same(test_cases[i].project, got.project) &&
                   test_same(test_cases[i].file, got.file) &&
                   test_same(test_cases[i].move, got.move),
               "case %d is of kind %d, got %d", (int)i, (int)test_cases[i].kind, (int)got.kind);
    }
}

static void test_lengths(void)
{
    char name[400];

    memset(name, 'a', sizeof(name));
    tap_ok(index_path_file_valid(slice_make(name, 255)), "255 bytes");
    tap_ok(!index_path_file_valid(slice_make(name, 256)), "256 bytes");
    tap_ok(!index_path_file_valid(slice_make(NULL, 0)), "no bytes");
    tap_ok(!index_path_file_valid(slice_make("a\0b", 3)), "a NUL");
    tap_ok(index_path_project_valid(slice_of("a-b"), test_pool), "a normalised name");
    tap_ok(!index_path_project_valid(slice_of("a_b"), test_pool), "a name to be normalised");
    tap_ok(!index_path_project_valid(slice_of(".."), test_pool), "no name");
    tap_ok(!index_path_project_valid(slice_make(name, 101), test_pool), "a name too long");
}

int main(void)
{
    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    apr_pool_create(&test_pool, NULL);
    test_table();
    test_lengths();
    apr_pool_destroy(test_pool);
    return tap_done();
}
