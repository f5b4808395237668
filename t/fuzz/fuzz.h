/* fuzz.h - what the fuzz targets share: a pool for each input, and what to do about a fault. */
#ifndef PYPITOKEN_FUZZ_H
#define PYPITOKEN_FUZZ_H

#include "core/slice.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_UNUSED __attribute__((unused)) static

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold ends the process, with the property as it stands in the source. */
#define FUZZ_HOLDS(property)                                                                       \
    do {                                                                                           \
        if (!(property)) {                                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A pool for one input, to be destroyed at its end. */
FUZZ_UNUSED apr_pool_t *fuzz_pool(void)
{
    static apr_pool_t *root;
    apr_pool_t *pool;

    if (!root) {
        FUZZ_HOLDS(sodium_init() >= 0 && apr_initialize() == APR_SUCCESS);
        FUZZ_HOLDS(apr_pool_create(&root, NULL) == APR_SUCCESS);
    }
    FUZZ_HOLDS(apr_pool_create(&pool, root) == APR_SUCCESS);
    return pool;
}

/* s in a heap block of exactly its size, so that a read past its end is seen. To be freed. */
FUZZ_UNUSED char *fuzz_copy(slice_t s)
{
    char *copy = malloc(s.n ? s.n : 1);

    FUZZ_HOLDS(copy);
    if (s.n) {
        memcpy(copy, s.p, s.n);
    }
    return copy;
}

/* The first n bytes of *rest, or what there is, which is taken off. */
FUZZ_UNUSED slice_t fuzz_take(slice_t *rest, size_t n)
{
    slice_t s = slice_make(rest->p, n < rest->n ? n : rest->n);

    rest->p += s.n;
    rest->n -= s.n;
    return s;
}

/* The next byte of *rest, 0 at its end. */
FUZZ_UNUSED unsigned fuzz_byte(slice_t *rest)
{
    slice_t s = fuzz_take(rest, 1);

    return s.n ? (unsigned char)s.p[0] : 0;
}

/* 1 when text is printable ASCII, as whatever goes into a log or a status line must be. */
FUZZ_UNUSED int fuzz_printable(const char *text)
{
    for (; *text; text++) {
        if (*text < 0x20 || *text > 0x7e) {
            return 0;
        }
    }
    return 1;
}

#endif
