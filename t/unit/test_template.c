/* test_template.c - holes, sections and parts; nothing gets into a page unescaped. */
#include "tap.h"

#include "core/template.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <string.h>

static apr_pool_t *pool;
static const char *page;

static const char *find(slice_t name)
{
    return slice_is(name, "page")   ? page
           : slice_is(name, "part") ? "[{{x}}]"
           : slice_is(name, "self") ? "{{>self}}"
                                    : NULL;
}

/* The page of that text with that data, or "!" and what is wrong. */
static const char *make(const char *text, const char *data)
{
    json_error_t error;
    json_t *o = json_loads(data, JSON_ALLOW_NUL, &error);
    const char *wrong;
    slice_t out;

    page = text;
    wrong = template_render(&out, "page", o, find, pool);
    json_decref(o);
    return wrong ? apr_pstrcat(pool, "!", wrong, NULL) : slice_dup(out, pool);
}

static void rows(void)
{
    static const struct {
        const char *text, *data, *want;
    } all[] = {
        {"plain", "{}", "plain"},
        {"", "{}", ""},
        {"a{{x}}b{{ y }}c", "{\"x\":\"1\",\"y\":-7}", "a1b-7c"},
        {"{{x}}", "{\"x\":\"<a href=\\\"'&\\\">\"}", "&lt;a href=&quot;&#39;&amp;&quot;&gt;"},
        {"{{x}}", "{\"x\":\"{{y}}\",\"y\":\"no\"}", "{{y}}"},
        {"{{x}}", "{\"x\":\"\xc3\xa4\"}", "\xc3\xa4"},
        {"{{#l}}<{{n}}>{{/l}}", "{\"l\":[{\"n\":1},{\"n\":2}]}", "<1><2>"},
        {"{{#l}}{{.}},{{/l}}", "{\"l\":[\"a\",\"<\"]}", "a,&lt;,"},
        {"{{#l}}x{{/l}}{{^l}}none{{/l}}", "{\"l\":[]}", "none"},
        {"{{#l}}x{{/l}}{{^l}}none{{/l}}", "{}", "none"},
        {"{{#l}}x{{/l}}{{^l}}none{{/l}}", "{\"l\":\"\"}", "none"},
        {"{{#l}}x{{/l}}{{^l}}none{{/l}}", "{\"l\":null}", "none"},
        {"{{#l}}x{{/l}}{{^l}}none{{/l}}", "{\"l\":true}", "x"},
        {"{{#o}}{{a}}{{b}}{{/o}}", "{\"o\":{\"a\":1},\"b\":2}", "12"},
        {"{{#o}}{{a}}{{/o}}{{a}}", "{\"o\":{\"a\":1},\"a\":2}", "12"},
        {"{{#a}}{{#a}}x{{/a}}{{/a}}y", "{\"a\":true}", "xy"},
        {"{{#a}}{{^a}}x{{/a}}{{/a}}y", "{\"a\":true}", "y"},
        {"{{#l}}{{>part}}{{/l}}", "{\"l\":[{\"x\":\"<\"}]}", "[&lt;]"},
        {"a{{! {words} }}b{{!}}c", "{}", "abc"},
        {"{ {x} }", "{}", "{ {x} }"},
        {"{{x}}", "{}", "!no value for: x"},
        {"{{x}}", "{\"x\":[1]}", "!no value for: x"},
        {"{{x}}", "{\"x\":true}", "!no value for: x"},
        {"{{x}}", "{\"x\":null}", "!no value for: x"},
        {"{{&x}}", "{\"x\":\"1\"}", "!no value for: &x"},
        {"{{{x}}}", "{\"x\":\"1\"}", "!no value for: {x"},
        {"{{#x}}", "{\"x\":\"1\"}", "!not closed: x"},
        {"{{#x}}{{/y}}", "{\"x\":\"1\"}", "!not closed: x"},
        {"{{/x}}", "{}", "!closed but not open: x"},
        {"{{x", "{\"x\":\"1\"}", "!braces: not closed"},
        {"{{>none}}", "{}", "!no template: none"},
        {"{{>self}}", "{}", "!too deep: self"},
    };
    apr_size_t i;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
        const char *got = make(all[i].text, all[i].data);

        tap_ok(strcmp(got, all[i].want) == 0, "%s with %s: %s", all[i].text, all[i].data, got);
    }
}

static void deep(void)
{
    const char *text = "x";
    int i;

    for (i = 0; i < TEMPLATE_DEPTH; i++) {
        text = apr_pstrcat(pool, "{{#a}}", text, "{{/a}}", NULL);
    }
    tap_ok(strcmp(make(text, "{\"a\":true}"), "x") == 0, "sections as deep as they may be");
    text = apr_pstrcat(pool, "{{#a}}", text, "{{/a}}", NULL);
    tap_ok(strcmp(make(text, "{\"a\":true}"), "!too deep: a") == 0, "one more is a mistake");
}

/* No string whatever puts one of the bytes that end a text or an attribute into a page. */
static void escaping(void)
{
    json_t *o = json_object();
    const char *wrong;
    int c, bad = 0;
    slice_t out;

    page = "{{x}}";
    for (c = 1; c < 128; c++) {
        char text[4] = {'a', (char)c, 'b', '\0'};

        json_object_set_new(o, "x", json_string(text));
        wrong = template_render(&out, "page", o, find, pool);
        bad += wrong || (strchr("<>\"'", c) && memchr(out.p, c, out.n)) || (c == '&' && out.n == 3);
    }
    json_decref(o);
    tap_ok(bad == 0, "every character of ASCII is escaped where it must be");
}

int main(void)
{
    if (apr_initialize()) {
        return 1;
    }
    apr_pool_create(&pool, NULL);
    rows();
    deep();
    escaping();
    return tap_done();
}
