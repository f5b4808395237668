/*
 * table.h - the same rows as an aligned table for people and as JSON for programs.
 *
 * A list is described once, by its columns. Text in cells may come from the network: for people,
 * control bytes and text that is not UTF-8 become '?'; for programs it is JSON-escaped.
 * Times are Unix seconds: UTC ISO 8601 for people, numbers for programs; 0 means "never" (null).
 * No state besides the table itself; one thread per table.
 */
#ifndef PYPITOKEN_TABLE_H
#define PYPITOKEN_TABLE_H

#include <apr_pools.h>
#include <jansson.h>
#include <stdio.h>

#include "core/slice.h"

typedef enum table_kind_t { TABLE_TEXT, TABLE_TIME, TABLE_FLAG, TABLE_NUMBER } table_kind_t;

typedef struct table_column_t {
    const char *heading; /* NULL: for programs only */
    const char *key;     /* NULL: for people only */
    table_kind_t kind;
    int width; /* the least width, for tables that are printed line by line */
} table_column_t;

typedef struct table_cell_t {
    const char *text;   /* TABLE_TEXT; NULL: none ("-", null) */
    apr_int64_t number; /* all other kinds */
} table_cell_t;

#define TABLE_STRING(s)                                                                            \
    {                                                                                              \
        (s), 0                                                                                     \
    }
#define TABLE_INT(i)                                                                               \
    {                                                                                              \
        NULL, (i)                                                                                  \
    }

typedef struct table_t table_t;

/* columns must outlive the table. */
table_t *table_make(const table_column_t *columns, apr_size_t n, int json, apr_pool_t *pool);

/* Adds a row of as many cells as there are columns; copies the texts. */
void table_add(table_t *t, const table_cell_t *cells);

/* Rows beyond the first TABLE_HELD are printed as they come and not kept, so that a list of a
 * million takes no more memory than one of a thousand: aligned to what those first ones need.
 * Before the first table_add; table_print follows with the same out. */
#define TABLE_HELD 1000
void table_flow(table_t *t, FILE *out);

/* All rows: headings and aligned columns, or one JSON array. Of a table that flows, the end. */
void table_print(table_t *t, FILE *out);

/* One thing: "Heading: value" lines, or one JSON object. Takes nothing from earlier rows. */
void table_record(const table_t *t, const table_cell_t *cells, FILE *out);

/* Line by line, for what has no end: the headings (nothing in JSON), then each row at once, padded
 * to the columns' own widths, or as one JSON object a line. pool is for the line only. */
void table_heading(const table_t *t, FILE *out);
void table_line(const table_t *t, const table_cell_t *cells, FILE *out, apr_pool_t *pool);

/* A JSON string, or null for NULL; bytes that are not UTF-8 become '?'. New reference. */
json_t *table_json_text(slice_t s, apr_pool_t *pool);

/* The object of one row; pool is for what the making needs. New reference. */
json_t *table_json(const table_t *t, const table_cell_t *cells, apr_pool_t *pool);

/* s made fit for a terminal, in pool: UTF-8 stays, control characters become '?'. */
char *table_clean(slice_t s, apr_pool_t *pool);

#endif
