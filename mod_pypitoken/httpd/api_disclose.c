/* api_disclose.c - tokens that a code host has found; see api_disclose.h. */
#include "httpd/private.h"
#include "httpd/api_disclose.h"

#include "access/disclose.h"
#include "httpd/config.h"

/* The hosts by what begins the names of their headers. */
static const struct {
    const char *id, *signature;
} api_disclose_hosts[] = {
    {"GITHUB-PUBLIC-KEY-IDENTIFIER", "GITHUB-PUBLIC-KEY-SIGNATURE"},
    {"GOSST-PUBLIC-KEY-IDENTIFIER", "GOSST-PUBLIC-KEY-SIGNATURE"},
};

/* Key and signature of this request; 0, or -1: there is not exactly one host's pair. */
static int api_disclose_headers(const request_rec *r, slice_t *id, slice_t *signature)
{
    apr_size_t i;
    int n = 0;

    for (i = 0; i < sizeof(api_disclose_hosts) / sizeof(api_disclose_hosts[0]); i++) {
        const char *key = apr_table_get(r->headers_in, api_disclose_hosts[i].id);
        const char *text = apr_table_get(r->headers_in, api_disclose_hosts[i].signature);

        if (key && text) {
            n++;
            *id = slice_of(key);
            *signature = slice_of(text);
        }
    }
    return n == 1 ? 0 : -1;
}

int api_disclose_run(api_t *a)
{
    const disclose_keys_t *keys = config_dir(a->r)->disclosure;
    slice_t id, signature;
    verdict_code_t code;
    apr_size_t n;
    verdict_t v;
    int revoked;
    char *body;

    if (!keys) {
        return api_refuse_code(a, VERDICT_API_UNKNOWN, NULL);
    }
    if (api_disclose_headers(a->r, &id, &signature) || !disclose_known(keys, id)) {
        return api_refuse_code(a, VERDICT_DISCLOSURE_SIGNATURE, NULL);
    }
    code = manage_read(a->r, DISCLOSE_BODY, &body, &n);
    if (code != VERDICT_ALLOWED) {
        return api_refuse_code(a, code, "1 MiB");
    }
    if (!disclose_signed(keys, id, signature, slice_make(body, n), a->r->pool)) {
        return api_refuse_code(a, VERDICT_DISCLOSURE_SIGNATURE, NULL);
    }
    if (!a->m->store) {
        return api_failed(a, STORE_DOWN);
    }
    code = disclose_revoke(a->m->store, slice_make(body, n), a->r->useragent_ip, &revoked, &v,
                           a->r->pool);
    if (revoked) {
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, a->r,
                      "pypitoken: %d tokens were found in public and are revoked", revoked);
    }
    return code == VERDICT_ALLOWED ? api_done(a) : api_refuse(a, &v, NULL);
}
