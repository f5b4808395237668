/* words.c - the catalogues; see words.h. */
#include "httpd/words.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "core/language.h"

typedef struct words_row_t {
    const char *english, *text;
} words_row_t;

typedef struct words_language_t {
    const char *tag;
    const words_row_t *rows; /* in the order of strcmp */
    apr_size_t n;
    const words_row_t *patterns; /* those with %s, the longest first */
    apr_size_t n_patterns;
} words_language_t;

#include "httpd/words_data.h"

#define WORDS_HOLES 4

int words_choose(const char *accept_language)
{
    return language_choose(slice_of(accept_language), words_tags, WORDS_LANGUAGES);
}

const char *words_tag(int language)
{
    return words_tags[language];
}

static int words_compare(const void *key, const void *row)
{
    return strcmp(key, ((const words_row_t *)row)->english);
}

/* Takes text apart by a pattern. How many holes there were, or -1: it does not fit. */
static int words_match(slice_t holes[WORDS_HOLES], const char *pattern, const char *text)
{
    const char *hole, *next, *at;
    int n = 0;

    while ((hole = strstr(pattern, "%s")) != NULL) {
        apr_size_t before = (apr_size_t)(hole - pattern), length;

        if (n == WORDS_HOLES || strncmp(text, pattern, before) != 0) {
            return -1;
        }
        text += before;
        pattern = hole + 2;
        next = strstr(pattern, "%s");
        length = next ? (apr_size_t)(next - pattern) : strlen(pattern);
        at = next ? memmem(text, strlen(text), pattern, length)
                  : (strlen(text) >= length ? text + strlen(text) - length : NULL);
        if (!at || strncmp(at, pattern, length) != 0) {
            return -1;
        }
        holes[n++] = slice_make(text, (apr_size_t)(at - text));
        text = at;
    }
    return strcmp(pattern, text) == 0 ? n : -1;
}

/* A translation has the holes of its pattern, in their order: t/words.t. */
static const char *words_fill(const char *pattern, const slice_t *holes, apr_pool_t *pool)
{
    const char *out = "", *hole;

    while ((hole = strstr(pattern, "%s")) != NULL) {
        out = apr_psprintf(pool, "%s%" SLICE_FMT "%" SLICE_FMT, out, (int)(hole - pattern), pattern,
                           SLICE_ARG(*holes));
        pattern = hole + 2;
        holes++;
    }
    return apr_pstrcat(pool, out, pattern, NULL);
}

const char *words_say(int language, const char *english, apr_pool_t *pool)
{
    const words_language_t *l = &words_languages[language];
    const words_row_t *row;
    slice_t holes[WORDS_HOLES];
    apr_size_t i;

    row = l->n ? bsearch(english, l->rows, l->n, sizeof(*row), words_compare) : NULL;
    if (row) {
        return row->text;
    }
    for (i = 0; i < l->n_patterns; i++) {
        if (words_match(holes, l->patterns[i].english, english) > 0) {
            return words_fill(l->patterns[i].text, holes, pool);
        }
    }
    return english;
}
