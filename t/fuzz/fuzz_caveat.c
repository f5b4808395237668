/*
 * fuzz_caveat.c - caveats from a stranger, one a line.
 *
 * Properties: several caveats allow what each of them allows, in any order, so that one more never
 * widens; what is denied before the body is denied after it; a caveat that cannot be read denies
 * everywhere; one that can allows just what its fields say, and written anew from its fields says
 * the same; whatever is told about it is printable.
 */
#include "core/caveat.h"
#include "core/caveat_text.h"

#include "fuzz.h"

#define FUZZ_LINES 6

/* The words that a stranger's caveat must guess are those that the dictionary holds. */
static const caveat_context_t fuzz_contexts[] = {
    {1700000000, SLICE("u1"), SLICE("aaa"), SLICE("id-a"), "Aaa"},
    {1700000000, SLICE("u1"), SLICE("bbb"), SLICE("id-b"), "bbb"},
    {1, SLICE("u2"), SLICE("aaa"), SLICE(""), NULL},
    {1700000000, SLICE("u2"), SLICE(""), SLICE(""), NULL},
    {4000000000, SLICE(""), SLICE("ccc"), SLICE("id-c"), "ccc"},
};

#define FUZZ_CONTEXTS (sizeof(fuzz_contexts) / sizeof(*fuzz_contexts))

static int fuzz_allows(const slice_t *caveats, apr_size_t n, const caveat_context_t *context,
                       caveat_phase_t phase, apr_pool_t *pool)
{
    verdict_t v;
    verdict_code_t code = caveat_check(caveats, n, context, phase, &v, pool);

    FUZZ_HOLDS(code == v.code && fuzz_printable(verdict_sentence(&v, pool)) &&
               fuzz_printable(verdict_logline(&v, pool)));
    return code == VERDICT_ALLOWED;
}

static int fuzz_lists(const caveat_text_t *t, slice_t value)
{
    int found = 0;
    apr_size_t i;

    for (i = 0; i < t->n; i++) {
        found |= value.n && slice_equal(t->list[i], value);
    }
    return found;
}

/* What the fields say, without caveat.c. */
static int fuzz_says(const caveat_text_t *t, const caveat_context_t *c)
{
    switch (t->kind) {
    case CAVEAT_EXPIRATION:
        return c->now < t->expires && c->now >= t->not_before;
    case CAVEAT_PROJECT_NAMES:
        return fuzz_lists(t, c->project);
    case CAVEAT_PROJECT_IDS:
        return c->project.n && fuzz_lists(t, c->project_id);
    case CAVEAT_USER:
        return fuzz_lists(t, c->user_id);
    case CAVEAT_ANY_USER:
        return c->user_id.n > 0;
    }
    return 0;
}

static slice_t fuzz_written(const caveat_text_t *t, apr_pool_t *pool)
{
    switch (t->kind) {
    case CAVEAT_EXPIRATION:
        return caveat_expiration(t->expires, t->not_before, pool);
    case CAVEAT_PROJECT_NAMES:
        return caveat_projects(t->list, t->n, pool);
    case CAVEAT_PROJECT_IDS:
        return caveat_project_ids(t->list, t->n, pool);
    case CAVEAT_USER:
        return caveat_user(t->list[0], pool);
    case CAVEAT_ANY_USER:
        break;
    }
    return slice_of(NULL);
}

static int fuzz_same(const caveat_text_t *a, const caveat_text_t *b)
{
    apr_size_t i;

    if (a->kind != b->kind || a->n != b->n || a->expires != b->expires ||
        a->not_before != b->not_before) {
        return 0;
    }
    for (i = 0; i < a->n; i++) {
        if (!slice_equal(a->list[i], b->list[i])) {
            return 0;
        }
    }
    return 1;
}

static void fuzz_one(slice_t caveat, apr_pool_t *pool)
{
    caveat_text_t read, again;
    char *copy = fuzz_copy(caveat);
    const char *why = caveat_text_read(&read, slice_make(copy, caveat.n), pool);
    slice_t written;
    size_t i;

    free(copy);
    FUZZ_HOLDS(!why || fuzz_printable(why));
    FUZZ_HOLDS(fuzz_printable(caveat_describe(caveat, pool)));
    for (i = 0; i < FUZZ_CONTEXTS; i++) {
        int said = !why && fuzz_says(&read, &fuzz_contexts[i]);

        FUZZ_HOLDS(said == fuzz_allows(&caveat, 1, &fuzz_contexts[i], CAVEAT_PHASE_UPLOAD, pool));
        FUZZ_HOLDS(!why || !fuzz_allows(&caveat, 1, &fuzz_contexts[i], CAVEAT_PHASE_BEARER, pool));
    }
    if (!why && read.kind != CAVEAT_ANY_USER) {
        written = fuzz_written(&read, pool);
        FUZZ_HOLDS(!caveat_text_read(&again, written, pool) && fuzz_same(&read, &again));
        FUZZ_HOLDS(!strcmp(caveat_describe(written, pool), caveat_describe(caveat, pool)));
    }
}

static void fuzz_all(const slice_t *caveats, apr_size_t n, apr_pool_t *pool)
{
    slice_t turned[FUZZ_LINES];
    apr_size_t i, k;

    for (i = 0; i < n; i++) {
        turned[i] = caveats[n - 1 - i];
    }
    for (k = 0; k < FUZZ_CONTEXTS; k++) {
        int all = fuzz_allows(caveats, n, &fuzz_contexts[k], CAVEAT_PHASE_UPLOAD, pool), each = 1;

        for (i = 0; i < n; i++) {
            each &= fuzz_allows(caveats + i, 1, &fuzz_contexts[k], CAVEAT_PHASE_UPLOAD, pool);
        }
        FUZZ_HOLDS(all == each);
        FUZZ_HOLDS(all == fuzz_allows(turned, n, &fuzz_contexts[k], CAVEAT_PHASE_UPLOAD, pool));
        FUZZ_HOLDS(!all || fuzz_allows(caveats, n, &fuzz_contexts[k], CAVEAT_PHASE_BEARER, pool));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice_t rest = slice_make((const char *)data, size), caveats[FUZZ_LINES];
    apr_pool_t *pool = fuzz_pool();
    apr_size_t n = 0;

    do {
        const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;

        caveats[n] = fuzz_take(&rest, end && n + 1 < FUZZ_LINES ? (size_t)(end - rest.p) : rest.n);
        fuzz_one(caveats[n++], pool);
        (void)fuzz_take(&rest, 1);
    } while (rest.n);
    fuzz_all(caveats, n, pool);
    apr_pool_destroy(pool);
    return 0;
}
