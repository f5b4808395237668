/* shared.c - the layout of the shared block; see shared.h. */
#include "access/shared.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdalign.h>
#include <string.h>

#define SHARED_MAGIC  "PyTkShm"
#define SHARED_SECRET crypto_generichash_KEYBYTES

/* In sets of TALLY_WAYS words, powers of two: 816 KiB in all. Strangers' failed logins are bounded
 * by the limit on all of them (1000 in 5 minutes: below 7000 live words), the other tables by how
 * many people and tokens there are. */
static const apr_uint32_t shared_sets[SHARED_TABLES] = {
    [SHARED_LOGIN] = 4096,  [SHARED_WHOLE] = 1,     [SHARED_TOKEN] = 2048, [SHARED_KNOWN] = 2048,
    [SHARED_PROVEN] = 2048, [SHARED_LINGER] = 1024, [SHARED_ENDED] = 1024,
};

struct shared_block_t {
    char magic[8];
    apr_uint32_t layout;
    apr_uint32_t hash_places;
    apr_uint64_t size;
    apr_int64_t made; /* monotonic milliseconds */
    unsigned char secret[SHARED_SECRET];
    alignas(64) _Atomic(apr_uint64_t) hashes[SHARED_HASHES_MAX];
    _Atomic(apr_uint64_t) queue[SHARED_QUEUE_MAX];
    alignas(64) _Atomic(apr_uint64_t) words[];
};

apr_size_t shared_size(void)
{
    apr_size_t size = sizeof(struct shared_block_t);
    int i;

    for (i = 0; i < SHARED_TABLES; i++) {
        size += tally_size(shared_sets[i]);
    }
    return size;
}

int shared_make(void *memory, const seam_t *seam, apr_int64_t monotonic_ms)
{
    struct shared_block_t *b = memory;

    memset(memory, 0, shared_size());
    if (seam->random(b->secret, sizeof(b->secret))) {
        return -1;
    }
    b->layout = SHARED_LAYOUT;
    b->size = shared_size();
    b->made = monotonic_ms;
    memcpy(b->magic, SHARED_MAGIC, sizeof(b->magic));
    return 0;
}

static int shared_bound(int n, int most)
{
    return n < 1 ? 1 : n < most ? n : most;
}

int shared_map(shared_t *out, void *memory, apr_size_t size, int hashes, int queue)
{
    struct shared_block_t *b = memory;
    char *at = (char *)memory + sizeof(*b);
    int i;

    if (size != shared_size() || memcmp(b->magic, SHARED_MAGIC, sizeof(b->magic)) != 0 ||
        b->layout != SHARED_LAYOUT || b->size != size) {
        return -1;
    }
    out->block = b;
    for (i = 0; i < SHARED_TABLES; i++) {
        tally_map(&out->tables[i], at, shared_sets[i]);
        at += tally_size(shared_sets[i]);
    }
    out->hashes = (slots_t){b->hashes, shared_bound(hashes, SHARED_HASHES_MAX)};
    out->queue = (slots_t){b->queue, queue ? shared_bound(queue, SHARED_QUEUE_MAX) : 0};
    return 0;
}

apr_uint32_t shared_tick(const shared_t *s, apr_int64_t monotonic_ms)
{
    return (apr_uint32_t)((monotonic_ms - s->block->made) * TALLY_HZ / 1000);
}

apr_uint64_t shared_key(const shared_t *s, shared_table_t table, int what, const slice_t *parts,
                        apr_size_t n)
{
    apr_uint32_t head[2] = {(apr_uint32_t)table, (apr_uint32_t)what};
    unsigned char mac[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    apr_uint64_t key;
    apr_size_t i;

    crypto_generichash_init(&state, s->block->secret, SHARED_SECRET, sizeof(mac));
    crypto_generichash_update(&state, (const unsigned char *)head, sizeof(head));
    for (i = 0; i < n; i++) {
        apr_uint64_t length = parts[i].n;

        crypto_generichash_update(&state, (const unsigned char *)&length, sizeof(length));
        if (length) {
            crypto_generichash_update(&state, (const unsigned char *)parts[i].p, length);
        }
    }
    crypto_generichash_final(&state, mac, sizeof(mac));
    memcpy(&key, mac, sizeof(key));
    sodium_memzero(&state, sizeof(state)); /* a password went through it */
    return key;
}

slice_t shared_network(unsigned char buffer[SHARED_NETWORK], const char *address)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    unsigned char six[16];

    memset(buffer, 0, SHARED_NETWORK);
    if (address && inet_pton(AF_INET, address, buffer + 1) == 1) {
        buffer[0] = 4;
    } else if (address && inet_pton(AF_INET6, address, six) == 1) {
        int four = memcmp(six, mapped, sizeof(mapped)) == 0;

        buffer[0] = four ? 4 : 6;
        memcpy(buffer + 1, four ? six + 12 : six, four ? 4 : 8);
    }
    return slice_make((const char *)buffer, SHARED_NETWORK);
}
