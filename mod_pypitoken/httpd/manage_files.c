/* manage_files.c - see manage_files.h. */
#include "httpd/private.h"
#include "httpd/manage_files.h"

#include <apr_lib.h>
#include <string.h>

#include "core/digest.h"
#include "httpd/manage_time.h"
#include "httpd/words.h"

#define MANAGE_FILES_DIGITS (DIGEST_HEX - 1)

/* The next line of *text, which begins behind it then. */
static slice_t manage_files_line(slice_t *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    apr_size_t n = end ? (apr_size_t)(end - text->p) : text->n, over = end ? n + 1 : n;
    slice_t line = slice_make(text->p, n);

    *text = slice_make(text->p + over, text->n - over);
    return slice_trim(line);
}

/* The digits at the line's beginning, in lower case: some programs print capitals. NULL when these
 * are none, or more, or nothing stands behind them. */
static const char *manage_files_digest(slice_t line, apr_pool_t *pool)
{
    char *hex;
    apr_size_t i;

    if (line.n <= MANAGE_FILES_DIGITS || line.p[MANAGE_FILES_DIGITS] != ' ') {
        return NULL;
    }
    hex = slice_dup(slice_make(line.p, MANAGE_FILES_DIGITS), pool);
    for (i = 0; i < MANAGE_FILES_DIGITS; i++) {
        if (!apr_isxdigit(hex[i])) {
            return NULL;
        }
        hex[i] = (char)apr_tolower(hex[i]);
    }
    return hex;
}

/* What stands behind them, without mark and directories, of either kind of slash. */
static slice_t manage_files_name(slice_t line)
{
    slice_t name =
        slice_trim(slice_make(line.p + MANAGE_FILES_DIGITS, line.n - MANAGE_FILES_DIGITS));
    apr_size_t i, from = name.n && name.p[0] == '*' ? 1 : 0;

    for (i = from; i < name.n; i++) {
        from = name.p[i] == '/' || name.p[i] == '\\' ? i + 1 : from;
    }
    return slice_make(name.p + from, name.n - from);
}

/* A pattern that the page finds in the reader's language, or NULL. */
static const char *manage_files_add(narrow_files_t *files, slice_t line, apr_pool_t *pool)
{
    const char *hex = manage_files_digest(line, pool);

    if (!hex) {
        return T_("Line %s of the files is not as sha256sum prints it: 64 hexadecimal digits, a "
                  "space and the file's name.");
    }
    return narrow_files_add(files, slice_dup(manage_files_name(line), pool), hex, pool)
               ? T_("Line %s of the files names neither a wheel nor a source distribution.")
               : NULL;
}

const char *manage_files_read(narrow_t *narrow, slice_t text, apr_pool_t *pool)
{
    narrow_files_t files = {NULL, NULL, NULL, NULL};
    const char *wrong = NULL;
    int number = 0, n = 0;

    while (text.n && !wrong) {
        slice_t line = manage_files_line(&text);

        number++;
        if (line.n) {
            wrong = ++n > MANAGE_FILES_MAX
                        ? T_("Line %s of the files is one too many: make several tokens.")
                        : manage_files_add(&files, line, pool);
        }
    }
    if (wrong) {
        return manage_time_fill(wrong, number, pool);
    }
    *narrow = narrow_files_all(&files);
    return NULL;
}
