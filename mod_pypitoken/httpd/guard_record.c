/* guard_record.c - what is written down about an upload; see guard_record.h. */
#include "httpd/private.h"
#include "httpd/guard_record.h"

#include <string.h>

void guard_record_event(request_rec *r, const guard_state_t *g, const char *kind,
                        store_event_t *event)
{
    const char *agent = apr_table_get(r->headers_in, "User-Agent");
    const upload_form_t *form = g->permit.form;

    memset(event, 0, sizeof(*event));
    event->at = seam_system.now();
    event->kind = kind;
    event->user = g->bearer.token.user_name;
    event->token_id = g->bearer.token.id;
    event->project = form ? form->project : NULL;
    event->file = form ? form->filename : NULL;
    event->address = r->useragent_ip;
    event->agent = agent ? slice_printable(slice_of(agent), 200, r->pool) : NULL;
    event->verdict = verdict_word(g->verdict.code);
}

/* 1 when the handler took the upload: no request of the chain of internal redirects failed. The
 * last one's status alone would not do, it may be that of an ErrorDocument. */
static int guard_record_taken(const request_rec *r)
{
    for (; r; r = r->next) {
        if (!ap_is_HTTP_SUCCESS(r->status)) {
            return 0;
        }
    }
    return 1;
}

static int guard_record_log(request_rec *r)
{
    guard_state_t *g = ap_get_module_config(r->request_config, &pypitoken_module);
    store_event_t event;
    store_t *store;

    if (!g || (g->stage != GUARD_REFUSED && g->stage != GUARD_ALLOWED)) {
        return DECLINED;
    }
    store = config_store(r->server);
    if (!store) {
        return DECLINED;
    }
    if (g->permit.project.id && g->stage == GUARD_ALLOWED) {
        (void)permit_settle(store, &g->permit, guard_record_taken(r), r->pool);
    }
    if (g->stage == GUARD_REFUSED) {
        guard_record_event(r, g, "upload-refused", &event);
        (void)store_note(store, &event);
    }
    return DECLINED;
}

/* The handler is done; the access log shows what the client sent. */
static int guard_record_headers(request_rec *r)
{
    guard_state_t *g = ap_get_module_config(r->request_config, &pypitoken_module);

    for (; g && g->headers && r; r = r->next) {
        r->headers_in = g->headers;
    }
    return DECLINED;
}

void guard_record_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_log_transaction(guard_record_headers, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(guard_record_log, NULL, NULL, APR_HOOK_LAST);
}
