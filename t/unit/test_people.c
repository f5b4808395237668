/* test_people.c - accounts as logins see them, second factors and recovery codes in the store. */
#include "store_kit.h"

#include "store/people.h"

#include <sys/wait.h>

static store_t *s;
static apr_pool_t *p;

static people_totp_t a_totp(unsigned char byte)
{
    people_totp_t t = {.hash = 1, .digits = 6, .period = 30, .seed_n = 20};

    memset(t.seed, byte, t.seed_n);
    return t;
}

/* A user with a second factor in force; its id. */
static const char *enrolled(const char *name, unsigned char byte)
{
    people_totp_t t = a_totp(byte);
    store_user_t u;

    (void)store_user_add(s, name, "hash", &u, p);
    tap_ok(people_totp_begin(s, u.id, &t, p) == STORE_OK &&
               people_totp_confirm(s, u.id, t.id, 100) == STORE_OK,
           "%s enrols", name);
    return u.id;
}

static store_rc_t spend(const char *user_id, const char *totp_id, apr_int64_t counter)
{
    store_event_t e = {.kind = "login", .user = "x"};
    people_login_t l = {user_id, totp_id, counter, NULL, NULL, NULL, &e, NULL};

    return people_login(s, &l);
}

static int events;

static int on_event(void *baton, const store_event_t *row)
{
    (void)baton;
    (void)row;
    events++;
    return 0;
}

static int count_events(void)
{
    events = 0;
    (void)store_event_list(s, NULL, NULL, 0, 0, on_event, NULL);
    return events;
}

static void finding(kit_t *kit)
{
    store_user_t u;
    people_t a;

    tap_ok(store_user_add(s, "Alice", "hash", &u, p) == STORE_OK, "Alice");
    tap_ok(store_user_add(s, "alice", "hash", NULL, p) == STORE_CONFLICT,
           "and no alice beside her");
    tap_ok(people_find(s, slice_of("Alice"), "alice", &a, p) == STORE_OK && kit_is(a.id, u.id) &&
               kit_is(a.name, "Alice") && kit_is(a.hash, "hash") && !a.disabled && !a.totp.id &&
               a.alike == 1 && a.epoch == 0,
           "found by her name");
    tap_ok(people_find(s, slice_of("ALICE"), "alice", &a, p) == STORE_OK && kit_is(a.id, u.id),
           "and by one like it");
    tap_ok(people_find(s, slice_of("bob"), "bob", &a, p) == STORE_NOTFOUND && !a.id, "nobody");
    tap_ok(people_find(s, slice_make(NULL, 0), "", &a, p) == STORE_NOTFOUND, "nobody at all");
    tap_ok(people_logout(s, u.id) == STORE_OK && people_logout(s, "no such id") == STORE_NOTFOUND &&
               people_find(s, slice_of("Alice"), "alice", &a, p) == STORE_OK && a.epoch == 1,
           "logged out");

    /* as a program of schema 1 would have it */
    kit_edit(kit->db, "INSERT INTO users (id, name, created) VALUES ('old', 'aLICE', 0)");
    tap_ok(people_find(s, slice_of("aLICE"), "alice", &a, p) == STORE_OK && kit_is(a.id, "old") &&
               a.alike == 2 && !a.hash,
           "the one of this very name of two alike");
    tap_ok(store_user_set_disabled(s, "old", 1) == STORE_OK &&
               people_find(s, slice_of("ALICE"), "alice", &a, p) == STORE_CONFLICT && !a.id,
           "neither of two alike");
    kit_edit(kit->db, "UPDATE users SET fold = '' WHERE id = 'old'");
    tap_ok(people_find(s, slice_of(" "), "", &a, p) == STORE_NOTFOUND && !a.id &&
               people_find(s, slice_make(NULL, 0), "", &a, p) == STORE_NOTFOUND,
           "a name that folds to nothing is not that of one whose name was never folded");
    kit_edit(kit->db, "DELETE FROM users WHERE id = 'old'");
}

static void factors(kit_t *kit)
{
    const char *id = enrolled("bob", 'b');
    people_totp_t next = a_totp('n'), got;
    store_user_t u;
    people_t b;
    const char *first;

    tap_ok(people_find(s, slice_of("bob"), "bob", &b, p) == STORE_OK && b.totp.id &&
               b.totp.hash == 1 && b.totp.digits == 6 && b.totp.period == 30 &&
               b.totp.seed_n == 20 && b.totp.seed[19] == 'b' && b.totp.counter == 100,
           "a second factor");
    first = b.totp.id;
    tap_ok(people_totp_waiting(s, id, &got, p) == STORE_NOTFOUND, "none waits");
    tap_ok(people_totp_begin(s, id, &next, p) == STORE_OK &&
               people_find(s, slice_of("bob"), "bob", &b, p) == STORE_OK &&
               kit_is(b.totp.id, first),
           "one that waits changes nothing");
    next = a_totp('m');
    next.hash = 3;
    next.digits = 8;
    tap_ok(people_totp_begin(s, id, &next, p) == STORE_OK &&
               people_totp_waiting(s, id, &got, p) == STORE_OK && kit_is(got.id, next.id) &&
               got.hash == 3 && got.digits == 8 && got.seed[0] == 'm',
           "another takes its place");
    tap_ok(people_totp_confirm(s, id, first, 1) == STORE_NOTFOUND &&
               people_totp_confirm(s, "other", next.id, 1) == STORE_NOTFOUND &&
               people_find(s, slice_of("bob"), "bob", &b, p) == STORE_OK &&
               kit_is(b.totp.id, first),
           "only the one that waits can be confirmed, and only for its account");
    tap_ok(people_totp_confirm(s, id, next.id, 7) == STORE_OK &&
               people_totp_confirm(s, id, next.id, 8) == STORE_NOTFOUND &&
               people_find(s, slice_of("bob"), "bob", &b, p) == STORE_OK &&
               kit_is(b.totp.id, next.id) && b.totp.counter == 7,
           "confirmed, once");
    tap_ok(store_user_find(s, slice_of("bob"), &u, p) == STORE_OK && u.second_factor == 1,
           "and listed");

    kit_edit(kit->db, "UPDATE totp SET digits = 6 WHERE confirmed = 1 AND hash = 3");
    tap_ok(people_find(s, slice_of("bob"), "bob", &b, p) == STORE_SEALED && !b.id,
           "a row with other digits does not open");
    kit_edit(kit->db, "UPDATE totp SET digits = 8 WHERE hash = 3");
    tap_ok(people_find(s, slice_of("bob"), "bob", &b, p) == STORE_OK, "back again");
}

/* Somebody who can write to the database puts the own seed in the place of another's. */
static void moved_seed(kit_t *kit)
{
    const char *mallory = enrolled("mallory", 'm'), *victim = enrolled("victim", 'v');
    people_t a;

    kit_edit(kit->db,
             apr_psprintf(p,
                          "UPDATE totp SET seed = (SELECT seed FROM totp WHERE user_id = '%s') "
                          "WHERE user_id = '%s'",
                          mallory, victim));
    tap_ok(people_find(s, slice_of("victim"), "victim", &a, p) == STORE_SEALED,
           "a seed moved to another account does not open");
    kit_edit(kit->db, apr_psprintf(p,
                                   "DELETE FROM totp WHERE user_id = '%s'; UPDATE totp SET user_id "
                                   "= '%s' WHERE user_id = '%s'",
                                   victim, victim, mallory));
    tap_ok(people_find(s, slice_of("victim"), "victim", &a, p) == STORE_SEALED, "nor a whole row");
}

static void spending(void)
{
    const char *id = enrolled("carol", 'c');
    people_t c;
    int before;

    (void)people_find(s, slice_of("carol"), "carol", &c, p);
    before = count_events();
    tap_ok(spend(id, c.totp.id, 100) == STORE_CONFLICT, "the code that confirmed is spent");
    tap_ok(spend(id, c.totp.id, 101) == STORE_OK && spend(id, c.totp.id, 101) == STORE_CONFLICT &&
               spend(id, c.totp.id, 99) == STORE_CONFLICT && spend(id, c.totp.id, 102) == STORE_OK,
           "each code once, and none older");
    tap_ok(spend("other", c.totp.id, 200) == STORE_CONFLICT &&
               spend(id, "other", 200) == STORE_CONFLICT,
           "of this account and this second factor");
    tap_ok(count_events() == before + 2,
           "an event for each that was accepted, none for the others");
}

static void recovery(void)
{
    static const unsigned char codes[3][PEOPLE_RECOVERY_HASH] = {{1}, {2}, {3}};
    const char *id = enrolled("dave", 'd');
    store_event_t e = {.kind = "login", .user = "dave"}, x = {.kind = "recovery-code-used"};
    people_login_t l = {id, NULL, 0, codes[1], NULL, NULL, &e, &x};
    store_user_t u;
    int known, before;

    tap_ok(people_recovery_replace(s, id, codes, 3) == STORE_OK &&
               store_user_find(s, slice_of("dave"), &u, p) == STORE_OK && u.recovery_codes == 3,
           "recovery codes");
    tap_ok(people_recovery_known(s, id, codes[1], &known) == STORE_OK && known &&
               people_recovery_known(s, "other", codes[1], &known) == STORE_OK && !known,
           "known, to their account");
    before = count_events();
    tap_ok(people_login(s, &l) == STORE_OK && people_login(s, &l) == STORE_CONFLICT &&
               people_recovery_known(s, id, codes[1], &known) == STORE_OK && !known &&
               store_user_find(s, slice_of("dave"), &u, p) == STORE_OK && u.recovery_codes == 2,
           "each burns once");
    tap_ok(count_events() == before + 2, "two events for one login");
    tap_ok(people_recovery_replace(s, id, codes, 1) == STORE_OK &&
               people_recovery_known(s, id, codes[2], &known) == STORE_OK && !known,
           "new ones take the place of all");
    tap_ok(people_totp_remove(s, id) == STORE_OK && people_totp_remove(s, id) == STORE_NOTFOUND &&
               store_user_find(s, slice_of("dave"), &u, p) == STORE_OK && !u.second_factor &&
               u.recovery_codes == 0,
           "without a second factor there are none");
    tap_ok(enrolled("erin", 'e') && store_user_find(s, slice_of("erin"), &u, p) == STORE_OK &&
               people_recovery_replace(s, u.id, codes, 1) == STORE_OK &&
               store_user_remove(s, u.id) == STORE_OK,
           "who goes takes all of it along");
}

static void rehash(void)
{
    store_event_t e = {.kind = "login"};
    store_user_t u;
    people_login_t l = {NULL, NULL, 0, NULL, "old", "new", &e, NULL};

    (void)store_user_add(s, "frank", "old", &u, p);
    l.user_id = u.id;
    tap_ok(people_login(s, &l) == STORE_OK && kit_is(kit_hash(s, "frank", p), "new"),
           "a better hash");
    (void)store_user_set_hash(s, u.id, "another password's");
    tap_ok(people_login(s, &l) == STORE_OK && kit_is(kit_hash(s, "frank", p), "another password's"),
           "never over another password");
}

/* The same code on several processes at the same moment. */
static void race(kit_t *kit)
{
    const char *id = enrolled("grace", 'g');
    int i, go[2], won = 0, lost = 0, status;
    people_t g;
    char byte;

    (void)people_find(s, slice_of("grace"), "grace", &g, p);
    fflush(stdout); /* or each child prints it again */
    if (pipe(go)) {
        abort();
    }
    for (i = 0; i < 8; i++) {
        if (fork() == 0) {
            apr_pool_t *own;

            apr_pool_create(&own, NULL);
            s = kit_open(kit, NULL, own);
            close(go[1]);
            (void)!read(go[0], &byte, 1);
            status = (int)spend(id, g.totp.id, 500);
            _exit(status);
        }
    }
    close(go[0]);
    close(go[1]); /* all go */
    for (i = 0; i < 8 && wait(&status) > 0; i++) {
        won += WIFEXITED(status) && WEXITSTATUS(status) == STORE_OK;
        lost += WIFEXITED(status) && WEXITSTATUS(status) == STORE_CONFLICT;
    }
    tap_ok(won == 1 && lost == 7, "one of eight processes gets in with the same code (%d, %d)", won,
           lost);
}

static void no_keyring(kit_t *kit)
{
    store_config_t config = kit->config;
    people_totp_t t = a_totp('x');
    store_t *bare;
    people_t a;

    config.keyring = NULL;
    tap_ok(!store_open(&bare, &config, p) &&
               people_find(bare, slice_of("carol"), "carol", &a, p) == STORE_SEALED &&
               people_find(bare, slice_of("frank"), "frank", &a, p) == STORE_OK &&
               people_totp_begin(bare, a.id, &t, p) == STORE_SEALED,
           "without a keyring no second factor is to be had, nor got around");
    kit_random_fails = 1;
    tap_ok(people_totp_begin(s, a.id, &t, p) == STORE_DOWN, "without random bytes neither");
    kit_random_fails = 0;
}

int main(void)
{
    kit_t kit;

    kit_begin(&kit);
    kit_make(&kit);
    apr_pool_create(&p, kit.pool);
    s = kit_open(&kit, NULL, p);
    finding(&kit);
    factors(&kit);
    moved_seed(&kit);
    spending();
    recovery();
    rehash();
    race(&kit);
    no_keyring(&kit);
    return kit_end(&kit);
}
