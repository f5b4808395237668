/* login_account.c - whose account it is, and the password, here or elsewhere; see login_state.h. */
#include "access/login_state.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/macaroon.h"
#include "core/password_old.h"

/* ---- the account ---- */

static int login_account_bounds(const login_typed_t *t)
{
    slice_t all[] = {t->user, t->password, t->code};
    apr_size_t i;

    for (i = 0; i < 3; i++) {
        if (all[i].n && memchr(all[i].p, '\0', all[i].n)) {
            return 0;
        }
    }
    return t->user.n && t->user.n <= PERSON_TYPED_MAX &&
           t->password.n <= PASSWORD_MAX + RECOVERY_TEXT + 1 && t->code.n <= PERSON_TYPED_MAX;
}

/* What was typed is taken apart in any case: what a login costs must not depend on the account. */
static void login_account_split(login_state_t *l)
{
    const login_typed_t *t = l->typed;
    int digits = l->person.totp.id ? l->person.totp.digits : 6;
    slice_t before;

    if (t->code_field) {
        person_code(&l->code, t->code, digits);
        l->password = t->password;
    } else {
        person_split(&before, &l->code, t->password, digits);
        l->password = l->demanded ? before : t->password;
    }
}

static void login_account_bar(login_state_t *l, const char *why)
{
    l->barred = 1;
    login_why(l, why);
}

/* Who may come in at all, and whom to ask for the password. unknown is only said of names that
 * another provider may decide on by itself. */
static void login_account_place(login_state_t *l)
{
    const people_t *p = &l->person;

    l->demanded = l->factor != LOGIN_FACTOR_OFF && p->totp.id;
    if (l->barred) {
        return;
    }
    if (p->disabled) {
        login_account_bar(l, "the account is disabled");
    } else if (l->factor == LOGIN_FACTOR_REQUIRED && !p->totp.id) {
        login_account_bar(l, p->id ? "no second factor is enrolled" : "no such account");
    } else if (p->id && !p->hash && p->alike > 1) {
        login_account_bar(l, "another account's name differs by case alone");
    } else if (p->id && !p->hash && !l->hooks->elsewhere) {
        login_account_bar(l, "the account has no password");
    } else if (!p->id && !l->hooks->elsewhere) {
        login_account_bar(l, "no such account");
        l->out->unknown = 1;
    } else {
        l->elsewhere = !p->hash;
    }
}

verdict_code_t login_account_find(login_state_t *l)
{
    store_rc_t rc = STORE_NOTFOUND;

    if (!login_account_bounds(l->typed)) {
        login_account_bar(l, "name or password too long, or with a NUL");
        l->fold = "";
    } else {
        l->fold = person_fold(l->typed->user, l->pool);
        rc = people_find(l->store, l->typed->user, l->fold, &l->person, l->pool);
    }
    switch (rc) {
    case STORE_OK:
    case STORE_NOTFOUND:
        break;
    case STORE_CONFLICT:
        login_account_bar(l, "several accounts' names differ by case alone");
        break;
    case STORE_SEALED:
        return login_refuse(l, VERDICT_LOGIN_DOWN,
                            "the second factor of this account does not open with this keyring: "
                            "another keyring sealed it, or it was edited in the database");
    case STORE_DOWN:
        return login_refuse(l, VERDICT_STORE_DOWN, NULL);
    }
    login_account_place(l);
    login_account_split(l);
    return VERDICT_ALLOWED;
}

/* ---- the password: ours ---- */

static verdict_code_t login_account_rc(login_state_t *l, password_rc_t rc)
{
    return rc == PASSWORD_NO_MEMORY
               ? login_refuse(l, VERDICT_LOGIN_DOWN,
                              "a password hash could not be computed: no memory, or the hash of "
                              "this account cannot be read")
               : VERDICT_ALLOWED;
}

/* Within the place for a hash. Hashes that came from elsewhere were made of the bytes as typed. */
static verdict_code_t login_account_verify(login_state_t *l)
{
    slice_t normal = person_normal(l->password, l->pool);
    const char *hash = l->person.hash;
    int old = hash && password_is_old(hash);
    password_rc_t rc;

    if (!hash) {
        return login_account_rc(l, password_dummy(normal));
    }
    rc = password_verify(hash, normal);
    if (rc == PASSWORD_WRONG && old && !slice_equal(normal, l->password)) {
        rc = password_verify(hash, l->password);
    }
    if (rc == PASSWORD_OK) {
        l->known_password = 1;
        if (old && !l->barred) {
            (void)password_hash(&l->new_hash, normal, l->pool);
        }
    } else if (rc == PASSWORD_WRONG && password_old_kind(slice_of(hash)) != PASSWORD_OLD_NONE) {
        rc = password_dummy(normal); /* an old hash is quicker: here is the rest */
    }
    return login_account_rc(l, rc);
}

static verdict_code_t login_account_hash(login_state_t *l)
{
    const login_hooks_t *h = l->hooks;
    verdict_code_t code;

    if (h->hash_enter && h->hash_enter(h->baton)) {
        return login_refuse(l, VERDICT_BUSY, "too many password hashes at the same time");
    }
    code = login_account_verify(l);
    if (h->hash_enter && h->hash_leave) {
        h->hash_leave(h->baton);
    }
    return code;
}

/* ---- the password: elsewhere ---- */

/* Another provider calls the user by another name than was typed: that account decides, and what
 * was typed for another one's second factor does not count for it. */
static verdict_code_t login_account_renamed(login_state_t *l, const char *name)
{
    people_t *p = &l->person, other = {0};
    const char *fold = person_fold(slice_of(name), l->pool);
    store_rc_t rc;

    if (strcmp(fold, p->id ? person_fold(slice_of(p->name), l->pool) : l->fold) == 0) {
        return VERDICT_ALLOWED;
    }
    rc = people_find(l->store, slice_of(name), fold, &other, l->pool);
    if (rc == STORE_DOWN) {
        return login_refuse(l, VERDICT_STORE_DOWN, NULL);
    }
    if (rc == STORE_NOTFOUND && l->factor != LOGIN_FACTOR_REQUIRED && !p->id) {
        l->out->user_name = apr_pstrdup(l->pool, name);
    } else if (rc == STORE_OK && !p->id && !other.disabled && !other.hash && other.alike == 1 &&
               !(other.totp.id && l->factor != LOGIN_FACTOR_OFF)) {
        *p = other;
    } else {
        login_account_bar(l, "another provider calls this user by another name, which is not this "
                             "account's: log in with that name");
    }
    sodium_memzero(other.totp.seed, sizeof(other.totp.seed));
    return VERDICT_ALLOWED;
}

static verdict_code_t login_account_ask(login_state_t *l)
{
    const login_hooks_t *h = l->hooks;
    const char *user = slice_dup(l->typed->user, l->pool), *name = NULL;
    char *password = macaroon_secret(l->password.n + 1, l->pool);

    if (l->password.n) {
        memcpy(password, l->password.p, l->password.n);
    }
    switch (h->elsewhere(h->elsewhere_baton, user, password, &name)) {
    case LOGIN_ELSEWHERE_GOOD:
        l->known_password = 1;
        return name ? login_account_renamed(l, name) : VERDICT_ALLOWED;
    case LOGIN_ELSEWHERE_WRONG:
        break;
    case LOGIN_ELSEWHERE_UNKNOWN:
        login_why(l, "no such account, here or elsewhere");
        l->out->unknown = !l->person.id;
        break;
    case LOGIN_ELSEWHERE_DOWN:
        return login_refuse(l, VERDICT_LOGIN_DOWN, "another provider could not answer");
    }
    return VERDICT_ALLOWED;
}

verdict_code_t login_account_password(login_state_t *l)
{
    verdict_code_t code = VERDICT_ALLOWED;

    if (l->elsewhere) {
        code = login_account_ask(l);
    }
    if (code == VERDICT_ALLOWED && !l->known_password) {
        code = login_account_hash(l);
    }
    if (!l->known_password) {
        login_why(l, "wrong password");
    }
    return code;
}
