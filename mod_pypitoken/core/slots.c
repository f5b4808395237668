/* slots.c - places with a name on each; see slots.h. */
#include "core/slots.h"

apr_uint64_t slots_holder(apr_uint32_t pid, apr_uint32_t start)
{
    return (apr_uint64_t)pid << 32 | start;
}

apr_uint32_t slots_pid(apr_uint64_t holder)
{
    return (apr_uint32_t)(holder >> 32);
}

int slots_take(const slots_t *s, apr_uint64_t holder, slots_alive_fn *alive)
{
    apr_uint64_t seen;
    int i;

    for (i = 0; i < s->n; i++) {
        seen = 0;
        if (atomic_compare_exchange_strong(&s->places[i], &seen, holder)) {
            return i;
        }
    }
    for (i = 0; i < s->n; i++) {
        seen = atomic_load(&s->places[i]);
        if ((seen == 0 || !alive(seen)) &&
            atomic_compare_exchange_strong(&s->places[i], &seen, holder)) {
            return i;
        }
    }
    return -1;
}

void slots_leave(const slots_t *s, int place, apr_uint64_t holder)
{
    if (place >= 0 && place < s->n) {
        (void)atomic_compare_exchange_strong(&s->places[place], &holder, 0);
    }
}

int slots_taken(const slots_t *s)
{
    int i, taken = 0;

    for (i = 0; i < s->n; i++) {
        taken += atomic_load(&s->places[i]) != 0;
    }
    return taken;
}
