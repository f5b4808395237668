/* pages.c - see pages.h. */
#include "httpd/pages.h"

#include <string.h>

typedef struct pages_file_t {
    const char *name, *text;
} pages_file_t;

#include "httpd/pages_data.h"

static const char *pages_file(slice_t name, const char *ending)
{
    const pages_file_t *f;

    for (f = pages_files; f->name; f++) {
        slice_t file = slice_of(f->name);

        if (file.n == name.n + strlen(ending) && slice_equal(slice_make(file.p, name.n), name) &&
            slice_is(slice_make(file.p + name.n, file.n - name.n), ending)) {
            return f->text;
        }
    }
    return NULL;
}

const char *pages_find(slice_t name)
{
    return pages_file(name, ".html");
}

const char *pages_style(void)
{
    return pages_file(slice_of("style"), ".css");
}
