/* utf8.c - is it UTF-8; see utf8.h for the contract. */
#include "core/utf8.h"

/* The smallest code point that a sequence of 2, 3, 4 bytes may spell. */
static const apr_uint32_t utf8_least[] = {0, 0, 0x80, 0x800, 0x10000};

int utf8_valid(slice_t s)
{
    apr_size_t i = 0;

    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i++];
        unsigned n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
        apr_uint32_t point = c & (0xffu >> (n + 1));
        unsigned k;

        if (n == 1) {
            continue;
        }
        if (c < 0xc0 || c > 0xf7 || s.n - i < n - 1) {
            return 0;
        }
        for (k = 1; k < n; k++) {
            c = (unsigned char)s.p[i++];
            if ((c & 0xc0) != 0x80) {
                return 0;
            }
            point = point << 6 | (c & 0x3f);
        }
        if (point < utf8_least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
            return 0;
        }
    }
    return 1;
}
