/*
 * manage_files.h - the files that a new token is to be good for, as sha256sum prints them.
 */
#ifndef PYPITOKEN_MANAGE_FILES_H
#define PYPITOKEN_MANAGE_FILES_H

#include "access/narrow.h"
#include "core/slice.h"

/* What a token can name and still fit the header line of an upload in httpd's default limit
 * (LimitRequestFieldSize, 8190): some hundred bytes each, twice in base64. */
#define MANAGE_FILES_MAX 32

/* Lines like "<64 hexadecimal digits>  dist/name.whl": what stands before the last slash is left
 * out, so is the mark of a binary file ("*"), so are empty lines. *narrow is then what they ask
 * for, nothing when there is none. NULL, or a sentence that names the line, for the person who
 * typed it; then *narrow is as it was. */
const char *manage_files_read(narrow_t *narrow, slice_t text, apr_pool_t *pool);

#endif
