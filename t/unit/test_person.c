/* test_person.c - names, passwords and codes as people type them; what may become a password. */
#include "core/password_rule.h"
#include "core/person.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <ctype.h>
#include <sodium.h>
#include <string.h>

#include "tap.h"

#define CODE20 "bcdfghjkmnpqrstvwxyz"

static int is(slice_t s, const char *text)
{
    return slice_is(s, text);
}

static void test_names(apr_pool_t *pool)
{
    static const char *const good[] = {"a", "alice", "Alice.B_c@d+e-f", "0x"};
    static const char *const bad[] = {"",    "__token__", ".a",       "-a", "a b",
                                      "a:b", "a/b",       "\xc3\xa4", "a\n"};
    /* what a directory may take for alice */
    static const char *const alike[] = {"alice",
                                        "ALICE",
                                        "Alice",
                                        " alice",
                                        "alice ",
                                        "al ice",
                                        "a\xc2\xadlice",     /* soft hyphen */
                                        "alice\xe2\x80\x8b", /* zero width space */
                                        "\xef\xbd\x81lice",  /* full width */
                                        "\xc3\xa1lice",      /* with an accent */
                                        "a\xcc\x81lice",
                                        "alic\xe2\x93\x94",
                                        "\xf0\x9d\x90\x9alice"};
    static const char *const other[] = {"alic", "alice1", "bob", "al.ice", "alice\xff", "\xff"};
    char name[PERSON_NAME_MAX + 2];
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char *lower = apr_pstrdup(pool, good[i]), *p;

        for (p = lower; *p; p++) {
            *p = (char)tolower((unsigned char)*p);
        }
        tap_ok(person_name_valid(slice_of(good[i])), "a name: %s", good[i]);
        tap_ok(strcmp(person_fold(slice_of(good[i]), pool), lower) == 0,
               "which folds to its lower case");
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_ok(!person_name_valid(slice_of(bad[i])), "no name: %d", (int)i);
    }
    memset(name, 'a', sizeof(name));
    tap_ok(person_name_valid(slice_make(name, PERSON_NAME_MAX)) &&
               !person_name_valid(slice_make(name, PERSON_NAME_MAX + 1)) &&
               !person_name_valid(slice_make("a\0b", 3)),
           "bounds of a name");
    for (i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
        tap_ok(strcmp(person_fold(slice_of(alike[i]), pool), "alice") == 0,
               "one more spelling of alice: %d", (int)i);
    }
    for (i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        tap_ok(strcmp(person_fold(slice_of(other[i]), pool), "alice") != 0, "somebody else: %d",
               (int)i);
    }
    tap_ok(strcmp(person_fold(slice_make(NULL, 0), pool), "") == 0, "nobody");
}

static void test_normal(apr_pool_t *pool)
{
    char big[4096];

    tap_ok(is(person_normal(slice_of("plain ASCII"), pool), "plain ASCII"), "ASCII stays");
    tap_ok(is(person_normal(slice_of("e\xcc\x81t\xc3\xa9"), pool), "\xc3\xa9t\xc3\xa9"),
           "composed");
    tap_ok(is(person_normal(slice_of("\xe2\x84\xab"), pool), "\xc3\x85"),
           "one code point for one character");
    tap_ok(is(person_normal(slice_of("\xef\xac\x81"), pool), "\xef\xac\x81"),
           "but a ligature is not letters");
    tap_ok(is(person_normal(slice_of("a\xc2\xa0"
                                     "b\xe3\x80\x80"
                                     "c"),
                            pool),
              "a b c"),
           "every space is a space");
    tap_ok(is(person_normal(slice_of("caf\xe9"), pool), "caf\xe9"), "Latin-1 stays");
    tap_ok(person_normal(slice_make("a\0b", 3), pool).n == 3, "a NUL stays");
    tap_ok(person_normal(slice_make(NULL, 0), pool).n == 0, "nothing stays nothing");
    memset(big, 'x', sizeof(big));
    tap_ok(person_normal(slice_make(big, sizeof(big)), pool).n == sizeof(big), "nothing is cut");
}

static void test_split(void)
{
    static const struct {
        const char *typed;
        int digits;
        const char *password, *code; /* NULL: none */
    } rows[] = {
        {"pw123456", 6, "pw", "123456"},
        {"pw,123456", 6, "pw", "123456"},
        {"pw 123456", 6, "pw", "123456"},
        {"pw,,123456", 6, "pw,", "123456"},
        {"pw, 123456", 6, "pw,", "123456"}, /* one separator: the other is the password's */
        {"pw 123 456", 6, "pw", "123456"},
        {"pw123 456", 6, "pw", "123456"},
        {"pw1234567", 6, "pw1", "234567"},
        {"123456", 6, "", "123456"},
        {",123456", 6, "", "123456"},
        {"123 456", 6, "", "123456"},
        {"pw12345", 6, "pw12345", NULL},
        {"12345", 6, "12345", NULL},
        {"pw123456 ", 6, "pw123456 ", NULL},
        {"pw12 3456", 6, "pw12 3456", NULL},
        {"pw12345678", 8, "pw", "12345678"},
        {"pw 1234 5678", 8, "pw", "12345678"},
        {"pw123456", 8, "pw123456", NULL},
        {"pw 123 456", 8, "pw 123 456", NULL},
        {"pw,bcdfg-hjkmn-pqrst-vwxyz", 6, "pw", CODE20},
        {"pw BCDFG HJKMN PQRST VWXYZ", 8, "pw", CODE20},
        {"pw" CODE20, 6, "pw", CODE20},
        {"pw-" CODE20, 6, "pw-", CODE20},
        {"correct horse", 6, "correct horse", NULL},
        {"", 6, "", NULL},
        {"pw123456", 0, "pw123456", NULL},
    };
    person_code_t code;
    slice_t password;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        person_split(&password, &code, slice_of(rows[i].typed), rows[i].digits);
        tap_ok(is(password, rows[i].password) &&
                   (rows[i].code
                        ? code.kind != PERSON_CODE_NONE && strcmp(code.text, rows[i].code) == 0
                        : code.kind == PERSON_CODE_NONE && !*code.text) &&
                   code.n == strlen(code.text),
               "%d digits: \"%s\"", rows[i].digits, rows[i].typed);
    }
    person_split(&password, &code, slice_make(NULL, 0), 6);
    tap_ok(password.n == 0 && code.kind == PERSON_CODE_NONE, "nothing typed");
    tap_ok(person_coded(slice_of("pw123456")) && person_coded(slice_of("pw1234 5678")) &&
               person_coded(slice_of("pw," CODE20)) && !person_coded(slice_of("pw12345")) &&
               !person_coded(slice_of("correct horse")) && !person_coded(slice_make(NULL, 0)),
           "what looks like a code");
}

static void test_field(void)
{
    char long_one[200];
    person_code_t code;

    person_code(&code, slice_of("123456"), 6);
    tap_ok(code.kind == PERSON_CODE_TOTP && strcmp(code.text, "123456") == 0, "a field");
    person_code(&code, slice_of(" 12 34 56 "), 6);
    tap_ok(code.kind == PERSON_CODE_TOTP && strcmp(code.text, "123456") == 0, "with spaces");
    person_code(&code, slice_of(" bcdfg-hjkmn pqrst-vwxyz"), 6);
    tap_ok(code.kind == PERSON_CODE_RECOVERY && strcmp(code.text, CODE20) == 0, "a recovery code");
    person_code(&code, slice_of("x123456"), 6);
    tap_ok(code.kind == PERSON_CODE_NONE && !*code.text, "nothing before a code in its field");
    person_code(&code, slice_of("12345678"), 6);
    tap_ok(code.kind == PERSON_CODE_NONE, "eight digits where six are due");
    person_code(&code, slice_of(""), 6);
    tap_ok(code.kind == PERSON_CODE_NONE, "an empty field");
    memset(long_one, '1', sizeof(long_one));
    person_code(&code, slice_make(long_one, sizeof(long_one)), 6);
    tap_ok(code.kind == PERSON_CODE_NONE, "a long field");
    memset(long_one, ' ', sizeof(long_one) - 6);
    person_code(&code, slice_make(long_one, sizeof(long_one)), 6);
    tap_ok(code.kind == PERSON_CODE_TOTP, "a field of spaces, and a code");
}

static void test_rule(apr_pool_t *pool)
{
    slice_t name = slice_of("Alice.Liddell");
    char big[4098];

    memset(big, 'x', sizeof(big));
    memcpy(big, "abcdefgh", 8);
    tap_ok(!password_rule_check(slice_of("correct horse"), name, pool), "a password");
    tap_ok(!password_rule_check(
               slice_of("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8\xc3\xa0\xc3\xb1"), name,
               pool),
           "eight characters of two bytes");
    tap_ok(password_rule_check(slice_of("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8\xc3\xa0"),
                               name, pool) != NULL,
           "seven");
    tap_ok(password_rule_check(slice_of("alice.liddell"), name, pool) != NULL &&
               password_rule_check(slice_of("ALICE.LIDDELL"), name, pool) != NULL,
           "the name, in any case");
    tap_ok(password_rule_check(slice_of("abababab"), name, pool) != NULL, "two characters");
    tap_ok(password_rule_check(slice_make("abcdefg\0", 8), name, pool) != NULL, "a NUL");
    tap_ok(password_rule_check(slice_of("password"), name, pool) != NULL &&
               password_rule_check(slice_of("PassWord"), name, pool) != NULL &&
               password_rule_check(slice_of("1qaz2wsx"), name, pool) != NULL &&
               password_rule_check(slice_of("iloveyou"), name, pool) != NULL,
           "common ones");
    tap_ok(!password_rule_check(slice_make(big, 4096), name, pool) &&
               password_rule_check(slice_make(big, 4097), name, pool) != NULL,
           "4096 bytes and no more");
}

int main(void)
{
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    test_names(pool);
    test_normal(pool);
    test_split();
    test_field();
    test_rule(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
