/* bearer.c - a token in, its owner out; see bearer.h for the order of things. */
#include "access/bearer.h"

#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "access/login.h"

#define BEARER_COUNT_BYTES 16 /* of a counter's name, before it is written in hexadecimal */

static const slice_t bearer_nothing = {NULL, 0};

static verdict_code_t bearer_refuse(verdict_t *v, verdict_code_t code, const char *log,
                                    apr_pool_t *pool)
{
    verdict_set(v, code, bearer_nothing, pool);
    v->log = log;
    return code;
}

/* The row and its key. What the store says is not told apart from "unknown" to the uploader. */
static verdict_code_t bearer_lookup(store_token_t *row, store_t *store, slice_t id,
                                    unsigned char key[MACAROON_KEY_BYTES], verdict_t *v,
                                    apr_pool_t *pool)
{
    switch (store_token_find(store, id, row, key, pool)) {
    case STORE_OK:
        return VERDICT_ALLOWED;
    case STORE_NOTFOUND:
        return bearer_refuse(v, VERDICT_TOKEN_UNKNOWN, NULL, pool);
    case STORE_SEALED:
        return bearer_refuse(v, VERDICT_TOKEN_UNKNOWN,
                             "the row does not open with this keyring: another keyring made it, or "
                             "it was edited in the database",
                             pool);
    case STORE_CONFLICT:
    case STORE_DOWN:
        break;
    }
    return bearer_refuse(v, VERDICT_STORE_DOWN, NULL, pool);
}

static verdict_code_t bearer_row(const store_token_t *row, apr_int64_t now, verdict_t *v,
                                 apr_pool_t *pool)
{
    if (row->user_disabled) {
        return bearer_refuse(v, VERDICT_USER_DISABLED, NULL, pool);
    }
    if (row->revoked) {
        return bearer_refuse(v, VERDICT_TOKEN_REVOKED, NULL, pool);
    }
    if (row->expires && now >= row->expires) {
        return bearer_refuse(v, VERDICT_TOKEN_EXPIRED, NULL, pool);
    }
    return VERDICT_ALLOWED;
}

static void bearer_join(bearer_t *out, const macaroon_t *m, apr_pool_t *pool)
{
    apr_size_t n = m->n_caveats + out->token.n_caveats;

    out->n_caveats = n;
    out->caveats = apr_palloc(pool, (n ? n : 1) * sizeof(*out->caveats));
    memcpy(out->caveats, m->caveats, m->n_caveats * sizeof(*out->caveats));
    if (out->token.n_caveats) {
        memcpy(out->caveats + m->n_caveats, out->token.caveats,
               out->token.n_caveats * sizeof(*out->caveats));
    }
    out->set = caveat_set(out->caveats, n, pool);
}

/* What is counted under one caveat. An embedded one is named by the running signature behind it, so
 * that whoever derives a token with a limit of its own gets a counter of its own; a stored one by
 * its place. Only a hash is kept: the running signature would be a token. */
static void bearer_count(bearer_t *out, apr_int64_t limit, char kind, const void *what,
                         apr_size_t n, apr_pool_t *pool)
{
    unsigned char hash[BEARER_COUNT_BYTES];
    crypto_generichash_state state;
    store_count_t *count = &out->counts[out->n_counts++];
    char *hex = apr_palloc(pool, 2 * sizeof(hash) + 1);

    crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    crypto_generichash_update(&state, (const unsigned char *)out->token.id, TOKEN_UUID_CHARS);
    crypto_generichash_update(&state, (const unsigned char *)&kind, 1);
    crypto_generichash_update(&state, what, n);
    crypto_generichash_final(&state, hash, sizeof(hash));
    sodium_memzero(&state, sizeof(state));
    count->id = sodium_bin2hex(hex, 2 * sizeof(hash) + 1, hash, sizeof(hash));
    count->limit = limit;
}

static void bearer_counts(bearer_t *out, const macaroon_t *m, slice_t key, apr_pool_t *pool)
{
    unsigned char running[MACAROON_SIGNATURE_BYTES];
    apr_size_t i;

    out->counts = apr_pcalloc(pool, (out->n_caveats + 1) * sizeof(*out->counts));
    for (i = 0; i < out->n_caveats; i++) {
        apr_int64_t limit = caveat_set_uses(out->set, i);

        if (limit && i < m->n_caveats) {
            macaroon_running(m, key, i, running);
            bearer_count(out, limit, 'e', running, sizeof(running), pool);
        } else if (limit) {
            char place[8];

            bearer_count(
                out, limit, 's', place,
                (apr_size_t)apr_snprintf(place, sizeof(place), "%d", (int)(i - m->n_caveats)),
                pool);
        }
    }
    sodium_memzero(running, sizeof(running));
}

verdict_code_t bearer_verify(bearer_t *out, store_t *store, const seam_t *seam, slice_t text,
                             slice_t address, verdict_t *v, apr_pool_t *pool)
{
    const char *why = NULL;
    macaroon_t *m;
    verdict_code_t code = token_parse(&m, text, &why, pool);

    if (code != VERDICT_ALLOWED) {
        memset(out, 0, sizeof(*out));
        out->address = address;
        return bearer_refuse(v, code, why, pool);
    }
    return bearer_check(out, store, seam, m, address, v, pool);
}

verdict_code_t bearer_check(bearer_t *out, store_t *store, const seam_t *seam, const macaroon_t *m,
                            slice_t address, verdict_t *v, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES];
    caveat_context_t context = {0};
    verdict_code_t code;
    int held = 0;

    memset(out, 0, sizeof(*out));
    out->address = context.address = address;
    out->macaroon = m;
    out->asked = context.now = seam->now();
    if (!store) {
        return bearer_refuse(v, VERDICT_STORE_DOWN, NULL, pool);
    }
    code = bearer_lookup(&out->token, store, m->identifier, key, v, pool);
    if (code != VERDICT_ALLOWED) {
        goto out;
    }
    if (!macaroon_verify(m, slice_make((const char *)key, sizeof(key)))) {
        code = bearer_refuse(v, VERDICT_TOKEN_SIGNATURE, NULL, pool);
        goto out;
    }
    held = 1;
    context.user_id = slice_of(out->token.user_id);
    code = bearer_row(&out->token, context.now, v, pool);
    if (code != VERDICT_ALLOWED) {
        goto out;
    }
    bearer_join(out, m, pool);
    bearer_counts(out, m, slice_make((const char *)key, sizeof(key)), pool);
    code = caveat_set_check(out->set, &context, CAVEAT_PHASE_BEARER, v, pool);

out:
    sodium_memzero(key, sizeof(key));
    if (!held) {
        memset(&out->token, 0, sizeof(out->token));
    }
    return code;
}

static verdict_code_t bearer_person(bearer_t *b, store_t *store, verdict_t *v, apr_pool_t *pool)
{
    apr_int64_t epoch;
    verdict_code_t code = login_epoch(&epoch, store, slice_of(b->token.user_name), pool);

    if (code == VERDICT_ALLOWED && epoch != b->epoch) {
        code = VERDICT_LOGIN_FAILED;
    }
    return code == VERDICT_ALLOWED
               ? code
               : bearer_refuse(v, code, "not the account any more that it was before the body",
                               pool);
}

verdict_code_t bearer_still(bearer_t *b, store_t *store, const seam_t *seam, verdict_t *v,
                            apr_pool_t *pool)
{
    apr_int64_t now = seam->now();
    verdict_code_t code;
    bearer_t again;

    if (now == b->asked) {
        return VERDICT_ALLOWED;
    }
    if (!b->macaroon) {
        code = bearer_person(b, store, v, pool);
        b->asked = code == VERDICT_ALLOWED ? now : b->asked;
        return code;
    }
    code = bearer_check(&again, store, seam, b->macaroon, b->address, v, pool);
    if (code == VERDICT_ALLOWED) {
        *b = again;
    }
    return code;
}
