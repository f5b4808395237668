/* limits.c - the shared block in the service of a request; see limits.h. */
#include "httpd/private.h"
#include "httpd/limits.h"

#include <apr_strings.h>
#include <string.h>

#include "access/linger.h"
#include "access/throttle.h"
#include "core/token.h"
#include "httpd/config.h"
#include "httpd/denial.h"
#include "httpd/shm.h"

#define LIMITS_KEY   "pypitoken-answer"
#define LIMITS_WAIT  apr_time_from_sec(3)
#define LIMITS_PAUSE (10 * 1000) /* microseconds between two looks for a place */

/* The baton of the hooks. */
typedef struct limits_t {
    request_rec *r;
    const shm_t *shm;
    const throttle_figures_t *figures;
    slice_t device;
    throttle_ticket_t ticket;
    int place;
} limits_t;

static unsigned limits_charge(void *baton, const login_attempt_t *attempt)
{
    limits_t *l = baton;

    return throttle_charge(&l->shm->view, l->figures, attempt, l->device, shm_now(l->shm),
                           &l->ticket);
}

static void limits_settle(void *baton, const login_attempt_t *attempt, login_outcome_t outcome)
{
    limits_t *l = baton;

    (void)attempt;
    throttle_settle(&l->shm->view, &l->ticket, outcome, shm_now(l->shm));
}

/* A place in the queue is held like one for hashing: nobody who dies waits for ever. */
static int limits_hash_enter(void *baton)
{
    limits_t *l = baton;
    const shm_t *m = l->shm;
    apr_time_t end = apr_time_now() + LIMITS_WAIT;
    int queued;

    l->place = slots_take(&m->view.hashes, m->self, shm_alive);
    if (l->place >= 0) {
        return 0;
    }
    queued = slots_take(&m->view.queue, m->self, shm_alive);
    if (queued < 0) {
        return 1;
    }
    while (l->place < 0 && apr_time_now() < end) {
        apr_sleep(LIMITS_PAUSE);
        l->place = slots_take(&m->view.hashes, m->self, shm_alive);
    }
    slots_leave(&m->view.queue, queued, m->self);
    return l->place < 0;
}

static void limits_hash_leave(void *baton)
{
    limits_t *l = baton;

    slots_leave(&l->shm->view.hashes, l->place, l->shm->self);
    l->place = -1;
}

static int limits_linger_find(void *baton, const login_linger_t *what)
{
    limits_t *l = baton;

    return linger_find(&l->shm->view, what, shm_now(l->shm));
}

static void limits_linger_keep(void *baton, const login_linger_t *what)
{
    limits_t *l = baton;

    linger_keep(&l->shm->view, what, config_linger(config_dir(l->r)), shm_now(l->shm));
}

login_hooks_t *limits_hooks(request_rec *r, slice_t device)
{
    login_hooks_t *hooks = apr_pcalloc(r->pool, sizeof(*hooks));
    limits_t *l = apr_pcalloc(r->pool, sizeof(*l));

    l->r = r;
    l->shm = shm_of(r->server);
    l->figures = config_throttle(r->server);
    l->device = device;
    l->place = -1;
    hooks->baton = l;
    if (l->shm) {
        hooks->throttle_charge = limits_charge;
        hooks->throttle_settle = limits_settle;
        hooks->hash_enter = limits_hash_enter;
        hooks->hash_leave = limits_hash_leave;
    }
    if (l->shm && config_linger(config_dir(r))) {
        hooks->linger_find = limits_linger_find;
        hooks->linger_keep = limits_linger_keep;
    }
    return hooks;
}

/* ---- tokens ---- */

verdict_code_t limits_bearer(request_rec *r, bearer_t *out, slice_t token, verdict_t *v)
{
    const throttle_figures_t *f = config_throttle(r->server);
    const shm_t *m = shm_of(r->server);
    const char *why, *from = r->useragent_ip;
    slice_t address = slice_of(from);
    verdict_code_t code;
    macaroon_t *parsed = NULL;
    unsigned wait;

    /* what cannot be parsed is refused without the store, and costs nobody anything */
    if (!m || token_parse(&parsed, token, &why, r->pool) != VERDICT_ALLOWED) {
        return bearer_verify(out, config_store(r->server), &seam_system, token, address, v,
                             r->pool);
    }
    wait = throttle_token_wait(&m->view, f, token, parsed->identifier, from, shm_now(m));
    if (wait) {
        memset(out, 0, sizeof(*out));
        return verdict_set_wait(v, VERDICT_THROTTLED, wait, r->pool);
    }
    code = bearer_check(out, config_store(r->server), &seam_system, parsed, address, v, r->pool);
    if (code != VERDICT_STORE_DOWN) {
        throttle_token_settle(&m->view, f, token, parsed->identifier, from,
                              code == VERDICT_ALLOWED ? THROTTLE_GOOD
                              : out->token.id         ? THROTTLE_REFUSED
                                                      : THROTTLE_BAD,
                              shm_now(m));
    }
    return code;
}

/* ---- sessions ---- */

static apr_uint64_t limits_end_key(const shm_t *m, const unsigned char id[SESSION_ID])
{
    slice_t part = slice_make((const char *)id, SESSION_ID);

    return shared_key(&m->view, SHARED_ENDED, 0, &part, 1);
}

void limits_end(request_rec *r, const unsigned char id[SESSION_ID], apr_uint32_t seconds)
{
    const shm_t *m = shm_of(r->server);

    if (m) {
        apr_uint32_t now = shm_now(m), ticks = (seconds + 1) * TALLY_HZ;

        tally_mark(&m->view.tables[SHARED_ENDED], limits_end_key(m, id), now + ticks, now);
    }
}

int limits_ended(request_rec *r, const unsigned char id[SESSION_ID])
{
    const shm_t *m = shm_of(r->server);

    return m && tally_left(&m->view.tables[SHARED_ENDED], limits_end_key(m, id), shm_now(m)) > 0;
}

/* ---- another answer than 401 ---- */

/* mod_auth_basic knows 401 and 500 only. httpd asks for an ErrorDocument of that status before
 * insert_error_filter can put another one: so this request has one of its own. */
void limits_answer(request_rec *r, const verdict_t *v)
{
    verdict_t *copy = apr_pmemdup(r->pool, v, sizeof(*v));

    ap_custom_response(r, HTTP_UNAUTHORIZED, verdict_sentence(v, r->pool));
    apr_pool_userdata_setn(copy, LIMITS_KEY, NULL, r->pool);
}

static void limits_error(request_rec *r)
{
    void *v = NULL;

    apr_pool_userdata_get(&v, LIMITS_KEY, r->pool);
    if (v && r->status == HTTP_UNAUTHORIZED) {
        apr_table_unset(r->err_headers_out, "WWW-Authenticate");
        r->status = denial_send(r, v);
    }
}

void limits_register(apr_pool_t *p)
{
    (void)p;
    ap_hook_insert_error_filter(limits_error, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
