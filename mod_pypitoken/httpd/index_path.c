/* index_path.c - URLs of the built-in index; see index_path.h for the contract. */
#include "httpd/index_path.h"

#include <apr_strings.h>
#include <string.h>

#include "core/project.h"

static int index_path_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int index_path_file_valid(slice_t s)
{
    apr_size_t i;

    if (s.n == 0 || s.n > PROJECT_FILENAME_MAX || !index_path_alnum(s.p[0])) {
        return 0;
    }
    for (i = 1; i < s.n; i++) {
        if (!index_path_alnum(s.p[i]) && (s.p[i] == '\0' || !strchr("._+!-", s.p[i]))) {
            return 0;
        }
    }
    return 1;
}

int index_path_project_valid(slice_t s, apr_pool_t *pool)
{
    return project_name_valid(s) && slice_is(s, project_normalize(s, pool));
}

/* What follows the base, which is given without its last slash. */
static void index_path_below(index_path_t *out, slice_t base, slice_t rest, apr_pool_t *pool)
{
    const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
    slice_t name = slice_make(rest.p, slash ? (apr_size_t)(slash - rest.p) : rest.n);
    slice_t file = slice_make(slash ? slash + 1 : NULL, slash ? rest.n - name.n - 1 : 0);

    if (rest.n == 0) {
        out->kind = INDEX_PATH_ROOT;
        return;
    }
    if (!project_name_valid(name)) {
        return;
    }
    out->project = project_normalize(name, pool);
    if (file.n == 0) {
        out->kind = slash && slice_is(name, out->project) ? INDEX_PATH_PROJECT : INDEX_PATH_MOVED;
        out->move = apr_pstrcat(pool, slice_dup(base, pool), "/", out->project, "/", NULL);
    } else if (slice_is(name, out->project) && index_path_file_valid(file)) {
        out->kind = INDEX_PATH_FILE;
        out->file = slice_dup(file, pool);
    }
}

void index_path_parse(index_path_t *out, const char *base, const char *uri, apr_pool_t *pool)
{
    slice_t b = slice_of(base ? base : INDEX_PATH_BASE), u = slice_of(uri);

    memset(out, 0, sizeof(*out));
    while (b.n > 0 && b.p[b.n - 1] == '/') {
        b.n--;
    }
    if (u.n < b.n || !slice_equal(slice_make(u.p, b.n), b)) {
        return;
    }
    if (u.n == b.n) {
        out->kind = INDEX_PATH_MOVED;
        out->move = apr_pstrcat(pool, slice_dup(b, pool), "/", NULL);
    } else if (u.p[b.n] == '/') {
        index_path_below(out, b, slice_make(u.p + b.n + 1, u.n - b.n - 1), pool);
    }
}
