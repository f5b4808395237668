/*
 * db_mysql_url.h - what a mysql:// URL says.
 *
 *   mysql://user@host[:port][,host2[:port]...]/database[?option=value&...]
 *
 * Hosts are names, IPv4 addresses, or IPv6 addresses in brackets; they are tried in their order.
 * The user, the database and the values may hold %XX for any byte but NUL. Options, each at most
 * once:
 *
 *   socket=/path            the server is on this machine: no host but "localhost", no TLS
 *   tls=verify              the default over TCP: encrypted, and the server shows a certificate for
 *                           its host name, from ssl-ca or else the system's authorities
 *   tls=required            encrypted, whoever it is: against those who only listen. With ssl-ca,
 *                           whoever has a certificate from there, of whatever name
 *   tls=off                 clear text
 *   ssl-ca=, ssl-cert=, ssl-key=   absolute paths of PEM files that httpd's user may read; cert and
 *                           key are the client's
 *   connect-timeout=2s      seconds, to 600, with or without the 's'; for each host
 *   read-timeout=5s, write-timeout=5s   for each answer and each statement
 *   pool=8                  connections of a process at most, to 64
 *
 * A password has no place in a URL. Pure; any thread.
 */
#ifndef PYPITOKEN_DB_MYSQL_URL_H
#define PYPITOKEN_DB_MYSQL_URL_H

#include "core/slice.h"

#define DB_MYSQL_URL_HOSTS 8

typedef enum db_mysql_tls_t {
    DB_MYSQL_TLS_VERIFY,
    DB_MYSQL_TLS_REQUIRED,
    DB_MYSQL_TLS_OFF
} db_mysql_tls_t;

typedef struct db_mysql_host_t {
    const char *name; /* an IPv6 address without its brackets */
    unsigned int port;
} db_mysql_host_t;

typedef struct db_mysql_url_t {
    const char *user, *database;
    db_mysql_host_t hosts[DB_MYSQL_URL_HOSTS];
    int n_hosts;        /* 1 with a socket, its name "localhost" */
    const char *socket; /* NULL: TCP */
    db_mysql_tls_t tls; /* OFF with a socket */
    const char *ssl_ca, *ssl_cert, *ssl_key;
    unsigned int connect_timeout, read_timeout, write_timeout; /* seconds */
    int pool;
    const char *label; /* the URL as sentences name it: no options, printable */
} db_mysql_url_t;

/* place is the URL after "mysql:". NULL, or a sentence that never quotes what may be a password. */
const char *db_mysql_url_parse(db_mysql_url_t *url, slice_t place, apr_pool_t *pool);

#endif
