/*
 * throttle.h - how often something may fail: logins, codes, tokens.
 *
 * Logins. A failed attempt of a stranger costs one out of three buckets: the account's (as typed,
 * whether it exists or not), its network's (an IPv4 address, an IPv6 /64), and that of all
 * together; if something in the form of a code was typed, one out of those for codes as well. What
 * an attempt costs is a matter of what was typed alone, so a bucket that runs dry tells nobody
 * whether the password was right. It is paid before any work and given back when the login was
 * good, so attempts at the same moment cannot slip through, and a success gives back what it paid
 * itself and nothing else. An attempt that is refused costs nothing: nobody can push the end of a
 * wait away.
 *
 * Nobody can lock the owner of an account out from elsewhere: where a person has logged in before
 * (the network, for 30 days, or the browser, by the device cookie of the form) is a known place.
 * Attempts from a known place pay into buckets of that account and place, and no others; a stranger
 * cannot reach those, and does not wait for them. The owner in a place that is new, without the
 * cookie, shares the account's bucket with whoever attacks it, for as long as the attack lasts and
 * half a minute more; he can log in from a known place. One account that is guessed at from a known
 * place's network fills that place's bucket; then the cookie still helps.
 *
 * Tokens. 256 bits cannot be guessed; what is limited is the work that bad tokens make, and a good
 * token is not to suffer for the bad ones beside it: a broken job behind a NAT stops nobody.
 *   - the same bad token (by its text): refused without a look at the store once it has failed ten
 *     times, until its bucket has filled a little;
 *   - a network that sent a hundred bad ones: its tokens are looked up all the same. Those seen to
 *     be good in the last 30 days (by identifier: narrowed ones too) at once, others as long as
 *     there are fewer than ten a second of them on the whole machine.
 * So a good token waits only if it is used for the first time, beside a flood of bad ones that is
 * going on, and then for a second. Bad ones are counted after the look-up, good ones not at all,
 * so that many uploads at once with one token are no matter.
 *
 * Figures. PyPI's for people, as buckets: 10 in 5 minutes means ten at once, then one each 30
 * seconds. PyPI lets everything pass when its counters fail; here they are in memory and do not.
 * Pure but for the block; any thread of any process.
 * Source: warehouse's rate limits; OWASP, "Slow Down Online Guessing Attacks with Device Cookies".
 */
#ifndef PYPITOKEN_THROTTLE_H
#define PYPITOKEN_THROTTLE_H

#include "access/login.h"
#include "access/shared.h"

typedef enum throttle_name_t {
    THROTTLE_ACCOUNT,
    THROTTLE_ADDRESS,
    THROTTLE_ALL,
    THROTTLE_CODE,
    THROTTLE_CODE_ADDRESS,
    THROTTLE_TOKEN,
    THROTTLE_TOKEN_ADDRESS,
    THROTTLE_TOKEN_ALL,
    THROTTLE_NAMES
} throttle_name_t;

#define THROTTLE_RATES 3 /* for each name; unused ones have burst 0 */

typedef struct throttle_figures_t {
    tally_rate_t rates[THROTTLE_NAMES][THROTTLE_RATES];
} throttle_figures_t;

extern const throttle_figures_t throttle_defaults;

/* One line of configuration: name ("account", ...) and "10/5m,20/1h" or "Off". NULL, or a sentence
 * in pool. */
const char *throttle_parse(throttle_figures_t *f, const char *name, const char *rates,
                           apr_pool_t *pool);

/* What one attempt pays for at most: a stranger with a code pays for address and account, for both
 * of codes, and for all together. */
#define THROTTLE_BILL (5 * THROTTLE_RATES)

/* What one attempt paid, and where; between charge and settle. */
typedef struct throttle_ticket_t {
    int n;
    struct {
        shared_table_t table;
        apr_uint64_t key;
        tally_rate_t rate;
    } paid[THROTTLE_BILL];
    apr_uint64_t place; /* the account at this network */
} throttle_ticket_t;

/* device: what the device cookie names, or empty; that it is this user's was checked. Seconds to
 * wait, at least 1, and nothing is paid; or 0 and *ticket is to be settled. */
unsigned throttle_charge(const shared_t *s, const throttle_figures_t *f,
                         const login_attempt_t *attempt, slice_t device, apr_uint32_t now,
                         throttle_ticket_t *ticket);
void throttle_settle(const shared_t *s, const throttle_ticket_t *ticket, login_outcome_t outcome,
                     apr_uint32_t now);

typedef enum throttle_outcome_t {
    THROTTLE_GOOD,    /* the signature held, and it may go on */
    THROTTLE_REFUSED, /* the signature held, but it is revoked, expired, ... */
    THROTTLE_BAD      /* unknown, or the signature does not hold */
} throttle_outcome_t;

/* Before a token is looked up: seconds to wait, or 0. text is all of it, id its identifier. */
unsigned throttle_token_wait(const shared_t *s, const throttle_figures_t *f, slice_t text,
                             slice_t id, const char *address, apr_uint32_t now);

/* After it was; not when the store was down. */
void throttle_token_settle(const shared_t *s, const throttle_figures_t *f, slice_t text, slice_t id,
                           const char *address, throttle_outcome_t outcome, apr_uint32_t now);

#endif
