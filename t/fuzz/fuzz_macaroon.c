/*
 * fuzz_macaroon.c - binary macaroons: a stranger's, and ours under a stranger's hands.
 *
 * The input is read twice. As a macaroon: what parses is written back to the same bytes, so it has
 * one binary form; cut or lengthened it does not parse; it never verifies under a key that the
 * stranger cannot know; a caveat added to it is added, and moves the signature on as the paper
 * says. As a recipe (location, identifier, caveats): the macaroon made of it verifies, under its
 * key alone, and still does after writing and reading; without a caveat, with two exchanged, or
 * with a bit turned over it does not, unless the bit was one of the location, which is not signed.
 */
#include "core/macaroon.h"

#include "fuzz.h"

#define FUZZ_CAVEATS 8

static const char fuzz_key[MACAROON_KEY_BYTES] = "a key that no stranger can know";

static slice_t fuzz_key_slice(void)
{
    return slice_make(fuzz_key, sizeof(fuzz_key));
}

static int fuzz_parses(slice_t raw, apr_pool_t *pool)
{
    const char *why = NULL;
    macaroon_t *m;
    char *copy = fuzz_copy(raw);
    verdict_code_t code = macaroon_parse(&m, slice_make(copy, raw.n), &why, pool);

    free(copy);
    FUZZ_HOLDS((code == VERDICT_ALLOWED) == (m != NULL) && (m != NULL) == (why == NULL));
    return m != NULL;
}

/* 1 when both say the same; the location only when told to look at it. */
static int fuzz_same(const macaroon_t *a, const macaroon_t *b, int location)
{
    apr_size_t i;

    if (!slice_equal(a->identifier, b->identifier) || a->n_caveats != b->n_caveats ||
        (location &&
         (!a->location.p != !b->location.p || !slice_equal(a->location, b->location)))) {
        return 0;
    }
    for (i = 0; i < a->n_caveats; i++) {
        if (!slice_equal(a->caveats[i], b->caveats[i])) {
            return 0;
        }
    }
    return memcmp(a->signature, b->signature, sizeof(a->signature)) == 0;
}

static void fuzz_grown(const macaroon_t *m, apr_pool_t *pool)
{
    static const slice_t caveat = SLICE("[1,[]]");
    unsigned char want[MACAROON_SIGNATURE_BYTES];
    crypto_auth_hmacsha256_state state;
    macaroon_t grown = *m;
    macaroon_t *again;
    slice_t raw;

    crypto_auth_hmacsha256_init(&state, m->signature, sizeof(m->signature));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)caveat.p, caveat.n);
    crypto_auth_hmacsha256_final(&state, want);
    if (macaroon_append(&grown, caveat, pool) != 0) {
        FUZZ_HOLDS(fuzz_same(&grown, m, 1));
        return;
    }
    raw = macaroon_serialize(&grown, pool);
    FUZZ_HOLDS(macaroon_parse(&again, raw, NULL, pool) == VERDICT_ALLOWED);
    FUZZ_HOLDS(again->n_caveats == m->n_caveats + 1 &&
               slice_equal(again->caveats[m->n_caveats], caveat));
    FUZZ_HOLDS(memcmp(again->signature, want, sizeof(want)) == 0);
    again->n_caveats--;
    memcpy(again->signature, m->signature, sizeof(m->signature));
    FUZZ_HOLDS(fuzz_same(again, m, 1));
}

static void fuzz_stranger(slice_t raw, apr_pool_t *pool)
{
    char *longer = apr_palloc(pool, raw.n + 1);
    macaroon_t *m;

    if (!fuzz_parses(raw, pool)) {
        return;
    }
    FUZZ_HOLDS(macaroon_parse(&m, raw, NULL, pool) == VERDICT_ALLOWED);
    FUZZ_HOLDS(slice_equal(macaroon_serialize(m, pool), raw));
    FUZZ_HOLDS(!macaroon_verify(m, fuzz_key_slice()));
    memcpy(longer, raw.p, raw.n);
    longer[raw.n] = raw.p[raw.n / 2];
    FUZZ_HOLDS(!fuzz_parses(slice_make(longer, raw.n + 1), pool));
    FUZZ_HOLDS(!fuzz_parses(slice_make(raw.p, raw.n - 1), pool));
    FUZZ_HOLDS(!fuzz_parses(slice_make(raw.p, raw.n / 2), pool));
    fuzz_grown(m, pool);
}

static void fuzz_tampered(const macaroon_t *m, slice_t raw, unsigned bit, apr_pool_t *pool)
{
    char *bent = apr_pmemdup(pool, raw.p, raw.n);
    macaroon_t *other, twin;

    bit %= (unsigned)raw.n * 8;
    bent[bit / 8] = (char)((unsigned char)bent[bit / 8] ^ 1u << bit % 8);
    if (macaroon_parse(&other, slice_make(bent, raw.n), NULL, pool) == VERDICT_ALLOWED &&
        macaroon_verify(other, fuzz_key_slice())) {
        FUZZ_HOLDS(fuzz_same(other, m, 0) && !fuzz_same(other, m, 1));
    }
    if (m->n_caveats) {
        twin = *m;
        twin.n_caveats--;
        FUZZ_HOLDS(!macaroon_verify(&twin, fuzz_key_slice()));
    }
    if (m->n_caveats > 1 && !slice_equal(m->caveats[0], m->caveats[1])) {
        twin = *m;
        twin.caveats[0] = m->caveats[1];
        twin.caveats[1] = m->caveats[0];
        FUZZ_HOLDS(!macaroon_verify(&twin, fuzz_key_slice()));
    }
}

static void fuzz_ours(slice_t rest, apr_pool_t *pool)
{
    unsigned bit = fuzz_byte(&rest) << 8 | fuzz_byte(&rest), n = fuzz_byte(&rest) % FUZZ_CAVEATS;
    slice_t location = fuzz_take(&rest, fuzz_byte(&rest)), raw;
    slice_t identifier = fuzz_take(&rest, fuzz_byte(&rest));
    macaroon_t *m = macaroon_create(location, identifier, fuzz_key_slice(), pool), *again;
    char other[MACAROON_KEY_BYTES];

    if (!m) {
        return;
    }
    while (n--) {
        FUZZ_HOLDS(macaroon_append(m, fuzz_take(&rest, 2 * fuzz_byte(&rest)), pool) == 0);
    }
    FUZZ_HOLDS(macaroon_verify(m, fuzz_key_slice()));
    raw = macaroon_serialize(m, pool);
    FUZZ_HOLDS(macaroon_parse(&again, raw, NULL, pool) == VERDICT_ALLOWED);
    FUZZ_HOLDS(fuzz_same(again, m, 1) && macaroon_verify(again, fuzz_key_slice()));
    FUZZ_HOLDS(slice_equal(macaroon_serialize(again, pool), raw));
    memcpy(other, fuzz_key, sizeof(other));
    other[bit % sizeof(other)] ^= 1;
    FUZZ_HOLDS(!macaroon_verify(m, slice_make(other, sizeof(other))));
    fuzz_tampered(m, raw, bit, pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice_t s = slice_make((const char *)data, size);
    apr_pool_t *pool = fuzz_pool();

    fuzz_stranger(s, pool);
    fuzz_ours(s, pool);
    apr_pool_destroy(pool);
    return 0;
}
