/*
 * keyring_priv.h - what reading a keyring (keyring.c) and changing it (keyring_edit.c) share.
 */
#ifndef PYPITOKEN_KEYRING_PRIV_H
#define PYPITOKEN_KEYRING_PRIV_H

#include "store/keyring.h"

#include <sodium.h>
#include <sys/types.h>

#define KEYRING_ID_MAX   32
#define KEYRING_KEYS_MAX 64
#define KEYRING_FILE_MAX 16384
#define KEYRING_NONCE    crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define KEYRING_TAG      crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEYRING_KEY      crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define KEYRING_BASE64   sodium_base64_ENCODED_LEN(KEYRING_KEY, sodium_base64_VARIANT_ORIGINAL)
#define KEYRING_PREPARED "prepared"

typedef struct keyring_key_t {
    char id[KEYRING_ID_MAX + 1];
    unsigned char bytes[KEYRING_KEY];
} keyring_key_t;

struct keyring_t {
    const seam_t *seam;
    keyring_key_t *keys; /* sodium_malloc, read-only once filled */
    apr_size_t n;
    apr_size_t prepared; /* index of the prepared key; 0: there is none */
};

/* Opens the file without waiting for anything and sees to it that nobody else can read it. *fd, to
 * be closed in any case if it is not -1. NULL or a sentence. */
const char *keyring_file(int *fd, const char *path, apr_pool_t *pool);

/* Up to KEYRING_FILE_MAX bytes into text, which has room for one more; or -1. */
ssize_t keyring_read(int fd, char *text);

/* keyring_open, of a text that was read. path is for sentences. */
const char *keyring_load(keyring_t **out, const char *path, slice_t text, const seam_t *seam,
                         apr_pool_t *pool);

/* The first line of text, trimmed; text goes on behind it. */
slice_t keyring_next_line(slice_t *text);

/* The id of a key's line; empty for comments, blank lines and what is none. */
slice_t keyring_line_id(slice_t line);

#endif
