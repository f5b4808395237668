/*
 * index_page.h - the listings of the built-in index, for pip and for people.
 *
 * Sources: PEP 503 (HTML), PEP 691 (JSON, content negotiation), PEP 700 (versions, size,
 * upload-time), PEP 629 (repository version).
 */
#ifndef PYPITOKEN_INDEX_PAGE_H
#define PYPITOKEN_INDEX_PAGE_H

#include <httpd.h>

/* Answers a GET or HEAD with the list of projects in the directory packages, or with the files of
 * the project (a normalised name). OK, HTTP_NOT_FOUND, HTTP_NOT_MODIFIED, ...: the value of the
 * handler. Readers that accept none of our types get HTML, as PEP 691 allows. */
int index_page_projects(request_rec *r, const char *packages);
int index_page_files(request_rec *r, const char *packages, const char *project);

#endif
