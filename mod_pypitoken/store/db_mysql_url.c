/* db_mysql_url.c - see db_mysql_url.h for the grammar. */
#include "store/db_mysql_url.h"

#include "core/utf8.h"
#include "store/db.h"

#include <apr_strings.h>
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#define DB_MYSQL_URL_PORT     3306
#define DB_MYSQL_URL_NAME_MAX 253 /* of a host: RFC 1035 */
#define DB_MYSQL_URL_TIME_MAX 600
#define DB_MYSQL_URL_HEAD     "the mysql:// URL of the store "

static const char *db_mysql_url_wrong(apr_pool_t *pool, const char *what)
{
    return apr_pstrcat(pool, DB_MYSQL_URL_HEAD, what, NULL);
}

/* ---- pieces ---- */

/* Cuts s at the first c: what is before it, and in *rest what follows; *rest.p is NULL when there
 * is no c. */
static slice_t db_mysql_url_cut(slice_t s, char c, slice_t *rest)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    if (!at) {
        *rest = slice_make(NULL, 0);
        return s;
    }
    *rest = slice_make(at + 1, s.n - (apr_size_t)(at + 1 - s.p));
    return slice_make(s.p, (apr_size_t)(at - s.p));
}

static int db_mysql_url_hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* With %XX resolved; NULL when that is not text: a bad %, NUL or control characters, not UTF-8, a
 * byte that no URL holds, or nothing at all. */
static const char *db_mysql_url_text(slice_t s, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, s.n + 1), *out = text;
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        int c = (unsigned char)s.p[i];

        if (c == '%') {
            int high = i + 2 < s.n ? db_mysql_url_hex(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? db_mysql_url_hex(s.p[i + 2]) : -1;

            c = high < 0 || low < 0 ? 0 : high << 4 | low;
            i += 2;
        } else if (strchr(" #\"<>\\^`{|}", c) || c >= 0x7f) {
            return NULL;
        }
        if (c < ' ' || c == 0x7f) {
            return NULL;
        }
        *out++ = (char)c;
    }
    *out = '\0';
    return out > text && utf8_valid(slice_make(text, (apr_size_t)(out - text))) ? text : NULL;
}

/* Digits only, from 1 to max; 0 for anything else. */
static unsigned int db_mysql_url_number(slice_t s, unsigned int max)
{
    unsigned int n = 0;
    apr_size_t i;

    for (i = 0; i < s.n && n <= max; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return 0;
        }
        n = n * 10 + (unsigned int)(s.p[i] - '0');
    }
    return n <= max ? n : 0;
}

/* ---- user and hosts ---- */

static int db_mysql_url_name(slice_t s)
{
    apr_size_t i;

    for (i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == '_')) {
            return 0;
        }
    }
    return s.n > 0 && s.n <= DB_MYSQL_URL_NAME_MAX;
}

/* name, name:port, [address] or [address]:port */
static const char *db_mysql_url_host(db_mysql_host_t *host, slice_t s, apr_pool_t *pool)
{
    int bracket = s.n && s.p[0] == '[';
    unsigned char address[16];
    slice_t name, port;

    host->port = DB_MYSQL_URL_PORT;
    if (bracket) {
        name = db_mysql_url_cut(slice_make(s.p + 1, s.n - 1), ']', &port);
        if (port.p && port.n && port.p[0] == ':') {
            port = slice_make(port.p + 1, port.n - 1);
        } else if (port.p && !port.n) {
            port.p = NULL;
        } else {
            port = slice_make("", 0);
        }
    } else {
        name = db_mysql_url_cut(s, ':', &port);
    }
    host->name = slice_dup(name, pool);
    if (bracket ? inet_pton(AF_INET6, host->name, address) != 1 : !db_mysql_url_name(name)) {
        return db_mysql_url_wrong(
            pool, "has no host where one must be: write a name, an IPv4 address, or an IPv6 "
                  "address in brackets");
    }
    if (port.p) {
        host->port = db_mysql_url_number(port, 65535);
    }
    return host->port ? NULL : db_mysql_url_wrong(pool, "has a port that is none");
}

static const char *db_mysql_url_hosts(db_mysql_url_t *url, slice_t s, apr_pool_t *pool)
{
    const char *wrong = NULL;

    while (s.p && !wrong) {
        slice_t rest, one = db_mysql_url_cut(s, ',', &rest);

        if (url->n_hosts == DB_MYSQL_URL_HOSTS) {
            return db_mysql_url_wrong(pool, "names more than 8 hosts");
        }
        wrong = db_mysql_url_host(&url->hosts[url->n_hosts++], one, pool);
        s = rest;
    }
    return wrong;
}

/* Whatever stands before the first '@' with a ':' in it may hold a password. */
static const char *db_mysql_url_authority(db_mysql_url_t *url, slice_t s, slice_t *hosts,
                                          apr_pool_t *pool)
{
    slice_t user = db_mysql_url_cut(s, '@', hosts);

    if (!hosts->p) {
        return db_mysql_url_wrong(pool, "names no account: write mysql://user@host/database");
    }
    if (memchr(user.p, ':', user.n)) {
        return db_mysql_url_wrong(pool, "holds a password: take it out, put it into a file of mode "
                                        "0600 and name that in PyPITokenStoreSecret");
    }
    url->user = db_mysql_url_text(user, pool);
    return url->user ? NULL : db_mysql_url_wrong(pool, "has an account name that is no text");
}

/* ---- options ---- */

typedef enum db_mysql_url_kind_t {
    DB_MYSQL_URL_PATH,
    DB_MYSQL_URL_SECONDS,
    DB_MYSQL_URL_TLS,
    DB_MYSQL_URL_POOL
} db_mysql_url_kind_t;

typedef struct db_mysql_url_option_t {
    const char *name;
    db_mysql_url_kind_t kind;
    apr_size_t offset;
} db_mysql_url_option_t;

#define DB_MYSQL_URL_AT(field) offsetof(db_mysql_url_t, field)

static const db_mysql_url_option_t db_mysql_url_options[] = {
    {"socket", DB_MYSQL_URL_PATH, DB_MYSQL_URL_AT(socket)},
    {"tls", DB_MYSQL_URL_TLS, DB_MYSQL_URL_AT(tls)},
    {"ssl-ca", DB_MYSQL_URL_PATH, DB_MYSQL_URL_AT(ssl_ca)},
    {"ssl-cert", DB_MYSQL_URL_PATH, DB_MYSQL_URL_AT(ssl_cert)},
    {"ssl-key", DB_MYSQL_URL_PATH, DB_MYSQL_URL_AT(ssl_key)},
    {"connect-timeout", DB_MYSQL_URL_SECONDS, DB_MYSQL_URL_AT(connect_timeout)},
    {"read-timeout", DB_MYSQL_URL_SECONDS, DB_MYSQL_URL_AT(read_timeout)},
    {"write-timeout", DB_MYSQL_URL_SECONDS, DB_MYSQL_URL_AT(write_timeout)},
    {"pool", DB_MYSQL_URL_POOL, DB_MYSQL_URL_AT(pool)},
};
#define DB_MYSQL_URL_N (sizeof(db_mysql_url_options) / sizeof(db_mysql_url_options[0]))

static const char *const db_mysql_url_words[] = {"verify", "required", "off"}; /* db_mysql_tls_t */

static const char *db_mysql_url_path(const char **out, const char *name, slice_t value,
                                     apr_pool_t *pool)
{
    *out = db_mysql_url_text(value, pool);
    return *out && **out == '/'
               ? NULL
               : apr_psprintf(pool, DB_MYSQL_URL_HEAD "has no absolute path in %s=", name);
}

static const char *db_mysql_url_tls(db_mysql_tls_t *out, slice_t value, apr_pool_t *pool)
{
    int i;

    for (i = DB_MYSQL_TLS_VERIFY; i <= DB_MYSQL_TLS_OFF; i++) {
        if (slice_is(value, db_mysql_url_words[i])) {
            *out = (db_mysql_tls_t)i;
            return NULL;
        }
    }
    return db_mysql_url_wrong(pool, "has a tls= that is not verify, required or off");
}

static const char *db_mysql_url_set(db_mysql_url_t *url, const db_mysql_url_option_t *option,
                                    slice_t value, apr_pool_t *pool)
{
    void *at = (char *)url + option->offset;

    switch (option->kind) {
    case DB_MYSQL_URL_PATH:
        return db_mysql_url_path(at, option->name, value, pool);
    case DB_MYSQL_URL_TLS:
        return db_mysql_url_tls(at, value, pool);
    case DB_MYSQL_URL_POOL:
        *(int *)at = (int)db_mysql_url_number(value, DB_SLOTS_MAX);
        return *(int *)at ? NULL : db_mysql_url_wrong(pool, "has a pool= that is not 1 to 64");
    case DB_MYSQL_URL_SECONDS:
        break;
    }
    value.n -= value.n && value.p[value.n - 1] == 's';
    *(unsigned int *)at = db_mysql_url_number(value, DB_MYSQL_URL_TIME_MAX);
    return *(unsigned int *)at ? NULL
                               : apr_psprintf(pool,
                                              DB_MYSQL_URL_HEAD "has a %s= that is not 1 to %d "
                                                                "seconds, such as 2s",
                                              option->name, DB_MYSQL_URL_TIME_MAX);
}

/* One option; *given has a bit for each that was there before. */
static const char *db_mysql_url_option(db_mysql_url_t *url, slice_t s, unsigned int *given,
                                       apr_pool_t *pool)
{
    slice_t value, name = db_mysql_url_cut(s, '=', &value);
    apr_size_t i;

    for (i = 0; i < DB_MYSQL_URL_N && !slice_is(name, db_mysql_url_options[i].name); i++) {
    }
    if (i == DB_MYSQL_URL_N || !value.p) {
        return apr_psprintf(pool,
                            DB_MYSQL_URL_HEAD "has an option '%s' that is not known; there are "
                                              "socket, tls, ssl-ca, ssl-cert, ssl-key, "
                                              "connect-timeout, read-timeout, write-timeout, pool",
                            slice_printable(name, 30, pool));
    }
    if (*given & 1u << i) {
        return apr_psprintf(pool, DB_MYSQL_URL_HEAD "has %s= twice", db_mysql_url_options[i].name);
    }
    *given |= 1u << i;
    return db_mysql_url_set(url, &db_mysql_url_options[i], value, pool);
}

/* ---- what does not go together ---- */

static const char *db_mysql_url_transport(db_mysql_url_t *url, int tls_given, apr_pool_t *pool)
{
    int ssl = url->ssl_ca || url->ssl_cert || url->ssl_key;

    if (!url->ssl_cert != !url->ssl_key) {
        return db_mysql_url_wrong(pool, "has ssl-cert= without ssl-key=, or the other way round");
    }
    if (!url->socket) {
        return ssl && url->tls == DB_MYSQL_TLS_OFF
                   ? db_mysql_url_wrong(pool, "has tls=off, and ssl- options all the same")
                   : NULL;
    }
    if (url->n_hosts != 1 || strcmp(url->hosts[0].name, "localhost") != 0) {
        return db_mysql_url_wrong(pool, "has a socket=, which is on this machine, and another host "
                                        "than localhost");
    }
    if (ssl || (tls_given && url->tls != DB_MYSQL_TLS_OFF)) {
        return db_mysql_url_wrong(pool, "has a socket=, and TLS, which is for TCP only");
    }
    url->tls = DB_MYSQL_TLS_OFF;
    return NULL;
}

static const char *db_mysql_url_label(const db_mysql_url_t *url, slice_t hosts, apr_pool_t *pool)
{
    return apr_psprintf(pool, "mysql://%s@%s/%s", slice_printable(slice_of(url->user), 64, pool),
                        slice_printable(hosts, 200, pool),
                        slice_printable(slice_of(url->database), 64, pool));
}

const char *db_mysql_url_parse(db_mysql_url_t *url, slice_t place, apr_pool_t *pool)
{
    slice_t rest, options, authority, database, hosts = {NULL, 0};
    unsigned int given = 0;
    const char *wrong;

    memset(url, 0, sizeof(*url));
    url->connect_timeout = 2;
    url->read_timeout = url->write_timeout = 5;
    if (!slice_starts(place, "//")) {
        return db_mysql_url_wrong(pool, "must be mysql://user@host/database");
    }
    rest = db_mysql_url_cut(slice_make(place.p + 2, place.n - 2), '?', &options);
    authority = db_mysql_url_cut(rest, '/', &database);
    wrong = db_mysql_url_authority(url, authority, &hosts, pool);
    if (!wrong) {
        wrong = db_mysql_url_hosts(url, hosts, pool);
    }
    if (wrong) {
        return wrong;
    }
    url->database = database.p ? db_mysql_url_text(database, pool) : NULL;
    if (!url->database || strchr(url->database, '/')) {
        return db_mysql_url_wrong(pool, "names no database: write mysql://user@host/database");
    }
    while (options.p && !wrong) {
        slice_t one = db_mysql_url_cut(options, '&', &options);

        wrong = db_mysql_url_option(url, one, &given, pool);
    }
    if (!wrong) {
        wrong = db_mysql_url_transport(url, given & 2u, pool);
    }
    url->label = wrong ? NULL : db_mysql_url_label(url, hosts, pool);
    return wrong;
}
