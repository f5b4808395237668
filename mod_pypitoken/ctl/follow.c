/* follow.c - which rows are new; see follow.h. */
#include "ctl/follow.h"

#include <stdlib.h>
#include <string.h>

typedef struct follow_row_t {
    apr_int64_t id;
    apr_int64_t gone; /* from then on gaps below do not matter */
} follow_row_t;

struct follow_t {
    follow_row_t *rows; /* told, and above after; the first "sorted" of them by id */
    apr_size_t n, size, sorted;
    apr_int64_t after;
};

static apr_status_t follow_free(void *data)
{
    free(((follow_t *)data)->rows);
    return APR_SUCCESS;
}

follow_t *follow_make(apr_pool_t *pool)
{
    follow_t *f = apr_pcalloc(pool, sizeof(*f));

    apr_pool_cleanup_register(pool, f, follow_free, apr_pool_cleanup_null);
    return f;
}

apr_int64_t follow_after(const follow_t *f)
{
    return f->after;
}

static int follow_by_id(const void *a, const void *b)
{
    apr_int64_t x = ((const follow_row_t *)a)->id, y = ((const follow_row_t *)b)->id;

    return (x > y) - (x < y);
}

/* Without memory the row is told again, rather than not at all. */
static void follow_keep(follow_t *f, follow_row_t row)
{
    if (f->n == f->size) {
        apr_size_t size = f->size ? 2 * f->size : 64;
        follow_row_t *rows = realloc(f->rows, size * sizeof(*rows));

        if (!rows) {
            return;
        }
        f->rows = rows;
        f->size = size;
    }
    f->rows[f->n++] = row;
}

int follow_new(follow_t *f, apr_int64_t id, apr_int64_t at, apr_int64_t now)
{
    follow_row_t row = {id, now - at > FOLLOW_OLD ? 0 : now + FOLLOW_GRACE};

    if (id <= f->after ||
        (f->sorted && bsearch(&row, f->rows, f->sorted, sizeof(row), follow_by_id))) {
        return 0;
    }
    follow_keep(f, row);
    return 1;
}

void follow_settle(follow_t *f, apr_int64_t now)
{
    apr_size_t i, done = 0;

    if (f->n == 0) {
        return;
    }
    qsort(f->rows, f->n, sizeof(*f->rows), follow_by_id);
    for (i = 0; i < f->n; i++) {
        if (f->rows[i].id == f->after + 1 || f->rows[i].gone <= now) {
            f->after = f->rows[i].id;
            done = i + 1;
        }
    }
    memmove(f->rows, f->rows + done, (f->n - done) * sizeof(*f->rows));
    f->n -= done;
    f->sorted = f->n;
}
