/*
 * recovery.h - recovery codes: what stands in for the second factor when it is lost.
 *
 * A code is 20 letters of an alphabet of 20, 86 bits: more than anybody guesses from its hash. The
 * alphabet has no digits, so that a recovery code is never taken for a one-time code, no vowels, so
 * that no words come up, and no l. People read "bcdfg-hjkmn-pqrst-vwxyz"; upper case, and groups
 * without their hyphens or with spaces instead, are the same code.
 * Pure but for the seam's random bytes; any thread.
 */
#ifndef PYPITOKEN_RECOVERY_H
#define PYPITOKEN_RECOVERY_H

#include "core/seam.h"
#include "core/slice.h"

#define RECOVERY_CODES   8 /* of one person */
#define RECOVERY_LETTERS 20
#define RECOVERY_GROUP   5
#define RECOVERY_TEXT    (RECOVERY_LETTERS + RECOVERY_LETTERS / RECOVERY_GROUP - 1)
#define RECOVERY_HASH    32

/* A new code as people read it, with its NUL. 0, or -1 without random bytes; then text is "". The
 * caller wipes it. */
int recovery_make(const seam_t *seam, char text[RECOVERY_TEXT + 1]);

/* The length of the recovery code that s ends with (the whole of s, for a field of its own, when
 * that is s.n), its letters alone in lower case, with a NUL, in letters; 0: it ends with none, and
 * letters is "". */
apr_size_t recovery_tail(slice_t s, char letters[RECOVERY_LETTERS + 1]);

/* What is kept: BLAKE2b over the account's id and the letters. */
void recovery_hash(unsigned char hash[RECOVERY_HASH], slice_t user_id,
                   const char letters[RECOVERY_LETTERS + 1]);

#endif
