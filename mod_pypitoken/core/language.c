/* language.c - see language.h. */
#include "core/language.h"

#include <string.h>

/* A weight in thousandths, -1 when it is none. */
static int language_weight(slice_t parameter)
{
    slice_t q = slice_trim(parameter);
    int weight, scale = 100;
    apr_size_t i;

    if (q.n < 3 || (q.p[0] != 'q' && q.p[0] != 'Q') || q.p[1] != '=' ||
        (q.p[2] != '0' && q.p[2] != '1') || q.n > 7 || (q.n > 3 && q.p[3] != '.')) {
        return -1;
    }
    weight = (q.p[2] - '0') * 1000;
    for (i = 4; i < q.n; i++) {
        if (q.p[i] < '0' || q.p[i] > '9') {
            return -1;
        }
        weight += (q.p[i] - '0') * scale;
        scale /= 10;
    }
    return weight <= 1000 ? weight : -1;
}

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
        weight = element.n ? language_weight(element) : 1000;
        for (i = 0; i < n && weight > most; i++) {
            if (slice_is_nocase(primary, tags[i])) {
                best = i;
                most = weight;
            }
        }
    }
    return best;
}
