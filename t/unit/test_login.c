/* test_login.c - logins: who gets in, what is asked of whom, and that no refusal tells why. */
#include "access/login.h"

#include "core/password.h"
#include "core/recovery.h"
#include "core/totp.h"
#include "store/people.h"
#include "store_kit.h"

#include <sys/resource.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

static store_t *s;
static apr_pool_t *p;
static login_t out;
static verdict_t v;
static login_policy_t policy = {LOGIN_FACTOR_IF_ENROLLED};

/* ---- hooks that write down what they are asked ---- */

static char said[2000];
static unsigned wait_for;
static int full;
static char kept[20][400];
static int n_kept;
static int stale; /* what lingered does no more */
static int blind; /* how often what lingers is not found, as if it came a moment later */
static const char *else_name; /* what the other provider calls everybody */

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *fmt, ...)
{
    apr_size_t n = strlen(said);
    va_list ap;

    va_start(ap, fmt);
    apr_vsnprintf(said + n, sizeof(said) - n, fmt, ap);
    va_end(ap);
}

static unsigned on_charge(void *baton, const login_attempt_t *a)
{
    (void)baton;
    note("charge(%.*s,%u) ", (int)a->user.n, a->user.p, a->charge);
    return wait_for;
}

static void on_settle(void *baton, const login_attempt_t *a, login_outcome_t o)
{
    (void)baton;
    (void)a;
    note("settle(%s) ", o == LOGIN_OUTCOME_GOOD ? "good" : o == LOGIN_OUTCOME_BAD ? "bad" : "void");
}

static int on_enter(void *baton)
{
    (void)baton;
    note("enter ");
    return full;
}

static void on_leave(void *baton)
{
    (void)baton;
    note("leave ");
}

static const char *linger_key(const login_linger_t *w)
{
    char secret[200];
    apr_size_t i;

    for (i = 0; i < w->secret.n; i++) {
        secret[i] = (char)(w->secret.p[i] ? w->secret.p[i] : '|');
    }
    return apr_psprintf(p, "%.*s %" APR_INT64_T_FMT " %.*s %s %s", (int)w->user.n, w->user.p,
                        w->epoch, (int)w->secret.n, secret, w->address, w->agent ? w->agent : "-");
}

static int on_find(void *baton, const login_linger_t *w)
{
    int i;

    (void)baton;
    if (blind > 0) {
        blind--;
        return 0;
    }
    if (stale) {
        return -1;
    }
    for (i = 0; i < n_kept; i++) {
        if (kit_is(kept[i], linger_key(w))) {
            note("lingers ");
            return 1;
        }
    }
    return 0;
}

static void on_keep(void *baton, const login_linger_t *w)
{
    (void)baton;
    note("keep ");
    apr_cpystrn(kept[n_kept++ % 20], linger_key(w), sizeof(kept[0]));
}

/* ldap: people whose password is "ldap-pw"; "down": it does not answer; others it does not know. */
static login_elsewhere_t on_elsewhere(void *baton, const char *user, const char *password,
                                      const char **name)
{
    (void)baton;
    note("ask(%s,%s) ", user, password);
    if (kit_is(user, "down")) {
        return LOGIN_ELSEWHERE_DOWN;
    }
    if (!kit_has(user, "ldap") && !kit_has(user, "LDAP")) {
        return LOGIN_ELSEWHERE_UNKNOWN;
    }
    *name = else_name;
    return kit_is(password, "ldap-pw") ? LOGIN_ELSEWHERE_GOOD : LOGIN_ELSEWHERE_WRONG;
}

static login_hooks_t hooks = {NULL,    on_charge, on_settle,    on_enter, on_leave,
                              on_find, on_keep,   on_elsewhere, NULL};

/* ---- doing it ---- */

static verdict_code_t login_with(const char *user, const char *password, const char *code)
{
    login_typed_t typed = {slice_of(user), slice_of(password), slice_of(code), code != NULL,
                           "192.0.2.1",    "agent/1",          "basic"};

    said[0] = '\0';
    return login_check(&out, s, &kit_seam, &typed, &policy, &hooks, &v, p);
}

static verdict_code_t in(const char *user, const char *password)
{
    return login_with(user, password, NULL);
}

/* Refused, and nobody can tell why, but for the operator. */
static int refused(const char *user, const char *password, const char *why)
{
    verdict_code_t code = in(user, password);

    if (code != VERDICT_LOGIN_FAILED || v.detail || out.user_id || out.user_name || out.epoch ||
        !kit_has(v.log, why)) {
        tap_ok(0, "%s: %s, %s (%s)", user, verdict_word(code), v.log ? v.log : "-", said);
        return 0;
    }
    return 1;
}

static char last_event[300];
static int n_events;

static int on_event(void *baton, const store_event_t *e)
{
    (void)baton;
    n_events++;
    apr_snprintf(last_event, sizeof(last_event), "%s %s %s %s", e->kind, e->user ? e->user : "-",
                 e->verdict, e->detail ? e->detail : "-");
    return 0;
}

static const char *event(void)
{
    n_events = 0;
    (void)store_event_list(s, NULL, NULL, 0, 0, on_event, NULL);
    return last_event;
}

static char code_text[TOTP_DIGITS_MAX + 1];

static const char *code_at(const char *seed, apr_int64_t time)
{
    totp_t t = {TOTP_SHA1, 6, TOTP_PERIOD, slice_of(seed)};

    (void)totp_code(&t, time / TOTP_PERIOD, code_text);
    return code_text;
}

#define SEED_A "alice's seed of 20 b"
#define SEED_L "ldapuser's seed, 20b"

static const char *enrol(const char *user_id, const char *seed)
{
    people_totp_t t = {.hash = TOTP_SHA1, .digits = 6, .period = TOTP_PERIOD, .seed_n = 20};

    memcpy(t.seed, seed, 20);
    (void)people_totp_begin(s, user_id, &t, p);
    (void)people_totp_confirm(s, user_id, t.id, 1);
    return t.id;
}

static const char *a_user(const char *name, const char *password)
{
    const char *hash = NULL;
    store_user_t u;

    if (password) {
        (void)password_hash(&hash, slice_of(password), p);
    }
    (void)store_user_add(s, name, hash, &u, p);
    return u.id;
}

/* ---- passwords ---- */

static void passwords(void)
{
    const char *id = a_user("bob", "bob's password");

    tap_ok(in("bob", "bob's password") == VERDICT_ALLOWED && kit_is(out.user_id, id) &&
               kit_is(out.user_name, "bob") && out.factors == 1 && !out.enrolled && !out.elsewhere,
           "a password");
    tap_ok(kit_is(said, "charge(bob,1) enter leave settle(good) keep "), "in this order: %s", said);
    tap_ok(kit_is(event(), "login bob allowed basic: password"), "an event: %s", last_event);
    tap_ok(in("BOB ", "bob's password") == VERDICT_ALLOWED && kit_is(out.user_name, "bob"),
           "names are read as a directory reads them");

    hooks.elsewhere = NULL;
    tap_ok(refused("bob", "wrong", "wrong password") &&
               kit_is(said, "charge(bob,1) enter leave settle(bad) "),
           "a wrong one: %s", said);
    tap_ok(kit_is(event(), "login-refused bob login-failed basic: wrong password"), "%s",
           last_event);
    tap_ok(!out.unknown, "bob is known");
    tap_ok(refused("nobody", "secret typed here", "no such account") &&
               kit_is(said, "charge(nobody,1) enter leave settle(bad) ") && out.unknown,
           "nobody costs as much: %s", said);
    tap_ok(kit_is(event(), "login-refused - login-failed basic: no such account"),
           "and the name is not kept, it may be a password: %s", last_event);
    hooks.elsewhere = on_elsewhere;

    (void)store_user_set_disabled(s, id, 1);
    tap_ok(refused("bob", "bob's password", "disabled") &&
               kit_is(said, "charge(bob,1) enter leave settle(bad) "),
           "a disabled account: %s", said);
    tap_ok(refused("bob", "wrong", "disabled"), "with a wrong password too");
    (void)store_user_set_disabled(s, id, 0);
    tap_ok(refused("", "", "too long") && refused("bob", "", "wrong password"), "nothing typed");
}

static void bounds(void)
{
    char *big = memset(apr_palloc(p, PASSWORD_MAX + 101), 'x', PASSWORD_MAX + 100);
    login_typed_t typed = {{NULL, 0}, {NULL, 0}, {NULL, 0}, 0, "192.0.2.1", NULL, NULL};

    big[PASSWORD_MAX + 100] = '\0';
    tap_ok(refused("bob", big, "too long") && !out.unknown, "an endless password");
    big[300] = '\0';
    tap_ok(refused(big, "x", "too long") && !out.unknown,
           "an endless name is not left to other providers");
    typed.user = slice_make("bob\0", 4);
    typed.password = slice_of("bob's password");
    tap_ok(login_check(&out, s, &kit_seam, &typed, &policy, &hooks, &v, p) ==
                   VERDICT_LOGIN_FAILED &&
               !out.unknown,
           "a NUL in the name");
    typed.user = slice_of("bob");
    typed.password = slice_make("bob's password\0x", 16);
    tap_ok(login_check(&out, s, &kit_seam, &typed, &policy, &hooks, &v, p) == VERDICT_LOGIN_FAILED,
           "a NUL in the password cuts nothing off");
    (void)a_user("umlaut", "gr\xc3\xbc\xc3\x9f"
                           "e zusammen");
    tap_ok(in("umlaut", "gru\xcc\x88\xc3\x9f"
                        "e\xc2\xa0zusammen") == VERDICT_ALLOWED,
           "another keyboard's way to write it");
}

static void tokens(void)
{
    tap_ok(in("__token__", "x") == VERDICT_TOKEN_UPLOADS_ONLY && !said[0],
           "__token__ does not log in");
    tap_ok(kit_is(event(),
                  "login-refused - token-uploads-only basic: an API token, where people log in"),
           "and that is written down: %s", last_event);
    tap_ok(in("alice",
              "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMAAABiAx") ==
                   VERDICT_TOKEN_UPLOADS_ONLY &&
               !said[0],
           "nor does anything like a token, and no hook sees it");
}

static void limits(void)
{
    wait_for = 17;
    tap_ok(in("bob", "bob's password 123456") == VERDICT_THROTTLED && v.retry_after == 17 &&
               kit_is(said, "charge(bob,3) "),
           "throttled before any work: %s", said);
    tap_ok(in("Nobody", "x123456") == VERDICT_THROTTLED && kit_is(said, "charge(nobody,3) "),
           "and charged by what is typed, not by whose it is: %s", said);
    wait_for = 0;
    full = 1;
    tap_ok(in("bob", "wrong") == VERDICT_BUSY && kit_is(said, "charge(bob,1) enter settle(void) "),
           "no place for a hash: %s", said);
    full = 0;
    s = NULL;
    tap_ok(in("bob", "x") == VERDICT_STORE_DOWN && !said[0], "no store");
    s = NULL;
    tap_ok(in("__token__", "x") == VERDICT_TOKEN_UPLOADS_ONLY, "a token is refused without one");
}

/* ---- old hashes ---- */

static void old_hashes(void)
{
    static const char *const hashes[] = {
        "$2y$04$SHCHr8c0ecyvADWX7VlRu.FQM1TjVnwbschJNCzPBkwoQBCE77knS",
        "$apr1$uy7YWoRs$qsrPRUg7amComv4NvN5pF.",
        "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
        "$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/",
        ("$6$saltsalt$"
         "hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0"),
    };
    apr_int64_t epoch;
    store_user_t u;
    const char *name;
    size_t i;

    for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        name = apr_psprintf(p, "old%d", (int)i);
        (void)store_user_add(s, name, hashes[i], &u, p);
        tap_ok(refused(name, "wrong", "wrong password") && kit_is(kit_hash(s, name, p), hashes[i]),
               "a wrong password changes nothing: %.4s", hashes[i]);
        tap_ok(in(name, "correct horse") == VERDICT_ALLOWED &&
                   kit_has(kit_hash(s, name, p), "$argon2id$v=19$m=65536,t=2,p=1$"),
               "the right one lets in, and gets a better hash: %.4s", hashes[i]);
        tap_ok(login_epoch(&epoch, s, slice_of(name), p) == VERDICT_ALLOWED && epoch == out.epoch,
               "a session begun with it holds");
        tap_ok(in(name, "correct horse") == VERDICT_ALLOWED && out.lingered, "and it lingers");
        n_kept = 0;
        tap_ok(in(name, "correct horse") == VERDICT_ALLOWED && !out.lingered,
               "and is good later too");
    }
    (void)store_user_add(s, "apart", "{SHA}+ZZJe7BCguvX4zI4a+uzpPpukh0=", &u, p);
    tap_ok(in("apart", "gr\xc3\xbc\xc3\x9f"
                       "e zusammen") == VERDICT_LOGIN_FAILED &&
               in("apart", "gru\xcc\x88\xc3\x9f"
                           "e zusammen") == VERDICT_ALLOWED,
           "an old hash is of the bytes that were typed, whatever their normal form");
    n_kept = 0;
    tap_ok(in("apart", "gr\xc3\xbc\xc3\x9f"
                       "e zusammen") == VERDICT_ALLOWED,
           "the new one is of what they mean");
    (void)store_user_add(s, "latin", "$2y$04$abcdefghijklmnopqrstuubroken", &u, p);
    tap_ok(in("latin", "x") == VERDICT_LOGIN_DOWN && v.log && kit_has(said, "settle(void)"),
           "a hash that cannot be read is nobody's wrong password: %s", said);
}

/* ---- codes ---- */

static void codes(void)
{
    const char *id = a_user("alice", "alice's pw");
    char text[100];

    (void)enrol(id, SEED_A);
    n_kept = 0;
    apr_snprintf(text, sizeof(text), "alice's pw%s", code_at(SEED_A, kit_time));
    tap_ok(refused("alice", "alice's pw", "no code"), "a password alone does not do");
    tap_ok(in("alice", text) == VERDICT_ALLOWED && out.factors == 2 && out.enrolled,
           "with its code it does");
    tap_ok(kit_is(event(), "login alice allowed basic: password and code"), "%s", last_event);
    n_kept = 0;
    tap_ok(refused("alice", text, "used before") && kit_has(said, "settle(bad)"),
           "but not twice: %s", said);
    kit_time += 30;
    tap_ok(refused("alice", text, "used before"), "nor a step later");
    apr_snprintf(text, sizeof(text), "alice's pw,%s", code_at(SEED_A, kit_time));
    tap_ok(in("alice", text) == VERDICT_ALLOWED && kit_has(said, "charge(alice,3)"),
           "the next one, with a comma");
    kit_time += 30;
    apr_snprintf(text, sizeof(text), "wrong %s", code_at(SEED_A, kit_time));
    tap_ok(refused("alice", text, "wrong password"), "a code does not help a wrong password");
    apr_snprintf(text, sizeof(text), "alice's pw %s", code_at(SEED_A, kit_time));
    tap_ok(in("alice", text) == VERDICT_ALLOWED, "and was not spent by it");
    kit_time += 30;
    apr_snprintf(text, sizeof(text), "alice's pw %s", code_at(SEED_A, kit_time + 60));
    tap_ok(refused("alice", text, "wrong code"), "two steps ahead");
    apr_snprintf(text, sizeof(text), "alice's pw %s", code_at(SEED_A, kit_time + 30));
    tap_ok(in("alice", text) == VERDICT_ALLOWED, "one");
    apr_snprintf(text, sizeof(text), "alice's pw %s", code_at(SEED_A, kit_time));
    tap_ok(refused("alice", text, "used before"), "and then none before it");
    kit_time += 60;
    tap_ok(login_with("alice", "alice's pw", code_at(SEED_A, kit_time)) == VERDICT_ALLOWED &&
               out.factors == 2,
           "in a field of its own");
    kit_time += 30;
    apr_snprintf(text, sizeof(text), "alice's pw%s", code_at(SEED_A, kit_time));
    tap_ok(login_with("alice", text, "") == VERDICT_LOGIN_FAILED && !kit_has(said, "keep"),
           "where there is a field the code belongs into it");

    policy.factor = LOGIN_FACTOR_OFF;
    n_kept = 0;
    tap_ok(in("alice", "alice's pw") == VERDICT_ALLOWED && out.factors == 1 && out.enrolled &&
               kit_has(said, "keep"),
           "where no code is asked for");
    tap_ok(refused("alice", text, "wrong password"), "none is cut off");
    policy.factor = LOGIN_FACTOR_IF_ENROLLED;
    tap_ok(refused("alice", "alice's pw", "no code"),
           "and what lingers from there is nothing here");
    policy.factor = LOGIN_FACTOR_REQUIRED;
    tap_ok(in("alice", text) == VERDICT_ALLOWED, "where everybody needs one, who has one gets in");
    tap_ok(refused("bob", "bob's password", "no second factor is enrolled") &&
               kit_has(said, "enter leave settle(bad)"),
           "who has none does not");
    tap_ok(refused("ldapnew", "ldap-pw", "no such account") && !kit_has(said, "ask") &&
               !out.unknown,
           "nor who is not known here, and nobody else is asked");
    policy.factor = LOGIN_FACTOR_IF_ENROLLED;
}

static void recovery(void)
{
    char text[RECOVERY_CODES][RECOVERY_TEXT + 1], letters[RECOVERY_LETTERS + 1];
    unsigned char hashes[RECOVERY_CODES][PEOPLE_RECOVERY_HASH];
    store_user_t u;
    int i;

    (void)store_user_find(s, slice_of("alice"), &u, p);
    for (i = 0; i < RECOVERY_CODES; i++) {
        (void)recovery_make(&kit_seam, text[i]);
        (void)recovery_tail(slice_of(text[i]), letters);
        recovery_hash(hashes[i], slice_of(u.id), letters);
    }
    (void)people_recovery_replace(s, u.id, (const unsigned char(*)[PEOPLE_RECOVERY_HASH])hashes,
                                  RECOVERY_CODES);
    n_kept = 0;
    tap_ok(refused("alice", apr_pstrcat(p, "wrong,", text[0], NULL), "wrong password"),
           "a recovery code with a wrong password");
    tap_ok(in("alice", apr_pstrcat(p, "alice's pw,", text[0], NULL)) == VERDICT_ALLOWED &&
               out.factors == 2,
           "was not burnt by it");
    tap_ok(kit_has(event(), "recovery-code-used alice allowed"), "two events: %s", last_event);
    n_kept = 0;
    tap_ok(refused("alice", apr_pstrcat(p, "alice's pw,", text[0], NULL), "wrong code"),
           "but is now");
    tap_ok(login_with("alice", "alice's pw", text[1]) == VERDICT_ALLOWED,
           "another, in the code's field");
    tap_ok(refused("alice", "alice's pw,bcdfg-hjkmn-pqrst-vwxyz", "wrong code"), "none at all");
    tap_ok(refused("bob", apr_pstrcat(p, "bob's password,", text[2], NULL), "wrong password"),
           "somebody else's");
    tap_ok(store_user_find(s, slice_of("alice"), &u, p) == STORE_OK && u.recovery_codes == 6,
           "six are left");
}

/* ---- linger and sessions ---- */

static void linger(void)
{
    char text[100];
    apr_int64_t epoch, before;
    store_user_t u;
    int n, late;

    kit_time += 60;
    n_kept = 0;
    apr_snprintf(text, sizeof(text), "alice's pw%s", code_at(SEED_A, kit_time));
    tap_ok(in("alice", text) == VERDICT_ALLOWED && !out.lingered, "a login");
    for (late = 1; late <= 2; late++) {
        blind = late;
        tap_ok(in("alice", text) == VERDICT_ALLOWED && out.lingered &&
                   kit_has(said, "settle(good)") && !kit_has(said, "keep"),
               "two requests at once with one code, the other spent it: %s", said);
    }
    blind = 3;
    tap_ok(refused("alice", text, "used before"), "but for that it is spent");
    blind = 0;
    (void)event();
    n = n_events;
    kit_time += 300;
    tap_ok(in("alice", text) == VERDICT_ALLOWED && out.lingered && out.factors == 2 &&
               kit_is(said, "lingers "),
           "repeated: no charge, no hash, no code: %s", said);
    (void)event();
    tap_ok(n_events == n, "and no new event");
    stale = 1;
    tap_ok(refused("alice", text, "time was over") && !*said,
           "when its time is over a browser repeats it: refused, at no charge");
    tap_ok(in("bob", "bob's password") == VERDICT_ALLOWED,
           "a password without a code is looked at again");
    stale = 0;
    tap_ok(in("alice", text) == VERDICT_ALLOWED && out.lingered, "as before");
    before = out.epoch;
    (void)store_user_find(s, slice_of("alice"), &u, p);
    (void)people_logout(s, u.id);
    tap_ok(login_epoch(&epoch, s, slice_of("alice"), p) == VERDICT_ALLOWED && epoch != before,
           "logged out: the epoch is another");
    tap_ok(refused("alice", text, "wrong code"), "and nothing lingers");

    apr_snprintf(text, sizeof(text), "alice's pw%s", code_at(SEED_A, kit_time));
    tap_ok(in("alice", text) == VERDICT_ALLOWED && in("alice", text) == VERDICT_ALLOWED &&
               out.lingered,
           "again");
    before = out.epoch;
    (void)store_user_set_disabled(s, u.id, 1);
    tap_ok(refused("alice", text, "disabled") &&
               login_epoch(&epoch, s, slice_of("alice"), p) == VERDICT_LOGIN_FAILED,
           "who is disabled does not linger");
    (void)store_user_set_disabled(s, u.id, 0);
    tap_ok(login_epoch(&epoch, s, slice_of("alice"), p) == VERDICT_ALLOWED && epoch == before,
           "enabled");
    (void)enrol(u.id, SEED_A);
    tap_ok(login_epoch(&epoch, s, slice_of("alice"), p) == VERDICT_ALLOWED && epoch != before &&
               in("alice", text) == VERDICT_ALLOWED && !out.lingered,
           "another second factor is another epoch");
    before = epoch;
    kit_edit(s->place, "UPDATE users SET password = 'x' WHERE name = 'alice'");
    tap_ok(login_epoch(&epoch, s, slice_of("alice"), p) == VERDICT_ALLOWED && epoch != before,
           "another password too, whoever set it");
    tap_ok(login_epoch(&epoch, s, slice_of("ALICE"), p) == VERDICT_LOGIN_FAILED &&
               login_epoch(&epoch, s, slice_of("nobody"), p) == VERDICT_LOGIN_FAILED &&
               login_epoch(&epoch, NULL, slice_of("alice"), p) == VERDICT_STORE_DOWN,
           "sessions are of accounts, by their very names");
}

/* ---- elsewhere ---- */

static void elsewhere(void)
{
    apr_int64_t first, epoch;
    const char *id;
    char text[100];

    n_kept = 0;
    tap_ok(in("ldapguest", "ldap-pw") == VERDICT_ALLOWED && !out.user_id && out.elsewhere &&
               kit_is(out.user_name, "ldapguest") &&
               kit_is(said, "charge(ldapguest,1) ask(ldapguest,ldap-pw) settle(good) keep "),
           "somebody whom only another provider knows: %s", said);
    tap_ok(in("ldapguest", "ldap-pw") == VERDICT_ALLOWED && out.lingered &&
               kit_is(said, "lingers charge(ldapguest,1) ask(ldapguest,ldap-pw) settle(good) "),
           "is asked for again, each time: %s", said);
    tap_ok(in("ldapguest", "old-pw") == VERDICT_LOGIN_FAILED &&
               kit_is(said, "charge(ldapguest,1) ask(ldapguest,old-pw) enter leave settle(bad) ") &&
               !out.unknown,
           "a wrong password costs a hash: %s", said);
    tap_ok(in("who", "x") == VERDICT_LOGIN_FAILED && out.unknown && kit_has(said, "enter leave"),
           "whom nobody knows too: %s", said);
    tap_ok(in("down", "x") == VERDICT_LOGIN_DOWN && kit_has(said, "settle(void)"), "no answer: %s",
           said);

    id = a_user("ldapuser", NULL);
    tap_ok(in("ldapuser", "ldap-pw") == VERDICT_ALLOWED && kit_is(out.user_id, id) &&
               out.elsewhere && out.factors == 1,
           "an account here, its password elsewhere");
    (void)enrol(id, SEED_L);
    n_kept = 0;
    tap_ok(refused("ldapuser", "ldap-pw", "no code") && kit_has(said, "ask(ldapuser,ldap-pw)"),
           "our second factor on top of it: %s", said);
    kit_time += 60;
    apr_snprintf(text, sizeof(text), "ldap-pw,%s", code_at(SEED_L, kit_time));
    tap_ok(in("ldapuser", text) == VERDICT_ALLOWED && out.factors == 2 &&
               kit_has(said, "ask(ldapuser,ldap-pw)"),
           "the other provider never sees the code: %s", said);
    kit_time += 300;
    tap_ok(in("ldapuser", text) == VERDICT_ALLOWED && out.lingered &&
               kit_has(said, "ask(ldapuser,ldap-pw)"),
           "what lingers is the code, not the password: %s", said);
    n_kept = 0;

    /* a directory takes all of these for the same person */
    tap_ok(refused("LDAPuser", "ldap-pw", "no code") &&
               refused("ldapuser ", "ldap-pw", "no code") &&
               refused("ldap\xc2\xaduser", "ldap-pw", "no code") &&
               refused("ldapus\xc3\xa9r", "ldap-pw", "no code"),
           "no spelling of a name gets around a second factor");
    (void)store_user_set_disabled(s, id, 1);
    tap_ok(refused("LDAPUSER", "ldap-pw", "disabled") && !kit_has(said, "ask"),
           "nor around being disabled");
    (void)store_user_set_disabled(s, id, 0);

    /* another provider's name for the user decides */
    else_name = "ldapuser";
    tap_ok(refused("ldapmail@x", "ldap-pw", "by another name"),
           "an alias does not get around it either");
    else_name = "alice";
    tap_ok(refused("ldapmail@x", "ldap-pw", "by another name"),
           "nor into an account with a password of its own");
    else_name = "ldapplain";
    id = a_user("ldapplain", NULL);
    tap_ok(in("ldapmail@x", "ldap-pw") == VERDICT_ALLOWED && kit_is(out.user_id, id) &&
               kit_is(out.user_name, "ldapplain") && out.epoch,
           "an alias of an account without a second factor is that account");
    first = out.epoch;
    tap_ok(in("ldapmail@x", "ldap-pw") == VERDICT_ALLOWED && out.lingered && out.epoch == first &&
               login_epoch(&epoch, s, slice_of("ldapplain"), p) == VERDICT_ALLOWED &&
               epoch == first,
           "  when it lingers, too: nothing that is bound to it outlives a \"user logout\"");
    tap_ok(people_logout(s, id) == STORE_OK && in("ldapmail@x", "ldap-pw") == VERDICT_ALLOWED &&
               out.epoch && out.epoch != first,
           "  as it does not");
    else_name = "Somebody Else";
    tap_ok(in("ldapmail@x", "ldap-pw") == VERDICT_ALLOWED && !out.user_id &&
               kit_is(out.user_name, "Somebody Else"),
           "an alias of nobody here is nobody here");
    tap_ok(refused("ldapplain", "ldap-pw", "by another name"),
           "an account here that is somebody else there is refused");
    else_name = NULL;

    kit_edit(
        s->place,
        "INSERT INTO users (id, name, fold, created) VALUES ('i1', 'ldaptwin', 'ldaptwin', 0), "
        "('i2', 'LDAPtwin', 'ldaptwin', 0)");
    tap_ok(refused("ldaptwin", "ldap-pw", "differs by case") && !kit_has(said, "ask"),
           "two accounts alike");
    tap_ok(refused("LdapTwin", "ldap-pw", "differ by case") && !kit_has(said, "ask") &&
               !out.unknown,
           "and neither of them: no other provider may decide that");
}

/* ---- trouble ---- */

static void no_memory(void)
{
#ifdef SANITIZED
    tap_ok(1, "no memory # SKIP the sanitizer needs the address space");
#else
    struct rlimit little = {56 << 20, 56 << 20};
    int status = -1;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        apr_pool_t *own;
        int bad;

        apr_pool_create(&own, NULL);
        n_kept = 0;
        hooks.elsewhere = NULL;
        s = (store_t *)apr_pmemdup(own, s, sizeof(*s));
        (void)store_open(&s, (const store_config_t *)s->baton, own);
        bad = setrlimit(RLIMIT_AS, &little) != 0;
        bad |= (in("bob", "bob's password") != VERDICT_LOGIN_DOWN) << 1;
        bad |= (in("bob", "wrong") != VERDICT_LOGIN_DOWN) << 2;
        bad |= (in("nobody", "wrong") != VERDICT_LOGIN_DOWN) << 3;
        _exit(bad);
    }
    tap_ok(child > 0 && waitpid(child, &status, 0) == child && status == 0,
           "want of memory is not a wrong password (%d)", status);
#endif
}

static void sealed(kit_t *kit)
{
    char text[100];

    n_kept = 0;
    kit_edit(kit->db, "UPDATE totp SET digits = 8");
    apr_snprintf(text, sizeof(text), "ldap-pw,%s", code_at(SEED_L, kit_time));
    tap_ok(in("ldapuser", text) == VERDICT_LOGIN_DOWN && kit_has(v.log, "does not open") &&
               !said[0],
           "a second factor that does not open is not done without");
}

/* The store fails at its n-th call: nobody gets in by that, and no code is lost. */
static int fault_left;

static db_rc_t fault_start(void *conn, query_id_t query, const db_value_t *params)
{
    return fault_left && --fault_left == 0 ? DB_ERROR : db_sqlite_driver.start(conn, query, params);
}

static db_rc_t fault_commit(void *conn)
{
    return fault_left && --fault_left == 0 ? DB_ERROR : db_sqlite_driver.commit(conn);
}

static void faults(kit_t *kit)
{
    static db_driver_t driver; /* outlives this: the store is closed with its pool */
    int n, down = 0, done = 0, bad = 0;
    store_t *real = s;
    char text[100];

    driver = db_sqlite_driver;
    driver.start = fault_start;
    driver.commit = fault_commit;
    s = kit_open(kit, &driver, p);
    kit_edit(kit->db, "UPDATE totp SET digits = 6");
    kit_time += 300;
    apr_snprintf(text, sizeof(text), "ldap-pw,%s", code_at(SEED_L, kit_time));
    for (n = 1; n < 20 && !done; n++) {
        verdict_code_t code;

        n_kept = 0;
        fault_left = n;
        code = in("ldapuser", text);
        done = fault_left > 0;
        fault_left = 0;
        down += code == VERDICT_STORE_DOWN;
        bad += code != VERDICT_STORE_DOWN && code != VERDICT_ALLOWED;
        bad += code == VERDICT_ALLOWED && !done;
        bad +=
            code == VERDICT_STORE_DOWN && !kit_has(said, "settle(void)") && kit_has(said, "charge");
    }
    tap_ok(done && !bad && down >= 3, "each call fails whole, and then the code is still good (%d)",
           down);
    s = real;
}

int main(void)
{
    store_t *real;
    kit_t kit;

    kit_begin(&kit);
    kit_make(&kit);
    apr_pool_create(&p, kit.pool);
    kit.config.baton = &kit.config;
    s = real = kit_open(&kit, NULL, p);
    passwords();
    bounds();
    tokens();
    limits();
    s = real;
    old_hashes();
    codes();
    recovery();
    linger();
    elsewhere();
    no_memory();
    sealed(&kit);
    faults(&kit);
    return kit_end(&kit);
}
