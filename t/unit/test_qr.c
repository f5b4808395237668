/* test_qr.c - QR codes: the picture and the terminal show one code, whole, with its quiet zone, for
 * every length that fits. That a phone reads it is people.t's business (zbarimg). */
#include "core/qr.h"
#include "tap.h"

#include <apr_general.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 200 /* a code of 600 bytes has 93 modules a side, and 8 of quiet zone */

typedef struct grid_t {
    int side;
    unsigned char dark[SIDE][SIDE];
} grid_t;

static int numbers(const char *text, const char *before, int n[2])
{
    const char *at = strstr(text, before);
    char *end;

    if (!at) {
        return 0;
    }
    n[0] = (int)strtol(at + strlen(before), &end, 10);
    n[1] = (int)strtol(end + 1, NULL, 10);
    return 1;
}

/* What an SVG shows; 0 when it is none that we know. */
static int of_svg(grid_t *grid, const char *text)
{
    int n[2];

    memset(grid, 0, sizeof(*grid));
    if (!text || !numbers(text, "viewBox=\"0 0 ", n) || n[0] >= SIDE) {
        return 0;
    }
    grid->side = n[0];
    text = strstr(text, " d=\"") + 4;
    while (*text == 'M' && numbers(text, "M", n)) {
        if (n[0] < 0 || n[1] < 0 || n[0] >= grid->side || n[1] >= grid->side) {
            return 0;
        }
        grid->dark[n[1]][n[0]] = 1;
        text = strstr(text, "h1v1h-1z") + 8;
    }
    return strcmp(text, "\"/></svg>\n") == 0;
}

/* The same of a terminal's text: two rows of modules a line. */
static int of_terminal(grid_t *grid, const char *text)
{
    static const char on[] = "\033[0;30;47m", off[] = "\033[0m\n";
    int x, y;

    memset(grid, 0, sizeof(*grid));
    for (y = 0; text && *text && y + 1 < SIDE; y += 2) {
        if (strncmp(text, on, strlen(on)) != 0) {
            return 0;
        }
        text += strlen(on);
        for (x = 0; x < SIDE && *text && *text != '\033'; x++) {
            int whole = strncmp(text, "\xe2\x96\x88", 3) == 0;
            int lower = strncmp(text, "\xe2\x96\x84", 3) == 0;
            int upper = strncmp(text, "\xe2\x96\x80", 3) == 0;

            if (!whole && !lower && !upper && *text != ' ') {
                return 0;
            }
            grid->dark[y][x] = (unsigned char)(whole || upper);
            grid->dark[y + 1][x] = (unsigned char)(whole || lower);
            text += *text == ' ' ? 1 : 3;
        }
        if (strncmp(text, off, strlen(off)) != 0 || (grid->side && grid->side != x)) {
            return 0;
        }
        text += strlen(off);
        grid->side = x;
    }
    return text && !*text;
}

static int quiet(const grid_t *grid)
{
    int x, y, last = grid->side - 4;

    for (y = 0; y < grid->side; y++) {
        for (x = 0; x < grid->side; x++) {
            if (grid->dark[y][x] && (x < 4 || y < 4 || x >= last || y >= last)) {
                return 0;
            }
        }
    }
    return 1;
}

/* The square of 7 modules by which a reader finds the code. */
static int finder(const grid_t *grid, int left, int top)
{
    int x, y, ring;

    for (y = 0; y < 7; y++) {
        for (x = 0; x < 7; x++) {
            ring = abs(x - 3) > abs(y - 3) ? abs(x - 3) : abs(y - 3);
            if (grid->dark[top + y][left + x] != (ring != 2)) {
                return 0;
            }
        }
    }
    return 1;
}

static void lengths(apr_pool_t *top)
{
    static grid_t svg, terminal;
    static char text[600];
    const char *wrong = "";
    apr_pool_t *pool;
    apr_size_t n;

    memset(text, 'x', sizeof(text));
    memcpy(text, "otpauth://totp/", 15);
    for (n = 1; n <= sizeof(text) && !*wrong; n += n == 1 || n + 13 > sizeof(text) ? 1 : 13) {
        apr_pool_create(&pool, top);
        if (!of_svg(&svg, qr_svg(slice_make(text, n), pool))) {
            wrong = "no picture";
        } else if (!of_terminal(&terminal, qr_terminal(slice_make(text, n), pool))) {
            wrong = "nothing for a terminal";
        } else if (svg.side != terminal.side || memcmp(svg.dark, terminal.dark, sizeof(svg.dark))) {
            wrong = "two codes";
        } else if (!quiet(&svg)) {
            wrong = "no quiet zone";
        } else if (!finder(&svg, 4, 4) || !finder(&svg, svg.side - 11, 4) ||
                   !finder(&svg, 4, svg.side - 11)) {
            wrong = "no finder patterns";
        }
        apr_pool_destroy(pool);
    }
    tap_ok(!*wrong, "up to 600 bytes, both show one whole code: %s", wrong);
    tap_ok(svg.side > 80, "the longest was drawn: %d modules", svg.side);
}

int main(void)
{
    static char much[601];
    apr_pool_t *pool;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    memset(much, 'x', sizeof(much));
    lengths(pool);
    tap_ok(!qr_svg(slice_make(much, 601), pool) && !qr_terminal(slice_make(much, 601), pool),
           "none of a longer text");
    tap_ok(!qr_svg(slice_make("", 0), pool) && !qr_terminal(slice_make("", 0), pool),
           "none of nothing");
    apr_pool_destroy(pool);
    apr_terminate();
    return tap_done();
}
