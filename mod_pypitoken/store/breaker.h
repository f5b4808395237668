/*
 * breaker.h - keeps callers away from something that has failed repeatedly, and lets one of them
 * try it now and then. Pure: the caller brings the lock, and the time, by a clock that
 * nobody sets.
 *
 * closed -- BREAKER_FAILURES in a row --> open -- after pause, one caller --> trying
 *   ^----------------------------- it succeeded ------------------------------'  |
 *                                  open for another pause <--- it failed --------'
 */
#ifndef PYPITOKEN_BREAKER_H
#define PYPITOKEN_BREAKER_H

#include <apr_time.h>

#define BREAKER_FAILURES 3

typedef enum breaker_state_t { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_TRYING } breaker_state_t;

typedef struct breaker_t {
    apr_interval_time_t pause; /* 0: never opens */
    breaker_state_t state;
    int failures; /* in a row */
    apr_time_t until;
} breaker_t;

void breaker_init(breaker_t *b, apr_interval_time_t pause);

/* 1 when the caller may go on, and then it tells of the outcome (good, bad or neither). One that
 * tries and does not tell within a pause is not waited for. */
int breaker_enter(breaker_t *b, apr_time_t now);

void breaker_good(breaker_t *b);
void breaker_bad(breaker_t *b, apr_time_t now);
/* It was not tried after all: another caller may at once. */
void breaker_neither(breaker_t *b, apr_time_t now);

#endif
