/*
 * manage.h - the pages for people: SetHandler pypitoken-manage.
 *
 * One handler, a table of routes (manage_route.h), a function for each. Before a page's function
 * runs the handler has seen to it that
 *   - credentials and sessions do not travel in clear text (PyPITokenRequireTLS),
 *   - the method is one the route has; nothing changes state but POST,
 *   - a POST comes from a page of ours: Sec-Fetch-Site or Origin, a form of at most MANAGE_BODY
 * bytes, and its field csrf is that of the sign-in (of the browser's form cookie on the sign-in
 * page),
 *   - somebody is signed in where the route asks for that: by the session cookie, else by Basic;
 *     and it is somebody who may (manage_route.h).
 * Every answer is no-store, with a policy that allows no script, no frame and nothing from
 * elsewhere.
 *
 * Pages work at any mount point and behind a proxy that rewrites paths and names: all links and
 * redirects are relative. The location must be open ("Require all granted"): the pages ask for
 * credentials themselves.
 *
 * Cookies (core/session.h) are HttpOnly and SameSite=Strict; over TLS, here or with a proxy before
 * us, also Secure with the prefix __Host-. In clear text, where PyPITokenRequireTLS allows that
 * (loopback, or Off), they have neither, and another name: what a network could have planted is not
 * read over TLS. Other handlers, and so back ends, are not given them.
 *
 * One thread: the request's. Everything is in its pool.
 */
#ifndef PYPITOKEN_MANAGE_H
#define PYPITOKEN_MANAGE_H

#include <httpd.h>
#include <jansson.h>

#include "access/login.h"
#include "access/team.h"
#include "core/form.h"
#include "core/session.h"

#define MANAGE_BODY 65536

typedef enum manage_by_t { MANAGE_NOBODY, MANAGE_BY_SESSION, MANAGE_BY_BASIC } manage_by_t;

typedef struct manage_t {
    request_rec *r;
    store_t *store;    /* NULL while it cannot be opened */
    const char *route; /* the path below the mount point, "" for the first page */
    const char *root;  /* from there back to the mount point: "./", "../", ... */
    manage_by_t by;
    const char *user;    /* of whoever is signed in */
    int factors;         /* 2: with a code */
    session_t session;   /* by session; user, epoch and factors by Basic too */
    const char *csrf;    /* for the forms of this page; NULL where nobody is signed in */
    form_t form;         /* of a POST; wiped with the pool */
    int language;        /* words.h */
    mine_t mine;         /* for access/: who acts, from where; when somebody is signed in */
    team_t team;         /* the project of a route that ends in one (manage_route.h) */
    store_token_t token; /* the person's own, of a route that ends in one */
    const char *again;   /* what was wrong with the password typed again (manage_confirm.h) */
} manage_t;

/* Writes a page: template's text with data (stolen; may be NULL) and title (of the catalogue; NULL:
 * data has one), service, version, root, user, csrf, lang, admin and at_... for where it is. The
 * handler's return value. */
int manage_page(manage_t *m, int status, const char *template, const char *title, json_t *data);

/* Answers with the sentence of a verdict, Retry-After and a challenge where they belong; logs it.
 */
int manage_refuse(manage_t *m, const verdict_t *v);
int manage_refuse_code(manage_t *m, verdict_code_t code);

/* 1 when no other site has sent this request: what a browser says of where it comes from. */
int manage_own_page(request_rec *r);

/* Reads the body, at most max bytes, into memory that is wiped with the pool, with room for one
 * more byte behind it. ALLOWED, BODY_BROKEN or API_SIZE. */
verdict_code_t manage_read(request_rec *r, apr_size_t max, char **body, apr_size_t *n);

/* What manage_refuse does besides the page: log line, environment, Retry-After. */
void manage_note(manage_t *m, const verdict_t *v);

/* Asks for Basic credentials; goes with 401. */
void manage_challenge(manage_t *m);

/* 303 to another route. */
int manage_go(manage_t *m, const char *route);

/* A string that JSON takes: what is not UTF-8 becomes '?'. */
json_t *manage_string(const manage_t *m, const char *text);

/* The same, "false" for NULL and "". */
json_t *manage_text(const manage_t *m, const char *text);

/* Words of the catalogue in the reader's language; false for NULL. */
json_t *manage_words(const manage_t *m, const char *english);

/* Whoever is signed in, for access/. */
mine_t manage_mine(const manage_t *m);

/* What a store's failure means for a page: no such thing, or not now. */
int manage_failed(manage_t *m, store_rc_t rc);

/* The style sheet; a route. */
int manage_style(manage_t *m);

void manage_register(apr_pool_t *p);

#endif
