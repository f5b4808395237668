/*
 * version.c - PEP 440 versions by a hand-written reader; see version.h.
 *
 * One pass, left to right: epoch, release, pre, post, dev, local. Each reader
 * takes its piece off the front of a cursor or leaves it alone, and writes the
 * normal form behind what is there.
 */
#include "core/version.h"

#include <apr_strings.h>
#include <string.h>

typedef struct version_t {
    const char *p, *end;
    char out[4 * VERSION_MAX]; /* spelling out grows a version: "1-1" is "1.post1" */
    apr_size_t n;
} version_t;

static char version_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int version_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int version_letter(char c)
{
    return version_lower(c) >= 'a' && version_lower(c) <= 'z';
}

static void version_put(version_t *v, const char *text, apr_size_t n)
{
    memcpy(v->out + v->n, text, n);
    v->n += n;
}

/* A number without leading zeros; 0 when there is none. */
static int version_number(version_t *v)
{
    const char *start;

    if (v->p == v->end || !version_digit(*v->p)) {
        return 0;
    }
    while (v->p + 1 < v->end && v->p[0] == '0' && version_digit(v->p[1])) {
        v->p++;
    }
    start = v->p;
    while (v->p < v->end && version_digit(*v->p)) {
        v->p++;
    }
    version_put(v, start, (apr_size_t)(v->p - start));
    return 1;
}

static int version_separator(const version_t *v, const char *at)
{
    return at < v->end && (*at == '.' || *at == '-' || *at == '_');
}

/* 1 and the cursor behind it when word comes next, without case. */
static int version_word(version_t *v, const char **at, const char *word)
{
    const char *p = *at;

    while (*word && p < v->end && version_lower(*p) == *word) {
        p++;
        word++;
    }
    if (*word) {
        return 0;
    }
    *at = p;
    return 1;
}

typedef struct version_tag_t {
    const char *word, *normal;
} version_tag_t;

/* Longer words before their own beginnings. */
static const version_tag_t version_pre[] = {{"alpha", "a"}, {"a", "a"},        {"beta", "b"},
                                            {"b", "b"},     {"preview", "rc"}, {"pre", "rc"},
                                            {"rc", "rc"},   {"c", "rc"},       {NULL, NULL}};
static const version_tag_t version_post[] = {
    {"post", ".post"}, {"rev", ".post"}, {"r", ".post"}, {NULL, NULL}};
static const version_tag_t version_dev[] = {{"dev", ".dev"}, {NULL, NULL}};

/* [sep] word [sep] [number], where a missing number is 0. */
static void version_tag(version_t *v, const version_tag_t *tags)
{
    const char *at = v->p + (version_separator(v, v->p) ? 1 : 0);
    int i;

    for (i = 0; tags[i].word; i++) {
        const char *after = at;

        if (!version_word(v, &after, tags[i].word)) {
            continue;
        }
        version_put(v, tags[i].normal, strlen(tags[i].normal));
        v->p = after;
        if (version_separator(v, after)) {
            v->p++; /* it belongs to the word, whether a number follows or not */
        }
        if (!version_number(v)) {
            version_put(v, "0", 1);
        }
        return;
    }
}

/* "1.0-1" is a post release; else the spelled-out forms. */
static void version_posts(version_t *v)
{
    if (v->p + 1 < v->end && v->p[0] == '-' && version_digit(v->p[1])) {
        v->p++;
        version_put(v, ".post", 5);
        (void)version_number(v);
        return;
    }
    version_tag(v, version_post);
}

/* Segments of letters and digits; numbers lose their zeros, letters their case,
 * separators become dots. 0 when it is malformed. */
static int version_local(version_t *v)
{
    if (v->p == v->end || *v->p != '+') {
        return 1;
    }
    v->p++;
    version_put(v, "+", 1);
    for (;;) {
        const char *start = v->p;
        int digits = 1;

        while (v->p < v->end && (version_digit(*v->p) || version_letter(*v->p))) {
            digits = digits && version_digit(*v->p);
            v->p++;
        }
        if (v->p == start) {
            return 0;
        }
        if (digits) {
            v->p = start;
            (void)version_number(v);
        } else {
            for (; start < v->p; start++) {
                char c = version_lower(*start);

                version_put(v, &c, 1);
            }
        }
        if (!version_separator(v, v->p)) {
            return 1;
        }
        v->p++;
        version_put(v, ".", 1);
    }
}

static int version_release(version_t *v)
{
    const char *bang = memchr(v->p, '!', (apr_size_t)(v->end - v->p));

    if (bang) {
        if (!version_number(v) || v->p != bang) {
            return 0;
        }
        v->p++;
        if (v->n == 1 && v->out[0] == '0') {
            v->n = 0; /* the epoch that everybody has */
        } else {
            version_put(v, "!", 1);
        }
    }
    if (!version_number(v)) {
        return 0;
    }
    while (v->p + 1 < v->end && v->p[0] == '.' && version_digit(v->p[1])) {
        v->p++;
        version_put(v, ".", 1);
        (void)version_number(v);
    }
    return 1;
}

char *version_normalize(slice_t s, apr_pool_t *pool)
{
    version_t v;

    if (s.n == 0 || s.n > VERSION_MAX) {
        return NULL;
    }
    v.p = s.p;
    v.end = s.p + s.n;
    v.n = 0;
    if (!version_release(&v)) {
        return NULL;
    }
    version_tag(&v, version_pre);
    version_posts(&v);
    version_tag(&v, version_dev);
    if (!version_local(&v) || v.p != v.end) {
        return NULL;
    }
    return apr_pstrmemdup(pool, v.out, v.n);
}

/* The next release number at p and whether there is one; past the end all are
 * 0. */
static apr_size_t version_piece(const char **p)
{
    apr_size_t n = strspn(*p, "0123456789");

    return n;
}

int version_equal(const char *a, const char *b)
{
    const char *ea = strchr(a, '!'), *eb = strchr(b, '!');

    if (!ea != !eb || (ea && (ea - a != eb - b || strncmp(a, b, (apr_size_t)(ea - a)) != 0))) {
        return 0;
    }
    a = ea ? ea + 1 : a;
    b = eb ? eb + 1 : b;
    for (;;) {
        apr_size_t na = version_piece(&a), nb = version_piece(&b);
        const char *pa = na ? a : "0", *pb = nb ? b : "0";

        if (!na && !nb) {
            break;
        }
        if ((na ? na : 1) != (nb ? nb : 1) || strncmp(pa, pb, na ? na : 1) != 0) {
            return 0;
        }
        a += na;
        b += nb;
        a += na && a[0] == '.' && version_digit(a[1]) ? 1 : 0;
        b += nb && b[0] == '.' && version_digit(b[1]) ? 1 : 0;
    }
    return strcmp(a, b) == 0;
}
