/* mistake_way.c - what leads where, and which guard stands before what; see mistake.h. */
#include "ctl/mistake.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

/* What tells one back end from another: host and port of a URL, the file of a script. */
static const char *mistake_back_end(const char *target, apr_pool_t *pool)
{
    const char *host = strstr(target, "://");
    apr_size_t n = strlen(target);

    if (host) {
        host += 3;
        return apr_pstrmemdup(pool, host, strcspn(host, "/$?"));
    }
    while (n > 1 && target[n - 1] == '/') {
        n--;
    }
    return apr_pstrmemdup(pool, target, n);
}

static void mistake_way(mistake_t *m, const httpdconf_node_t *n, const char *kind, const char *path,
                        const char *target, int regex)
{
    mistake_way_t *w;

    if (!*path || !*target || strcmp(target, "!") == 0) {
        return;
    }
    w = apr_array_push(m->ways);
    w->path = path;
    w->regex = regex;
    w->target = target;
    w->back_end = mistake_back_end(target, m->pool);
    w->kind = kind;
    w->node = n;
    w->server = mistake_server(n);
}

typedef struct mistake_way_row_t {
    const char *name, *kind;
    int regex;
} mistake_way_row_t;

static const mistake_way_row_t mistake_way_rows[] = {
    {"ProxyPass", "proxy", 0},      {"ProxyPassMatch", "proxy", 1},
    {"WSGIScriptAlias", "wsgi", 0}, {"WSGIScriptAliasMatch", "wsgi", 1},
    {"ScriptAlias", "cgi", 0},      {"ScriptAliasMatch", "cgi", 1},
    {"Alias", "alias", 0},          {"AliasMatch", "alias", 1},
};

/* A handler of a Location: a proxy in its own right, or something here. */
static void mistake_handler(mistake_t *m, const httpdconf_node_t *n)
{
    const char *handler = httpdconf_arg(n, 0), *path = httpdconf_arg(n->parent, 0);
    int proxy = strncmp(handler, "proxy:", 6) == 0;

    if (httpdconf_is(n->parent, "Location") && strcasecmp(handler, "None") != 0 &&
        strncmp(handler, "pypitoken-", 10) != 0) {
        mistake_way(m, n, proxy ? "proxy" : "handler", path, handler + (proxy ? 6 : 0), 0);
    }
}

/* The flags of a RewriteRule: [P], [NE,P], [proxy]; not [PT]. */
static int mistake_way_proxied(const char *flags)
{
    const char *at = flags;

    while (*at) {
        apr_size_t n;

        at += strspn(at, "[], ");
        n = strcspn(at, "[], ");
        if ((n == 1 && *at == 'P') || (n == 5 && strncasecmp(at, "proxy", 5) == 0)) {
            return 1;
        }
        at += n;
    }
    return 0;
}

static void mistake_ways(mistake_t *m)
{
    const httpdconf_node_t *n;
    apr_size_t i;

    for (n = m->root; n; n = httpdconf_walk(n)) {
        int here = n->parent && httpdconf_is(n->parent, "Location") ? 1 : 0;

        for (i = 0; i < sizeof(mistake_way_rows) / sizeof(*mistake_way_rows); i++) {
            const mistake_way_row_t *row = &mistake_way_rows[i];

            if (httpdconf_is(n, row->name)) {
                mistake_way(m, n, row->kind,
                            here ? httpdconf_arg(n->parent, 0) : httpdconf_arg(n, 0),
                            httpdconf_arg(n, !here), row->regex);
            }
        }
        if (httpdconf_is(n, "RewriteRule") && mistake_way_proxied(httpdconf_arg(n, 2))) {
            mistake_way(m, n, "proxy", httpdconf_arg(n, 0), httpdconf_arg(n, 1), 1);
        } else if (httpdconf_is(n, "SetHandler") && n->parent) {
            mistake_handler(m, n);
        }
    }
}

const mistake_way_t *mistake_way_of(const mistake_t *m, const httpdconf_node_t *server,
                                    const char *path)
{
    const mistake_way_t *best = NULL;
    int i;

    for (i = 0; i < m->ways->nelts; i++) {
        const mistake_way_t *w = &APR_ARRAY_IDX(m->ways, i, mistake_way_t);

        if ((w->server == server || w->server == m->root) && !w->regex &&
            mistake_below(w->path, path) && (!best || strlen(w->path) > strlen(best->path))) {
            best = w;
        }
    }
    return best;
}

static void mistake_guards(mistake_t *m)
{
    const httpdconf_node_t *n;
    mistake_guard_t *g;

    for (n = m->root; (n = mistake_next(n, "PyPITokenGuard"));) {
        if (mistake_says(n, "On") && httpdconf_is(n->parent, "Location")) {
            g = apr_array_push(m->guards);
            g->path = httpdconf_arg(n->parent, 0);
            g->node = n;
            g->section = n->parent;
            g->server = mistake_server(n);
            g->way = mistake_way_of(m, g->server, g->path);
        }
    }
}

void mistake_way_gather(mistake_t *m)
{
    mistake_ways(m);
    mistake_guards(m);
}
