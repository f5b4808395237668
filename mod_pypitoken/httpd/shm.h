/*
 * shm.h - the shared block (access/shared.h) under httpd: one for all children and generations.
 *
 * It is made in the parent when the first configuration is complete, in the pool of the process,
 * and remembered in httpd's retained data: graceful and hard restarts find it again, stop and start
 * does not. Retained is an address and a size, nothing of this module's code or constants. A module
 * of another layout makes its own; the old one stays for the children that still use it, and goes
 * with the parent.
 */
#ifndef PYPITOKEN_SHM_H
#define PYPITOKEN_SHM_H

#include <httpd.h>

#include "access/shared.h"

typedef struct shm_t {
    shared_t view;
    apr_uint64_t self; /* this process among the holders of slots.h; set in each child */
} shm_t;

/* The block of this server's configuration. NULL where no store is configured (then nobody logs in)
 * and in "httpd -t". Any thread of a child. */
const shm_t *shm_of(server_rec *s);

/* Now, as the block counts. */
apr_uint32_t shm_now(const shm_t *m);

/* This process as a holder of slots, and whether the one that holds a slot still lives; for
 * slots_take. With or without a block. */
apr_uint64_t shm_self(void);
int shm_alive(apr_uint64_t holder);

/* Hooks: post_config, child_init. */
void shm_register(apr_pool_t *p);

#endif
