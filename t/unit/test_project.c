/*
 * test_project.c - project names and file names.
 *
 * The last test is the reason for the strict shapes: a second reader that splits file names the way
 * a lenient index does must find the same project in every name that is accepted.
 */
#include "core/project.h"
#include "core/version.h"
#include "tap.h"

#include <apr_general.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const project_good[] = {"a",     "1",  "a1", "Demo.Pkg_Test", "a-b", "a--b",
                                           "a.-_b", "0x", "A",  "zope.interface"};
static const char *const project_bad[] = {
    "",
    "-a",
    "a-",
    "_a",
    "a_",
    ".a",
    "a.",
    " a",
    "a ",
    "a b",
    "a\n",
    "a/b",
    "../b",
    "a!b",
    "a%00",
    "a+b",
    "a@b",
    "a[b]",
    "a\\b",
    "a:b",
    "\xc3\xa4",
    "a\xff",
    "\xef\xbb\xbfz",
    "a\xe2\x84\xaa",
    "-",
    ".",
    "_",
    "a\tb",
    "a\rb",
};

static const char *const project_normals[][2] = {
    {"Demo.Pkg_Test", "demo-pkg-test"},
    {"demo-pkg-test", "demo-pkg-test"},
    {"a--b", "a-b"},
    {"a.-_b", "a-b"},
    {"A__B..C", "a-b-c"},
    {"ABC", "abc"},
    {"1.2", "1-2"},
    {"-a-", "-a-"},
    {"--a__", "-a-"},
    {"", ""},
};

/* A file name; project and version where the strict rule takes it, and where the legacy rule does.
 */
static const struct {
    const char *file, *strict, *legacy;
} project_files[] = {
    {"aaa-1.0.tar.gz", "aaa 1.0", "aaa 1.0"},
    {"Demo.Pkg_Test-1.2.3.tar.gz", "demo-pkg-test 1.2.3", "demo-pkg-test 1.2.3"},
    {"aaa-1.0.zip", "aaa 1.0", "aaa 1.0"},
    {"aaa-1.0.tar.bz2", "aaa 1.0", "aaa 1.0"},
    {"aaa-1.tar.gz", "aaa 1", "aaa 1"},
    {"aaa-1.0rc1.post2.dev3.tar.gz", "aaa 1.0rc1.post2.dev3", "aaa 1.0rc1.post2.dev3"},
    {"aaa-1.0+local.1.tar.gz", "aaa 1.0+local.1", "aaa 1.0+local.1"},
    {"aaa-1.0+local_1.tar.gz", "aaa 1.0+local.1", "aaa 1.0+local.1"},
    {"aaa-1!2.0.tar.gz", "aaa 1!2.0", "aaa 1!2.0"},
    {"a1-1.0.tar.gz", "a1 1.0", "a1 1.0"},
    {"1-1.0.tar.gz", "1 1.0", "1 1.0"},
    {"aaa-1.0-py3-none-any.whl", "aaa 1.0", "aaa 1.0"},
    {"Demo_Pkg-1.0.0-py2.py3-none-any.whl", "demo-pkg 1.0.0", "demo-pkg 1.0.0"},
    {"zope.interface-5.0-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
     "zope-interface 5.0", "zope-interface 5.0"},
    {"aaa-1.0-1-py3-none-any.whl", "aaa 1.0", "aaa 1.0"},
    {"aaa-1.0-2b_x-py3-none-any.whl", "aaa 1.0", "aaa 1.0"},
    {"aaa-1.0+cu118-cp311-cp311-win_amd64.whl", "aaa 1.0+cu118", "aaa 1.0+cu118"},
    {"aaa-1.0.post1-py3-none-any.whl", "aaa 1.0.post1", "aaa 1.0.post1"},
    {"aaa-1.0_post1-py3-none-any.whl", "aaa 1.0.post1", "aaa 1.0.post1"},
    /* "_" stands for nothing but PEP 440's own separators */
    {"aaa-1.0_1-py3-none-any.whl", NULL, NULL},
    {"aaa-1.0_1.tar.gz", NULL, NULL},
    {"aaa-1.0_cu118-py3-none-any.whl", NULL, NULL},
    /* old setuptools */
    {"aaa-bbb-1.0.tar.gz", NULL, "aaa-bbb 1.0"},
    {"aaa-bbb-ccc-1.0rc1.zip", NULL, "aaa-bbb-ccc 1.0rc1"},
    {"zope.aaa-bb-1.0.tar.gz", NULL, "zope-aaa-bb 1.0"},
    {"aaa-b2-1.0.tar.gz", NULL, "aaa-b2 1.0"},
    /* another reader would split these elsewhere */
    {"aaa-1-2.tar.gz", NULL, NULL},
    {"aaa-2024-1.tar.gz", NULL, NULL},
    {"aaa-1a1-2.tar.gz", NULL, NULL},
    {"aaa-1-r2.tar.gz", NULL, NULL},
    {"aaa-1.0-2.tar.gz", NULL, NULL},
    {"aaa-1.0-2.0.tar.gz", NULL, NULL},
    {"zope.aaa-bb-1.tar.gz", NULL, NULL},
    {"aaa-bbb-1.tar.gz", NULL, NULL},
    {"aaa-py3.9-1.0.tar.gz", NULL, NULL},
    {"aaa-py2.7-1.0.tar.gz", NULL, NULL},
    {"aaa.win32-py2.7-1.0.zip", NULL, NULL},
    {"aaa.win-amd64-py2.7-1.0.zip", NULL, NULL},
    {"aaa-v1-2.0-py3-none-any.whl", NULL, NULL},
    {"aaa-bbb-1.0-py3-none-any.whl", NULL, NULL},
    {"aaa-1.0-q-py3-none-any.whl", NULL, NULL},
    {"aaa-1.0-py3-none-any-x-y.whl", NULL, NULL},
    {"aaa-1.0-none-any.whl", NULL, NULL},
    {"aaa-1.0.whl", NULL, NULL},
    {"aaa.whl", NULL, NULL},
    {".whl", NULL, NULL},
    {"----.whl", NULL, NULL},
    {"a----.whl", NULL, NULL},
    {"aaa--py3-none-any.whl", NULL, NULL},
    {"aaa-1.0--none-any.whl", NULL, NULL},
    {"aaa-1.0-py3--any.whl", NULL, NULL},
    {"aaa-1.0-py3-none-.whl", NULL, NULL},
    {"aaa-1.0-.py3-none-any.whl", NULL, NULL},
    {"aaa-1.0-py3.-none-any.whl", NULL, NULL},
    {"aaa-1.0-py3-none-any+x.whl", NULL, NULL},
    {"aaa-1.0-py3-no!ne-any.whl", NULL, NULL},
    {"aaa__b-1.0-py3-none-any.whl", NULL, NULL},
    {"aaa_-1.0-py3-none-any.whl", NULL, NULL},
    {"a+b-1.0-py3-none-any.whl", NULL, NULL},
    {"-1.0.tar.gz", NULL, NULL},
    {"aaa-.tar.gz", NULL, NULL},
    {"aaa-v1.0.tar.gz", NULL, NULL},
    {"aaa-dog.tar.gz", NULL, NULL},
    {"aaa.tar.gz", NULL, NULL},
    {"aaa1.0.tar.gz", NULL, NULL},
    {".tar.gz", NULL, NULL},
    {"-.tar.gz", NULL, NULL},
    {"_aaa-1.0.tar.gz", NULL, NULL},
    {".aaa-1.0.tar.gz", NULL, NULL},
    {"aaa_-1.0.tar.gz", NULL, NULL},
    {"aaa!b-1.0.tar.gz", NULL, NULL},
    {"aaa-1.0", NULL, NULL},
    {"aaa-1.0.tar", NULL, NULL},
    {"aaa-1.0.tgz", NULL, NULL},
    {"aaa-1.0.tar.xz", NULL, NULL},
    {"aaa-1.0.tar.Z", NULL, NULL},
    {"aaa-1.0.TAR.GZ", NULL, NULL},
    {"aaa-1.0.tar.gZ", NULL, NULL},
    {"aaa-1.0-py3-none-any.WHL", NULL, NULL},
    {"aaa-1.0.exe", NULL, NULL},
    {"aaa-1.0.msi", NULL, NULL},
    {"aaa-1.0-py2.7.egg", NULL, NULL},
    {"aaa-1.0.tar.gz.asc", NULL, NULL},
    {"aaa-1.0.tar.gz ", NULL, NULL},
    {" aaa-1.0.tar.gz", NULL, NULL},
    {"aaa-1.0 .tar.gz", NULL, NULL},
    {"../bbb-1.0.tar.gz", NULL, NULL},
    {"x/bbb-1.0.tar.gz", NULL, NULL},
    {"x\\bbb-1.0.tar.gz", NULL, NULL},
    {"aaa-1.0.tar.gz;x", NULL, NULL},
    {"%62-1.0.tar.gz", NULL, NULL},
    {"=?utf-8?Q?bbb-1.0.tar.gz?=", NULL, NULL},
    {"b\xc3\xb6-1.0.tar.gz", NULL, NULL},
    {"aaa-1.0\t.tar.gz", NULL, NULL},
    {"", NULL, NULL},
};

static int project_reads(const char *file, int legacy, const char *want, apr_pool_t *pool)
{
    project_file_t f;
    verdict_code_t code = project_file_parse(&f, slice_of(file), legacy, pool);
    const char *space;

    if (code != VERDICT_ALLOWED) {
        return !want && code == VERDICT_FILENAME_INVALID;
    }
    space = want ? strchr(want, ' ') : NULL;
    return space && slice_is(slice_make(want, (apr_size_t)(space - want)), f.project) &&
           strcmp(space + 1, f.normal) == 0 && f.name.p == file &&
           f.version.p == file + f.name.n + 1 &&
           f.kind == (strstr(file, ".whl") ? PROJECT_WHEEL : PROJECT_SDIST);
}

static void project_names(apr_pool_t *pool)
{
    char text[PROJECT_NAME_MAX + 1];
    apr_size_t i;

    for (i = 0; i < sizeof(project_good) / sizeof(*project_good); i++) {
        tap_ok(project_name_valid(slice_of(project_good[i])), "a name: %s", project_good[i]);
    }
    for (i = 0; i < sizeof(project_bad) / sizeof(*project_bad); i++) {
        tap_ok(!project_name_valid(slice_of(project_bad[i])), "no name, number %d", (int)i);
    }
    memset(text, 'a', sizeof(text));
    tap_ok(project_name_valid(slice_make(text, PROJECT_NAME_MAX)), "100 bytes");
    tap_ok(!project_name_valid(slice_make(text, PROJECT_NAME_MAX + 1)), "not 101");
    tap_ok(!project_name_valid(slice_make("a\0b", 3)), "no NUL");
    tap_ok(!project_name_valid(slice_make(NULL, 0)), "not nothing");
    for (i = 0; i < sizeof(project_normals) / sizeof(*project_normals); i++) {
        const char *got = project_normalize(slice_of(project_normals[i][0]), pool);

        tap_ok(strcmp(got, project_normals[i][1]) == 0, "\"%s\" is \"%s\" (%s)",
               project_normals[i][0], project_normals[i][1], got);
    }
}

static void project_file_names(apr_pool_t *pool)
{
    static const char end[] = "-1.0.tar.gz";
    char text[PROJECT_FILENAME_MAX + 2];
    project_file_t f;
    apr_size_t i;

    for (i = 0; i < sizeof(project_files) / sizeof(*project_files); i++) {
        tap_ok(project_reads(project_files[i].file, 0, project_files[i].strict, pool),
               "strict, number %d: %s", (int)i, project_files[i].strict ? "taken" : "refused");
        tap_ok(project_reads(project_files[i].file, 1, project_files[i].legacy, pool),
               "legacy, number %d: %s", (int)i, project_files[i].legacy ? "taken" : "refused");
    }
    /* the longest: a long version under a name that is allowed */
    memset(text, '1', sizeof(text));
    memcpy(text + PROJECT_NAME_MAX, end, sizeof(end) - 1);
    tap_ok(project_file_parse(&f, slice_make(text, PROJECT_NAME_MAX + sizeof(end) - 1), 0, pool) ==
               VERDICT_ALLOWED,
           "a name of 100 bytes in it");
    memset(text, '1', sizeof(text));
    memcpy(text + PROJECT_NAME_MAX + 1, end, sizeof(end) - 1);
    tap_ok(project_file_parse(&f, slice_make(text, PROJECT_NAME_MAX + sizeof(end)), 0, pool) ==
               VERDICT_FILENAME_INVALID,
           "not 101");
    memcpy(text, "a-1.0-1-1-1-", 12);
    memset(text + 5, 'x', sizeof(text) - 5);
    memcpy(text + 5, "-py3-none-", 10);
    memcpy(text + PROJECT_FILENAME_MAX - 4, ".whl", 4);
    tap_ok(project_file_parse(&f, slice_make(text, PROJECT_FILENAME_MAX), 0, pool) ==
               VERDICT_ALLOWED,
           "255 bytes");
    memcpy(text + PROJECT_FILENAME_MAX - 3, ".whl", 4);
    text[PROJECT_FILENAME_MAX - 4] = 'x';
    tap_ok(project_file_parse(&f, slice_make(text, PROJECT_FILENAME_MAX + 1), 0, pool) ==
               VERDICT_FILENAME_INVALID,
           "not 256");
    tap_ok(project_file_parse(&f, slice_make("aaa-1.0\0.tar.gz", 15), 0, pool) ==
               VERDICT_FILENAME_INVALID,
           "no NUL");
}

/* How many bytes of a stem a lenient index takes for the project: one dash splits there; without a
 * dot the last dash does; else the first dash that digits and then one of "a-z_.!+" follow. */
static apr_size_t project_lenient(slice_t stem)
{
    apr_size_t i, k, dashes = 0, first = stem.n, last = stem.n;
    int dot = 0;

    for (i = 0; i < stem.n; i++) {
        dot |= stem.p[i] == '.';
        if (stem.p[i] == '-') {
            first = dashes++ ? first : i;
            last = i;
        }
    }
    if (dashes <= 1 || !dot) {
        return dashes <= 1 ? first : last;
    }
    for (i = 0; i < stem.n; i++) {
        for (k = i + 1; k < stem.n && isdigit((unsigned char)stem.p[k]); k++) {
        }
        if (stem.p[i] == '-' && k > i + 1 && k < stem.n &&
            (isalpha((unsigned char)stem.p[k]) || strchr("_.!+", stem.p[k]))) {
            return i;
        }
    }
    return stem.n;
}

static void project_differential(apr_pool_t *parent)
{
    static const char *const pieces[] = {"a", "b", "-",     "-",    "1",    "2",
                                         ".", "_", "py3.9", "rc1",  "r2",   "-1.",
                                         "+", "!", "-v",    "post", "win32"};
    unsigned state = 7;
    int i, k, legacy, taken[2] = {0, 0}, bad = 0;
    apr_pool_t *pool;

    apr_pool_create(&pool, parent);
    for (i = 0; i < 600000; i++) {
        char text[96] = "a";
        project_file_t f;
        slice_t stem;
        int n;

        state = state * 1103515245u + 12345u;
        n = 1 + (int)(state >> 16) % 8;
        for (k = 0; k < n; k++) {
            state = state * 1103515245u + 12345u;
            strncat(text, pieces[(state >> 16) % (sizeof(pieces) / sizeof(*pieces))], 7);
        }
        stem = slice_make(text, strlen(text));
        strncat(text, ".tar.gz", 8);
        for (legacy = 0; legacy < 2; legacy++) {
            if (project_file_parse(&f, slice_of(text), legacy, pool) == VERDICT_ALLOWED) {
                taken[legacy]++;
                bad += project_lenient(stem) != f.name.n;
            }
        }
        apr_pool_clear(pool);
    }
    tap_ok(bad == 0,
           "%d accepted names, with legacy ones %d: a lenient index finds the same "
           "project in all",
           taken[0], taken[1]);
    tap_ok(taken[0] > 1000 && taken[1] > taken[0] + 100, "and there were enough of both");
    apr_pool_destroy(pool);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    project_names(pool);
    project_file_names(pool);
    project_differential(pool);
    apr_terminate();
    return tap_done();
}
