/*
 * keyring.h - the keys that seal secrets at rest: root keys of tokens, seeds of second factors.
 *
 * The file: lines "ID BASE64" (ID 1-32 of [a-z0-9-], 32 key bytes, standard base64 with padding);
 * '#' starts a comment line. The first key seals, all of them open. It must be a regular file that
 * only its owner can read (mode & 077 == 0). One key, but not the first, may be "prepared" (a third
 * word in its line): it will be the first when all front ends know it.
 * Sealed form: key id, NUL, 24-byte nonce, XChaCha20-Poly1305 ciphertext. The associated data binds
 * the place: "table\0row-id\0key-id", so that a row copied elsewhere does not open.
 * Keys live in guarded memory (sodium_malloc), freed and wiped with the pool. Read-only after
 * opening: any thread.
 */
#ifndef PYPITOKEN_KEYRING_H
#define PYPITOKEN_KEYRING_H

#include "core/seam.h"
#include "core/slice.h"

typedef struct keyring_t keyring_t;

/* NULL, or a sentence that names the file, what is wrong and what to do; in pool. */
const char *keyring_open(keyring_t **out, const char *path, const seam_t *seam, apr_pool_t *pool);

/* Seals plain for table/row. Empty slice when the random generator failed. */
slice_t keyring_seal(const keyring_t *k, const char *table, slice_t row, slice_t plain,
                     apr_pool_t *pool);

/* Opens what keyring_seal made for the same table/row into out (exactly n bytes).
 * 0, or -1: wrong place, wrong key, damaged, other length; then out is wiped. */
int keyring_unseal(const keyring_t *k, const char *table, slice_t row, slice_t sealed,
                   unsigned char *out, apr_size_t n);

/* A key of 32 bytes for another use, made out of the n-th key (0: the one that seals) and the name
 * of that use, so that a rotated keyring still knows what was made with its older keys. The caller
 * wipes it. 0, or -1: there is no n-th key. */
#define KEYRING_DERIVED 32
int keyring_derive(const keyring_t *k, apr_size_t n, const char *use,
                   unsigned char out[KEYRING_DERIVED]);

/* The id of the sealing key; whether a sealed value was made by it. */
const char *keyring_current(const keyring_t *k);
int keyring_is_current(const keyring_t *k, slice_t sealed);

/* The id of the prepared key, or NULL. */
const char *keyring_prepared(const keyring_t *k);

/* How many keys; the id of the one at i, in the order of the file. */
apr_size_t keyring_count(const keyring_t *k);
const char *keyring_id(const keyring_t *k, apr_size_t i);

/* The id of the key that a value says it was sealed by; empty when it is no sealed value. */
slice_t keyring_sealed_by(slice_t sealed);

/* ---- the file (keyring_edit.c) ----
 *
 * Each makes a whole new file, mode and owner as before, and puts it in the place of the old one
 * when it has reached the disk: whoever reads it sees the one or the other. Two at once: one is
 * refused. NULL or a sentence, the file as it was. For pypitokenctl. */

/* A new file with one random key, mode 0600; refuses to replace one. */
const char *keyring_create(const char *path, const seam_t *seam, apr_pool_t *pool);

/* Adds a random key, prepared; *id gets its name. */
const char *keyring_prepare(const char *path, const seam_t *seam, const char **id,
                            apr_pool_t *pool);

/* The prepared key of that id becomes the first. */
const char *keyring_promote(const char *path, const char *id, apr_pool_t *pool);

/* Forgets a key, but not the first. */
const char *keyring_remove(const char *path, const char *id, apr_pool_t *pool);

#endif
