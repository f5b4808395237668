/* handoff.c - headers, credentials and environment for whoever stands behind the guard; see
 * handoff.h. */
#include "httpd/private.h"
#include "httpd/handoff.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

/* Lower case, sorted. Expect, Upgrade, TE and their like have been answered here and end here. */
static const char *const handoff_pass[] = {"accept",
                                           "accept-charset",
                                           "accept-encoding",
                                           "accept-language",
                                           "cache-control",
                                           "connection",
                                           "content-length",
                                           "content-type",
                                           "date",
                                           "forwarded",
                                           "host",
                                           "pragma",
                                           "traceparent",
                                           "tracestate",
                                           "transfer-encoding",
                                           "user-agent",
                                           "via",
                                           "x-correlation-id",
                                           "x-forwarded-for",
                                           "x-forwarded-host",
                                           "x-forwarded-port",
                                           "x-forwarded-prefix",
                                           "x-forwarded-proto",
                                           "x-forwarded-server",
                                           "x-real-ip",
                                           "x-request-id"};

static int handoff_compare(const void *name, const void *entry)
{
    return strcasecmp(name, *(const char *const *)entry);
}

void handoff_headers(request_rec *r)
{
    const apr_array_header_t *all = apr_table_elts(r->headers_in);
    const apr_table_entry_t *h = (const apr_table_entry_t *)(const void *)all->elts;
    apr_table_t *kept = apr_table_make(r->pool, all->nelts);
    int i;

    for (i = 0; i < all->nelts; i++) {
        if (bsearch(h[i].key, handoff_pass, sizeof(handoff_pass) / sizeof(*handoff_pass),
                    sizeof(*handoff_pass), handoff_compare)) {
            apr_table_addn(kept, h[i].key, h[i].val);
        }
    }
    /* Others hold on to the table (a request that this one was redirected from): the same table,
     * with less in it. */
    apr_table_clear(r->headers_in);
    apr_table_overlap(r->headers_in, kept, APR_OVERLAP_TABLES_SET);
}

void handoff_authorization(request_rec *r, const config_dir_t *c, const char *own)
{
    if (c->backend == CONFIG_BACKEND_SERVICE) {
        apr_table_set(r->headers_in, "Authorization", c->backend_header);
    } else if (c->backend == CONFIG_BACKEND_KEEP && own) {
        apr_table_setn(r->headers_in, "Authorization", own);
    } else {
        apr_table_unset(r->headers_in, "Authorization");
    }
}

/* What stands behind the scheme, whatever stands around it. */
static void handoff_forget(request_rec *r, const char *own)
{
    const apr_array_header_t *all = apr_table_elts(r->subprocess_env);
    const apr_table_entry_t *e = (const apr_table_entry_t *)(const void *)all->elts;
    const char *space = own ? strchr(own, ' ') : NULL;
    const char *secret = space ? space + strspn(space, " ") : "";
    int i = 0;

    while (*secret && i < all->nelts) {
        if (e[i].val && strstr(e[i].val, secret)) {
            apr_table_unset(r->subprocess_env, apr_pstrdup(r->pool, e[i].key));
            i = 0;
        } else {
            i++;
        }
    }
}

void handoff_environment(request_rec *r, const config_dir_t *c, const guard_pass_t *pass,
                         const char *own)
{
    handoff_forget(r, c->backend == CONFIG_BACKEND_KEEP ? NULL : own);
    r->user = apr_pstrdup(r->pool, pass->user);
    if (pass->token_id) {
        apr_table_setn(r->subprocess_env, "PYPITOKEN_ID", pass->token_id);
    }
    apr_table_setn(r->subprocess_env, "PYPITOKEN_PROJECT", pass->form->project);
    apr_table_setn(r->subprocess_env, "PYPITOKEN_FILE", pass->form->filename);
}
