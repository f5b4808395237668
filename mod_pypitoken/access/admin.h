/*
 * admin.h - what administrators may do besides what everybody may: see every account, project and
 * token, disable accounts, take a lost second factor off, revoke.
 *
 * Who is one stands in the server's configuration (PyPITokenAdmins), not in the database: whoever
 * can write there alone makes none. Without that directive there are none. Each function here looks
 * at mine->admin itself, and answers NOTFOUND, changing nothing, to anybody else. Every change is
 * an event, and names the administrator. Any thread.
 */
#ifndef PYPITOKEN_ADMIN_H
#define PYPITOKEN_ADMIN_H

#include "access/leak.h"
#include "access/mine.h"

/* 1 when user is one of names (of const char *, as the accounts have them; NULL: none). */
int admin_named(const apr_array_header_t *names, const char *user);

store_rc_t admin_users(const mine_t *mine, store_user_fn *fn, void *baton);
store_rc_t admin_user(const mine_t *mine, slice_t name, store_user_t *user, apr_pool_t *pool);
store_rc_t admin_projects(const mine_t *mine, store_project_fn *fn, void *baton);
store_rc_t admin_token(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool);

/* user NULL, project NULL: everybody's, everything. See store_event_recent. */
store_rc_t admin_events(const mine_t *mine, const char *user, const char *project,
                        const store_cursor_t *before, apr_int64_t limit, store_event_fn *fn,
                        void *baton);

/* A disabled account signs in nowhere and its tokens upload nothing. CONFLICT: it is his own. */
store_rc_t admin_disable(const mine_t *mine, const store_user_t *user, int disabled);

/* The second factor and its recovery codes go, and with them every session. CONFLICT: it is his own
 * (that page asks for the code). NOTFOUND: there was none. */
store_rc_t admin_reset_factor(const mine_t *mine, const store_user_t *user);

/* Ends what the person is signed in to. */
store_rc_t admin_logout(const mine_t *mine, const store_user_t *user);

/* NOTFOUND: no such token; CONFLICT: revoked before. row as it was before. */
store_rc_t admin_revoke(const mine_t *mine, slice_t id, store_token_t *row, apr_pool_t *pool);

/* A token that somebody has found: whose it is, and with revoke != 0 it is revoked. As leak_revoke;
 * STRANGE for who is no administrator. */
leak_t admin_leak(const mine_t *mine, slice_t text, int revoke, store_token_t *row,
                  apr_pool_t *pool);

#endif
