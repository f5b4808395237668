/* httpdconf.c - an httpd configuration as a tree of directives; see httpdconf.h. */
#include "ctl/httpdconf.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/slice.h"

/* httpd takes lines of 16 MiB; nothing that is looked for here is longer than this. */
#define HTTPDCONF_LINE_MAX 16384
#define HTTPDCONF_DEPTH    32 /* of files that include one another */
#define HTTPDCONF_EXPAND   32 /* names in one line */

typedef struct httpdconf_t {
    apr_pool_t *pool;
    httpdconf_node_t *at; /* the section that lines go to */
    const char *base;     /* for relative names */
    apr_table_t *defines; /* Define, and -D as far as they are known: not at all */
    apr_table_t *modules; /* "ssl_module", and "mod_ssl.c" */
    const char *file;     /* that is read at the moment */
    int line, depth;
    int skipped;              /* how many conditions that do not hold are open */
    apr_array_header_t *open; /* of int: whether each open condition holds */
} httpdconf_t;

static const char *const httpdconf_built_in[] = {
    "core", "so", "http", "log_config", "logio", "version", "unixd", "watchdog", "mpm_event"};

static const char *const httpdconf_conditions[] = {"IfModule",  "IfDefine",    "IfFile",
                                                   "IfVersion", "IfDirective", "IfSection"};

static const char *httpdconf_include(httpdconf_t *c, const char *pattern, int optional);

int httpdconf_is(const httpdconf_node_t *n, const char *name)
{
    return n->name && strcasecmp(n->name, name) == 0;
}

const httpdconf_node_t *httpdconf_last(const httpdconf_node_t *section, const char *name)
{
    const httpdconf_node_t *n, *found = NULL;

    for (n = section->first; n; n = n->next) {
        found = httpdconf_is(n, name) ? n : found;
    }
    return found;
}

const char *httpdconf_arg(const httpdconf_node_t *n, int i)
{
    return n && i < n->argc ? n->argv[i] : "";
}

const httpdconf_node_t *httpdconf_walk(const httpdconf_node_t *n)
{
    if (n->first) {
        return n->first;
    }
    while (n && !n->next) {
        n = n->parent;
    }
    return n ? n->next : NULL;
}

/* ---- words ---- */

/* ${NAME}, as far as NAME is known. */
static const char *httpdconf_expand(httpdconf_t *c, const char *text)
{
    const char *from = text;
    int i;

    for (i = 0; i < HTTPDCONF_EXPAND; i++) {
        const char *start = strstr(from, "${"), *end = start ? strchr(start, '}') : NULL;
        const char *name, *value;

        if (!end) {
            break;
        }
        name = apr_pstrmemdup(c->pool, start + 2, (apr_size_t)(end - start) - 2);
        value = apr_table_get(c->defines, name);
        value = value ? value : getenv(name);
        if (value) {
            text = apr_pstrcat(c->pool, apr_pstrmemdup(c->pool, text, (apr_size_t)(start - text)),
                               value, end + 1, NULL);
            from = text;
        } else {
            from = end;
        }
    }
    return text;
}

/* The next word of *at, as httpd cuts them: quotes of either kind, a backslash only before one. */
static const char *httpdconf_word(const char **at, apr_pool_t *pool)
{
    const char *p = *at;
    char quote, *out, *to;

    p += strspn(p, " \t");
    if (!*p) {
        return NULL;
    }
    quote = *p == '"' || *p == '\'' ? *p++ : '\0';
    out = to = apr_palloc(pool, strlen(p) + 1);
    while (*p && (quote ? *p != quote : *p != ' ' && *p != '\t')) {
        if (quote && *p == '\\' && (p[1] == quote || p[1] == '\\')) {
            p++;
        }
        *to++ = *p++;
    }
    *to = '\0';
    *at = *p && quote ? p + 1 : p;
    return out;
}

static httpdconf_node_t *httpdconf_node(httpdconf_t *c, const char *text, int section)
{
    httpdconf_node_t *n = apr_pcalloc(c->pool, sizeof(*n));
    apr_array_header_t *words = apr_array_make(c->pool, 4, sizeof(const char *));
    const char *word;

    n->name = httpdconf_word(&text, c->pool);
    n->name = n->name ? n->name : "";
    while ((word = httpdconf_word(&text, c->pool))) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    n->argc = words->nelts;
    APR_ARRAY_PUSH(words, const char *) = NULL;
    n->argv = (const char *const *)(const void *)words->elts;
    n->file = c->file;
    n->line = c->line;
    n->section = section;
    return n;
}

static void httpdconf_add(httpdconf_t *c, httpdconf_node_t *n)
{
    n->parent = c->at;
    if (c->at->last) {
        c->at->last->next = n;
    } else {
        c->at->first = n;
    }
    c->at->last = n;
}

/* ---- conditions ---- */

static int httpdconf_loaded(const httpdconf_t *c, const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(httpdconf_built_in) / sizeof(*httpdconf_built_in); i++) {
        const char *word = httpdconf_built_in[i];

        if (strcmp(name, apr_pstrcat(c->pool, word, "_module", NULL)) == 0 ||
            strcmp(name, apr_pstrcat(c->pool, "mod_", word, ".c", NULL)) == 0) {
            return 1;
        }
    }
    return apr_table_get(c->modules, name) != NULL;
}

static int httpdconf_holds(httpdconf_t *c, const httpdconf_node_t *n)
{
    const char *what = httpdconf_arg(n, 0);
    int negated = *what == '!', yes = 1;
    apr_finfo_t info;

    what += negated;
    if (httpdconf_is(n, "IfModule")) {
        yes = httpdconf_loaded(c, what);
    } else if (httpdconf_is(n, "IfDefine")) {
        yes = apr_table_get(c->defines, what) != NULL;
    } else if (httpdconf_is(n, "IfFile")) {
        const char *path = *what == '/' ? what : apr_pstrcat(c->pool, c->base, "/", what, NULL);

        yes = apr_stat(&info, path, APR_FINFO_MIN, c->pool) == APR_SUCCESS;
    }
    return yes != negated;
}

static int httpdconf_condition(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(httpdconf_conditions) / sizeof(*httpdconf_conditions); i++) {
        if (strcasecmp(name, httpdconf_conditions[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* ---- lines ---- */

static void httpdconf_begin(httpdconf_t *c, const char *text)
{
    apr_size_t n = strlen(text);
    httpdconf_node_t *node;

    /* "<Location /x>", and "<Location /x" with the '>' as a word of its own or missing */
    text = apr_pstrmemdup(c->pool, text, n && text[n - 1] == '>' ? n - 1 : n);
    node = httpdconf_node(c, text, 1);
    if (httpdconf_condition(node->name)) {
        int holds = !c->skipped && httpdconf_holds(c, node);

        APR_ARRAY_PUSH(c->open, int) = holds;
        c->skipped += !holds;
    } else if (!c->skipped) {
        httpdconf_add(c, node);
        c->at = node;
    }
}

static void httpdconf_end(httpdconf_t *c, const char *text)
{
    const char *name = apr_pstrmemdup(c->pool, text, strcspn(text, "> \t"));

    if (httpdconf_condition(name)) {
        if (c->open->nelts) {
            c->skipped -= !*(int *)apr_array_pop(c->open);
        }
    } else if (!c->skipped && c->at->parent) {
        c->at = c->at->parent;
    }
}

/* What a module is called in <IfModule>, either way. */
static void httpdconf_module(httpdconf_t *c, const httpdconf_node_t *n)
{
    const char *id = httpdconf_arg(n, 0), *end = strstr(id, "_module");

    apr_table_setn(c->modules, id, "");
    if (end) {
        apr_table_setn(c->modules,
                       apr_pstrcat(c->pool, "mod_",
                                   apr_pstrmemdup(c->pool, id, (apr_size_t)(end - id)), ".c", NULL),
                       "");
    }
}

static const char *httpdconf_directive(httpdconf_t *c, const char *text)
{
    httpdconf_node_t *n = httpdconf_node(c, httpdconf_expand(c, text), 0);

    if (httpdconf_is(n, "Include") || httpdconf_is(n, "IncludeOptional")) {
        return httpdconf_include(c, httpdconf_arg(n, 0), httpdconf_is(n, "IncludeOptional"));
    }
    if (httpdconf_is(n, "Define")) {
        apr_table_setn(c->defines, httpdconf_arg(n, 0), httpdconf_arg(n, 1));
    } else if (httpdconf_is(n, "UnDefine")) {
        apr_table_unset(c->defines, httpdconf_arg(n, 0));
    } else if (httpdconf_is(n, "ServerRoot")) {
        c->base = httpdconf_arg(n, 0);
    } else if (httpdconf_is(n, "LoadModule")) {
        httpdconf_module(c, n);
    }
    httpdconf_add(c, n);
    return NULL;
}

/* One line without continuation and white space around it. */
static const char *httpdconf_line(httpdconf_t *c, const char *line)
{
    if (*line == '\0' || *line == '#') {
        return NULL;
    }
    if (line[0] == '<' && line[1] == '/') {
        httpdconf_end(c, line + 2);
        return NULL;
    }
    if (*line == '<') {
        httpdconf_begin(c, httpdconf_expand(c, line + 1));
        return NULL;
    }
    return c->skipped ? NULL : httpdconf_directive(c, line);
}

/* ---- files ---- */

static const char *httpdconf_file(httpdconf_t *c, const char *path)
{
    char line[HTTPDCONF_LINE_MAX];
    const char *whole = "", *err = NULL, *outer = c->file;
    int outer_line = c->line, more, n = 0;
    apr_file_t *file;
    apr_status_t rv;
    slice_t s;

    if (++c->depth > HTTPDCONF_DEPTH) {
        return apr_psprintf(c->pool, "%s is included too deep", path);
    }
    c->file = path;
    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, 0, c->pool);
    while (!err && rv == APR_SUCCESS &&
           (rv = apr_file_gets(line, sizeof(line), file)) == APR_SUCCESS) {
        c->line = *whole ? c->line : n + 1;
        n++;
        s = slice_trim(slice_of(line));
        more = s.n && s.p[s.n - 1] == '\\';
        s.n -= more ? 1 : 0;
        whole = apr_pstrcat(c->pool, whole, strchr(" \t", *line) && *whole ? " " : "",
                            slice_dup(s, c->pool), NULL);
        if (!more) {
            err = httpdconf_line(c, whole);
            c->file = path;
            whole = "";
        }
    }
    if (!err && rv != APR_EOF) {
        err = apr_psprintf(c->pool, "%s: %s", path, apr_strerror(rv, line, sizeof(line)));
    }
    c->depth--;
    c->file = outer;
    c->line = outer_line;
    return err;
}

static const char *httpdconf_include(httpdconf_t *c, const char *pattern, int optional)
{
    const char *err = NULL;
    apr_finfo_t info;
    glob_t found;
    size_t i;

    if (*pattern != '/') {
        pattern = apr_pstrcat(c->pool, c->base, "/", pattern, NULL);
    }
    if (glob(pattern, 0, NULL, &found) != 0) {
        return optional || strpbrk(pattern, "*?[")
                   ? NULL
                   : apr_psprintf(c->pool, "%s:%d: there is no %s", c->file, c->line, pattern);
    }
    for (i = 0; i < found.gl_pathc && !err; i++) {
        const char *path = apr_pstrdup(c->pool, found.gl_pathv[i]);

        if (apr_stat(&info, path, APR_FINFO_TYPE, c->pool) == APR_SUCCESS &&
            info.filetype == APR_DIR) {
            err = httpdconf_include(c, apr_pstrcat(c->pool, path, "/*", NULL), 1);
        } else {
            err = httpdconf_file(c, path);
        }
    }
    globfree(&found);
    return err;
}

const char *httpdconf_read(httpdconf_node_t **root, const char *path, apr_pool_t *pool)
{
    httpdconf_t c = {0};
    const char *slash = strrchr(path, '/');

    c.pool = pool;
    c.at = *root = apr_pcalloc(pool, sizeof(**root));
    c.base = slash ? apr_pstrmemdup(pool, path, (apr_size_t)(slash - path)) : ".";
    c.defines = apr_table_make(pool, 8);
    c.modules = apr_table_make(pool, 64);
    c.open = apr_array_make(pool, 8, sizeof(int));
    return httpdconf_file(&c, path);
}
