/*
 * bench_core.c - what core/ costs, as ratios taken in one run with the variants interleaved.
 *
 *   token  verifying a token of three caveats / the bare HMAC calls that it must make
 *   form   the upload parser over 64 MiB of random data in 8 KiB pieces / memcpy of the same
 *
 * Prints medians of ROUNDS rounds with the least and the greatest. No thresholds: a bench measures.
 */
#include "core/token.h"
#include "core/upload.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS     7
#define TOKENS     20000
#define FORM_BYTES ((size_t)64 << 20)
#define PIECE      8192

static double bench_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int bench_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void bench_print(const char *what, double *ratio)
{
    qsort(ratio, ROUNDS, sizeof(*ratio), bench_order);
    printf("%-44s %7.3f  (%.3f .. %.3f)\n", what, ratio[ROUNDS / 2], ratio[0], ratio[ROUNDS - 1]);
}

static double bench_verify(const char *text, slice_t key, apr_pool_t *root)
{
    double start = bench_now();
    int i;

    for (i = 0; i < TOKENS; i++) {
        macaroon_t *m;
        apr_pool_t *pool;

        apr_pool_create(&pool, root);
        if (token_parse(&m, slice_of(text), NULL, pool) != VERDICT_ALLOWED ||
            !macaroon_verify(m, key)) {
            abort();
        }
        apr_pool_destroy(pool);
    }
    return bench_now() - start;
}

/* Key derivation, identifier, three caveats: five HMACs. */
static double bench_hmac(const unsigned char key[32])
{
    static const unsigned char text[48] = "[1,[\"a-project-of-some-name\"]]";
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    double start = bench_now();
    int i, k;

    for (i = 0; i < TOKENS; i++) {
        memcpy(mac, key, sizeof(mac));
        for (k = 0; k < 5; k++) {
            crypto_auth_hmacsha256(mac, text, 40, mac);
        }
    }
    return bench_now() - start;
}

static void bench_token(apr_pool_t *pool)
{
    unsigned char key[32] = {1, 2, 3};
    slice_t k = slice_make((const char *)key, sizeof(key));
    macaroon_t *m = macaroon_create(slice_of("index.example.org"),
                                    slice_of("d4d8a706-51a1-4844-a49f-12d4bc3db6f9"), k, pool);
    double ratio[ROUNDS];
    const char *text;
    int i;

    macaroon_append(m, slice_of("[1,[\"sampleproject\"]]"), pool);
    macaroon_append(m, slice_of("[2,[\"5b4d4c2a-0f6e-4c1b-9d39-2a7a4a1f0c11\"]]"), pool);
    macaroon_append(m, slice_of("[0,1800000000,1700000000]"), pool);
    text = token_format(m, pool);
    for (i = 0; i < ROUNDS; i++) {
        ratio[i] = bench_verify(text, k, pool) / bench_hmac(key);
    }
    bench_print("token: verify / bare HMACs", ratio);
}

static double bench_copy(const char *body, size_t n, char *to)
{
    double start = bench_now();
    size_t i;

    for (i = 0; i < n; i += PIECE) {
        memcpy(to, body + i, n - i < PIECE ? n - i : PIECE);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return bench_now() - start;
}

static double bench_parse(const char *body, size_t n, apr_pool_t *root)
{
    upload_options_t options = {0};
    apr_pool_t *pool;
    upload_t *u;
    double start;
    size_t i;

    apr_pool_create(&pool, root);
    u = upload_create(slice_of("0123456789abcdef0123456789abcdef"), &options, pool);
    start = bench_now();
    for (i = 0; i < n; i += PIECE) {
        upload_feed(u, body + i, n - i < PIECE ? n - i : PIECE);
    }
    if (upload_finish(u) != VERDICT_ALLOWED) {
        abort();
    }
    start = bench_now() - start;
    apr_pool_destroy(pool);
    return start;
}

static void bench_form(apr_pool_t *pool)
{
#define DASH "--0123456789abcdef0123456789abcdef"
#define TEXT "\r\nContent-Disposition: form-data; name="
    static const char head[] = DASH TEXT
        "\":action\"\r\n\r\nfile_upload\r\n" DASH TEXT "\"name\"\r\n\r\naaa\r\n" DASH TEXT
        "\"version\"\r\n\r\n1.0\r\n" DASH TEXT "\"content\"; filename=\"aaa-1.0.tar.gz\"\r\n\r\n";
    static const char tail[] = "\r\n" DASH "--\r\n";
    size_t n = sizeof(head) - 1 + FORM_BYTES + sizeof(tail) - 1;
    char *body = malloc(n), *to = malloc(PIECE);
    double ratio[ROUNDS];
    int i;

    if (!body || !to) {
        abort();
    }
    memcpy(body, head, sizeof(head) - 1);
    randombytes_buf(body + sizeof(head) - 1, FORM_BYTES);
    memcpy(body + n - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
    for (i = 0; i < ROUNDS; i++) {
        double copy = bench_copy(body, n, to);

        ratio[i] = copy / bench_parse(body, n, pool);
    }
    bench_print("form: parser / memcpy, random, 8 KiB", ratio);
    free(body);
    free(to);
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    if (sodium_init() < 0) {
        return 1;
    }
    apr_pool_create(&pool, NULL);
    bench_token(pool);
    bench_form(pool);
    apr_terminate();
    return 0;
}
