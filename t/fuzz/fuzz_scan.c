/*
 * fuzz_scan.c - tokens in a text of anybody's.
 *
 * Input: one byte that chooses pieces, then the text. Properties: the candidates are the same for
 * the text whole, byte by byte, and in pieces; each begins as a token does; one that stands in the
 * open stands there.
 */
#include "core/scan.h"
#include "core/token.h"

#include "fuzz.h"

/* What was found, in whatever order: one within another may be complete before it. */
typedef struct fuzz_found_t {
    unsigned n;
    uint64_t sum;
    int known; /* one that begins with FUZZ_BEGIN */
} fuzz_found_t;

#define FUZZ_BEGIN "pypi-AgEIcHlwaS5vcmc"

static void fuzz_candidate(void *baton, slice_t token)
{
    fuzz_found_t *found = baton;
    uint64_t hash = 14695981039346656037u;
    apr_size_t i;

    FUZZ_HOLDS(token_looks_like(token) && slice_starts(token, "pypi-"));
    for (i = 0; i < token.n; i++) {
        hash = (hash ^ (unsigned char)token.p[i]) * 1099511628211u;
    }
    found->n++;
    found->sum += hash;
    found->known |= slice_starts(token, FUZZ_BEGIN);
}

static fuzz_found_t fuzz_scan(slice_t text, unsigned step, apr_pool_t *pool)
{
    fuzz_found_t found = {0, 0, 0};
    scan_t *scan = scan_create(fuzz_candidate, &found, pool);
    unsigned state = step;

    while (text.n) {
        size_t take = step == 0   ? text.n
                      : step == 1 ? 1
                                  : 1 + (state = state * 1103515245 + 12345) / 65536 % 97;
        slice_t piece = fuzz_take(&text, take);
        char *copy = fuzz_copy(piece);

        scan_feed(scan, copy, piece.n);
        free(copy);
    }
    scan_end(scan);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice_t text = slice_make((const char *)data, size);
    unsigned step = 2 + fuzz_byte(&text), i;
    apr_pool_t *pool = fuzz_pool();
    fuzz_found_t whole = fuzz_scan(text, 0, pool);

    for (i = 0; i < 2; i++) {
        fuzz_found_t other = fuzz_scan(text, i ? step : 1, pool);

        FUZZ_HOLDS(other.n == whole.n && other.sum == whole.sum);
    }
    if (text.n && memmem(text.p, text.n, FUZZ_BEGIN, strlen(FUZZ_BEGIN))) {
        FUZZ_HOLDS(whole.known);
    }
    apr_pool_destroy(pool);
    return 0;
}
