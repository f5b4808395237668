/* breaker.c - see breaker.h. */
#include "store/breaker.h"

void breaker_init(breaker_t *b, apr_interval_time_t pause)
{
    b->pause = pause;
    b->state = BREAKER_CLOSED;
    b->failures = 0;
    b->until = 0;
}

int breaker_enter(breaker_t *b, apr_time_t now)
{
    if (b->state != BREAKER_CLOSED && now >= b->until) {
        b->state = BREAKER_TRYING;
        b->until = now + b->pause;
        return 1;
    }
    return b->state == BREAKER_CLOSED;
}

void breaker_good(breaker_t *b)
{
    b->state = BREAKER_CLOSED;
    b->failures = 0;
}

/* Those that entered before it opened may still report: they put it off, and nothing else. */
void breaker_bad(breaker_t *b, apr_time_t now)
{
    b->failures += b->failures < BREAKER_FAILURES;
    if (b->pause && b->failures == BREAKER_FAILURES) {
        b->state = BREAKER_OPEN;
        b->until = now + b->pause;
    }
}

void breaker_neither(breaker_t *b, apr_time_t now)
{
    if (b->state == BREAKER_TRYING) {
        b->state = BREAKER_OPEN;
        b->until = now;
    }
}
