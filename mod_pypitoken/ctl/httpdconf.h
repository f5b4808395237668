/*
 * httpdconf.h - an httpd configuration as a tree of directives, for doctor to look at.
 *
 * Reads what httpd would: continued lines, quotes, Include and IncludeOptional with wildcards,
 * Define and the environment in ${NAME}. <IfModule>, <IfDefine>, <IfFile> and <IfVersion> are
 * decided here (a module is there when a LoadModule before it says so, or when every httpd has it
 * built in; any version is new enough), and what stands in them stands where they do. Macros are
 * not expanded. It does not judge: what httpd would refuse is read as far as it goes.
 *
 * One thread; everything lives in the pool given.
 */
#ifndef PYPITOKEN_HTTPDCONF_H
#define PYPITOKEN_HTTPDCONF_H

#include <apr_tables.h>

typedef struct httpdconf_node_t {
    const char *name; /* of the directive, or of the section without its '<' */
    int argc;
    const char *const *argv; /* without quotes, argv[argc] is NULL */
    const char *file;
    int line;
    int section;
    struct httpdconf_node_t *parent; /* NULL for the root, which has no name */
    struct httpdconf_node_t *first, *last, *next;
} httpdconf_node_t;

/* NULL, or a sentence that names the file. Relative names are taken from ServerRoot, or from where
 * the file is. */
const char *httpdconf_read(httpdconf_node_t **root, const char *path, apr_pool_t *pool);

/* 1 when the node is called so; httpd does not tell upper from lower case. */
int httpdconf_is(const httpdconf_node_t *n, const char *name);

/* The last directive of that name directly in a section, or NULL; the n-th argument, or "". */
const httpdconf_node_t *httpdconf_last(const httpdconf_node_t *section, const char *name);
const char *httpdconf_arg(const httpdconf_node_t *n, int i);

/* The next node of the whole tree in the order of the text, or NULL; begin with the root. */
const httpdconf_node_t *httpdconf_walk(const httpdconf_node_t *n);

#endif
