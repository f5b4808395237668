/* token.c - the token string and what a new token is made of; see token.h for the contract. */
#include "core/token.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "core/base64.h"
#include "core/caveat.h"

#define TOKEN_PREFIX_CHARS (sizeof(TOKEN_PREFIX) - 1)
#define TOKEN_BASE64_CHARS ((MACAROON_MAX_BYTES + 2) / 3 * 4)

/* Whatever macaroon_append lets grow can be written and read back. */
_Static_assert(TOKEN_PREFIX_CHARS + TOKEN_BASE64_CHARS <= TOKEN_MAX_CHARS,
               "the largest macaroon must fit a token");

int token_looks_like(slice_t text)
{
    return slice_starts(slice_trim(text), TOKEN_PREFIX);
}

static verdict_code_t token_refuse(verdict_code_t code, const char **why, const char *text)
{
    if (why) {
        *why = text;
    }
    return code;
}

verdict_code_t token_parse(macaroon_t **out, slice_t text, const char **why, apr_pool_t *pool)
{
    verdict_code_t code;
    macaroon_t *m;
    slice_t raw;

    *out = NULL;
    text = slice_trim(text);
    if (!token_looks_like(text)) {
        return token_refuse(VERDICT_TOKEN_MALFORMED, why, "it does not begin with " TOKEN_PREFIX);
    }
    if (text.n > TOKEN_MAX_CHARS) {
        return token_refuse(VERDICT_TOKEN_TOO_LONG, why, "the text is too long");
    }
    text.p += TOKEN_PREFIX_CHARS;
    text.n -= TOKEN_PREFIX_CHARS;
    if (text.n == 0) {
        return token_refuse(VERDICT_TOKEN_MALFORMED, why, "nothing after the prefix");
    }
    if (!base64_decode(&raw, text, BASE64_URL, pool)) {
        return token_refuse(VERDICT_TOKEN_MALFORMED, why, "not base64url");
    }
    code = macaroon_parse(&m, raw, why, pool);
    if (code != VERDICT_ALLOWED) {
        return code;
    }
    if (!token_is_uuid(m->identifier)) {
        return token_refuse(VERDICT_TOKEN_UNKNOWN, why, "the identifier is not a UUID");
    }
    *out = m;
    return VERDICT_ALLOWED;
}

char *token_format(const macaroon_t *m, apr_pool_t *pool)
{
    slice_t raw = macaroon_serialize(m, pool);
    apr_size_t room = sodium_base64_ENCODED_LEN(raw.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = macaroon_secret(TOKEN_PREFIX_CHARS + room, pool);

    memcpy(text, TOKEN_PREFIX, TOKEN_PREFIX_CHARS);
    sodium_bin2base64(text + TOKEN_PREFIX_CHARS, room, (const unsigned char *)raw.p, raw.n,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return text;
}

/* An empty caveat is one that could not be written (a name that is not UTF-8). */
static int token_add(macaroon_t *m, slice_t caveat, apr_pool_t *pool)
{
    return caveat.n > 0 && macaroon_append(m, caveat, pool) == 0;
}

/* The ids are left out as soon as one is missing: a list without it would close the token to that
 * project, and the names hold it to the same projects anyway. */
static int token_add_projects(macaroon_t *m, const token_grant_t *grant, apr_pool_t *pool)
{
    apr_size_t i;

    if (!token_add(m, caveat_projects(grant->projects, grant->n_projects, pool), pool)) {
        return 0;
    }
    for (i = 0; i < grant->n_projects; i++) {
        if (!grant->project_ids || grant->project_ids[i].n == 0) {
            return 1;
        }
    }
    return token_add(m, caveat_project_ids(grant->project_ids, grant->n_projects, pool), pool);
}

macaroon_t *token_mint(const token_grant_t *grant, apr_pool_t *pool)
{
    macaroon_t *m;

    if (grant->key.n != MACAROON_KEY_BYTES || !token_is_uuid(grant->identifier) ||
        (grant->n_projects == 0 && grant->user_id.n == 0)) {
        return NULL;
    }
    m = macaroon_create(grant->service, grant->identifier, grant->key, pool);
    if (!m) {
        return NULL;
    }
    if (grant->n_projects ? !token_add_projects(m, grant, pool)
                          : !token_add(m, caveat_user(grant->user_id, pool), pool)) {
        return NULL;
    }
    if (grant->expires &&
        !token_add(m, caveat_expiration(grant->expires, grant->not_before, pool), pool)) {
        return NULL;
    }
    return m;
}

/* Two identifiers that differ from their first character on: what their tokens have in common comes
 * before it, or is the first bit of any character. */
char *token_pattern(slice_t service, apr_pool_t *pool)
{
    static const char low[] = "00000000-0000-4000-8000-000000000000",
                      high[] = "ffffffff-ffff-4fff-bfff-ffffffffffff";
    static const char key[MACAROON_KEY_BYTES] = {0};
    slice_t root = slice_make(key, sizeof(key));
    macaroon_t *a = macaroon_create(service, slice_of(low), root, pool);
    macaroon_t *b = macaroon_create(service, slice_of(high), root, pool);
    const char *first, *second;
    apr_size_t n = 0;

    if (!a || !b) {
        return NULL;
    }
    first = token_format(a, pool);
    second = token_format(b, pool);
    while (first[n] && first[n] == second[n]) {
        n++;
    }
    return apr_psprintf(pool, "%.*s[A-Za-z0-9_-]{%d,}", (int)n, first, (int)strlen(first + n));
}

int token_is_uuid(slice_t s)
{
    apr_size_t i;

    if (s.n != TOKEN_UUID_CHARS) {
        return 0;
    }
    for (i = 0; i < s.n; i++) {
        char c = s.p[i];
        int hyphen = i == 8 || i == 13 || i == 18 || i == 23;

        if (hyphen ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return 0;
        }
    }
    return 1;
}

char *token_uuid(const unsigned char random[16], apr_pool_t *pool)
{
    static const char digits[] = "0123456789abcdef";
    char *text = apr_palloc(pool, TOKEN_UUID_CHARS + 1), *to = text;
    int i;

    for (i = 0; i < 16; i++) {
        unsigned char c = random[i];

        if (i == 6) {
            c = (unsigned char)((c & 0x0f) | 0x40); /* RFC 9562: version 4 */
        } else if (i == 8) {
            c = (unsigned char)((c & 0x3f) | 0x80); /* RFC 9562: variant */
        }
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *to++ = '-';
        }
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    *to = '\0';
    return text;
}
