/* throttle.c - which buckets an attempt pays into; see throttle.h for what and why. */
#include "access/throttle.h"

#include <apr_strings.h>
#include <string.h>

#define THROTTLE_SECOND ((apr_uint32_t)TALLY_HZ)
#define THROTTLE_MINUTE (60 * THROTTLE_SECOND)
#define THROTTLE_HOUR   (60 * THROTTLE_MINUTE)
#define THROTTLE_DAY    (24 * THROTTLE_HOUR)
#define THROTTLE_KNOWN  (30 * THROTTLE_DAY)
/* A mark that has less than this to go is made new when it is met. */
#define THROTTLE_RENEW (29 * THROTTLE_DAY)

const throttle_figures_t throttle_defaults = {{
    [THROTTLE_ACCOUNT] = {{10, 5 * THROTTLE_MINUTE}},
    [THROTTLE_ADDRESS] = {{10, 5 * THROTTLE_MINUTE}},
    [THROTTLE_ALL] = {{1000, 5 * THROTTLE_MINUTE}},
    [THROTTLE_CODE] = {{5, 5 * THROTTLE_MINUTE}, {20, THROTTLE_HOUR}, {50, THROTTLE_DAY}},
    [THROTTLE_CODE_ADDRESS] = {{10, 5 * THROTTLE_MINUTE}, {50, THROTTLE_HOUR}},
    [THROTTLE_TOKEN] = {{10, 5 * THROTTLE_MINUTE}},
    [THROTTLE_TOKEN_ADDRESS] = {{100, 5 * THROTTLE_MINUTE}},
    [THROTTLE_TOKEN_ALL] = {{600, THROTTLE_MINUTE}},
}};

/* ---- configuration ---- */

static const char *const throttle_words[THROTTLE_NAMES] = {
    [THROTTLE_ACCOUNT] = "account",
    [THROTTLE_ADDRESS] = "address",
    [THROTTLE_ALL] = "all",
    [THROTTLE_CODE] = "code",
    [THROTTLE_CODE_ADDRESS] = "code-address",
    [THROTTLE_TOKEN] = "token",
    [THROTTLE_TOKEN_ADDRESS] = "token-address",
    [THROTTLE_TOKEN_ALL] = "token-all",
};

/* Digits at *at, from 1 to most; 0 when there are none such. */
static apr_uint32_t throttle_number(const char **at, apr_uint32_t most)
{
    apr_uint64_t n = 0;

    while (**at >= '0' && **at <= '9' && n <= most) {
        n = n * 10 + (apr_uint64_t)(*(*at)++ - '0');
    }
    return n <= most ? (apr_uint32_t)n : 0;
}

/* "10/5m" at *at. */
static int throttle_rate(const char **at, tally_rate_t *rate)
{
    static const struct {
        char letter;
        apr_uint32_t ticks;
    } units[] = {
        {'s', THROTTLE_SECOND}, {'m', THROTTLE_MINUTE}, {'h', THROTTLE_HOUR}, {'d', THROTTLE_DAY}};
    apr_uint32_t n;
    apr_size_t i;

    rate->burst = throttle_number(at, 1000000);
    if (!rate->burst || *(*at)++ != '/') {
        return 0;
    }
    n = throttle_number(at, 86400);
    for (i = 0; i < sizeof(units) / sizeof(*units) && units[i].letter != **at; i++) {
    }
    if (!n || i == sizeof(units) / sizeof(*units) || n > 30 * THROTTLE_DAY / units[i].ticks) {
        return 0;
    }
    (*at)++;
    rate->period = n * units[i].ticks;
    return rate->burst <= rate->period;
}

const char *throttle_parse(throttle_figures_t *f, const char *name, const char *rates,
                           apr_pool_t *pool)
{
    tally_rate_t parsed[THROTTLE_RATES] = {{0, 0}};
    const char *at = rates;
    int k, n = 0, good = 1;

    for (k = 0; k < THROTTLE_NAMES && strcasecmp(throttle_words[k], name) != 0; k++) {
    }
    if (k == THROTTLE_NAMES) {
        return apr_psprintf(pool,
                            "there is no limit '%s'; there are account, address, all, code, "
                            "code-address, token, token-address, token-all",
                            name);
    }
    if (strcasecmp(rates, "Off") != 0) {
        do {
            good = throttle_rate(&at, &parsed[n++]);
        } while (good && n < THROTTLE_RATES && *at == ',' && at++);
        if (!good || *at) {
            return apr_psprintf(pool,
                                "'%s' must be Off, or up to %d of NUMBER/TIME with commas between, "
                                "such as 5/5m,20/1h: at most %d a second and 30 days",
                                rates, THROTTLE_RATES, TALLY_HZ);
        }
    }
    memcpy(f->rates[k], parsed, sizeof(parsed));
    return NULL;
}

/* ---- logins ---- */

/* Keys of the login table: a name of throttle_name_t, and the place's variants of two of them. */
#define THROTTLE_PLACE      (THROTTLE_NAMES + THROTTLE_ACCOUNT)
#define THROTTLE_CODE_PLACE (THROTTLE_NAMES + THROTTLE_CODE)

static unsigned throttle_seconds(apr_uint32_t ticks)
{
    return (ticks + TALLY_HZ - 1) / TALLY_HZ;
}

/* Adds the buckets of one name to the bill. what: as the key is to be told apart. */
static void throttle_bill(throttle_ticket_t *t, const shared_t *s, const throttle_figures_t *f,
                          throttle_name_t name, int what, const slice_t *parts, apr_size_t n)
{
    shared_table_t table = name == THROTTLE_ALL ? SHARED_WHOLE : SHARED_LOGIN;
    int i;

    for (i = 0; i < THROTTLE_RATES; i++) {
        if (f->rates[name][i].burst) {
            t->paid[t->n].table = table;
            t->paid[t->n].key = shared_key(s, table, what * THROTTLE_RATES + i, parts, n);
            t->paid[t->n].rate = f->rates[name][i];
            t->n++;
        }
    }
}

static void throttle_back(const shared_t *s, const throttle_ticket_t *t, int n, apr_uint32_t now)
{
    while (n-- > 0) {
        tally_give(&s->tables[t->paid[n].table], t->paid[n].key, t->paid[n].rate, now);
    }
}

/* All buckets pay, or none. */
static apr_uint32_t throttle_pay(const shared_t *s, const throttle_ticket_t *t, apr_uint32_t now)
{
    apr_uint32_t wait = 0, one;
    int i;

    for (i = 0; i < t->n; i++) {
        one = tally_wait(&s->tables[t->paid[i].table], t->paid[i].key, t->paid[i].rate, now);
        wait = one > wait ? one : wait;
    }
    for (i = 0; !wait && i < t->n; i++) {
        wait = tally_take(&s->tables[t->paid[i].table], t->paid[i].key, t->paid[i].rate, now);
        if (wait) {
            throttle_back(s, t, i, now);
        }
    }
    return wait;
}

unsigned throttle_charge(const shared_t *s, const throttle_figures_t *f,
                         const login_attempt_t *attempt, slice_t device, apr_uint32_t now,
                         throttle_ticket_t *ticket)
{
    unsigned char bytes[SHARED_NETWORK];
    slice_t network = shared_network(bytes, attempt->address);
    slice_t place[] = {attempt->user, network, device};
    int code = (attempt->charge & LOGIN_CHARGE_CODE) != 0;
    apr_uint32_t wait;

    ticket->n = 0;
    ticket->place = shared_key(s, SHARED_KNOWN, 0, place, 2);
    if (device.n || tally_left(&s->tables[SHARED_KNOWN], ticket->place, now)) {
        place[1] = device.n ? slice_make(NULL, 0) : network;
        throttle_bill(ticket, s, f, THROTTLE_ACCOUNT, THROTTLE_PLACE, place, 3);
        if (code) {
            throttle_bill(ticket, s, f, THROTTLE_CODE, THROTTLE_CODE_PLACE, place, 3);
        }
    } else {
        throttle_bill(ticket, s, f, THROTTLE_ADDRESS, THROTTLE_ADDRESS, &network, 1);
        throttle_bill(ticket, s, f, THROTTLE_ACCOUNT, THROTTLE_ACCOUNT, &attempt->user, 1);
        if (code) {
            throttle_bill(ticket, s, f, THROTTLE_CODE_ADDRESS, THROTTLE_CODE_ADDRESS, &network, 1);
            throttle_bill(ticket, s, f, THROTTLE_CODE, THROTTLE_CODE, &attempt->user, 1);
        }
        throttle_bill(ticket, s, f, THROTTLE_ALL, THROTTLE_ALL, NULL, 0);
    }
    wait = throttle_pay(s, ticket, now);
    ticket->n = wait ? 0 : ticket->n;
    return throttle_seconds(wait);
}

void throttle_settle(const shared_t *s, const throttle_ticket_t *ticket, login_outcome_t outcome,
                     apr_uint32_t now)
{
    const tally_t *known = &s->tables[SHARED_KNOWN];

    if (outcome == LOGIN_OUTCOME_BAD) {
        return;
    }
    throttle_back(s, ticket, ticket->n, now);
    if (outcome == LOGIN_OUTCOME_GOOD && tally_left(known, ticket->place, now) < THROTTLE_RENEW) {
        tally_mark(known, ticket->place, now + THROTTLE_KNOWN, now);
    }
}

/* ---- tokens ---- */

/* Looks into the buckets of one name, or takes out of them. */
static apr_uint32_t throttle_token_bucket(const shared_t *s, const throttle_figures_t *f,
                                          throttle_name_t name, slice_t part, apr_uint32_t now,
                                          int take)
{
    shared_table_t table = name == THROTTLE_TOKEN_ALL ? SHARED_WHOLE : SHARED_TOKEN;
    apr_uint32_t wait = 0, one;
    int i;

    for (i = 0; i < THROTTLE_RATES; i++) {
        apr_uint64_t key = shared_key(s, table, (int)name * THROTTLE_RATES + i, &part, 1);

        one = (take ? tally_take : tally_wait)(&s->tables[table], key, f->rates[name][i], now);
        wait = one > wait ? one : wait;
    }
    return wait;
}

unsigned throttle_token_wait(const shared_t *s, const throttle_figures_t *f, slice_t text,
                             slice_t id, const char *address, apr_uint32_t now)
{
    unsigned char bytes[SHARED_NETWORK];
    slice_t network = shared_network(bytes, address), none = slice_make(NULL, 0);
    apr_uint32_t wait = throttle_token_bucket(s, f, THROTTLE_TOKEN, text, now, 0);

    if (!wait && throttle_token_bucket(s, f, THROTTLE_TOKEN_ADDRESS, network, now, 0) &&
        !tally_left(&s->tables[SHARED_PROVEN], shared_key(s, SHARED_PROVEN, 0, &id, 1), now)) {
        wait = throttle_token_bucket(s, f, THROTTLE_TOKEN_ALL, none, now, 1);
    }
    return throttle_seconds(wait);
}

void throttle_token_settle(const shared_t *s, const throttle_figures_t *f, slice_t text, slice_t id,
                           const char *address, throttle_outcome_t outcome, apr_uint32_t now)
{
    const tally_t *proven = &s->tables[SHARED_PROVEN];
    apr_uint64_t key = shared_key(s, SHARED_PROVEN, 0, &id, 1);
    unsigned char bytes[SHARED_NETWORK];

    if (outcome == THROTTLE_GOOD) {
        if (tally_left(proven, key, now) < THROTTLE_RENEW) {
            tally_mark(proven, key, now + THROTTLE_KNOWN, now);
        }
        return;
    }
    (void)throttle_token_bucket(s, f, THROTTLE_TOKEN, text, now, 1);
    if (outcome == THROTTLE_BAD) {
        (void)throttle_token_bucket(s, f, THROTTLE_TOKEN_ADDRESS, shared_network(bytes, address),
                                    now, 1);
    }
}
