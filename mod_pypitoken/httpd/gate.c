/* gate.c - which requests may carry a form at all; see gate.h. */
#include "httpd/private.h"
#include "httpd/gate.h"

#include <apr_strings.h>
#include <string.h>

#include "core/multipart.h"

/* Headers with which a client may make a back end see another request than we did. */
static const char *const gate_refused[] = {"X-HTTP-Method-Override",
                                           "X-HTTP-Method",
                                           "X-Method-Override",
                                           "X-Original-URL",
                                           "X-Rewrite-URL",
                                           "X-Original-Method",
                                           NULL};

/* The path as it came over the wire: httpd normalises r->parsed_uri and r->uri, a proxy with
 * nocanon does not. */
static slice_t gate_wire_path(request_rec *r)
{
    slice_t uri = slice_of(r->unparsed_uri);
    apr_size_t n = 0;

    if (uri.n && uri.p[0] != '/') {
        const char *host = strstr(uri.p, "://");
        const char *path = host ? strchr(host + 3, '/') : NULL;

        uri = slice_of(path);
    }
    while (n < uri.n && uri.p[n] != '?' && uri.p[n] != '#') {
        n++;
    }
    return slice_make(uri.p, n);
}

int gate_exact(request_rec *r, const char *path)
{
    return path && strcmp(r->uri, path) == 0 && slice_is(gate_wire_path(r), path);
}

/* Any other token makes a proxy drop the header it names. An offer to go on in HTTP/2, as some
 * clients make it, names two headers that end here anyway. */
static int gate_connection(slice_t value)
{
    static const char *const words[] = {"close", "keep-alive", "upgrade", "http2-settings", NULL};
    int i;

    while (value.n) {
        const char *comma = memchr(value.p, ',', value.n);
        apr_size_t n = comma ? (apr_size_t)(comma - value.p) : value.n;
        slice_t word = slice_trim(slice_make(value.p, n));

        for (i = 0; word.n && !slice_is_nocase(word, words[i]); i++) {
            if (!words[i + 1]) {
                return 0;
            }
        }
        n += comma ? 1 : 0;
        value = slice_make(value.p + n, value.n - n);
    }
    return 1;
}

/* The first header that is not accepted, NULL if all are. */
static const char *gate_header(request_rec *r)
{
    const apr_array_header_t *all = apr_table_elts(r->headers_in);
    const apr_table_entry_t *h = (const apr_table_entry_t *)(const void *)all->elts;
    int i, k;

    for (i = 0; i < all->nelts; i++) {
        if (strchr(h[i].key, '_')) {
            return h[i].key;
        }
        if (strcasecmp(h[i].key, "Connection") == 0 && !gate_connection(slice_of(h[i].val))) {
            return h[i].key;
        }
        for (k = 0; gate_refused[k]; k++) {
            if (strcasecmp(h[i].key, gate_refused[k]) == 0) {
                return h[i].key;
            }
        }
    }
    return NULL;
}

/* Chunked alone, and not from HTTP/1.0, which has no chunks: whoever stands between may have taken
 * the body for something else (RFC 9112, 6.1). */
static int gate_chunked(request_rec *r, const char *te)
{
    return strcasecmp(te, "chunked") == 0 && r->proto_num >= HTTP_VERSION(1, 1);
}

static verdict_code_t gate_length(request_rec *r, apr_off_t max_upload, verdict_t *v)
{
    const char *te = apr_table_get(r->headers_in, "Transfer-Encoding");
    const char *cl = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t length;
    char *end;

    if (te) {
        return gate_chunked(r, te)
                   ? VERDICT_ALLOWED
                   : verdict_set(v, VERDICT_TRANSFER_ENCODING, slice_of(NULL), r->pool);
    }
    if (!cl) {
        return verdict_set(v, VERDICT_LENGTH_REQUIRED, slice_of(NULL), r->pool);
    }
    if (apr_strtoff(&length, cl, &end, 10) != APR_SUCCESS || *end || length > max_upload) {
        return verdict_set(
            v, VERDICT_UPLOAD_TOO_LARGE,
            slice_of(apr_psprintf(r->pool, "the %" APR_OFF_T_FMT " bytes", max_upload)), r->pool);
    }
    return VERDICT_ALLOWED;
}

verdict_code_t gate_check(request_rec *r, apr_off_t max_upload, slice_t *boundary, verdict_t *v)
{
    const char *bad;
    verdict_code_t code;

    if (r->args) {
        return verdict_set(v, VERDICT_QUERY, slice_of(NULL), r->pool);
    }
    bad = gate_header(r);
    if (bad) {
        return verdict_set(v, VERDICT_HEADER_REFUSED, slice_of(bad), r->pool);
    }
    if (apr_table_get(r->headers_in, "Content-Encoding")) {
        return verdict_set(v, VERDICT_CONTENT_ENCODING, slice_of(NULL), r->pool);
    }
    code = gate_length(r, max_upload, v);
    if (code != VERDICT_ALLOWED) {
        return code;
    }
    code = multipart_boundary(slice_of(apr_table_get(r->headers_in, "Content-Type")), boundary);
    return code == VERDICT_ALLOWED ? code : verdict_set(v, code, slice_of(NULL), r->pool);
}
