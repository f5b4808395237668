/*
 * fuzz_token.c - token texts from a stranger.
 *
 * Properties: nothing is read out of bounds; a text that parses is rebuilt to the same text (but
 * for padding and white space), so that a token has one spelling; its identifier is a UUID; it
 * never verifies under our key; bent in its last character it is another token or none.
 */
#include "core/token.h"

#include "fuzz.h"

static void fuzz_bent(const macaroon_t *m, slice_t text, apr_pool_t *pool)
{
    char *bent = apr_pmemdup(pool, text.p, text.n);
    const char *why;
    macaroon_t *twin;

    bent[text.n - 1] = bent[text.n - 1] == 'A' ? 'B' : 'A';
    if (token_parse(&twin, slice_make(bent, text.n), &why, pool) == VERDICT_ALLOWED) {
        FUZZ_HOLDS(memcmp(twin->signature, m->signature, sizeof(m->signature)) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[MACAROON_KEY_BYTES] = "a key that no stranger can know";
    slice_t text = slice_make((const char *)data, size), again;
    char *copy = fuzz_copy(text);
    macaroon_t *m, *twin;
    const char *why;
    apr_pool_t *pool = fuzz_pool();

    if (token_parse(&m, slice_make(copy, size), &why, pool) == VERDICT_ALLOWED) {
        again = slice_of(token_format(m, pool));
        text = slice_trim(text);
        FUZZ_HOLDS(token_looks_like(text) && token_is_uuid(m->identifier));
        FUZZ_HOLDS(again.n <= text.n && memcmp(again.p, text.p, again.n) == 0);
        FUZZ_HOLDS(token_parse(&twin, again, &why, pool) == VERDICT_ALLOWED);
        FUZZ_HOLDS(!macaroon_verify(m, slice_make(key, sizeof(key))));
        fuzz_bent(m, again, pool);
    }
    free(copy);
    apr_pool_destroy(pool);
    return 0;
}
