/* project.c - project names and file names of distributions; see project.h. */
#include "core/project.h"

#include <apr_strings.h>
#include <string.h>

#include "core/version.h"

static int project_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int project_alnum(char c)
{
    return project_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int project_separator(char c)
{
    return c == '-' || c == '_' || c == '.';
}

int project_name_valid(slice_t s)
{
    apr_size_t i;

    if (s.n == 0 || s.n > PROJECT_NAME_MAX || !project_alnum(s.p[0]) ||
        !project_alnum(s.p[s.n - 1])) {
        return 0;
    }
    for (i = 0; i < s.n; i++) {
        if (!project_alnum(s.p[i]) && !project_separator(s.p[i])) {
            return 0;
        }
    }
    return 1;
}

char *project_normalize(slice_t name, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, name.n + 1);
    apr_size_t i, n = 0;

    for (i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (project_separator(c)) {
            if (n && out[n - 1] == '-' && i && project_separator(name.p[i - 1])) {
                continue;
            }
            c = '-';
        } else if (c >= 'A' && c <= 'Z') {
            c = (char)(c + ('a' - 'A'));
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return out;
}

/* [A-Za-z0-9][A-Za-z0-9._+!-]{0,254} */
static int project_file_chars(slice_t s)
{
    apr_size_t i;

    if (s.n == 0 || s.n > PROJECT_FILENAME_MAX || !project_alnum(s.p[0])) {
        return 0;
    }
    for (i = 0; i < s.n; i++) {
        if (!project_alnum(s.p[i]) && !(s.p[i] && strchr("._+!-", s.p[i]))) {
            return 0;
        }
    }
    return 1;
}

static int project_ends(slice_t s, const char *end)
{
    apr_size_t n = strlen(end);

    return s.n > n && memcmp(s.p + s.n - n, end, n) == 0;
}

/* Name and version are known: normal forms, and what pools need. A wheel writes
 * "_" where a local version had a "-", which is a separator of local parts all
 * the same. */
static int project_finish(project_file_t *out, apr_pool_t *pool)
{
    if (!project_name_valid(out->name) || out->version.n == 0 ||
        !project_digit(out->version.p[0])) {
        return 0;
    }
    out->project = project_normalize(out->name, pool);
    out->normal = version_normalize(out->version, pool);
    return out->normal != NULL;
}

/* A tag of a wheel: letters, digits, "_", joined by "." */
static int project_wheel_tag(slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        if (!project_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '.') {
            return 0;
        }
    }
    return s.n > 0 && s.p[0] != '.' && s.p[s.n - 1] != '.';
}

/* name-version[-build]-python-abi-platform.whl (PEP 427). */
static int project_wheel(project_file_t *out, slice_t stem, apr_pool_t *pool)
{
    slice_t piece[6];
    apr_size_t n = 0, i, start = 0;

    for (i = 0; i <= stem.n; i++) {
        if (i == stem.n || stem.p[i] == '-') {
            if (n == 6) {
                return 0;
            }
            piece[n++] = slice_make(stem.p + start, i - start);
            start = i + 1;
        }
    }
    if (n < 5 || (n == 6 && (piece[2].n == 0 || !project_digit(piece[2].p[0])))) {
        return 0;
    }
    for (i = 2; i < n; i++) {
        if (!project_wheel_tag(piece[i])) {
            return 0;
        }
    }
    if (memmem(piece[0].p, piece[0].n, "__", 2)) {
        return 0; /* no builder writes it, and packaging refuses it */
    }
    out->kind = PROJECT_WHEEL;
    out->name = piece[0];
    out->version = piece[1];
    return project_finish(out, pool);
}

/* Where old setuptools wrote dashes into names, and no reader splits the file
 * otherwise: no dash before a digit, no mark of a binary distribution, no
 * version that is a bare number. */
static int project_legacy_name(slice_t name, slice_t version)
{
    static const char *const marks[] = {"-py2.", "-py3.", ".win32-py", ".win-amd64-py", ".linux-"};
    apr_size_t i;

    for (i = 0; i + 1 < name.n; i++) {
        if (name.p[i] == '-' && project_digit(name.p[i + 1])) {
            return 0;
        }
    }
    for (i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        if (memmem(name.p, name.n, marks[i], strlen(marks[i]))) {
            return 0;
        }
    }
    return memchr(version.p, '.', version.n) != NULL;
}

/* name-version.tar.gz (PEP 625): one dash, unless legacy names are let in. */
static int project_sdist(project_file_t *out, slice_t stem, int legacy, apr_pool_t *pool)
{
    const char *dash = memrchr(stem.p, '-', stem.n);

    if (!dash) {
        return 0;
    }
    out->kind = PROJECT_SDIST;
    out->name = slice_make(stem.p, (apr_size_t)(dash - stem.p));
    out->version = slice_make(dash + 1, stem.n - out->name.n - 1);
    if (memchr(out->name.p, '-', out->name.n) &&
        (!legacy || !project_legacy_name(out->name, out->version))) {
        return 0;
    }
    return project_finish(out, pool);
}

verdict_code_t project_file_parse(project_file_t *out, slice_t filename, int legacy,
                                  apr_pool_t *pool)
{
    static const char *const sdists[] = {".tar.gz", ".zip", ".tar.bz2"};
    apr_size_t i;

    memset(out, 0, sizeof(*out));
    if (!project_file_chars(filename)) {
        return VERDICT_FILENAME_INVALID;
    }
    if (project_ends(filename, ".whl")) {
        return project_wheel(out, slice_make(filename.p, filename.n - 4), pool)
                   ? VERDICT_ALLOWED
                   : VERDICT_FILENAME_INVALID;
    }
    for (i = 0; i < sizeof(sdists) / sizeof(*sdists); i++) {
        if (project_ends(filename, sdists[i])) {
            return project_sdist(out, slice_make(filename.p, filename.n - strlen(sdists[i])),
                                 legacy, pool)
                       ? VERDICT_ALLOWED
                       : VERDICT_FILENAME_INVALID;
        }
    }
    return VERDICT_FILENAME_INVALID;
}
