/* metrics.c - counting at the end of each request, and showing; see metrics.h. */
#include "httpd/private.h"
#include "httpd/metrics.h"

#include <apr_optional_hooks.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <mod_status.h>
#include <string.h>

#include "core/meter.h"
#include "core/seam.h"
#include "httpd/config.h"
#include "httpd/crowd.h"
#include "httpd/guard_state.h"

#define METRICS_HANDLER "pypitoken-metrics"
#define METRICS_KEY     "pypitoken-metrics"

/* What outlives a configuration. */
typedef struct metrics_retained_t {
    void *memory;
    apr_size_t size;
} metrics_retained_t;

/* ---- start ---- */

static meter_t *metrics_share(server_rec *s)
{
    metrics_retained_t *kept = ap_retained_data_get(METRICS_KEY);
    meter_t *m = kept && kept->memory ? meter_map(kept->memory, kept->size) : NULL;
    apr_shm_t *shm;
    apr_status_t rv;

    if (m) {
        return m;
    }
    if (!kept) {
        kept = ap_retained_data_create(METRICS_KEY, sizeof(*kept));
    }
    rv = apr_shm_create(&shm, meter_size(), NULL, s->process->pool);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, "pypitoken: no shared memory");
        return NULL;
    }
    kept->memory = apr_shm_baseaddr_get(shm);
    kept->size = meter_size();
    return meter_make(kept->memory, seam_system.now());
}

static int metrics_configured(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                              server_rec *main_server)
{
    meter_t *m;
    server_rec *s;

    (void)pconf;
    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    m = metrics_share(main_server);
    if (!m) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    for (s = main_server; s; s = s->next) {
        config_server(s)->meter = m;
    }
    return OK;
}

/* ---- counting ---- */

void metrics_store(void *baton, store_went_t went, apr_interval_time_t took)
{
    static const meter_store_t ends[] = {METER_DONE, METER_FAILED, METER_SHUT};
    meter_t *m = config_server(baton)->meter;

    if (m) {
        meter_store(m, ends[went], took, seam_system.now());
    }
}

static void metrics_upload(meter_t *m, request_rec *r, const guard_state_t *g)
{
    request_rec *last = r;

    while (last->next && ap_is_HTTP_SUCCESS(last->status)) {
        last = last->next;
    }
    meter_upload(m,
                 ap_is_HTTP_SUCCESS(last->status)        ? METER_ARRIVED
                 : ap_is_HTTP_CLIENT_ERROR(last->status) ? METER_REFUSED
                                                         : METER_UNKNOWN,
                 spool_length(g->spool));
}

/* Whoever decided something has left its word in the environment: of requests that became others
 * inside httpd the last one's counts. */
static int metrics_logged(request_rec *r)
{
    meter_t *m = config_server(r->server)->meter;
    const guard_state_t *g = ap_get_module_config(r->request_config, &pypitoken_module);
    const char *word = NULL, *own;
    request_rec *at;

    for (at = r; m && at; at = at->next) {
        own = apr_table_get(at->subprocess_env, "PYPITOKEN_VERDICT");
        word = own ? own : word;
    }
    if (word) {
        meter_verdict(m, verdict_of_word(word));
    }
    if (m && g && g->spool) {
        if (g->stage == GUARD_ALLOWED) {
            metrics_upload(m, r, g);
        }
        if (spool_filed(g->spool)) {
            meter_spooled(m, spool_length(g->spool));
        }
    }
    return DECLINED;
}

/* ---- showing ---- */

static meter_gauges_t metrics_gauges(request_rec *r)
{
    meter_gauges_t g = {0};

    g.spools = crowd_taken(r, CROWD_SPOOL, &g.spools_max);
    g.drains = crowd_taken(r, CROWD_DRAIN, &g.drains_max);
    return g;
}

static int metrics_handler(request_rec *r)
{
    meter_t *m = config_server(r->server)->meter;
    meter_gauges_t gauges;

    if (!r->handler || strcmp(r->handler, METRICS_HANDLER) != 0 || !m) {
        return DECLINED;
    }
    r->allowed |= AP_METHOD_BIT << M_GET;
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    gauges = metrics_gauges(r);
    ap_set_content_type(r, "text/plain; version=0.0.4; charset=utf-8");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (!r->header_only) {
        ap_rputs(meter_text(m, &gauges, r->pool), r);
    }
    return OK;
}

/* One row of the section in mod_status' page, or one line of its ?auto. */
static void metrics_row(request_rec *r, int brief, const char *key, const char *words,
                        const char *value)
{
    if (brief) {
        ap_rprintf(r, "PyPIToken%s: %s\n", key, value);
    } else {
        ap_rprintf(r, "<dt>%s: %s</dt>\n", words, value);
    }
}

static int metrics_status(request_rec *r, int flags)
{
    meter_t *m = config_server(r->server)->meter;
    int brief = (flags & AP_STATUS_SHORT) != 0;
    meter_gauges_t g;
    meter_summary_t s;

    if (!m) {
        return DECLINED;
    }
    g = metrics_gauges(r);
    meter_summary(m, &s);
    if (!brief) {
        ap_rputs("<hr />\n<h1>mod_pypitoken</h1>\n<dl>\n", r);
    }
    metrics_row(
        r, brief, "Decided", "Requests decided, of these allowed",
        apr_psprintf(r->pool, "%" APR_INT64_T_FMT " %" APR_INT64_T_FMT, s.decided, s.allowed));
    metrics_row(r, brief, "Uploads", "Uploads arrived, refused by the back end, unknown",
                apr_psprintf(r->pool, "%" APR_INT64_T_FMT " %" APR_INT64_T_FMT " %" APR_INT64_T_FMT,
                             s.uploads[METER_ARRIVED], s.uploads[METER_REFUSED],
                             s.uploads[METER_UNKNOWN]));
    metrics_row(r, brief, "Bytes", "Bytes of uploads",
                apr_psprintf(r->pool, "%" APR_INT64_T_FMT, s.bytes));
    metrics_row(r, brief, "Spools", "Uploads being read, of at most",
                apr_psprintf(r->pool, "%d %d", g.spools, g.spools_max));
    metrics_row(r, brief, "SpoolFiles", "Bodies that went to a file",
                apr_psprintf(r->pool, "%" APR_INT64_T_FMT, s.spooled));
    metrics_row(r, brief, "Store", "Database",
                s.breaker_open ? "left alone after failures"
                : s.store_up   ? "up"
                               : "down");
    if (!brief) {
        ap_rputs("</dl>\n", r);
    }
    return OK;
}

void metrics_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_post_config(metrics_configured, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(metrics_logged, NULL, NULL, APR_HOOK_LAST);
    ap_hook_handler(metrics_handler, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ap, status_hook, metrics_status, NULL, NULL, APR_HOOK_MIDDLE);
}
