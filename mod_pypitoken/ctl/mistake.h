/*
 * mistake.h - the mistakes that people make in an httpd configuration around the guard.
 *
 * Each has a stable word, looks at the whole tree (httpdconf.h), and says what is wrong where, and
 * which line to write instead. FAIL is a way around the guard or a secret in the open; WARN is what
 * will refuse good uploads, or what is one change away from a way around.
 *
 * What is looked at is text: a mistake that is not found need not be absent. One thread; pool is
 * the caller's.
 */
#ifndef PYPITOKEN_MISTAKE_H
#define PYPITOKEN_MISTAKE_H

#include "ctl/httpdconf.h"

typedef enum mistake_weight_t { MISTAKE_WARN, MISTAKE_FAIL } mistake_weight_t;

/* finding: "file:line: what is wrong. Write: the line". */
typedef void mistake_fn(void *baton, mistake_weight_t weight, const char *word,
                        const char *finding);

/* Something that the client reaches by a path: a proxy, an alias, a handler. */
typedef struct mistake_way_t {
    const char *path; /* of the URL; a regular expression where regex is set */
    int regex;
    const char *target;           /* as it is written */
    const char *back_end;         /* what is the same for two ways to the same thing */
    const char *kind;             /* "proxy", "wsgi", "cgi", "alias", "handler" */
    const httpdconf_node_t *node; /* the directive */
    const httpdconf_node_t *server;
} mistake_way_t;

typedef struct mistake_guard_t {
    const char *path;             /* of its Location */
    const httpdconf_node_t *node; /* PyPITokenGuard On */
    const httpdconf_node_t *section;
    const httpdconf_node_t *server; /* the root or a VirtualHost */
    const mistake_way_t *way;       /* what serves it; NULL: nothing was found */
} mistake_guard_t;

typedef struct mistake_t {
    const httpdconf_node_t *root;
    apr_array_header_t *ways;   /* of mistake_way_t */
    apr_array_header_t *guards; /* of mistake_guard_t */
    const char *word;           /* of the check that runs */
    mistake_fn *fn;
    void *baton;
    apr_pool_t *pool;
} mistake_t;

/* Looks for every mistake; fn is called for each. The number found. */
int mistake_look(const httpdconf_node_t *root, mistake_fn *fn, void *baton, apr_pool_t *pool);

/* ---- for the checks, mistake_*.c ---- */

/* var takes the address of each element of an array of type; i is its place. */
#define MISTAKE_EACH(list, type, var, i)                                                           \
    for ((i) = 0; (i) < (list)->nelts && ((var) = &APR_ARRAY_IDX((list), (i), type)); (i)++)

void mistake_say(const mistake_t *m, mistake_weight_t weight, const httpdconf_node_t *at,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The server that a node stands in: a VirtualHost or the root. */
const httpdconf_node_t *mistake_server(const httpdconf_node_t *n);

/* The next node after n of that name, anywhere. */
const httpdconf_node_t *mistake_next(const httpdconf_node_t *n, const char *name);

/* The directive that counts at a path of a server: of the last Location that covers it and has one,
 * else of the server, else of the root. NULL: none. */
const httpdconf_node_t *mistake_at(const mistake_t *m, const httpdconf_node_t *server,
                                   const char *path, const char *name);

/* 1 when nothing can be written at the path but through a guard: only methods that read are let
 * through, or nothing is, or a guard stands there. */
int mistake_closed(const mistake_t *m, const httpdconf_node_t *server, const char *path);

/* 1 when a Location of this path covers another: itself, and what is below it. */
int mistake_below(const char *section, const char *path);

/* mistake_way.c: fills ways and guards. */
void mistake_way_gather(mistake_t *m);

/* What serves a path: the way with the longest one that covers it, in the server or the root. */
const mistake_way_t *mistake_way_of(const mistake_t *m, const httpdconf_node_t *server,
                                    const char *path);

/* 1 when the first argument is word, in any case. */
int mistake_says(const httpdconf_node_t *n, const char *word);

/* The value of a size such as 1G, 200M, 4096. */
apr_int64_t mistake_size(const char *text);

/* mistake_path.c: ways around the guard */
void mistake_path_none(mistake_t *m), mistake_path_unserved(mistake_t *m),
    mistake_path_second(mistake_t *m), mistake_path_slashes(mistake_t *m),
    mistake_path_nocanon(mistake_t *m), mistake_path_merge(mistake_t *m),
    mistake_path_dav(mistake_t *m), mistake_path_forward(mistake_t *m);

/* mistake_access.c: who gets in as whom */
void mistake_access_auth(mistake_t *m), mistake_access_satisfy(mistake_t *m),
    mistake_access_limit(mistake_t *m), mistake_access_header(mistake_t *m),
    mistake_access_early(mistake_t *m), mistake_access_wsgi(mistake_t *m),
    mistake_access_keep(mistake_t *m), mistake_access_remoteip(mistake_t *m);

/* mistake_secret.c: what crosses networks and lies in files */
void mistake_secret_mode(mistake_t *m), mistake_secret_served(mistake_t *m),
    mistake_secret_tls(mistake_t *m), mistake_secret_required(mistake_t *m),
    mistake_secret_clear(mistake_t *m), mistake_secret_unsafe(mistake_t *m);

/* mistake_limit.c: what refuses or spoils good uploads */
void mistake_limit_field(mistake_t *m), mistake_limit_body(mistake_t *m),
    mistake_limit_modsecurity(mistake_t *m), mistake_limit_timeout(mistake_t *m),
    mistake_limit_tmp(mistake_t *m), mistake_limit_stream(mistake_t *m),
    mistake_limit_filter(mistake_t *m);

#endif
