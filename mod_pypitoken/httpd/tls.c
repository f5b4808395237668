/* tls.c - see tls.h. */
#include "httpd/private.h"
#include "httpd/tls.h"
#include "httpd/config.h"

#include <apr_optional.h>
#include <string.h>

/* mod_ssl's, or that of whatever else speaks TLS here. */
APR_DECLARE_OPTIONAL_FN(int, ssl_is_https, (conn_rec *));

static int tls_loopback(const apr_sockaddr_t *a)
{
    const unsigned char *p = a->ipaddr_ptr;

    if (a->family == APR_INET) {
        return p[0] == 127;
    }
#if APR_HAVE_IPV6
    if (a->family == APR_INET6) {
        static const unsigned char v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        static const unsigned char v4[13] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};

        return memcmp(p, v6, sizeof(v6)) == 0 || memcmp(p, v4, sizeof(v4)) == 0;
    }
#endif
    return 0;
}

/* The connection itself. */
static int tls_on(request_rec *r)
{
    APR_OPTIONAL_FN_TYPE(ssl_is_https) *is_https = APR_RETRIEVE_OPTIONAL_FN(ssl_is_https);

    return is_https && is_https(r->connection);
}

/* Whoever says so says it against itself. */
static int tls_forwarded_clear(request_rec *r)
{
    const char *forwarded = apr_table_get(r->headers_in, "X-Forwarded-Proto");

    return forwarded && strcasecmp(forwarded, "http") == 0;
}

int tls_clear(request_rec *r)
{
    return config_dir(r)->require_tls != 0 && !tls_on(r) &&
           (!tls_loopback(r->connection->client_addr) || tls_forwarded_clear(r));
}

int tls_seen(request_rec *r)
{
    const char *forwarded = apr_table_get(r->headers_in, "X-Forwarded-Proto");
    const char *variable = apr_table_get(r->subprocess_env, "HTTPS");

    return tls_on(r) || (forwarded && strcasecmp(forwarded, "https") == 0) ||
           (variable && strcasecmp(variable, "on") == 0);
}
