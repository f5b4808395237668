/* qr.c - QR codes; see qr.h. Source: ISO/IEC 18004 (quiet zone of 4 modules). */
#include "core/qr.h"

#include <apr_strings.h>
#include <qrencode.h>
#include <sodium.h>
#include <string.h>

#include "core/macaroon.h"

#define QR_QUIET 4
#define QR_MOST  600 /* bytes of text */

/* What a dark module takes in SVG at most: "M177,177h1v1h-1z". */
#define QR_SVG_MODULE 20
/* A column of a terminal line: one character of three bytes. */
#define QR_CELL     3
#define QR_ANSI_ON  "\033[0;30;47m"
#define QR_ANSI_OFF "\033[0m\n"

static QRcode *qr_make(slice_t text)
{
    if (!text.n || text.n > QR_MOST) {
        return NULL;
    }
    return QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
}

static void qr_free(QRcode *qr)
{
    sodium_memzero(qr->data, (size_t)qr->width * (size_t)qr->width);
    QRcode_free(qr);
}

/* 1 for a dark module; the quiet zone and all beyond are light. */
static int qr_dark(const QRcode *qr, int x, int y)
{
    return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
           (qr->data[y * qr->width + x] & 1) != 0;
}

const char *qr_svg(slice_t text, apr_pool_t *pool)
{
    QRcode *qr = qr_make(text);
    apr_size_t room, n;
    int x, y, side;
    char *out;

    if (!qr) {
        return NULL;
    }
    side = qr->width + 2 * QR_QUIET;
    room = (apr_size_t)qr->width * (apr_size_t)qr->width * QR_SVG_MODULE + 512;
    out = macaroon_secret(room, pool);
    n = (apr_size_t)apr_snprintf(out, room,
                                 "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                                 "width=\"%d\" height=\"%d\" shape-rendering=\"crispEdges\">"
                                 "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
                                 "<path fill=\"#000\" d=\"",
                                 side, side, 6 * side, 6 * side, side, side);
    for (y = 0; y < qr->width; y++) {
        for (x = 0; x < qr->width; x++) {
            if (qr_dark(qr, x, y)) {
                n += (apr_size_t)apr_snprintf(out + n, room - n, "M%d,%dh1v1h-1z", x + QR_QUIET,
                                              y + QR_QUIET);
            }
        }
    }
    apr_snprintf(out + n, room - n, "\"/></svg>\n");
    qr_free(qr);
    return out;
}

const char *qr_terminal(slice_t text, apr_pool_t *pool)
{
    /* upper and lower half of a cell: dark is the ink, light the paper */
    static const char *const cells[] = {" ", "\xe2\x96\x84", "\xe2\x96\x80", "\xe2\x96\x88"};
    QRcode *qr = qr_make(text);
    apr_size_t line, room, n = 0;
    int x, y;
    char *out;

    if (!qr) {
        return NULL;
    }
    line = (apr_size_t)(qr->width + 2 * QR_QUIET) * QR_CELL + sizeof(QR_ANSI_ON QR_ANSI_OFF);
    room = line * ((apr_size_t)(qr->width + 2 * QR_QUIET) / 2 + 1) + 1;
    out = macaroon_secret(room, pool);
    for (y = -QR_QUIET; y < qr->width + QR_QUIET; y += 2) {
        n += (apr_size_t)apr_snprintf(out + n, room - n, "%s", QR_ANSI_ON);
        for (x = -QR_QUIET; x < qr->width + QR_QUIET; x++) {
            n += (apr_size_t)apr_snprintf(out + n, room - n, "%s",
                                          cells[2 * qr_dark(qr, x, y) + qr_dark(qr, x, y + 1)]);
        }
        n += (apr_size_t)apr_snprintf(out + n, room - n, "%s", QR_ANSI_OFF);
    }
    qr_free(qr);
    return out;
}
