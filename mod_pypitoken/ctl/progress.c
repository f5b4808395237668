/* progress.c - how far a long command is; see progress.h. */
#include "ctl/progress.h"

#include <apr_time.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRESS_CELLS 40
#define PROGRESS_PAUSE apr_time_from_msec(50) /* between two drawings */

struct progress_t {
    table_t *table;
    apr_pool_t *line; /* of a row that is printed at once; NULL: rows are kept */
    apr_int64_t size, done, rows;
    apr_time_t drawn;
    int bar; /* there is a terminal to draw on */
};

progress_t *progress_begin(ctl_t *ctl, const table_column_t *columns, apr_size_t n,
                           apr_int64_t size)
{
    progress_t *p = apr_pcalloc(ctl->pool, sizeof(*p));

    p->table = table_make(columns, n, ctl->json, ctl->pool);
    p->size = size;
    p->bar = !ctl->json && isatty(STDERR_FILENO);
    if (!ctl->json && !isatty(STDOUT_FILENO)) {
        apr_pool_create(&p->line, ctl->pool);
        table_heading(p->table, stdout);
    }
    return p;
}

static void progress_draw(progress_t *p)
{
    int i, cells;

    p->drawn = apr_time_now();
    if (!p->size) {
        fprintf(stderr, "\r%" APR_INT64_T_FMT " done", p->rows);
        return;
    }
    cells = (int)(p->done * PROGRESS_CELLS / p->size);
    fputs("\r[", stderr);
    for (i = 0; i < PROGRESS_CELLS; i++) {
        fputc(i < cells ? '#' : '.', stderr);
    }
    fprintf(stderr, "] %3d %%  %" APR_INT64_T_FMT " done", (int)(p->done * 100 / p->size), p->rows);
}

void progress_at(progress_t *p, apr_int64_t done)
{
    p->done = done < p->size ? done : p->size;
    if (p->bar && apr_time_now() - p->drawn >= PROGRESS_PAUSE) {
        progress_draw(p);
    }
}

void progress_row(progress_t *p, const table_cell_t *cells)
{
    p->rows++;
    if (p->line) {
        table_line(p->table, cells, stdout, p->line);
        fflush(stdout);
        apr_pool_clear(p->line);
    } else {
        table_add(p->table, cells);
    }
}

void progress_end(progress_t *p)
{
    if (p->bar) {
        progress_draw(p);
        fputs("\r\033[K", stderr); /* and the line is empty again */
    }
    if (!p->line) {
        table_print(p->table, stdout);
    }
}
