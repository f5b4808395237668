/*
 * manage_route.h - the table of all pages: where each is, and who may see and change it.
 *
 * Before a route's function runs, manage.c has held whoever asks against the route: nobody else is
 * let through, and what it found (the project of the path, being an administrator) is in manage_t.
 * What a word of manage_who_t takes is decided in access/ (mine.h, team.h, admin.h).
 *
 * t/pages_access.t reads the rows of manage_route.c and asks every one of them as everybody: keep
 * them one to a line.
 */
#ifndef PYPITOKEN_MANAGE_ROUTE_H
#define PYPITOKEN_MANAGE_ROUTE_H

#include "httpd/manage.h"

typedef enum manage_who_t {
    MANAGE_OPEN,       /* nobody is asked for */
    MANAGE_ASKED,      /* whoever is signed in, if anybody; then the form must be theirs */
    MANAGE_PERSON,     /* anybody who is, about himself; else off to the sign-in form */
    MANAGE_OWN_TOKEN,  /* whose token the path ends in; for others there is no such page */
    MANAGE_MAINTAINER, /* who has a role on the project that the path ends in; administrators */
    MANAGE_OWNER,      /* its owners, and administrators; maintainers are told that they may not */
    MANAGE_ADMIN       /* administrators; likewise */
} manage_who_t;

typedef int manage_route_fn(manage_t *m);

typedef struct manage_route_t {
    const char *path; /* below the mount point; a '*' at its end is one segment */
    manage_who_t sees;
    manage_route_fn *get;
    manage_who_t acts;
    manage_route_fn *post; /* the only method that changes something */
} manage_route_t;

/* NULL when there is no such page. */
const manage_route_t *manage_route_find(const char *path);

/* What stands for the '*' of a route. */
slice_t manage_route_last(const manage_t *m);

/* The part of the pages that this one belongs to, as data for the navigation: at_... and admin. */
void manage_route_where(const manage_t *m, json_t *data);

#endif
