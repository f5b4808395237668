/*
 * mod_rude.c - an httpd module whose input filter answers by itself, in the midst of somebody
 * else's reading, as a filter may: the answer goes down the output filters, the reader gets
 * AP_FILTER_ERROR.
 *
 * X-Rude: N STATUS     after N bytes of the body, as they come over the wire, that status and a
 * line of text
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <util_filter.h>
#include <apr_strings.h>

#define RUDE_FILTER "RUDE"

typedef struct rude_t {
    apr_off_t left;
    int status;
} rude_t;

static void rude_answer(request_rec *r, int status)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    r->status = status;
    ap_set_content_type(r, "text/plain");
    apr_brigade_puts(bb, NULL, NULL, "said by mod_rude\n");
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
    ap_pass_brigade(r->output_filters, bb);
}

static apr_status_t rude_filter(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                apr_read_type_e block, apr_off_t readbytes)
{
    rude_t *rude = f->ctx;
    apr_off_t length = 0;
    apr_status_t rv;

    if (rude->left < 0) {
        return AP_FILTER_ERROR;
    }
    rv = ap_get_brigade(f->next, bb, mode, block, readbytes);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_brigade_length(bb, 0, &length);
    rude->left -= length;
    if (rude->left >= 0) {
        return APR_SUCCESS;
    }
    apr_brigade_cleanup(bb);
    rude_answer(f->r, rude->status);
    return AP_FILTER_ERROR;
}

/* PROTOCOL, and later than HTTP_IN: below it, and so below whatever stands in for the network. */
static int rude_insert(request_rec *r)
{
    const char *after = apr_table_get(r->headers_in, "X-Rude");
    rude_t *rude = apr_pcalloc(r->pool, sizeof(*rude));
    char *status;

    if (after) {
        rude->left = apr_strtoi64(after, &status, 10);
        rude->status = (int)apr_atoi64(status);
        ap_add_input_filter(RUDE_FILTER, rude, r, r->connection);
    }
    return DECLINED;
}

static void rude_hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_read_request(rude_insert, NULL, NULL, APR_HOOK_MIDDLE);
    ap_register_input_filter(RUDE_FILTER, rude_filter, NULL, AP_FTYPE_PROTOCOL);
}

module AP_MODULE_DECLARE_DATA rude_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, rude_hooks, AP_MODULE_FLAG_NONE};
