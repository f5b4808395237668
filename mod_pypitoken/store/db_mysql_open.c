/*
 * db_mysql_open.c - from a plan to a connection that is set up, or to a sentence that says why not;
 * see db_mysql.h.
 *
 * Every setting that could make a statement mean something else is set, whatever the server's
 * defaults are: no value is cut to fit, foreign keys hold, times are UTC. READ COMMITTED: each
 * statement sees what was committed when it began, so that a revocation counts at once, and writers
 * lock the rows they change and not the gaps between. A wait for a lock ends before the
 * connection's read timeout does, with an answer.
 *
 * Galera: a node that has not yet applied what another has committed makes a read wait for it
 * (wsrep_sync_wait, which covers the beginning of transactions too): without, a token that was
 * revoked on one node would upload through another for a moment.
 */
#include "store/db_mysql.h"

#include "store/db_priv.h"
#include "store/passfile.h"

#include <apr_strings.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DB_MYSQL_OPEN_AWAY     apr_time_from_sec(10)
#define DB_MYSQL_OPEN_STALL_MS 1000
#define DB_MYSQL_OPEN_BREAK_MS 1000
#define DB_MYSQL_OPEN_LONG     3600 /* seconds, for what may take long */
#define DB_MYSQL_OPEN_LONG_LOCK                                                                    \
    10 /* a change of a table that waits makes others wait behind it                               \
        */

#define DB_MYSQL_OPEN_SETTINGS                                                                     \
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,"                        \
    "NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', autocommit = 1, "        \
    "foreign_key_checks = 1, unique_checks = 1, innodb_lock_wait_timeout = %u, "                   \
    "lock_wait_timeout = %u"

/* ---- the plan ---- */

/* Client libraries only say that TLS does not work. */
static const char *db_mysql_open_file(const char *option, const char *path, apr_pool_t *pool)
{
    return path && access(path, R_OK) != 0
               ? apr_psprintf(pool, "cannot read %s=%s of the store: %s", option, path,
                              strerror(errno))
               : NULL;
}

const char *db_mysql_plan(db_target_t *target, apr_pool_t *pool)
{
    db_mysql_plan_t *plan = apr_pcalloc(pool, sizeof(*plan));
    const char *wrong = db_mysql_url_parse(&plan->url, slice_of(target->place), pool);
    int i;

    plan->password = "";
    if (!wrong && target->secret) {
        wrong = passfile_read(&plan->password, target->secret, pool);
    }
    wrong = wrong ? wrong : db_mysql_open_file("ssl-ca", plan->url.ssl_ca, pool);
    wrong = wrong ? wrong : db_mysql_open_file("ssl-cert", plan->url.ssl_cert, pool);
    wrong = wrong ? wrong : db_mysql_open_file("ssl-key", plan->url.ssl_key, pool);
    if (wrong) {
        return wrong;
    }
    plan->away = apr_palloc(pool, (apr_size_t)plan->url.n_hosts * sizeof(plan->away[0]));
    for (i = 0; i < plan->url.n_hosts; i++) {
        atomic_init(&plan->away[i], 0);
    }
    target->plan = plan;
    target->place = plan->url.label;
    target->slots = plan->url.pool;
    target->stall_ms = DB_MYSQL_OPEN_STALL_MS;
    target->break_ms = DB_MYSQL_OPEN_BREAK_MS;
    return NULL;
}

/* ---- hosts ---- */

static void db_mysql_open_away(const db_mysql_plan_t *plan, int host, apr_time_t until)
{
    atomic_store(&plan->away[host], until);
}

void db_mysql_open_shun(const db_mysql_t *conn)
{
    db_mysql_open_away(conn->plan, conn->host, db_pool_now() + DB_MYSQL_OPEN_AWAY);
}

/* The hosts in the order of the URL, those that failed a moment ago last. */
static void db_mysql_open_order(const db_mysql_plan_t *plan, int *order)
{
    apr_time_t now = db_pool_now();
    int i, n = 0, last;

    for (last = 0; last <= 1; last++) {
        for (i = 0; i < plan->url.n_hosts; i++) {
            if ((atomic_load(&plan->away[i]) > now) == last) {
                order[n++] = i;
            }
        }
    }
}

/* ---- one host ---- */

/* Once in a process, before its threads use the library. Should it fail, mysql_init does too. */
static void db_mysql_open_library(void)
{
    (void)mysql_library_init(0, NULL, NULL);
}

static int db_mysql_open_options(db_mysql_t *conn, int patient)
{
    const db_mysql_url_t *url = &conn->plan->url;
    unsigned int read_timeout = patient ? DB_MYSQL_OPEN_LONG : url->read_timeout;
    unsigned int write_timeout = patient ? DB_MYSQL_OPEN_LONG : url->write_timeout;
    unsigned int protocol = url->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    unsigned int no_files = 0; /* a server must not be able to ask for files of this machine */
    MYSQL *m = conn->mysql;

    return mysql_options(m, MYSQL_OPT_PROTOCOL, &protocol) ||
           mysql_options(m, MYSQL_OPT_LOCAL_INFILE, &no_files) ||
           mysql_options(m, MYSQL_SET_CHARSET_NAME, "utf8mb4") ||
           mysql_options(m, MYSQL_OPT_CONNECT_TIMEOUT, &url->connect_timeout) ||
           mysql_options(m, MYSQL_OPT_READ_TIMEOUT, &read_timeout) ||
           mysql_options(m, MYSQL_OPT_WRITE_TIMEOUT, &write_timeout) ||
           mysql_options4(m, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "mod_pypitoken") ||
           (url->ssl_ca && mysql_options(m, MYSQL_OPT_SSL_CA, url->ssl_ca)) ||
           (url->ssl_cert && mysql_options(m, MYSQL_OPT_SSL_CERT, url->ssl_cert)) ||
           (url->ssl_key && mysql_options(m, MYSQL_OPT_SSL_KEY, url->ssl_key)) ||
           db_mysql_compat_tls(m, url);
}

static db_rc_t db_mysql_open_connect(db_mysql_t *conn, int patient)
{
    const db_mysql_url_t *url = &conn->plan->url;
    const db_mysql_host_t *host = &url->hosts[conn->host];
    unsigned int code;

    conn->mysql = mysql_init(NULL);
    if (!conn->mysql || db_mysql_open_options(conn, patient)) {
        apr_snprintf(conn->why, sizeof(conn->why), "the client library refuses its options");
        return DB_ERROR;
    }
    if (mysql_real_connect(conn->mysql, host->name, url->user, conn->plan->password, url->database,
                           url->socket ? 0 : host->port, url->socket, CLIENT_FOUND_ROWS)) {
        db_mysql_compat_forget(conn->mysql);
        return DB_OK;
    }
    code = mysql_errno(conn->mysql);
    db_mysql_error_text(conn->why, sizeof(conn->why), code, mysql_error(conn->mysql));
    apr_cpystrn(conn->why + strlen(conn->why), db_mysql_error_hint(code),
                sizeof(conn->why) - strlen(conn->why));
    return db_mysql_error_connect(code);
}

/* Whatever the options of the library mean, nothing is said in clear text, or to a server that is
 * not the one that was named. */
static db_rc_t db_mysql_open_encrypted(db_mysql_t *conn)
{
    const db_mysql_url_t *url = &conn->plan->url;
    const char *doubt;

    if (url->tls != DB_MYSQL_TLS_OFF && !mysql_get_ssl_cipher(conn->mysql)) {
        apr_snprintf(conn->why, sizeof(conn->why),
                     "the server speaks clear text only; set up TLS there, or write tls=off");
        return DB_ERROR;
    }
    doubt = url->tls == DB_MYSQL_TLS_VERIFY ? db_mysql_compat_doubt(conn->mysql) : NULL;
    if (doubt) {
        apr_snprintf(conn->why, sizeof(conn->why),
                     "the server's certificate is not believed: %s; write ssl-ca=FILE for the "
                     "authority that signs it, and the host's name as it is there",
                     doubt);
        return DB_ERROR;
    }
    return DB_OK;
}

/* What a server says of itself: name and value of a variable or a status, ON or 1. */
static db_rc_t db_mysql_open_ask(db_mysql_t *conn, const char *sql, const char *name, int *on)
{
    MYSQL_RES *rows = NULL;
    db_rc_t rc = db_mysql_run(conn, sql, &rows);
    MYSQL_ROW row;

    *on = 0;
    while (rc == DB_OK && (row = mysql_fetch_row(rows))) {
        if (row[0] && row[1] && strcmp(row[0], name) == 0) {
            *on = strcmp(row[1], "ON") == 0 || strcmp(row[1], "1") == 0;
        }
    }
    if (rows) {
        mysql_free_result(rows);
    }
    return rc;
}

/* A Galera node must belong to its cluster, and its reads must wait for the others' writes. */
static db_rc_t db_mysql_open_galera(db_mysql_t *conn)
{
    int galera = 0, ready = 0;
    db_rc_t rc = db_mysql_open_ask(conn, "SHOW VARIABLES LIKE 'wsrep_on'", "wsrep_on", &galera);

    if (rc != DB_OK || !galera) {
        return rc;
    }
    rc = db_mysql_open_ask(conn, "SHOW STATUS LIKE 'wsrep_ready'", "wsrep_ready", &ready);
    if (rc == DB_OK && !ready) {
        apr_snprintf(conn->why, sizeof(conn->why), "the node does not belong to its cluster");
        return DB_LOST;
    }
    return rc == DB_OK ? db_mysql_run(conn, "SET SESSION wsrep_sync_wait = 1", NULL) : rc;
}

static db_rc_t db_mysql_open_settle(db_mysql_t *conn, int patient)
{
    unsigned int wait = patient                            ? DB_MYSQL_OPEN_LONG_LOCK
                        : conn->plan->url.read_timeout > 1 ? conn->plan->url.read_timeout - 1
                                                           : 1;
    char sql[512];
    db_rc_t rc;

    apr_snprintf(sql, sizeof(sql), DB_MYSQL_OPEN_SETTINGS, wait, wait);
    rc = db_mysql_run(conn, sql, NULL);
    if (rc == DB_OK) {
        rc = db_mysql_run(conn, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", NULL);
    }
    return rc == DB_OK ? db_mysql_open_galera(conn) : rc;
}

/* A server that takes no writes will do when there is no other. */
static db_rc_t db_mysql_open_writable(db_mysql_t *conn, int *writable)
{
    int read_only = 0;
    db_rc_t rc =
        db_mysql_open_ask(conn, "SHOW VARIABLES LIKE 'read_only'", "read_only", &read_only);

    *writable = !read_only;
    return rc;
}

/* ---- all hosts ---- */

/* Adds "host:port: reason" to why. */
static void db_mysql_open_say(char *why, apr_size_t size, const db_mysql_t *conn)
{
    const db_mysql_url_t *url = &conn->plan->url;
    const db_mysql_host_t *host = &url->hosts[conn->host];
    apr_size_t n = strlen(why);

    if (url->socket) {
        apr_snprintf(why + n, size - n, "%s: %s", url->socket, conn->why);
    } else {
        apr_snprintf(why + n, size - n, "%s%s:%u: %s", n ? "; " : "", host->name, host->port,
                     conn->why);
    }
}

static db_rc_t db_mysql_open_host(db_mysql_t **out, const db_mysql_plan_t *plan, int host,
                                  int patient, char *why, apr_size_t size, int *writable)
{
    db_mysql_t *conn = calloc(1, sizeof(*conn));
    db_rc_t rc;

    *out = conn;
    if (!conn) {
        apr_snprintf(why, size, "no memory");
        return DB_ERROR;
    }
    conn->plan = plan;
    conn->host = host;
    rc = db_mysql_open_connect(conn, patient);
    if (rc == DB_OK) {
        rc = db_mysql_open_encrypted(conn);
    }
    if (rc == DB_OK) {
        rc = db_mysql_open_settle(conn, patient);
    }
    if (rc == DB_OK && plan->url.n_hosts > 1) {
        rc = db_mysql_open_writable(conn, writable);
    }
    db_mysql_open_away(plan, host,
                       rc == DB_OK && *writable ? 0 : db_pool_now() + DB_MYSQL_OPEN_AWAY);
    if (rc != DB_OK) {
        db_mysql_open_say(why, size, conn);
        db_mysql_close(conn);
        *out = NULL;
    }
    return rc;
}

/* The first that takes writes, else the first that answers. DB_ERROR when one that failed needs
 * somebody's help. */
static db_rc_t db_mysql_open_any(db_mysql_t **best, const db_target_t *target, char *why,
                                 apr_size_t size)
{
    const db_mysql_plan_t *plan = target->plan;
    int i, writable = 0, order[DB_MYSQL_URL_HOSTS] = {0};
    db_rc_t rc = DB_LOST;

    *best = NULL;
    db_mysql_open_order(plan, order);
    for (i = 0; i < plan->url.n_hosts && !writable; i++) {
        db_mysql_t *conn;
        db_rc_t one;

        writable = 1;
        one = db_mysql_open_host(&conn, plan, order[i], target->patient, why, size, &writable);
        if (one != DB_OK) {
            writable = 0;
            rc = one == DB_ERROR ? DB_ERROR : rc;
        } else if (!*best || writable) {
            if (*best) {
                db_mysql_close(*best);
            }
            *best = conn;
        } else {
            db_mysql_close(conn);
        }
    }
    return *best ? DB_OK : rc;
}

db_rc_t db_mysql_open(void **out, const db_target_t *target, char *why, apr_size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char reasons[DB_WHY_MAX] = "";
    db_mysql_t *conn;
    db_rc_t rc;

    *out = NULL;
    (void)pthread_once(&once, db_mysql_open_library);
    db_mysql_compat_thread();
    rc = db_mysql_open_any(&conn, target, reasons, sizeof(reasons));
    if (rc == DB_OK) {
        *out = conn;
        return DB_OK;
    }
    apr_snprintf(why, size, "cannot %s the store %s: %s", rc == DB_LOST ? "reach" : "open",
                 target->place, reasons);
    return rc;
}
