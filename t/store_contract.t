#!/usr/bin/python3
"""store_contract.t - the tests of the store, which make check runs on SQLite, on a real MariaDB: over its
socket, and over TCP with TLS. The account is the one of conf/mysql-grants.sql that may define nothing.

    t/store_contract.t          what make check runs
    t/store_contract.t all      every one, both ways
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, mariadb, tap  # noqa: E402

# The long ones are about what lies above the driver: once is enough.
BOTH = "explain store store_edit store_threads store_seal migrate people team".split()
ONCE = "store_fault trail narrow copy".split()


# What a connection of ours must not leave to the server: each of these would cut texts, lose characters, shift
# times, show what was not committed, or make tables without transactions.
UNLIKE = ["sql-mode=", "character-set-server=latin2", "collation-server=latin2_general_ci", "default-time-zone=+05:30",
          "transaction-isolation=READ-UNCOMMITTED", "default-storage-engine=MyISAM", "autocommit=0"]


def environment(db, how):
    options = {"db": "{db}"}
    env = {name: os.environ[name] for name in os.environ if "SAN_OPTIONS" in name or name == "TMPDIR"}
    env.update(PATH="/usr/bin:/bin", LC_ALL="C.UTF-8", PYPT_STORE=db.url(options["db"], how=how),
               PYPT_STORE_INIT=db.url(options["db"], "pypitoken_admin", how=how), PYPT_STORE_SECRET=db.secret,
               PYPT_STORE_ADMIN=db.socket, PYPT_STORE_GRANTS=db.path("grants.sql"))
    return env


def run(t, db, name, how):
    done = subprocess.run([os.path.join(BUILDDIR, "t/unit/test_" + name)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", env=environment(db, how),
                          check=False)
    bad = [line for line in done.stdout.split("\n") if line.startswith("not ok")]
    checks = sum(line.startswith("ok") for line in done.stdout.split("\n"))
    t.ok(done.returncode == 0 and not bad and checks > 5, "test_%s, %s: %d checks" % (name, how, checks),
         "\n".join(bad[:20]) or done.stdout[-2000:])


def ctl(db, name, *argv):
    return subprocess.run([os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", "--store",
                           db.url(name, "pypitoken_admin"), "--store-secret", db.secret, "--keyring",
                           db.path("keyring"), "--service", "index.test", *argv],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def strange(t, db):
    """Another program's database, values longer than most, and a table that somebody has changed."""
    db.database("alien")
    db.query("alien", "CREATE TABLE x (y INT)")
    done = ctl(db, "alien", "init")
    t.ok(done.returncode == 3 and "tables of another program" in done.stdout,
         "a database of another program is left alone", done)
    t.is_(list(db.query("alien", "SHOW TABLES")), [("x",)], "  nothing was made in it")
    t.is_(ctl(db, "rights", "user", "add", "--no-password", "long").returncode, 0, "a user")
    globs = ["a-rather-long-name-%02d-*" % i for i in range(40)]
    done = ctl(db, "rights", "token", "create", "--user", "long", *[x for glob in globs for x in ("--glob", glob)])
    t.is_(done.returncode, 0, "a token with a caveat of more than 256 bytes")
    said = ctl(db, "rights", "--json", "token", "list").stdout
    t.is_([glob for glob in globs if glob not in said], [], "  which is read to its end", said)
    db.query("rights", "ALTER TABLE users MODIFY disabled VARCHAR(9) NOT NULL")
    done = ctl(db, "rights", "user", "list")
    t.ok(done.returncode == 3 and "column" in done.stdout, "a column of another type is noticed", done)


def rights(t, db):
    """What conf/mysql-grants.sql leaves to an httpd that somebody has taken over: each table is there for it, and
    the trail and the schema stay as they are."""
    import pymysql
    db.database("rights")
    done = subprocess.run([os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", "--store",
                           db.url("rights", "pypitoken_admin"), "--store-secret", db.secret, "--keyring", db.path("keyring"),
                           "init"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    t.is_(done.returncode, 0, "tables for looking at rights", done.stdout)
    db.grant("rights")
    tables = [row[0] for row in db.query("rights", "SHOW TABLES")]

    def may(sql):
        connection = pymysql.connect(unix_socket=db.socket, user="pypitoken", password=mariadb.PASSWORD, database="rights")
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
            return True
        except pymysql.err.MySQLError as why:
            if why.args[0] not in (1044, 1142, 1143, 1227):  # denied
                raise
            return False
        finally:
            connection.close()

    t.is_([name for name in tables if not may("SELECT COUNT(*) FROM " + name)], [], "the module's account reads each table")
    t.ok(may("INSERT INTO events (at, kind) VALUES (1, 'x')"), "  and adds to the trail")
    denied = ["UPDATE events SET kind = 'y'", "DELETE FROM events", "TRUNCATE events", "DROP TABLE events",
              "ALTER TABLE events ADD COLUMN x INT", "CREATE TABLE x (i INT)", "CREATE INDEX x ON events (kind)",
              "CREATE TRIGGER x BEFORE INSERT ON events FOR EACH ROW SET NEW.kind = 'y'",
              "UPDATE schema_version SET version = 99", "DELETE FROM schema_version", "SELECT user FROM mysql.user",
              "SELECT '' INTO OUTFILE '/tmp/pypt-never'", "CREATE USER x", "GRANT SELECT ON rights.users TO pypitoken_admin@localhost"]
    t.is_([sql for sql in denied if may(sql)], [], "  but changes nothing in it, defines nothing, and sees nothing else")


def main(t):
    if mariadb.missing():
        t.skip_all("no " + mariadb.missing())
    every = sys.argv[1:] == ["all"]
    with mariadb.Mariadb(["innodb-flush-log-at-trx-commit=0", *UNLIKE]) as db:
        db.accounts()
        for host in ("localhost", "127.0.0.1"):
            db.query(None, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES "
                           "ON `pypt\\_%%`.* TO 'pypitoken_admin'@'%s'" % host)
        with open(db.path("grants.sql"), "w") as f:
            f.writelines(sql + ";\n" for sql in db.grants("pypitoken", "pypitoken"))
        rights(t, db)
        strange(t, db)
        before = db.query(None, "SHOW GLOBAL STATUS LIKE 'Ssl_accepts'")[0][1]
        for name in BOTH + ONCE:
            run(t, db, name, "socket")
        t.is_(db.query(None, "SHOW GLOBAL STATUS LIKE 'Ssl_accepts'")[0][1], before, "no TLS over the socket")
        for name in BOTH + (ONCE if every else []):
            run(t, db, name, "tls")
        t.ok(int(db.query(None, "SHOW GLOBAL STATUS LIKE 'Ssl_accepts'")[0][1]) > int(before) + 50,
             "and TLS over TCP")


tap.run(main)
