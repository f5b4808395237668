/* db_sqlite_open.c - from a path to a connection that is set up, or to a sentence that says why
 * not; see db_sqlite.h. */
#include "store/db_sqlite.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DB_SQLITE_OPEN_APPLICATION 1350128747 /* "PyTk", as in schema/sqlite/0001_base.sql */
#define DB_SQLITE_OPEN_PAUSE_MS    10
#define DB_SQLITE_OPEN_OTHERS_MS   500
#define DB_SQLITE_OPEN_WAL_KEEP    "16777216" /* bytes: a longer log is cut when it starts again */

/* Makes the file with the mode that it is to have, whatever the umask; SQLite gives its -wal and
 * -shm files the same. 0 also when it is there already, else errno. */
static int db_sqlite_open_create(const char *path)
{
    int error, fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0) {
        return errno == EEXIST ? 0 : errno;
    }
    error = fchmod(fd, S_IRUSR | S_IWUSR) ? errno : 0;
    close(fd);
    return error;
}

/* Finds what SQLite would only call "unable to open". Must not open the file: closing it again
 * would drop the locks that other connections of this process hold on it (POSIX). */
static db_rc_t db_sqlite_open_look(const char *path, int create, char *why, apr_size_t size)
{
    struct stat st;
    int error = create ? db_sqlite_open_create(path) : 0;

    if (!error && (stat(path, &st) ||
                   (S_ISREG(st.st_mode) && faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS)))) {
        error = errno;
    }
    if (error) {
        apr_snprintf(why, size, "cannot open the store %s: %s%s", path, strerror(error),
                     error == ENOENT && !create ? "; create it with 'pypitokenctl init'" : "");
        return DB_ERROR;
    }
    if (!S_ISREG(st.st_mode)) {
        apr_snprintf(why, size, "cannot open the store %s: it is not a regular file", path);
        return DB_ERROR;
    }
    return DB_OK;
}

/* The first column of a statement's first row as a number, or -1 with SQLite's code in *code. */
static apr_int64_t db_sqlite_open_number(sqlite3 *db, const char *sql, int *code)
{
    sqlite3_stmt *statement = NULL;
    apr_int64_t number = -1;

    *code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (*code == SQLITE_OK) {
        *code = sqlite3_step(statement);
        if (*code == SQLITE_ROW) {
            number = sqlite3_column_int64(statement, 0);
            *code = SQLITE_OK;
        }
    }
    sqlite3_finalize(statement);
    return number;
}

/* Before anything is written: an empty database or one of ours. Tables first: whoever makes ours
 * commits them and the number together, so that what has tables has its number by then. */
static int db_sqlite_open_ours(sqlite3 *db, const char *path, char *why, apr_size_t size)
{
    apr_int64_t id, tables;
    int code;

    tables = db_sqlite_open_number(db, "SELECT COUNT(*) FROM sqlite_master", &code);
    if (code == SQLITE_OK) {
        id = db_sqlite_open_number(db, "PRAGMA application_id", &code);
        if (code == SQLITE_OK && (id == DB_SQLITE_OPEN_APPLICATION || (id == 0 && tables == 0))) {
            return SQLITE_OK;
        }
    }
    if (code == SQLITE_OK || code == SQLITE_NOTADB) {
        apr_snprintf(why, size, "cannot use the store %s: it is %s; name another file", path,
                     code == SQLITE_OK ? "the database of another program"
                                       : "not an SQLite database");
        return SQLITE_ERROR;
    }
    return code;
}

/* SQLite does not wait for the others when the mode changes (it would wait with a lock in hand,
 * as they might): of several that open a new database all but one are told that it is busy. */
static int db_sqlite_open_mode(sqlite3 *db)
{
    int code, waited;

    for (waited = 0;; waited += DB_SQLITE_OPEN_PAUSE_MS) {
        code = sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if ((code & 0xff) != SQLITE_BUSY || waited >= DB_SQLITE_BUSY_MS) {
            return code;
        }
        sqlite3_sleep(DB_SQLITE_OPEN_PAUSE_MS);
    }
}

/* SQLite's own waits a millisecond at the least, and up to a tenth of a second later on; but a
 * writer holds the lock for some microseconds, and the next one has it at once who asks just then.
 * So whoever waits asks often, for as long as it may only be that. */
static int db_sqlite_open_busy(void *data, int tries)
{
    unsigned pause = tries < 100 ? 50u << (tries < 2 ? tries : 2) : 2000u; /* microseconds */
    db_sqlite_t *conn = data;

    if (tries == 0) {
        conn->waited = 0;
    }
    conn->waited += pause;
    if (conn->waited > conn->patience * 1000) {
        return 0;
    }
    usleep(pause);
    return 1;
}

static int db_sqlite_open_wal(void *data, sqlite3 *db, const char *name, int pages)
{
    db_sqlite_t *conn = data;

    (void)db;
    (void)name;
    conn->pages = pages;
    atomic_store(conn->grown, (unsigned int)pages);
    return SQLITE_OK;
}

/* The log's hook takes the place of SQLite's own, which would move the log at some commit. */
static int db_sqlite_open_settle(db_sqlite_t *conn, const char *path, char *why, apr_size_t size)
{
    sqlite3 *db = conn->db;
    int code = db_sqlite_open_ours(db, path, why, size);

    if (code == SQLITE_OK && sqlite3_db_readonly(db, "main")) {
        apr_snprintf(why, size, "cannot use the store %s: it cannot be written", path);
        code = SQLITE_READONLY;
    }
    if (code == SQLITE_OK) {
        code = db_sqlite_open_mode(db);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db,
                            "PRAGMA synchronous = NORMAL; "
                            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; "
                            "PRAGMA trusted_schema = OFF; "
                            "PRAGMA journal_size_limit = " DB_SQLITE_OPEN_WAL_KEEP,
                            NULL, NULL, NULL);
    }
    if (code == SQLITE_OK &&
        db_sqlite_open_number(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &code) !=
            1 &&
        code == SQLITE_OK) {
        apr_snprintf(why, size,
                     "cannot use the store %s: no write-ahead log is possible there; put it on a "
                     "local disk",
                     path);
        code = SQLITE_ERROR;
    }
    sqlite3_wal_hook(db, db_sqlite_open_wal, conn);
    return code;
}

static int db_sqlite_open_once(db_sqlite_t *conn, const char *full, const char *path, char *why,
                               apr_size_t size)
{
    int code = sqlite3_open_v2(full, &conn->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(conn->db, 1);
        sqlite3_busy_handler(conn->db, db_sqlite_open_busy, conn);
        code = db_sqlite_open_settle(conn, path, why, size);
    }
    return code;
}

/* When root (pypitokenctl) is the first to open a store that is httpd's, the log is root's for a
 * moment, until SQLite has given it away; who comes in that moment cannot open it. */
static int db_sqlite_open_patiently(db_sqlite_t *conn, const char *full, const char *path,
                                    char *why, apr_size_t size)
{
    int code, waited;

    for (waited = 0;; waited += DB_SQLITE_OPEN_PAUSE_MS) {
        code = db_sqlite_open_once(conn, full, path, why, size);
        if ((code & 0xff) != SQLITE_CANTOPEN || waited >= DB_SQLITE_OPEN_OTHERS_MS) {
            return code;
        }
        sqlite3_close(conn->db);
        conn->db = NULL;
        sqlite3_sleep(DB_SQLITE_OPEN_PAUSE_MS);
    }
}

db_rc_t db_sqlite_open(void **out, const db_target_t *target, char *why, apr_size_t size)
{
    /* "./" keeps SQLite from reading meaning into names such as ":memory:" */
    const char *path = target->place, *prefix = *path == '/' ? "" : "./";
    db_rc_t rc = db_sqlite_open_look(path, target->create, why, size);
    db_sqlite_t *conn;
    char full[4096];
    int code;

    *out = NULL;
    if (rc != DB_OK) {
        return rc;
    }
    conn = calloc(1, sizeof(*conn));
    if (!conn || !sqlite3_threadsafe() ||
        apr_snprintf(full, sizeof(full), "%s%s", prefix, path) >= (int)sizeof(full) - 1) {
        apr_snprintf(why, size,
                     "cannot open the store %s: no memory, no threads or a name that "
                     "is too long",
                     path);
        free(conn);
        return DB_ERROR;
    }
    conn->grown = target->grown;
    conn->sync = DB_SOON;
    conn->patience = DB_SQLITE_BUSY_MS;
    conn->many = DB_SQLITE_MANY;
    code = db_sqlite_open_patiently(conn, full, path, why, size);
    if (code == SQLITE_OK) {
        *out = conn;
        return DB_OK;
    }
    if (!why[0]) {
        apr_snprintf(why, size, "cannot open the store %s: %s", path, sqlite3_errmsg(conn->db));
    }
    db_sqlite_close(conn);
    rc = db_sqlite_rc(code);
    return rc == DB_BUSY ? rc : DB_ERROR;
}
