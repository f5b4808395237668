/* login.c - the order in which a login is checked, and what it leaves behind; see login.h. */
#include "access/login_state.h"

#include <apr_strings.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "core/credential.h"
#include "core/macaroon.h"

/* Microseconds; nothing beside a password hash. */
#define LOGIN_RACE 10000

static const login_hooks_t login_no_hooks = {0};

void login_why(login_state_t *l, const char *why)
{
    if (!l->why) {
        l->why = why;
    }
}

verdict_code_t login_refuse(login_state_t *l, verdict_code_t code, const char *log)
{
    slice_t none = {NULL, 0};

    verdict_set(l->v, code, none, l->pool);
    l->v->log = log;
    return code;
}

/* ---- the epoch ---- */

static void login_mix(crypto_generichash_state *state, const char *text)
{
    const char *s = text ? text : "";

    crypto_generichash_update(state, (const unsigned char *)s, strlen(s) + 1);
}

/* Over the row as it is, so that it follows whatever changed it, by whatever program. */
static apr_int64_t login_epoch_of(const people_t *p, const char *hash, apr_pool_t *pool)
{
    unsigned char out[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    apr_int64_t epoch = 0;
    int i;

    crypto_generichash_init(&state, NULL, 0, sizeof(out));
    login_mix(&state, p->id);
    login_mix(&state, hash);
    login_mix(&state, p->totp.id);
    login_mix(&state, apr_psprintf(pool, "%" APR_INT64_T_FMT, p->epoch));
    crypto_generichash_final(&state, out, sizeof(out));
    for (i = 0; i < 7; i++) {
        epoch = epoch << 8 | out[i];
    }
    sodium_memzero(&state, sizeof(state));
    return epoch;
}

verdict_code_t login_epoch(apr_int64_t *epoch, store_t *store, slice_t user_name, apr_pool_t *pool)
{
    const char *fold = person_fold(user_name, pool);
    verdict_code_t code = VERDICT_LOGIN_FAILED;
    people_t p = {0};

    *epoch = 0;
    switch (store ? people_find(store, user_name, fold, &p, pool) : STORE_DOWN) {
    case STORE_OK:
        if (!p.disabled && slice_is(user_name, p.name)) {
            *epoch = login_epoch_of(&p, p.hash, pool);
            code = VERDICT_ALLOWED;
        }
        sodium_memzero(p.totp.seed, sizeof(p.totp.seed));
        break;
    case STORE_NOTFOUND:
    case STORE_CONFLICT:
        break;
    case STORE_SEALED:
    case STORE_DOWN:
        code = VERDICT_STORE_DOWN;
        break;
    }
    return code;
}

/* ---- linger ---- */

/* What was accepted where no code is asked for is not accepted where one is. */
static login_linger_t login_linger(const login_state_t *l)
{
    const login_typed_t *t = l->typed;
    const char *user = l->person.id ? l->person.name : l->fold;
    apr_size_t n = 3 + t->password.n + t->code.n;
    login_linger_t what = {slice_of(user), l->out->epoch, {NULL, 0}, t->address, t->agent};
    char *p = macaroon_secret(n, l->pool);

    what.secret = slice_make(p, n);
    *p = l->demanded ? '2' : '1';
    p += 2;
    if (t->password.n) {
        memcpy(p, t->password.p, t->password.n);
    }
    p += t->password.n + 1;
    if (t->code.n) {
        memcpy(p, t->code.p, t->code.n);
    }
    return what;
}

/* ---- the end ---- */

static void login_event(const login_state_t *l, store_event_t *event, const char *kind,
                        verdict_code_t code, const char *detail)
{
    memset(event, 0, sizeof(*event));
    event->kind = kind;
    event->user = l->person.id ? l->person.name : l->out->user_name;
    event->address = l->typed->address;
    event->agent =
        l->typed->agent ? slice_printable(slice_of(l->typed->agent), 200, l->pool) : NULL;
    event->verdict = verdict_word(code);
    event->detail =
        apr_pstrcat(l->pool, l->typed->door ? l->typed->door : "login", ": ", detail, NULL);
}

/* No name in the event unless there is such an account: people type passwords into that field. */
static verdict_code_t login_failed(login_state_t *l)
{
    store_event_t event;

    l->out->user_name = NULL;
    login_event(l, &event, "login-refused", VERDICT_LOGIN_FAILED, l->why ? l->why : "refused");
    (void)store_note(l->store, &event);
    memset(l->out, 0, offsetof(login_t, unknown));
    return login_refuse(l, VERDICT_LOGIN_FAILED, event.detail);
}

static void login_fill(login_state_t *l)
{
    login_t *out = l->out;

    if (l->person.id) { /* by whatever name: another provider may have told it */
        out->epoch = login_epoch_of(&l->person, l->person.hash, l->pool);
    }
    out->user_id = l->person.id;
    out->user_name = l->person.id     ? l->person.name
                     : out->user_name ? out->user_name
                                      : slice_dup(l->typed->user, l->pool);
    out->factors = l->demanded ? 2 : 1;
    out->enrolled = l->person.totp.id != NULL;
    out->elsewhere = l->elsewhere;
}

/* Requests that a browser sends at the same moment carry the same code. One of them spends it; the
 * others find it lingering then, or a moment later, when the first has come to say so. */
static int login_raced(const login_state_t *l)
{
    const login_hooks_t *h = l->hooks;
    login_linger_t what = login_linger(l);

    if (!h->linger_find) {
        return 0;
    }
    if (h->linger_find(h->baton, &what) <= 0) {
        apr_sleep(LOGIN_RACE);
        return h->linger_find(h->baton, &what) > 0;
    }
    return 1;
}

/* Password and code are right, but the code was used before. */
static verdict_code_t login_spent(login_state_t *l)
{
    if (login_raced(l)) {
        login_fill(l);
        l->out->lingered = 1;
        return VERDICT_ALLOWED;
    }
    login_why(l, "a code that was used before");
    return login_failed(l);
}

/* Password and code are right: the code is spent, and it is written down. */
static verdict_code_t login_accept(login_state_t *l)
{
    static const char *const details[] = {"password", "password and code",
                                          "password and recovery code"};
    people_login_t login = {0};
    store_event_t event, burnt;
    int with = l->demanded ? 1 + l->recovered : 0;

    login_fill(l);
    login_event(l, &event, "login", VERDICT_ALLOWED, details[with]);
    login_event(l, &burnt, "recovery-code-used", VERDICT_ALLOWED, "it does not work again");
    login.user_id = l->person.id;
    login.event = &event;
    login.old_hash = l->person.hash;
    login.new_hash = l->new_hash;
    if (with == 1) {
        login.totp_id = l->person.totp.id;
        login.counter = l->counter;
    } else if (with == 2) {
        login.recovery = l->burn;
        login.extra = &burnt;
    }
    switch (people_login(l->store, &login)) {
    case STORE_OK:
        break;
    case STORE_CONFLICT:
        return login_spent(l);
    default:
        return login_refuse(l, VERDICT_STORE_DOWN, NULL);
    }
    if (l->new_hash) {
        l->out->epoch = login_epoch_of(&l->person, l->new_hash, l->pool);
    }
    return VERDICT_ALLOWED;
}

/* ---- the check ---- */

/* Password and code, once the attempt is paid for. lingered: this was accepted before. */
static verdict_code_t login_work(login_state_t *l, int lingered)
{
    verdict_code_t code = login_account_password(l);

    if (code == VERDICT_ALLOWED && !lingered) {
        code = login_factor_check(l);
    }
    if (code != VERDICT_ALLOWED) {
        return code;
    }
    if (l->barred || l->why || !l->known_password) {
        if (l->spent && l->hooks->linger_find) {
            apr_sleep(
                LOGIN_RACE); /* as login_raced does: a spent code tells nothing of the password */
        }
        return login_failed(l);
    }
    if (lingered) {
        login_fill(l);
        l->out->lingered = 1;
        return VERDICT_ALLOWED;
    }
    return l->spent ? login_spent(l) : login_accept(l);
}

static verdict_code_t login_paid(login_state_t *l, int lingered)
{
    const login_typed_t *t = l->typed;
    const login_hooks_t *h = l->hooks;
    login_attempt_t attempt = {slice_of(l->fold), t->address, LOGIN_CHARGE_PASSWORD};
    verdict_code_t code;
    unsigned wait;

    if (t->code_field ? t->code.n > 0 : person_coded(t->password)) {
        attempt.charge |= LOGIN_CHARGE_CODE;
    }
    wait = h->throttle_charge ? h->throttle_charge(h->baton, &attempt) : 0;
    if (wait) {
        return verdict_set_wait(l->v, VERDICT_THROTTLED, wait, l->pool);
    }
    code = login_work(l, lingered);
    if (h->throttle_settle) {
        h->throttle_settle(h->baton, &attempt,
                           code == VERDICT_ALLOWED        ? LOGIN_OUTCOME_GOOD
                           : code == VERDICT_LOGIN_FAILED ? LOGIN_OUTCOME_BAD
                                                          : LOGIN_OUTCOME_VOID);
    }
    return code;
}

static verdict_code_t login_run(login_state_t *l)
{
    const login_hooks_t *h = l->hooks;
    verdict_code_t code = login_account_find(l);
    login_linger_t what;
    int lingered;

    if (code != VERDICT_ALLOWED) {
        return code;
    }
    if (l->person.id) {
        l->out->epoch = login_epoch_of(&l->person, l->person.hash, l->pool);
    }
    what = login_linger(l);
    lingered = l->barred || !h->linger_find ? 0 : h->linger_find(h->baton, &what);
    if (lingered < 0 && l->demanded) {
        login_why(l, "a code that was good until its time was over");
        return login_failed(l);
    }
    lingered = lingered > 0;
    if (lingered && !l->elsewhere) {
        login_fill(l);
        l->out->lingered = 1;
        return VERDICT_ALLOWED;
    }
    code = login_paid(l, lingered);
    if (code == VERDICT_ALLOWED && !l->out->lingered && h->linger_keep) {
        what.epoch = l->new_hash ? l->out->epoch : what.epoch;
        h->linger_keep(h->baton, &what);
    }
    return code;
}

/* A token uploads; it never logs in. */
static verdict_code_t login_token(login_state_t *l)
{
    store_event_t event;

    login_event(l, &event, "login-refused", VERDICT_TOKEN_UPLOADS_ONLY,
                "an API token, where people log in");
    if (l->store) {
        (void)store_note(l->store, &event);
    }
    return login_refuse(l, VERDICT_TOKEN_UPLOADS_ONLY, NULL);
}

verdict_code_t login_check(login_t *out, store_t *store, const seam_t *seam,
                           const login_typed_t *typed, const login_policy_t *policy,
                           const login_hooks_t *hooks, verdict_t *v, apr_pool_t *pool)
{
    login_state_t l = {0};
    verdict_code_t code;

    memset(out, 0, sizeof(*out));
    l.store = store;
    l.seam = seam;
    l.typed = typed;
    l.hooks = hooks ? hooks : &login_no_hooks;
    l.factor = policy->factor;
    l.pool = pool;
    l.out = out;
    l.v = v;
    l.counter = -1;
    if (credential_is_token(typed->user, typed->password)) {
        code = login_token(&l);
    } else if (!store) {
        code = login_refuse(&l, VERDICT_STORE_DOWN, NULL);
    } else {
        code = login_run(&l);
    }
    sodium_memzero(&l.code, sizeof(l.code));
    sodium_memzero(l.person.totp.seed, sizeof(l.person.totp.seed));
    if (code != VERDICT_ALLOWED) {
        memset(out, 0, offsetof(login_t, unknown));
    }
    return code;
}
