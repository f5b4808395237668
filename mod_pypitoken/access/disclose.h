/*
 * disclose.h - a code host reports tokens that it has found in public: who may, and what comes of
 * it.
 *
 * Hosts sign what they report; their public keys come from a file as they publish it:
 *
 *   {"public_keys": [{"key_identifier": "...", "key": "-----BEGIN PUBLIC KEY-----\n..."}]}
 *
 * Further members mean nothing here. Reports are a list of {"token", "type", "url", "source"}, of
 * which all but the token may be missing. What is ours is revoked at once (leak.h: its signature
 * must hold), with the place in the event. The same report again changes nothing. Any thread.
 * Source: the secret scanning partner programme as package indexes take part in it.
 */
#ifndef PYPITOKEN_DISCLOSE_H
#define PYPITOKEN_DISCLOSE_H

#include <apr_tables.h>
#include <jansson.h>

#include "core/verdict.h"
#include "store/store.h"

#define DISCLOSE_BODY    (1024 * 1024) /* bytes of a report */
#define DISCLOSE_RECORDS 1000          /* tokens in it */

typedef struct disclose_keys_t disclose_keys_t;

/* Adds the keys of a file to *keys, which is made when it is NULL. NULL, or a sentence that names
 * the file and the remedy: not readable, writable by others, not of that form, without a key, a key
 * that is not on P-256, an identifier that stands for two keys. In pool. */
const char *disclose_keys_read(disclose_keys_t **keys, const char *path, apr_pool_t *pool);

/* 1 when there is a key of that identifier. */
int disclose_known(const disclose_keys_t *keys, slice_t id);

/* 1 when signature (base64 of DER) is that key's over body. */
int disclose_signed(const disclose_keys_t *keys, slice_t id, slice_t signature, slice_t body,
                    apr_pool_t *pool);

/* Revokes what is ours in a report. ALLOWED, API_BODY (not such a list; then nothing was done),
 * API_SIZE (too many records, the same) or STORE_DOWN (some may have been revoked: it is to come
 * again). *revoked: how many now. address: who told. */
verdict_code_t disclose_revoke(store_t *store, slice_t body, const char *address, int *revoked,
                               verdict_t *v, apr_pool_t *pool);

#endif
