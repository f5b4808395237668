/*
 * index.c - SetHandler pypi-index: hooks and dispatch; see index.h.
 *
 * GET of a listing is ours (index_page.c), GET of a file is handed to httpd's default handler with
 * the file as r->filename, so that ranges, conditions, ETag and sendfile are httpd's own. A POST
 * that the guard let pass is stored (index_store.c).
 */
#include "httpd/private.h"
#include "httpd/index.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "httpd/config.h"
#include "httpd/denial.h"
#include "httpd/guard.h"
#include "httpd/index_disk.h"
#include "httpd/index_page.h"
#include "httpd/index_path.h"
#include "httpd/index_store.h"

#define INDEX_HANDLER "pypi-index"

static int index_ours(request_rec *r)
{
    return r->handler && strcmp(r->handler, INDEX_HANDLER) == 0;
}

/* ---- fixups: a file goes to the default handler ---- */

static int index_regular(apr_finfo_t *info, const char *path, apr_filetype_e type, apr_pool_t *pool)
{
    return apr_stat(info, path, APR_FINFO_MIN | APR_FINFO_LINK, pool) == APR_SUCCESS &&
           info->filetype == type;
}

/* 1 when the path names a file that may be served; r is the default handler's then. */
static int index_serve(request_rec *r, const char *packages, const index_path_t *path)
{
    const char *dir = apr_pstrcat(r->pool, packages, "/", path->project, NULL);
    const char *file = apr_pstrcat(r->pool, dir, "/", path->file, NULL);
    apr_finfo_t dir_info, info;

    if (!index_regular(&dir_info, dir, APR_DIR, r->pool) ||
        !index_regular(&info, file, APR_REG, r->pool)) {
        return 0;
    }
    r->filename = r->canonical_filename = apr_pstrdup(r->pool, file);
    r->finfo = info;
    r->path_info = NULL;
    r->handler = "default-handler";
    /* mod_mime saw "gz" or "whl" in the URL; an archive is sent as it is, never "decoded" */
    ap_set_content_type(r, "application/octet-stream");
    r->content_encoding = NULL;
    r->content_languages = NULL;
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    return 1;
}

static int index_fixups(request_rec *r)
{
    const config_dir_t *c = config_dir(r);
    index_path_t path;

    if (!index_ours(r) || r->method_number != M_GET || c->guard == 1 || !c->packages) {
        return DECLINED;
    }
    index_path_parse(&path, c->packages_base, r->uri, r->pool);
    if (path.kind != INDEX_PATH_FILE || !index_serve(r, c->packages, &path)) {
        /* what the document root has under this URL is not ours: mod_dir must not look at it */
        r->finfo.filetype = APR_NOFILE;
        r->path_info = NULL;
    }
    return DECLINED;
}

/* ---- the handler ---- */

static int index_move(request_rec *r, const char *to)
{
    const char *url = ap_construct_url(r->pool, ap_escape_uri(r->pool, to), r);

    if (r->args) {
        url = apr_pstrcat(r->pool, url, "?", r->args, NULL);
    }
    apr_table_setn(r->headers_out, "Location", url);
    return HTTP_MOVED_PERMANENTLY;
}

static int index_get(request_rec *r, const config_dir_t *c)
{
    index_path_t path;

    index_path_parse(&path, c->packages_base, r->uri, r->pool);
    switch (path.kind) {
    case INDEX_PATH_ROOT:
        return index_page_projects(r, c->packages);
    case INDEX_PATH_PROJECT:
        return index_page_files(r, c->packages, path.project);
    case INDEX_PATH_MOVED:
        return index_move(r, path.move);
    case INDEX_PATH_FILE: /* fixups would have taken one that is there */
    case INDEX_PATH_NONE:
        break;
    }
    return HTTP_NOT_FOUND;
}

static int index_refuse(request_rec *r, verdict_code_t code, const char *log)
{
    verdict_t v;

    verdict_set(&v, code, slice_of(NULL), r->pool);
    v.log = log;
    return denial_send(r, &v);
}

static int index_post(request_rec *r, const config_dir_t *c)
{
    const guard_pass_t *pass = r->main ? NULL : guard_taken(r);

    if (!pass) {
        return index_refuse(r, VERDICT_METHOD, "nothing is stored that no guard has passed");
    }
    if (!c->packages) {
        return index_refuse(r, VERDICT_INTERNAL, "PyPITokenPackages is not set here");
    }
    return index_store(r, pass, c->packages);
}

static int index_handler(request_rec *r)
{
    const config_dir_t *c;

    if (!index_ours(r)) {
        return DECLINED;
    }
    c = config_dir(r);
    if (r->method_number == M_POST) {
        return index_post(r, c);
    }
    if (r->method_number == M_GET && c->guard == 1) {
        return DECLINED; /* the guard's own page */
    }
    if (r->method_number != M_GET) {
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, -1);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    if (!c->packages) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "pypitoken: SetHandler " INDEX_HANDLER " needs PyPITokenPackages here");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return index_get(r, c);
}

/* ---- a child starts ---- */

static void index_tidy(const ap_conf_vector_t *section)
{
    const config_dir_t *c = section ? ap_get_module_config(section, &pypitoken_module) : NULL;

    if (c && c->packages) {
        index_disk_tidy(c->packages);
    }
}

/* Temporaries of processes that were killed go when a process takes their place. It is the child
 * that removes them, not the parent: root has no business in a directory that others write. */
static void index_child(apr_pool_t *p, server_rec *s)
{
    (void)p;
    if (sodium_init() < 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "pypitoken: libsodium does not start");
    }
    for (; s; s = s->next) {
        const core_server_config *core = ap_get_core_module_config(s->module_config);
        int i;

        index_tidy(s->lookup_defaults);
        for (i = 0; i < core->sec_url->nelts; i++) {
            index_tidy(APR_ARRAY_IDX(core->sec_url, i, ap_conf_vector_t *));
        }
        for (i = 0; i < core->sec_dir->nelts; i++) {
            index_tidy(APR_ARRAY_IDX(core->sec_dir, i, ap_conf_vector_t *));
        }
    }
}

void index_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_fixups(index_fixups, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(index_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(index_child, NULL, NULL, APR_HOOK_MIDDLE);
}
