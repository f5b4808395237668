/*
 * bearer.h - who is this: a token in, its owner out.
 *
 * Order: the text is parsed, the row looked up by identifier, the HMAC chain compared; only then is
 * anything in the token or its row believed or told: owner enabled, not revoked, stored and
 * embedded caveats that need no form. Any thread.
 *
 * An upload that comes with user name and password has a bearer too, of whom bearer_still knows
 * what login_check said: token.user_id, token.user_name, address, asked and epoch are set, the rest
 * is zero.
 */
#ifndef PYPITOKEN_BEARER_H
#define PYPITOKEN_BEARER_H

#include "core/caveat.h"
#include "core/token.h"
#include "store/store.h"

typedef struct bearer_t {
    store_token_t token; /* row, as of this request */
    slice_t *caveats;    /* embedded, then stored */
    apr_size_t n_caveats;
    const caveat_set_t *set; /* the same, read; NULL: there are none */
    slice_t address;         /* of the client, "" when not known: what network caveats look at */
    store_count_t *counts;   /* one for each caveat that limits the number of uses */
    apr_size_t n_counts;
    const macaroon_t *macaroon; /* NULL: a person */
    apr_int64_t asked;          /* the second in which the store was asked for all this */
    apr_int64_t epoch;          /* of a person: see login_epoch */
} bearer_t;

/* address: the client's, as text, or empty to leave networks to permit_upload, which then denies.
 * store NULL: it could not be opened, STORE_DOWN. VERDICT_ALLOWED and *out filled, or a verdict in
 * *v: TOKEN_* , USER_DISABLED, STORE_DOWN. On a verdict after the signature held, out->token is
 * filled too, so that the log can name the token; before that out->token.id is NULL. */
verdict_code_t bearer_verify(bearer_t *out, store_t *store, const seam_t *seam, slice_t text,
                             slice_t address, verdict_t *v, apr_pool_t *pool);

/* The same for a token that was parsed already; what m points to must live as long as *out. */
verdict_code_t bearer_check(bearer_t *out, store_t *store, const seam_t *seam, const macaroon_t *m,
                            slice_t address, verdict_t *v, apr_pool_t *pool);

/* The same once more, at the end of a body that took its time: what was revoked, disabled, narrowed
 * or has run out meanwhile is refused. The store is not asked again in the second in which it
 * was. VERDICT_ALLOWED and *b as it is now; or a verdict in *v as of bearer_check (of a person
 * LOGIN_FAILED: disabled, or another password or second factor), and *b as it was. */
verdict_code_t bearer_still(bearer_t *b, store_t *store, const seam_t *seam, verdict_t *v,
                            apr_pool_t *pool);

#endif
