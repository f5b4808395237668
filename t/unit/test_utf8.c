/* test_utf8.c - what is UTF-8, and what only looks like it. */
#include "core/utf8.h"

#include "tap.h"

int main(void)
{
    static const slice_t good[] = {SLICE(""), SLICE("a\0b"), SLICE("\xc3\xa9"),
                                   SLICE("\xed\x9f\xbf\xee\x80\x80"),
                                   SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")};
    static const slice_t bad[] = {SLICE("\x80"),
                                  SLICE("\xc3"),
                                  SLICE("\xc3("),
                                  SLICE("\xc1\xbf"),
                                  SLICE("\xe0\x9f\xbf"),
                                  SLICE("\xf0\x8f\xbf\xbf"),
                                  SLICE("\xed\xa0\x80"),
                                  SLICE("\xed\xbf\xbf"),
                                  SLICE("\xf4\x90\x80\x80"),
                                  SLICE("\xe2\x82"),
                                  SLICE("\xf8\x88\x80\x80\x80"),
                                  SLICE("\xff")};
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap_ok(utf8_valid(good[i]), "UTF-8 %d", (int)i);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_ok(!utf8_valid(bad[i]), "not UTF-8 %d", (int)i);
    }
    return tap_done();
}
