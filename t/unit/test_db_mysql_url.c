/* test_db_mysql_url.c - mysql:// URLs: what they mean, and what is refused with which sentence. */
#include "store/db_mysql_url.h"
#include "tap.h"

#include <apr_general.h>
#include <string.h>

static apr_pool_t *p;
static db_mysql_url_t u;

static const char *parse(const char *place)
{
    return db_mysql_url_parse(&u, slice_of(place), p);
}

static int is(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int host(int i, const char *name, unsigned int port)
{
    return i < u.n_hosts && is(u.hosts[i].name, name) && u.hosts[i].port == port;
}

static void meanings(void)
{
    tap_ok(!parse("//pypi@db.example/tokens") && is(u.user, "pypi") && is(u.database, "tokens") &&
               u.n_hosts == 1 && host(0, "db.example", 3306) && !u.socket && !u.ssl_ca &&
               u.tls == DB_MYSQL_TLS_VERIFY && u.connect_timeout == 2 && u.read_timeout == 5 &&
               u.write_timeout == 5 && !u.pool,
           "the shortest one, with its defaults: TLS, verified");
    tap_ok(!parse("//u@a:1,b,10.0.0.1:65535,[::1],[fe80::1]:3307/d") && u.n_hosts == 5 &&
               host(0, "a", 1) && host(1, "b", 3306) && host(2, "10.0.0.1", 65535) &&
               host(3, "::1", 3306) && host(4, "fe80::1", 3307),
           "hosts in their order, of all kinds");
    tap_ok(!parse("//u@h/d?ssl-ca=/ca.pem&ssl-cert=/c.pem&ssl-key=/k.pem&tls=required&"
                  "connect-timeout=1&read-timeout=600s&write-timeout=7s&pool=64") &&
               is(u.ssl_ca, "/ca.pem") && is(u.ssl_cert, "/c.pem") && is(u.ssl_key, "/k.pem") &&
               u.tls == DB_MYSQL_TLS_REQUIRED && u.connect_timeout == 1 && u.read_timeout == 600 &&
               u.write_timeout == 7 && u.pool == 64,
           "every option");
    tap_ok(!parse("//u@h/d?tls=off") && u.tls == DB_MYSQL_TLS_OFF, "clear text, if it is written");
    tap_ok(!parse("//u@h/d?tls=verify") && u.tls == DB_MYSQL_TLS_VERIFY, "the default, written");
    tap_ok(!parse("//u@localhost/d?socket=/run/my%20sql.sock") &&
               is(u.socket, "/run/my sql.sock") && u.tls == DB_MYSQL_TLS_OFF && u.n_hosts == 1,
           "a socket");
    tap_ok(!parse("//u%40x%3ay@h/d%2dd%C3%A4") && is(u.user, "u@x:y") &&
               is(u.database, "d-d\xc3\xa4"),
           "bytes of any kind in names");
    tap_ok(!parse("//u@[::1]:3307,h/d?ssl-ca=/x") && is(u.label, "mysql://u@[::1]:3307,h/d"),
           "the label has no options: %s", u.label);
    tap_ok(!parse("//\xc3\xa4@h/d") || strstr(parse("//\xc3\xa4@h/d"), "account name"),
           "what is no URL is not guessed at");
}

/* the URL, a part of the sentence */
static const char *const refused[][2] = {
    {"", "must be mysql://user@host/database"},
    {"/u@h/d", "must be mysql://"},
    {"u@h/d", "must be mysql://"},
    {"//", "names no account"},
    {"//h/d", "names no account"},
    {"//@h/d", "account name"},
    {"//u%@h/d", "account name"},
    {"//u%4@h/d", "account name"},
    {"//u%00@h/d", "account name"},
    {"//u%0a@h/d", "account name"},
    {"//u%ff@h/d", "account name"},
    {"//u x@h/d", "account name"},
    {"//u:secret@h/d", "PyPITokenStoreSecret"},
    {"//u:@h/d", "PyPITokenStoreSecret"},
    {"//u:sec@ret@h/d", "PyPITokenStoreSecret"},
    {"//u:sec/ret@h/d", "names no account"},
    {"//u@sec@ret/d", "no host"},
    {"//u@/d", "no host"},
    {"//u@,h/d", "no host"},
    {"//u@h,/d", "no host"},
    {"//u@h h/d", "no host"},
    {"//u@h;port=1/d", "no host"},
    {"//u@::1/d", "no host"},
    {"//u@[::1/d", "port"},
    {"//u@[::1]3/d", "port"},
    {"//u@[]/d", "no host"},
    {"//u@[1.2.3.4]/d", "no host"},
    {"//u@[::1%25eth0]/d", "no host"},
    {"//u@h:/d", "port"},
    {"//u@h:0/d", "port"},
    {"//u@h:65536/d", "port"},
    {"//u@h:99999999999999999999/d", "port"},
    {"//u@h:1a/d", "port"},
    {"//u@a,b,c,d,e,f,g,h,i/d", "more than 8"},
    {"//u@h", "names no database"},
    {"//u@h/", "names no database"},
    {"//u@h/?tls=off", "names no database"},
    {"//u@h/a/b", "names no database"},
    {"//u@h/a%2fb", "names no database"},
    {"//u@h/d#x", "names no database"},
    {"//u@h/d?", "option ''"},
    {"//u@h/d?&", "option ''"},
    {"//u@h/d?tls=off&", "option ''"},
    {"//u@h/d?sslca=/x", "option 'sslca'"},
    {"//u@h/d?TLS=off", "option 'TLS'"},
    {"//u@h/d?tls", "option 'tls'"},
    {"//u@h/d?password=x", "option 'password'"},
    {"//u@h/d?tls=", "verify, required or off"},
    {"//u@h/d?tls=no", "verify, required or off"},
    {"//u@h/d?tls=off&tls=off", "tls= twice"},
    {"//u@h/d?pool=1&read-timeout=1&pool=2", "pool= twice"},
    {"//u@h/d?pool=0", "pool= that is not 1 to 64"},
    {"//u@h/d?pool=65", "pool= that is not 1 to 64"},
    {"//u@h/d?pool=", "pool= that is not 1 to 64"},
    {"//u@h/d?connect-timeout=0", "connect-timeout="},
    {"//u@h/d?connect-timeout=s", "connect-timeout="},
    {"//u@h/d?read-timeout=1ms", "read-timeout="},
    {"//u@h/d?read-timeout=-1s", "read-timeout="},
    {"//u@h/d?read-timeout=601", "read-timeout="},
    {"//u@h/d?write-timeout=1.5", "write-timeout="},
    {"//u@h/d?ssl-ca=ca.pem", "absolute path in ssl-ca="},
    {"//u@h/d?ssl-ca=", "absolute path in ssl-ca="},
    {"//u@h/d?ssl-ca=/%00", "absolute path in ssl-ca="},
    {"//u@localhost/d?socket=x", "absolute path in socket="},
    {"//u@h/d?ssl-cert=/c", "ssl-cert= without ssl-key="},
    {"//u@h/d?ssl-key=/k", "ssl-cert= without ssl-key="},
    {"//u@h/d?tls=off&ssl-ca=/c", "tls=off, and ssl-"},
    {"//u@h/d?socket=/s", "another host than localhost"},
    {"//u@localhost,h/d?socket=/s", "another host than localhost"},
    {"//u@localhost/d?socket=/s&tls=verify", "TLS, which is for TCP"},
    {"//u@localhost/d?socket=/s&ssl-ca=/c", "TLS, which is for TCP"},
};

static void refusals(void)
{
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        const char *wrong = parse(refused[i][0]);

        tap_ok(wrong && strstr(wrong, refused[i][1]) && !strstr(wrong, "secret") &&
                   !strstr(wrong, "sec@ret") && !strstr(wrong, "sec/ret"),
               "'%s': %s", refused[i][0], wrong ? wrong : "(taken)");
    }
    tap_ok(!parse("//u@localhost/d?socket=/s&tls=off"), "tls=off beside a socket says nothing new");
}

int main(void)
{
    apr_initialize();
    apr_pool_create(&p, NULL);
    meanings();
    refusals();
    apr_pool_destroy(p);
    apr_terminate();
    return tap_done();
}
