/* mistake.c - the table of mistakes, and what the checks share; see mistake.h. */
#include "ctl/mistake.h"

#include <apr_fnmatch.h>
#include <apr_strings.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct mistake_row_t {
    const char *word;
    void (*check)(mistake_t *m);
} mistake_row_t;

/* The words are public, like those of verdicts. */
static const mistake_row_t mistake_rows[] = {
    {"no-guard", mistake_path_none},
    {"guard-unserved", mistake_path_unserved},
    {"second-path", mistake_path_second},
    {"encoded-slashes", mistake_path_slashes},
    {"nocanon", mistake_path_nocanon},
    {"merge-slashes", mistake_path_merge},
    {"dav", mistake_path_dav},
    {"forward-proxy", mistake_path_forward},
    {"no-auth", mistake_access_auth},
    {"satisfy-any", mistake_access_satisfy},
    {"limit-section", mistake_access_limit},
    {"identity-header", mistake_access_header},
    {"identity-early", mistake_access_early},
    {"wsgi-authorization", mistake_access_wsgi},
    {"backend-keep", mistake_access_keep},
    {"remoteip", mistake_access_remoteip},
    {"secret-mode", mistake_secret_mode},
    {"secret-served", mistake_secret_served},
    {"no-tls", mistake_secret_tls},
    {"tls-off", mistake_secret_required},
    {"backend-clear", mistake_secret_clear},
    {"unsafe-protocol", mistake_secret_unsafe},
    {"field-size", mistake_limit_field},
    {"body-limit", mistake_limit_body},
    {"modsecurity-limit", mistake_limit_modsecurity},
    {"read-timeout", mistake_limit_timeout},
    {"private-tmp", mistake_limit_tmp},
    {"stream-handler", mistake_limit_stream},
    {"input-filter", mistake_limit_filter},
};

#define MISTAKE_ROWS (sizeof(mistake_rows) / sizeof(mistake_rows[0]))

/* ---- saying ---- */

void mistake_say(const mistake_t *m, mistake_weight_t weight, const httpdconf_node_t *at,
                 const char *fmt, ...)
{
    const char *text;
    va_list args;

    va_start(args, fmt);
    text = apr_pvsprintf(m->pool, fmt, args);
    va_end(args);
    if (at && at->file) {
        text = apr_psprintf(m->pool, "%s:%d: %s", at->file, at->line, text);
    }
    m->fn(m->baton, weight, m->word, text);
}

/* ---- the tree ---- */

const httpdconf_node_t *mistake_server(const httpdconf_node_t *n)
{
    while (n->parent && !httpdconf_is(n, "VirtualHost")) {
        n = n->parent;
    }
    return n;
}

const httpdconf_node_t *mistake_next(const httpdconf_node_t *n, const char *name)
{
    do {
        n = httpdconf_walk(n);
    } while (n && !httpdconf_is(n, name));
    return n;
}

int mistake_says(const httpdconf_node_t *n, const char *word)
{
    return n && strcasecmp(httpdconf_arg(n, 0), word) == 0;
}

apr_int64_t mistake_size(const char *text)
{
    char *end;
    apr_int64_t n = apr_strtoi64(text, &end, 10);

    switch (*end) {
    case 'g':
    case 'G':
        return n << 30;
    case 'm':
    case 'M':
        return n << 20;
    case 'k':
    case 'K':
        return n << 10;
    default:
        return n;
    }
}

/* ---- paths ---- */

int mistake_below(const char *section, const char *path)
{
    apr_size_t n = strlen(section);

    if (strpbrk(section, "*?[")) {
        return apr_fnmatch(section, path, 0) == APR_SUCCESS;
    }
    return strncmp(section, path, n) == 0 &&
           (!path[n] || path[n] == '/' || (n && section[n - 1] == '/'));
}

/* 1 when the section speaks of the path. Of a regular expression nothing is known but that it may:
 * it is believed to cover what begins with its plain beginning. */
static int mistake_covers(const httpdconf_node_t *section, const char *path)
{
    const char *arg = httpdconf_arg(section, 0), *plain;
    apr_size_t n;
    int any_case;

    if (httpdconf_is(section, "Location") && strcmp(arg, "~") != 0) {
        return mistake_below(arg, path);
    }
    if (!httpdconf_is(section, "Location") && !httpdconf_is(section, "LocationMatch")) {
        return 0;
    }
    plain = strcmp(arg, "~") == 0 ? httpdconf_arg(section, 1) : arg;
    any_case = strncmp(plain, "(?i)", 4) == 0;
    plain += any_case ? 4 : 0;
    plain += *plain == '^';
    n = strcspn(plain, "\\.[](){}*+?|$");
    return (any_case ? strncasecmp(plain, path, n) : strncmp(plain, path, n)) == 0;
}

/* The sections of the root come before those of the virtual host, each in the order of the text. */
typedef const httpdconf_node_t *mistake_pick_fn(const httpdconf_node_t *section, const void *arg);

static const httpdconf_node_t *mistake_pick(const mistake_t *m, const httpdconf_node_t *server,
                                            const char *path, mistake_pick_fn *pick,
                                            const void *arg)
{
    const httpdconf_node_t *levels[2] = {m->root, server}, *n, *got, *found = NULL;
    int i;

    for (i = server == m->root; i < 2; i++) {
        for (n = levels[i]->first; n; n = n->next) {
            got = n->section && mistake_covers(n, path) ? pick(n, arg) : NULL;
            found = got ? got : found;
        }
    }
    return found;
}

static const httpdconf_node_t *mistake_pick_last(const httpdconf_node_t *section, const void *name)
{
    return httpdconf_last(section, name);
}

const httpdconf_node_t *mistake_at(const mistake_t *m, const httpdconf_node_t *server,
                                   const char *path, const char *name)
{
    const httpdconf_node_t *found = mistake_pick(m, server, path, mistake_pick_last, name);

    found = found ? found : httpdconf_last(server, name);
    return found ? found : httpdconf_last(m->root, name);
}

/* ---- what a section lets through ---- */

static int mistake_reads(const httpdconf_node_t *n, int from)
{
    int i;

    for (i = from; i < n->argc; i++) {
        if (!strchr("GHO", n->argv[i][0]) ||
            (strcmp(n->argv[i], "GET") != 0 && strcmp(n->argv[i], "HEAD") != 0 &&
             strcmp(n->argv[i], "OPTIONS") != 0)) {
            return 0;
        }
    }
    return n->argc > from;
}

static int mistake_shut(const httpdconf_node_t *section);

/* A Require, or a section of them: 1 when it lets no writing method through. */
static int mistake_require(const httpdconf_node_t *n)
{
    const httpdconf_node_t *child;

    if (httpdconf_is(n, "RequireAll")) {
        for (child = n->first; child; child = child->next) {
            if (mistake_require(child)) {
                return 1;
            }
        }
        return 0;
    }
    if (httpdconf_is(n, "RequireAny")) {
        return mistake_shut(n);
    }
    if (mistake_says(n, "method")) {
        return mistake_reads(n, 1);
    }
    return mistake_says(n, "all") && strcasecmp(httpdconf_arg(n, 1), "denied") == 0;
}

static int mistake_is_require(const httpdconf_node_t *n)
{
    return httpdconf_is(n, "Require") || httpdconf_is(n, "RequireAll") ||
           httpdconf_is(n, "RequireAny");
}

/* Any of its Requires would do, so each of them must be shut. */
static int mistake_shut(const httpdconf_node_t *section)
{
    const httpdconf_node_t *n;
    int any = 0;

    for (n = section->first; n; n = n->next) {
        if (mistake_is_require(n)) {
            any = 1;
            if (!mistake_require(n)) {
                return 0;
            }
        }
    }
    return any;
}

/* <LimitExcept GET HEAD> Require all denied */
static int mistake_excepts(const httpdconf_node_t *section)
{
    const httpdconf_node_t *n;

    for (n = section->first; n; n = n->next) {
        if (httpdconf_is(n, "LimitExcept") && mistake_reads(n, 0) && mistake_shut(n)) {
            return 1;
        }
    }
    return 0;
}

/* A section that decides who gets in replaces what the ones before it said. */
static const httpdconf_node_t *mistake_pick_access(const httpdconf_node_t *section, const void *arg)
{
    const httpdconf_node_t *n;

    (void)arg;
    for (n = section->first; n; n = n->next) {
        if (mistake_is_require(n) || httpdconf_is(n, "PyPITokenGuard") ||
            httpdconf_is(n, "LimitExcept")) {
            return section;
        }
    }
    return NULL;
}

int mistake_closed(const mistake_t *m, const httpdconf_node_t *server, const char *path)
{
    const httpdconf_node_t *section = mistake_pick(m, server, path, mistake_pick_access, NULL);

    return section && (mistake_says(httpdconf_last(section, "PyPITokenGuard"), "On") ||
                       mistake_shut(section) || mistake_excepts(section));
}

/* ---- all of it ---- */

typedef struct mistake_count_t {
    mistake_fn *fn;
    void *baton;
    int n;
} mistake_count_t;

static void mistake_counted(void *baton, mistake_weight_t weight, const char *word,
                            const char *finding)
{
    mistake_count_t *count = baton;

    count->n++;
    count->fn(count->baton, weight, word, finding);
}

int mistake_look(const httpdconf_node_t *root, mistake_fn *fn, void *baton, apr_pool_t *pool)
{
    mistake_count_t count = {fn, baton, 0};
    mistake_t m = {0};
    apr_size_t i;

    m.root = root;
    m.pool = pool;
    m.fn = mistake_counted;
    m.baton = &count;
    m.ways = apr_array_make(pool, 16, sizeof(mistake_way_t));
    m.guards = apr_array_make(pool, 4, sizeof(mistake_guard_t));
    mistake_way_gather(&m);
    for (i = 0; i < MISTAKE_ROWS; i++) {
        m.word = mistake_rows[i].word;
        mistake_rows[i].check(&m);
    }
    return count.n;
}
