/*
 * bench_store.c - what the databases cost by themselves: the least that a guard can cost who asks
 * one at every upload.
 *
 *   bench_store sqlite COUNT DIR
 *   bench_store mysql COUNT SOCKET PASSWORD DATABASE
 *
 * One thread, one connection, prepared statements, nobody else: COUNT times two rows of a table by
 * their key, each in a transaction of its own, as a token and a role are; then COUNT rows, each
 * added in a transaction. One line of JSON for each, with the seconds of processor time that this
 * took here. In MySQL the table "bench_rows" is there, with a row that is called "a".
 */
#include <mysql.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "bench_kit.h"

#define LOOK "SELECT v, n FROM bench_rows WHERE k = ?"
#define ADD  "INSERT INTO bench_log (v, n) VALUES (?, 1)"

static const char store_text[] =
    "a row of some length, as they are: 7f0e2a54-5a3c-4f51-8a63-0d3d3f0a7c11 and so on";

/* ---- SQLite ---- */

static void store_sqlite_once(sqlite3 *db, sqlite3_stmt *s, int want)
{
    int code = sqlite3_step(s);

    bench_check(code == want, sqlite3_errmsg(db));
    sqlite3_reset(s);
}

static sqlite3_stmt *store_sqlite_make(sqlite3 *db, const char *sql, const char *text)
{
    sqlite3_stmt *s = NULL;

    bench_check(sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    if (text) {
        sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC);
    }
    return s;
}

/* Two connections in turn: what one has in its cache is gone when the other has written. */
static void store_sqlite(long count, const char *dir)
{
    static const char *const tail[] = {"", "-wal", "-shm"};
    char path[4096], file[4110];
    sqlite3_stmt *look[2], *add[2];
    sqlite3 *db[2];
    double start;
    long i;

    bench_check(snprintf(path, sizeof(path), "%s/bench-store.db", dir) < (int)sizeof(path), dir);
    for (i = 0; i < 2; i++) {
        bench_check(
            sqlite3_open_v2(path, &db[i],
                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                            NULL) == SQLITE_OK,
            path);
        bench_check(sqlite3_exec(db[i],
                                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                 "CREATE TABLE IF NOT EXISTS bench_rows (k TEXT PRIMARY KEY, v "
                                 "TEXT, n INT) WITHOUT ROWID;"
                                 "CREATE TABLE IF NOT EXISTS bench_log (k INTEGER PRIMARY KEY, v "
                                 "TEXT, n INT);"
                                 "INSERT OR IGNORE INTO bench_rows VALUES ('a', 'b', 1)",
                                 NULL, NULL, NULL) == SQLITE_OK,
                    sqlite3_errmsg(db[i]));
        look[i] = store_sqlite_make(db[i], LOOK, "a");
        add[i] = store_sqlite_make(db[i], ADD, store_text);
    }
    start = bench_now();
    for (i = 0; i < 2 * count; i++) {
        store_sqlite_once(db[i % 2], look[i % 2], SQLITE_ROW);
    }
    bench_say("look", count, start);
    start = bench_now();
    for (i = 0; i < count; i++) {
        store_sqlite_once(db[i % 2], add[i % 2], SQLITE_DONE);
    }
    bench_say("add", count, start);
    for (i = 0; i < 2; i++) {
        sqlite3_finalize(look[i]);
        sqlite3_finalize(add[i]);
        sqlite3_close(db[i]);
    }
    for (i = 0; i < 3; i++) {
        snprintf(file, sizeof(file), "%s%s", path, tail[i]);
        unlink(file);
    }
}

/* ---- MariaDB and MySQL ---- */

static MYSQL_STMT *store_mysql_make(MYSQL *m, const char *sql, const char *text)
{
    MYSQL_STMT *s = mysql_stmt_init(m);
    MYSQL_BIND in;

    memset(&in, 0, sizeof(in));
    in.buffer_type = MYSQL_TYPE_STRING;
    in.buffer = (void *)text;
    in.buffer_length = strlen(text);
    bench_check(s && mysql_stmt_prepare(s, sql, strlen(sql)) == 0 && !mysql_stmt_bind_param(s, &in),
                mysql_error(m));
    return s;
}

static void store_mysql_look(MYSQL_STMT *s)
{
    char text[256];
    unsigned long length = 0;
    long long number = 0;
    MYSQL_BIND out[2];

    memset(out, 0, sizeof(out));
    out[0].buffer_type = MYSQL_TYPE_STRING;
    out[0].buffer = text;
    out[0].buffer_length = sizeof(text);
    out[0].length = &length;
    out[1].buffer_type = MYSQL_TYPE_LONGLONG;
    out[1].buffer = &number;
    bench_check(mysql_stmt_execute(s) == 0 && !mysql_stmt_bind_result(s, out) &&
                    mysql_stmt_fetch(s) == 0,
                mysql_stmt_error(s));
    mysql_stmt_free_result(s);
}

static void store_mysql(long count, char **argv)
{
    MYSQL *m = mysql_init(NULL);
    MYSQL_STMT *look, *add;
    double start;
    long i;

    bench_check(
        m && mysql_real_connect(m, "localhost", "pypitoken_admin", argv[1], argv[2], 0, argv[0], 0),
        m ? mysql_error(m) : "no memory");
    look = store_mysql_make(m, LOOK, "a");
    add = store_mysql_make(m, ADD, store_text);
    start = bench_now();
    for (i = 0; i < 2 * count; i++) {
        store_mysql_look(look);
    }
    bench_say("look", count, start);
    start = bench_now();
    for (i = 0; i < count; i++) {
        bench_check(mysql_stmt_execute(add) == 0, mysql_stmt_error(add));
    }
    bench_say("add", count, start);
    mysql_stmt_close(look);
    mysql_stmt_close(add);
    mysql_close(m);
}

int main(int argc, char **argv)
{
    long count = argc > 3 ? strtol(argv[2], NULL, 10) : 0;

    bench_check(count > 0, "sqlite COUNT DIR | mysql COUNT SOCKET PASSWORD DATABASE");
    if (strcmp(argv[1], "sqlite") == 0) {
        store_sqlite(count, argv[3]);
    } else {
        bench_check(strcmp(argv[1], "mysql") == 0 && argc > 5, "what?");
        store_mysql(count, argv + 3);
    }
    return 0;
}
