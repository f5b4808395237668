/*
 * pages.h - the files of pages/, compiled in. Constant data; any thread.
 */
#ifndef PYPITOKEN_PAGES_H
#define PYPITOKEN_PAGES_H

#include "core/slice.h"

/* The text of the file NAME.html, for template_render; NULL when there is none. */
const char *pages_find(slice_t name);

/* The style sheet. */
const char *pages_style(void);

#endif
