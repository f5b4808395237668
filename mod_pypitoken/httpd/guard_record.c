/* guard_record.c - what is written down about an upload; see guard_record.h. */
#include "httpd/private.h"
#include "httpd/guard_record.h"

#include <string.h>

#include "httpd/guard_body.h"

static void guard_record_event(request_rec *r, const guard_state_t *g, const char *kind,
                               store_event_t *event)
{
    const char *agent = apr_table_get(r->headers_in, "User-Agent");
    const upload_form_t *form = g->permit.form;

    memset(event, 0, sizeof(*event));
    event->at = seam_system.now();
    event->kind = kind;
    event->user = g->bearer.token.user_name;
    event->token_id = g->bearer.token.id;
    if (form) {
        event->project = form->project;
        event->file = form->filename;
    } else if (g->body && g->body->upload) { /* refused before scope and role were asked for */
        upload_told(g->body->upload, &event->project, &event->file);
    }
    event->address = r->useragent_ip;
    event->agent = agent ? slice_printable(slice_of(agent), 200, r->pool) : NULL;
    event->verdict = verdict_word(g->verdict.code);
}

verdict_code_t guard_record_commit(request_rec *r, guard_state_t *g)
{
    store_event_t event;

    guard_record_event(r, g, "upload", &event);
    return permit_commit(&g->permit, config_store(r->server), &seam_system, &event, &g->verdict,
                         r->pool);
}

/* What the handler's answer says about the upload. A redirect says nothing, and after 5xx (a
 * timeout, a connection that broke) a back end may have it all the same. */
static permit_end_t guard_record_end(int status)
{
    return ap_is_HTTP_SUCCESS(status)        ? PERMIT_ARRIVED
           : ap_is_HTTP_CLIENT_ERROR(status) ? PERMIT_REFUSED
                                             : PERMIT_UNKNOWN;
}

/* An upload that was written down and handed over did not end well: that is written down as well,
 * with the word of whoever refused it. */
static void guard_record_failed(request_rec *r, const guard_state_t *g, store_t *store,
                                request_rec *last)
{
    const char *word = apr_table_get(last->subprocess_env, "PYPITOKEN_VERDICT");
    store_event_t event;

    guard_record_event(r, g, "upload-failed", &event);
    if (!word || verdict_of_word(word) == VERDICT_ALLOWED) {
        word = verdict_word(VERDICT_BACKEND);
    }
    event.verdict = word;
    event.detail = ap_get_status_line(last->status);
    (void)store_event_add(store, &event);
}

/* A new project has arrived: on record like one that the operator adds. */
static void guard_record_added(request_rec *r, const guard_state_t *g, store_t *store)
{
    store_event_t event;

    guard_record_event(r, g, "project-added", &event);
    event.verdict = NULL;
    event.detail = "by its first upload";
    (void)store_event_add(store, &event);
}

/* The handler has answered. The first request of a chain of internal redirects that failed is what
 * counts. */
static void guard_record_settle(request_rec *r, guard_state_t *g, store_t *store)
{
    request_rec *last = r;
    permit_end_t end;

    while (last->next && ap_is_HTTP_SUCCESS(last->status)) {
        last = last->next;
    }
    end = guard_record_end(last->status);
    if (permit_settle(store, &g->permit, end, r->pool) == STORE_DOWN) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "pypitoken: project %s stays unconfirmed until its next upload",
                      g->permit.form->project);
    }
    if (end != PERMIT_ARRIVED) {
        guard_record_failed(r, g, store, last);
    } else if (g->permit.fresh) {
        guard_record_added(r, g, store);
    }
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
    if (g->stage == GUARD_ALLOWED) {
        guard_record_settle(r, g, store);
    }
    if (g->stage == GUARD_REFUSED) {
        guard_record_event(
            r, g, g->verdict.code == VERDICT_BACKEND ? "upload-failed" : "upload-refused", &event);
        (void)store_note(store, &event);
    }
    return DECLINED;
}

/* The handler is done; the access log shows what the client sent, and the status that it got: a
 * handler whose reading was ended has made another one of that. */
static int guard_record_request(request_rec *r)
{
    guard_state_t *g = ap_get_module_config(r->request_config, &pypitoken_module);

    if (g && g->stage == GUARD_STREAMING) { /* the handler never asked for the rest */
        g->stage = GUARD_REFUSED;
        verdict_set(&g->verdict, VERDICT_BACKEND, slice_of("no answer"), r->pool);
        apr_table_setn(r->subprocess_env, "PYPITOKEN_VERDICT", verdict_word(g->verdict.code));
    }
    for (; g && r; r = r->next) {
        r->headers_in = g->headers ? g->headers : r->headers_in;
        r->status = g->aborted ? g->aborted : r->status;
    }
    return DECLINED;
}

void guard_record_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_log_transaction(guard_record_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(guard_record_log, NULL, NULL, APR_HOOK_LAST);
}
