/*
 * metrics.h - what is counted while httpd runs (core/meter.h), and where it is shown: a section of
 * mod_status' page, and SetHandler pypitoken-metrics.
 *
 * One block of shared memory for all children, made at the first start and kept over restarts, so
 * that counters only grow until httpd stops. Who may read it is for Require to say.
 */
#ifndef PYPITOKEN_METRICS_H
#define PYPITOKEN_METRICS_H

#include <httpd.h>

#include "store/store.h"

/* store_config_t.meter; baton is a server_rec. Any thread of a child. */
void metrics_store(void *baton, store_went_t went, apr_interval_time_t took);

/* Hooks: post_config, log_transaction, handler, mod_status. */
void metrics_register(apr_pool_t *p);

#endif
