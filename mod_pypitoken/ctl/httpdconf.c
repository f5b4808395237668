/* httpdconf.c - a look at one httpd configuration file; see httpdconf.h. */
#include "ctl/httpdconf.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "core/slice.h"

/* httpd takes lines of 16 MiB; nothing that is looked for here is longer than this. */
#define HTTPDCONF_LINE_MAX 8192

typedef struct httpdconf_directive_t {
    const char *name;
    size_t offset;
} httpdconf_directive_t;

static const httpdconf_directive_t httpdconf_directives[] = {
    {"LimitRequestFieldSize", offsetof(httpdconf_t, field_size)},
    {"PyPITokenStore", offsetof(httpdconf_t, store)},
    {"PyPITokenKeyring", offsetof(httpdconf_t, keyring)},
    {"PyPITokenService", offsetof(httpdconf_t, service)},
};

/* One line without continuation and white space around it. */
static void httpdconf_line(httpdconf_t *out, const char *line, apr_pool_t *pool)
{
    char **words;
    size_t i;

    if (*line == '\0' || *line == '#' || apr_tokenize_to_argv(line, &words, pool) != APR_SUCCESS ||
        !words[0] || !words[1]) {
        return;
    }
    if (strcasecmp(words[0], "LoadModule") == 0 && strcmp(words[1], "pypitoken_module") == 0) {
        out->loads_module = 1;
    }
    for (i = 0; i < sizeof(httpdconf_directives) / sizeof(httpdconf_directives[0]); i++) {
        if (strcasecmp(words[0], httpdconf_directives[i].name) == 0) {
            *(const char **)((char *)out + httpdconf_directives[i].offset) = words[1];
        }
    }
}

const char *httpdconf_read(httpdconf_t *out, const char *path, apr_pool_t *pool)
{
    char line[HTTPDCONF_LINE_MAX];
    const char *whole = "";
    apr_file_t *file;
    apr_status_t rv;
    slice_t s;
    int more;

    memset(out, 0, sizeof(*out));
    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0, pool);
    while (rv == APR_SUCCESS && (rv = apr_file_gets(line, sizeof(line), file)) == APR_SUCCESS) {
        s = slice_trim(slice_of(line));
        more = s.n && s.p[s.n - 1] == '\\';
        s.n -= more ? 1 : 0;
        whole = apr_pstrcat(pool, whole, slice_dup(s, pool), NULL);
        if (!more) {
            httpdconf_line(out, whole, pool);
            whole = "";
        }
    }
    return rv == APR_EOF ? NULL
                         : apr_psprintf(pool, "%s: %s", path, apr_strerror(rv, line, sizeof(line)));
}
