/*
 * policy.h - what a site allows of new tokens (PyPITokenPolicy; "policy =" of pypitokenctl).
 *
 * A text file, one setting a line, '#' begins a comment line:
 *
 *   longest-life = 365d     a token must end, and not later than this from now on
 *   default-life = 90d      the life of tokens for which no end was asked
 *   unrestricted = no       no token for everything that its owner may upload to
 *
 * unrestricted asks that somebody names what a token is for, and takes the word of who does: of
 * patterns only "*" is none, and several that match all names between them are not found out.
 * Each also with "owner." or "maintainer." before it, for tokens of certain projects by the role of
 * their owner on them (the lesser one, if there are several): it then counts instead of the general
 * setting. A policy is for tokens that are made here; it takes nothing from those that are there.
 */
#ifndef PYPITOKEN_POLICY_H
#define PYPITOKEN_POLICY_H

#include "store/store.h"

typedef struct policy_t policy_t;

/* NULL and *out (in pool), or a sentence that names the file, the line and the remedy. */
const char *policy_read(policy_t **out, const char *path, apr_pool_t *pool);

/* Holds a token against the policy, which may be NULL (everything goes). role: the least on its
 * projects, NONE when it names none. restricted: it is not good for everything. *expires: 0 for no
 * end; set when none was asked and the policy has a default. NULL, or a sentence. Any thread. */
const char *policy_apply(const policy_t *policy, store_role_t role, int restricted, apr_int64_t now,
                         apr_int64_t *expires, apr_pool_t *pool);

/* What holds for tokens of that role (NONE: in general), for telling people before they ask:
 * seconds or -1 for no limit, unrestricted 0 when they must name projects. policy may be NULL. */
typedef struct policy_limits_t {
    apr_int64_t longest, standard;
    int unrestricted;
} policy_limits_t;
policy_limits_t policy_limits(const policy_t *policy, store_role_t role);

#endif
