/* mistake_access.c - who gets in as whom: logins, identity headers, credentials that travel on. */
#include "ctl/mistake.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

/* ---- the login of a guarded Location ---- */

static int mistake_access_has(const httpdconf_node_t *n, const char *word)
{
    int i;

    for (i = 0; n && i < n->argc; i++) {
        if (strcasecmp(n->argv[i], word) == 0) {
            return 1;
        }
    }
    return 0;
}

static int mistake_access_requires(const httpdconf_node_t *section)
{
    return httpdconf_last(section, "Require") || httpdconf_last(section, "RequireAll") ||
           httpdconf_last(section, "RequireAny");
}

static void mistake_access_one(mistake_t *m, const mistake_guard_t *g)
{
    const httpdconf_node_t *type = mistake_at(m, g->server, g->path, "AuthType");
    const httpdconf_node_t *provider = mistake_at(m, g->server, g->path, "AuthBasicProvider");
    const httpdconf_node_t *require = httpdconf_last(g->section, "Require");

    if (!mistake_says(type, "Basic")) {
        mistake_say(m, MISTAKE_WARN, type ? type : g->section,
                    "%s is not under AuthType Basic: other modules and Require lines see no login. "
                    "Write: AuthType Basic",
                    g->path);
    }
    if (!provider) {
        mistake_say(m, MISTAKE_WARN, g->section,
                    "%s names no provider: httpd asks its own files. Write: AuthBasicProvider "
                    "pypitoken",
                    g->path);
    }
    if (require && mistake_says(require, "all") && mistake_access_has(require, "granted")) {
        mistake_say(m, MISTAKE_FAIL, require,
                    "Require all granted says that %s needs no login; the guard asks for one all "
                    "the same, until it is taken away. Write: Require valid-user",
                    g->path);
    } else if (!mistake_access_requires(g->section)) {
        mistake_say(m, MISTAKE_WARN, g->section,
                    "%s has no Require of its own: without the guard's line it would be open. "
                    "Write: Require valid-user",
                    g->path);
    }
}

void mistake_access_auth(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        mistake_access_one(m, g);
    }
}

void mistake_access_satisfy(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        const httpdconf_node_t *n = mistake_at(m, g->server, g->path, "Satisfy");

        if (mistake_says(n, "Any")) {
            mistake_say(m, MISTAKE_FAIL, n,
                        "Satisfy Any lets in whoever comes from the right address, without a "
                        "login. Write: Satisfy All");
        }
    }
}

void mistake_access_limit(mistake_t *m)
{
    const mistake_guard_t *g;
    const httpdconf_node_t *n;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        for (n = g->section->first; n; n = n->next) {
            if (httpdconf_is(n, "Limit") || httpdconf_is(n, "LimitExcept")) {
                mistake_say(m, MISTAKE_WARN, n,
                            "what stands in <%s> holds for some methods only. Write: these lines "
                            "without <%s>",
                            n->name, n->name);
            }
        }
    }
}

/* ---- headers that say who somebody is ---- */

static int mistake_access_sets(const httpdconf_node_t *n)
{
    return mistake_says(n, "set") || mistake_says(n, "add") || mistake_says(n, "append") ||
           mistake_says(n, "merge") || mistake_says(n, "setifempty");
}

static int mistake_access_identity(const httpdconf_node_t *n)
{
    const char *value = httpdconf_arg(n, 2);

    return mistake_access_sets(n) && (strstr(value, "REMOTE_USER") || strstr(value, "PYPITOKEN_"));
}

/* 1 when every request of the server loses, or gets anew, what a client sent as this header. */
static int mistake_access_stripped(const httpdconf_node_t *server, const char *header)
{
    const httpdconf_node_t *n;

    for (n = server->first; n; n = n->next) {
        if (httpdconf_is(n, "RequestHeader") && strcasecmp(httpdconf_arg(n, 1), header) == 0 &&
            (mistake_says(n, "unset") || (mistake_says(n, "set") && n->argc == 3))) {
            return 1;
        }
    }
    return 0;
}

void mistake_access_header(mistake_t *m)
{
    const httpdconf_node_t *n;

    for (n = m->root; (n = mistake_next(n, "RequestHeader"));) {
        const char *header = httpdconf_arg(n, 1);

        if (mistake_access_identity(n) && !mistake_access_stripped(mistake_server(n), header) &&
            !mistake_access_stripped(m->root, header)) {
            mistake_say(m, MISTAKE_FAIL, n,
                        "the back end believes %s, and where this line does not stand anybody may "
                        "send it. Write: RequestHeader unset %s (in the server, outside of any "
                        "section)",
                        header, header);
        }
    }
}

void mistake_access_early(mistake_t *m)
{
    const httpdconf_node_t *n;

    for (n = m->root; (n = mistake_next(n, "RequestHeader"));) {
        if (mistake_access_identity(n) && strcasecmp(httpdconf_arg(n, n->argc - 1), "early") == 0) {
            mistake_say(m, MISTAKE_FAIL, n,
                        "an early header is set before anybody is known. Write: the same line "
                        "without early");
        }
    }
}

/* ---- credentials that travel on ---- */

static const char *mistake_access_backend(const mistake_t *m, const mistake_guard_t *g)
{
    const httpdconf_node_t *n = mistake_at(m, g->server, g->path, "PyPITokenBackendAuth");

    return n ? httpdconf_arg(n, 0) : "None";
}

/* The last of a directive that may stand anywhere in a server: below it, else in the root. */
static const httpdconf_node_t *mistake_access_any(const mistake_t *m,
                                                  const httpdconf_node_t *server, const char *name)
{
    const httpdconf_node_t *n, *found = NULL;

    for (n = m->root; (n = mistake_next(n, name));) {
        if (mistake_server(n) == server || mistake_server(n) == m->root) {
            found = n;
        }
    }
    return found;
}

void mistake_access_wsgi(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        const httpdconf_node_t *n = mistake_access_any(m, g->server, "WSGIPassAuthorization");
        int on = mistake_says(n, "On");
        int service = strcasecmp(mistake_access_backend(m, g), "Service") == 0;

        if (!g->way || strcmp(g->way->kind, "wsgi") != 0) {
            continue;
        }
        if (on && !service) {
            mistake_say(m, MISTAKE_WARN, n,
                        "the application gets the passwords that people type at other URLs. Write: "
                        "WSGIPassAuthorization Off");
        } else if (!on && service) {
            mistake_say(m, MISTAKE_WARN, n ? n : g->section,
                        "the application gets no Authorization, so none of PyPITokenBackendAuth "
                        "either. Write: WSGIPassAuthorization On");
        }
    }
}

void mistake_access_keep(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        if (strcasecmp(mistake_access_backend(m, g), "Keep") == 0) {
            mistake_say(m, MISTAKE_WARN, mistake_at(m, g->server, g->path, "PyPITokenBackendAuth"),
                        "the back end, and its logs, get every token whole. Write: "
                        "PyPITokenBackendAuth None, or Service FILE");
        }
    }
}

void mistake_access_remoteip(mistake_t *m)
{
    const httpdconf_node_t *n = mistake_next(m->root, "RemoteIPHeader");

    if (n && !mistake_next(m->root, "RemoteIPInternalProxy") &&
        !mistake_next(m->root, "RemoteIPInternalProxyList") &&
        !mistake_next(m->root, "RemoteIPTrustedProxy") &&
        !mistake_next(m->root, "RemoteIPTrustedProxyList")) {
        mistake_say(m, MISTAKE_FAIL, n,
                    "anybody's %s is believed: limits by address and tokens for networks mean "
                    "nothing. Write: RemoteIPInternalProxy ADDRESS-OF-THE-PROXY",
                    httpdconf_arg(n, 0));
    }
}
