/* test_throttle.c - who waits for whom: logins, codes, tokens, lingering secrets. */
#include "tap.h"

#include "access/linger.h"
#include "access/throttle.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define S (apr_uint32_t) TALLY_HZ

static shared_t shared;
static throttle_figures_t figures;
static apr_pool_t *pool;

static int broken(void *bytes, apr_size_t n)
{
    (void)bytes;
    (void)n;
    return -1;
}

/* A new block in the place of the old one. */
static void begin(void)
{
    void *memory = aligned_alloc(64, (shared_size() + 63) / 64 * 64);

    free(shared.block);
    figures = throttle_defaults;
    if (!memory || shared_make(memory, &seam_system, 0) ||
        shared_map(&shared, memory, shared_size(), 2, 2)) {
        abort();
    }
}

typedef struct who_t {
    const char *user, *address, *device;
    int code;
} who_t;

static unsigned attempt(who_t who, login_outcome_t outcome, apr_uint32_t now)
{
    login_attempt_t a = {slice_of(who.user), who.address,
                         LOGIN_CHARGE_PASSWORD | (who.code ? LOGIN_CHARGE_CODE : 0)};
    throttle_ticket_t ticket;
    unsigned wait = throttle_charge(&shared, &figures, &a, slice_of(who.device), now, &ticket);

    if (!wait) {
        throttle_settle(&shared, &ticket, outcome, now);
    }
    return wait;
}

/* How many of n failures were let through. */
static int fail(who_t who, int n, apr_uint32_t now)
{
    int passed = 0;

    while (n-- > 0) {
        passed += attempt(who, LOGIN_OUTCOME_BAD, now) == 0;
    }
    return passed;
}

static const char *address(int n)
{
    return apr_psprintf(pool, "198.51.%d.%d", n / 250, n % 250 + 1);
}

static void figures_of_pypi(void)
{
    int i, n;

    begin();
    tap_ok(fail((who_t){"alice", "192.0.2.1", NULL, 0}, 100, 0) == 10, "one address: ten");
    tap_ok(attempt((who_t){"alice", "192.0.2.1", NULL, 0}, LOGIN_OUTCOME_BAD, 0) == 30,
           "  then half a minute to wait");
    tap_ok(fail((who_t){"bob", "192.0.2.1", NULL, 0}, 100, 0) == 0,
           "  for every account from that address");
    tap_ok(fail((who_t){"bob", "192.0.2.2", NULL, 0}, 3, 0) == 3, "  another address goes on");
    begin();
    for (i = n = 0; i < 500; i++) {
        n += fail((who_t){"alice", address(i), NULL, 0}, 20, 0);
    }
    tap_ok(n == 10, "10,000 guesses at one account from 500 addresses: %d", n);
    begin();
    for (i = n = 0; i < 1100; i++) {
        n += fail((who_t){apr_psprintf(pool, "u%d", i), address(i), NULL, 0}, 1, 0);
    }
    tap_ok(n == 1000, "all together, each with an address and an account of its own: %d", n);
    begin();
    tap_ok(fail((who_t){"alice", "192.0.2.1", NULL, 1}, 100, 0) == 5, "codes: five");
    tap_ok(fail((who_t){"alice", "192.0.2.2", NULL, 0}, 100, 0) == 5,
           "  they count as attempts as well");
    begin();
    for (i = n = 0; i < 24 * 60; i++) {
        n += fail((who_t){"alice", address(i % 400), NULL, 1}, 1, (apr_uint32_t)i * 60 * S);
    }
    tap_ok(n >= 50 && n < 100, "a code guessed at each minute of a day: %d get through", n);
    begin();
    for (i = n = 0; i < 60; i++) {
        n += fail((who_t){apr_psprintf(pool, "u%d", i), "192.0.2.1", NULL, 1}, 1, 0);
    }
    tap_ok(n == 10, "codes of many accounts from one address: %d", n);
}

static void success(void)
{
    who_t here = {"alice", "192.0.2.1", NULL, 0}, there = {"alice", "192.0.2.2", NULL, 0};
    int i;

    begin();
    (void)fail(there, 9, 0);
    tap_ok(attempt(here, LOGIN_OUTCOME_GOOD, 0) == 0, "a success beside nine failures");
    tap_ok(fail(there, 100, 0) == 1, "  gives the other address nothing back");
    begin();
    for (i = 0; i < 100; i++) {
        if (attempt(here, LOGIN_OUTCOME_VOID, 0)) {
            break;
        }
    }
    tap_ok(i == 100, "an attempt that was not decided costs nothing");
    begin();
    (void)fail(here, 9, 0);
    (void)attempt(here, LOGIN_OUTCOME_GOOD, 0);
    tap_ok(fail((who_t){"bob", "192.0.2.1", NULL, 0}, 100, 0) == 1,
           "nor does the address itself get back more than the success paid");
}

static void owner(void)
{
    who_t home = {"alice", "192.0.2.1", NULL, 0}, homecode = {"alice", "192.0.2.1", NULL, 1};
    who_t away = {"alice", "203.0.113.9", NULL, 1}, device = {"alice", "203.0.113.9", "d1", 1};
    apr_uint32_t now, day = 86400 * S;
    int i, n;

    begin();
    tap_ok(attempt(homecode, LOGIN_OUTCOME_GOOD, 0) == 0, "the owner logs in once");
    for (i = n = 0; i < 500; i++) {
        n += fail((who_t){"alice", address(i), NULL, 1}, 20, 0);
    }
    tap_ok(n == 5, "10,000 guesses with codes: %d", n);
    tap_ok(attempt(away, LOGIN_OUTCOME_GOOD, 0) > 0, "a new place shares the stranger's wait");
    tap_ok(attempt(home, LOGIN_OUTCOME_GOOD, 0) == 0, "the owner's own place does not");
    tap_ok(attempt(homecode, LOGIN_OUTCOME_GOOD, 0) == 0, "  with a code neither");
    tap_ok(attempt(device, LOGIN_OUTCOME_GOOD, 0) == 0, "nor does the owner's browser elsewhere");
    tap_ok(fail(home, 100, 0) == 10, "the known place has a limit of its own");
    tap_ok(fail(device, 100, 0) == 5, "  so has the browser");
    tap_ok(attempt((who_t){"bob", "192.0.2.1", NULL, 0}, LOGIN_OUTCOME_BAD, 0) == 0,
           "  and it does not weigh on the others at that address");
    for (now = 0; now < 25 * day; now += day) {
        (void)fail((who_t){"alice", address((int)(now / day)), NULL, 1}, 100, now);
    }
    tap_ok(attempt(home, LOGIN_OUTCOME_GOOD, now) == 0, "25 days later the place is still known");
    tap_ok(attempt(home, LOGIN_OUTCOME_GOOD, now + 29 * day) == 0, "  and each login renews it");
    (void)fail((who_t){"alice", "198.51.100.1", NULL, 0}, 100, now + 60 * day);
    tap_ok(attempt(home, LOGIN_OUTCOME_BAD, now + 60 * day) > 0, "after 30 days without one it is "
                                                                 "not");
    begin();
    for (i = 0; i < 500; i++) {
        (void)fail((who_t){"alice", address(i), NULL, 0}, 20, 0);
    }
    tap_ok(attempt(away, LOGIN_OUTCOME_GOOD, 30 * S) == 0,
           "half a minute after the attack a new place gets in");
}

/* Every stranger's bucket is empty, of all together too. */
static void everything_dry(void)
{
    who_t home = {"alice", "192.0.2.1", NULL, 0};
    int i;

    begin();
    (void)attempt(home, LOGIN_OUTCOME_GOOD, 0);
    for (i = 0; i < 1200; i++) {
        (void)fail((who_t){apr_psprintf(pool, "u%d", i), address(i), NULL, 0}, 1, 0);
    }
    tap_ok(attempt((who_t){"carol", "203.0.113.5", NULL, 0}, LOGIN_OUTCOME_BAD, 0) > 0,
           "when the whole machine's bucket is empty a stranger waits");
    tap_ok(attempt(home, LOGIN_OUTCOME_GOOD, 0) == 0, "  a known place does not");
}

static void networks(void)
{
    static const struct {
        const char *a, *b;
        int same;
    } pairs[] = {
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", 1},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", 0},
        {"192.0.2.1", "192.0.2.2", 0},
        {"192.0.2.1", "::ffff:192.0.2.1", 1},
        {"192.0.2.1", "::ffff:192.0.2.2", 0},
        {"192.0.2.1", "c000:201::", 0},
        {"/run/socket", NULL, 1},
        {"/run/socket", "::", 0},
    };
    unsigned char a[SHARED_NETWORK], b[SHARED_NETWORK];
    apr_size_t i;

    for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        shared_network(a, pairs[i].a);
        shared_network(b, pairs[i].b);
        tap_ok((memcmp(a, b, sizeof(a)) == 0) == pairs[i].same, "%s and %s: %s", pairs[i].a,
               pairs[i].b ? pairs[i].b : "none", pairs[i].same ? "one network" : "two");
    }
}

static unsigned token(const char *text, const char *id, const char *from,
                      throttle_outcome_t outcome, apr_uint32_t now)
{
    unsigned wait = throttle_token_wait(&shared, &figures, slice_of(text), slice_of(id), from, now);

    if (!wait) {
        throttle_token_settle(&shared, &figures, slice_of(text), slice_of(id), from, outcome, now);
    }
    return wait;
}

static void tokens(void)
{
    const char *nat = "192.0.2.1";
    int i, n;

    begin();
    (void)token("good", "g", "203.0.113.1", THROTTLE_GOOD, 0);
    for (i = n = 0; i < 5000; i++) {
        n += token("stale", "s", nat, THROTTLE_BAD, 0) == 0;
    }
    tap_ok(n == 10, "one bad token, again and again: %d look-ups", n);
    tap_ok(token("new", "n", nat, THROTTLE_GOOD, 0) == 0, "  others beside it never notice");
    for (i = n = 0; i < 5000; i++) {
        n += token(apr_psprintf(pool, "f%d", i), apr_psprintf(pool, "i%d", i), nat, THROTTLE_BAD,
                   0) == 0;
    }
    tap_ok(n == 90 + 600, "5000 forged ones of one network in a moment: %d look-ups", n);
    tap_ok(token("good", "g", nat, THROTTLE_GOOD, 0) == 0, "  a token seen good before passes");
    tap_ok(token("good, narrowed", "g", nat, THROTTLE_GOOD, 0) == 0, "  narrowed as well");
    tap_ok(token("fresh", "x", nat, THROTTLE_GOOD, 0) == 1, "  one never seen waits a second");
    tap_ok(token("fresh", "x", nat, THROTTLE_GOOD, S) == 0, "  and passes then");
    tap_ok(token("fresh2", "y", "203.0.113.2", THROTTLE_GOOD, 0) == 0,
           "  from another network at once");
    begin();
    for (i = n = 0; i < 1000; i++) {
        n += token("good", "g", nat, THROTTLE_GOOD, 0) == 0;
    }
    tap_ok(n == 1000, "a good token is not counted");
    for (i = n = 0; i < 1000; i++) {
        n += token("old", "o", nat, THROTTLE_REFUSED, 0) == 0;
    }
    tap_ok(n == 10, "a revoked one is, by itself: %d", n);
    tap_ok(throttle_token_wait(&shared, &figures, slice_of("b"), slice_of("b"), nat, 0) == 0,
           "  and not against its network");
}

static void lingering(void)
{
    login_linger_t a = {slice_of("alice"), 3,
                        slice_of("pw\0"
                                 "123456"),
                        "192.0.2.1", "Mozilla/5.0 (X11) Chrome/130.0.1"};
    login_linger_t b = a;

    begin();
    a.secret = slice_make("pw\0"
                          "123456",
                          9);
    b = a;
    tap_ok(!linger_find(&shared, &a, 0), "nothing lingers that was not accepted");
    linger_keep(&shared, &a, 600, 0);
    tap_ok(linger_find(&shared, &a, 600 * S - 1) == 1, "accepted: good for ten minutes");
    tap_ok(linger_find(&shared, &a, 600 * S) == -1 && linger_find(&shared, &a, 4200 * S - 1) == -1,
           "  then stale for an hour");
    tap_ok(linger_find(&shared, &a, 4200 * S) == 0, "  and then forgotten");
    b.agent = "Mozilla/5.0 (X11) Chrome/131.7";
    tap_ok(linger_find(&shared, &b, 1) == 1, "an update of the browser is the same agent");
#define OTHER(field, value, what)                                                                  \
    b = a;                                                                                         \
    b.field = value;                                                                               \
    tap_ok(!linger_find(&shared, &b, 1), "not for another " what)
    OTHER(agent, "curl/8.0", "agent");
    OTHER(agent, NULL, "agent, none");
    OTHER(address, "192.0.2.2", "address");
    OTHER(user, slice_of("alicf"), "user");
    OTHER(epoch, 4, "epoch");
    OTHER(secret,
          slice_make("pw\0"
                     "123457",
                     9),
          "code");
    OTHER(secret,
          slice_make("pw1\0"
                     "23456",
                     9),
          "border of password and code");
#undef OTHER
    b = a;
    b.user = slice_of("bob");
    linger_keep(&shared, &b, 0, 0);
    tap_ok(!linger_find(&shared, &b, 0), "no time: it does not linger");
}

static void words(void)
{
    static const char *const bad[] = {"",
                                      "10",
                                      "10/",
                                      "/5m",
                                      "10/5",
                                      "10/5x",
                                      "0/5m",
                                      "10/0m",
                                      "10/5m,",
                                      "10/5m;",
                                      "-1/5m",
                                      "10/5m ",
                                      "17/1s",
                                      "1/31d",
                                      "1/5m,1/1h,1/1d,1/2d",
                                      "99999999999/5m"};
    apr_size_t i;

    begin();
    tap_ok(!throttle_parse(&figures, "Account", "3/2s", pool) &&
               figures.rates[THROTTLE_ACCOUNT][0].burst == 3 &&
               figures.rates[THROTTLE_ACCOUNT][0].period == 2 * S,
           "account 3/2s");
    tap_ok(!throttle_parse(&figures, "code", "1/1m,2/1h,3/30d", pool) &&
               figures.rates[THROTTLE_CODE][2].period == 30 * 86400 * S,
           "code with three rates");
    tap_ok(!throttle_parse(&figures, "all", "Off", pool) && !figures.rates[THROTTLE_ALL][0].burst,
           "Off");
    tap_ok(throttle_parse(&figures, "some", "1/1m", pool) != NULL, "an unknown limit is refused");
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        tap_ok(throttle_parse(&figures, "all", bad[i], pool) != NULL, "'%s' is refused", bad[i]);
    }
}

/* Every limit with as many rates as it may have: what a stranger with a code pays has its place in
 * the ticket, and nothing is written behind it. */
static void a_bill_longer_than_its_ticket(void)
{
    login_attempt_t a = {slice_of("alice"), "192.0.2.1", LOGIN_CHARGE_PASSWORD | LOGIN_CHARGE_CODE};
    static const char *const names[] = {"account", "address", "all", "code", "code-address"};
    struct {
        throttle_ticket_t ticket;
        unsigned char behind[4096];
    } *paper = calloc(1, sizeof(*paper));
    apr_size_t i;
    int most, clean = 1;

    begin();
    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        (void)throttle_parse(&figures, names[i], "10/5m,20/1h,50/1d", pool);
    }
    most = (int)(sizeof(paper->ticket.paid) / sizeof(paper->ticket.paid[0]));
    tap_ok(throttle_charge(&shared, &figures, &a, slice_of(NULL), 0, &paper->ticket) == 0 &&
               paper->ticket.n == 5 * THROTTLE_RATES && paper->ticket.n <= most,
           "five limits of three rates each: %d entries in a ticket for %d", paper->ticket.n, most);
    for (i = 0; i < sizeof(paper->behind); i++) {
        clean = clean && !paper->behind[i];
    }
    tap_ok(clean, "  nothing is written behind the ticket");
    if (paper->ticket.n <= most) {
        throttle_settle(&shared, &paper->ticket, LOGIN_OUTCOME_VOID, 0);
    }
    free(paper);
    tap_ok(fail((who_t){"alice", "192.0.2.1", NULL, 1}, 100, 0) == 10,
           "  and all of it is given back");
}

static void blocks(void)
{
    seam_t mute = seam_system;
    shared_t other;
    apr_uint64_t one, two;
    slice_t ab[] = {slice_of("a"), slice_of("b")}, whole = slice_of("ab");
    void *memory;

    begin();
    one = shared_key(&shared, SHARED_LOGIN, 0, ab, 2);
    tap_ok(one == shared_key(&shared, SHARED_LOGIN, 0, ab, 2) &&
               one != shared_key(&shared, SHARED_LOGIN, 0, &whole, 1) &&
               one != shared_key(&shared, SHARED_LOGIN, 1, ab, 2) &&
               one != shared_key(&shared, SHARED_TOKEN, 0, ab, 2),
           "a key is of table, use and parts");
    begin();
    two = shared_key(&shared, SHARED_LOGIN, 0, ab, 2);
    tap_ok(one != two, "  and of this block alone: nobody can work it out");
    tap_ok(shared_map(&other, shared.block, shared_size() - 8, 1, 1) == -1,
           "another size: refused");
    ((unsigned char *)shared.block)[8]++;
    tap_ok(shared_map(&other, shared.block, shared_size(), 1, 1) == -1, "another layout: refused");
    mute.random = broken;
    memory = calloc(1, shared_size() + 64);
    tap_ok(shared_make(memory, &mute, 0) == -1 &&
               shared_map(&other, memory, shared_size(), 1, 1) == -1,
           "no random bytes: no block");
    free(memory);
    tap_ok(shared_tick(&shared, 1000) == TALLY_HZ, "a second is %d ticks", TALLY_HZ);
}

int main(void)
{
    if (apr_initialize() || sodium_init() < 0) {
        return 1;
    }
    apr_pool_create(&pool, NULL);
    figures_of_pypi();
    success();
    owner();
    everything_dry();
    networks();
    tokens();
    lingering();
    words();
    a_bill_longer_than_its_ticket();
    blocks();
    free(shared.block);
    return tap_done();
}
