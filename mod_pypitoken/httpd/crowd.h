/*
 * crowd.h - how many uploads are read at the same time, over all children of httpd.
 *
 * An upload holds a worker for as long as its client likes to send, and room on the disk until the
 * back end has it. Who may read what else is here must not wait for that: a part of the workers is
 * never given to uploads. The count is over the whole machine, for a limit per child means nothing
 * under prefork and something else under every ThreadsPerChild.
 */
#ifndef PYPITOKEN_CROWD_H
#define PYPITOKEN_CROWD_H

#include <httpd.h>

/* The most that PyPITokenMaxSpools may ask for. */
#define CROWD_MAX 4096

typedef enum crowd_kind_t {
    CROWD_SPOOL, /* an upload that is read to be judged */
    CROWD_DRAIN, /* a refused one that is read to be thrown away */
    CROWD_KINDS
} crowd_kind_t;

/* A place for this request, given back when its pool goes; 0 when there is none. A request that has
 * a place keeps it whatever it is then used for. A child that was killed keeps none.
 * Spools: PyPITokenMaxSpools of r's Location, default three quarters of MaxRequestWorkers. Drains:
 * half of what that leaves, so that some workers stay for everything else; they have a count of
 * their own, for anybody can have a refusal, but only good tokens are spooled. */
int crowd_enter(request_rec *r, crowd_kind_t kind);

/* How many places are taken at this moment, and how many there are for r's Location. */
int crowd_taken(request_rec *r, crowd_kind_t kind, int *most);

/* Hooks: post_config (the shared memory), child_init. */
void crowd_register(apr_pool_t *p);

#endif
