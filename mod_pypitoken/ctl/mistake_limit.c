/* mistake_limit.c - limits that refuse good uploads, and what spoils them on the way. */
#include "ctl/mistake.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MISTAKE_LIMIT_FIELD   8190                   /* httpd's default */
#define MISTAKE_LIMIT_UPLOAD  ((apr_int64_t)1 << 30) /* PyPITokenMaxUpload, LimitRequestBody */
#define MISTAKE_LIMIT_SEC     134217728              /* SecRequestBodyLimit */
#define MISTAKE_LIMIT_NOFILES 1048576                /* SecRequestBodyNoFilesLimit */
#define MISTAKE_LIMIT_TEXT    ((apr_int64_t)3 << 20) /* the largest description, and the rest */

static apr_int64_t mistake_limit_upload(const mistake_t *m, const mistake_guard_t *g)
{
    const httpdconf_node_t *n = mistake_at(m, g->server, g->path, "PyPITokenMaxUpload");

    return n ? mistake_size(httpdconf_arg(n, 0)) : MISTAKE_LIMIT_UPLOAD;
}

void mistake_limit_field(mistake_t *m)
{
    const httpdconf_node_t *n;

    for (n = m->root; (n = mistake_next(n, "LimitRequestFieldSize"));) {
        if (mistake_size(httpdconf_arg(n, 0)) < MISTAKE_LIMIT_FIELD) {
            mistake_say(m, MISTAKE_WARN, n,
                        "longer tokens end in a 400 by httpd itself. Write: LimitRequestFieldSize "
                        "32760");
        }
    }
}

void mistake_limit_body(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        const httpdconf_node_t *n = mistake_at(m, g->server, g->path, "LimitRequestBody");
        apr_int64_t want = mistake_limit_upload(m, g);
        apr_int64_t have = n ? mistake_size(httpdconf_arg(n, 0)) : MISTAKE_LIMIT_UPLOAD;

        if (have && have < want) {
            mistake_say(m, MISTAKE_WARN, n ? n : g->section,
                        "httpd refuses what is larger than %" APR_INT64_T_FMT
                        " bytes, PyPITokenMaxUpload does not. Write: LimitRequestBody "
                        "%" APR_INT64_T_FMT " (in the guarded Location)",
                        have, want);
        }
    }
}

/* ---- mod_security2 ---- */

static void mistake_limit_security(mistake_t *m, const httpdconf_node_t *engine, const char *name,
                                   apr_int64_t usual, apr_int64_t want)
{
    const httpdconf_node_t *n, *found = NULL;

    for (n = m->root; (n = mistake_next(n, name));) {
        found = n;
    }
    if ((found ? mistake_size(httpdconf_arg(found, 0)) : usual) < want) {
        mistake_say(m, MISTAKE_WARN, found ? found : engine,
                    "mod_security2 refuses what is larger. Write: %s %" APR_INT64_T_FMT, name,
                    want);
    }
}

void mistake_limit_modsecurity(mistake_t *m)
{
    const httpdconf_node_t *n, *engine = NULL, *body = NULL;
    const mistake_guard_t *g;
    apr_int64_t want = 0;
    int i;

    for (n = m->root; (n = mistake_next(n, "SecRuleEngine"));) {
        engine = mistake_says(n, "On") ? n : engine;
    }
    for (n = m->root; (n = mistake_next(n, "SecRequestBodyAccess"));) {
        body = mistake_says(n, "On") ? n : body;
    }
    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        want = mistake_limit_upload(m, g) > want ? mistake_limit_upload(m, g) : want;
    }
    if (engine && body && want) {
        mistake_limit_security(m, engine, "SecRequestBodyLimit", MISTAKE_LIMIT_SEC, want);
        mistake_limit_security(m, engine, "SecRequestBodyNoFilesLimit", MISTAKE_LIMIT_NOFILES,
                               MISTAKE_LIMIT_TEXT);
    }
}

/* ---- time ---- */

/* "body=20,MinRate=500" grows with what comes; "body=20" and "body=20-40,MinRate=500" end. */
static int mistake_limit_ends(const char *value)
{
    const char *number = value + strlen("body=");

    return apr_atoi64(number) > 0 && (strchr(number, '-') || !strcasestr(number, "minrate"));
}

void mistake_limit_timeout(mistake_t *m)
{
    const httpdconf_node_t *n;
    int i;

    for (n = m->root; m->guards->nelts && (n = mistake_next(n, "RequestReadTimeout"));) {
        for (i = 0; i < n->argc; i++) {
            if (strncasecmp(n->argv[i], "body=", 5) == 0 && mistake_limit_ends(n->argv[i])) {
                mistake_say(m, MISTAKE_WARN, n,
                            "%s ends every upload that takes longer, however fast it comes. Write: "
                            "RequestReadTimeout body=20,MinRate=500",
                            n->argv[i]);
            }
        }
    }
}

/* ---- places ---- */

void mistake_limit_tmp(mistake_t *m)
{
    static const char *const names[] = {"PyPITokenSpoolDir", "PyPITokenStore", "PyPITokenPackages"};
    const httpdconf_node_t *n;
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        for (n = m->root; (n = mistake_next(n, names[i]));) {
            const char *path = httpdconf_arg(n, 0);

            path += strncmp(path, "sqlite:", 7) == 0 ? 7 : 0;
            if (strncmp(path, "/tmp/", 5) == 0 || strncmp(path, "/var/tmp/", 9) == 0) {
                mistake_say(m, MISTAKE_WARN, n,
                            "with PrivateTmp=yes in httpd's unit %s is another place for httpd "
                            "than for everybody else, and gone when it stops. Write: %s %s",
                            path, n->name,
                            i == 0   ? "/var/spool/pypitoken"
                            : i == 1 ? "sqlite:/var/lib/pypitoken/store.db"
                                     : "/var/lib/pypitoken/packages");
            }
        }
    }
}

/* ---- what stands between guard and handler ---- */

void mistake_limit_stream(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        const httpdconf_node_t *n = mistake_at(m, g->server, g->path, "PyPITokenStream");
        int cgi = g->way && strcmp(g->way->kind, "cgi") == 0;
        int half = g->way &&
                   (strcmp(g->way->kind, "wsgi") == 0 || strncmp(g->way->target, "fcgi:", 5) == 0);

        if (mistake_says(n, "On") && (cgi || half)) {
            mistake_say(m, cgi ? MISTAKE_FAIL : MISTAKE_WARN, n,
                        "%s may take an upload that was stopped for a whole one. Write: "
                        "PyPITokenStream Off",
                        g->way->target);
        }
    }
}

void mistake_limit_filter(mistake_t *m)
{
    const mistake_guard_t *g;
    int i;

    MISTAKE_EACH(m->guards, mistake_guard_t, g, i)
    {
        const httpdconf_node_t *n = mistake_at(m, g->server, g->path, "SetInputFilter");

        if (n && !mistake_says(n, "NONE")) {
            mistake_say(m, MISTAKE_WARN, n,
                        "what the guard has judged is changed before the back end sees it. Write: "
                        "SetInputFilter NONE (in the guarded Location)");
        }
    }
}
