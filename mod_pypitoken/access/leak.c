/* leak.c - tokens that got out; see leak.h. */
#include "access/leak.h"

#include <sodium.h>
#include <string.h>

/* How many '-' and '_' of its own a token may end in: its end is a signature, where each character
 * is one of them with a chance of 1 to 32. */
#define LEAK_OWN 8

static int leak_around(char c)
{
    return c == '-' || c == '_' || c == '=';
}

/* Text around a token may end in characters that could belong to it: any number of them, of which
 * the token has few. Its padding it does not need. A macaroon knows its own length, so that one
 * length at most is a token, and the shortest are tried: a long tail costs no more than a short
 * one. */
static macaroon_t *leak_parse(slice_t text, apr_pool_t *pool)
{
    macaroon_t *m = NULL;
    apr_size_t most;

    text = slice_trim(text);
    most = text.n;
    while (text.n && leak_around(text.p[text.n - 1])) {
        text.n--;
    }
    most = most - text.n < LEAK_OWN ? most : text.n + LEAK_OWN;
    while (token_parse(&m, text, NULL, pool) != VERDICT_ALLOWED && text.n < most) {
        text.n++;
    }
    return m;
}

static void leak_record(store_t *store, const store_token_t *row, const char *detail,
                        const char *address)
{
    store_event_t event = {0};

    event.kind = "token-leaked";
    event.user = row->user_name;
    event.token_id = row->id;
    event.address = address;
    event.detail = detail;
    (void)store_event_add(store, &event);
}

leak_t leak_look(store_t *store, slice_t text, store_token_t *row, apr_pool_t *pool)
{
    unsigned char key[MACAROON_KEY_BYTES];
    macaroon_t *m = leak_parse(text, pool);
    leak_t leak = LEAK_STRANGE;
    store_rc_t rc;

    if (!m) {
        return LEAK_STRANGE;
    }
    rc = store_token_find(store, m->identifier, row, key, pool);
    if (rc == STORE_OK && macaroon_verify(m, slice_make((const char *)key, sizeof(key)))) {
        leak = row->revoked ? LEAK_BEFORE : LEAK_REVOKED;
    } else if (rc == STORE_DOWN) {
        leak = LEAK_DOWN;
    }
    sodium_memzero(key, sizeof(key));
    if (leak == LEAK_STRANGE || leak == LEAK_DOWN) {
        memset(row, 0, sizeof(*row));
    }
    return leak;
}

leak_t leak_revoke(store_t *store, slice_t text, const char *by, const char *detail,
                   const char *address, store_token_t *row, apr_pool_t *pool)
{
    store_token_t found;
    leak_t leak = leak_look(store, text, &found, pool);
    store_rc_t rc;

    if (leak == LEAK_REVOKED) {
        rc = store_token_revoke(store, slice_of(found.id), by);
        leak = rc == STORE_OK ? LEAK_REVOKED : rc == STORE_NOTFOUND ? LEAK_BEFORE : LEAK_DOWN;
    }
    if (leak == LEAK_REVOKED) {
        leak_record(store, &found, detail, address);
    }
    if (row && leak != LEAK_STRANGE && leak != LEAK_DOWN) {
        *row = found;
    }
    return leak;
}
