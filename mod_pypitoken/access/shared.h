/*
 * shared.h - what all children of one server share: a block of memory, and what stands where in it.
 *
 * The block is plain data and atomic words: no pointer, no lock. httpd/shm.c makes one when the
 * server first starts and keeps it through graceful and hard restarts, so children of two
 * generations, and of two configurations, use it at the same time. Another layout (SHARED_LAYOUT,
 * or another size) is never read: then a new block is made.
 *
 * Everything in there is keyed by a BLAKE2b MAC under a secret that is drawn when the block is made
 * and is on no disk: names, addresses, passwords and codes cannot be read out of it, and nobody
 * outside can choose where their entries fall.
 *
 * Several machines: each has its own block. Figures hold for each of them, a code that lingers on
 * one is a spent code on the others (send a person to the same machine each time), a session signed
 * out here (not everywhere) is signed out on this machine.
 *
 * Any thread of any process.
 */
#ifndef PYPITOKEN_SHARED_H
#define PYPITOKEN_SHARED_H

#include "core/seam.h"
#include "core/slice.h"
#include "core/slots.h"
#include "core/tally.h"

/* Raise it with every change of what stands where, or of what a key is made of. */
#define SHARED_LAYOUT 1

/* The most that PyPITokenHashes may ask for. */
#define SHARED_HASHES_MAX 64
#define SHARED_QUEUE_MAX  256

/* One table for each use, so that none can crowd out another. */
typedef enum shared_table_t {
    SHARED_LOGIN,  /* failed logins: by account, address, place */
    SHARED_WHOLE,  /* the buckets that there is one of */
    SHARED_TOKEN,  /* bad tokens: by token, address */
    SHARED_KNOWN,  /* where somebody logged in before */
    SHARED_PROVEN, /* tokens that were seen to be good */
    SHARED_LINGER, /* secrets that were accepted a moment ago */
    SHARED_ENDED,  /* sessions that were signed out */
    SHARED_TABLES
} shared_table_t;

struct shared_block_t;

/* This process' view. Constant once mapped. */
typedef struct shared_t {
    struct shared_block_t *block;
    tally_t tables[SHARED_TABLES];
    slots_t hashes, queue;
} shared_t;

/* Bytes of a block; it must be aligned as malloc and mmap do. */
apr_size_t shared_size(void);

/* Makes a new block in memory. 0, or -1: no random bytes. */
int shared_make(void *memory, const seam_t *seam, apr_int64_t monotonic_ms);

/* The view of a block that shared_make made. hashes and queue: how many places of each are used, up
 * to the most. 0, or -1: not this layout. */
int shared_map(shared_t *out, void *memory, apr_size_t size, int hashes, int queue);

/* The tick of that moment, for tally.h. */
apr_uint32_t shared_tick(const shared_t *s, apr_int64_t monotonic_ms);

/* The key of the n parts in one table; what tells apart keys of the same parts. Each part counts
 * with its length. */
apr_uint64_t shared_key(const shared_t *s, shared_table_t table, int what, const slice_t *parts,
                        apr_size_t n);

/* The network of an address, written into buffer: an IPv4 address, mapped into IPv6 or not, is
 * itself; of an IPv6 address the first 64 bits, as one customer has them all; anything else (a
 * socket's path, NULL) is one network. */
#define SHARED_NETWORK 9
slice_t shared_network(unsigned char buffer[SHARED_NETWORK], const char *address);

#endif
