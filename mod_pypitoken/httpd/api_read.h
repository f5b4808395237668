/*
 * api_read.h - what a person can look at by JSON besides the tokens; functions of the API's route
 * table.
 */
#ifndef PYPITOKEN_API_READ_H
#define PYPITOKEN_API_READ_H

#include "httpd/api.h"

/* The projects with a role of his. */
int api_read_projects(api_t *a);

/* His events, the last first, API_READ_EVENTS at a time; "before" is what the answer before has as
 * "next". */
#define API_READ_EVENTS 500
int api_read_events(api_t *a);

#endif
