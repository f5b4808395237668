/* table.c - rows for people and for programs; see table.h. */
#include "ctl/table.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include <stdlib.h>
#include <string.h>

#include "core/duration.h"

#define TABLE_GAP 2

struct table_t {
    const table_column_t *columns;
    apr_size_t n;
    int json;
    apr_pool_t *pool;
    apr_array_header_t *rows; /* of table_cell_t *, each n long */
    FILE *flow;               /* NULL: all rows are kept */
    int *widths;              /* once something is printed */
    apr_pool_t *line;         /* of one row that is not kept */
    int printed;              /* rows */
};

static void table_flow_row(table_t *t, const table_cell_t *cells);

table_t *table_make(const table_column_t *columns, apr_size_t n, int json, apr_pool_t *pool)
{
    table_t *t = apr_pcalloc(pool, sizeof(*t));

    t->columns = columns;
    t->n = n;
    t->json = json;
    t->pool = pool;
    t->rows = apr_array_make(pool, 16, sizeof(table_cell_t *));
    return t;
}

void table_flow(table_t *t, FILE *out)
{
    t->flow = out;
    apr_pool_create(&t->line, t->pool);
}

void table_add(table_t *t, const table_cell_t *cells)
{
    table_cell_t *copy;
    apr_size_t i;

    if (t->flow && t->rows->nelts == TABLE_HELD) {
        table_flow_row(t, cells);
        return;
    }
    copy = apr_pmemdup(t->pool, cells, t->n * sizeof(*cells));
    for (i = 0; i < t->n; i++) {
        copy[i].text = cells[i].text ? apr_pstrdup(t->pool, cells[i].text) : NULL;
    }
    APR_ARRAY_PUSH(t->rows, table_cell_t *) = copy;
}

/* ---- for programs ---- */

json_t *table_json_text(slice_t s, apr_pool_t *pool)
{
    json_t *text;

    if (!s.p) {
        return json_null();
    }
    text = json_stringn(s.p, s.n);
    return text ? text : json_string(slice_printable(s, s.n, pool));
}

static json_t *table_json_cell(table_kind_t kind, const table_cell_t *cell, apr_pool_t *pool)
{
    switch (kind) {
    case TABLE_TEXT:
        return table_json_text(slice_of(cell->text), pool);
    case TABLE_TIME:
        return cell->number ? json_integer(cell->number) : json_null();
    case TABLE_FLAG:
        return json_boolean(cell->number != 0);
    case TABLE_NUMBER:
        break;
    }
    return json_integer(cell->number);
}

json_t *table_json(const table_t *t, const table_cell_t *cells, apr_pool_t *pool)
{
    json_t *object = json_object();
    apr_size_t i;

    for (i = 0; i < t->n; i++) {
        if (t->columns[i].key) {
            json_object_set_new(object, t->columns[i].key,
                                table_json_cell(t->columns[i].kind, &cells[i], pool));
        }
    }
    return object;
}

static void table_dump(json_t *value, size_t flags, FILE *out)
{
    json_dumpf(value, out, flags);
    fputc('\n', out);
    json_decref(value);
}

/* ---- for people ---- */

/* Bytes of the UTF-8 character at p that a terminal may see, 0 when it may not see it. The second
 * byte's bounds keep out overlong forms, surrogates, what is above U+10FFFF, and the C1 controls.
 */
static apr_size_t table_char(const unsigned char *p, apr_size_t n)
{
    apr_size_t len, i;
    unsigned low = 0x80, high = 0xbf;

    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] != 0x7f;
    }
    len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > n) {
        return 0;
    }
    low = p[0] == 0xc2 || p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : low;
    high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : high;
    for (i = 1; i < len; i++) {
        if (p[i] < (i == 1 ? low : 0x80) || p[i] > (i == 1 ? high : 0xbf)) {
            return 0;
        }
    }
    return len;
}

char *table_clean(slice_t s, apr_pool_t *pool)
{
    char *out = apr_palloc(pool, s.n + 1);
    apr_size_t i = 0, len;

    while (i < s.n) {
        len = table_char((const unsigned char *)s.p + i, s.n - i);
        if (len) {
            memcpy(out + i, s.p + i, len);
            i += len;
        } else {
            out[i++] = '?';
        }
    }
    out[i] = '\0';
    return out;
}

/* Characters, not bytes. */
static int table_width(const char *text)
{
    int n = 0;

    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static const char *table_text(table_kind_t kind, const table_cell_t *cell, apr_pool_t *pool)
{
    switch (kind) {
    case TABLE_TEXT:
        return cell->text && *cell->text ? table_clean(slice_of(cell->text), pool) : "-";
    case TABLE_TIME:
        return cell->number ? duration_iso(cell->number, pool) : "never";
    case TABLE_FLAG:
        return cell->number ? "yes" : "no";
    case TABLE_NUMBER:
        break;
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, cell->number);
}

/* One line of padded texts; the last one is not padded. A text of NULL is not shown at all. */
static void table_put(const table_t *t, const char *const *texts, const int *widths, FILE *out)
{
    apr_size_t i;
    int owed = 0;

    for (i = 0; i < t->n; i++) {
        if (texts[i]) {
            fprintf(out, "%*s%s", owed, "", texts[i]);
            owed = widths[i] - table_width(texts[i]);
            owed = (owed > 0 ? owed : 0) + TABLE_GAP;
        }
    }
    fputc('\n', out);
}

/* The texts of a row, or of the headings when cells is NULL. */
static const char **table_texts(const table_t *t, const table_cell_t *cells, apr_pool_t *pool)
{
    const char **texts = apr_pcalloc(pool, t->n * sizeof(*texts));
    apr_size_t i;

    for (i = 0; i < t->n; i++) {
        if (t->columns[i].heading) {
            texts[i] = cells ? table_text(t->columns[i].kind, &cells[i], pool)
                             : apr_pstrdup(pool, t->columns[i].heading);
        }
    }
    return texts;
}

/* ---- a list ---- */

/* The rows that are kept: what they need in width, and then they themselves. */
static void table_print_people(table_t *t, FILE *out)
{
    int n = t->rows->nelts + 1, row, width;
    const char ***lines = apr_palloc(t->pool, (apr_size_t)n * sizeof(*lines));
    apr_size_t i;

    t->widths = apr_pcalloc(t->pool, t->n * sizeof(*t->widths));
    for (row = 0; row < n; row++) {
        lines[row] =
            table_texts(t, row ? APR_ARRAY_IDX(t->rows, row - 1, table_cell_t *) : NULL, t->pool);
        for (i = 0; i < t->n; i++) {
            width = lines[row][i] ? table_width(lines[row][i]) : 0;
            t->widths[i] = width > t->widths[i] ? width : t->widths[i];
        }
    }
    for (row = 0; row < n; row++) {
        table_put(t, lines[row], t->widths, out);
    }
}

/* One member of the array, as jansson would write it there. */
static void table_print_member(table_t *t, const table_cell_t *cells, FILE *out, apr_pool_t *pool)
{
    json_t *object = table_json(t, cells, pool);
    char *text = json_dumps(object, JSON_INDENT(2)), *line, *next;

    fputs(t->printed ? ",\n  " : "[\n  ", out);
    for (line = text; line; line = next) { /* strings hold no line ends: they are escaped */
        next = strchr(line, '\n');
        fwrite(line, 1, next ? (size_t)(++next - line) : strlen(line), out);
        fputs(next ? "  " : "", out);
    }
    free(text);
    json_decref(object);
}

static void table_print_row(table_t *t, const table_cell_t *cells, FILE *out, apr_pool_t *pool)
{
    if (t->json) {
        table_print_member(t, cells, out, pool);
    } else {
        table_put(t, table_texts(t, cells, pool), t->widths, out);
    }
    t->printed++;
}

/* The rows that are kept, once. */
static void table_print_kept(table_t *t, FILE *out)
{
    int row;

    if (!t->json) {
        table_print_people(t, out);
        t->printed = t->rows->nelts;
    }
    for (row = 0; t->json && row < t->rows->nelts; row++) {
        table_print_row(t, APR_ARRAY_IDX(t->rows, row, table_cell_t *), out, t->pool);
    }
}

static void table_flow_row(table_t *t, const table_cell_t *cells)
{
    if (!t->printed) {
        table_print_kept(t, t->flow);
    }
    apr_pool_clear(t->line);
    table_print_row(t, cells, t->flow, t->line);
}

void table_print(table_t *t, FILE *out)
{
    if (!t->printed) {
        table_print_kept(t, out);
    }
    if (t->json) {
        fputs(t->printed ? "\n]\n" : "[]\n", out);
    }
}

void table_record(const table_t *t, const table_cell_t *cells, FILE *out)
{
    const char **texts;
    apr_size_t i;
    int widest = 0, width;

    if (t->json) {
        table_dump(table_json(t, cells, t->pool), JSON_INDENT(2), out);
        return;
    }
    for (i = 0; i < t->n; i++) {
        width = t->columns[i].heading ? table_width(t->columns[i].heading) : 0;
        widest = width > widest ? width : widest;
    }
    texts = table_texts(t, cells, t->pool);
    for (i = 0; i < t->n; i++) {
        if (texts[i]) {
            width = table_width(t->columns[i].heading);
            fprintf(out, "%s:%*s%s\n", t->columns[i].heading, widest - width + 1, "", texts[i]);
        }
    }
}

static void table_stream(const table_t *t, const table_cell_t *cells, FILE *out, apr_pool_t *pool)
{
    int *widths = apr_pcalloc(pool, t->n * sizeof(*widths));
    apr_size_t i;

    for (i = 0; i < t->n; i++) {
        widths[i] = t->columns[i].width;
    }
    table_put(t, table_texts(t, cells, pool), widths, out);
}

void table_heading(const table_t *t, FILE *out)
{
    if (!t->json) {
        table_stream(t, NULL, out, t->pool);
    }
}

void table_line(const table_t *t, const table_cell_t *cells, FILE *out, apr_pool_t *pool)
{
    if (t->json) {
        table_dump(table_json(t, cells, pool), JSON_COMPACT, out);
    } else {
        table_stream(t, cells, out, pool);
    }
}
