/* keyring.c - sealing at rest with XChaCha20-Poly1305; see keyring.h for file and format. */
#include "store/keyring_priv.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/passfile.h"

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

/* The word before the first blank, and what follows it. */
static slice_t keyring_word(slice_t *rest)
{
    apr_size_t n = 0;
    slice_t word;

    *rest = slice_trim(*rest);
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t') {
        n++;
    }
    word = slice_make(rest->p, n);
    *rest = slice_trim(slice_make(rest->p + n, rest->n - n));
    return word;
}

slice_t keyring_line_id(slice_t line)
{
    slice_t id = keyring_word(&line);
    apr_size_t n = 0;

    while (n < id.n && keyring_id_char(id.p[n])) {
        n++;
    }
    return n == id.n && n <= KEYRING_ID_MAX && line.n ? id : slice_make(NULL, 0);
}

/* One line that is not a comment. NULL, or what is wrong with it; never quotes it. */
static const char *keyring_line(keyring_t *k, slice_t line)
{
    keyring_key_t *key = &k->keys[k->n];
    slice_t id = keyring_line_id(line), text;
    const char *end;
    apr_size_t n;

    if (!id.n) {
        return "must be a name (1 to 32 of a-z, 0-9 and '-'), a space and a key";
    }
    if (k->n == KEYRING_KEYS_MAX) {
        return "is one key too many";
    }
    memcpy(key->id, id.p, id.n);
    key->id[id.n] = '\0';
    for (n = 0; n < k->n; n++) {
        if (slice_is(id, k->keys[n].id)) {
            return "has a name that was used before";
        }
    }
    (void)keyring_word(&line);
    text = keyring_word(&line);
    if (sodium_base642bin(key->bytes, sizeof(key->bytes), text.p, text.n, NULL, &n, &end,
                          sodium_base64_VARIANT_ORIGINAL) ||
        n != sizeof(key->bytes) || end != text.p + text.n ||
        (line.n && !slice_is(line, KEYRING_PREPARED))) {
        return "has no key of 32 bytes in base64";
    }
    if (line.n && (k->n == 0 || k->prepared)) {
        return k->n ? "is a second prepared key" : "is a prepared key, but the first one seals";
    }
    k->prepared = line.n ? k->n : k->prepared;
    k->n++;
    return NULL;
}

slice_t keyring_next_line(slice_t *text)
{
    const char *nl = memchr(text->p, '\n', text->n);
    apr_size_t n = nl ? (apr_size_t)(nl - text->p) : text->n;
    slice_t line = slice_trim(slice_make(text->p, n));

    n += nl != NULL;
    *text = slice_make(text->p + n, text->n - n);
    return line;
}

static const char *keyring_parse(keyring_t *k, const char *path, slice_t text, apr_pool_t *pool)
{
    const char *wrong = NULL;
    int number = 0;

    while (text.n && !wrong) {
        slice_t line = keyring_next_line(&text);

        number++;
        if (line.n && line.p[0] != '#') {
            wrong = keyring_line(k, line);
        }
    }
    if (wrong) {
        return apr_psprintf(pool, "cannot use the keyring %s: line %d %s", path, number, wrong);
    }
    return k->n ? NULL
                : apr_psprintf(pool, "cannot use the keyring %s: there is no key in it", path);
}

const char *keyring_file(int *fd, const char *path, apr_pool_t *pool)
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

ssize_t keyring_read(int fd, char *text)
{
    ssize_t n = passfile_fill(fd, text, KEYRING_FILE_MAX + 1);

    return n > KEYRING_FILE_MAX ? -1 : n;
}

const char *keyring_load(keyring_t **out, const char *path, slice_t text, const seam_t *seam,
                         apr_pool_t *pool)
{
    keyring_t *k = apr_pcalloc(pool, sizeof(*k));
    const char *wrong;

    *out = NULL;
    k->seam = seam;
    k->keys = sodium_allocarray(KEYRING_KEYS_MAX + 1, sizeof(*k->keys));
    if (!k->keys) {
        return apr_psprintf(pool, "cannot use the keyring %s: no guarded memory is left", path);
    }
    wrong = keyring_parse(k, path, text, pool);
    if (wrong) {
        sodium_free(k->keys);
        return wrong;
    }
    sodium_mprotect_readonly(k->keys);
    apr_pool_cleanup_register(pool, k->keys, keyring_free, apr_pool_cleanup_null);
    *out = k;
    return NULL;
}

const char *keyring_open(keyring_t **out, const char *path, const seam_t *seam, apr_pool_t *pool)
{
    const char *wrong;
    char *text = NULL;
    ssize_t n;
    int fd = -1;

    *out = NULL;
    wrong = keyring_file(&fd, path, pool);
    if (wrong) {
        goto out;
    }
    text = sodium_malloc(KEYRING_FILE_MAX + 1);
    n = text ? keyring_read(fd, text) : -1;
    if (n < 0) {
        wrong = apr_psprintf(pool, "cannot read the keyring %s", path);
        goto out;
    }
    wrong = keyring_load(out, path, slice_make(text, (apr_size_t)n), seam, pool);

out:
    if (fd >= 0) {
        close(fd);
    }
    sodium_free(text); /* wipes */
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
    slice_t id = keyring_sealed_by(sealed);
    apr_size_t i;

    for (i = 0; id.n && i < k->n; i++) {
        if (slice_is(id, k->keys[i].id)) {
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

int keyring_derive(const keyring_t *k, apr_size_t n, const char *use,
                   unsigned char out[KEYRING_DERIVED])
{
    if (n >= k->n) {
        return -1;
    }
    return crypto_generichash(out, KEYRING_DERIVED, (const unsigned char *)use, strlen(use),
                              k->keys[n].bytes, KEYRING_KEY);
}

const char *keyring_current(const keyring_t *k)
{
    return k->keys[0].id;
}

int keyring_is_current(const keyring_t *k, slice_t sealed)
{
    return keyring_find(k, sealed) == &k->keys[0];
}

const char *keyring_prepared(const keyring_t *k)
{
    return k->prepared ? k->keys[k->prepared].id : NULL;
}

apr_size_t keyring_count(const keyring_t *k)
{
    return k->n;
}

const char *keyring_id(const keyring_t *k, apr_size_t i)
{
    return k->keys[i].id;
}

slice_t keyring_sealed_by(slice_t sealed)
{
    const char *nul = sealed.n ? memchr(sealed.p, '\0', sealed.n) : NULL;

    return slice_make(sealed.p, nul ? (apr_size_t)(nul - sealed.p) : 0);
}
