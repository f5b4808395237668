/* test_language.c - which language a reader gets. */
#include "core/language.h"
#include "tap.h"

#include <apr_general.h>

static const char *const tags[] = {"en", "de", "fr"};

int main(void)
{
    static const struct {
        const char *header;
        int want;
    } rows[] = {
        {"", 0},
        {"*", 0},
        {"de", 1},
        {"DE", 1},
        {"de-AT", 1},
        {"de-Latn-AT-1996", 1},
        {"den", 0},
        {"fr, de", 2},
        {"de, fr", 1},
        {"de;q=0.5, fr", 2},
        {"de;q=0.5,fr;q=0.501", 2},
        {"de;q=0.5;fr;q=0.501", 0},
        {"en, de", 0},
        {"en;q=0.1, de;q=0.2", 1},
        {"de;q=0", 0},
        {"de;q=0.000, fr;q=0.001", 2},
        {"de;q=1.000", 1},
        {"de;q=1.001, fr;q=0.1", 2},
        {"de;q=2, fr;q=0.1", 2},
        {"de;q=0.1234, fr;q=0.1", 2},
        {"de;q=x", 0},
        {"de;q=", 0},
        {"de;", 1},
        {" de ; q=0.9 , fr ; q=0.8", 1},
        {",,de,,", 1},
        {"tlh, xx;q=0.9, fr;q=0.1", 2},
        {"-de", 0},
    };
    apr_size_t i;

    apr_initialize();
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        int got = language_choose(slice_of(rows[i].header), tags, 3);

        tap_ok(got == rows[i].want, "\"%s\": %s", rows[i].header, tags[got]);
    }
    tap_ok(language_choose(slice_make("de, fr", 1), tags, 3) == 0, "no byte behind the header");
    return tap_done();
}
