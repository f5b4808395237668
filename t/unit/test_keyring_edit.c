/* test_keyring_edit.c - new keys in a keyring that is in use, old ones out of it. */
#include "store_kit.h"

#include <sys/file.h>
#include <sys/wait.h>

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_C "//////////////////////////////////////////8="
#define CROWD 8

static apr_pool_t *p;

static void put(const kit_t *kit, const char *text)
{
    int fd = open(kit->keyring, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        abort();
    }
    close(fd);
}

static const char *get(const kit_t *kit)
{
    char *text = apr_pcalloc(p, 20000);
    int fd = open(kit->keyring, O_RDONLY);

    if (fd < 0 || read(fd, text, 19999) < 0) {
        abort();
    }
    close(fd);
    return text;
}

static keyring_t *ring(const kit_t *kit)
{
    keyring_t *k = NULL;
    const char *wrong = keyring_open(&k, kit->keyring, &kit_seam, p);

    if (wrong) {
        tap_ok(0, "%s", wrong);
        exit(1);
    }
    return k;
}

static const slice_t plain = SLICE("0123456789abcdef0123456789abcdef");

static int opens(const keyring_t *k, slice_t sealed)
{
    unsigned char out[32];

    return keyring_unseal(k, "t", plain, sealed, out, sizeof(out)) == 0;
}

/* From one key to another, and the first one goes. */
static void rotation(kit_t *kit)
{
    const char *id = NULL, *none, *before;
    slice_t by_a, by_new;
    struct stat st;
    keyring_t *k;

    put(kit, "# mine\na " KEY_A "\n\n# yours\nb " KEY_C);
    by_a = keyring_seal(ring(kit), "t", plain, plain, p);
    chmod(kit->keyring, 0400);
    tap_ok(!keyring_prepare(kit->keyring, &kit_seam, &id, p) && id, "a key is prepared: %s", id);
    k = ring(kit);
    tap_ok(keyring_count(k) == 3 && kit_is(keyring_current(k), "a") &&
               kit_is(keyring_prepared(k), id) && kit_is(keyring_id(k, 2), id) && opens(k, by_a),
           "  the old one still seals");
    tap_ok(!stat(kit->keyring, &st) && (st.st_mode & 07777) == 0400, "  the mode stays");
    tap_ok(kit_has(get(kit), "# mine\na " KEY_A "\n\n# yours\nb " KEY_C "\nk-"),
           "  and so does what stands there");
    before = get(kit);
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &none, p), "has a prepared key") &&
               !none && kit_is(get(kit), before),
           "no second one");
    tap_ok(kit_has(keyring_promote(kit->keyring, "b", p), "is not prepared") &&
               kit_has(keyring_promote(kit->keyring, "a", p), "is not prepared") &&
               kit_has(keyring_promote(kit->keyring, "c", p), "no key of that name") &&
               kit_is(get(kit), before),
           "no other one becomes the first");
    tap_ok(!keyring_promote(kit->keyring, id, p), "the prepared key becomes the first");
    k = ring(kit);
    by_new = keyring_seal(k, "t", plain, plain, p);
    tap_ok(keyring_count(k) == 3 && kit_is(keyring_current(k), id) && !keyring_prepared(k) &&
               opens(k, by_a) && opens(k, by_new) && keyring_is_current(k, by_new),
           "  it seals, and the old one opens");
    tap_ok(kit_has(keyring_remove(kit->keyring, id, p), "is the one that seals") &&
               kit_has(keyring_remove(kit->keyring, "nix", p), "no key of that name"),
           "what cannot be removed");
    tap_ok(!keyring_remove(kit->keyring, "a", p), "the old key goes");
    k = ring(kit);
    tap_ok(keyring_count(k) == 2 && kit_is(keyring_id(k, 1), "b") && !opens(k, by_a) &&
               opens(k, by_new) && kit_has(get(kit), "# mine\nk-") &&
               kit_has(get(kit), "\n\n# yours\nb " KEY_C "\n"),
           "  and nothing else");
    tap_ok(!keyring_prepare(kit->keyring, &kit_seam, &id, p) &&
               !keyring_remove(kit->keyring, id, p) && !keyring_prepared(ring(kit)),
           "a prepared key can be given up");
    chmod(kit->keyring, 0600);
}

/* The file stays as it is, and nothing is left beside it. */
static void failures(kit_t *kit)
{
    const char *temporary = apr_pstrcat(p, kit->keyring, ".tmp", NULL);
    const char *id, *before = get(kit);
    int i, fd = open(kit->keyring, O_RDONLY);
    char *many = apr_pstrdup(p, "");

    flock(fd, LOCK_EX);
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "somebody else") &&
               kit_is(get(kit), before),
           "while another holds the lock");
    close(fd);
    kit_random_fails = 1;
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "random") &&
               kit_is(get(kit), before),
           "without random bytes");
    kit_random_fails = 0;
    mkdir(temporary, 0700);
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "cannot change") && !id &&
               kit_is(get(kit), before),
           "when no file can be made");
    rmdir(temporary);
    put(kit, "a nonsense\n");
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "line 1 has no key") &&
               kit_is(get(kit), "a nonsense\n"),
           "when it is no keyring");
    chmod(kit->keyring, 0640);
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "chmod 600"),
           "when others can read it");
    chmod(kit->keyring, 0600);
    for (i = 0; i < 64; i++) {
        many = apr_psprintf(p, "%sn%d " KEY_A "\n", many, i);
    }
    put(kit, many);
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "one key too many") &&
               kit_is(get(kit), many),
           "when it is full");
    put(kit, apr_psprintf(p, "a " KEY_A "\n%016380d", 0)); /* one long line of zeros */
    before = get(kit);
    tap_ok(keyring_prepare(kit->keyring, &kit_seam, &id, p) && kit_is(get(kit), before),
           "when there is no room");
    unlink(kit->keyring);
    tap_ok(kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "No such file"),
           "when it is not there");
    fd = open(temporary, O_WRONLY | O_CREAT, 0600);
    close(fd);
    put(kit, "a " KEY_A "\n");
    tap_ok(!keyring_prepare(kit->keyring, &kit_seam, &id, p) && access(temporary, F_OK),
           "what a dead one left does not matter");
}

static void formats(kit_t *kit)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"a " KEY_A "\nb " KEY_C " prepared\n", NULL},
        {"a " KEY_A "\nb " KEY_C "\tprepared \n", NULL},
        {"a " KEY_A " prepared\n", "line 1 is a prepared key, but the first one seals"},
        {"a " KEY_A "\nb " KEY_C " prepared\nc " KEY_C " prepared\n", "line 3 is a second"},
        {"a " KEY_A "\nb " KEY_C " prepared more\n", "line 2 has no key"},
        {"a " KEY_A "\nb " KEY_C " Prepared\n", "line 2 has no key"},
        {"a " KEY_A "\nb prepared\n", "line 2 has no key"},
    };
    keyring_t *k;
    apr_size_t i;

    for (i = 0; i < STORE_COUNT(cases); i++) {
        const char *wrong;

        put(kit, cases[i].text);
        wrong = keyring_open(&k, kit->keyring, &kit_seam, p);
        tap_ok(cases[i].says ? kit_has(wrong, cases[i].says)
                             : !wrong && kit_is(keyring_prepared(k), "b"),
               "format %d%s%s", (int)i, wrong ? ": " : "", wrong ? wrong : "");
    }
}

static void links(kit_t *kit)
{
    const char *link = apr_pstrcat(p, kit->dir, "/link", NULL), *id;
    struct stat st;

    put(kit, "a " KEY_A "\n");
    tap_ok(!symlink("keyring", link) && !keyring_prepare(link, &kit_seam, &id, p) &&
               !lstat(link, &st) && S_ISLNK(st.st_mode) && keyring_prepared(ring(kit)),
           "a link stays one, and what it names is changed");
    unlink(link);
}

/* One byte more than the file may have would be read by nobody. */
static void full(kit_t *kit)
{
    static const char head[] = "a " KEY_A "\n#";
    char text[16384 + 1];
    const char *id;

    memset(text, 'x', sizeof(text));
    memcpy(text, head, strlen(head));
    memcpy(text + sizeof(text) - 3, "\n\n", 3);
    put(kit, text);
    tap_ok(keyring_count(ring(kit)) == 1 &&
               kit_has(keyring_prepare(kit->keyring, &kit_seam, &id, p), "too large") && !id &&
               kit_is(get(kit), text),
           "a keyring that has no room for a key stays as it is");
}

static void crowd(kit_t *kit)
{
    int i, status, good = 0;
    const char *id;

    put(kit, "a " KEY_A "\n");
    fflush(stdout);
    for (i = 0; i < CROWD; i++) {
        if (fork() == 0) {
            _exit(keyring_prepare(kit->keyring, &kit_seam, &id, p) ? 1 : 0);
        }
    }
    for (i = 0; i < CROWD; i++) {
        good += wait(&status) > 0 && status == 0;
    }
    tap_ok(good == 1 && keyring_count(ring(kit)) == 2, "of %d at once one prepares a key", CROWD);
}

int main(void)
{
    kit_t kit;

    kit_begin(&kit);
    apr_pool_create(&p, kit.pool);
    rotation(&kit);
    failures(&kit);
    formats(&kit);
    links(&kit);
    full(&kit);
    crowd(&kit);
    apr_pool_destroy(p);
    return kit_end(&kit);
}
