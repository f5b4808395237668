/* bearer.c - a token in, its owner out; see bearer.h for the order of things. */
#include "access/bearer.h"

#include <sodium.h>
#include <string.h>

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
}

verdict_code_t bearer_verify(bearer_t *out, store_t *store, const seam_t *seam, slice_t text,
                             verdict_t *v, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES];
    caveat_context_t context = {0};
    const char *why = NULL;
    verdict_code_t code;
    macaroon_t *m;
    int held = 0;

    memset(out, 0, sizeof(*out));
    code = token_parse(&m, text, &why, pool);
    if (code != VERDICT_ALLOWED) {
        return bearer_refuse(v, code, why, pool);
    }
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
    context.now = seam->now();
    context.user_id = slice_of(out->token.user_id);
    code = bearer_row(&out->token, context.now, v, pool);
    if (code != VERDICT_ALLOWED) {
        goto out;
    }
    bearer_join(out, m, pool);
    code = caveat_check(out->caveats, out->n_caveats, &context, CAVEAT_PHASE_BEARER, v, pool);

out:
    sodium_memzero(key, sizeof(key));
    if (!held) {
        memset(&out->token, 0, sizeof(out->token));
    }
    return code;
}
