/* manage_made.c - see manage_made.h. */
#include "httpd/private.h"
#include "httpd/manage_made.h"

#include <apr_strings.h>
#include <string.h>

#include "httpd/config.h"
#include "httpd/manage_time.h"
#include "httpd/tls.h"
#include "httpd/words.h"

/* ---- the upload URL, as it is from outside ---- */

/* What a shell or a configuration file would take for something else is in no URL of ours. */
static int manage_made_plain(const char *url)
{
    for (; *url; url++) {
        if (*url <= ' ' || *url > '~' || strchr("\"'<>\\`$;|&{}[]()*!#", *url)) {
            return 0;
        }
    }
    return 1;
}

/* The page that the form was on, as the browser knows it, up to but not with the path below the
 * mount point: "https://outside.example/pypi/account/". NULL: it does not say, or that page is not
 * one of this host. */
static const char *manage_made_mount(const manage_t *m)
{
    const char *page = apr_table_get(m->r->headers_in, "Referer");
    const char *host = page ? strstr(page, "://") : NULL;
    const char *asked = apr_table_get(m->r->headers_in, "X-Forwarded-Host");
    apr_size_t n;

    asked = asked ? asked : apr_table_get(m->r->headers_in, "Host");
    if (!host || !asked || strncasecmp(host + 3, asked, strlen(asked)) != 0 ||
        host[3 + strlen(asked)] != '/') {
        return NULL;
    }
    n = strcspn(page, "?#");
    if (n < strlen(m->route) ||
        strncmp(page + n - strlen(m->route), m->route, strlen(m->route)) != 0) {
        return NULL;
    }
    return apr_pstrndup(m->r->pool, page, n - strlen(m->route));
}

/* A proxy that puts something before our paths puts the same before the guard's. */
static const char *manage_made_outside(const manage_t *m, const char *path)
{
    const char *mount = manage_made_mount(m), *base = config_dir(m->r)->manage_base, *origin;
    apr_size_t n, b = strlen(base);

    if (!mount) {
        return NULL;
    }
    b -= b && base[b - 1] == '/' ? 1 : 0;
    n = strlen(mount) - 1; /* its last slash */
    if (n >= b && strncmp(mount + n - b, base, b) == 0) {
        return apr_pstrcat(m->r->pool, apr_pstrndup(m->r->pool, mount, n - b), path, NULL);
    }
    origin = strstr(mount, "://") + 3;
    origin += strcspn(origin, "/");
    return apr_pstrcat(m->r->pool, apr_pstrndup(m->r->pool, mount, (apr_size_t)(origin - mount)),
                       path, NULL);
}

static const char *manage_made_url(const manage_t *m)
{
    const char *set = config_dir(m->r)->upload_url;
    const apr_array_header_t *guards = config_server(m->r->server)->guard_paths;
    const char *path = guards->nelts ? APR_ARRAY_IDX(guards, 0, const char *) : NULL;
    const char *url, *host;

    if (set || !path) {
        return set ? set : "THE-UPLOAD-URL";
    }
    url = manage_made_outside(m, path);
    if (!url) {
        url = ap_construct_url(m->r->pool, path, m->r);
        host = apr_table_get(m->r->headers_in, "X-Forwarded-Host");
        host = host ? host : apr_table_get(m->r->headers_in, "Host");
        if (host && tls_seen(m->r) && strncmp(url, "https:", 6) != 0) {
            url = apr_pstrcat(m->r->pool, "https://", host, path, NULL);
        }
    }
    return manage_made_plain(url) ? url : "THE-UPLOAD-URL";
}

/* ---- the page ---- */

int manage_made(manage_t *m, const char *text, const issue_t *made)
{
    json_t *data = json_object();

    json_object_set_new(data, "token", json_string(text));
    json_object_set_new(data, "id", json_string(made->id));
    json_object_set_new(data, "expires", manage_time(m, made->expires, seam_system.now()));
    json_object_set_new(data, "url", manage_string(m, manage_made_url(m)));
    return manage_page(m, HTTP_OK, "token-made", T_("Your new token"), data);
}
