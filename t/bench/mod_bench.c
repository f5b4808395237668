/*
 * mod_bench.c - the handler that all variants of a measurement have in common.
 *
 *   SetHandler bench-sink    reads the body to its end, keeps nothing, answers "ok"
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <string.h>

#include <apr_buckets.h>
#include <util_filter.h>

#define BENCH_READ 65536

extern module AP_MODULE_DECLARE_DATA bench_module __attribute__((visibility("default")));

/* Reads each byte's bucket, as whoever wants the bytes must. */
static int bench_body(request_rec *r, apr_bucket_brigade *bb)
{
    apr_bucket *b;
    int eos = 0;

    while (!eos) {
        if (ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, BENCH_READ) !=
            APR_SUCCESS) {
            return HTTP_BAD_REQUEST;
        }
        while (!eos && !APR_BRIGADE_EMPTY(bb)) {
            const char *p;
            apr_size_t n;

            b = APR_BRIGADE_FIRST(bb);
            eos = APR_BUCKET_IS_EOS(b);
            if (!APR_BUCKET_IS_METADATA(b) &&
                apr_bucket_read(b, &p, &n, APR_BLOCK_READ) != APR_SUCCESS) {
                return HTTP_BAD_REQUEST;
            }
            apr_bucket_delete(b);
        }
        apr_brigade_cleanup(bb);
    }
    return OK;
}

static int bench_sink(request_rec *r)
{
    int status;

    if (!r->handler || strcmp(r->handler, "bench-sink") != 0) {
        return DECLINED;
    }
    status = bench_body(r, apr_brigade_create(r->pool, r->connection->bucket_alloc));
    if (status == OK) {
        ap_set_content_type(r, "text/plain");
        ap_rputs("ok\n", r);
    }
    return status;
}

static void bench_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(bench_sink, NULL, NULL, APR_HOOK_FIRST);
}

module AP_MODULE_DECLARE_DATA bench_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, bench_register, AP_MODULE_FLAG_NONE};
