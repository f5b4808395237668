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
#include "core/network.h"
#include "core/version_clause.h"

#include "fuzz.h"

#define FUZZ_LINES 6
#define FUZZ_SUM   "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/* The words that a stranger's caveat must guess are those that the dictionary holds. */
static const caveat_context_t fuzz_contexts[] = {
    {1700000000, SLICE("u1"), SLICE("aaa"), SLICE("id-a"), "Aaa", SLICE("10.1.2.3"), "1.2.3",
     "aaa-1.2.3.tar.gz", "sdist", SLICE(FUZZ_SUM), 0},
    {1700000000, SLICE("u1"), SLICE("bbb"), SLICE("id-b"), "bbb", SLICE("::1"), "1!2rc1.post0+x",
     "bbb-1_2rc1.whl", "bdist_wheel", SLICE(""), 1},
    {1, SLICE("u2"), SLICE("aaa"), SLICE(""), NULL, SLICE("::ffff:10.9.9.9"), "0", "aaa-0.zip",
     "sdist", SLICE(FUZZ_SUM), 1},
    {1700000000, SLICE("u2"), SLICE(""), SLICE(""), NULL, SLICE("x"), NULL, NULL, NULL, SLICE(""),
     0},
    {4000000000, SLICE(""), SLICE("ccc"), SLICE("id-c"), "ccc", SLICE("2001:db8::7"), "2.0", "x",
     "sdist", SLICE(""), 0},
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

/* "one of these holds" for the lists whose items are patterns. */
static int fuzz_pattern(const caveat_text_t *t, const caveat_context_t *c, apr_pool_t *pool)
{
    apr_size_t i;
    int found = 0;

    for (i = 0; i < t->n; i++) {
        slice_t item = t->list[i];
        network_t network;

        if (t->kind == CAVEAT_NETWORKS) {
            FUZZ_HOLDS(network_parse(&network, item));
            found |= network_holds(&network, c->address);
        } else if (t->kind == CAVEAT_VERSIONS) {
            FUZZ_HOLDS(version_clause_valid(item, pool));
            found |= c->version && version_clause_match(item, c->version, pool);
        } else if (memchr(item.p, '*', item.n)) {
            FUZZ_HOLDS(item.p[item.n - 1] == '*');
            found |= c->project.n && c->project.n >= item.n - 1 &&
                     memcmp(c->project.p, item.p, item.n - 1) == 0;
        } else {
            found |= c->project.n && slice_equal(item, c->project);
        }
    }
    return found;
}

static int fuzz_private(const caveat_text_t *t, const caveat_context_t *c, apr_pool_t *pool)
{
    FUZZ_HOLDS(t->kind == CAVEAT_USES || t->n > 0);
    switch (t->kind) {
    case CAVEAT_NETWORKS:
    case CAVEAT_VERSIONS:
    case CAVEAT_GLOBS:
        return fuzz_pattern(t, c, pool);
    case CAVEAT_DIGESTS:
        return fuzz_lists(t, c->sha256);
    case CAVEAT_USES:
        return t->uses > 0;
    case CAVEAT_FILE_KINDS:
        return fuzz_lists(t, slice_of(c->filetype));
    case CAVEAT_CREATION:
        return c->project.n && slice_is(t->list[0], c->fresh ? "new" : "existing");
    case CAVEAT_FILE_NAMES:
        return fuzz_lists(t, slice_of(c->filename));
    default:
        return 0;
    }
}

/* What the fields say, without caveat.c. */
static int fuzz_says(const caveat_text_t *t, const caveat_context_t *c, apr_pool_t *pool)
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
    default:
        return fuzz_private(t, c, pool);
    }
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
    case CAVEAT_USES:
        return caveat_number(CAVEAT_TAG_USES, t->uses, pool);
    case CAVEAT_CREATION:
        return caveat_word(CAVEAT_TAG_CREATION, t->list[0], pool);
    default:
        return caveat_list(CAVEAT_TAG_NETWORKS + (int)(t->kind - CAVEAT_NETWORKS), t->list, t->n,
                           pool);
    }
}

static int fuzz_same(const caveat_text_t *a, const caveat_text_t *b)
{
    apr_size_t i;

    if (a->kind != b->kind || a->n != b->n || a->expires != b->expires ||
        a->not_before != b->not_before || a->uses != b->uses) {
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
        int said = !why && fuzz_says(&read, &fuzz_contexts[i], pool);

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
