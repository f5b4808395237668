/* test_digest.c - SHA-256 and HMAC against libsodium's, and against the standards' own examples. */
#include "core/digest.h"

#include <apr_general.h>
#include <sodium.h>
#include <string.h>

#include "tap.h"

#define LONGEST 300

static int sums_alike(digest_t *d)
{
    unsigned char bytes[LONGEST], want[DIGEST_BYTES], got[DIGEST_BYTES];
    size_t n, i;
    int same = 1;

    randombytes_buf(bytes, sizeof(bytes));
    for (n = 0; n < sizeof(bytes); n++) {
        crypto_hash_sha256(want, bytes, n);
        digest_start(d);
        for (i = 0; i < n; i += 7) {
            digest_update(d, bytes + i, n - i < 7 ? n - i : 7);
        }
        digest_finish(d, got);
        same = same && memcmp(want, got, sizeof(got)) == 0;
    }
    return same;
}

static int hmacs_alike(digest_t *d)
{
    unsigned char bytes[LONGEST], want[DIGEST_BYTES], got[DIGEST_BYTES];
    size_t key, n;
    int same = 1;

    randombytes_buf(bytes, sizeof(bytes));
    for (key = 0; key < 140; key++) {
        crypto_auth_hmacsha256_state state;

        n = (key * 7) % 160;
        crypto_auth_hmacsha256_init(&state, bytes, key);
        crypto_auth_hmacsha256_update(&state, bytes + 140, n);
        crypto_auth_hmacsha256_final(&state, want);
        digest_hmac(d, slice_make((const char *)bytes, key),
                    slice_make((const char *)bytes + 140, n), got);
        same = same && memcmp(want, got, sizeof(got)) == 0;
    }
    return same;
}

int main(void)
{
    unsigned char sum[DIGEST_BYTES], again[DIGEST_BYTES];
    char hex[DIGEST_HEX];
    apr_pool_t *pool;
    digest_t *made, d;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    tap_ok(sodium_init() >= 0, "libsodium");
    digest_open(&d);
    tap_ok(sums_alike(&d), "SHA-256 of every short length, in pieces");
    tap_ok(hmacs_alike(&d), "HMAC with keys of every length up to two blocks");
    digest_hmac(&d, slice_of("Jefe"), slice_of("what do ya want for nothing?"), sum);
    digest_hex(hex, sum);
    tap_ok(strcmp(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") == 0,
           "RFC 4231, test case 2");
    digest_hmac(&d, slice_make((const char *)sum, sizeof(sum)), slice_of("x"), again);
    digest_hmac(&d, slice_make((const char *)sum, sizeof(sum)), slice_of("x"), sum);
    tap_ok(memcmp(sum, again, sizeof(sum)) == 0, "the key may be overwritten");
    digest_close(&d);
    digest_hmac(&d, slice_of("Jefe"), slice_of("what do ya want for nothing?"), sum);
    digest_hmac(&d, slice_of("Jefe"), slice_of("what do ya want for nothing?"), again);
    tap_ok(d.failed && memcmp(sum, again, sizeof(sum)) != 0, "what failed equals nothing");
    made = digest_make(pool);
    digest_start(made);
    digest_update(made, "abc", 3);
    digest_finish(made, sum);
    digest_hex(hex, sum);
    tap_ok(strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == 0,
           "of abc");
    apr_pool_destroy(pool);
    return tap_done();
}
