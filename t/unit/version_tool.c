/*
 * version_tool.c - normal forms for an oracle: a line in, a line out.
 *
 *   V text   the normal form of a version, or "-"
 *   E a b    1 when two versions are equal
 *   C a b    1 when the clause "==a" means the version b, "-" when a or b is none
 *   F name   project, version and kind of a file name, or "-"
 */
#include "core/project.h"
#include "core/version_clause.h"

#include <apr_general.h>
#include <stdio.h>
#include <string.h>

static void tool_file(slice_t s, apr_pool_t *pool)
{
    project_file_t f;

    if (project_file_parse(&f, s, 0, pool) == VERDICT_ALLOWED) {
        printf("%s %s %s\n", f.project, f.normal, f.kind == PROJECT_WHEEL ? "wheel" : "sdist");
    } else {
        puts("-");
    }
}

static void tool_equal(char *line, apr_pool_t *pool)
{
    char *space = strchr(line, ' '), *a, *b;

    a = space ? version_normalize(slice_make(line, (apr_size_t)(space - line)), pool) : NULL;
    b = space ? version_normalize(slice_of(space + 1), pool) : NULL;
    puts(a && b ? version_equal(a, b) ? "1" : "0" : "-");
}

static void tool_clause(char *line, apr_pool_t *pool)
{
    char *space = strchr(line, ' '), *version;
    slice_t clause;

    version = space ? version_normalize(slice_of(space + 1), pool) : NULL;
    clause = slice_make(line, space ? (apr_size_t)(space - line) : 0);
    puts(version && version_clause_valid(clause, pool)
             ? version_clause_match(clause, version, pool) ? "1" : "0"
             : "-");
}

int main(void)
{
    char line[4096];
    apr_pool_t *root, *pool;

    apr_initialize();
    apr_pool_create(&root, NULL);
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        apr_pool_create(&pool, root);
        if (line[0] == 'V') {
            char *normal = version_normalize(slice_of(line + 2), pool);

            puts(normal ? normal : "-");
        } else if (line[0] == 'E') {
            tool_equal(line + 2, pool);
        } else if (line[0] == 'C') {
            tool_clause(line + 2, pool);
        } else {
            tool_file(slice_of(line + 2), pool);
        }
        apr_pool_destroy(pool);
    }
    apr_terminate();
    return 0;
}
