/* linger.c - marks for accepted secrets; see linger.h. */
#include "access/linger.h"

#include <string.h>

#define LINGER_AGENT 400

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

static apr_uint64_t linger_key(const shared_t *s, const login_linger_t *what)
{
    unsigned char network[SHARED_NETWORK];
    char agent[LINGER_AGENT];
    slice_t parts[] = {what->user, what->secret, linger_class(agent, what->agent),
                       slice_make((const char *)&what->epoch, sizeof(what->epoch)),
                       shared_network(network, what->address)};

    return shared_key(s, SHARED_LINGER, 0, parts, sizeof(parts) / sizeof(*parts));
}

void linger_keep(const shared_t *s, const login_linger_t *what, apr_uint32_t seconds,
                 apr_uint32_t now)
{
    if (seconds) {
        seconds = seconds < LINGER_MAX ? seconds : LINGER_MAX;
        tally_mark(&s->tables[SHARED_LINGER], linger_key(s, what), now + seconds * TALLY_HZ, now);
    }
}

int linger_find(const shared_t *s, const login_linger_t *what, apr_uint32_t now)
{
    return tally_left(&s->tables[SHARED_LINGER], linger_key(s, what), now) > 0;
}
