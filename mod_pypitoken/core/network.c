/* network.c - CIDR notation; see network.h. */
#include "core/network.h"

#include <arpa/inet.h>
#include <string.h>

#define NETWORK_MAPPED 96 /* bits before an IPv4 address in its mapped form */

static const unsigned char network_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* The address in 16 bytes; *offset is how many of its bits the text's own length does not count. */
static int network_address(unsigned char out[16], int *offset, slice_t text)
{
    char copy[NETWORK_TEXT_MAX + 1];

    if (text.n == 0 || text.n > NETWORK_TEXT_MAX || memchr(text.p, '\0', text.n)) {
        return 0;
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *offset = 0;
    if (inet_pton(AF_INET6, copy, out) == 1) {
        return 1;
    }
    memcpy(out, network_prefix, sizeof(network_prefix));
    *offset = NETWORK_MAPPED;
    return inet_pton(AF_INET, copy, out + sizeof(network_prefix)) == 1;
}

/* One to three digits, without a leading zero, up to max; -1 when they are not that. */
static int network_length(slice_t digits, int max)
{
    int value = 0;
    apr_size_t i;

    if (digits.n == 0 || digits.n > 3 || (digits.n > 1 && digits.p[0] == '0')) {
        return -1;
    }
    for (i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9') {
            return -1;
        }
        value = value * 10 + (digits.p[i] - '0');
    }
    return value <= max ? value : -1;
}

/* 1 when the first bits of a and b agree. */
static int network_same(const unsigned char a[16], const unsigned char b[16], int bits)
{
    apr_size_t whole = (apr_size_t)bits / 8;
    int rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* 1 when nothing is set behind the first bits. */
static int network_clean(const network_t *network)
{
    int i;

    for (i = network->bits; i < 128; i++) {
        if (network->address[i / 8] & (0x80 >> (i % 8))) {
            return 0;
        }
    }
    return 1;
}

int network_parse(network_t *out, slice_t text)
{
    const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
    slice_t address = slice_make(text.p, slash ? (apr_size_t)(slash - text.p) : text.n);
    int offset, length;

    if (!network_address(out->address, &offset, address)) {
        return 0;
    }
    length = 128 - offset;
    if (slash) {
        length = network_length(slice_make(slash + 1, text.n - address.n - 1), length);
    }
    out->bits = offset + length;
    return length >= 0 && network_clean(out);
}

/* IPv4 is mapped into IPv6 here for its bits alone: ::/0 is all of IPv6 and nothing of IPv4. */
int network_holds(const network_t *network, slice_t address)
{
    unsigned char bytes[16];
    int offset;

    return network_address(bytes, &offset, address) &&
           network_same(network->address, bytes, network->bits) &&
           (network->bits >= NETWORK_MAPPED ||
            memcmp(bytes, network_prefix, sizeof(network_prefix)) != 0);
}
