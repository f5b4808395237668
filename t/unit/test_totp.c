/* test_totp.c - one-time codes against the RFCs' vectors, and recovery codes. */
#include "core/recovery.h"
#include "core/totp.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>

#include "tap.h"

#define SEED20 "12345678901234567890"
#define SEED32 SEED20 "123456789012"
#define SEED64 SEED20 SEED20 SEED20 "1234"

static totp_t with(totp_hash_t hash, int digits, const char *seed)
{
    totp_t t = {hash, digits, TOTP_PERIOD, slice_of(seed)};

    return t;
}

/* RFC 4226, appendix D: counters 0 to 9. */
static void test_4226(void)
{
    static const char *const codes[] = {"755224", "287082", "359152", "969429", "338314",
                                        "254676", "287922", "162583", "399871", "520489"};
    totp_t t = with(TOTP_SHA1, 6, SEED20);
    char code[TOTP_DIGITS_MAX + 1];
    int i;

    for (i = 0; i < 10; i++) {
        tap_ok(totp_code(&t, i, code) == 0 && strcmp(code, codes[i]) == 0, "RFC 4226 counter %d",
               i);
    }
}

/* RFC 6238, appendix B. */
static void test_6238(void)
{
    static const struct {
        apr_int64_t time;
        const char *sha1, *sha256, *sha512;
    } rows[] = {
        {59, "94287082", "46119246", "90693936"},
        {1111111109, "07081804", "68084774", "25091201"},
        {1111111111, "14050471", "67062674", "99943326"},
        {1234567890, "89005924", "91819424", "93441116"},
        {2000000000, "69279037", "90698825", "38618901"},
        {APR_INT64_C(20000000000), "65353130", "77737706", "47863826"},
    };
    totp_t t1 = with(TOTP_SHA1, 8, SEED20), t2 = with(TOTP_SHA256, 8, SEED32),
           t3 = with(TOTP_SHA512, 8, SEED64);
    char code[TOTP_DIGITS_MAX + 1];
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_int64_t counter = rows[i].time / TOTP_PERIOD;

        tap_ok(totp_code(&t1, counter, code) == 0 && strcmp(code, rows[i].sha1) == 0,
               "RFC 6238 SHA-1, %s", rows[i].sha1);
        tap_ok(totp_code(&t2, counter, code) == 0 && strcmp(code, rows[i].sha256) == 0,
               "RFC 6238 SHA-256, %s", rows[i].sha256);
        tap_ok(totp_code(&t3, counter, code) == 0 && strcmp(code, rows[i].sha512) == 0,
               "RFC 6238 SHA-512, %s", rows[i].sha512);
        tap_ok(totp_match(&t1, slice_of(rows[i].sha1), rows[i].time) == counter &&
                   totp_match(&t3, slice_of(rows[i].sha512), rows[i].time) == counter,
               "and it matches at its time");
    }
}

static void test_window(void)
{
    totp_t t = with(TOTP_SHA1, 6, SEED20);
    char code[TOTP_DIGITS_MAX + 1];
    apr_int64_t now = 1700000010; /* the beginning of a step */
    int off, bad = 0;

    tap_ok(now % TOTP_PERIOD == 0, "a step begins");
    (void)totp_code(&t, now / TOTP_PERIOD, code);
    for (off = -120; off <= 120; off++) {
        int due = off >= -TOTP_PERIOD && off < 2 * TOTP_PERIOD;

        bad += (totp_match(&t, slice_of(code), now + off) == now / TOTP_PERIOD) != due;
    }
    tap_ok(bad == 0, "a code holds from one step before its own to one after");
    tap_ok(totp_match(&t, slice_of("755224"), 0) == 0 && totp_match(&t, slice_of("287082"), 0) == 1,
           "the first step of all");
    tap_ok(totp_match(&t, slice_of("755224"), -1) == -1, "no time before it");
}

static void test_refused(void)
{
    totp_t t = with(TOTP_SHA1, 6, SEED20), bad;
    char code[TOTP_DIGITS_MAX + 1];
    apr_int64_t now = 59;

    tap_ok(totp_match(&t, slice_of("287082"), now) == 1, "a code");
    tap_ok(totp_match(&t, slice_of("287083"), now) == -1, "another");
    tap_ok(totp_match(&t, slice_of(""), now) == -1, "none");
    tap_ok(totp_match(&t, slice_make(NULL, 0), now) == -1, "none at all");
    tap_ok(totp_match(&t, slice_of("28708"), now) == -1, "five digits of it");
    tap_ok(totp_match(&t, slice_of("94287082"), now) == -1,
           "its eight digits for a six-digit account");
    tap_ok(totp_match(&t, slice_of("2870820"), now) == -1, "one digit more");
    tap_ok(totp_match(&t, slice_make("28708\0", 6), now) == -1, "a NUL for a digit");
    tap_ok(totp_match(&t, slice_of("28708 "), now) == -1, "a space for a digit");
    t.digits = 8;
    tap_ok(totp_match(&t, slice_of("287082"), now) == -1, "six digits for an eight-digit account");

    bad = with(TOTP_SHA1, 6, "");
    tap_ok(!totp_valid(&bad) && totp_code(&bad, 1, code) == -1 && !*code, "an empty seed is none");
    tap_ok(totp_match(&bad, slice_of("287082"), now) == -1 &&
               totp_match(&bad, slice_of(""), now) == -1,
           "and matches nothing");
    bad = with(TOTP_SHA1, 6, "123456789012345");
    tap_ok(!totp_valid(&bad), "15 bytes of seed");
    bad = with(TOTP_SHA1, 6, SEED64 "5");
    tap_ok(!totp_valid(&bad), "65 bytes of seed");
    bad = with(TOTP_SHA1, 7, SEED20);
    tap_ok(!totp_valid(&bad) && totp_code(&bad, 1, code) == -1, "7 digits");
    bad = with((totp_hash_t)0, 6, SEED20);
    tap_ok(!totp_valid(&bad) && totp_code(&bad, 1, code) == -1, "no hash");
    bad = with(TOTP_SHA1, 6, SEED20);
    bad.period = 0;
    tap_ok(!totp_valid(&bad) && totp_code(&bad, 1, code) == -1 &&
               totp_match(&bad, slice_of("287082"), 59) == -1,
           "no period");
    bad.period = TOTP_PERIOD;
    tap_ok(totp_code(&bad, -1, code) == -1 && totp_code(&bad, APR_INT64_MAX, code) == -1,
           "counters out of bounds");
}

static void test_words(apr_pool_t *pool)
{
    totp_t t = with(TOTP_SHA256, 8, SEED32);

    tap_ok(totp_hash_of(slice_of("sha1")) == TOTP_SHA1 &&
               totp_hash_of(slice_of("SHA256")) == TOTP_SHA256 &&
               totp_hash_of(slice_of("Sha512")) == TOTP_SHA512 && !totp_hash_of(slice_of("md5")),
           "hashes by their words");
    tap_ok(strcmp(totp_base32(slice_of("12345678901234567890"), 0, pool),
                  "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") == 0,
           "base32");
    tap_ok(strcmp(totp_base32(slice_of("1234567890123456"), 1, pool),
                  "GEZD GNBV GY3T QOJQ GEZD GNBV GY") == 0,
           "in groups, without padding");
    tap_ok(strcmp(totp_base32(slice_make(NULL, 0), 0, pool), "") == 0, "of nothing");
    tap_ok(strcmp(totp_uri(&t, slice_of("Ind & Ex"), slice_of("al:ice@x"), pool),
                  "otpauth://totp/Ind%20%26%20Ex:al%3Aice%40x?secret="
                  "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA&issuer=Ind%20%26%20Ex"
                  "&algorithm=SHA256&digits=8&period=30") == 0,
           "the URI for an authenticator");
    t.seed.n = 0;
    tap_ok(!totp_uri(&t, slice_of("i"), slice_of("a"), pool), "none of an empty seed");
}

/* ---- recovery codes ---- */

static int fake_byte;

static int fake_random(void *bytes, apr_size_t n)
{
    if (fake_byte < 0) {
        return -1;
    }
    memset(bytes, fake_byte, n);
    fake_byte = (fake_byte + 1) % 256;
    return 0;
}

static const seam_t fake_seam = {NULL, fake_random};

static void test_recovery(void)
{
    char text[RECOVERY_TEXT + 1], other[RECOVERY_TEXT + 1], letters[RECOVERY_LETTERS + 1];
    unsigned char a[RECOVERY_HASH], b[RECOVERY_HASH];
    int i, shape = 1, same = 0;

    for (i = 0; i < 200; i++) {
        shape = shape && recovery_make(&seam_system, text) == 0 && strlen(text) == RECOVERY_TEXT &&
                text[5] == '-' && text[11] == '-' && text[17] == '-' &&
                recovery_tail(slice_of(text), letters) == RECOVERY_TEXT;
        same += strcmp(text, other) == 0;
        memcpy(other, text, sizeof(other));
    }
    tap_ok(shape && !same, "made, four groups of five letters, never the same");
    fake_byte = 240;
    tap_ok(recovery_make(&fake_seam, text) == 0 && strncmp(text, "bcdfg-hjkmn", 11) == 0,
           "a byte that would favour some letters is drawn again");
    fake_byte = -1;
    tap_ok(recovery_make(&fake_seam, text) == -1 && !*text, "no random bytes, no code");

    tap_ok(recovery_tail(slice_of("bcdfg-hjkmn-pqrst-vwxyz"), letters) == 23 &&
               strcmp(letters, "bcdfghjkmnpqrstvwxyz") == 0,
           "read");
    tap_ok(recovery_tail(slice_of("BCDFGHJKMNPQRSTVWXYZ"), letters) == 20 &&
               strcmp(letters, "bcdfghjkmnpqrstvwxyz") == 0,
           "without hyphens, in upper case");
    tap_ok(recovery_tail(slice_of("pw bcdfg hjkmn pqrst-vwxyz"), letters) == 23,
           "with spaces, behind something");
    tap_ok(recovery_tail(slice_of("bcdfg--hjkmn-pqrst-vwxyz"), letters) == 0 && !*letters,
           "two hyphens");
    tap_ok(recovery_tail(slice_of("bcdf-ghjkmn-pqrst-vwxyz"), letters) == 0,
           "a hyphen out of place");
    tap_ok(recovery_tail(slice_of("bcdfg-hjkmn-pqrst-vwxyz-"), letters) == 0,
           "a hyphen at the end");
    tap_ok(recovery_tail(slice_of("-bcdfg-hjkmn-pqrst-vwxyz"), letters) == 23,
           "one before it is not its own");
    tap_ok(recovery_tail(slice_of("bcdfg-hjkmn-pqrst-vwxy"), letters) == 0, "a letter short");
    tap_ok(recovery_tail(slice_of("bcdfg-hjkmn-pqrst-vwxya"), letters) == 0, "a vowel");
    tap_ok(recovery_tail(slice_of("bcdfg-hjkmn-pqrst-vwxy1"), letters) == 0, "a digit");
    tap_ok(recovery_tail(slice_make("bcdfg-hjkmn-pqrst-vwxy\0", 23), letters) == 0, "a NUL");
    tap_ok(recovery_tail(slice_make(NULL, 0), letters) == 0, "nothing");

    recovery_hash(a, slice_of("user-1"), "bcdfghjkmnpqrstvwxyz");
    recovery_hash(b, slice_of("user-1"), "bcdfghjkmnpqrstvwxyz");
    tap_ok(memcmp(a, b, sizeof(a)) == 0, "hashed");
    recovery_hash(b, slice_of("user-2"), "bcdfghjkmnpqrstvwxyz");
    tap_ok(memcmp(a, b, sizeof(a)) != 0, "for one account");
    recovery_hash(b, slice_of("user-1"), "bcdfghjkmnpqrstvwxzy");
    tap_ok(memcmp(a, b, sizeof(a)) != 0, "and one code");
}

int main(void)
{
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    test_4226();
    test_6238();
    test_window();
    test_refused();
    test_words(pool);
    test_recovery();
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
