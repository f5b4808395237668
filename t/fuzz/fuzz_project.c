/*
 * fuzz_project.c - names, versions and file names from a stranger.
 *
 * Properties: a normal form is its own normal form, and the only one of those that are equal; a
 * file name that parses is made of its parts and of nothing else, and no reader that splits it at
 * its first or its last dash sees another project; what the strict rule takes, the legacy rule
 * takes alike.
 */
#include "core/project.h"
#include "core/version.h"

#include "fuzz.h"

static void fuzz_version(slice_t s, apr_pool_t *pool)
{
    char *normal = version_normalize(s, pool), *again;

    if (normal && strlen(normal) <= VERSION_MAX) {
        again = version_normalize(slice_of(normal), pool);
        FUZZ_HOLDS(again && !strcmp(again, normal) && version_equal(normal, again));
        FUZZ_HOLDS(fuzz_printable(normal) && !strpbrk(normal, "/\\-_ "));
    }
}

static void fuzz_name(slice_t s, apr_pool_t *pool)
{
    char *norm;

    if (project_name_valid(s)) {
        norm = project_normalize(s, pool);
        FUZZ_HOLDS(project_name_valid(slice_of(norm)));
        FUZZ_HOLDS(!strcmp(project_normalize(slice_of(norm), pool), norm));
        FUZZ_HOLDS(!strstr(norm, "--") && !strpbrk(norm, "_./\\ "));
    }
}

static void fuzz_file(slice_t s, apr_pool_t *pool)
{
    project_file_t strict, legacy;
    char *name;

    if (project_file_parse(&strict, s, 0, pool) != VERDICT_ALLOWED) {
        if (project_file_parse(&legacy, s, 1, pool) == VERDICT_ALLOWED) {
            FUZZ_HOLDS(legacy.kind == PROJECT_SDIST && legacy.name.p == s.p &&
                       legacy.version.p == s.p + legacy.name.n + 1);
        }
        return;
    }
    name = slice_dup(s, pool);
    FUZZ_HOLDS(strlen(name) == s.n && fuzz_printable(name) && !strpbrk(name, "/\\ \"%"));
    FUZZ_HOLDS(strict.name.p == s.p && strict.version.p == s.p + strict.name.n + 1 &&
               s.p[strict.name.n] == '-' && !memchr(strict.name.p, '-', strict.name.n));
    FUZZ_HOLDS(project_name_valid(strict.name));
    FUZZ_HOLDS(!strcmp(project_normalize(strict.name, pool), strict.project));
    FUZZ_HOLDS(version_equal(version_normalize(strict.version, pool), strict.normal));
    if (strict.kind == PROJECT_SDIST) {
        FUZZ_HOLDS(strrchr(name, '-') == name + strict.name.n);
    }
    FUZZ_HOLDS(project_file_parse(&legacy, s, 1, pool) == VERDICT_ALLOWED);
    FUZZ_HOLDS(!strcmp(legacy.project, strict.project) && !strcmp(legacy.normal, strict.normal));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(slice_make((const char *)data, size));
    slice_t s = slice_make(copy, size);
    apr_pool_t *pool = fuzz_pool();

    fuzz_version(s, pool);
    fuzz_name(s, pool);
    fuzz_file(s, pool);
    apr_pool_destroy(pool);
    free(copy);
    return 0;
}
