/* intake.c - reads a body and catches what httpd would answer meanwhile; see intake.h. */
#include "httpd/private.h"
#include "httpd/intake.h"

#define INTAKE_FILTER "PYPITOKEN_INTAKE"
#define INTAKE_FAILED "pypitoken-intake-failed"

void intake_begin(intake_t *in, request_rec *r)
{
    in->r = r;
    in->bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    in->caught = 0;
    in->trap = ap_add_output_filter(INTAKE_FILTER, in, r, r->connection);
}

void intake_end(intake_t *in)
{
    ap_remove_output_filter(in->trap);
    apr_brigade_destroy(in->bb);
}

/* Remembered at the request: the next reader is another one, after the answer. */
static int *intake_failed(request_rec *r)
{
    void *failed = NULL;

    apr_pool_userdata_get(&failed, INTAKE_FAILED, r->pool);
    if (!failed) {
        failed = apr_pcalloc(r->pool, sizeof(int));
        apr_pool_userdata_setn(failed, INTAKE_FAILED, NULL, r->pool);
    }
    return failed;
}

int intake_read(intake_t *in, apr_off_t n)
{
    return intake_read_below(in, in->r->input_filters, APR_BLOCK_READ, n);
}

int intake_read_below(intake_t *in, ap_filter_t *f, apr_read_type_e block, apr_off_t n)
{
    int *failed = intake_failed(in->r);
    apr_status_t rv;

    apr_brigade_cleanup(in->bb);
    if (*failed != OK) {
        return *failed;
    }
    rv = ap_get_brigade(f, in->bb, AP_MODE_READBYTES, block, n);
    if (block == APR_NONBLOCK_READ && !in->caught &&
        (APR_STATUS_IS_EAGAIN(rv) || (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(in->bb)))) {
        return DECLINED;
    }
    if (in->caught) {
        *failed = in->caught;
    } else if (rv == AP_FILTER_ERROR) {
        *failed = AP_FILTER_ERROR;
    } else if (rv != APR_SUCCESS) {
        *failed = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    }
    return *failed;
}

/* Error buckets end here, and the EOS that comes with them. So does a success that somebody
 * declares in the midst of a body: nobody can know. */
static apr_status_t intake_filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    intake_t *in = f->ctx;
    apr_bucket *b;

    if (f->r->status < HTTP_BAD_REQUEST) {
        in->caught = HTTP_BAD_REQUEST;
    }
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        if (AP_BUCKET_IS_ERROR(b)) {
            in->caught = ((ap_bucket_error *)b->data)->status;
        }
    }
    if (in->caught) {
        apr_brigade_cleanup(bb);
        return AP_FILTER_ERROR;
    }
    return ap_pass_brigade(f->next, bb);
}

void intake_register(apr_pool_t *p)
{
    (void)p;
    /* RESOURCE - 1: before everything else that looks at an answer. */
    ap_register_output_filter(INTAKE_FILTER, intake_filter, NULL, AP_FTYPE_RESOURCE - 1);
}
