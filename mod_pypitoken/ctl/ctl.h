/*
 * ctl.h - what every command of pypitokenctl is handed: settings, store, operands, output.
 *
 * A command is a function that returns its exit code. Answers go to stdout, remarks and complaints
 * to stderr; secrets come and go through secret.h alone.
 * One process, one thread, one ctl_t; everything lives in ctl->pool.
 */
#ifndef PYPITOKEN_CTL_H
#define PYPITOKEN_CTL_H

#include <apr_tables.h>

#include "ctl/table.h"
#include "store/keyring.h"
#include "store/store.h"

/* Exit codes: public. */
typedef enum ctl_exit_t {
    CTL_DONE = 0,
    CTL_REFUSED = 1, /* refused or not found */
    CTL_USAGE = 2,
    CTL_DOWN = 3 /* the store is not available */
} ctl_exit_t;

#define CTL_CONFIG "/etc/pypitoken/pypitokenctl.conf"

typedef struct ctl_t {
    apr_pool_t *pool;
    const seam_t *seam;
    store_t *store; /* NULL until ctl_open */
    /* settings: by option, by environment, by file */
    const char *config; /* the settings file, when not the usual one */
    const char *store_url, *store_secret, *keyring, *service, *policy;
    int json;
    /* options of single commands; NULL, 0 or empty when not given */
    const char *user, *owner, *name, *expires, *since, *before, *keep, *httpd_conf, *url;
    const char *svg, *digits, *algorithm;                            /* of a second factor */
    apr_array_header_t *projects;                                    /* of const char * */
    apr_array_header_t *networks, *versions, *globs, *kinds, *files; /* the same */
    const char *uses, *from_file, *overlap, *to, *to_secret;
    int force, follow, verify, no_password, offline, only_new, only_existing;
    /* what stands after the command's words */
    int argc;
    const char *const *argv;
} ctl_t;

typedef int ctl_run_fn(ctl_t *ctl);

/* ---- settings and store ---- */

/* Fills the settings that no option gave from the environment, then from the settings file ("store
 * = ...", "store-secret = ...", "keyring = ...", "service = ...", "policy = ..."; '#' begins a
 * comment line). CTL_DONE, or CTL_USAGE after a complaint: a file that is not what it should be. */
int ctl_configure(ctl_t *ctl);

typedef enum ctl_keys_t { CTL_KEYS_NONE, CTL_KEYS_NEEDED } ctl_keys_t;

/* ctl_configure, then the store. Without keys the keyring is not even looked at, so that whoever
 * may not read it can still list and revoke. CTL_DONE, CTL_USAGE or CTL_DOWN (complained). */
int ctl_open(ctl_t *ctl, ctl_keys_t keys);

/* The same without a look at the schema; create: makes an SQLite file that is not there. */
int ctl_open_any(ctl_t *ctl, int create);

/* A second store, of that URL and password file; any schema will do. CTL_DONE, or CTL_DOWN
 * (complained). */
int ctl_open_other(ctl_t *ctl, const char *url, const char *secret, store_t **out);

/* Root works on an SQLite store as its owner, in every command that opens it: what httpd could not
 * open is not open. The keyring is read before that, into config->keys, for it may be root's alone.
 * NULL or a sentence. */
const char *ctl_become_owner(ctl_t *ctl, store_config_t *config);

/* Files that are the caller's, such as the keyring, are dealt with between these two, as the
 * caller. */
typedef struct ctl_caller_t {
    unsigned long uid, gid;
} ctl_caller_t;
void ctl_caller_begin(ctl_caller_t *saved);
void ctl_caller_end(const ctl_caller_t *saved);

/* ---- output ---- */

/* A complaint ("pypitokenctl: ...") on stderr; returns code. What a sentence repeats moves no
 * cursor: here, in remarks and in ctl_say it goes through table_clean. After apr_initialize. */
int ctl_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A remark on stderr, for people only: nothing with --json. */
void ctl_remark(const ctl_t *ctl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What was done: for people the sentence, on stdout; for programs the row as an object. */
void ctl_say(const ctl_t *ctl, const table_column_t *columns, apr_size_t n,
             const table_cell_t *cells, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* What a store's answer means for the exit code: CTL_DONE, or a complaint. thing: "user 'x'". */
int ctl_answer(store_rc_t rc, const char *thing);

/* ---- who did what ---- */

/* "cli:" and the login name of whoever runs this, in pool. */
const char *ctl_actor(ctl_t *ctl);

/* Appends an event by ctl_actor. CTL_DONE, or CTL_DOWN after a complaint: what was done stays done,
 * but is not on record. token_id and project may be NULL. */
int ctl_record(ctl_t *ctl, const char *kind, const char *token_id, const char *project,
               const char *detail);

/* The user or the project that a person named, or a complaint and its exit code. */
int ctl_find_user(ctl_t *ctl, const char *name, store_user_t *out);
int ctl_find_project(ctl_t *ctl, const char *name, store_project_t *out);

/* The normalised name of the one --project that a list is filtered by (it need not exist any more),
 * or NULL. 0, or -1 after a complaint. */
int ctl_project_filter(ctl_t *ctl, const char **norm);

#endif
