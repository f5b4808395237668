/* accept.c - content negotiation in the small; see accept.h for the contract. */
#include "core/accept.h"

#include <string.h>

/* How well a range fits a type: the most specific range that fits says the weight. */
enum { ACCEPT_NO_FIT, ACCEPT_ANY, ACCEPT_SUBTYPE_ANY, ACCEPT_EXACT };

typedef struct accept_range_t {
    slice_t name; /* "text/html", "text/" with any subtype, or "" for any type */
    int fit;      /* what it counts where it fits */
    int weight;   /* 0 to 1000 */
} accept_range_t;

/* Cuts *rest at the first separator that does not stand in a quoted string. */
static slice_t accept_cut(slice_t *rest, char separator)
{
    slice_t piece;
    apr_size_t i;
    int quoted = 0;

    for (i = 0; i < rest->n; i++) {
        if (rest->p[i] == '"') {
            quoted = !quoted;
        } else if (quoted && rest->p[i] == '\\' && i + 1 < rest->n) {
            i++;
        } else if (!quoted && rest->p[i] == separator) {
            break;
        }
    }
    piece = slice_make(rest->p, i);
    if (i < rest->n) {
        i++;
    }
    *rest = slice_make(rest->p ? rest->p + i : NULL, rest->n - i);
    return slice_trim(piece);
}

/* "0", "0.25", "1.000" in thousandths. */
static int accept_number(slice_t s)
{
    int weight, unit = 100;
    apr_size_t i;

    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.')) {
        return ACCEPT_BAD_WEIGHT;
    }
    weight = (s.p[0] - '0') * 1000;
    for (i = 2; i < s.n; i++, unit /= 10) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return ACCEPT_BAD_WEIGHT;
        }
        weight += (s.p[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : ACCEPT_BAD_WEIGHT;
}

int accept_weight(slice_t parameter, int *weight)
{
    if (parameter.n < 2 || (parameter.p[0] != 'q' && parameter.p[0] != 'Q') ||
        parameter.p[1] != '=') {
        return 0;
    }
    *weight = accept_number(slice_make(parameter.p + 2, parameter.n - 2));
    return 1;
}

static int accept_parameters(slice_t rest)
{
    int weight = 1000;

    while (rest.n > 0) {
        (void)accept_weight(accept_cut(&rest, ';'), &weight);
    }
    return weight;
}

/* 1 when element is a media range. */
static int accept_parse(slice_t element, accept_range_t *out)
{
    slice_t name = accept_cut(&element, ';');
    const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;

    if (!slash || slash == name.p || slash == name.p + name.n - 1) {
        return 0;
    }
    out->weight = accept_parameters(element);
    out->fit = ACCEPT_EXACT;
    out->name = name;
    if (slice_is(name, "*/*")) {
        out->fit = ACCEPT_ANY;
        out->name.n = 0;
    } else if (slice_is(slice_make(slash, name.n - (apr_size_t)(slash - name.p)), "/*")) {
        out->fit = ACCEPT_SUBTYPE_ANY;
        out->name.n--;
    }
    return out->weight != ACCEPT_BAD_WEIGHT;
}

static int accept_fit(const accept_range_t *range, const char *type)
{
    slice_t t = slice_of(type);
    slice_t name = range->name;
    apr_size_t i;

    if (range->fit == ACCEPT_EXACT) {
        return slice_is_nocase(name, type) ? ACCEPT_EXACT : ACCEPT_NO_FIT;
    }
    if (name.n > t.n) {
        return ACCEPT_NO_FIT;
    }
    for (i = 0; i < name.n; i++) {
        char c = name.p[i];

        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != t.p[i]) {
            return ACCEPT_NO_FIT;
        }
    }
    return range->fit;
}

/* The weight that the header gives to one type; *any becomes 1 when it holds an element. */
static int accept_weigh(slice_t header, const char *type, int *any)
{
    int best_fit = ACCEPT_NO_FIT, weight = 0;

    while (header.n > 0) {
        slice_t element = accept_cut(&header, ',');
        accept_range_t range = {{NULL, 0}, ACCEPT_NO_FIT, 0};
        int fit;

        if (element.n == 0) {
            continue;
        }
        *any = 1;
        fit = accept_parse(element, &range) ? accept_fit(&range, type) : ACCEPT_NO_FIT;
        if (fit > best_fit) {
            best_fit = fit;
            weight = range.weight;
        }
    }
    return weight;
}

int accept_choose(slice_t header, const char *const *types, apr_size_t n)
{
    int best = -1, best_weight = 0, any = 0;
    apr_size_t i;

    /* A type is weighed on its own because a later, narrower range may take back what an earlier
     * one gave. n is three or four, the header at most LimitRequestFieldSize: no table is kept. */
    for (i = 0; i < n; i++) {
        int weight = accept_weigh(header, types[i], &any);

        if (weight > best_weight) {
            best = (int)i;
            best_weight = weight;
        }
    }
    return any ? best : 0;
}
