/*
 * fuzz_project.c - names, versions and file names from a stranger.
 *
 * Properties: a normal form is its own normal form; a file name that parses is made of its parts;
 * what the strict rule takes, the legacy rule takes alike.
 */
#include "core/project.h"
#include "core/version.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *fuzz_root;

static void fuzz_version(slice_t s, apr_pool_t *pool)
{
    char *normal = version_normalize(s, pool), *again;

    if (normal && strlen(normal) <= VERSION_MAX) {
        again = version_normalize(slice_of(normal), pool);
        if (!again || strcmp(again, normal) != 0 || !version_equal(normal, again)) {
            abort();
        }
    }
}

static void fuzz_name(slice_t s, apr_pool_t *pool)
{
    char *norm;

    if (project_name_valid(s)) {
        norm = project_normalize(s, pool);
        if (!project_name_valid(slice_of(norm)) ||
            strcmp(project_normalize(slice_of(norm), pool), norm) != 0) {
            abort();
        }
    }
}

static void fuzz_file(slice_t s, apr_pool_t *pool)
{
    project_file_t strict, legacy;

    if (project_file_parse(&strict, s, 0, pool) != VERDICT_ALLOWED) {
        (void)project_file_parse(&legacy, s, 1, pool);
        return;
    }
    if (memchr(s.p, '/', s.n) || memchr(s.p, 0, s.n) || strict.name.p != s.p ||
        strict.version.p != s.p + strict.name.n + 1 || !project_name_valid(strict.name) ||
        project_file_parse(&legacy, s, 1, pool) != VERDICT_ALLOWED ||
        strcmp(legacy.project, strict.project) != 0 || strcmp(legacy.normal, strict.normal) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice_t s = slice_make((const char *)data, size);
    apr_pool_t *pool;

    if (!fuzz_root) {
        apr_initialize();
        apr_pool_create(&fuzz_root, NULL);
    }
    apr_pool_create(&pool, fuzz_root);
    fuzz_version(s, pool);
    fuzz_name(s, pool);
    fuzz_file(s, pool);
    apr_pool_destroy(pool);
    return 0;
}
