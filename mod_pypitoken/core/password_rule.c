/* password_rule.c - what may become a password; see password_rule.h. */
#include "core/password_rule.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/macaroon.h"
#include "core/password.h"
#include "core/password_common.h"
#include "core/person.h"

/* Fewer different characters than this are a pattern. */
#define PASSWORD_RULE_DIFFERENT 4

/* Characters of UTF-8; of anything else, no more than its bytes. */
static apr_size_t password_rule_length(slice_t s)
{
    apr_size_t i, n = 0;

    for (i = 0; i < s.n; i++) {
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    }
    return n;
}

static int password_rule_different(slice_t s)
{
    char seen[256] = "";
    apr_size_t i;
    int n = 0;

    for (i = 0; i < s.n; i++) {
        n += !seen[(unsigned char)s.p[i]];
        seen[(unsigned char)s.p[i]] = 1;
    }
    sodium_memzero(seen, sizeof(seen));
    return n;
}

/* lower: in lower case. */
static int password_rule_common(slice_t lower)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    char text[2 * sizeof(hash) + 1];
    apr_size_t low = 0, high = PASSWORD_COMMON_COUNT;

    crypto_generichash(hash, sizeof(hash), (const unsigned char *)lower.p, lower.n, NULL, 0);
    sodium_bin2hex(text, sizeof(text), hash, sizeof(hash));
    while (low < high) {
        apr_size_t middle = (low + high) / 2;
        int order =
            memcmp(text, password_common + middle * PASSWORD_COMMON_WIDTH, PASSWORD_COMMON_WIDTH);

        if (order == 0) {
            return 1;
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle;
    }
    return 0;
}

static slice_t password_rule_lower(slice_t s, apr_pool_t *pool)
{
    char *out = macaroon_secret(s.n + 1, pool);
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        out[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] - 'A' + 'a' : s.p[i]);
    }
    return slice_make(out, s.n);
}

const char *password_rule_check(slice_t password, slice_t name, apr_pool_t *pool)
{
    slice_t lower;

    if (password.n > PASSWORD_MAX) {
        return apr_psprintf(pool, "A password has no more than %d bytes.", PASSWORD_MAX);
    }
    if (password.n && memchr(password.p, '\0', password.n)) {
        return "A password cannot hold a NUL byte.";
    }
    if (password_rule_length(password) < PASSWORD_MIN) {
        return apr_psprintf(pool, "A password needs at least %d characters.", PASSWORD_MIN);
    }
    if (password_rule_different(password) < PASSWORD_RULE_DIFFERENT) {
        return apr_psprintf(pool, "A password needs at least %d different characters.",
                            PASSWORD_RULE_DIFFERENT);
    }
    lower = password_rule_lower(password, pool);
    if (slice_is(lower, person_fold(name, pool))) {
        return "The password must not be the user's name.";
    }
    if (password_rule_common(lower)) {
        return "That is one of the commonest passwords: it is tried first by whoever guesses.";
    }
    return NULL;
}
