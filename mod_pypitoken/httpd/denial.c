/*
 * denial.c - the one place where a request is refused; see denial.h.
 *
 * The answer goes out through httpd's own error path (so that "Header always", logs and keep-alive
 * work as for any error), with ap_custom_response set, which no ErrorDocument overrides; an output
 * filter then puts our body, in the type the client asked for, in the place of httpd's.
 */
#include "httpd/private.h"
#include "httpd/denial.h"
#include "httpd/config.h"

#include <apr_strings.h>
#include <jansson.h>
#include <util_filter.h>

#include "core/accept.h"
#include "httpd/crowd.h"
#include "httpd/intake.h"

#define DENIAL_FILTER "PYPITOKEN_DENIAL"
#define DENIAL_RETRY  30u /* seconds, where the verdict does not say */
#define DENIAL_READ   65536
/* A body up to this length is taken in before the answer. */
#define DENIAL_SHORT ((apr_off_t)256 * 1024)
#define DENIAL_KEY   "pypitoken-denial"

static const char *const denial_types[] = {"text/html", "application/json", "text/plain"};

typedef struct denial_t {
    const char *type, *body;
    int sent;
    apr_off_t drain; /* how much of the body to read once the answer is out */
} denial_t;

static denial_t *denial_of(request_rec *r)
{
    void *d = NULL;

    apr_pool_userdata_get(&d, DENIAL_KEY, r->pool);
    return d;
}

static const char *denial_html(request_rec *r, const char *line)
{
    const char *text = ap_escape_html(r->pool, line);

    return apr_pstrcat(r->pool, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>", text,
                       "</title></head>\n<body><h1>", text, "</h1></body></html>\n", NULL);
}

static const char *denial_json(request_rec *r, const verdict_t *v, int status, const char *line)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s}", "code", line, "message", verdict_sentence(v, r->pool),
                  "title", ap_get_status_line(status) + 4, "verdict", verdict_word(v->code));
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    const char *body = apr_pstrcat(r->pool, text ? text : "{}", "\n", NULL);

    free(text);
    json_decref(o);
    return body;
}

/* line: "403 Sentence." as it stands in status line, title and JSON. */
static denial_t *denial_body(request_rec *r, const verdict_t *v, int status, const char *line)
{
    denial_t *d = apr_pcalloc(r->pool, sizeof(*d));
    int k = accept_choose(slice_of(apr_table_get(r->headers_in, "Accept")), denial_types, 3);

    d->type = denial_types[k < 0 ? 0 : k];
    d->body = k == 1   ? denial_json(r, v, status, line)
              : k == 2 ? apr_pstrcat(r->pool, line, "\n", NULL)
                       : denial_html(r, line);
    return d;
}

/* ---- what a verdict brings besides its sentence ---- */

static void denial_challenge(request_rec *r, const verdict_t *v)
{
    const char *realm = ap_auth_name(r);

    (void)v;
    realm = realm ? realm : config_service(r->server);
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   apr_psprintf(r->pool, "Basic realm=\"%s\", charset=\"UTF-8\"",
                                ap_escape_quotes(r->pool, realm)));
}

static void denial_allow(request_rec *r, const verdict_t *v)
{
    (void)v;
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_POST, -1);
}

static void denial_retry(request_rec *r, const verdict_t *v)
{
    apr_table_setn(r->err_headers_out, "Retry-After",
                   apr_psprintf(r->pool, "%u", v->retry_after > 0 ? v->retry_after : DENIAL_RETRY));
}

typedef struct denial_kind_t {
    int code;   /* verdict_code_t, or DENIAL_ANY */
    int status; /* looked at for DENIAL_ANY only */
    int level;
    const char *word; /* how the log line begins */
    void (*headers)(request_rec *r, const verdict_t *v);
} denial_kind_t;

#define DENIAL_ANY     (-1)
#define DENIAL_REFUSED "refused"
#define DENIAL_UNABLE  "unable"

/* The first row that fits. Trouble of ours is an error, too much to do a warning, a refusal a
 * notice, a stray visitor not worth either. */
static const denial_kind_t denial_kinds[] = {
    {VERDICT_BUSY, 0, APLOG_WARNING, DENIAL_UNABLE, denial_retry},
    {VERDICT_BACKEND, 0, APLOG_NOTICE, DENIAL_UNABLE, NULL}, /* who failed has said so itself */
    {DENIAL_ANY, HTTP_UNAUTHORIZED, APLOG_INFO, DENIAL_REFUSED, denial_challenge},
    {DENIAL_ANY, HTTP_NOT_FOUND, APLOG_INFO, DENIAL_REFUSED, NULL},
    {DENIAL_ANY, HTTP_METHOD_NOT_ALLOWED, APLOG_INFO, DENIAL_REFUSED, denial_allow},
    {DENIAL_ANY, HTTP_TOO_MANY_REQUESTS, APLOG_NOTICE, DENIAL_REFUSED, denial_retry},
    {DENIAL_ANY, HTTP_SERVICE_UNAVAILABLE, APLOG_ERR, DENIAL_UNABLE, denial_retry},
    {DENIAL_ANY, HTTP_INSUFFICIENT_STORAGE, APLOG_ERR, DENIAL_UNABLE, NULL},
    {DENIAL_ANY, HTTP_INTERNAL_SERVER_ERROR, APLOG_ERR, DENIAL_UNABLE, NULL},
    {DENIAL_ANY, DENIAL_ANY, APLOG_NOTICE, DENIAL_REFUSED, NULL}};

static const denial_kind_t *denial_kind(const verdict_t *v, int status)
{
    const denial_kind_t *k = denial_kinds;

    while (k->code == DENIAL_ANY ? k->status != status && k->status != DENIAL_ANY
                                 : k->code != (int)v->code) {
        k++;
    }
    return k;
}

/* ---- what is left of the body ---- */

/* Reads up to cap bytes of what is left of the body and throws them away; 1 when its end came. */
static int denial_read(request_rec *r, apr_off_t cap)
{
    intake_t in;
    apr_bucket *b;
    int eos = 0;

    intake_begin(&in, r);
    while (!eos && cap > 0 && intake_read(&in, DENIAL_READ) == OK) {
        for (b = APR_BRIGADE_FIRST(in.bb); b != APR_BRIGADE_SENTINEL(in.bb);
             b = APR_BUCKET_NEXT(b)) {
            eos = eos || APR_BUCKET_IS_EOS(b);
            cap -= APR_BUCKET_IS_METADATA(b) ? 0 : (apr_off_t)b->length;
        }
    }
    intake_end(&in);
    return eos;
}

/* 1 when the body is short, so that it is on its way already. */
static int denial_short(request_rec *r)
{
    const char *text = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t length;
    char *end;

    return text && apr_strtoff(&length, text, &end, 10) == APR_SUCCESS && !*end &&
           length <= DENIAL_SHORT;
}

/* Clients read the answer when they have sent everything (those on Python's ssl never otherwise),
 * so what is left of the body is always read to its end, within PyPITokenDrain:
 *  - a short one first, and the connection lives on;
 *  - any one first over HTTP/2, where answer and reset in one read lose the answer;
 *  - a long one after the answer is out, so that clients that look may stop, and then we close;
 *  - none when the client waits for 100 Continue: it sends nothing;
 *  - none when there is a crowd: the answer, then httpd's lingering close, which takes no worker.
 */
static void denial_drain(request_rec *r, denial_t *d)
{
    apr_off_t cap = config_drain(config_dir(r));
    int brief = denial_short(r);

    if (r->main || !ap_request_has_body(r)) {
        return;
    }
    if (r->expecting_100 || (!brief && !crowd_enter(r, CROWD_DRAIN))) {
        r->connection->keepalive = AP_CONN_CLOSE;
    } else if (!brief && !r->connection->master) {
        r->connection->keepalive = AP_CONN_CLOSE;
        d->drain = cap;
    } else if (!denial_read(r, brief ? DENIAL_SHORT : cap)) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
}

/* Neither an ErrorDocument nor anything else gets at the credentials or takes the body for its own.
 * httpd's reader of bodies looks at these headers when it is first asked, so they stay until a
 * drain that is still to come. */
static void denial_strip(request_rec *r, const denial_t *d)
{
    apr_table_unset(r->headers_in, "Authorization");
    apr_table_unset(r->headers_in, "Expect");
    if (!d->drain) {
        apr_table_unset(r->headers_in, "Content-Length");
        apr_table_unset(r->headers_in, "Transfer-Encoding");
    }
}

int denial_send_as(request_rec *r, const verdict_t *v, int status)
{
    const denial_kind_t *kind = denial_kind(v, status);
    const char *line = apr_psprintf(r->pool, "%d %s", status, verdict_sentence(v, r->pool));
    denial_t *d = denial_body(r, v, status, line);

    ap_log_rerror(APLOG_MARK, kind->level, 0, r, "pypitoken: %s, %s", kind->word,
                  verdict_logline(v, r->pool));
    apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(v->code));
    denial_drain(r, d);
    denial_strip(r, d);
    if (kind->headers) {
        kind->headers(r, v);
    }
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    r->status_line = line;
    ap_custom_response(r, status, denial_html(r, line));
    apr_pool_userdata_setn(d, DENIAL_KEY, NULL, r->pool);
    return status;
}

int denial_send(request_rec *r, const verdict_t *v)
{
    return denial_send_as(r, v, verdict_status(v->code));
}

int denial_sent(request_rec *r)
{
    return denial_of(r) != NULL;
}

/* httpd is about to write its own error body: ours goes in its place. */
static void denial_insert(request_rec *r)
{
    denial_t *d = denial_of(r);

    if (d) {
        ap_add_output_filter(DENIAL_FILTER, d, r, r->connection);
    }
}

/* httpd's own words go, ours come once. Returns 1 when the brigade ends the answer. */
static int denial_swap(ap_filter_t *f, denial_t *d, apr_bucket_brigade *bb)
{
    apr_bucket *b, *next;
    int eos = 0;

    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = next) {
        next = APR_BUCKET_NEXT(b);
        eos = eos || APR_BUCKET_IS_EOS(b);
        if (!APR_BUCKET_IS_METADATA(b)) {
            apr_bucket_delete(b);
        }
    }
    if (!d->sent) {
        d->sent = 1;
        ap_set_content_type(f->r, d->type);
        /* what another module wanted to redirect to */
        apr_table_unset(f->r->headers_out, "Location");
        b = apr_bucket_immortal_create(d->body, strlen(d->body), f->c->bucket_alloc);
        APR_BRIGADE_INSERT_HEAD(bb, b);
    }
    return eos;
}

static apr_status_t denial_filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    denial_t *d = f->ctx;
    apr_off_t drain = d->drain;
    apr_status_t rv;

    if (!denial_swap(f, d, bb) || !drain) {
        return ap_pass_brigade(f->next, bb);
    }
    d->drain = 0;
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(f->c->bucket_alloc));
    rv = ap_pass_brigade(f->next, bb);
    if (rv == APR_SUCCESS) {
        (void)denial_read(f->r, drain);
    }
    return rv;
}

void denial_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_insert_error_filter(denial_insert, NULL, NULL, APR_HOOK_FIRST);
    ap_register_output_filter(DENIAL_FILTER, denial_filter, NULL, AP_FTYPE_RESOURCE);
}
