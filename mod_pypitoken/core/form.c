/* form.c - name=value&name=value, decoded in place; see form.h. */
#include "core/form.h"

#include <string.h>

#include "core/utf8.h"

static int form_hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int form_control(unsigned char c)
{
    return (c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

/* Decodes the n bytes at p, which get fewer. 1, or 0: not well-formed. */
static int form_decode(slice_t *out, char *p, apr_size_t n)
{
    apr_size_t in, put = 0;

    for (in = 0; in < n; in++) {
        char c = p[in];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = in + 1 < n ? form_hex(p[in + 1]) : -1;
            int low = in + 2 < n ? form_hex(p[in + 2]) : -1;

            if (high < 0 || low < 0) {
                return 0;
            }
            c = (char)(high << 4 | low);
            in += 2;
        }
        if (form_control((unsigned char)c)) {
            return 0;
        }
        p[put++] = c;
    }
    *out = slice_make(p, put);
    return utf8_valid(*out);
}

static int form_many(slice_t name)
{
    return name.n > 2 && memcmp(name.p + name.n - 2, "[]", 2) == 0;
}

static int form_field(form_t *out, char *p, apr_size_t n)
{
    char *equals = memchr(p, '=', n);
    apr_size_t name = equals ? (apr_size_t)(equals - p) : n;
    int i;

    if (out->n == FORM_MAX || !form_decode(&out->fields[out->n].name, p, name) ||
        !form_decode(&out->fields[out->n].value, equals ? equals + 1 : p + n,
                     equals ? n - name - 1 : 0)) {
        return 0;
    }
    for (i = 0; i < out->n && !form_many(out->fields[out->n].name); i++) {
        if (slice_equal(out->fields[i].name, out->fields[out->n].name)) {
            return 0;
        }
    }
    out->n++;
    return 1;
}

int form_parse(form_t *out, char *body, apr_size_t n)
{
    out->n = 0;
    while (n) {
        char *end = memchr(body, '&', n);
        apr_size_t field = end ? (apr_size_t)(end - body) : n;

        if (field && !form_field(out, body, field)) {
            out->n = 0;
            return -1;
        }
        field += end ? 1 : 0;
        body += field;
        n -= field;
    }
    return 0;
}

slice_t form_get(const form_t *f, const char *name)
{
    int i;

    for (i = 0; i < f->n; i++) {
        if (slice_is(f->fields[i].name, name)) {
            return f->fields[i].value;
        }
    }
    return slice_make(NULL, 0);
}
