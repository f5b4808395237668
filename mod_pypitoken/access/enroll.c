/* enroll.c - second factors and recovery codes; see enroll.h. */
#include "access/enroll.h"

#include <sodium.h>
#include <string.h>

#include "core/person.h"
#include "store/people.h"

static enroll_rc_t enroll_rc(store_rc_t rc)
{
    return rc == STORE_OK         ? ENROLL_OK
           : rc == STORE_NOTFOUND ? ENROLL_NONE
           : rc == STORE_SEALED   ? ENROLL_SEALED
                                  : ENROLL_DOWN;
}

/* As long as what the hash gives: RFC 6238 section 5.1. */
static apr_size_t enroll_seed(totp_hash_t hash)
{
    return hash == TOTP_SHA1 ? TOTP_SEED : hash == TOTP_SHA256 ? 32 : 64;
}

static totp_t enroll_totp(const people_totp_t *row)
{
    totp_t t = {(totp_hash_t)row->hash, row->digits, row->period, {NULL, 0}};

    t.seed = slice_make((const char *)row->seed, row->seed_n);
    return t;
}

static void enroll_show(enroll_t *out, const people_totp_t *row, slice_t issuer,
                        const store_user_t *user, apr_pool_t *pool)
{
    totp_t t = enroll_totp(row);

    out->uri = totp_uri(&t, issuer, slice_of(user->name), pool);
    out->secret = totp_base32(t.seed, 1, pool);
}

enroll_rc_t enroll_begin(enroll_t *out, store_t *store, const seam_t *seam, slice_t issuer,
                         const store_user_t *user, totp_hash_t hash, int digits, apr_pool_t *pool)
{
    people_totp_t row = {0};
    enroll_rc_t rc = ENROLL_DOWN;

    memset(out, 0, sizeof(*out));
    row.hash = (int)hash;
    row.digits = digits;
    row.period = TOTP_PERIOD;
    row.seed_n = enroll_seed(hash);
    if (seam->random(row.seed, row.seed_n) == 0) {
        rc = enroll_rc(people_totp_begin(store, user->id, &row, pool));
    }
    if (rc == ENROLL_OK) {
        enroll_show(out, &row, issuer, user, pool);
    }
    sodium_memzero(&row, sizeof(row));
    return rc;
}

enroll_rc_t enroll_waiting(enroll_t *out, store_t *store, slice_t issuer, const store_user_t *user,
                           apr_pool_t *pool)
{
    people_totp_t row = {0};
    enroll_rc_t rc = enroll_rc(people_totp_waiting(store, user->id, &row, pool));

    memset(out, 0, sizeof(*out));
    if (rc == ENROLL_OK) {
        enroll_show(out, &row, issuer, user, pool);
    }
    sodium_memzero(&row, sizeof(row));
    return rc;
}

enroll_rc_t enroll_confirm(store_t *store, const seam_t *seam, const char *user_id, slice_t code,
                           apr_pool_t *pool)
{
    apr_int64_t counter = -1;
    person_code_t typed = {0};
    people_totp_t row = {0};
    enroll_rc_t rc = enroll_rc(people_totp_waiting(store, user_id, &row, pool));
    totp_t t;

    if (rc != ENROLL_OK) {
        return rc;
    }
    person_code(&typed, code, row.digits);
    t = enroll_totp(&row);
    if (typed.kind == PERSON_CODE_TOTP) {
        counter = totp_match(&t, slice_make(typed.text, typed.n), seam->now());
    }
    rc = counter < 0 ? ENROLL_WRONG
                     : enroll_rc(people_totp_confirm(store, user_id, row.id, counter));
    sodium_memzero(&typed, sizeof(typed));
    sodium_memzero(&row, sizeof(row));
    return rc;
}

enroll_rc_t enroll_remove(store_t *store, const char *user_id)
{
    return enroll_rc(people_totp_remove(store, user_id));
}

enroll_rc_t enroll_recovery(enroll_codes_t codes, store_t *store, const seam_t *seam,
                            const char *user_id)
{
    unsigned char hashes[RECOVERY_CODES][PEOPLE_RECOVERY_HASH];
    char letters[RECOVERY_LETTERS + 1];
    enroll_rc_t rc = ENROLL_OK;
    int i;

    for (i = 0; i < RECOVERY_CODES && rc == ENROLL_OK; i++) {
        if (recovery_make(seam, codes[i])) {
            rc = ENROLL_DOWN;
        }
        (void)recovery_tail(slice_of(codes[i]), letters);
        recovery_hash(hashes[i], slice_of(user_id), letters);
    }
    if (rc == ENROLL_OK) {
        rc = enroll_rc(people_recovery_replace(
            store, user_id, (const unsigned char(*)[PEOPLE_RECOVERY_HASH])hashes, RECOVERY_CODES));
    }
    if (rc != ENROLL_OK) {
        sodium_memzero(codes, sizeof(enroll_codes_t));
    }
    sodium_memzero(letters, sizeof(letters));
    return rc;
}
