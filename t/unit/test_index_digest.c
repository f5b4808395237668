/* test_index_digest.c - the digests a form names, in every spelling that clients use. */
#include "httpd/index_digest.h"

#include <apr_general.h>
#include <string.h>

#include "tap.h"

/* of "abc": RFC 1321, FIPS 180-4, RFC 7693, and Python's hashlib for the 32 byte BLAKE2b */
#define TEST_MD5    "900150983cd24fb0d6963f7d28e17f72"
#define TEST_MD5_64 "kAFQmDzST7DWlj99KOF_cg"
#define TEST_SHA    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define TEST_B2     "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
#define TEST_B2_512                                                                                \
    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"                             \
    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"

static const struct {
    const char *what, *md5, *sha256, *blake2, *wrong;
} test_cases[] = {
    {"nothing sent", "", "", "", NULL},
    {"NULL is nothing", NULL, NULL, NULL, NULL},
    {"all three", TEST_MD5, TEST_SHA, TEST_B2, NULL},
    {"distutils' long BLAKE2", TEST_MD5, TEST_SHA, TEST_B2_512, NULL},
    {"upper case", "900150983CD24FB0D6963F7D28E17F72",
     "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "", NULL},
    {"MD5 in urlsafe base64", TEST_MD5_64, "", "", NULL},
    {"... padded", TEST_MD5_64 "==", "", "", NULL},
    {"... in plain base64", "kAFQmDzST7DWlj99KOF/cg==", "", "", NULL},
    {"another MD5", "900150983cd24fb0d6963f7d28e17f73", "", "", "md5 digest"},
    {"another MD5 in base64", "kAFQmDzST7DWlj99KOF_cA", "", "", "md5 digest"},
    {"half an MD5", "900150983cd24fb0", "", "", "md5 digest"},
    {"an MD5 and more", TEST_MD5 "00", "", "", "md5 digest"},
    {"no hex", "zz0150983cd24fb0d6963f7d28e17f72", "", "", "md5 digest"},
    {"a space is no digest", " ", "", "", "md5 digest"},
    {"another SHA-256", TEST_MD5,
     "aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "", "sha256 digest"},
    {"a SHA-256 cut off", "", "ba7816bf", "", "sha256 digest"},
    {"a SHA-256 and a space", "", TEST_SHA " ", "", "sha256 digest"},
    {"the last digit of a SHA-256", "",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ae", "", "sha256 digest"},
    {"SHA-256 of nothing", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "", "sha256 digest"},
    {"another BLAKE2", "", "", TEST_SHA, "blake2_256 digest"},
    {"half of the long BLAKE2", "", "",
     "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1", "blake2_256 digest"},
    {"another long BLAKE2", "", "", TEST_SHA TEST_SHA, "blake2_256 digest"},
};

static apr_pool_t *p;

static void test_table(int step, const char *known)
{
    size_t i;

    for (i = 0; i < sizeof(test_cases) / sizeof(*test_cases); i++) {
        index_digest_t d;
        const char *wrong;
        int at;

        index_digest_start(&d, test_cases[i].md5, test_cases[i].sha256, test_cases[i].blake2, known,
                           p);
        for (at = 0; at < 3; at += step) {
            index_digest_update(&d, &"abc"[at], (apr_size_t)step);
        }
        wrong = index_digest_finish(&d);
        tap_ok(wrong && test_cases[i].wrong ? strcmp(wrong, test_cases[i].wrong) == 0
                                            : wrong == test_cases[i].wrong,
               "%s", test_cases[i].what);
    }
}

static void test_hex(void)
{
    index_digest_t d;
    char hex[INDEX_DIGEST_HEX];

    index_digest_start(&d, "", "", "", NULL, p);
    index_digest_update(&d, "abc", 3);
    (void)index_digest_finish(&d);
    index_digest_hex(hex, d.sum);
    tap_ok(strcmp(hex, TEST_SHA) == 0, "the SHA-256 is there when none was sent");
}

/* The parser has made it: not made again, and not believed when it is none. */
static void test_known(void)
{
    static const char *const none[] = {"", "ba7816bf", TEST_SHA "00", ("zz" TEST_SHA)};
    index_digest_t d;
    size_t i;

    index_digest_start(&d, "", TEST_SHA, "", TEST_SHA, p);
    tap_ok(index_digest_finish(&d) == NULL && d.sum[0] == 0xba, "a SHA-256 that is known");
    index_digest_start(&d, "", TEST_B2, "", TEST_SHA, p);
    tap_ok(index_digest_finish(&d) != NULL, "  is held against the form's");
    for (i = 0; i < sizeof(none) / sizeof(*none); i++) {
        index_digest_start(&d, "", "", "", none[i], p);
        index_digest_update(&d, "abc", 3);
        tap_ok(index_digest_finish(&d) != NULL, "  \"%s\" is none", none[i]);
    }
}

int main(void)
{
    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    apr_pool_create(&p, NULL);
    test_table(1, NULL);
    test_table(3, NULL);
    test_table(3, TEST_SHA);
    test_hex();
    test_known();
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
