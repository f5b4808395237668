/* test_form.c - the forms that browsers send, and what is none. */
#include "tap.h"

#include "core/form.h"

#include <string.h>

static char body[FORM_MAX * 8 + 64];
static form_t form;

static int parse(const char *text, apr_size_t n)
{
    memcpy(body, text, n);
    return form_parse(&form, body, n);
}

#define PARSE(text) parse(text, sizeof(text) - 1)

static void good(void)
{
    tap_ok(PARSE("user=alice&password=a+b%26c%3Dd&code=") == 0 && form.n == 3 &&
               slice_is(form_get(&form, "user"), "alice") &&
               slice_is(form_get(&form, "password"), "a b&c=d") && form_get(&form, "code").n == 0,
           "three fields, with escapes");
    tap_ok(form_get(&form, "other").n == 0, "a field that is not there is empty");
    tap_ok(PARSE("") == 0 && form.n == 0, "nothing is an empty form");
    tap_ok(PARSE("&&a=1&") == 0 && form.n == 1, "empty fields are none");
    tap_ok(PARSE("a") == 0 && form.n == 1 && form.fields[0].value.n == 0, "a name alone");
    tap_ok(PARSE("a=b=c") == 0 && slice_is(form_get(&form, "a"), "b=c"), "the first = counts");
    tap_ok(PARSE("k=%C3%A4%0D%0A%09") == 0 && slice_is(form_get(&form, "k"), "\xc3\xa4\r\n\t"),
           "UTF-8, lines and tabs");
    tap_ok(PARSE("p%5B%5D=x&p[]=y&a=1") == 0 && form.n == 3 && slice_is(form.fields[1].value, "y"),
           "a name that ends in [] may stand more than once");
    tap_ok(PARSE("[]=x&[]=y") == -1, "  but is more than that");
    tap_ok(PARSE("%75ser=x") == 0 && slice_is(form_get(&form, "user"), "x"), "a name with escapes");
}

static void bad(void)
{
    static const char *const rows[] = {"a=%",     "a=%4",    "a=%4g",   "a=%g4", "%=1",
                                       "a=%00",   "a=%1b",   "a=%7F",   "a=%FF", "a=%C3",
                                       "a=1&a=2", "a=1&%61", "a=%c0%af"};
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        tap_ok(parse(rows[i], strlen(rows[i])) == -1 && form.n == 0, "%s: refused", rows[i]);
    }
    tap_ok(PARSE("a=\0b") == -1, "a NUL: refused");
    tap_ok(PARSE("a=\xff") == -1, "bytes that are not UTF-8: refused");
}

static void many(void)
{
    char text[FORM_MAX * 8 + 16];
    apr_size_t n = 0;
    int i;

    for (i = 0; i < FORM_MAX; i++) {
        n += (apr_size_t)snprintf(text + n, sizeof(text) - n, "f%d=&", i);
    }
    tap_ok(parse(text, n) == 0 && form.n == FORM_MAX, "as many fields as there may be");
    n += (apr_size_t)snprintf(text + n, sizeof(text) - n, "more");
    tap_ok(parse(text, n) == -1, "one more: refused");
}

int main(void)
{
    good();
    bad();
    many();
    return tap_done();
}
