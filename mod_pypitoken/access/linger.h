/*
 * linger.h - what was accepted a moment ago, in the shared block (PyPITokenLinger).
 *
 * A browser repeats Basic credentials with every request, and ten uploads take longer than a code
 * lives: the same typed secret, of the same account and epoch, from the same network and class of
 * agent, is good for a while after it was accepted once. The while begins then and is not extended
 * by use. Only a MAC of all this is kept. A new password, another second factor and "pypitokenctl
 * user logout" change the epoch, and nothing kept before is found again. From elsewhere it is a
 * spent code.
 *
 * When the while is over, a browser still repeats what it has, with every request that it makes.
 * For an hour that is known as stale, so that it is told to ask for a new code without a charge
 * that would lock its owner out.
 *
 * The class of an agent is its User-Agent without figures: an update of the browser in the
 * background is no new agent.
 * Any thread of any process.
 */
#ifndef PYPITOKEN_LINGER_H
#define PYPITOKEN_LINGER_H

#include "access/login.h"
#include "access/shared.h"

/* The longest that PyPITokenLinger may ask for, in seconds. */
#define LINGER_MAX 86400

void linger_keep(const shared_t *s, const login_linger_t *what, apr_uint32_t seconds,
                 apr_uint32_t now);

/* 1: still good; -1: it was, within the last hour; 0: not known. */
int linger_find(const shared_t *s, const login_linger_t *what, apr_uint32_t now);

#endif
