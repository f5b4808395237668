/* mistake_path.c - ways around the guard: other paths, other spellings, other methods. */
#include "ctl/mistake.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

/* The module is there and guards nothing. */
void mistake_path_none(mistake_t *m)
{
    const httpdconf_node_t *n = m->root;

    while ((n = mistake_next(n, "LoadModule")) && !mistake_says(n, "pypitoken_module")) {
    }
    if (n && !m->guards->nelts) {
        mistake_say(m, MISTAKE_WARN, n,
                    "the module is loaded, but no Location has a guard: nothing is protected. "
                    "Write: PyPITokenGuard On (in the <Location> of the upload URL)");
    }
}

/* Where a guard might have been meant to stand: some way of the same server. */
static const char *mistake_path_likely(const mistake_t *m, const mistake_guard_t *g)
{
    const mistake_way_t *w, *found = NULL;
    int i;

    MISTAKE_EACH(m->ways, mistake_way_t, w, i)
    {
        if (!w->regex && w->server == g->server && (!found || strlen(w->path) > 1)) {
            found = w;
        }
    }
    return found ? found->path : "/the/upload/url/";
}

void mistake_path_unserved(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        if (!g->way) {
            mistake_say(m, MISTAKE_FAIL, g->section,
                        "no ProxyPass, WSGIScriptAlias, ScriptAlias or SetHandler serves %s: the "
                        "guard stands beside the door. Write: <Location \"%s\">",
                        g->path, mistake_path_likely(m, g));
        }
    }
}

/* ---- a second path to the same back end ---- */

/* What a regular expression surely begins with. */
static const char *mistake_path_plain(const mistake_t *m, const mistake_way_t *w)
{
    const char *path = w->path;

    if (w->regex) {
        path += *path == '^';
        path = apr_pstrmemdup(m->pool, path, strcspn(path, "\\.[](){}*+?|$"));
    }
    return *path == '/' ? path : apr_pstrcat(m->pool, "/", path, NULL);
}

static void mistake_path_open(mistake_t *m, const mistake_guard_t *g, const httpdconf_node_t *at,
                              const char *path)
{
    mistake_say(m, MISTAKE_FAIL, at,
                "%s leads to the back end of the guarded %s as well, and takes what is sent there "
                "unguarded. Write: <Location \"%s\"> Require method GET HEAD </Location>",
                path, g->path, path);
}

/* Sections below a way that open again what the way itself has closed. */
static void mistake_path_opened(mistake_t *m, const mistake_guard_t *g, const mistake_way_t *w)
{
    const httpdconf_node_t *n;

    for (n = w->server->first; n; n = n->next) {
        const char *path = httpdconf_arg(n, 0);
        const mistake_way_t *serves;

        if (!httpdconf_is(n, "Location") || n == g->section || strcmp(path, w->path) == 0 ||
            !mistake_below(w->path, path) || mistake_closed(m, w->server, path)) {
            continue;
        }
        serves = mistake_way_of(m, w->server, path);
        if (serves && strcmp(serves->back_end, w->back_end) == 0 && serves->node == w->node) {
            mistake_path_open(m, g, n, path);
        }
    }
}

/* 1 for the guard's own path, and for it without its slash, where the guard stands as well. */
static int mistake_path_guarded(const mistake_guard_t *g, const char *path)
{
    apr_size_t n = strlen(path);

    return strncmp(g->path, path, n) == 0 && (!g->path[n] || strcmp(g->path + n, "/") == 0);
}

static void mistake_path_compare(mistake_t *m, const mistake_guard_t *g, const mistake_way_t *w)
{
    const char *path = mistake_path_plain(m, w);

    if (strcmp(w->back_end, g->way->back_end) != 0 ||
        (w->server == g->server && mistake_path_guarded(g, path))) {
        return;
    }
    if (!mistake_closed(m, w->server, path)) {
        mistake_path_open(m, g, w->node, path);
    } else {
        mistake_path_opened(m, g, w);
    }
}

void mistake_path_second(mistake_t *m)
{
    const mistake_guard_t *g;
    const mistake_way_t *w;
    int i, k;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        /* the built-in index writes through a guard only */
        if (!g->way || strcmp(g->way->kind, "handler") == 0) {
            continue;
        }
        MISTAKE_EACH(m->ways, mistake_way_t, w, k)
        {
            mistake_path_compare(m, g, w);
        }
    }
}

/* ---- other spellings of a path ---- */

void mistake_path_slashes(mistake_t *m)
{
    const httpdconf_node_t *n;

    for (n = m->root; m->guards->nelts && (n = mistake_next(n, "AllowEncodedSlashes"));) {
        if (!mistake_says(n, "Off")) {
            mistake_say(m, MISTAKE_FAIL, n,
                        "with AllowEncodedSlashes %s a path with %%2F is another one for httpd's "
                        "sections than for the back end. Write: AllowEncodedSlashes Off",
                        httpdconf_arg(n, 0));
        }
    }
}

void mistake_path_nocanon(mistake_t *m)
{
    const mistake_guard_t *g;
    const mistake_way_t *w;
    int i, k, a;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        MISTAKE_EACH(m->ways, mistake_way_t, w, k)
        {
            for (a = 0; g->way && a < w->node->argc; a++) {
                if (strcasecmp(w->node->argv[a], "nocanon") == 0 &&
                    strcmp(w->back_end, g->way->back_end) == 0) {
                    mistake_say(m, MISTAKE_FAIL, w->node,
                                "with nocanon the back end gets the path as the client spelt it, "
                                "which need not be the one that httpd has judged. Write: the same "
                                "line without nocanon");
                }
            }
        }
    }
}

void mistake_path_merge(mistake_t *m)
{
    const httpdconf_node_t *n;

    for (n = m->root; m->guards->nelts && (n = mistake_next(n, "MergeSlashes"));) {
        if (mistake_says(n, "Off")) {
            mistake_say(m, MISTAKE_FAIL, n,
                        "with MergeSlashes Off a path with // is not covered by the sections for "
                        "that with /. Write: MergeSlashes On");
        }
    }
}

/* ---- other doors ---- */

/* The built-in index' directories that a Directory section covers. */
static int mistake_path_packages(const mistake_t *m, const httpdconf_node_t *directory)
{
    const httpdconf_node_t *n;

    for (n = m->root; (n = mistake_next(n, "PyPITokenPackages"));) {
        if (mistake_below(httpdconf_arg(directory, 0), httpdconf_arg(n, 0))) {
            return 1;
        }
    }
    return 0;
}

void mistake_path_dav(mistake_t *m)
{
    const httpdconf_node_t *n, *in;
    const mistake_guard_t *g;
    int i, hit;

    for (n = m->root; (n = mistake_next(n, "Dav"));) {
        in = n->parent;
        hit = httpdconf_is(in, "Directory") && mistake_path_packages(m, in);
        MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
        {
            hit = hit ||
                  (httpdconf_is(in, "Location") && (mistake_below(httpdconf_arg(in, 0), g->path) ||
                                                    mistake_below(g->path, httpdconf_arg(in, 0))));
        }
        if (hit && !mistake_says(n, "Off")) {
            mistake_say(m, MISTAKE_FAIL, n,
                        "WebDAV writes, moves and deletes here without the guard. Write: Dav Off");
        }
    }
}

void mistake_path_forward(mistake_t *m)
{
    const httpdconf_node_t *n;

    for (n = m->root; m->guards->nelts && (n = mistake_next(n, "ProxyRequests"));) {
        if (mistake_says(n, "On")) {
            mistake_say(m, MISTAKE_FAIL, n,
                        "as a forward proxy this server takes anybody to the back end itself, past "
                        "every Location. Write: ProxyRequests Off");
        }
    }
}
