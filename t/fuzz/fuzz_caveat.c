/*
 * fuzz_caveat.c - caveats from a stranger, one a line.
 *
 * Properties: several caveats allow what each of them allows, in any order, so that one more never
 * widens; what is denied while less is known is denied when all is; a caveat that cannot be read
 * denies everywhere; one that can allows just what its fields say, by code that is not caveat.c's,
 * and written anew from its fields says the same; whatever is told about it is printable.
 */
#include "core/caveat.h"
#include "core/caveat_text.h"
#include "core/version.h"

#include <arpa/inet.h>
#include <fnmatch.h>

#include "fuzz.h"

#define FUZZ_LINES 6
#define FUZZ_SHA   SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")

/* The words that a stranger's caveat must guess are those that the dictionary holds. */
static const caveat_context_t fuzz_contexts[] = {
    {1700000000, SLICE("u1"), SLICE("aaa"), SLICE("id-a"), "Aaa", SLICE("192.0.2.7"), "1.2.3",
     "aaa-1.2.3.tar.gz", "sdist", FUZZ_SHA, 0},
    {1700000000, SLICE("u1"), SLICE("bbb"), SLICE("id-b"), "bbb", SLICE("2001:db8::1"),
     "1!2rc1.post0+x", "bbb-2.0-py3-none-any.whl", "bdist_wheel", SLICE(""), 0},
    {1, SLICE("u2"), SLICE("aaa"), SLICE(""), NULL, SLICE("::ffff:192.0.2.9"), "1.2.3.dev1", NULL,
     NULL, FUZZ_SHA, 1},
    {1700000000, SLICE("u2"), SLICE(""), SLICE(""), NULL, SLICE(""), NULL, NULL, NULL, SLICE(""),
     0},
    {4000000000, SLICE(""), SLICE("ccc-c"), SLICE("id-c"), "ccc", SLICE("::1"), "1!1.2.3", "x",
     "sdist", SLICE(""), 1},
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

/* An address and how many of its leading bits count; as IPv4 when it is one within IPv6. */
typedef struct fuzz_net_t {
    int family, bits;
    unsigned char raw[16];
} fuzz_net_t;

static int fuzz_net(fuzz_net_t *net, slice_t text, apr_pool_t *pool)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char *address = slice_dup(text, pool), *slash = strchr(address, '/');

    if (slash) {
        *slash = 0;
    }
    memset(net, 0, sizeof(*net));
    if (inet_pton(AF_INET, address, net->raw) == 1) {
        net->family = AF_INET;
        net->bits = slash ? atoi(slash + 1) : 32;
    } else if (inet_pton(AF_INET6, address, net->raw) == 1) {
        net->family = AF_INET6;
        net->bits = slash ? atoi(slash + 1) : 128;
        if (memcmp(net->raw, mapped, 12) == 0 && net->bits >= 96) {
            memmove(net->raw, net->raw + 12, 4);
            net->family = AF_INET;
            net->bits -= 96;
        }
    }
    return net->family != 0;
}

static int fuzz_from(slice_t item, slice_t address, apr_pool_t *pool)
{
    fuzz_net_t net, one;
    int i;

    if (!fuzz_net(&one, address, pool)) {
        return 0;
    }
    FUZZ_HOLDS(fuzz_net(&net, item, pool));
    for (i = 0; net.family == one.family && i < net.bits; i++) {
        if ((net.raw[i / 8] ^ one.raw[i / 8]) & (0x80 >> i % 8)) {
            return 0;
        }
    }
    return net.family == one.family;
}

/* Without ".*": the rest is for the unit tests. A local part counts where the item has one. */
static int fuzz_version(slice_t item, const char *version, apr_pool_t *pool)
{
    char *public_part;

    if (!version || item.p[item.n - 1] == '*') {
        return version ? -1 : 0;
    }
    public_part = slice_dup(slice_of(version), pool);
    if (!memchr(item.p, '+', item.n) && strchr(public_part, '+')) {
        *strchr(public_part, '+') = 0;
    }
    return version_equal(version_normalize(item, pool), public_part);
}

static int fuzz_item(const caveat_text_t *t, slice_t item, const caveat_context_t *c,
                     apr_pool_t *pool)
{
    switch (t->kind) {
    case CAVEAT_NETWORKS:
        return fuzz_from(item, c->address, pool);
    case CAVEAT_VERSIONS:
        return fuzz_version(item, c->version, pool);
    case CAVEAT_DIGESTS:
        return slice_equal(item, c->sha256);
    case CAVEAT_GLOBS:
        return c->project.n && fnmatch(slice_dup(item, pool), slice_dup(c->project, pool), 0) == 0;
    case CAVEAT_FILE_KINDS:
        return c->filetype && slice_is(item, c->filetype);
    case CAVEAT_FILE_NAMES:
        return c->filename && slice_is(item, c->filename);
    default:
        FUZZ_HOLDS(0);
    }
    return 0;
}

/* What the fields say, without caveat.c: 1, 0, or -1 where that is not known here. */
static int fuzz_says(const caveat_text_t *t, const caveat_context_t *c, apr_pool_t *pool)
{
    int said = 0;
    apr_size_t i;

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
    case CAVEAT_USES:
        return 1;
    case CAVEAT_CREATION:
        return c->project.n && slice_is(t->list[0], c->fresh ? "new" : "existing");
    default:
        for (i = 0; i < t->n && said != 1; i++) {
            int one = fuzz_item(t, t->list[i], c, pool);

            said = one ? one : said;
        }
        return said;
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
    case CAVEAT_ANY_USER:
        return slice_of(NULL);
    default:
        return caveat_list(CAVEAT_TAG_NETWORKS + (int)t->kind - CAVEAT_NETWORKS, t->list, t->n,
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
    const caveat_set_t *set;
    caveat_text_t read, again;
    char *copy = fuzz_copy(caveat);
    const char *why = caveat_text_read(&read, slice_make(copy, caveat.n), pool);
    slice_t written;
    size_t i;

    free(copy);
    FUZZ_HOLDS(!why || fuzz_printable(why));
    FUZZ_HOLDS(!why == !caveat_fault(caveat, pool));
    set = caveat_set(&caveat, 1, pool);
    FUZZ_HOLDS((caveat_set_uses(set, 0) > 0) == (!why && read.kind == CAVEAT_USES));
    FUZZ_HOLDS(caveat_set_wants_digest(set) == (!why && read.kind == CAVEAT_DIGESTS));
    FUZZ_HOLDS(fuzz_printable(caveat_describe(caveat, pool)));
    for (i = 0; i < FUZZ_CONTEXTS; i++) {
        int said = why ? 0 : fuzz_says(&read, &fuzz_contexts[i], pool);

        FUZZ_HOLDS(said < 0 ||
                   said == fuzz_allows(&caveat, 1, &fuzz_contexts[i], CAVEAT_PHASE_UPLOAD, pool));
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
        FUZZ_HOLDS(!all || fuzz_allows(caveats, n, &fuzz_contexts[k], CAVEAT_PHASE_FORM, pool));
        FUZZ_HOLDS(!fuzz_allows(caveats, n, &fuzz_contexts[k], CAVEAT_PHASE_FORM, pool) ||
                   fuzz_allows(caveats, n, &fuzz_contexts[k], CAVEAT_PHASE_BEARER, pool));
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
