/*
 * pages.h - the files of pages/, compiled in, in every language of po/. Constant data; any thread.
 */
#ifndef PYPITOKEN_PAGES_H
#define PYPITOKEN_PAGES_H

#include "core/slice.h"

/* The text of the file NAME.html, for template_render; NULL when there is none. In another language
 * than English the name is "TAG/NAME". */
const char *pages_find(slice_t name);

/* The style sheet. */
const char *pages_style(void);

#endif
