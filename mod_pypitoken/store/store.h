/*
 * store.h - what is remembered: users, projects, roles, tokens, events.
 *
 * One API over the SQL layer (db.h), the same for every engine. A store_t is opened in the process
 * that uses it (never carried across a fork) and may be used by any number of threads: every call
 * borrows a connection for its own duration only.
 *
 * Results are copied into the caller's pool. Times are Unix seconds. Ids are lower-case UUID text.
 * Every call returns a store_rc_t; anything but STORE_OK leaves nothing half-written. The reason of
 * a STORE_DOWN is not kept: it was given to the log callback (store_config_t.log).
 */
#ifndef PYPITOKEN_STORE_H
#define PYPITOKEN_STORE_H

#include "core/macaroon.h"
#include "core/seam.h"
#include "core/slice.h"

#include <apr_time.h>

typedef struct store_t store_t;

typedef enum store_rc_t {
    STORE_OK,
    STORE_NOTFOUND,
    STORE_CONFLICT, /* a unique name is taken, or the row is in use */
    STORE_SEALED,   /* the row is there, but the keyring does not open its secret */
    STORE_DOWN      /* unreachable, busy too long, broken, wrong schema */
} store_rc_t;

struct store_event_t;
/* What became of one use of the database. */
typedef enum store_went_t {
    STORE_WENT_WELL,
    STORE_WENT_WRONG,
    STORE_WENT_NOT /* not tried: it failed a moment ago */
} store_went_t;

typedef struct store_config_t {
    const char *url;                   /* sqlite:/path/file.db or mysql://user@host/database */
    const char *secret;                /* file with the database password, or NULL */
    const struct store_place_t *place; /* read before and used instead of both, or NULL */
    const char *keyring;          /* file, or NULL: then nothing sealed can be read or written */
    const struct keyring_t *keys; /* opened before and used instead of the file, or NULL */
    int serve; /* a front end: what can wait is gathered in memory, for store_tick() to write */
    const seam_t *seam;
    void (*log)(void *baton, const char *line); /* what the operator should know; may be NULL */
    /* Each event that was written for itself, once it was; not what was gathered. Besides those a
     * use of a token that is its first, or its first from that address: kind STORE_NEW_ADDRESS,
     * which is in no trail. Must return soon; any thread. May be NULL. */
    void (*told)(void *baton, const struct store_event_t *event);
    /* Told of each use and how long it took, waiting included; from any thread. May be NULL. */
    void (*meter)(void *baton, store_went_t went, apr_interval_time_t took);
    void *baton;
} store_config_t;

#define STORE_NEW_ADDRESS "token-new-address"

/* The URL and the secret of a configuration, the secret in guarded memory: for servers, which read
 * them while they are root. Children inherit it. NULL or a sentence. Lives in pool. */
typedef struct store_place_t store_place_t;
const char *store_place_read(store_place_t **out, const store_config_t *config, apr_pool_t *pool);

/* Opens: checks the URL, the keyring and the schema version. NULL, or a sentence that names the
 * file and the remedy. Closed with the pool. */
const char *store_open(store_t **out, const store_config_t *config, apr_pool_t *pool);

/* As store_open, but leaves connecting, and with it the check of the schema, to those who use it:
 * for servers, which must start also when the database is away. */
const char *store_open_later(store_t **out, const store_config_t *config, apr_pool_t *pool);

/* Connects. STORE_OK, or *why is a sentence: STORE_DOWN when it may do later without anybody's
 * help, STORE_CONFLICT when somebody must mend something (credentials, schema). */
store_rc_t store_try(store_t *s, const char **why, apr_pool_t *pool);

/* As store_open, but does not check the schema (for init, schema and doctor); create != 0 makes the
 * SQLite file if it is not there. */
const char *store_open_any(store_t **out, const store_config_t *config, int create,
                           apr_pool_t *pool);

/* The schema of a database and that of this program. It works with its own, and with a newer one
 * whose steps since have all left it that (compatible <= want). */
typedef struct store_schema_t {
    int have;       /* 0: the database is empty */
    int compatible; /* the oldest program that may work with it */
    int want;
} store_schema_t;

store_rc_t store_schema(store_t *s, store_schema_t *out);

/* NULL when this program may work with the database, else why not and what to do, as the end of a
 * sentence "the store ... " */
const char *store_schema_fits(const store_schema_t *schema, apr_pool_t *pool);

/* Brings the schema up to date, one numbered step after the other; of several processes one does
 * it. NULL or a sentence. */
const char *store_migrate(store_t *s, apr_pool_t *pool);

/* What a front end calls every few seconds, outside any request's way and never in two threads at
 * once: store_flush(), being on the list of front ends, and moving SQLite's log into the database
 * file when it has grown. Closing the store flushes as well. Failures are logged; what could not be
 * written waits for the next. */
void store_tick(store_t *s);

/* Statements that this process has run on the database so far, housekeeping included: for tests of
 * what a page costs. Any thread. */
apr_uint64_t store_statements(const store_t *s);

/* Writes what was gathered, in one transaction. */
store_rc_t store_flush(store_t *s);

/* ---- users ---- */
typedef struct store_user_t {
    const char *id, *name;
    int disabled;
    int has_password;
    apr_int64_t created;
    int second_factor;  /* one is in force */
    int recovery_codes; /* that were not burnt */
} store_user_t;

/* The row callback of all lists: return 0 to go on, anything else to stop. row lives for the call.
 */
typedef int store_user_fn(void *baton, const store_user_t *row);

store_rc_t store_user_add(store_t *s, const char *name, const char *hash, store_user_t *out,
                          apr_pool_t *pool); /* hash NULL: no password; CONFLICT too for a name
                                                that differs from another's by case alone (of two
                                                at nodes of a Galera cluster both may be added) */
store_rc_t store_user_find(store_t *s, slice_t name, store_user_t *out, apr_pool_t *pool);
store_rc_t store_user_list(store_t *s, store_user_fn *fn, void *baton);
store_rc_t store_user_set_hash(store_t *s, const char *id, const char *hash);
store_rc_t store_user_set_disabled(store_t *s, const char *id, int disabled);
store_rc_t store_user_remove(store_t *s,
                             const char *id); /* CONFLICT: owns projects or tokens live */

/* ---- projects and roles ---- */
typedef enum store_role_t {
    STORE_ROLE_NONE = 0,
    STORE_ROLE_MAINTAINER = 1,
    STORE_ROLE_OWNER = 2
} store_role_t;

typedef struct store_project_t {
    const char *id, *name, *norm; /* name as first written, norm per PEP 503 (unique) */
    apr_int64_t created;
    int confirmed; /* 0 while its first upload is still under way */
} store_project_t;

typedef int store_project_fn(void *baton, const store_project_t *row);

/* owner: user id or NULL. CONFLICT: a project of that normalised name is there. */
store_rc_t store_project_add(store_t *s, const char *name, const char *norm, const char *owner,
                             int confirmed, store_project_t *out, apr_pool_t *pool);
store_rc_t store_project_find(store_t *s, const char *norm, store_project_t *out, apr_pool_t *pool);
/* The project and the user's role on it in one read; NOTFOUND when there is no such project. */
store_rc_t store_project_role(store_t *s, const char *norm, const char *user_id,
                              store_project_t *out, store_role_t *role, apr_pool_t *pool);
store_rc_t store_project_list(store_t *s, const char *owner, store_project_fn *fn, void *baton);
/* Those that an upload has confirmed and on which the user has a role. */
typedef int store_project_role_fn(void *baton, const store_project_t *row, store_role_t role);
store_rc_t store_project_of(store_t *s, const char *user_id, store_project_role_fn *fn,
                            void *baton);
store_rc_t store_project_remove(store_t *s, const char *id);
/* The first upload arrived / did not: keeps, or forgets, a project that is not confirmed. Nothing
 * is forgotten while the trail tells of another upload to it that was accepted and of which it is
 * not known ("upload-failed" with a status of 4xx) that it was refused: then NOTFOUND. recorded: 1
 * when the event of the upload that did not arrive stands in the trail as well. */
store_rc_t store_project_confirm(store_t *s, const char *id);
store_rc_t store_project_abandon(store_t *s, const char *id, int recorded);

typedef int store_role_fn(void *baton, const char *user_name, store_role_t role);
store_rc_t store_role_set(store_t *s, const char *project_id, const char *user_id,
                          store_role_t role);
store_rc_t store_role_remove(store_t *s, const char *project_id, const char *user_id);
/* Sets a role, or removes it (NONE), but never the last owner's: CONFLICT. NOTFOUND: there was none
 * to remove. */
store_rc_t store_role_change(store_t *s, const char *project_id, const char *user_id,
                             store_role_t role);
store_rc_t store_role_list(store_t *s, const char *project_id, store_role_fn *fn, void *baton);

/* ---- tokens ---- */
/* The scope of a token that is good for every project of its owner; no project can have this name.
 */
#define STORE_SCOPE_ALL "*"

typedef struct store_token_t {
    const char *id, *user_id, *user_name, *name;
    int user_disabled;
    slice_t *caveats; /* stored caveats, enforced besides the embedded ones */
    apr_size_t n_caveats;
    const char *scope;            /* STORE_SCOPE_ALL, or normalised names, space-separated */
    apr_int64_t created, expires; /* expires 0: never */
    apr_int64_t revoked;          /* 0: not */
    const char *revoked_by;       /* NULL: not */
    apr_int64_t used;             /* 0: never */
    const char *used_address, *used_agent, *used_file; /* NULL: never */
} store_token_t;

typedef int store_token_fn(void *baton, const store_token_t *row);

/* Inserts; created is set by the store. key is sealed and bound to id, user_id, created, expires
 * and caveats: a row in which one of them was edited is STORE_SEALED ever after. SEALED also
 * without a keyring, CONFLICT for an id that is taken or a user that is not there. */
store_rc_t store_token_add(store_t *s, const store_token_t *token,
                           const unsigned char key[MACAROON_KEY_BYTES], apr_pool_t *pool);

/* The row of an identifier, with its root key unsealed into key (the caller wipes it). key may be
 * NULL: then the secret is left alone. NOTFOUND, SEALED (key wiped), DOWN. */
store_rc_t store_token_find(store_t *s, slice_t id, store_token_t *out,
                            unsigned char key[MACAROON_KEY_BYTES], apr_pool_t *pool);
/* user (name) and project (normalised) filter when not NULL; newest first. */
store_rc_t store_token_list(store_t *s, const char *user, const char *project, store_token_fn *fn,
                            void *baton);
/* Tokens, not revoked, of people with a role on the project: those for everything and those that
 * name it; by owner, newest first. */
store_rc_t store_token_reaching(store_t *s, const store_project_t *project, store_token_fn *fn,
                                void *baton);
#define STORE_CAVEATS_MAX 64 /* of one row */

/* Adds caveats to those of the row: the token and all that were derived from it are narrower from
 * the next request on. CONFLICT: somebody else changed the row at the same time, or too many
 * caveats. */
store_rc_t store_token_narrow(store_t *s, slice_t id, const slice_t *caveats, apr_size_t n,
                              apr_pool_t *pool);
/* The token of a row that was read ends at that time (> 0), if it does not end earlier by itself.
 * CONFLICT: it has another end or more caveats since, or was revoked. */
store_rc_t store_token_end(store_t *s, const store_token_t *seen, apr_int64_t at, apr_pool_t *pool);
/* NOTFOUND also when it was revoked before. */
store_rc_t store_token_revoke(store_t *s, slice_t id, const char *by);

/* ---- tokens that are good for so many uploads only ---- */
typedef struct store_count_t {
    const char *id;    /* of the counter: at most 36 characters */
    apr_int64_t limit; /* > 0 */
} store_count_t;

/* Takes one use from each counter, or from none. CONFLICT: one has none left, *spent is its place.
 * A use that was taken stays taken, also when this process dies, until it is given back. */
store_rc_t store_uses_take(store_t *s, const char *token_id, const store_count_t *counts,
                           apr_size_t n, apr_size_t *spent);
store_rc_t store_uses_give(store_t *s, const store_count_t *counts, apr_size_t n);

/* ---- events: append-only ---- */
typedef struct store_event_t {
    apr_int64_t id, at;
    /* "upload" (accepted and handed to the back end), "upload-failed" (after that: the back end
     * answered something else than 2xx; detail is its status), "upload-refused", "token-created",
     * "token-revoked", ... */
    const char *kind;
    const char *user; /* name, NULL if unknown; so for all below */
    const char *token_id;
    const char *project; /* normalised */
    const char *file;
    const char *address, *agent;
    const char *verdict; /* word */
    const char *detail;
    apr_int64_t times; /* how many alike this one stands for; 0 is 1 */
} store_event_t;

typedef int store_event_fn(void *baton, const store_event_t *row);

/* At once. at 0 is now, here and below. Bytes that are not UTF-8 become '?', longer texts are cut:
 * no event is lost for its content. */
store_rc_t store_event_add(store_t *s, const store_event_t *event);

/* A decision, by a verdict's word: written at once or gathered, see trail.h for which. Not OK only
 * for what was allowed and could not be written. Without store_config_t.serve always at once. */
store_rc_t store_note(store_t *s, const store_event_t *event);

/* since: at >= since; after: id > after (for following); oldest first. user, project may be NULL.
 */
store_rc_t store_event_list(store_t *s, const char *user, const char *project, apr_int64_t since,
                            apr_int64_t after, store_event_fn *fn, void *baton);

/* Where a list that runs backwards in time goes on: after this event. */
typedef struct store_cursor_t {
    apr_int64_t at, id;
} store_cursor_t;

/* As "AT-ID", for addresses and answers; in pool. Read: 0, or -1 for text that is none. */
const char *store_cursor_text(const store_cursor_t *cursor, apr_pool_t *pool);
int store_cursor_read(store_cursor_t *out, slice_t text, apr_pool_t *pool);

/* At most limit events, the last first, from before on (NULL: now). Of a user, of a project, of
 * both or, with NULL and NULL, all. uploads != 0: of a project, "upload" and "upload-failed" alone.
 */
store_rc_t store_event_recent(store_t *s, const char *user, const char *project, int uploads,
                              const store_cursor_t *before, apr_int64_t limit, store_event_fn *fn,
                              void *baton);

/* Removes events of before a time, in one transaction, the oldest first: n, or somewhat more where
 * many are of the same second. *removed 0: there are none any more. */
store_rc_t store_event_prune(store_t *s, apr_int64_t before, apr_int64_t n, apr_int64_t *removed);

/* An accepted upload: its event is written when this returns OK, in a transaction that does not
 * wait for the disk. token: the row as of this upload, or NULL. The first use of a token, and one
 * from another address than the row has, stand in the row then too; other uses follow with the next
 * store_flush(). event->token_id NULL: no token involved. An older use does not replace a later
 * one. */
store_rc_t store_use(store_t *s, const store_event_t *event, const store_token_t *token);

/* ---- front ends: the processes that serve from this database ---- */

/* One that was not seen for so many seconds has died. (They tell every minute.) */
#define STORE_FRONT_ALIVE 180

typedef struct store_front_t {
    const char *host;
    apr_int64_t pid;
    const char *key_ids; /* of its keyring, with spaces between, the sealing one first */
    apr_int64_t schema;  /* the one that it needs */
    apr_int64_t seen;
} store_front_t;

/* Those that live, by host and pid. */
typedef int store_front_fn(void *baton, const store_front_t *row);
store_rc_t store_front_list(store_t *s, store_front_fn *fn, void *baton);

/* 1 when its keyring has the key; seals != 0: when it seals with it. */
int store_front_knows(const store_front_t *front, const char *key_id, int seals);

/* ---- sealed secrets, and the keys that they are sealed with ---- */

/* Rows of a table by the key that sealed them. Reads them all. */
typedef void store_seal_fn(void *baton, const char *table, const char *key_id, apr_int64_t rows);
store_rc_t store_seal_count(store_t *s, store_seal_fn *fn, void *baton);

/* Seals anew what another key than the current one has sealed, a few rows at a time with a pause
 * after each transaction, beside those who use them. Can be cut off anywhere and begun again.
 * unopened: rows that no key of the keyring opens, left as they are. On the disk when it returns.
 */
typedef struct store_reseal_t {
    apr_int64_t resealed, unopened;
} store_reseal_t;
store_rc_t store_reseal(store_t *s, apr_interval_time_t pause, store_reseal_t *out);

#endif
