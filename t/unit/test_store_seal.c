/* test_store_seal.c - other keys for what is sealed, beside those who use it; and who they are. */
#include "store_kit.h"

#include "store/people.h"

#define TOKENS 150

static apr_pool_t *p;
static keyring_t *old_ring, *both, *new_ring;
static unsigned char root[MACAROON_KEY_BYTES];

static const char *id_of(int i)
{
    return apr_psprintf(p, "%08x-aaaa-4aaa-8aaa-aaaaaaaaaaaa", i * 7919);
}

static void put(const kit_t *kit, const char *first, const char *second)
{
    int fd = open(kit->keyring, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const char *text = apr_pstrcat(p, first, second, NULL);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        abort();
    }
    close(fd);
}

static keyring_t *ring(const kit_t *kit, const char *first, const char *second, const seam_t *with)
{
    keyring_t *k;

    put(kit, first, second);
    if (keyring_open(&k, kit->keyring, with, p)) {
        abort();
    }
    return k;
}

static store_t *open_with(kit_t *kit, const keyring_t *keys, const seam_t *with, apr_pool_t *pool)
{
    store_config_t config = kit->config;
    store_t *s = NULL;

    config.keys = keys;
    config.seam = with;
    tap_ok(!store_open(&s, &config, pool), "the store opens");
    return s;
}

/* How many tokens open with the keyring of s. */
static int opened(store_t *s)
{
    unsigned char key[MACAROON_KEY_BYTES];
    store_token_t row;
    int i, n = 0;

    for (i = 0; i < TOKENS; i++) {
        n += store_token_find(s, slice_of(id_of(i)), &row, key, p) == STORE_OK &&
             sodium_memcmp(key, root, sizeof(key)) == 0;
    }
    return n;
}

static void counted(void *baton, const char *table, const char *key_id, apr_int64_t rows)
{
    char *text = baton;
    apr_size_t n = strlen(text);

    apr_snprintf(text + n, 200 - n, "%s %s %d;", table, key_id, (int)rows);
}

static int counts(store_t *s, const char *want)
{
    char text[200] = "";

    if (store_seal_count(s, counted, text) != STORE_OK || strcmp(text, want) != 0) {
        printf("# %s, not %s\n", text, want);
        return 0;
    }
    return 1;
}

/* ---- a seam that ends in the middle, or sees somebody else come in between ---- */

static int left;
static const char *meanwhile, *meanwhile_db;

static int seam_random(void *bytes, apr_size_t n)
{
    if (meanwhile) {
        kit_edit(meanwhile_db, meanwhile);
        meanwhile = NULL;
    }
    return left-- > 0 ? kit_random(bytes, n) : -1;
}

static const seam_t seam = {kit_now, seam_random};

/* ---- keys ---- */

static void tokens_make(store_t *s)
{
    slice_t caveats[] = {SLICE("one"), SLICE("two")};
    store_token_t t = {.name = "", .scope = "user", .caveats = caveats};
    store_user_t alice;
    int i, bad = 0;

    randombytes_buf(root, sizeof(root));
    (void)store_user_add(s, "alice", NULL, &alice, p);
    t.user_id = alice.id;
    for (i = 0; i < TOKENS; i++) {
        t.id = id_of(i);
        t.expires = i % 3 ? 0 : kit_time + 1000;
        t.n_caveats = (apr_size_t)(i % 3);
        bad += store_token_add(s, &t, root, p) != STORE_OK;
    }
    tap_ok(bad == 0 && counts(s, "tokens old 150;"), "%d tokens", TOKENS);
}

static void rotation(kit_t *kit)
{
    store_t *before = open_with(kit, old_ring, &kit_seam, p);
    store_t *during = open_with(kit, both, &seam, p), *after = open_with(kit, new_ring, &seam, p);
    store_reseal_t r;

    tokens_make(before);
    left = 100;
    tap_ok(store_reseal(during, 0, &r) == STORE_DOWN && r.resealed == 64 &&
               counts(before, "tokens new 64;tokens old 86;"),
           "cut off: whole pages are done");
    tap_ok(opened(during) == TOKENS && opened(before) == TOKENS - 64 && opened(after) == 64,
           "  whoever has both keys opens all");
    left = 10000;
    tap_ok(store_reseal(during, 0, &r) == STORE_OK && r.resealed == 86 && r.unopened == 0 &&
               counts(before, "tokens new 150;"),
           "it goes on with those that are left");
    tap_ok(opened(after) == TOKENS && opened(before) == 0, "and the old key opens nothing");
    tap_ok(store_reseal(during, 0, &r) == STORE_OK && r.resealed == 0 && left == 10000 - 86,
           "after that there is nothing to do");
}

static void odd_rows(kit_t *kit)
{
    store_t *s = open_with(kit, both, &seam, p), *back;
    keyring_t *again;
    store_reseal_t r;

    again = ring(kit, "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
                 "new //////////////////////////////////////////8=\n", &seam);
    back = open_with(kit, again, &seam, p);
    kit_edit(kit->db, apr_psprintf(p,
                                   "UPDATE tokens SET expires = 5 WHERE id = '%s'; "
                                   "UPDATE tokens SET sealed_key = x'6d696e650001' WHERE id = '%s'",
                                   id_of(3), id_of(4)));
    meanwhile_db = kit->db;
    meanwhile = apr_psprintf(p, "UPDATE tokens SET sealed_key = x'00' WHERE id = '%s'", id_of(0));
    tap_ok(store_reseal(back, 0, &r) == STORE_OK && r.unopened == 2 && r.resealed == TOKENS - 3,
           "what no key opens stays, and what somebody changed meanwhile (%d, %d)", (int)r.resealed,
           (int)r.unopened);
    tap_ok(counts(s, "tokens ? 1;tokens old 147;tokens new 1;tokens mine 1;"), "  as it was");
    tap_ok(opened(back) == TOKENS - 3, "  and all others open");
    s = open_with(kit, NULL, &seam, p);
    s->keys = NULL;
    tap_ok(store_reseal(s, 0, &r) == STORE_SEALED, "without a keyring nothing can be done");
}

/* Second factors, in force and waiting. */
static void second_factors(kit_t *kit)
{
    store_t *before = open_with(kit, old_ring, &kit_seam, p);
    store_t *during = open_with(kit, both, &kit_seam, p),
            *after = open_with(kit, new_ring, &kit_seam, p);
    people_totp_t force = {.hash = 1, .digits = 6, .period = 30, .seed = "f", .seed_n = 20};
    people_totp_t waits = {.hash = 3, .digits = 8, .period = 30, .seed = "w", .seed_n = 64};
    store_reseal_t r;
    store_user_t bob;
    people_t found;

    kit_edit(kit->db, "DELETE FROM tokens");
    (void)store_user_add(before, "bob", NULL, &bob, p);
    tap_ok(people_totp_begin(before, bob.id, &force, p) == STORE_OK &&
               people_totp_confirm(before, bob.id, force.id, 1) == STORE_OK &&
               people_totp_begin(before, bob.id, &waits, p) == STORE_OK &&
               counts(before, "totp old 2;"),
           "two second factors");
    tap_ok(store_reseal(during, 0, &r) == STORE_OK && r.resealed == 2 && r.unopened == 0 &&
               counts(before, "totp new 2;"),
           "are sealed anew");
    memset(&waits, 0, sizeof(waits));
    tap_ok(people_find(after, slice_of("bob"), "bob", &found, p) == STORE_OK &&
               found.totp.seed[0] == 'f' && found.totp.seed_n == 20 && found.totp.counter == 1 &&
               people_totp_waiting(after, bob.id, &waits, p) == STORE_OK && waits.seed[0] == 'w' &&
               waits.seed_n == 64 &&
               people_find(before, slice_of("bob"), "bob", &found, p) == STORE_SEALED,
           "  and open with the new key alone");
}

/* ---- front ends ---- */

static char fronts[400];

static int front_row(void *baton, const store_front_t *row)
{
    apr_size_t n = strlen(fronts);

    (void)baton;
    apr_snprintf(fronts + n, sizeof(fronts) - n, "%s %d %d;", row->key_ids, (int)row->schema,
                 (int)(row->seen - kit_time));
    return row->pid != getpid() || !row->host[0];
}

static int listed(store_t *s, const char *want)
{
    fronts[0] = '\0';
    if (store_front_list(s, front_row, NULL) != STORE_OK || strcmp(fronts, want) != 0) {
        printf("# %s, not %s\n", fronts, want);
        return 0;
    }
    return 1;
}

static void presence(kit_t *kit)
{
    store_t *s = open_with(kit, both, &kit_seam, p), *a, *b;
    apr_pool_t *first, *second;
    store_schema_t schema;
    const char *one, *two;

    (void)store_schema(s, &schema);
    one = apr_psprintf(p, "new old %d 0;", schema.want);
    two = apr_psprintf(p, "new old %d 0;new old %d 70;", schema.want, schema.want);
    kit->config.serve = 1;
    apr_pool_create(&first, p);
    apr_pool_create(&second, p);
    a = open_with(kit, both, &kit_seam, first);
    tap_ok(listed(s, ""), "whoever has not ticked is not on the list");
    store_tick(a);
    tap_ok(listed(s, one), "one front end");
    kit_time += 30;
    store_tick(a);
    kit_time -= 30;
    tap_ok(listed(s, one), "  which does not tell too often");
    kit_time += 70;
    b = open_with(kit, both, &kit_seam, second);
    store_tick(b);
    kit_time -= 70;
    tap_ok(listed(s, two), "two");
    kit_time += 70;
    store_tick(a);
    kit_time += STORE_FRONT_ALIVE;
    tap_ok(listed(s, apr_psprintf(p, "new old %d %d;new old %d %d;", schema.want,
                                  -STORE_FRONT_ALIVE, schema.want, -STORE_FRONT_ALIVE)),
           "  which are alive for a while");
    kit_time++;
    tap_ok(listed(s, ""), "  and then are not");
    store_tick(b);
    tap_ok(listed(s, one), "  unless they tell again");
    kit_time += 86400 + STORE_FRONT_ALIVE;
    apr_pool_destroy(second);
    second = NULL;
    apr_pool_destroy(first);
    tap_ok(listed(s, ""), "those that end well leave the list");
    apr_pool_create(&first, p);
    a = open_with(kit, both, &kit_seam, first);
    kit_edit(kit->db, "INSERT INTO front_ends VALUES ('dead', 'x', 1, '', 1, 5)");
    store_tick(a);
    tap_ok(kit_number(kit->db, "SELECT COUNT(*) FROM front_ends") == 1,
           "  and the dead are forgotten when somebody comes");
    apr_pool_destroy(first);
    kit->config.serve = 0;
}

static void knowledge(void)
{
    store_front_t f = {.key_ids = "k-1 k-22 k-3"};

    tap_ok(store_front_knows(&f, "k-1", 0) && store_front_knows(&f, "k-22", 0) &&
               store_front_knows(&f, "k-3", 0) && !store_front_knows(&f, "k-2", 0) &&
               !store_front_knows(&f, "k-", 0) && !store_front_knows(&f, "", 0),
           "who knows which key");
    tap_ok(store_front_knows(&f, "k-1", 1) && !store_front_knows(&f, "k-22", 1),
           "who seals with it");
    f.key_ids = "";
    tap_ok(!store_front_knows(&f, "k-1", 0) && !store_front_knows(&f, "k-1", 1), "who has none");
}

int main(void)
{
    static const char a[] = "old AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    static const char b[] = "new //////////////////////////////////////////8=\n";
    kit_t kit;

    kit_begin(&kit);
    apr_pool_create(&p, kit.pool);
    kit_make(&kit);
    old_ring = ring(&kit, a, "", &kit_seam);
    both = ring(&kit, b, a, &seam);
    new_ring = ring(&kit, b, "", &kit_seam);
    rotation(&kit);
    odd_rows(&kit);
    second_factors(&kit);
    presence(&kit);
    knowledge();
    apr_pool_destroy(p);
    return kit_end(&kit);
}
