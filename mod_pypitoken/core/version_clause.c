/* version_clause.c - PEP 440's "=="; see version_clause.h. */
#include "core/version_clause.h"

#include <string.h>

#define VERSION_CLAUSE_DIGITS "0123456789"

/* "1.2" of "1.2.*", normalised; NULL when it is no such clause. */
static const char *version_clause_prefix(slice_t clause, apr_pool_t *pool)
{
    const char *normal, *release;

    if (clause.n < 3 || memcmp(clause.p + clause.n - 2, ".*", 2) != 0) {
        return NULL;
    }
    normal = version_normalize(slice_make(clause.p, clause.n - 2), pool);
    if (!normal) {
        return NULL;
    }
    /* nothing but epoch and release: "1.0rc1.*" is not PEP 440's */
    release = strchr(normal, '!');
    release = release ? release + 1 : normal;
    return release[strspn(release, VERSION_CLAUSE_DIGITS ".")] ? NULL : normal;
}

int version_clause_valid(slice_t clause, apr_pool_t *pool)
{
    return version_clause_prefix(clause, pool) || version_normalize(clause, pool);
}

/* The epoch, "" for the one that everybody has; *release gets what follows. */
static slice_t version_clause_epoch(const char *version, const char **release)
{
    const char *bang = strchr(version, '!');

    *release = bang ? bang + 1 : version;
    return slice_make(version, bang ? (apr_size_t)(bang - version) : 0);
}

/* Takes a release number off the front; "0" when there is none any more. */
static slice_t version_clause_number(const char **p)
{
    apr_size_t n = strspn(*p, VERSION_CLAUSE_DIGITS);
    slice_t number = n ? slice_make(*p, n) : slice_of("0");

    *p += n;
    /* ".post1" begins with a dot as well */
    if ((*p)[0] == '.' && strspn(*p + 1, VERSION_CLAUSE_DIGITS)) {
        (*p)++;
    }
    return number;
}

static int version_clause_starts(const char *prefix, const char *version)
{
    const char *want, *have;
    slice_t epoch = version_clause_epoch(prefix, &want);

    if (!slice_equal(epoch, version_clause_epoch(version, &have))) {
        return 0;
    }
    while (*want) {
        if (!slice_equal(version_clause_number(&want), version_clause_number(&have))) {
            return 0;
        }
    }
    return 1;
}

int version_clause_match(slice_t clause, const char *version, apr_pool_t *pool)
{
    const char *prefix = version_clause_prefix(clause, pool);
    const char *normal;
    apr_size_t public = strcspn(version, "+");

    if (prefix) {
        return version_clause_starts(prefix, version);
    }
    normal = version_normalize(clause, pool);
    if (!normal) {
        return 0;
    }
    return strchr(normal, '+')
               ? version_equal(normal, version)
               : version_equal(normal, slice_dup(slice_make(version, public), pool));
}
