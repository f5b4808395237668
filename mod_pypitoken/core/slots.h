/*
 * slots.h - a number of places that processes take and leave, over a block of memory they share.
 *
 * A place is one word that names its holder: process id and start time. Whoever finds all places
 * taken looks whether the holders still live and takes the place of one that does not, so that a
 * child that was killed keeps nothing. Taking and leaving are one compare-and-swap each. Bytes of
 * zero are free places. Any thread of any process; a process may hold several.
 */
#ifndef PYPITOKEN_SLOTS_H
#define PYPITOKEN_SLOTS_H

#include <apr.h>
#include <stdatomic.h>

typedef struct slots_t {
    _Atomic(apr_uint64_t) *places;
    int n;
} slots_t;

/* A holder: never 0. start: anything that tells two processes with the same id apart. */
apr_uint64_t slots_holder(apr_uint32_t pid, apr_uint32_t start);
apr_uint32_t slots_pid(apr_uint64_t holder);

/* Whether a holder still lives; asked only when there is no free place. */
typedef int slots_alive_fn(apr_uint64_t holder);

/* The number of the place taken, or -1: all n are, by the living. */
int slots_take(const slots_t *s, apr_uint64_t holder, slots_alive_fn *alive);

/* Leaves place; nothing happens when it is not the holder's any more. */
void slots_leave(const slots_t *s, int place, apr_uint64_t holder);

/* How many are taken, for tests and status. */
int slots_taken(const slots_t *s);

#endif
