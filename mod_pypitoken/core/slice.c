/* slice.c - bytes with a length; see slice.h for the contract. */
#include "core/slice.h"

#include <apr_strings.h>
#include <string.h>

slice_t slice_make(const char *p, apr_size_t n)
{
    slice_t s = {p, n};
    return s;
}

slice_t slice_of(const char *cstr)
{
    return slice_make(cstr, cstr ? strlen(cstr) : 0);
}

int slice_equal(slice_t a, slice_t b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int slice_is(slice_t s, const char *cstr)
{
    return slice_equal(s, slice_of(cstr));
}

static int slice_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

int slice_is_nocase(slice_t s, const char *cstr)
{
    slice_t t = slice_of(cstr);
    apr_size_t i;

    if (s.n != t.n) {
        return 0;
    }
    for (i = 0; i < s.n; i++) {
        if (slice_lower((unsigned char)s.p[i]) != slice_lower((unsigned char)t.p[i])) {
            return 0;
        }
    }
    return 1;
}

int slice_starts(slice_t s, const char *cstr)
{
    slice_t t = slice_of(cstr);

    return s.n >= t.n && (t.n == 0 || memcmp(s.p, t.p, t.n) == 0);
}

static int slice_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int slice_skip(slice_t *s, const char *cstr)
{
    apr_size_t n = strlen(cstr);

    if (!slice_starts(*s, cstr)) {
        return 0;
    }
    *s = slice_make(s->p + n, s->n - n);
    return 1;
}

slice_t slice_trim(slice_t s)
{
    while (s.n > 0 && slice_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && slice_space(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

char *slice_dup(slice_t s, apr_pool_t *pool)
{
    return s.n ? apr_pstrmemdup(pool, s.p, s.n) : apr_pstrdup(pool, "");
}

char *slice_printable(slice_t s, apr_size_t max, apr_pool_t *pool)
{
    apr_size_t n = s.n < max ? s.n : max;
    char *out = apr_palloc(pool, n + 4);
    apr_size_t i;

    for (i = 0; i < n; i++) {
        out[i] = s.p[i] >= 0x20 && s.p[i] <= 0x7e ? s.p[i] : '?';
    }
    memcpy(out + n, s.n > n ? "..." : "", s.n > n ? 4 : 1);
    return out;
}
