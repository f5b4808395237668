/*
 * base64.h - base64 with one spelling for each run of bytes, for secrets.
 *
 * libsodium does the work, in constant time. Pure; any thread; sodium_init() must have been called.
 * Source: RFC 4648 sections 4 and 5; strict as its section 3.3 and 3.5 allow: no foreign character,
 * no white space, no unused bit that is not zero.
 */
#ifndef PYPITOKEN_BASE64_H
#define PYPITOKEN_BASE64_H

#include "core/slice.h"

typedef enum base64_kind_t {
    BASE64_STANDARD, /* "+/", padded */
    BASE64_URL       /* "-_"; padding may be left out, but if it is there it is exact */
} base64_kind_t;

/* 1 and *bytes in pool, wiped with it; 0 when text is not base64 of that kind. Empty text is the
 * empty run of bytes. */
int base64_decode(slice_t *bytes, slice_t text, base64_kind_t kind, apr_pool_t *pool);

#endif
