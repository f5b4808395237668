/*
 * qr.h - a QR code of a text, for a page and for a terminal. By libqrencode; any thread.
 *
 * The text is a secret (it holds a TOTP seed): results are wiped with the pool.
 */
#ifndef PYPITOKEN_QR_H
#define PYPITOKEN_QR_H

#include "core/slice.h"

/* A whole SVG document, 4 modules of quiet zone, dark on white whatever is around it; no script, no
 * style, no reference: it can stand in a page as it is. NULL when the text does not fit a QR code
 * or there is no memory. */
const char *qr_svg(slice_t text, apr_pool_t *pool);

/* For a terminal that reads UTF-8 and ANSI colours: two rows of modules a line. NULL as above. */
const char *qr_terminal(slice_t text, apr_pool_t *pool);

#endif
