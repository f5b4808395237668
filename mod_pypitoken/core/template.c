/* template.c - text with holes; see template.h. */
#include "core/template.h"

#include <apr_strings.h>
#include <string.h>

typedef struct template_t {
    template_find_fn *find;
    apr_pool_t *pool;
    char *out;
    apr_size_t n, room;
    const json_t *scope[TEMPLATE_DEPTH + 1]; /* innermost last */
    int depth;
    int parts; /* templates within each other */
    const char *wrong;
} template_t;

static void template_run(template_t *t, slice_t text);

static void template_put(template_t *t, const char *p, apr_size_t n)
{
    if (t->room - t->n < n) {
        apr_size_t room = (t->room + n) * 2;
        char *more = apr_palloc(t->pool, room);

        if (t->n) {
            memcpy(more, t->out, t->n);
        }
        t->out = more;
        t->room = room;
    }
    if (n) {
        memcpy(t->out + t->n, p, n);
        t->n += n;
    }
}

static void template_escape(template_t *t, const char *p, apr_size_t n)
{
    static const struct {
        char c;
        const char *text;
    } rows[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    apr_size_t i, k;

    for (i = 0; i < n; i++) {
        for (k = 0; k < sizeof(rows) / sizeof(*rows) && rows[k].c != p[i]; k++) {
        }
        if (k < sizeof(rows) / sizeof(*rows)) {
            template_put(t, rows[k].text, strlen(rows[k].text));
        } else {
            template_put(t, p + i, 1);
        }
    }
}

static void template_wrong(template_t *t, const char *what, slice_t name)
{
    if (!t->wrong) {
        t->wrong = apr_psprintf(t->pool, "%s: %" SLICE_FMT, what, SLICE_ARG(name));
    }
}

/* What a name stands for, NULL when it stands for nothing. */
static const json_t *template_look(const template_t *t, slice_t name)
{
    const char *key = slice_dup(name, t->pool);
    int i;

    if (slice_is(name, ".")) {
        return t->scope[t->depth];
    }
    for (i = t->depth; i >= 0; i--) {
        const json_t *found = json_object_get(t->scope[i], key);

        if (found) {
            return found;
        }
    }
    return NULL;
}

static void template_value(template_t *t, slice_t name)
{
    const json_t *v = template_look(t, name);

    if (json_is_string(v)) {
        template_escape(t, json_string_value(v), json_string_length(v));
    } else if (json_is_integer(v)) {
        const char *text =
            apr_psprintf(t->pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(v));

        template_put(t, text, strlen(text));
    } else {
        template_wrong(t, "no value for", name);
    }
}

static int template_true(const json_t *v)
{
    return json_is_true(v) || (json_is_integer(v) && json_integer_value(v) != 0) ||
           (json_is_string(v) && json_string_length(v) > 0) ||
           (json_is_array(v) && json_array_size(v) > 0) || json_is_object(v);
}

static void template_scope(template_t *t, const json_t *v, slice_t text)
{
    t->scope[++t->depth] = v;
    template_run(t, text);
    t->depth--;
}

static void template_section(template_t *t, slice_t name, int inverted, slice_t text)
{
    const json_t *v = template_look(t, name);
    apr_size_t i;

    if (t->depth == TEMPLATE_DEPTH) {
        template_wrong(t, "too deep", name);
    } else if (inverted) {
        if (!template_true(v)) {
            template_run(t, text);
        }
    } else if (json_is_array(v)) {
        for (i = 0; i < json_array_size(v) && !t->wrong; i++) {
            template_scope(t, json_array_get(v, i), text);
        }
    } else if (template_true(v)) {
        template_scope(t, v, text);
    }
}

static void template_part(template_t *t, slice_t name)
{
    const char *text = t->find(name);

    if (!text || t->parts == TEMPLATE_DEPTH) {
        template_wrong(t, text ? "too deep" : "no template", name);
        return;
    }
    t->parts++;
    template_run(t, slice_of(text));
    t->parts--;
}

/* Cuts the next tag off *text: what stands before it, and what is between the braces. 0 when there
 * is none. */
static int template_tag(slice_t *text, slice_t *before, slice_t *tag)
{
    const char *open = text->n ? memmem(text->p, text->n, "{{", 2) : NULL;
    const char *close =
        open ? memmem(open + 2, (apr_size_t)(text->p + text->n - open - 2), "}}", 2) : NULL;

    if (!close) {
        return 0;
    }
    *before = slice_make(text->p, (apr_size_t)(open - text->p));
    *tag = slice_trim(slice_make(open + 2, (apr_size_t)(close - open - 2)));
    text->n -= (apr_size_t)(close + 2 - text->p);
    text->p = close + 2;
    return 1;
}

/* Takes what belongs to a section off *text, up to and with its end. 0: it has none. */
static int template_inner(slice_t *text, slice_t name, slice_t *inner)
{
    const char *start = text->p;
    slice_t before, tag;
    int open = 1;

    while (template_tag(text, &before, &tag)) {
        slice_t word = tag.n ? slice_trim(slice_make(tag.p + 1, tag.n - 1)) : tag;

        if (!tag.n || !slice_equal(word, name)) {
            continue;
        }
        open += tag.p[0] == '#' || tag.p[0] == '^' ? 1 : tag.p[0] == '/' ? -1 : 0;
        if (open == 0) {
            *inner = slice_make(start, (apr_size_t)(before.p + before.n - start));
            return 1;
        }
    }
    return 0;
}

static void template_run(template_t *t, slice_t text)
{
    slice_t before, tag, inner;

    while (!t->wrong && template_tag(&text, &before, &tag)) {
        char kind = tag.n ? tag.p[0] : '!';
        slice_t name = tag.n ? slice_trim(slice_make(tag.p + 1, tag.n - 1)) : tag;

        template_put(t, before.p, before.n);
        if (kind == '#' || kind == '^') {
            if (template_inner(&text, name, &inner)) {
                template_section(t, name, kind == '^', inner);
            } else {
                template_wrong(t, "not closed", name);
            }
        } else if (kind == '>') {
            template_part(t, name);
        } else if (kind == '/') {
            template_wrong(t, "closed but not open", name);
        } else if (kind != '!') {
            template_value(t, tag);
        }
    }
    if (text.n && memmem(text.p, text.n, "{{", 2)) {
        template_wrong(t, "braces", slice_make("not closed", 10));
    }
    template_put(t, text.p, text.n);
}

const char *template_render(slice_t *out, const char *name, const json_t *data,
                            template_find_fn *find, apr_pool_t *pool)
{
    template_t t = {find, pool, NULL, 0, 0, {data}, 0, 0, NULL};

    template_part(&t, slice_of(name));
    *out = t.wrong ? slice_make(NULL, 0) : slice_make(t.out, t.n);
    return t.wrong;
}
