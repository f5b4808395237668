/*
 * config_probe.h - connecting to the store once, at start, without a trace in the parent.
 *
 * A server process of httpd must not hold what its children may not inherit: connections, and what
 * a client library keeps for itself. So a process of its own connects, as httpd's user (a server
 * may know that user by its socket), says what it found, and ends.
 */
#ifndef PYPITOKEN_CONFIG_PROBE_H
#define PYPITOKEN_CONFIG_PROBE_H

#include "store/store.h"

/* As store_try: STORE_OK, STORE_DOWN or STORE_CONFLICT, with a sentence in *why, in pool. Waits as
 * long as the store's own timeouts. */
store_rc_t config_probe(const store_config_t *config, const char **why, apr_pool_t *pool);

#endif
