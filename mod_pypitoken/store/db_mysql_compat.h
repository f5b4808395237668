/*
 * db_mysql_compat.h - the one place that knows which Connector/C this is: MariaDB's libmariadb (3.3
 * and 3.4) or Oracle's libmysqlclient (8.0 and later). Both come as <mysql.h>.
 *
 * The names of options are enumerators, which no #ifdef sees: the libraries are told apart by the
 * macros of their version headers.
 */
#ifndef PYPITOKEN_DB_MYSQL_COMPAT_H
#define PYPITOKEN_DB_MYSQL_COMPAT_H

#include "store/db_mysql_url.h"

#include <mysql.h>
#include <sodium.h>
#include <string.h>

#if defined(MARIADB_PACKAGE_VERSION) || defined(MARIADB_BASE_VERSION)
#define DB_MYSQL_MARIADB 1
typedef my_bool db_mysql_bool_t;
#else
#include <pthread.h>
#include <stdbool.h>
typedef bool db_mysql_bool_t; /* my_bool went with 8.0.1 */
#endif

#ifdef DB_MYSQL_MARIADB

/* Those that never show the password to whom the connection turns out to lead: no clear text, and
 * nothing that asks on a terminal. */
#define DB_MYSQL_COMPAT_AUTH                                                                       \
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec"

/* 3.3 has no TLS unless asked, and ENFORCE alone goes on in clear text when the server has none;
 * 3.4 has it, verified, unless told otherwise: so both options are always set. 0, or the library
 * has refused. */
static inline int db_mysql_compat_tls(MYSQL *mysql, const db_mysql_url_t *url)
{
    db_mysql_bool_t use = url->tls != DB_MYSQL_TLS_OFF, verify = url->tls == DB_MYSQL_TLS_VERIFY;

    return mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &use) ||
           mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify) ||
           mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, DB_MYSQL_COMPAT_AUTH);
}

/* 3.4 also goes on with a certificate that does not fit when the server proves that it knows the
 * account's password: not what tls=verify promises. Once connected: NULL, or what does not fit. */
static inline const char *db_mysql_compat_doubt(MYSQL *mysql)
{
#if MARIADB_PACKAGE_VERSION_ID >= 30400
    unsigned int status = MARIADB_TLS_VERIFY_UNKNOWN;

    if (mariadb_get_infov(mysql, MARIADB_TLS_VERIFY_STATUS, &status) == 0 &&
        status == MARIADB_TLS_VERIFY_OK) {
        return NULL;
    }
    return status & MARIADB_TLS_VERIFY_TRUST    ? "no authority that we know has signed it"
           : status & MARIADB_TLS_VERIFY_HOST   ? "it is not the host's"
           : status & MARIADB_TLS_VERIFY_PERIOD ? "it is not valid today"
                                                : "it could not be verified";
#else
    (void)mysql; /* refused while connecting */
    return NULL;
#endif
}

/* The library keeps a copy of the password for reconnecting, which is never done. */
static inline void db_mysql_compat_forget(MYSQL *mysql)
{
    if (mysql->passwd) {
        sodium_memzero(mysql->passwd, strlen(mysql->passwd));
    }
}

/* Threads need no preparation. */
static inline void db_mysql_compat_thread(void)
{
}

#else

static inline int db_mysql_compat_tls(MYSQL *mysql, const db_mysql_url_t *url)
{
    unsigned int mode = url->tls == DB_MYSQL_TLS_VERIFY ? SSL_MODE_VERIFY_IDENTITY
                        : url->tls == DB_MYSQL_TLS_OFF  ? SSL_MODE_DISABLED
                        : url->ssl_ca                   ? SSL_MODE_VERIFY_CA
                                                        : SSL_MODE_REQUIRED;
    /* In clear text a password of caching_sha2_password is sent under the server's RSA key. */
    bool ask = url->tls == DB_MYSQL_TLS_OFF && !url->socket;

    return mysql_options(mysql, MYSQL_OPT_SSL_MODE, &mode) ||
           (ask && mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &ask));
}

/* It has refused while connecting. */
static inline const char *db_mysql_compat_doubt(MYSQL *mysql)
{
    (void)mysql;
    return NULL;
}

/* Its structures are not documented. */
static inline void db_mysql_compat_forget(MYSQL *mysql)
{
    (void)mysql;
}

/* Every thread that calls the library is to begin and to end: the end comes with the thread. (A
 * thread that outlived the library's code would crash; the module is never unloaded.) */
static pthread_key_t db_mysql_compat_key;
static pthread_once_t db_mysql_compat_once = PTHREAD_ONCE_INIT;

static inline void db_mysql_compat_end(void *unused)
{
    (void)unused;
    mysql_thread_end();
}

static inline void db_mysql_compat_make(void)
{
    (void)pthread_key_create(&db_mysql_compat_key, db_mysql_compat_end);
}

static inline void db_mysql_compat_thread(void)
{
    (void)pthread_once(&db_mysql_compat_once, db_mysql_compat_make);
    if (!pthread_getspecific(db_mysql_compat_key)) {
        (void)mysql_thread_init();
        (void)pthread_setspecific(db_mysql_compat_key, &db_mysql_compat_key);
    }
}

#endif
#endif
