/*
 * words.h - what the pages say, in the reader's language: the catalogues of po/, compiled in.
 *
 * Templates are translated when they are compiled in (pages/embed). This is for the words that come
 * from code: T_() marks them for the catalogue, words_say() looks them up where they are shown.
 * Constant data; any thread.
 */
#ifndef PYPITOKEN_WORDS_H
#define PYPITOKEN_WORDS_H

#include "core/slice.h"

/* Stands in the catalogue. */
#define T_(text) text

/* Languages are numbers; 0 is English. */
#define WORDS_ENGLISH 0

/* The one that an Accept-Language header asks for, NULL for none. */
int words_choose(const char *accept_language);

/* Its tag: "en". */
const char *words_tag(int language);

/* The text in that language, as it is when the catalogue does not have it. A text that was made
 * from a pattern ("There is no user '%s'.") is found by the pattern. In pool, or constant. */
const char *words_say(int language, const char *english, apr_pool_t *pool);

#endif
