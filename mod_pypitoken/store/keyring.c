/* keyring.c - sealing at rest with XChaCha20-Poly1305; see keyring.h for file and format. */
#include "store/keyring.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYRING_ID_MAX   32
#define KEYRING_KEYS_MAX 64
#define KEYRING_FILE_MAX 16384
#define KEYRING_NONCE    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define KEYRING_TAG      crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEYRING_KEY      crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define KEYRING_BASE64   sodium_base64_ENCODED_LEN(KEYRING_KEY, sodium_base64_VARIANT_ORIGINAL)

static const char keyring_head[] = "# Keys that seal the token database: the first one seals, all "
                                   "open.\n# Without them every token is lost; keep a copy, but "
                                   "not where the database's copies are.\n";

typedef struct keyring_key_t {
    char id[KEYRING_ID_MAX + 1];
    unsigned char bytes[KEYRING_KEY];
} keyring_key_t;

struct keyring_t {
    const seam_t *seam;
    keyring_key_t *keys; /* sodium_malloc, read-only once filled */
    apr_size_t n;
};

static apr_status_t keyring_free(void *keys)
{
    sodium_free(keys);
    return APR_SUCCESS;
}

/* ---- reading the file ---- */

static int keyring_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* One line that is not a comment. NULL, or what is wrong with it; never quotes it. */
static const char *keyring_line(keyring_t *k, slice_t line)
{
    keyring_key_t *key = &k->keys[k->n];
    apr_size_t i, n = 0;
    const char *end;
    slice_t text;

    while (n < line.n && keyring_id_char(line.p[n])) {
        n++;
    }
    if (n == 0 || n > KEYRING_ID_MAX || n == line.n || (line.p[n] != ' ' && line.p[n] != '\t')) {
        return "must be a name (1 to 32 of a-z, 0-9 and '-'), a space and a key";
    }
    if (k->n == KEYRING_KEYS_MAX) {
        return "is one key too many";
    }
    memcpy(key->id, line.p, n);
    key->id[n] = '\0';
    for (i = 0; i < k->n; i++) {
        if (slice_equal(slice_of(k->keys[i].id), slice_of(key->id))) {
            return "has a name that was used before";
        }
    }
    text = slice_trim(slice_make(line.p + n, line.n - n));
    if (sodium_base642bin(key->bytes, sizeof(key->bytes), text.p, text.n, NULL, &n, &end,
                          sodium_base64_VARIANT_ORIGINAL) ||
        n != sizeof(key->bytes) || end != text.p + text.n) {
        return "has no key of 32 bytes in base64";
    }
    k->n++;
    return NULL;
}

static const char *keyring_parse(keyring_t *k, const char *path, slice_t text, apr_pool_t *pool)
{
    const char *wrong = NULL;
    int number = 0;

    while (text.n && !wrong) {
        const char *nl = memchr(text.p, '\n', text.n);
        apr_size_t n = nl ? (apr_size_t)(nl - text.p) : text.n;
        slice_t line = slice_trim(slice_make(text.p, n));

        number++;
        if (line.n && line.p[0] != '#') {
            wrong = keyring_line(k, line);
        }
        n += nl != NULL;
        text = slice_make(text.p + n, text.n - n);
    }
    if (wrong) {
        return apr_psprintf(pool, "cannot use the keyring %s: line %d %s", path, number, wrong);
    }
    return k->n ? NULL
                : apr_psprintf(pool, "cannot use the keyring %s: there is no key in it", path);
}

/* Opens without waiting for anything and sees to it that nobody else can read it. */
static const char *keyring_file(int *fd, const char *path, apr_pool_t *pool)
{
    struct stat st;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0 || fstat(*fd, &st)) {
        int error = errno;

        return apr_psprintf(pool, "cannot read the keyring %s: %s%s", path, strerror(error),
                            error == ENOENT ? "; create it with 'pypitokenctl init'" : "");
    }
    if (!S_ISREG(st.st_mode)) {
        return apr_psprintf(pool, "cannot use the keyring %s: it is not a regular file", path);
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        return apr_psprintf(pool,
                            "cannot use the keyring %s: others than its owner have access to it; "
                            "run chmod 600 %s",
                            path, path);
    }
    if (st.st_size > KEYRING_FILE_MAX) {
        return apr_psprintf(pool, "cannot use the keyring %s: it is larger than %d bytes", path,
                            KEYRING_FILE_MAX);
    }
    return NULL;
}

/* Up to KEYRING_FILE_MAX + 1 bytes, or -1. */
static ssize_t keyring_read(int fd, char *text)
{
    apr_size_t n = 0;
    ssize_t got = 1;

    while (got > 0 && n <= KEYRING_FILE_MAX) {
        got = read(fd, text + n, KEYRING_FILE_MAX + 1 - n);
        if (got < 0 && errno == EINTR) {
            got = 1;
        } else if (got > 0) {
            n += (apr_size_t)got;
        }
    }
    return got < 0 || n > KEYRING_FILE_MAX ? -1 : (ssize_t)n;
}

const char *keyring_open(keyring_t **out, const char *path, const seam_t *seam, apr_pool_t *pool)
{
    keyring_t *k = apr_pcalloc(pool, sizeof(*k));
    const char *wrong = NULL;
    char *text = NULL;
    ssize_t n;
    int fd = -1;

    *out = NULL;
    k->seam = seam;
    wrong = keyring_file(&fd, path, pool);
    if (wrong) {
        goto out;
    }
    text = sodium_malloc(KEYRING_FILE_MAX + 1);
    k->keys = sodium_allocarray(KEYRING_KEYS_MAX + 1, sizeof(*k->keys));
    if (!text || !k->keys) {
        wrong = apr_psprintf(pool, "cannot use the keyring %s: no guarded memory is left", path);
        goto out;
    }
    n = keyring_read(fd, text);
    if (n < 0) {
        wrong = apr_psprintf(pool, "cannot read the keyring %s", path);
        goto out;
    }
    wrong = keyring_parse(k, path, slice_make(text, (apr_size_t)n), pool);
    if (!wrong) {
        sodium_mprotect_readonly(k->keys);
        apr_pool_cleanup_register(pool, k->keys, keyring_free, apr_pool_cleanup_null);
        *out = k;
    }

out:
    if (fd >= 0) {
        close(fd);
    }
    sodium_free(text); /* wipes */
    if (wrong) {
        sodium_free(k->keys);
    }
    return wrong;
}

/* ---- a new file ---- */

static int keyring_write(int fd, const char *p, apr_size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno != EINTR) {
            return -1;
        }
        if (done > 0) {
            p += done;
            n -= (apr_size_t)done;
        }
    }
    return 0;
}

/* A file whose name did not reach the disk would be lost with all tokens at a power cut. */
static void keyring_sync_directory(const char *path, apr_pool_t *pool)
{
    const char *slash = strrchr(path, '/');
    const char *directory = !slash ? "."
                            : slash == path
                                ? "/"
                                : apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

const char *keyring_create(const char *path, const seam_t *seam, apr_pool_t *pool)
{
    unsigned char key[KEYRING_KEY], name[4];
    char text[KEYRING_BASE64], hex[2 * sizeof(name) + 1];
    const char *wrong = NULL;
    int fd = -1;

    if (seam->random(key, sizeof(key)) || seam->random(name, sizeof(name))) {
        wrong = apr_psprintf(pool, "cannot create the keyring %s: no random bytes", path);
        goto out;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) {
        wrong = apr_psprintf(pool, "cannot create the keyring %s: %s", path, strerror(errno));
        goto out;
    }
    sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2hex(hex, sizeof(hex), name, sizeof(name));
    if (fchmod(fd, S_IRUSR | S_IWUSR) || keyring_write(fd, keyring_head, strlen(keyring_head)) ||
        keyring_write(fd, "k-", 2) || keyring_write(fd, hex, strlen(hex)) ||
        keyring_write(fd, " ", 1) || keyring_write(fd, text, strlen(text)) ||
        keyring_write(fd, "\n", 1) || fsync(fd)) {
        wrong = apr_psprintf(pool, "cannot create the keyring %s: %s", path, strerror(errno));
        (void)unlink(path);
        goto out;
    }
    keyring_sync_directory(path, pool);

out:
    if (fd >= 0) {
        close(fd);
    }
    sodium_memzero(key, sizeof(key));
    sodium_memzero(text, sizeof(text));
    return wrong;
}

/* ---- sealing ---- */

/* "table\0row\0key-id". Without ambiguity: neither table nor key id holds a NUL. */
static slice_t keyring_place(const char *table, slice_t row, const char *id, apr_pool_t *pool)
{
    apr_size_t t = strlen(table) + 1, i = strlen(id);
    char *p = apr_palloc(pool, t + row.n + 1 + i);

    memcpy(p, table, t);
    if (row.n) {
        memcpy(p + t, row.p, row.n);
    }
    p[t + row.n] = '\0';
    memcpy(p + t + row.n + 1, id, i);
    return slice_make(p, t + row.n + 1 + i);
}

slice_t keyring_seal(const keyring_t *k, const char *table, slice_t row, slice_t plain,
                     apr_pool_t *pool)
{
    const keyring_key_t *key = &k->keys[0];
    apr_size_t head = strlen(key->id) + 1;
    slice_t place = keyring_place(table, row, key->id, pool);
    unsigned char *sealed = apr_palloc(pool, head + KEYRING_NONCE + plain.n + KEYRING_TAG);
    unsigned long long n = 0;

    memcpy(sealed, key->id, head);
    if (k->seam->random(sealed + head, KEYRING_NONCE) ||
        crypto_aead_xchacha20poly1305_ietf_encrypt(
            sealed + head + KEYRING_NONCE, &n, (const unsigned char *)plain.p, plain.n,
            (const unsigned char *)place.p, place.n, NULL, sealed + head, key->bytes)) {
        return slice_make(NULL, 0);
    }
    return slice_make((const char *)sealed, head + KEYRING_NONCE + (apr_size_t)n);
}

/* The key that a sealed value names, or NULL. Key ids are no secrets. */
static const keyring_key_t *keyring_find(const keyring_t *k, slice_t sealed)
{
    const char *nul = sealed.n ? memchr(sealed.p, '\0', sealed.n) : NULL;
    apr_size_t i;

    for (i = 0; nul && i < k->n; i++) {
        if (slice_is(slice_make(sealed.p, (apr_size_t)(nul - sealed.p)), k->keys[i].id)) {
            return &k->keys[i];
        }
    }
    return NULL;
}

int keyring_unseal(const keyring_t *k, const char *table, slice_t row, slice_t sealed,
                   unsigned char *out, apr_size_t n)
{
    const keyring_key_t *key = keyring_find(k, sealed);
    apr_size_t head = key ? strlen(key->id) + 1 : 0;
    const unsigned char *nonce;
    apr_pool_t *pool;
    slice_t place;
    int rc = -1;

    if (key && sealed.n == head + KEYRING_NONCE + n + KEYRING_TAG &&
        apr_pool_create(&pool, NULL) == APR_SUCCESS) {
        place = keyring_place(table, row, key->id, pool);
        nonce = (const unsigned char *)sealed.p + head;
        rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
            out, NULL, NULL, nonce + KEYRING_NONCE, n + KEYRING_TAG, (const unsigned char *)place.p,
            place.n, nonce, key->bytes);
        apr_pool_destroy(pool);
    }
    if (rc) {
        sodium_memzero(out, n);
    }
    return rc ? -1 : 0;
}

const char *keyring_current(const keyring_t *k)
{
    return k->keys[0].id;
}

int keyring_is_current(const keyring_t *k, slice_t sealed)
{
    return keyring_find(k, sealed) == &k->keys[0];
}
