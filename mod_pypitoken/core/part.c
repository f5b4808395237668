/* part.c - the header block of one part; see part.h. */
#include "core/part.h"

#include <string.h>

static verdict_code_t part_refuse(verdict_t *v, verdict_code_t code, const char *why,
                                  apr_pool_t *pool)
{
    return verdict_set(v, code, slice_of(why), pool);
}

/* Takes the line before the next CRLF off *block. 0 when there is a byte that
 * does not print. */
static int part_line(slice_t *block, slice_t *line)
{
    const char *end = memchr(block->p, '\r', block->n);
    apr_size_t i, n = end ? (apr_size_t)(end - block->p) : block->n;

    if (n + 2 > block->n || block->p[n + 1] != '\n') {
        return 0;
    }
    *line = slice_make(block->p, n);
    *block = slice_make(block->p + n + 2, block->n - n - 2);
    for (i = 0; i < n; i++) {
        if (line->p[i] < 0x20 || line->p[i] > 0x7e) {
            return 0;
        }
    }
    return 1;
}

/* The value of "Name: value"; exactly one blank, so that nobody has anything to
 * trim. The name in the one spelling that every client uses: python-multipart
 * knows no other, and goes on with the header of the part before. */
static int part_value(slice_t line, const char *name, slice_t *value)
{
    apr_size_t n = strlen(name);

    if (line.n < n + 2 || !slice_is(slice_make(line.p, n), name) ||
        memcmp(line.p + n, ": ", 2) != 0) {
        return 0;
    }
    *value = slice_make(line.p + n + 2, line.n - n - 2);
    return value->n > 0 && value->p[0] != ' ' && value->p[value->n - 1] != ' ';
}

/* Takes "..." off the front: no escapes, so no backslash. */
static int part_quoted(slice_t *s, slice_t *text)
{
    const char *end;

    if (s->n < 2 || s->p[0] != '"') {
        return 0;
    }
    end = memchr(s->p + 1, '"', s->n - 1);
    if (!end) {
        return 0;
    }
    *text = slice_make(s->p + 1, (apr_size_t)(end - s->p) - 1);
    *s = slice_make(end + 1, s->n - text->n - 2);
    return text->n == 0 || !memchr(text->p, '\\', text->n);
}

static verdict_code_t part_disposition(multipart_part_t *out, slice_t value, verdict_t *v,
                                       apr_pool_t *pool)
{
    if (!slice_skip(&value, "form-data; name=") || !part_quoted(&value, &out->name)) {
        return part_refuse(v, VERDICT_PART_DISPOSITION, "it must be form-data; name=\"...\"", pool);
    }
    if (value.n == 0) {
        return VERDICT_ALLOWED;
    }
    if (!slice_skip(&value, ";") || (slice_skip(&value, " "), !slice_skip(&value, "filename=")) ||
        !part_quoted(&value, &out->filename) || value.n != 0) {
        return part_refuse(v, VERDICT_PART_DISPOSITION,
                           "after the name there may be ; filename=\"...\" and nothing else", pool);
    }
    out->has_filename = 1;
    return VERDICT_ALLOWED;
}

static int part_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("!#$&^_.+-", c));
}

static apr_size_t part_token(slice_t s)
{
    apr_size_t n = 0;

    while (n < s.n && part_token_char(s.p[n])) {
        n++;
    }
    return n;
}

/* type/subtype, on files alone: what has a Content-Type is a file to formidable.
 * Types that some readers take apart once more are none for a file:
 * cgi.FieldStorage, and with it bottle and WebOb, reads an urlencoded part to
 * the end of the whole body. */
static verdict_code_t part_type(multipart_part_t *out, verdict_t *v, apr_pool_t *pool)
{
    slice_t type = out->type;
    apr_size_t n = part_token(type), m;

    if (!out->has_filename) {
        return part_refuse(v, VERDICT_PART_TYPE, "a text field has none", pool);
    }
    m = n < type.n && type.p[n] == '/' ? part_token(slice_make(type.p + n + 1, type.n - n - 1)) : 0;
    if (n == 0 || m == 0 || n + 1 + m != type.n) {
        return part_refuse(v, VERDICT_PART_TYPE, "a file has type/subtype and no parameters", pool);
    }
    if (slice_is_nocase(slice_make(type.p, n), "multipart") ||
        slice_is_nocase(slice_make(type.p, n), "message") ||
        slice_is_nocase(type, "application/x-www-form-urlencoded")) {
        return part_refuse(v, VERDICT_PART_TYPE, "forms and messages within parts", pool);
    }
    return VERDICT_ALLOWED;
}

verdict_code_t part_parse(multipart_part_t *out, slice_t block, verdict_t *v, apr_pool_t *pool)
{
    slice_t line, value;
    verdict_code_t code;

    memset(out, 0, sizeof(*out));
    if (!part_line(&block, &line)) {
        return part_refuse(v, VERDICT_PART_HEADER, "a byte that does not print, or a bare line end",
                           pool);
    }
    if (!part_value(line, "Content-Disposition", &value)) {
        return part_refuse(v, VERDICT_PART_HEADER, "Content-Disposition must come first", pool);
    }
    code = part_disposition(out, value, v, pool);
    if (code != VERDICT_ALLOWED || block.n == 0) {
        return code;
    }
    if (!part_line(&block, &line) || !part_value(line, "Content-Type", &out->type) || block.n) {
        return part_refuse(v, VERDICT_PART_HEADER,
                           "after Content-Disposition there may be one Content-Type, no more",
                           pool);
    }
    return part_type(out, v, pool);
}
