/*
 * notify.h - PyPITokenNotify: a program that is told what happens to tokens and projects, so that a
 * site can send mail in its own way. doc/notify tells what it gets.
 *
 * Nobody waits for it: what happened is on record already, and its note goes into a queue of this
 * child, out of which a thread runs the program, one at a time, as httpd's user. A full queue loses
 * notes, a program that hangs is killed; either is a warning in the log. A child that ends gives
 * the queue NOTIFY_GRACE seconds. The trail is what tells everything.
 */
#ifndef PYPITOKEN_NOTIFY_H
#define PYPITOKEN_NOTIFY_H

#include <apr_pools.h>

#include "store/store.h"

#define NOTIFY_SECONDS     10 /* that the program may take, if nobody says */
#define NOTIFY_SECONDS_MAX 300
#define NOTIFY_QUEUE       256
#define NOTIFY_GRACE       2

/* store_config_t.told: baton is a server_rec. Any thread; never blocks. */
void notify_told(void *baton, const store_event_t *event);

/* Hooks: the check at start, the thread in each child. */
void notify_register(apr_pool_t *p);

#endif
