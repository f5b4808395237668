/* db_mysql_error.c - error numbers of servers and client libraries; see db_mysql.h.
 *
 * Numbers from 2000 to 2999 are the client libraries', from 5000 on MariaDB's client library's, the
 * others the servers'; MySQL and MariaDB mean the same by those that are used here. */
#include "store/db_mysql.h"

#include <apr_strings.h>

typedef struct db_mysql_error_t {
    unsigned int code;
    db_rc_t rc;
} db_mysql_error_t;

/* Of statements; what is not here is DB_ERROR. */
static const db_mysql_error_t db_mysql_error_codes[] = {
    {1062, DB_CONFLICT},                   /* a duplicate key */
    {1586, DB_CONFLICT},                   /* the same, with the key's name */
    {1216, DB_CONFLICT},                   /* a reference to nothing, */
    {1217, DB_CONFLICT},                   /* or a row that is referred to, to be deleted; */
    {1451, DB_CONFLICT},                   /* both with the constraint */
    {1452, DB_CONFLICT}, {1020, DB_AGAIN}, /* the row has changed since it was read */
    {1205, DB_AGAIN},                      /* waited too long for a row */
    {1213, DB_AGAIN},                      /* deadlock; Galera: another node was first */
    {1317, DB_AGAIN}, /* interrupted; Galera: by a transaction of another node */
    {3101, DB_AGAIN}, /* Group Replication: another member was first */
    {1969, DB_BUSY},  /* the server's limit for a statement */
    {3024, DB_BUSY},     {1047, DB_LOST}, /* Galera: this node does not belong to the cluster at the
                                             moment */
    {1053, DB_LOST},                      /* the server is shutting down */
    {1153, DB_LOST},                      /* a packet too large: the server hangs up */
    {1158, DB_LOST},                      /* reading or writing the network, seen by the server */
    {1159, DB_LOST},     {1160, DB_LOST},  {1161, DB_LOST},
    {1243, DB_LOST}, /* it does not know our prepared statement */
    {1615, DB_LOST}, /* our prepared statement has to be prepared anew, again and again */
    {1290, DB_LOST}, /* read-only: perhaps another host is not */
    {1836, DB_LOST},     {1927, DB_LOST}, /* killed */
    {4031, DB_LOST},                      /* hung up for being idle */
    {2006, DB_LOST},                      /* gone between two statements */
    {2013, DB_LOST},                      /* gone in a statement, or no answer in time */
    {2055, DB_LOST},                      /* the same, with a reason */
    {2014, DB_LOST},                      /* answers and questions do not fit together any more */
    {2020, DB_LOST},                      /* a packet too large */
    {2026, DB_LOST},                      /* TLS */
    {2027, DB_LOST},                      /* a malformed packet */
    {2030, DB_LOST},                      /* the statement is not prepared any more, */
    {2056, DB_LOST},                      /* was closed, */
    {2057, DB_LOST},                      /* or yields other columns than when it was */
    {5013, DB_LOST},                      /* reading or writing the network */
    {5014, DB_LOST},
};

/* Of connecting: these may pass by themselves. The rest is for somebody to mend. */
static const unsigned int db_mysql_error_passing[] = {
    2002,                         /* nobody listens, on a socket */
    2003,                         /* or a port; no way to the host */
    2004,                         /* no socket is to be had */
    2005,                         /* no address for the name */
    2006, 2012,                   /* hung up within the handshake */
    2013, 2055, 5013, 5014, 1040, /* too many connections, */
    1203,                         /* or of this account, */
    1226,                         /* or in an hour */
    1047, 1053, 1158, 1159, 1160, 1161, 1205, 1927,
};

/* The messages of these quote values: duplicate keys, texts and numbers that do not fit. */
static const unsigned int db_mysql_error_quoting[] = {1062, 1292, 1300, 1366, 1411, 1525, 1586};

/* After these another host may serve better. */
static const unsigned int db_mysql_error_elsewhere[] = {1047, 1290, 1836};

static const unsigned int db_mysql_error_there[] = {
    1050, /* table */
    1060, /* column */
    1061, /* index */
    1091, /* something to be dropped is not there */
    1826, /* foreign key */
    3822, /* check */
};

typedef struct db_mysql_hint_t {
    unsigned int code;
    const char *text;
} db_mysql_hint_t;

static const db_mysql_hint_t db_mysql_error_hints[] = {
    {1044, ", which conf/mysql-grants.sql would give"},
    {1045, "; is it the account of PyPITokenStore, and its password in PyPITokenStoreSecret?"},
    {1049, "; create it as conf/mysql-grants.sql does, then run 'pypitokenctl init'"},
    {1130, "; its accounts are for other hosts"},
    {1698, "; is it the account of PyPITokenStore, and its password in PyPITokenStoreSecret?"},
    {2026, "; check ssl-ca and the server's certificate, or write tls=off for clear text"},
};

#define DB_MYSQL_ERROR_N(table) (sizeof(table) / sizeof((table)[0]))

static int db_mysql_error_in(const unsigned int *codes, apr_size_t n, unsigned int code)
{
    apr_size_t i;

    for (i = 0; i < n && codes[i] != code; i++) {
    }
    return i < n;
}

db_rc_t db_mysql_error_rc(unsigned int code)
{
    apr_size_t i;

    for (i = 0; i < DB_MYSQL_ERROR_N(db_mysql_error_codes); i++) {
        if (db_mysql_error_codes[i].code == code) {
            return db_mysql_error_codes[i].rc;
        }
    }
    return DB_ERROR;
}

db_rc_t db_mysql_error_connect(unsigned int code)
{
    return db_mysql_error_in(db_mysql_error_passing, DB_MYSQL_ERROR_N(db_mysql_error_passing), code)
               ? DB_LOST
               : DB_ERROR;
}

int db_mysql_error_made(unsigned int code)
{
    return db_mysql_error_in(db_mysql_error_there, DB_MYSQL_ERROR_N(db_mysql_error_there), code);
}

const char *db_mysql_error_hint(unsigned int code)
{
    apr_size_t i;

    for (i = 0; i < DB_MYSQL_ERROR_N(db_mysql_error_hints); i++) {
        if (db_mysql_error_hints[i].code == code) {
            return db_mysql_error_hints[i].text;
        }
    }
    return "";
}

void db_mysql_error_text(char *why, apr_size_t size, unsigned int code, const char *message)
{
    if (db_mysql_error_in(db_mysql_error_quoting, DB_MYSQL_ERROR_N(db_mysql_error_quoting), code)) {
        message = "a value that the table does not take";
    }
    apr_snprintf(why, size, "%s (error %u)", message, code);
}

db_rc_t db_mysql_error(db_mysql_t *conn, MYSQL_STMT *stmt)
{
    unsigned int code = stmt ? mysql_stmt_errno(stmt) : 0;
    const char *message = code ? mysql_stmt_error(stmt) : mysql_error(conn->mysql);

    /* Connector/C tells the connection alone of what ends the rows of a statement */
    code = code ? code : mysql_errno(conn->mysql);
    db_mysql_error_text(conn->why, sizeof(conn->why), code, message);
    if (db_mysql_error_in(db_mysql_error_elsewhere, DB_MYSQL_ERROR_N(db_mysql_error_elsewhere),
                          code)) {
        db_mysql_open_shun(conn);
    }
    return db_mysql_error_rc(code);
}
