/*
 * leak.h - a token was found where it should not be: is it ours, and then it is revoked.
 *
 * Only whoever holds a token whose signature is right can have it revoked; to know its id (which
 * stands in logs) is not enough. A token that was derived from another takes that one, and all that
 * came of it, with it: what is revoked is the row. Any thread.
 */
#ifndef PYPITOKEN_LEAK_H
#define PYPITOKEN_LEAK_H

#include "core/token.h"
#include "store/store.h"

typedef enum leak_t {
    LEAK_STRANGE, /* no token, or none of ours, or its signature does not hold */
    LEAK_REVOKED, /* now */
    LEAK_BEFORE,  /* it was revoked before */
    LEAK_DOWN     /* the store did not answer: try again */
} leak_t;

/* by: who revokes, for the row ("cli:root", "leak"); detail: where it was found, for the event, or
 * NULL; address of who told, or NULL. row is filled but for LEAK_STRANGE and LEAK_DOWN; NULL if it
 * does not matter. */
leak_t leak_revoke(store_t *store, slice_t text, const char *by, const char *detail,
                   const char *address, store_token_t *row, apr_pool_t *pool);

/* The same without revoking: LEAK_REVOKED means here that it could be. */
leak_t leak_look(store_t *store, slice_t text, store_token_t *row, apr_pool_t *pool);

#endif
