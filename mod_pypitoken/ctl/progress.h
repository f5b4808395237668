/*
 * progress.h - the rows of a command that takes long, and how far it is.
 *
 * On a terminal a bar, on standard error, and the table when all is done; in a pipe each row at
 * once as a line; with --json one array at the end. One thread.
 */
#ifndef PYPITOKEN_PROGRESS_H
#define PYPITOKEN_PROGRESS_H

#include "ctl/ctl.h"

typedef struct progress_t progress_t;

/* size: of all that there is to do, in any unit; 0 when it is not known. In ctl's pool. */
progress_t *progress_begin(ctl_t *ctl, const table_column_t *columns, apr_size_t n,
                           apr_int64_t size);

/* So much of size is done. */
void progress_at(progress_t *p, apr_int64_t done);

void progress_row(progress_t *p, const table_cell_t *cells);

/* The bar goes, what was kept is printed. */
void progress_end(progress_t *p);

#endif
