/*
 * search.h - a short needle in much data, at a speed that the data has no say in.
 *
 * The guard looks for the delimiter in every byte of every upload, and both are the uploader's
 * choice. memmem and memchr are fast on most data and a hundred times slower on some; here nothing
 * is slower than a walk byte by byte. The result is memmem's, whichever way it was found.
 * Pure; any thread, once it is made.
 */
#ifndef PYPITOKEN_SEARCH_H
#define PYPITOKEN_SEARCH_H

#include "core/slice.h"

#define SEARCH_MAX 72

typedef struct search_t {
    char needle[SEARCH_MAX];
    unsigned char n;
    unsigned char at[4];    /* where blocks of data are compared first, in order */
    short back[SEARCH_MAX]; /* with i bytes found and another one than needle[i]: how many are
                                     found then; -1: none, and that byte is done with */
    const char *(*fast)(const struct search_t *s, const char *p, apr_size_t n);
} search_t;

/* 2 to SEARCH_MAX bytes, copied; -1 for another length. */
int search_make(search_t *s, slice_t needle);

/* The first place of the needle in the n bytes at p, or NULL. */
const char *search_find(const search_t *s, const char *p, apr_size_t n);

/* The same, without what only some processors have: for tests, and for the other ones. */
const char *search_plain(const search_t *s, const char *p, apr_size_t n);

#endif
