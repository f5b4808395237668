/* test_password.c - argon2id hashes: right, wrong, and not to be had. */
#include "core/password.h"

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
        "$2y$10$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
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
    test_no_memory(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
