/* base64.c - strict base64; see base64.h for the contract. */
#include "core/base64.h"

#include <sodium.h>

#include "core/macaroon.h"

/* libsodium 1.0.18 takes every byte from 0x80 up for the last character of the alphabet, where char
 * is signed. All bytes are looked at: which one it was takes no time to tell. */
static int base64_is_ascii(slice_t text)
{
    unsigned seen = 0;
    apr_size_t i;

    for (i = 0; i < text.n; i++) {
        seen |= (unsigned char)text.p[i];
    }
    return seen < 0x80;
}

static int base64_variant(slice_t text, base64_kind_t kind)
{
    if (kind == BASE64_STANDARD) {
        return sodium_base64_VARIANT_ORIGINAL;
    }
    return text.n && text.p[text.n - 1] == '=' ? sodium_base64_VARIANT_URLSAFE
                                               : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
}

int base64_decode(slice_t *bytes, slice_t text, base64_kind_t kind, apr_pool_t *pool)
{
    apr_size_t room = text.n / 4 * 3 + 3;
    char *to = macaroon_secret(room, pool);
    const char *end = NULL;
    size_t n = 0;

    /* libsodium holds padding against the length, and refuses unused bits that are not zero: else
     * one secret had several spellings */
    if (!base64_is_ascii(text) ||
        sodium_base642bin((unsigned char *)to, room, text.p, text.n, NULL, &n, &end,
                          base64_variant(text, kind)) != 0 ||
        end != text.p + text.n) {
        return 0;
    }
    *bytes = slice_make(to, n);
    return 1;
}
