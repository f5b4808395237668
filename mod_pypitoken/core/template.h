/*
 * template.h - pages from text with holes, escaped by default and without a way around it.
 *
 *   {{name}}             the value, with & < > " ' escaped: fit for text and quoted attributes
 *   {{#name}}...{{/name}}  once for each element of an array, once for an object or a true value
 *   {{^name}}...{{/name}}  when it is false, empty or not there
 *   {{>name}}            another template, in the same place
 *   {{! words }}         nothing
 *
 * A name is looked up in the innermost section first and then outwards; "." is the element itself.
 * A hole whose name is not there, or not a string or a whole number, is a mistake and not an empty
 * string: the page is not made. (A small part of Mustache; of that it leaves out all that would put
 * bytes into a page unescaped.) Pure; any thread; data is only read.
 */
#ifndef PYPITOKEN_TEMPLATE_H
#define PYPITOKEN_TEMPLATE_H

#include <jansson.h>

#include "core/slice.h"

/* The text of a template by its name, NULL when there is none. */
typedef const char *template_find_fn(slice_t name);

/* *out in pool. NULL, or what is wrong (in pool): the name that is missing, a section that is not
 * closed, more than TEMPLATE_DEPTH within each other. */
#define TEMPLATE_DEPTH 12
const char *template_render(slice_t *out, const char *name, const json_t *data,
                            template_find_fn *find, apr_pool_t *pool);

#endif
