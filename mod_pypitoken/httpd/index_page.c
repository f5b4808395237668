/* index_page.c - lists projects and files in HTML and JSON; see index_page.h. */
#include "httpd/private.h"
#include "httpd/index_page.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/accept.h"
#include "httpd/index_list.h"

#define INDEX_PAGE_HTML "application/vnd.pypi.simple.v1+html"
#define INDEX_PAGE_JSON "application/vnd.pypi.simple.v1+json"
#define INDEX_PAGE_ETAG 16 /* bytes of the page's hash in its ETag */

/* What may be asked for, and what is sent then. Order decides where the client has no preference:
 * a browser and a bare curl get text/html. */
static const char *const index_page_accept[] = {"text/html", INDEX_PAGE_JSON, INDEX_PAGE_HTML,
                                                "application/vnd.pypi.simple.latest+json",
                                                "application/vnd.pypi.simple.latest+html"};
static const struct {
    const char *type;
    int json;
} index_page_types[] = {{"text/html; charset=utf-8", 0},
                        {INDEX_PAGE_JSON, 1},
                        {INDEX_PAGE_HTML, 0},
                        {INDEX_PAGE_JSON, 1},
                        {INDEX_PAGE_HTML, 0}};

/* ---- HTML ---- */

typedef struct index_page_text_t {
    apr_pool_t *pool;
    apr_array_header_t *pieces; /* const char * */
} index_page_text_t;

static void index_page_add(index_page_text_t *t, const char *piece)
{
    APR_ARRAY_PUSH(t->pieces, const char *) = piece;
}

static void index_page_head(index_page_text_t *t, const char *title)
{
    index_page_add(t,
                   apr_pstrcat(t->pool,
                               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                               "<meta charset=\"utf-8\">\n"
                               "<meta name=\"pypi:repository-version\" content=\"1.0\">\n"
                               "<title>",
                               title, "</title>\n</head>\n<body>\n<h1>", title, "</h1>\n", NULL));
}

static void index_page_html_project(index_page_text_t *t, const void *entry)
{
    const char *name = *(const char *const *)entry;

    index_page_add(t, apr_pstrcat(t->pool, "<a href=\"", name, "/\">", name, "</a><br>\n", NULL));
}

static void index_page_html_file(index_page_text_t *t, const void *entry)
{
    const index_list_file_t *f = entry;
    const char *requires = "";

    if (*f->meta.requires_python) {
        requires = apr_pstrcat(t->pool, " data-requires-python=\"",
                               ap_escape_html(t->pool, f->meta.requires_python), "\"", NULL);
    }
    /* the alphabet of file names needs no escaping, neither in HTML nor as a relative URL */
    index_page_add(t, apr_pstrcat(t->pool, "<a href=\"", f->name, "#sha256=", f->meta.sha256, "\"",
                                  requires, ">", f->name, "</a><br>\n", NULL));
}

static const char *index_page_html(const index_list_t *list, const char *project, apr_pool_t *pool)
{
    index_page_text_t t = {pool, apr_array_make(pool, list->entries->nelts + 2, sizeof(char *))};
    int i;

    index_page_head(&t, project ? apr_pstrcat(pool, "Files of ", project, NULL) : "Projects");
    for (i = 0; i < list->entries->nelts; i++) {
        const void *entry = list->entries->elts + (apr_size_t)(i * list->entries->elt_size);

        (project ? index_page_html_file : index_page_html_project)(&t, entry);
    }
    index_page_add(&t, "</body>\n</html>\n");
    return apr_array_pstrcat(pool, t.pieces, 0);
}

/* ---- JSON ---- */

static json_t *index_page_json_file(const index_list_file_t *f, apr_pool_t *pool)
{
    char when[40];
    apr_size_t n = 0;
    apr_time_exp_t at;
    json_t *o;

    apr_time_exp_gmt(&at, apr_time_from_sec(f->meta.uploaded));
    apr_strftime(when, &n, sizeof(when), "%Y-%m-%dT%H:%M:%S.000000Z", &at);
    o = json_pack("{s:s, s:s, s:{s:s}, s:I, s:s}", "filename", f->name, "url",
                  apr_pstrcat(pool, f->name, NULL), "hashes", "sha256", f->meta.sha256, "size",
                  (json_int_t)f->meta.size, "upload-time", when);
    if (o && *f->meta.requires_python) {
        json_object_set_new(o, "requires-python", json_string(f->meta.requires_python));
    }
    return o;
}

static int index_page_by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each version once, sorted as text: PEP 700 wants no order, but a page must not change by itself.
 */
static json_t *index_page_json_versions(const index_list_t *list, apr_pool_t *pool)
{
    const index_list_file_t *files = (const index_list_file_t *)(const void *)list->entries->elts;
    apr_size_t n = (apr_size_t)list->entries->nelts, i;
    const char **all = apr_palloc(pool, (n + 1) * sizeof(*all));
    json_t *out = json_array();

    for (i = 0; i < n; i++) {
        all[i] = files[i].version;
    }
    qsort(all, n, sizeof(*all), index_page_by_text);
    for (i = 0; i < n; i++) {
        if (i == 0 || strcmp(all[i], all[i - 1]) != 0) {
            json_array_append_new(out, json_string(all[i]));
        }
    }
    return out;
}

static const char *index_page_json(const index_list_t *list, const char *project, apr_pool_t *pool)
{
    json_t *entries = json_array(), *o;
    const char *page = NULL;
    char *text;
    int i;

    for (i = 0; i < list->entries->nelts; i++) {
        json_array_append_new(
            entries,
            project
                ? index_page_json_file(&APR_ARRAY_IDX(list->entries, i, index_list_file_t), pool)
                : json_pack("{s:s}", "name", APR_ARRAY_IDX(list->entries, i, const char *)));
    }
    o = project
            ? json_pack("{s:{s:s}, s:s, s:o, s:o}", "meta", "api-version", "1.1", "name", project,
                        "versions", index_page_json_versions(list, pool), "files", entries)
            : json_pack("{s:{s:s}, s:o}", "meta", "api-version", "1.1", "projects", entries);
    text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    if (text) {
        page = apr_pstrcat(pool, text, "\n", NULL);
    }
    free(text);
    json_decref(o);
    return page;
}

/* ---- the answer ---- */

/* Strong: a hash of the bytes and their type, so two representations never share one. */
static const char *index_page_etag(const char *page, apr_size_t n, const char *type,
                                   apr_pool_t *pool)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    char hex[INDEX_PAGE_ETAG * 2 + 1];
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)type, strlen(type) + 1);
    crypto_hash_sha256_update(&state, (const unsigned char *)page, n);
    crypto_hash_sha256_final(&state, sum);
    sodium_bin2hex(hex, sizeof(hex), sum, INDEX_PAGE_ETAG);
    return apr_pstrcat(pool, "\"", hex, "\"", NULL);
}

static int index_page_send(request_rec *r, const index_list_t *list, const char *project)
{
    int k = accept_choose(slice_of(apr_table_get(r->headers_in, "Accept")), index_page_accept,
                          sizeof(index_page_accept) / sizeof(*index_page_accept));
    const char *type = index_page_types[k < 0 ? 0 : k].type, *page;
    apr_size_t n;
    int status;

    page = index_page_types[k < 0 ? 0 : k].json ? index_page_json(list, project, r->pool)
                                                : index_page_html(list, project, r->pool);
    if (!page) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "pypitoken: a listing could not be rendered");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    n = strlen(page);
    ap_set_content_type(r, type);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    /* no cache may guess from Last-Modified for how long a file just uploaded is not there */
    apr_table_setn(r->headers_out, "Cache-Control", "max-age=0, must-revalidate");
    apr_table_setn(r->headers_out, "ETag", index_page_etag(page, n, type, r->pool));
    ap_update_mtime(r, apr_time_from_sec(list->newest));
    ap_set_last_modified(r);
    status = ap_meets_conditions(r);
    if (status != OK) {
        return status;
    }
    ap_set_content_length(r, (apr_off_t)n);
    if (!r->header_only) {
        ap_rwrite(page, (int)n, r);
    }
    return OK;
}

/* A list that could not be made: missing things are 404, the rest is the operator's to know. */
static int index_page_failed(request_rec *r, apr_status_t rv, const char *packages,
                             const char *project)
{
    if (project && (APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ENOTDIR(rv) || rv == ELOOP)) {
        return HTTP_NOT_FOUND;
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, rv, r, "pypitoken: cannot list %s/%s", packages,
                  project ? project : "");
    return HTTP_INTERNAL_SERVER_ERROR;
}

int index_page_projects(request_rec *r, const char *packages)
{
    index_list_t list;
    apr_status_t rv = index_list_projects(&list, packages, r->pool);

    return rv == APR_SUCCESS ? index_page_send(r, &list, NULL)
                             : index_page_failed(r, rv, packages, NULL);
}

int index_page_files(request_rec *r, const char *packages, const char *project)
{
    index_list_t list;
    apr_status_t rv = index_list_files(&list, packages, project, r->pool);

    return rv == APR_SUCCESS ? index_page_send(r, &list, project)
                             : index_page_failed(r, rv, packages, project);
}
