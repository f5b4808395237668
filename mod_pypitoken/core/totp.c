/* totp.c - one-time codes by liboath; see totp.h. */
#include "core/totp.h"

#include <apr_strings.h>
#include <liboath/oath.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/macaroon.h"

#define TOTP_COUNTERS (2 * TOTP_WINDOW + 1)

typedef struct totp_kind_t {
    totp_hash_t hash;
    const char *word;
    int flags;
} totp_kind_t;

static const totp_kind_t totp_kinds[] = {
    {TOTP_SHA1, "SHA1", 0},
    {TOTP_SHA256, "SHA256", OATH_TOTP_HMAC_SHA256},
    {TOTP_SHA512, "SHA512", OATH_TOTP_HMAC_SHA512},
};
#define TOTP_KINDS (sizeof(totp_kinds) / sizeof(totp_kinds[0]))

static const totp_kind_t *totp_kind(totp_hash_t hash)
{
    apr_size_t i;

    for (i = 0; i < TOTP_KINDS; i++) {
        if (totp_kinds[i].hash == hash) {
            return &totp_kinds[i];
        }
    }
    return NULL;
}

const char *totp_hash_word(totp_hash_t hash)
{
    const totp_kind_t *kind = totp_kind(hash);

    return kind ? kind->word : "?";
}

totp_hash_t totp_hash_of(slice_t word)
{
    apr_size_t i;

    for (i = 0; i < TOTP_KINDS; i++) {
        if (slice_is_nocase(word, totp_kinds[i].word)) {
            return totp_kinds[i].hash;
        }
    }
    return (totp_hash_t)0;
}

int totp_valid(const totp_t *t)
{
    return totp_kind(t->hash) && (t->digits == 6 || t->digits == 8) && t->period >= 15 &&
           t->period <= 300 && t->seed.p && t->seed.n >= TOTP_SEED_LEAST &&
           t->seed.n <= TOTP_SEED_MOST;
}

int totp_code(const totp_t *t, apr_int64_t counter, char code[TOTP_DIGITS_MAX + 1])
{
    memset(code, 0, TOTP_DIGITS_MAX + 1);
    if (!totp_valid(t) || counter < 0 || counter > APR_INT64_MAX / t->period) {
        return -1;
    }
    if (oath_totp_generate2(t->seed.p, t->seed.n, (time_t)(counter * t->period),
                            (unsigned)t->period, 0, (unsigned)t->digits, totp_kind(t->hash)->flags,
                            code) != OATH_OK) {
        sodium_memzero(code, TOTP_DIGITS_MAX + 1);
        return -1;
    }
    return 0;
}

/* Codes are compared over their whole field, so that neither length nor place of a difference shows
 * in time. */
apr_int64_t totp_match(const totp_t *t, slice_t code, apr_int64_t now)
{
    char typed[TOTP_DIGITS_MAX + 1] = "", due[TOTP_DIGITS_MAX + 1];
    apr_int64_t first, matched = -1;
    int i, usable = totp_valid(t) && now >= 0 && code.n && code.n == (apr_size_t)t->digits;

    if (usable) {
        memcpy(typed, code.p, code.n);
    }
    first = totp_valid(t) ? now / t->period - TOTP_WINDOW : 0;
    for (i = TOTP_COUNTERS - 1; i >= 0; i--) {
        int good = totp_code(t, first + i, due) == 0;

        good &= sodium_memcmp(typed, due, sizeof(due)) == 0;
        matched = good & usable ? first + i : matched;
    }
    sodium_memzero(typed, sizeof(typed));
    sodium_memzero(due, sizeof(due));
    return matched;
}

char *totp_base32(slice_t seed, int spaced, apr_pool_t *pool)
{
    size_t n = 0, i;
    char *raw = NULL, *out, *p;

    if (oath_base32_encode(seed.n ? seed.p : "", seed.n, &raw, &n) != OATH_OK || !raw) {
        return macaroon_secret(1, pool);
    }
    out = p = macaroon_secret(n + n / 4 + 1, pool);
    for (i = 0; i < n && raw[i] != '='; i++) {
        if (spaced && i && i % 4 == 0) {
            *p++ = ' ';
        }
        *p++ = raw[i];
    }
    sodium_memzero(raw, n);
    free(raw);
    return out;
}

/* Percent-encoded but for what RFC 3986 calls unreserved; a space is %20, authenticators do not
 * read '+'. */
static const char *totp_escape(slice_t s, apr_pool_t *pool)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = apr_palloc(pool, 3 * s.n + 1), *p = out;
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~') {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    *p = '\0';
    return out;
}

char *totp_uri(const totp_t *t, slice_t issuer, slice_t account, apr_pool_t *pool)
{
    const char *from = totp_escape(issuer, pool), *who = totp_escape(account, pool), *seed;
    apr_size_t room;
    char *out;

    if (!totp_valid(t)) {
        return NULL;
    }
    seed = totp_base32(t->seed, 0, pool);
    room = 2 * strlen(from) + strlen(who) + strlen(seed) + 128;
    out = macaroon_secret(room, pool);
    apr_snprintf(out, room,
                 "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=%s&digits=%d&period=%d", from,
                 who, seed, from, totp_hash_word(t->hash), t->digits, t->period);
    return out;
}
