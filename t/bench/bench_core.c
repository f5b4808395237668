/*
 * bench_core.c - what core/ costs, next to the least that the same work could cost.
 *
 *   bench_core token ROUNDS COUNT    verifying a token of three caveats, and the bare HMAC calls in
 * it bench_core form ROUNDS MIB       the upload parser over data in pieces of 8 KiB, memcpy,
 * memmem bench_core sum ROUNDS MIB DIR    SHA-256 and a file, for the built-in index
 *
 * One line of JSON for each variant of each round, variants one after the other within a round. No
 * thresholds: a bench measures, t/bench/run does the rest.
 */
#include "core/caveat.h"
#include "core/token.h"
#include "core/upload.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench_kit.h"

#define PIECE 8192

/* ---- token ---- */

static const char bench_user[] = "5b4d4c2a-0f6e-4c1b-9d39-2a7a4a1f0c11";

static const char *bench_minted(slice_t key, apr_pool_t *pool)
{
    macaroon_t *m = macaroon_create(slice_of("index.example.org"),
                                    slice_of("d4d8a706-51a1-4844-a49f-12d4bc3db6f9"), key, pool);

    macaroon_append(m, slice_of("[1,[\"sampleproject\"]]"), pool);
    macaroon_append(m, slice_of("[3,\"5b4d4c2a-0f6e-4c1b-9d39-2a7a4a1f0c11\"]"), pool);
    macaroon_append(m, slice_of("[0,1800000000,1700000000]"), pool);
    return token_format(m, pool);
}

/* judge: what the caveats say is asked, too. */
static void bench_verify(const char *variant, int judge, const char *text, slice_t key, int n,
                         apr_pool_t *root)
{
    caveat_context_t context = {
        .now = 1750000000, .user_id = slice_of(bench_user), .project = SLICE("sampleproject")};
    double start = bench_now();
    apr_pool_t *pool;
    int i;

    apr_pool_create(&pool, root);
    for (i = 0; i < n; i++) {
        macaroon_t *m;
        verdict_t v;

        apr_pool_clear(pool);
        bench_check(token_parse(&m, slice_of(text), NULL, pool) == VERDICT_ALLOWED &&
                        macaroon_verify(m, key),
                    "the token is not good");
        bench_check(!judge || caveat_check(m->caveats, m->n_caveats, &context, CAVEAT_PHASE_UPLOAD,
                                           &v, pool) == VERDICT_ALLOWED,
                    "its caveats are not");
    }
    apr_pool_destroy(pool);
    bench_say(variant, n, start);
}

/* Key derivation, identifier, three caveats: five HMACs, of the texts' lengths. */
static const int bench_lengths[] = {32, 36, 21, 42, 25};

static void bench_sodium(const unsigned char key[32], int n)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    double start = bench_now();
    int i, k;

    for (i = 0; i < n; i++) {
        memcpy(mac, key, sizeof(mac));
        for (k = 0; k < 5; k++) {
            crypto_auth_hmacsha256_state state;

            crypto_auth_hmacsha256_init(&state, mac, sizeof(mac));
            crypto_auth_hmacsha256_update(&state, (const unsigned char *)bench_user,
                                          (size_t)bench_lengths[k] > sizeof(bench_user)
                                              ? sizeof(bench_user)
                                              : (size_t)bench_lengths[k]);
            crypto_auth_hmacsha256_final(&state, mac);
        }
    }
    bench_say("hmac, libsodium", n, start);
}

static void bench_openssl(const unsigned char key[32], int n)
{
    unsigned char mac[32], out[32];
    double start = bench_now();
    unsigned size;
    int i, k;

    for (i = 0; i < n; i++) {
        memcpy(mac, key, sizeof(mac));
        for (k = 0; k < 5; k++) {
            bench_check(HMAC(EVP_sha256(), mac, sizeof(mac), (const unsigned char *)bench_user,
                             (size_t)bench_lengths[k] > sizeof(bench_user)
                                 ? sizeof(bench_user)
                                 : (size_t)bench_lengths[k],
                             out, &size) != NULL,
                        "no HMAC");
            memcpy(mac, out, sizeof(mac));
        }
    }
    bench_say("hmac, OpenSSL", n, start);
}

static void bench_token(int rounds, int n, apr_pool_t *pool)
{
    unsigned char key[32] = {1, 2, 3};
    slice_t k = slice_make((const char *)key, sizeof(key));
    const char *text = bench_minted(k, pool);
    int i;

    printf("{\"variant\": \"text\", \"token\": \"%s\", \"key\": \"010203\"}\n", text);
    for (i = 0; i < rounds; i++) {
        bench_verify("verify", 0, text, k, n, pool);
        bench_sodium(key, n);
        bench_verify("verify and judge", 1, text, k, n, pool);
        bench_openssl(key, n);
    }
}

/* ---- form ---- */

/* The sets of data that make searches slow; what stands for the boundary is filled in. */
typedef struct bench_set_t {
    const char *name, *boundary;
    slice_t data; /* repeated; p NULL: random; empty: the delimiter but for its last byte */
} bench_set_t;

#define BENCH_HEX       "0123456789abcdef0123456789abcdef"
#define BENCH_DISTUTILS "--------------GHSKFJDLGDS7543FJKLFHRE75642756743254"
#define BENCH_DASHES    "----------------------------------------------------------------------"

static const bench_set_t bench_sets[] = {
    {"random", BENCH_HEX, {NULL, 0}},
    {"zeros", BENCH_HEX, SLICE("\0")},
    {"all CR", BENCH_HEX, SLICE("\r")},
    {"all CR, distutils boundary", BENCH_DISTUTILS, SLICE("\r")},
    {"CRLF", BENCH_HEX, SLICE("\r\n")},
    {"CRLF--", BENCH_HEX, SLICE("\r\n--")},
    {"nearly the delimiter", BENCH_HEX, SLICE("")},
    {"dashes", BENCH_HEX, SLICE("-")},
    {"-CRLF-", BENCH_HEX, SLICE("-\r\n-")},
    {"dashes, distutils boundary", BENCH_DISTUTILS, SLICE("-")},
    {"nearly the delimiter, distutils", BENCH_DISTUTILS, SLICE("")},
    {"boundary X, all CR", "X", SLICE("\r")},
    {"boundary X, dashes", "X", SLICE("-")},
    {"boundary of 70 dashes, nearly it", BENCH_DASHES, SLICE("")},
    {"boundary of 69 dashes and X, dashes", BENCH_DASHES "X", SLICE("-")},
};

static void bench_fill(const bench_set_t *set, slice_t boundary, char *to, size_t n)
{
    slice_t data = set->data;
    char near[MULTIPART_BOUNDARY_MAX + 4];
    size_t i;

    if (!data.p) {
        randombytes_buf(to, n);
        return;
    }
    if (!data.n) {
        memcpy(near, "\r\n--", 4);
        memcpy(near + 4, boundary.p, boundary.n);
        near[boundary.n + 3] = '!';
        data = slice_make(near, boundary.n + 4);
    }
    for (i = 0; i < n; i++) {
        to[i] = data.p[i % data.n];
    }
}

static char *bench_form_make(const bench_set_t *set, slice_t boundary, size_t bytes, size_t *n,
                             apr_pool_t *pool)
{
    static const char *const fields[] = {"\":action\"\r\n\r\nfile_upload", "\"name\"\r\n\r\naaa",
                                         "\"version\"\r\n\r\n1.0",
                                         "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\n\r\n"};
    const char *dash = apr_pstrcat(pool, "--", slice_dup(boundary, pool), NULL), *head = "";
    const char *tail = apr_pstrcat(pool, "\r\n", dash, "--\r\n", NULL);
    char *body;
    size_t i;

    for (i = 0; i < 4; i++) {
        head = apr_pstrcat(pool, head, i ? "\r\n" : "", dash,
                           "\r\nContent-Disposition: form-data; name=", fields[i], NULL);
    }
    *n = strlen(head) + bytes + strlen(tail);
    body = malloc(*n);
    bench_check(body != NULL, "no memory");
    memcpy(body, head, strlen(head));
    bench_fill(set, boundary, body + strlen(head), bytes);
    memcpy(body + *n - strlen(tail), tail, strlen(tail));
    return body;
}

static size_t bench_piece(size_t n, size_t at)
{
    return n - at < PIECE ? n - at : PIECE;
}

static void bench_copy(const char *name, const char *body, size_t n)
{
    static char to[PIECE];
    double start = bench_now();
    size_t i;

    for (i = 0; i < n; i += PIECE) {
        memcpy(to, body + i, bench_piece(n, i));
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    bench_say(name, (double)n, start);
}

static void bench_memmem(const char *name, slice_t boundary, const char *body, size_t n,
                         apr_pool_t *pool)
{
    const char *needle = apr_pstrcat(pool, "\r\n--", slice_dup(boundary, pool), NULL);
    size_t i, found = 0, m = strlen(needle);
    double start = bench_now();

    for (i = 0; i < n; i += PIECE) {
        found += memmem(body + i, bench_piece(n, i), needle, m) != NULL;
    }
    bench_check(found > 0, "no delimiter");
    bench_say(name, (double)n, start);
}

static void bench_parse(const char *name, slice_t boundary, const char *body, size_t n,
                        apr_pool_t *root)
{
    upload_options_t options = {0};
    apr_pool_t *pool;
    upload_t *u;
    double start;
    size_t i;

    apr_pool_create(&pool, root);
    u = upload_create(boundary, &options, pool);
    start = bench_now();
    for (i = 0; i < n; i += PIECE) {
        upload_feed(u, body + i, bench_piece(n, i));
    }
    bench_check(upload_finish(u) == VERDICT_ALLOWED, name);
    bench_say(name, (double)n, start);
    apr_pool_destroy(pool);
}

static void bench_form(int rounds, size_t bytes, apr_pool_t *root)
{
    apr_size_t k;
    int i;

    for (k = 0; k < sizeof(bench_sets) / sizeof(bench_sets[0]); k++) {
        const bench_set_t *set = &bench_sets[k];
        slice_t boundary = slice_of(set->boundary);
        apr_pool_t *pool;
        size_t n;
        char *body;

        apr_pool_create(&pool, root);
        if (boundary.n > MULTIPART_BOUNDARY_MAX) { /* the X must stay */
            boundary.p += boundary.n - MULTIPART_BOUNDARY_MAX;
            boundary.n = MULTIPART_BOUNDARY_MAX;
        }
        body = bench_form_make(set, boundary, bytes, &n, pool);
        for (i = 0; i < rounds; i++) {
            bench_copy(apr_pstrcat(pool, "memcpy: ", set->name, NULL), body, n);
            bench_parse(apr_pstrcat(pool, "parser: ", set->name, NULL), boundary, body, n, pool);
            bench_memmem(apr_pstrcat(pool, "memmem: ", set->name, NULL), boundary, body, n, pool);
        }
        free(body);
        apr_pool_destroy(pool);
    }
}

/* ---- sum ---- */

/* What storing a file takes at the least: its SHA-256 by OpenSSL, and write. */
static void bench_sum_once(const char *path, const char *data, size_t n)
{
    unsigned char sum[32];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    double start = bench_now();
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t i;

    bench_check(fd >= 0 && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL), path);
    for (i = 0; i < n; i += 8 * PIECE) {
        size_t take = n - i < (size_t)8 * PIECE ? n - i : (size_t)8 * PIECE;

        bench_check(EVP_DigestUpdate(context, data + i, take) == 1 &&
                        write(fd, data + i, take) == (ssize_t)take,
                    path);
    }
    bench_check(EVP_DigestFinal_ex(context, sum, NULL) == 1 && fsync(fd) == 0, path);
    close(fd);
    bench_say("sum and write", (double)n, start);
    EVP_MD_CTX_free(context);
    unlink(path);
}

static void bench_sum(int rounds, size_t n, const char *directory, apr_pool_t *pool)
{
    char *data = malloc(n);
    int i;

    bench_check(data != NULL, "no memory");
    randombytes_buf(data, n);
    for (i = 0; i < rounds; i++) {
        bench_sum_once(apr_pstrcat(pool, directory, "/bench-sum", NULL), data, n);
    }
    free(data);
}

/* ---- run ---- */

/* Started from here, where there is little memory that the figure could be that of. */
static void bench_run(char **argv)
{
    struct rusage usage;
    int status, silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t pid = fork();

    if (pid == 0) {
        dup2(silence, STDOUT_FILENO);
        execv(argv[0], argv);
        _exit(127);
    }
    bench_check(pid > 0 && wait4(pid, &status, 0, &usage) == pid && status == 0, argv[0]);
    printf("{\"variant\": \"run\", \"kib\": %ld}\n", usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    const char *what = argc > 3 ? argv[1] : "";
    int rounds = argc > 3 ? (int)strtol(argv[2], NULL, 10) : 0;
    long size = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    apr_pool_t *pool;

    apr_initialize();
    bench_check(sodium_init() >= 0, "no libsodium");
    apr_pool_create(&pool, NULL);
    bench_check(rounds > 0 && size > 0,
                "token ROUNDS COUNT | form ROUNDS MIB | sum ROUNDS MIB DIR");
    if (strcmp(what, "token") == 0) {
        bench_token(rounds, (int)size, pool);
    } else if (strcmp(what, "form") == 0) {
        bench_form(rounds, (size_t)size << 20, pool);
    } else if (strcmp(what, "sum") == 0 && argc > 4) {
        bench_clock = CLOCK_MONOTONIC;
        bench_sum(rounds, (size_t)size << 20, argv[4], pool);
    } else if (strcmp(what, "run") == 0 && argc > 4) {
        bench_run(argv + 4);
    } else {
        bench_check(0, "what?");
    }
    apr_terminate();
    return 0;
}
