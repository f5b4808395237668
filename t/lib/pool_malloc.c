/*
 * pool_malloc.c - pools whose pieces are heap blocks of their own, for those who check memory.
 *
 * A pool hands out pieces of large blocks that go from hand to hand and never back to the heap: a
 * checker sees neither a read past a piece nor one after the pool is gone, and takes a block that
 * one thread left to the next by APR's own atomics for a race. Preloaded into httpd, or linked into
 * a program, this answers apr_palloc and apr_allocator_alloc (which buckets are made of) with
 * malloc. What APR puts into a pool by itself (apr_psprintf, the pool) stays where it was.
 */
#include <apr_allocator.h>
#include <apr_pools.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define POOL_BUCKETS 4096

typedef struct pool_block_t {
    struct pool_block_t *next;
    void *p;
} pool_block_t;

typedef struct pool_owner_t {
    struct pool_owner_t *next;
    apr_pool_t *pool;
    pool_block_t *blocks;
} pool_owner_t;

/* The pools that own something, by address. */
static pool_owner_t *pool_owners[POOL_BUCKETS];
static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;

/* Owners that APR is about to end, in this thread. */
static __thread pool_owner_t *pool_ending;

static void *pool_must(void *p)
{
    if (!p) {
        abort();
    }
    return p;
}

static pool_owner_t **pool_place(apr_pool_t *pool)
{
    pool_owner_t **at = &pool_owners[((uintptr_t)pool >> 4) % POOL_BUCKETS];

    while (*at && (*at)->pool != pool) {
        at = &(*at)->next;
    }
    return at;
}

/* The first cleanup of a pool, so it runs behind all others. The blocks may still be read by APR
 * itself, but the address must be free for the next pool. */
static apr_status_t pool_last(void *pool)
{
    pool_owner_t **at, *owner;

    pthread_mutex_lock(&pool_lock);
    at = pool_place(pool);
    owner = *at;
    if (owner) {
        *at = owner->next;
        owner->next = pool_ending;
        pool_ending = owner;
    }
    pthread_mutex_unlock(&pool_lock);
    return APR_SUCCESS;
}

void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    pool_block_t *block = pool_must(malloc(sizeof(*block)));
    pool_owner_t **at;
    int first;

    block->p = pool_must(malloc(size ? size : 1));
    pthread_mutex_lock(&pool_lock);
    at = pool_place(pool);
    first = !*at;
    if (first) {
        *at = pool_must(calloc(1, sizeof(**at)));
        (*at)->pool = pool;
    }
    block->next = (*at)->blocks;
    (*at)->blocks = block;
    pthread_mutex_unlock(&pool_lock);
    if (first) {
        apr_pool_cleanup_register(pool, pool, pool_last, apr_pool_cleanup_null);
    }
    return block->p;
}

#undef apr_pcalloc
void *apr_pcalloc(apr_pool_t *pool, apr_size_t size)
{
    return memset(apr_palloc(pool, size), 0, size);
}

/* APR's own function, then what it ended. Pools below this one come through here by themselves. */
static void pool_end(const char *name, apr_pool_t *pool)
{
    pool_owner_t *before = pool_ending;
    void (*real)(apr_pool_t *);
    void *found = pool_must(dlsym(RTLD_NEXT, name));

    memcpy(&real, &found, sizeof(real));
    real(pool);
    while (pool_ending != before) {
        pool_owner_t *owner = pool_ending;

        pool_ending = owner->next;
        while (owner->blocks) {
            pool_block_t *block = owner->blocks;

            owner->blocks = block->next;
            free(block->p);
            free(block);
        }
        free(owner);
    }
}

void apr_pool_clear(apr_pool_t *pool)
{
    pool_end("apr_pool_clear", pool);
}

void apr_pool_destroy(apr_pool_t *pool)
{
    pool_end("apr_pool_destroy", pool);
}

apr_memnode_t *apr_allocator_alloc(apr_allocator_t *allocator, apr_size_t size)
{
    apr_memnode_t *node = pool_must(malloc(APR_MEMNODE_T_SIZE + size));

    (void)allocator;
    memset(node, 0, sizeof(*node));
    node->first_avail = (char *)node + APR_MEMNODE_T_SIZE;
    node->endp = node->first_avail + size;
    return node;
}

void apr_allocator_free(apr_allocator_t *allocator, apr_memnode_t *nodes)
{
    apr_memnode_t *node = nodes;

    (void)allocator;
    do {
        nodes = node->next;
        free(node);
        node = nodes;
    } while (node);
}
