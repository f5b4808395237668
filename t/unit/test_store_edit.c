/* test_store_edit.c - token rows that somebody edited in the database. */
#include "store_kit.h"

#define ID_A "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define ID_B "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"

static unsigned char root[MACAROON_KEY_BYTES];

typedef struct edit_t {
    const char *what, *sql;
    store_rc_t rc;
} edit_t;

#define OF_A        " WHERE id = '" ID_A "'"
#define CAVEAT_OF_A " WHERE token_id = '" ID_A "'"

static const edit_t edits[] = {
    {"nothing", "SELECT 1", STORE_OK},
    {"another owner", "UPDATE tokens SET user_id = (SELECT id FROM users WHERE name = 'bob')" OF_A,
     STORE_SEALED},
    {"the key of another row",
     "UPDATE tokens SET sealed_key = (SELECT sealed_key FROM tokens WHERE id = '" ID_B "')" OF_A,
     STORE_SEALED},
    {"the id of another row",
     "DELETE FROM tokens WHERE id = '" ID_A "'; UPDATE tokens SET id = '" ID_A "'", STORE_SEALED},
    {"an earlier creation", "UPDATE tokens SET created = created - 1" OF_A, STORE_SEALED},
    {"a later expiry", "UPDATE tokens SET expires = expires + 1" OF_A, STORE_SEALED},
    {"no expiry", "UPDATE tokens SET expires = 0" OF_A, STORE_SEALED},
    {"a caveat edited", "UPDATE token_caveats SET caveat = x'6f6e66'" CAVEAT_OF_A " AND seq = 0",
     STORE_SEALED},
    {"a caveat removed", "DELETE FROM token_caveats" CAVEAT_OF_A " AND seq = 1", STORE_SEALED},
    {"all caveats removed", "DELETE FROM token_caveats" CAVEAT_OF_A, STORE_SEALED},
    {"a caveat added", "INSERT INTO token_caveats VALUES ('" ID_A "', 9, x'')", STORE_SEALED},
    {"caveats the other way round", "UPDATE token_caveats SET seq = -seq" CAVEAT_OF_A,
     STORE_SEALED},
    {"the bytes of two caveats in one",
     "UPDATE token_caveats SET caveat = x'6f6e6574776f'" CAVEAT_OF_A
     " AND seq = 0; UPDATE token_caveats SET caveat = x''" CAVEAT_OF_A " AND seq = 1",
     STORE_SEALED},
    {"no key", "UPDATE tokens SET sealed_key = x''" OF_A, STORE_SEALED},
    {"a short key", "UPDATE tokens SET sealed_key = substr(sealed_key, 1, 40)" OF_A, STORE_SEALED},
    {"a key that is a text", "UPDATE tokens SET sealed_key = 'x'" OF_A, STORE_DOWN},
    {"an expiry that is a word", "UPDATE tokens SET expires = 'never'" OF_A, STORE_DOWN},
    {"a caveat that is a number", "UPDATE token_caveats SET caveat = 5" CAVEAT_OF_A, STORE_DOWN},
    {"no owner", "DELETE FROM users WHERE name = 'alice'", STORE_NOTFOUND},
    {"another name (not bound)", "UPDATE tokens SET name = 'x', scope = 'user'" OF_A, STORE_OK},
    {"a use and a revocation (not bound)", "UPDATE tokens SET used = 5, revoked = 5" OF_A,
     STORE_OK},
};

static store_rc_t find_a(kit_t *kit)
{
    unsigned char key[MACAROON_KEY_BYTES];
    apr_pool_t *pool;
    store_token_t t;
    store_rc_t rc;
    store_t *s;

    apr_pool_create(&pool, kit->pool);
    s = kit_open(kit, NULL, pool);
    rc = store_token_find(s, slice_of(ID_A), &t, key, pool);
    if ((rc == STORE_OK) != (sodium_memcmp(key, root, sizeof(key)) == 0) ||
        (rc != STORE_OK && (t.id || !sodium_is_zero(key, sizeof(key))))) {
        tap_ok(0, "key and row, or neither");
    }
    apr_pool_destroy(pool);
    return rc;
}

static void edited(kit_t *kit, const char *origin)
{
    store_config_t config = kit->config;
    store_rc_t rc;
    apr_size_t i;

    for (i = 0; i < STORE_COUNT(edits); i++) {
        if (kit_mysql && edits[i].rc == STORE_DOWN) {
            continue; /* of a value of another type: a server's columns take none */
        }
        kit_restore(kit, origin);
        kit_edit(kit->db, edits[i].sql);
        rc = find_a(kit);
        tap_ok(rc == edits[i].rc, "a token row with %s: %d", edits[i].what, rc);
    }
    kit_restore(kit, origin);
    kit->config.keyring = NULL;
    tap_ok(find_a(kit) == STORE_SEALED, "without a keyring");
    kit->config.keyring = apr_pstrcat(kit->pool, kit->dir, "/other", NULL);
    (void)keyring_create(kit->config.keyring, &kit_seam, kit->pool);
    tap_ok(find_a(kit) == STORE_SEALED, "with another keyring");
    kit->config = config;
    tap_ok(find_a(kit) == STORE_OK, "with its own");
    kit_remove(kit);
}

static void origin_make(kit_t *kit)
{
    slice_t caveats[] = {SLICE("one"), SLICE("two")};
    store_token_t t = {0};
    apr_pool_t *pool;
    store_user_t alice;
    store_t *s;

    kit_make(kit);
    apr_pool_create(&pool, kit->pool);
    s = kit_open(kit, NULL, pool);
    randombytes_buf(root, sizeof(root));
    (void)store_user_add(s, "alice", "h", &alice, pool);
    (void)store_user_add(s, "bob", NULL, NULL, pool);
    t.id = ID_A;
    t.user_id = alice.id;
    t.name = "n";
    t.scope = "p";
    t.caveats = caveats;
    t.n_caveats = 2;
    t.expires = kit_time + 3600;
    tap_ok(store_token_add(s, &t, root, pool) == STORE_OK, "a token");
    t.id = ID_B;
    tap_ok(store_token_add(s, &t, root, pool) == STORE_OK, "another with the same key");
    apr_pool_destroy(pool);
}

int main(void)
{
    const char *origin;
    kit_t kit;

    kit_begin(&kit);
    origin = apr_pstrcat(kit.pool, kit.dir, "/origin.db", NULL);
    origin_make(&kit);
    kit_copy(kit.db, origin);
    edited(&kit, origin);
    return kit_end(&kit);
}
