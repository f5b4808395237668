/*
 * network.h - which addresses a network caveat means.
 *
 * A network is "192.0.2.0/24" or "2001:db8::/32"; without a length it is one address. Strict, so
 * that two verifiers never read it differently: dotted quads only, no leading zeros, no host bits
 * set, no zone. An IPv4 address that comes mapped into IPv6 (RFC 4291, 2.5.5.2) is that IPv4
 * address, on both sides; no network of IPv6 holds one. Pure; any thread.
 */
#ifndef PYPITOKEN_NETWORK_H
#define PYPITOKEN_NETWORK_H

#include "core/slice.h"

#define NETWORK_TEXT_MAX 49 /* an IPv6 address in its longest form, and "/128" */

typedef struct network_t {
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    int bits;                  /* 0 to 128; 96 to 128 for IPv4 */
} network_t;

/* 1 and *out, or 0: the text is no network. */
int network_parse(network_t *out, slice_t text);

/* 1 when the address (text, as network_parse reads one without a length) lies in the network; 0
 * also for text that is no address. */
int network_holds(const network_t *network, slice_t address);

#endif
