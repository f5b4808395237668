/*
 * fuzz_token.c - token texts and caveats from a stranger.
 *
 * Properties: nothing is read out of bounds; a text that parses is rebuilt to the same text (but
 * for padding and white space); a parsed macaroon of a stranger never verifies under our key; a
 * caveat added to it never makes a refused upload an allowed one.
 */
#include "core/caveat.h"
#include "core/token.h"

#include <apr_general.h>
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *fuzz_root;

static void fuzz_caveats(const slice_t *caveats, apr_size_t n, apr_pool_t *pool)
{
    static const slice_t user = SLICE("a614e122-a9ee-473c-b6df-8c4f1b776628");
    static const slice_t project = SLICE("sample-project");
    caveat_context_t context = {1700000000, user, project, {NULL, 0}, "Sample.Project"};
    verdict_code_t all, fewer;
    verdict_t v;
    apr_size_t i;

    for (i = 0; i < n; i++) {
        if (!caveat_describe(caveats[i], pool)) {
            abort();
        }
    }
    all = caveat_check(caveats, n, &context, CAVEAT_PHASE_UPLOAD, &v, pool);
    fewer = caveat_check(caveats, n ? n - 1 : 0, &context, CAVEAT_PHASE_UPLOAD, &v, pool);
    if (all == VERDICT_ALLOWED && fewer != VERDICT_ALLOWED) {
        abort();
    }
    if (all == VERDICT_ALLOWED &&
        caveat_check(caveats, n, &context, CAVEAT_PHASE_BEARER, &v, pool) != VERDICT_ALLOWED) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[MACAROON_KEY_BYTES] = "a key that no stranger can know";
    slice_t text = slice_make((const char *)data, size), again;
    macaroon_t *m = NULL, *twin = NULL;
    const char *why;
    apr_pool_t *pool;

    if (!fuzz_root) {
        if (sodium_init() < 0 || apr_initialize() != APR_SUCCESS) {
            abort();
        }
        apr_pool_create(&fuzz_root, NULL);
    }
    apr_pool_create(&pool, fuzz_root);
    if (token_parse(&m, text, &why, pool) == VERDICT_ALLOWED) {
        again = slice_of(token_format(m, pool));
        text = slice_trim(text);
        if (again.n > text.n || memcmp(again.p, text.p, again.n) != 0 ||
            token_parse(&twin, again, &why, pool) != VERDICT_ALLOWED ||
            macaroon_verify(m, slice_make(key, sizeof(key)))) {
            abort();
        }
        fuzz_caveats(m->caveats, m->n_caveats, pool);
    } else if (size) {
        /* not a token: then the bytes are one or two caveats */
        const char *cut = memchr(data, '\n', size);
        slice_t two[2];

        two[0] =
            slice_make((const char *)data, cut ? (apr_size_t)(cut - (const char *)data) : size);
        two[1] = cut ? slice_make(cut + 1, size - two[0].n - 1) : two[0];
        fuzz_caveats(two, 2, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
