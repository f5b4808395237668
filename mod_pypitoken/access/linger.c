/* linger.c - marks for accepted secrets; see linger.h. */
#include "access/linger.h"

#include <string.h>

#define LINGER_AGENT 400
#define LINGER_STALE ((apr_uint32_t)3600 * TALLY_HZ)

/* The two marks of one secret. */
typedef enum linger_mark_t { LINGER_GOOD, LINGER_WAS_GOOD } linger_mark_t;

/* The agent without figures and the dots between them, cut to a bound. */
static slice_t linger_class(char out[LINGER_AGENT], const char *agent)
{
    apr_size_t n = 0;

    for (; agent && *agent && n < LINGER_AGENT; agent++) {
        if ((*agent < '0' || *agent > '9') && *agent != '.') {
            out[n++] = *agent;
        }
    }
    return slice_make(out, n);
}

static apr_uint64_t linger_key(const shared_t *s, const login_linger_t *what, linger_mark_t mark)
{
    unsigned char network[SHARED_NETWORK];
    char agent[LINGER_AGENT];
    slice_t parts[] = {what->user, what->secret, linger_class(agent, what->agent),
                       slice_make((const char *)&what->epoch, sizeof(what->epoch)),
                       shared_network(network, what->address)};

    return shared_key(s, SHARED_LINGER, mark, parts, sizeof(parts) / sizeof(*parts));
}

void linger_keep(const shared_t *s, const login_linger_t *what, apr_uint32_t seconds,
                 apr_uint32_t now)
{
    const tally_t *t = &s->tables[SHARED_LINGER];
    apr_uint32_t end;

    if (seconds) {
        end = now + (seconds < LINGER_MAX ? seconds : LINGER_MAX) * TALLY_HZ;
        tally_mark(t, linger_key(s, what, LINGER_GOOD), end, now);
        tally_mark(t, linger_key(s, what, LINGER_WAS_GOOD), end + LINGER_STALE, now);
    }
}

int linger_find(const shared_t *s, const login_linger_t *what, apr_uint32_t now)
{
    const tally_t *t = &s->tables[SHARED_LINGER];

    return tally_left(t, linger_key(s, what, LINGER_GOOD), now)       ? 1
           : tally_left(t, linger_key(s, what, LINGER_WAS_GOOD), now) ? -1
                                                                      : 0;
}
