/*
 * search.c - blocks of data against a few bytes of the needle; see search.h.
 *
 * Four bytes of the needle are looked at in 16 or 32 places at once: the first, the last, and two
 * where the needle changes its value, so that a run of one character is no candidate. What passes
 * all four is compared as a whole. Data that makes candidates of everything is nobody's upload:
 * after a few vain comparisons the rest of the piece is walked with Knuth, Morris and Pratt's
 * automaton, which looks at no byte more than twice (SIAM J. Comput. 6 (2), 1977).
 */
#include "core/search.h"

#include <string.h>

#if defined(__SSE2__) && defined(__GNUC__)
#include <immintrin.h>
#define SEARCH_VECTORS 1
#define SEARCH_AVX2    __attribute__((target("avx2")))
#endif

#define SEARCH_VAIN 24 /* comparisons in one piece */

/* ---- byte by byte ---- */

static const char *search_walk(const search_t *s, const char *p, const char *end)
{
    int have = 0;

    for (; p < end; p++) {
        while (have >= 0 && *p != s->needle[have]) {
            have = s->back[have];
        }
        have++;
        if (have == s->n) {
            return p - s->n + 1;
        }
    }
    return NULL;
}

/* ---- plain C ---- */

/* memchr for the byte that follows the first change of value, while that brings one further. */
const char *search_plain(const search_t *s, const char *p, apr_size_t n)
{
    const char *end = p + n;
    int vain = 0;

    while ((apr_size_t)(end - p) >= s->n) {
        const char *last = end - s->n + s->at[1];
        const char *at =
            memchr(p + s->at[1], s->needle[s->at[1]], (apr_size_t)(last - p) - s->at[1] + 1);

        if (!at) {
            return NULL;
        }
        at -= s->at[1];
        if (memcmp(at, s->needle, s->n) == 0) {
            return at;
        }
        vain = at - p < 64 ? vain + 1 : 0;
        p = at + 1;
        if (vain > SEARCH_VAIN) {
            return search_walk(s, p, end);
        }
    }
    return NULL;
}

/* ---- blocks ---- */

#ifdef SEARCH_VECTORS

/* The candidates of one block, a bit for each. The first that is the needle, or NULL. */
static const char *search_block(const search_t *s, const char *p, unsigned bits, int *vain)
{
    for (; bits; bits &= bits - 1) {
        const char *at = p + __builtin_ctz(bits);

        if (memcmp(at, s->needle, s->n) == 0) {
            return at;
        }
        ++*vain;
    }
    return NULL;
}

/* The same steps for either size of a block, of PLACES places. The last block reaches to the end
 * and so over places that were looked at before. */
#define SEARCH_BLOCKS(PLACES, LOAD, EQUAL, AND, BITS)                                              \
    const apr_size_t reach = (PLACES)-1 + (apr_size_t)s->n;                                        \
    const char *end = p + n, *found;                                                               \
    int vain = 0;                                                                                  \
                                                                                                   \
    if (n < reach) {                                                                               \
        return search_walk(s, p, end);                                                             \
    }                                                                                              \
    while (end - p >= s->n) {                                                                      \
        unsigned bits;                                                                             \
                                                                                                   \
        p = (apr_size_t)(end - p) < reach ? end - reach : p;                                       \
        bits = (unsigned)BITS(                                                                     \
            AND(AND(EQUAL(LOAD(p + s->at[0]), c0), EQUAL(LOAD(p + s->at[1]), c1)),                 \
                AND(EQUAL(LOAD(p + s->at[2]), c2), EQUAL(LOAD(p + s->at[3]), c3))));               \
        found = bits ? search_block(s, p, bits, &vain) : NULL;                                     \
        if (found) {                                                                               \
            return found;                                                                          \
        }                                                                                          \
        p += (PLACES);                                                                             \
        if (vain > SEARCH_VAIN) {                                                                  \
            return search_walk(s, p, end);                                                         \
        }                                                                                          \
    }                                                                                              \
    return NULL

#define SEARCH_LOAD16(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define SEARCH_LOAD32(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))

SEARCH_AVX2 static const char *search_32(const search_t *s, const char *p, apr_size_t n);

static const char *search_16(const search_t *s, const char *p, apr_size_t n)
{
    const __m128i c0 = _mm_set1_epi8(s->needle[s->at[0]]), c1 = _mm_set1_epi8(s->needle[s->at[1]]),
                  c2 = _mm_set1_epi8(s->needle[s->at[2]]), c3 = _mm_set1_epi8(s->needle[s->at[3]]);

    SEARCH_BLOCKS(16, SEARCH_LOAD16, _mm_cmpeq_epi8, _mm_and_si128, _mm_movemask_epi8);
}

static const char *search_32(const search_t *s, const char *p, apr_size_t n)
{
    const __m256i c0 = _mm256_set1_epi8(s->needle[s->at[0]]),
                  c1 = _mm256_set1_epi8(s->needle[s->at[1]]),
                  c2 = _mm256_set1_epi8(s->needle[s->at[2]]),
                  c3 = _mm256_set1_epi8(s->needle[s->at[3]]);

    SEARCH_BLOCKS(32, SEARCH_LOAD32, _mm256_cmpeq_epi8, _mm256_and_si256, _mm256_movemask_epi8);
}

#endif

/* ---- making one ---- */

/* Not back to where the same byte is expected that was not there just now. */
static void search_backs(search_t *s)
{
    int i, have = -1;

    s->back[0] = -1;
    for (i = 1; i < s->n; i++) {
        while (have >= 0 && s->needle[i - 1] != s->needle[have]) {
            have = s->back[have];
        }
        have++;
        s->back[i] = s->needle[i] == s->needle[have] ? s->back[have] : (short)have;
    }
}

/* First and last, and behind the first and the last change of value, if there is one. */
static void search_places(search_t *s)
{
    unsigned char i, first = 0, last = 0;

    for (i = 1; i < s->n; i++) {
        if (s->needle[i] != s->needle[i - 1]) {
            first = first ? first : i;
            last = i;
        }
    }
    s->at[0] = 0;
    s->at[1] = first ? first : (unsigned char)(s->n / 2);
    s->at[2] = last > first ? (unsigned char)(last - 1) : last;
    s->at[3] = (unsigned char)(s->n - 1);
}

int search_make(search_t *s, slice_t needle)
{
    if (needle.n < 2 || needle.n > SEARCH_MAX) {
        return -1;
    }
    memset(s, 0, sizeof(*s));
    memcpy(s->needle, needle.p, needle.n);
    s->n = (unsigned char)needle.n;
    search_backs(s);
    search_places(s);
    s->fast = search_plain;
#ifdef SEARCH_VECTORS
    s->fast = __builtin_cpu_supports("avx2") ? search_32 : search_16;
#endif
    return 0;
}

const char *search_find(const search_t *s, const char *p, apr_size_t n)
{
    return n < s->n ? NULL : s->fast(s, p, n);
}
