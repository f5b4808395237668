/* language.c - see language.h. */
#include "core/language.h"

#include <string.h>

#include "core/accept.h"

/* Cuts what stands before the separator off *rest. */
static slice_t language_cut(slice_t *rest, char separator)
{
    const char *end = memchr(rest->p, separator, rest->n);
    slice_t part = slice_make(rest->p, end ? (apr_size_t)(end - rest->p) : rest->n);

    *rest = end ? slice_make(end + 1, rest->n - part.n - 1) : slice_make(rest->p + rest->n, 0);
    return slice_trim(part);
}

int language_choose(slice_t header, const char *const *tags, int n)
{
    int best = 0, most = 0, i, weight;

    while (header.n) {
        slice_t element = language_cut(&header, ',');
        slice_t range = language_cut(&element, ';');
        slice_t primary = range;

        primary = language_cut(&primary, '-');
        weight = element.n ? ACCEPT_BAD_WEIGHT : 1000;
        (void)accept_weight(slice_trim(element), &weight);
        for (i = 0; i < n && weight > most; i++) {
            if (slice_is_nocase(primary, tags[i])) {
                best = i;
                most = weight;
            }
        }
    }
    return best;
}
