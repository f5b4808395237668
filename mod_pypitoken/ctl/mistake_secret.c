/* mistake_secret.c - what crosses networks in clear, and what lies in files that others read. */
#include "ctl/mistake.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

/* ---- files ---- */

/* Directives with a file that is nobody else's, and which argument names it. */
typedef struct mistake_secret_file_t {
    const char *name;
    int arg;
} mistake_secret_file_t;

static const mistake_secret_file_t mistake_secret_files[] = {
    {"PyPITokenKeyring", 0},
    {"PyPITokenStoreSecret", 0},
    {"PyPITokenBackendAuth", 1},
    {"PyPITokenStore", 0},
};

typedef void mistake_secret_each_fn(mistake_t *m, const httpdconf_node_t *n, const char *path);

static void mistake_secret_each(mistake_t *m, mistake_secret_each_fn *fn)
{
    const httpdconf_node_t *n;
    const char *path;
    apr_size_t i;

    for (i = 0; i < sizeof(mistake_secret_files) / sizeof(*mistake_secret_files); i++) {
        const mistake_secret_file_t *f = &mistake_secret_files[i];

        for (n = m->root; (n = mistake_next(n, f->name));) {
            path = httpdconf_arg(n, f->arg);
            path += strncmp(path, "sqlite:", 7) == 0 ? 7 : 0;
            if (*path == '/') {
                fn(m, n, path);
            }
        }
    }
}

static void mistake_secret_private(mistake_t *m, const httpdconf_node_t *n, const char *path)
{
    apr_finfo_t info;

    if (apr_stat(&info, path, APR_FINFO_PROT, m->pool) == APR_SUCCESS &&
        (info.protection & 0x0ff)) {
        mistake_say(m, MISTAKE_FAIL, n,
                    "%s is not its owner's alone (mode %03x). Write: chmod 600 '%s'", path,
                    (unsigned)info.protection & 0xfff, path);
    }
}

void mistake_secret_mode(mistake_t *m)
{
    mistake_secret_each(m, mistake_secret_private);
}

/* A file below a directory that is served as files. */
static void mistake_secret_below(mistake_t *m, const httpdconf_node_t *n, const char *path)
{
    static const char *const served[] = {"DocumentRoot", "Alias", "PyPITokenPackages"};
    const httpdconf_node_t *at;
    apr_size_t i;

    for (i = 0; i < sizeof(served) / sizeof(*served); i++) {
        for (at = m->root; (at = mistake_next(at, served[i]));) {
            const char *directory = httpdconf_arg(at, httpdconf_is(at, "Alias") ? 1 : 0);

            if (*directory == '/' && directory[1] && mistake_below(directory, path)) {
                mistake_say(m, MISTAKE_FAIL, n,
                            "%s lies below %s, which %s serves. Write: %s with a path such as "
                            "/etc/pypitoken or /var/lib/pypitoken",
                            path, directory, at->name, n->name);
            }
        }
    }
}

void mistake_secret_served(mistake_t *m)
{
    mistake_secret_each(m, mistake_secret_below);
}

/* ---- TLS on the way in ---- */

static int mistake_secret_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "localhost", 9) == 0 ||
           strncmp(address, "[::1]", 5) == 0;
}

/* 1 when only this machine reaches the server. */
static int mistake_secret_local(const mistake_t *m, const httpdconf_node_t *server)
{
    const httpdconf_node_t *n;
    int i;

    for (i = 0; server != m->root && i < server->argc; i++) {
        if (!mistake_secret_loopback(server->argv[i])) {
            return 0;
        }
    }
    if (server != m->root) {
        return server->argc > 0;
    }
    for (n = m->root, i = 0; (n = mistake_next(n, "Listen")); i++) {
        if (!mistake_secret_loopback(httpdconf_arg(n, 0))) {
            return 0;
        }
    }
    return i > 0;
}

static const httpdconf_node_t *mistake_secret_off(const mistake_t *m, const mistake_guard_t *g)
{
    const httpdconf_node_t *n = mistake_at(m, g->server, g->path, "PyPITokenRequireTLS");

    return mistake_says(n, "Off") ? n : NULL;
}

void mistake_secret_tls(mistake_t *m)
{
    const httpdconf_node_t *n;
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        n = httpdconf_last(g->server, "SSLEngine");
        n = n ? n : httpdconf_last(m->root, "SSLEngine");
        if (!mistake_says(n, "On") && !mistake_says(n, "optional") &&
            !mistake_secret_local(m, g->server) && !mistake_secret_off(m, g)) {
            mistake_say(m, MISTAKE_WARN, g->section,
                        "%s is reached without TLS: uploads from other machines are refused. "
                        "Write: SSLEngine on, with SSLCertificateFile and SSLCertificateKeyFile",
                        g->path);
        }
    }
}

void mistake_secret_required(mistake_t *m)
{
    const httpdconf_node_t *n;
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        n = mistake_secret_off(m, g);
        if (n && !mistake_secret_local(m, g->server)) {
            mistake_say(m, MISTAKE_WARN, n,
                        "tokens and passwords may cross the network in clear; right only where TLS "
                        "ends at a proxy before this server and nobody else reaches this port. "
                        "Write: PyPITokenRequireTLS On");
        }
    }
}

/* ---- the way to the back end ---- */

static int mistake_secret_verified(const mistake_t *m, const httpdconf_node_t *server)
{
    const httpdconf_node_t *n = httpdconf_last(server, "SSLProxyVerify");

    n = n ? n : httpdconf_last(m->root, "SSLProxyVerify");
    return mistake_says(n, "require");
}

void mistake_secret_clear(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        const char *url, *host;

        if (!g->way || strcmp(g->way->kind, "proxy") != 0) {
            continue;
        }
        url = g->way->target;
        host = strstr(url, "://");
        if (!host || strncmp(url, "unix:", 5) == 0 || strncmp(url, "balancer:", 9) == 0 ||
            mistake_secret_loopback(host + 3)) {
            continue;
        }
        if (strncmp(url, "https:", 6) != 0 && strncmp(url, "h2:", 3) != 0) {
            mistake_say(m, MISTAKE_FAIL, g->way->node,
                        "uploads and credentials go to %s in clear. Write: https:// with "
                        "SSLProxyEngine on and SSLProxyVerify require",
                        g->way->back_end);
        } else if (!mistake_secret_verified(m, g->server)) {
            mistake_say(m, MISTAKE_FAIL, g->way->node,
                        "nobody looks at the certificate of %s: anything on the way may be it. "
                        "Write: SSLProxyVerify require, with SSLProxyCACertificateFile",
                        g->way->back_end);
        }
    }
}

void mistake_secret_unsafe(mistake_t *m)
{
    const httpdconf_node_t *n;
    int i;

    for (n = m->root; m->guards->nelts && (n = mistake_next(n, "HttpProtocolOptions"));) {
        for (i = 0; i < n->argc; i++) {
            if (strcasecmp(n->argv[i], "Unsafe") == 0) {
                mistake_say(m, MISTAKE_FAIL, n,
                            "requests that this server and the back end read in two ways are let "
                            "through. Write: HttpProtocolOptions Strict");
            }
        }
    }
}
