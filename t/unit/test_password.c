/* test_password.c - argon2id hashes: right, wrong, and not to be had. */
#include "core/password_old.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#endif

/* A hash with the least cost that there is, made by libsodium alone. */
static const char *cheap(apr_pool_t *pool, const char *password)
{
    char text[crypto_pwhash_argon2id_STRBYTES];

    if (crypto_pwhash_argon2id_str(text, password, strlen(password), 1, 8192) != 0) {
        return NULL;
    }
    return apr_pstrdup(pool, text);
}

static void test_round(apr_pool_t *pool)
{
    slice_t password = slice_of("correct horse");
    const char *hash = NULL, *other = NULL;

    tap_ok(password_hash(&hash, password, pool) == PASSWORD_OK && hash, "a hash");
    tap_ok(hash && strncmp(hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31) == 0, "64 MiB, 2 passes");
    tap_ok(hash && strlen(hash) < crypto_pwhash_argon2id_STRBYTES && !strchr(hash, '\n'),
           "in one line");
    tap_ok(password_hash(&other, password, pool) == PASSWORD_OK && strcmp(hash, other) != 0,
           "salted");
    tap_ok(password_verify(hash, password) == PASSWORD_OK, "it verifies");
    tap_ok(password_verify(hash, slice_of("correct horsf")) == PASSWORD_WRONG, "another does not");
    tap_ok(crypto_pwhash_argon2id_str_verify(hash, password.p, password.n) == 0,
           "libsodium's own verifier agrees");
}

static void test_bytes(apr_pool_t *pool)
{
    static const slice_t nul = SLICE("a\0b");
    const char *hash = cheap(pool, "correct horse"), *empty = cheap(pool, ""), *cut;
    char *big = memset(apr_palloc(pool, PASSWORD_MAX + 1), 'x', PASSWORD_MAX + 1);
    const char *unused = "";

    tap_ok(password_verify(hash, slice_of("correct horse")) == PASSWORD_OK, "another cost is read");
    tap_ok(password_verify(hash, slice_of("correct hors")) == PASSWORD_WRONG, "a cut password");
    tap_ok(password_verify(hash, slice_of("correct horse ")) == PASSWORD_WRONG, "a longer one");
    tap_ok(password_verify(hash, slice_make(NULL, 0)) == PASSWORD_WRONG, "none");
    tap_ok(password_verify(empty, slice_make(NULL, 0)) == PASSWORD_OK, "none where none is due");
    cut = cheap(pool, "a");
    tap_ok(password_verify(cut, nul) == PASSWORD_WRONG, "a NUL does not end a password");
    tap_ok(password_verify(NULL, slice_of("x")) == PASSWORD_WRONG &&
               password_verify("", slice_of("")) == PASSWORD_WRONG,
           "an account without a password");
    tap_ok(password_hash(&unused, slice_make(big, PASSWORD_MAX + 1), pool) == PASSWORD_WRONG &&
               !unused,
           "too long a password gets no hash");
    tap_ok(password_verify(hash, slice_make(big, PASSWORD_MAX + 1)) == PASSWORD_WRONG,
           "and does not verify");
    tap_ok(password_hash(&unused, slice_make(big, PASSWORD_MAX), pool) == PASSWORD_OK &&
               password_verify(unused, slice_make(big, PASSWORD_MAX)) == PASSWORD_OK &&
               password_verify(unused, slice_make(big, PASSWORD_MAX - 1)) == PASSWORD_WRONG,
           "the longest one counts to its last byte");
}

#define SALT "AAAAAAAAAAAAAAAAAAAAAA"
#define KEY  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void test_unreadable(apr_pool_t *pool)
{
    static const char *const bad[] = {
        "x",
        "$argon2id$",
        "$argon2i$v=19$m=8,t=1,p=1$" SALT "$" KEY,
        "$argon2id$v=16$m=8,t=1,p=1$" SALT "$" KEY,
        "$argon2id$m=8,t=1,p=1$" SALT "$" KEY,
        "$argon2id$v=19$m=8,t=1,p=2$" SALT "$" KEY,
        "$argon2id$v=19$m=0,t=1,p=1$" SALT "$" KEY,
        "$argon2id$v=19$m=7,t=1,p=1$" SALT "$" KEY, /* below what libsodium does */
        "$argon2id$v=19$m=,t=1,p=1$" SALT "$" KEY,
        "$argon2id$v=19$m=-8,t=1,p=1$" SALT "$" KEY,
        "$argon2id$v=19$m=4294967295,t=1,p=1$" SALT "$" KEY,
        "$argon2id$v=19$m=18446744073709551624,t=1,p=1$" SALT "$" KEY,
        "$argon2id$v=19$m=8,t=4294967295,p=1$" SALT "$" KEY,
        "$argon2id$v=19$m=8,t=1,p=1$" SALT,
        "$argon2id$v=19$m=8,t=1,p=1$" SALT "$",
        "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" KEY "A",
        "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" KEY "$",
        "$argon2id$v=19$m=8,t=1,p=1$" SALT "A$" KEY,
        "$argon2id$v=19$m=8,t=1,p=1$AAAA$" KEY,
        "$argon2id$v=19$m=8,t=1,p=1$" SALT "$" KEY "=",
        "$2y$16$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /* hours at 31 */
        "$2y$03$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$2y$4$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$2y$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$2x$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$apr1$$qsrPRUg7amComv4NvN5pF.",
        "$apr1$uy7YWoRsx$qsrPRUg7amComv4NvN5pF.",
        "$apr1$uy7YWoRs$qsrPRUg7amComv4NvN5pF.x",
        "$1$uy7YWoRs$qsrPRUg7amComv4NvN5pF.",
        "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A",
        "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A==",
        "{SSHA}L55TUjtiq8FBorTWAZ0jy6g129A=",
        "$5$rounds=999$abc$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1",
        "$5$rounds=2000001$abc$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1",
        "$5$rounds=999999999$abc$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1",
        "$5$rounds=$abc$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1",
        "$5$$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1",
        "$5$12345678901234567$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1",
        "$6$abc$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1",
        "rqXexS6ZhobKA", /* DES */
        "*0",            /* what crypt says when it fails */
    };
    slice_t password = slice_of("x");
    size_t i;

    (void)pool;
    tap_ok(password_verify("$argon2id$v=19$m=8,t=1,p=1$" SALT "$" KEY, password) == PASSWORD_WRONG,
           "the form that the others are bent from");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_ok(password_verify(bad[i], password) == PASSWORD_NO_MEMORY, "unreadable: %s", bad[i]);
    }
}

/* Made by htpasswd and by openssl passwd, for "correct horse". */
static void test_old(apr_pool_t *pool)
{
    static const struct {
        password_old_t kind;
        const char *hash;
    } rows[] = {
        {PASSWORD_OLD_BCRYPT, "$2y$04$SHCHr8c0ecyvADWX7VlRu.FQM1TjVnwbschJNCzPBkwoQBCE77knS"},
        {PASSWORD_OLD_BCRYPT, "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"},
        {PASSWORD_OLD_APR1, "$apr1$uy7YWoRs$qsrPRUg7amComv4NvN5pF."},
        {PASSWORD_OLD_SHA1, "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="},
        {PASSWORD_OLD_SHA256, "$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/"},
        {PASSWORD_OLD_SHA256, "$5$rounds=1000$abc$/cRuvrIiQqQvcPwD.a/LO47x90cA9f8oqYBouKihds1"},
        {PASSWORD_OLD_SHA512, "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI"
                              "2EplzfAqxL5Vvwp2scFtv/uamSo5z0"},
    };
    char x[PASSWORD_OLD_BCRYPT_MAX + 1];
    const char *hash, *ours = NULL;
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hash = rows[i].hash;
        tap_ok(password_old_kind(slice_of(hash)) == rows[i].kind, "%s",
               password_old_word(rows[i].kind));
        tap_ok(password_verify(hash, slice_of("correct horse")) == PASSWORD_OK, "lets in");
        tap_ok(password_verify(hash, slice_of("correct horsf")) == PASSWORD_WRONG &&
                   password_verify(hash, slice_of("")) == PASSWORD_WRONG &&
                   password_verify(hash, slice_make(NULL, 0)) == PASSWORD_WRONG &&
                   password_verify(hash, slice_make("correct horse\0", 14)) == PASSWORD_WRONG,
               "nobody else");
        tap_ok(password_is_old(hash), "is to be replaced");
    }
    hash = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
    memset(x, 'x', sizeof(x));
    tap_ok(password_verify(hash, slice_make(x, sizeof(x) - 1)) == PASSWORD_OK &&
               password_verify(hash, slice_make(x, sizeof(x))) == PASSWORD_WRONG,
           "what bcrypt would cut is refused");
    (void)password_hash(&ours, slice_of("x"), pool);
    tap_ok(!password_is_old(ours) && password_is_old(cheap(pool, "x")) && password_is_old("x"),
           "ours is not to be replaced, a cheaper one is");
    tap_ok(password_dummy(slice_of("x")) == PASSWORD_WRONG &&
               password_dummy(slice_make(NULL, 0)) == PASSWORD_WRONG,
           "work for nothing");
}

/* In a child with little address space, because the limit cannot be taken back. */
static void test_no_memory(apr_pool_t *pool)
{
#ifdef TEST_ASAN
    (void)pool;
    tap_ok(1, "no memory # SKIP the sanitizer needs the address space");
#else
    const char *hash = NULL, *again = "";
    struct rlimit little = {48 << 20, 48 << 20};
    int status = -1;
    pid_t child;

    (void)password_hash(&hash, slice_of("x"), pool);
    child = fork();
    if (child == 0) {
        int bad = setrlimit(RLIMIT_AS, &little) != 0;

        bad |= (password_verify(hash, slice_of("x")) != PASSWORD_NO_MEMORY) << 1;
        bad |= (password_verify(hash, slice_of("y")) != PASSWORD_NO_MEMORY) << 2;
        bad |= (password_dummy(slice_of("y")) != PASSWORD_NO_MEMORY) << 4;
        bad |= (password_hash(&again, slice_of("x"), pool) != PASSWORD_NO_MEMORY || again) << 3;
        _exit(bad);
    }
    tap_ok(child > 0 && waitpid(child, &status, 0) == child && status == 0,
           "want of memory is not a wrong password (%d)", status);
#endif
}

int main(void)
{
    apr_pool_t *pool;

    if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS ||
        apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    test_round(pool);
    test_bytes(pool);
    test_unreadable(pool);
    test_old(pool);
    test_no_memory(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
