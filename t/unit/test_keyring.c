/* test_keyring.c - the keyring's file and its seals. */
#include "store_kit.h"

#include <fcntl.h>

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_B "/////////////////////////////////////////w=="
#define KEY_C "//////////////////////////////////////////8="

static void put(const kit_t *kit, const char *text, apr_size_t n, mode_t mode)
{
    int fd = open(kit->keyring, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, n) != (ssize_t)n || fchmod(fd, mode)) {
        abort();
    }
    close(fd);
}

typedef struct case_t {
    const char *text;
    const char *says; /* NULL: it opens */
    const char *what;
} case_t;

static const case_t cases[] = {
    {"a " KEY_A "\n", NULL, "one key"},
    {"a " KEY_A, NULL, "no newline at the end"},
    {"# x\n\n  # y\r\na\t  " KEY_A "  \r\nb-2 " KEY_C "\n", NULL, "comments, blanks, two keys"},
    {"", "no key", "an empty file"},
    {"# a " KEY_A "\n", "no key", "only comments"},
    {"a\n", "line 1 must be a name", "a name alone"},
    {"\n" KEY_A "\n", "line 2 must be a name", "a key alone"},
    {"A " KEY_A "\n", "line 1 must be a name", "a capital letter"},
    {"abcdefghijklmnopqrstuvwxyz0123456 " KEY_A "\n", "line 1 must be a name", "a name of 33"},
    {"a AAAA\n", "line 1 has no key of 32", "a short key"},
    {"a " KEY_A KEY_A "\n", "line 1 has no key of 32", "too long a key"},
    {"a " KEY_B "\n", "line 1 has no key of 32", "31 bytes"},
    {"a " KEY_A " more\n", "line 1 has no key of 32", "something after the key"},
    {"a AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n", "line 1 has no key of 32", "no padding"},
    {"a " KEY_A "\na " KEY_C "\n", "line 2 has a name that was used before", "a name twice"},
};

static void files(kit_t *kit)
{
    static const mode_t modes[] = {0604, 0640, 0620, 0601, 0644, 0777};
    const char *wrong;
    keyring_t *k;
    char *big;
    apr_size_t i;

    wrong = keyring_open(&k, kit->keyring, &kit_seam, kit->pool);
    tap_ok(kit_has(wrong, "No such file") && kit_has(wrong, "pypitokenctl init") && !k, "no file");
    for (i = 0; i < STORE_COUNT(cases); i++) {
        put(kit, cases[i].text, strlen(cases[i].text), 0600);
        wrong = keyring_open(&k, kit->keyring, &kit_seam, kit->pool);
        tap_ok(cases[i].says ? kit_has(wrong, cases[i].says) && !k : !wrong && k, "%s%s%s",
               cases[i].what, wrong ? ": " : "", wrong ? wrong : "");
        tap_ok(!wrong || (kit_has(wrong, kit->keyring) && !strstr(wrong, "AAECAwQF")),
               "  names the file and no key");
    }
    put(kit, "a\0 " KEY_A "\n", 4 + strlen(KEY_A), 0600);
    tap_ok(keyring_open(&k, kit->keyring, &kit_seam, kit->pool) != NULL, "a NUL in a name");
    put(kit, "a " KEY_A "\n", 3 + strlen(KEY_A), 0600);
    for (i = 0; i < STORE_COUNT(modes); i++) {
        chmod(kit->keyring, modes[i]);
        wrong = keyring_open(&k, kit->keyring, &kit_seam, kit->pool);
        tap_ok(kit_has(wrong, apr_pstrcat(kit->pool, "chmod 600 ", kit->keyring, NULL)),
               "mode %o is refused with the remedy", (unsigned)modes[i]);
    }
    chmod(kit->keyring, 0400);
    tap_ok(!keyring_open(&k, kit->keyring, &kit_seam, kit->pool), "mode 400 will do");
    big = apr_palloc(kit->pool, 16385);
    memset(big, '\n', 16385);
    chmod(kit->keyring, 0600);
    put(kit, big, 16385, 0600);
    tap_ok(kit_has(keyring_open(&k, kit->keyring, &kit_seam, kit->pool), "larger"), "too large");
    unlink(kit->keyring);
    mkfifo(kit->keyring, 0600);
    tap_ok(kit_has(keyring_open(&k, kit->keyring, &kit_seam, kit->pool), "regular"),
           "a pipe is refused without waiting");
    unlink(kit->keyring);
    tap_ok(kit_has(keyring_open(&k, kit->dir, &kit_seam, kit->pool), "regular"), "a directory");
}

static void creation(kit_t *kit)
{
    mode_t mask = umask(0777);
    const char *wrong = keyring_create(kit->keyring, &kit_seam, kit->pool);
    keyring_t *k, *other;
    struct stat st;

    umask(0);
    tap_ok(!wrong && !stat(kit->keyring, &st) && (st.st_mode & 07777) == 0600,
           "a new keyring has mode 600 under umask 777");
    tap_ok(!keyring_open(&k, kit->keyring, &kit_seam, kit->pool), "  and opens");
    wrong = keyring_create(kit->keyring, &kit_seam, kit->pool);
    tap_ok(kit_has(wrong, "File exists"), "  and is never replaced");
    tap_ok(!keyring_open(&other, kit->keyring, &kit_seam, kit->pool) &&
               kit_is(keyring_current(k), keyring_current(other)),
           "  and is still the same");
    unlink(kit->keyring);
    tap_ok(!keyring_create(kit->keyring, &kit_seam, kit->pool) && !stat(kit->keyring, &st) &&
               (st.st_mode & 07777) == 0600,
           "mode 600 under umask 0 too");
    tap_ok(!keyring_open(&other, kit->keyring, &kit_seam, kit->pool) &&
               !kit_is(keyring_current(k), keyring_current(other)),
           "another keyring has another id");
    unlink(kit->keyring);
    umask(mask);
    kit_random_fails = 1;
    tap_ok(kit_has(keyring_create(kit->keyring, &kit_seam, kit->pool), "random") &&
               stat(kit->keyring, &st),
           "without random bytes no file is made");
    kit_random_fails = 0;
    tap_ok(kit_has(keyring_create("/nonexistent/x", &kit_seam, kit->pool), "No such"),
           "no directory");
}

static const slice_t plain = SLICE("0123456789abcdef0123456789abcdef");
static const slice_t row = SLICE("row\0with NUL");

static int opens(const keyring_t *k, const char *table, slice_t where, slice_t sealed)
{
    unsigned char out[32];
    int rc;

    memset(out, 'x', sizeof(out));
    rc = keyring_unseal(k, table, where, sealed, out, sizeof(out));
    if (rc) {
        return sodium_is_zero(out, sizeof(out)) ? 0 : -1;
    }
    return slice_equal(slice_make((char *)out, sizeof(out)), plain);
}

static void damage(const keyring_t *k, slice_t sealed, apr_pool_t *pool)
{
    char *copy = slice_dup(sealed, pool);
    apr_size_t i, held = 0, cut = 0;

    for (i = 0; i < sealed.n * 8; i++) {
        copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
        held += opens(k, "t", row, slice_make(copy, sealed.n)) != 0;
        copy[i / 8] = (char)(copy[i / 8] ^ (1 << i % 8));
    }
    for (i = 0; i < sealed.n; i++) {
        cut += opens(k, "t", row, slice_make(copy, i)) != 0;
    }
    tap_ok(held == 0, "no flipped bit goes unseen");
    tap_ok(cut == 0, "no cut goes unseen");
    tap_ok(opens(k, "t", row, slice_make(copy, sealed.n)) == 1, "  and undamaged it opens");
    tap_ok(opens(k, "t", row, slice_make(NULL, 0)) == 0, "nothing does not open");
}

static void seals(kit_t *kit)
{
    static const char both[] = "new " KEY_C "\nold " KEY_A "\n", old[] = "old " KEY_A "\n";
    static const char fake[] = "old " KEY_C "\n";
    unsigned char out[33];
    keyring_t *k, *rotated, *wrong;
    slice_t sealed, again;

    put(kit, old, sizeof(old) - 1, 0600);
    keyring_open(&k, kit->keyring, &kit_seam, kit->pool);
    put(kit, both, sizeof(both) - 1, 0600);
    keyring_open(&rotated, kit->keyring, &kit_seam, kit->pool);
    put(kit, fake, sizeof(fake) - 1, 0600);
    keyring_open(&wrong, kit->keyring, &kit_seam, kit->pool);
    sealed = keyring_seal(k, "t", row, plain, kit->pool);
    again = keyring_seal(k, "t", row, plain, kit->pool);
    tap_ok(sealed.n == 4 + 24 + 32 + 16 && slice_starts(sealed, "old") && !sealed.p[3],
           "the sealed form is key id, NUL, nonce, ciphertext");
    tap_ok(!slice_equal(sealed, again), "each seal has a nonce of its own");
    tap_ok(opens(k, "t", row, sealed) == 1 && opens(k, "t", row, again) == 1, "both open");
    tap_ok(opens(k, "u", row, sealed) == 0, "not for another table");
    tap_ok(opens(k, "t", slice_make(row.p, row.n - 1), sealed) == 0, "not for another row");
    tap_ok(opens(k, "t", slice_make("row\0with NUM", row.n), sealed) == 0, "nor a similar one");
    tap_ok(opens(k, "t", slice_make(NULL, 0), sealed) == 0, "not for no row");
    tap_ok(opens(wrong, "t", row, sealed) == 0, "not with another key of that name");
    tap_ok(keyring_unseal(k, "t", row, sealed, out, 31) &&
               keyring_unseal(k, "t", row, sealed, out, 33),
           "not as another length");
    tap_ok(opens(rotated, "t", row, sealed) == 1, "after a rotation the old key still opens");
    tap_ok(kit_is(keyring_current(rotated), "new") && !keyring_is_current(rotated, sealed) &&
               keyring_is_current(k, sealed),
           "  and is known to be old");
    again = keyring_seal(rotated, "t", row, plain, kit->pool);
    tap_ok(keyring_is_current(rotated, again) && opens(rotated, "t", row, again) == 1 &&
               opens(k, "t", row, again) == 0,
           "  and the new one seals");
    tap_ok(!keyring_is_current(k, slice_make(NULL, 0)) && !keyring_is_current(k, again),
           "nothing, and what others sealed, is not current");
    kit_random_fails = 1;
    tap_ok(keyring_seal(k, "t", row, plain, kit->pool).n == 0, "no random bytes, no seal");
    kit_random_fails = 0;
    again = keyring_seal(k, "t", slice_make(NULL, 0), slice_make(NULL, 0), kit->pool);
    tap_ok(again.n && keyring_unseal(k, "t", slice_make(NULL, 0), again, out, 0) == 0,
           "nothing can be sealed");
    damage(k, sealed, kit->pool);
}

int main(void)
{
    kit_t kit;

    kit_begin(&kit);
    files(&kit);
    creation(&kit);
    seals(&kit);
    return kit_end(&kit);
}
