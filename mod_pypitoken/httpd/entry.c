/* entry.c - people at the door; see entry.h. */
#include "httpd/private.h"
#include "httpd/entry.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/macaroon.h"
#include "httpd/chain.h"
#include "httpd/config.h"
#include "httpd/limits.h"
#include "httpd/tls.h"

#define ENTRY_KEY "pypitoken-entry"

/* What was asked, and what was said. */
typedef struct entry_memo_t {
    entry_t asked; /* password and code are wiped with the pool */
    login_factor_t factor;
    int elsewhere; /* others were asked too */
    verdict_code_t code;
    login_t login;
    verdict_t verdict;
} entry_memo_t;

/* The request that the client sent: what is internal comes and goes. */
static request_rec *entry_first(request_rec *r)
{
    while (r->main || r->prev) {
        r = r->main ? r->main : r->prev;
    }
    return r;
}

static slice_t entry_keep(slice_t s, apr_pool_t *pool)
{
    char *copy = macaroon_secret(s.n + 1, pool);

    if (s.n) {
        memcpy(copy, s.p, s.n);
    }
    return slice_make(copy, s.n);
}

static int entry_same(slice_t a, slice_t b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

static int entry_told(const entry_memo_t *m, const entry_t *e, login_factor_t factor, int elsewhere)
{
    return m && m->factor == factor && m->elsewhere == elsewhere &&
           m->asked.code_field == e->code_field && strcmp(m->asked.door, e->door) == 0 &&
           entry_same(m->asked.user, e->user) && entry_same(m->asked.password, e->password) &&
           entry_same(m->asked.code, e->code);
}

verdict_code_t entry_clear(request_rec *r, const char *door, verdict_t *v)
{
    store_t *store = config_store(r->server);
    store_event_t event = {0};

    verdict_set(v, VERDICT_TLS_REQUIRED, slice_of(NULL), r->pool);
    event.kind = "login-refused";
    event.address = r->useragent_ip;
    event.verdict = verdict_word(v->code);
    event.detail = apr_pstrcat(r->pool, door, ": credentials in clear text", NULL);
    if (store) {
        (void)store_note(store, &event);
    }
    return v->code;
}

static void entry_run(request_rec *r, apr_pool_t *pool, entry_memo_t *m, login_hooks_t *hooks)
{
    const entry_t *e = &m->asked;
    login_policy_t policy = {m->factor};
    login_typed_t typed = {0};

    typed.user = e->user;
    typed.password = e->password;
    typed.code = e->code;
    typed.code_field = e->code_field;
    typed.address = r->useragent_ip;
    typed.agent = apr_table_get(r->headers_in, "User-Agent");
    typed.door = e->door;
    m->code = login_check(&m->login, config_store(r->server), &seam_system, &typed, &policy, hooks,
                          &m->verdict, pool);
}

verdict_code_t entry_check(request_rec *r, const entry_t *entry, login_t *out, verdict_t *v)
{
    apr_pool_t *pool = entry_first(r)->pool;
    login_factor_t factor = config_factor(config_dir(r));
    login_hooks_t *hooks;
    entry_memo_t *m;
    void *data = NULL;

    memset(out, 0, sizeof(*out));
    if (tls_clear(r)) {
        return entry_clear(r, entry->door, v);
    }
    hooks = limits_hooks(r, entry->device);
    chain_hooks(r, hooks);
    apr_pool_userdata_get(&data, ENTRY_KEY, pool);
    m = data;
    if (!entry_told(m, entry, factor, hooks->elsewhere != NULL)) {
        m = apr_pcalloc(pool, sizeof(*m));
        m->asked = *entry;
        m->asked.user = entry_keep(entry->user, pool);
        m->asked.password = entry_keep(entry->password, pool);
        m->asked.code = entry_keep(entry->code, pool);
        m->factor = factor;
        m->elsewhere = hooks->elsewhere != NULL;
        entry_run(r, pool, m, hooks);
        apr_pool_userdata_setn(m, ENTRY_KEY, NULL, pool);
    }
    *out = m->login;
    *v = m->verdict;
    return m->code;
}
