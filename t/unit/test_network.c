/* test_network.c - CIDR notation: what is one, and which addresses lie in it. */
#include "core/network.h"

#include <string.h>

#include "tap.h"

static const char *const good[] = {
    "0.0.0.0/0",           "10.0.0.0/8",       "192.0.2.7",
    "192.0.2.7/32",        "192.0.2.6/31",     "::/0",
    "2001:db8::/32",       "2001:db8::1",      "::1/128",
    "::ffff:10.0.0.0/104", "::ffff:192.0.2.7", "2001:DB8::/32",
    "0:0:0:0:0:0:0:0/0",   "fe80::/10",
};

static const char *const bad[] = {
    "",
    "/",
    "/8",
    "10",
    "10.0/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.1/8",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/8 ",
    " 10.0.0.0/8",
    "010.0.0.0/8",
    "10.0.0.0/8/8",
    "10.0.0.0/255.0.0.0",
    "10.0.0.256",
    "0x0a.0.0.0/8",
    "2001:db8::/129",
    "2001:db8::1/32",
    "2001:db8::/1000",
    "fe80::%eth0/64",
    "fe80::1%1",
    "[::1]",
    "2001:db8:::/32",
    "localhost",
    "10.0.0.0/8,11.0.0.0/8",
    "10.*",
    "::ffff:10.0.0.1/104",
    "1111:2222:3333:4444:5555:6666:255.255.255.255/1280000000",
};

static const struct {
    const char *network, *address;
    int holds;
} table[] = {
    {"10.0.0.0/8", "10.0.0.0", 1},
    {"10.0.0.0/8", "10.255.255.255", 1},
    {"10.0.0.0/8", "11.0.0.0", 0},
    {"10.0.0.0/8", "9.255.255.255", 0},
    {"10.0.0.0/8", "::ffff:10.1.2.3", 1},
    {"::ffff:10.0.0.0/104", "10.1.2.3", 1},
    {"::ffff:10.0.0.0/104", "11.1.2.3", 0},
    {"10.0.0.0/8", "::10.1.2.3", 0},
    {"10.0.0.0/8", "64:ff9b::10.1.2.3", 0},
    {"192.0.2.6/31", "192.0.2.7", 1},
    {"192.0.2.6/31", "192.0.2.5", 0},
    {"192.0.2.6/31", "192.0.2.8", 0},
    {"192.0.2.7", "192.0.2.7", 1},
    {"192.0.2.7", "192.0.2.6", 0},
    {"0.0.0.0/0", "255.255.255.255", 1},
    {"0.0.0.0/0", "::1", 0},
    {"::/0", "::1", 1},
    {"::/0", "10.1.2.3", 0},
    {"::/0", "::ffff:10.1.2.3", 0},
    {"::/80", "10.1.2.3", 0},
    {"::ffff:0:0/96", "10.1.2.3", 1},
    {"::ffff:0:0/96", "::1", 0},
    {"2001:db8::/32", "2001:db8:ffff::1", 1},
    {"2001:db8::/32", "2001:db9::", 0},
    {"2001:db8::/33", "2001:db8:7fff::", 1},
    {"2001:db8::/33", "2001:db8:8000::", 0},
    {"::1/128", "::1", 1},
    {"::1/128", "::2", 0},
    {"::/0", "", 0},
    {"::/0", "somewhere", 0},
    {"::/0", "10.0.0.0/8", 0},
    {"fe80::/10", "fe80::1%eth0", 0},
};

int main(void)
{
    network_t network;
    apr_size_t i;

    for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
        tap_ok(network_parse(&network, slice_of(good[i])), "\"%s\" is a network", good[i]);
    }
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        tap_ok(!network_parse(&network, slice_of(bad[i])), "\"%s\" is none", bad[i]);
    }
    tap_ok(!network_parse(&network, slice_make("10.0.0.1\0", 9)), "nor is one with a NUL");
    tap_ok(!network_parse(&network, slice_make(NULL, 0)), "nor nothing");
    for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
        int parsed = network_parse(&network, slice_of(table[i].network));

        tap_ok(parsed && network_holds(&network, slice_of(table[i].address)) == table[i].holds,
               "%s %s \"%s\"", table[i].network, table[i].holds ? "holds" : "does not hold",
               table[i].address);
    }
    return tap_done();
}
