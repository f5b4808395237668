/*
 * totp.h - time-based one-time passwords: codes, the comparison of one, and how a seed is handed to
 * an authenticator.
 *
 * Pure; any thread. The arithmetic is liboath's. Replay is not dealt with here: whoever accepts a
 * code keeps the counter that it matched and accepts greater ones only.
 * Source: RFC 6238 (TOTP), RFC 4226 (HOTP), RFC 4648 (base32), the "Key URI Format" that
 * authenticators read from QR codes.
 */
#ifndef PYPITOKEN_TOTP_H
#define PYPITOKEN_TOTP_H

#include "core/slice.h"

typedef enum totp_hash_t { TOTP_SHA1 = 1, TOTP_SHA256 = 2, TOTP_SHA512 = 3 } totp_hash_t;

#define TOTP_PERIOD     30 /* seconds, and what every authenticator can do */
#define TOTP_SEED       20 /* bytes of a new seed: RFC 4226 section 4, R6 */
#define TOTP_SEED_LEAST 16
#define TOTP_SEED_MOST  64
#define TOTP_WINDOW     1 /* steps that a clock may be off, either way */
#define TOTP_DIGITS_MAX 8

typedef struct totp_t {
    totp_hash_t hash;
    int digits;   /* 6 or 8 */
    int period;   /* seconds, 15 to 300 */
    slice_t seed; /* secret; TOTP_SEED_LEAST to TOTP_SEED_MOST bytes: an empty one is none */
} totp_t;

/* 1 when all four are within their bounds. */
int totp_valid(const totp_t *t);

/* The code of a counter (time / period), with its NUL, into code. 0, or -1: *t is not valid, or the
 * counter negative; then code is "". The caller wipes it. */
int totp_code(const totp_t *t, apr_int64_t counter, char code[TOTP_DIGITS_MAX + 1]);

/* The counter whose code this is, of those within TOTP_WINDOW of now (Unix seconds): the lowest of
 * them, for a code that comes up twice is spent by its first use. All candidates are computed and
 * compared whatever the others gave, in constant time. -1: none. code need not be digits, nor of
 * the right length. */
apr_int64_t totp_match(const totp_t *t, slice_t code, apr_int64_t now);

/* The word of a hash, as otpauth: URIs and options spell it; the hash of a word in any case, or 0.
 */
const char *totp_hash_word(totp_hash_t hash);
totp_hash_t totp_hash_of(slice_t word);

/* The seed as people type it: base32 without padding, in groups of four when spaced != 0. In pool,
 * wiped with it. */
char *totp_base32(slice_t seed, int spaced, apr_pool_t *pool);

/* otpauth://totp/ISSUER:ACCOUNT?secret=... In pool, wiped with it; NULL when *t is not valid. */
char *totp_uri(const totp_t *t, slice_t issuer, slice_t account, apr_pool_t *pool);

#endif
