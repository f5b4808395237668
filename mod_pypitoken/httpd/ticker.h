/*
 * ticker.h - one thread in each child that wakes up every few seconds and does what no request
 * should wait for.
 *
 * Own thread rather than mod_watchdog: that is a module of its own, which need not be loaded, and
 * what is promised about lost last uses must not hang on it. The thread takes no signals (they are
 * for the MPM's), holds nothing while it sleeps, and has ended when the child's pool goes.
 */
#ifndef PYPITOKEN_TICKER_H
#define PYPITOKEN_TICKER_H

#include <apr_pools.h>
#include <apr_time.h>

typedef void ticker_fn(void *baton);

/* In child_init. fn runs in the thread, never twice at once, now and after every interval until
 * pchild is destroyed (before its sub-pools are), and is waited for then. Not APR_SUCCESS: there is
 * no thread. */
apr_status_t ticker_start(apr_pool_t *pchild, apr_interval_time_t interval, ticker_fn *fn,
                          void *baton);

#endif
