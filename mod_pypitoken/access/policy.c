/* policy.c - the policy file, read and applied; see policy.h. */
#include "access/policy.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>

#include "core/duration.h"

#define POLICY_LINE_MAX 1024

/* By store_role_t; NONE holds the general settings. -1: not set. */
struct policy_t {
    policy_limits_t role[3];
};

static const char *const policy_prefix[3] = {"", "maintainer.", "owner."};

static int policy_life(slice_t value, void *at)
{
    return duration_span(value, (apr_int64_t *)at);
}

static int policy_yes(slice_t value, void *at)
{
    *(int *)at = slice_is(value, "yes");
    return *(int *)at || slice_is(value, "no") ? 0 : -1;
}

static const struct policy_key_t {
    const char *name;
    size_t offset;
    int (*take)(slice_t value, void *at);
    const char *values;
} policy_keys[] = {
    {"longest-life", offsetof(policy_limits_t, longest), policy_life, "a span like 30d or 1y"},
    {"default-life", offsetof(policy_limits_t, standard), policy_life, "a span like 30d or 1y"},
    {"unrestricted", offsetof(policy_limits_t, unrestricted), policy_yes, "yes or no"},
};
#define POLICY_KEYS (sizeof(policy_keys) / sizeof(policy_keys[0]))

/* NULL, or what should have stood there. */
static const char *policy_set(policy_t *policy, slice_t key, slice_t value)
{
    apr_size_t k;
    int role;

    for (role = 2; role >= 0; role--) {
        apr_size_t n = strlen(policy_prefix[role]);

        for (k = 0; k < POLICY_KEYS; k++) {
            const struct policy_key_t *row = &policy_keys[k];

            if (slice_starts(key, policy_prefix[role]) &&
                slice_is(slice_make(key.p + n, key.n - n), row->name)) {
                return row->take(value, (char *)&policy->role[role] + row->offset) ? row->values
                                                                                   : NULL;
            }
        }
    }
    return "longest-life, default-life or unrestricted, perhaps with owner. or maintainer. before "
           "it";
}

static const char *policy_line(policy_t *policy, slice_t line)
{
    const char *equals;

    line = slice_trim(line);
    if (line.n == 0 || line.p[0] == '#') {
        return NULL;
    }
    equals = memchr(line.p, '=', line.n);
    if (!equals) {
        return "a setting, '=' and a value";
    }
    return policy_set(
        policy, slice_trim(slice_make(line.p, (apr_size_t)(equals - line.p))),
        slice_trim(slice_make(equals + 1, line.n - (apr_size_t)(equals + 1 - line.p))));
}

/* apr_file_gets cuts a line that is too long; the rest would be read as a line of its own. */
static int policy_whole(const char *line, apr_file_t *file)
{
    return strchr(line, '\n') || apr_file_eof(file) == APR_EOF;
}

static policy_t *policy_make(apr_pool_t *pool)
{
    policy_t *policy = apr_palloc(pool, sizeof(*policy));
    int role;

    for (role = 0; role < 3; role++) {
        policy->role[role].longest = policy->role[role].standard = -1;
        policy->role[role].unrestricted = -1;
    }
    return policy;
}

const char *policy_read(policy_t **out, const char *path, apr_pool_t *pool)
{
    policy_t *policy = policy_make(pool);
    const char *wrong = NULL;
    char line[POLICY_LINE_MAX];
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0, pool);
    int number = 0;

    *out = NULL;
    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "The policy %s cannot be read: %s.", path,
                            apr_strerror(rv, line, sizeof(line)));
    }
    while (!wrong && (rv = apr_file_gets(line, sizeof(line), file)) == APR_SUCCESS) {
        number++;
        wrong = policy_whole(line, file) ? policy_line(policy, slice_of(line))
                                         : "shorter than 1023 bytes, and without a NUL";
    }
    apr_file_close(file);
    if (wrong) {
        return apr_psprintf(pool, "Line %d of the policy %s must be %s.", number, path, wrong);
    }
    if (rv != APR_EOF) {
        return apr_psprintf(pool, "The policy %s cannot be read: %s.", path,
                            apr_strerror(rv, line, sizeof(line)));
    }
    *out = policy;
    return NULL;
}

/* Its own setting, else the general one. */
policy_limits_t policy_limits(const policy_t *policy, store_role_t role)
{
    policy_limits_t limits = {-1, -1, -1}, all;

    if (!policy) {
        return limits;
    }
    limits = policy->role[role];
    all = policy->role[STORE_ROLE_NONE];
    limits.longest = limits.longest < 0 ? all.longest : limits.longest;
    limits.standard = limits.standard < 0 ? all.standard : limits.standard;
    limits.unrestricted = limits.unrestricted < 0 ? all.unrestricted : limits.unrestricted;
    return limits;
}

const char *policy_apply(const policy_t *policy, store_role_t role, int restricted, apr_int64_t now,
                         apr_int64_t *expires, apr_pool_t *pool)
{
    policy_limits_t limits;

    if (!policy) {
        return NULL;
    }
    limits = policy_limits(policy, role);
    if (!restricted && limits.unrestricted == 0) {
        return "The policy of this index wants tokens to be for certain projects or files: name "
               "them.";
    }
    if (!*expires && limits.standard >= 0) {
        *expires = now + limits.standard;
    }
    if (limits.longest >= 0 && (!*expires || *expires > now + limits.longest)) {
        return apr_psprintf(pool,
                            "The policy of this index lets such tokens live for %" APR_INT64_T_FMT
                            " days and %" APR_INT64_T_FMT " hours at most: give an earlier end.",
                            limits.longest / 86400, limits.longest % 86400 / 3600);
    }
    return NULL;
}
