/* test_search.c - search.h against memmem, over data that is chosen to look like the needle. */
#include "core/search.h"

#include <stdlib.h>
#include <string.h>

#include "tap.h"

#define ROUNDS 60000
#define DATA   700

static unsigned long long state = 88172645463325252ULL;

static unsigned next(unsigned below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* Few letters, or pieces of the needle with one letter changed, or runs of one. */
static void fill(char *p, apr_size_t n, slice_t needle, unsigned kind, unsigned letters)
{
    apr_size_t i = 0, take;

    while (i < n) {
        if (kind == 0) {
            p[i++] = (char)('a' + next(letters));
            continue;
        }
        take = 1 + next(kind == 1 ? (unsigned)needle.n : 40);
        take = take < n - i ? take : n - i;
        if (kind == 1) {
            take = take < needle.n ? take : needle.n;
            memcpy(p + i, needle.p, take);
            if (next(3)) {
                p[i + next((unsigned)take)] = (char)('a' + next(letters));
            }
        } else {
            memset(p + i, 'a' + (int)next(letters), take);
        }
        i += take;
    }
}

static int round_of(unsigned round, int *hits)
{
    unsigned letters = 1 + next(4), n = 2 + next(SEARCH_MAX - 1);
    apr_size_t length = next(DATA);
    char needle[SEARCH_MAX], *data = malloc(length ? length : 1); /* a read beyond it is seen */
    slice_t s = slice_make(needle, n);
    const char *want, *got, *plain;
    search_t search;

    fill(needle, n, s, round % 2 ? 0 : 2, letters);
    fill(data, length, s, round % 3, letters);
    want = memmem(data, length, needle, n);
    if (search_make(&search, s)) {
        abort();
    }
    got = search_find(&search, data, length);
    plain = search_plain(&search, data, length);
    *hits += want != NULL;
    free(data);
    return got == want && plain == want;
}

int main(void)
{
    search_t search;
    unsigned i;
    int same = 1, hits = 0;

    for (i = 0; i < ROUNDS && same; i++) {
        same = round_of(i, &hits);
    }
    tap_ok(same, "what memmem finds, both ways (round %u)", i);
    tap_ok(hits > ROUNDS / 10 && hits < ROUNDS - ROUNDS / 10, "  there, and not there (%d)", hits);
    tap_ok(search_make(&search, slice_of("x")) == -1 && search_make(&search, slice_of("")) == -1,
           "a needle is two bytes at least");
    return tap_done();
}
