/*
 * slice.h - a run of bytes with its length.
 *
 * Everything that came from the network or out of a row is a slice: it may hold NULs, it is not
 * terminated, and it owns nothing. The bytes live as long as the pool or buffer they were cut from.
 * All functions are pure and may be called from any thread.
 */
#ifndef PYPITOKEN_SLICE_H
#define PYPITOKEN_SLICE_H

#include <apr_pools.h>

typedef struct slice_t {
    const char *p; /* may be NULL when n is 0 */
    apr_size_t n;
} slice_t;

/* A slice over a string literal, usable in constant initialisers. */
#define SLICE(literal)                                                                             \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* printf pair: printf("%" SLICE_FMT, SLICE_ARG(s)). Bounded by n, stops at a NUL. */
#define SLICE_FMT    ".*s"
#define SLICE_ARG(s) (int)(s).n, (s).p

/* The n bytes at p. */
slice_t slice_make(const char *p, apr_size_t n);

/* A C string without its NUL; NULL gives the empty slice. */
slice_t slice_of(const char *cstr);

/* 1 when both hold the same bytes. Not constant time: never for secrets. */
int slice_equal(slice_t a, slice_t b);

/* 1 when s holds exactly the bytes of the C string. */
int slice_is(slice_t s, const char *cstr);

/* As slice_is, ASCII letters compared without case. */
int slice_is_nocase(slice_t s, const char *cstr);

/* 1 when s begins with the C string. */
int slice_starts(slice_t s, const char *cstr);

/* Takes the C string off the front of *s; 0 and nothing taken when it does not begin so. */
int slice_skip(slice_t *s, const char *cstr);

/* s without leading and trailing ASCII white space (space, \t, \n, \v, \f, \r). */
slice_t slice_trim(slice_t s);

/* A NUL-terminated copy in pool. The caller knows that s holds no NUL, or accepts the cut. */
char *slice_dup(slice_t s, apr_pool_t *pool);

/* s made fit for a log line or a status line: at most max bytes, every byte outside 0x20..0x7e
 * replaced by '?', "..." at the end when it was cut. NUL-terminated, in pool. */
char *slice_printable(slice_t s, apr_size_t max, apr_pool_t *pool);

#endif
