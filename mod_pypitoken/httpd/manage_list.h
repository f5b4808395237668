/*
 * manage_list.h - long lists on a page: the query string as a form, and a page of the list at a
 * time.
 */
#ifndef PYPITOKEN_MANAGE_LIST_H
#define PYPITOKEN_MANAGE_LIST_H

#include "httpd/manage.h"

/* The query string as a form, in the request's pool; what is none is as if it were not there. */
const form_t *manage_list_query(const manage_t *m);

/* This page's address with another value for one field of its query, below the mount point. */
const char *manage_list_link(const manage_t *m, const form_t *query, const char *field,
                             const char *value);

/* Which of total rows the page shows, from *first on up to but not with *end, by the field "page"
 * of the query; and the data "pager" for the template of that name, false when all are shown. */
json_t *manage_list_pager(const manage_t *m, const form_t *query, int total, int each, int *first,
                          int *end);

/* 1 when text holds the part, whatever the case of ASCII letters; an empty part is in all. */
int manage_list_has(const char *text, slice_t part);

/* A field of the query for a form on the page. */
json_t *manage_list_field(const manage_t *m, const form_t *query, const char *field);

#endif
