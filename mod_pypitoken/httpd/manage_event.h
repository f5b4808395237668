/*
 * manage_event.h - what is on record: one's own events, those of all for administrators, and rows
 * of them on other pages; functions of the route table.
 */
#ifndef PYPITOKEN_MANAGE_EVENT_H
#define PYPITOKEN_MANAGE_EVENT_H

#include "httpd/manage.h"

/* events: one's own, the last first; before goes on. */
int manage_event_mine(manage_t *m);

/* admin/events: all; user and project filter. */
int manage_event_all(manage_t *m);

/* Gathers rows for templates: a list callback's baton. */
typedef struct manage_event_scan_t {
    const manage_t *m;
    json_t *rows;
    int each, n;         /* at most so many rows; n is one more when there are others */
    store_cursor_t last; /* of the last row */
} manage_event_scan_t;

#define MANAGE_EVENT_ROWS 50

/* Asks for scan.each + 1 rows: the one too many says that the list goes on. */
manage_event_scan_t manage_event_scan(const manage_t *m, int each);
int manage_event_row(void *baton, const store_event_t *row);

/* Where the page's list begins, by the field "before" of its query; NULL: with the last. */
const store_cursor_t *manage_event_from(const manage_t *m, const form_t *query);

/* The data "events" and "older" (a link, or false). */
void manage_event_data(const manage_event_scan_t *scan, const form_t *query, json_t *data);

#endif
