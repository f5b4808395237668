/*
 * enroll.h - getting a second factor, and what to do when it is lost: for every door that offers
 * it. Who may do that, and the event that tells of it, are the door's. Any thread.
 */
#ifndef PYPITOKEN_ENROLL_H
#define PYPITOKEN_ENROLL_H

#include "core/recovery.h"
#include "core/totp.h"
#include "store/store.h"

typedef enum enroll_rc_t {
    ENROLL_OK,
    ENROLL_NONE,   /* nothing is there: no such second factor, none that waits */
    ENROLL_WRONG,  /* not the code of the second factor that waits */
    ENROLL_SEALED, /* no keyring, or not the one that sealed it */
    ENROLL_DOWN    /* the store, or no random bytes */
} enroll_rc_t;

typedef struct enroll_t {
    const char *uri;    /* otpauth:, for a QR code (core/qr.h) */
    const char *secret; /* the seed, for typing: base32 in groups of four */
} enroll_t;

/* Makes a second factor that waits for its first code; one in force stays so until then. issuer:
 * the name of the index. *out is secret, in pool, wiped with it. */
enroll_rc_t enroll_begin(enroll_t *out, store_t *store, const seam_t *seam, slice_t issuer,
                         const store_user_t *user, totp_hash_t hash, int digits, apr_pool_t *pool);

/* The one that waits, once more, for who has to scan it. *out as above. */
enroll_rc_t enroll_waiting(enroll_t *out, store_t *store, slice_t issuer, const store_user_t *user,
                           apr_pool_t *pool);

/* The code that the authenticator shows: the one that waits is in force from now on, and the code
 * is spent. White space in the code does not count. */
enroll_rc_t enroll_confirm(store_t *store, const seam_t *seam, const char *user_id, slice_t code,
                           apr_pool_t *pool);

/* The password alone again; recovery codes go as well. */
enroll_rc_t enroll_remove(store_t *store, const char *user_id);

typedef char enroll_codes_t[RECOVERY_CODES][RECOVERY_TEXT + 1];

/* New recovery codes in the place of all there were, to be shown this once. The caller wipes them.
 * On failure they are all "". */
enroll_rc_t enroll_recovery(enroll_codes_t codes, store_t *store, const seam_t *seam,
                            const char *user_id);

#endif
