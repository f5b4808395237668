#!/usr/bin/python3
"""store_copy.t - moving house with "pypitokenctl store copy": from SQLite to a MariaDB and back, every row and
every token as it was; all or nothing, also when it is killed; who is in the way; what people and programs see."""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
import types

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, SRCDIR, dist, mariadb, poll, site, store, tap, totp  # noqa: E402

SPARED = ("schema_version", "front_ends", "sqlite_sequence")
EVENTS = 1200  # more than one page of progress


def tables(s):
    """The store's tables and their columns."""
    if isinstance(s.store, store.Mysql):
        names = [row[0] for row in s.store.rows("SHOW TABLES")]
    else:
        names = [row[0] for row in s.store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: s.store.columns(name) for name in names if name not in SPARED}


def rows(s, event=None):
    """All that is remembered, as it looks from outside: {table: sorted rows, columns by name}. Without that event."""
    found = {}
    for name, columns in tables(s).items():
        columns = sorted(columns)
        got = s.store.rows("SELECT %s FROM %s" % (", ".join(columns), name))
        if name == "events":
            got = [row for row in got if row[columns.index("id")] != event]
        found[name] = sorted((tuple(row) for row in got), key=repr)
    return found


def differ(one, other):
    """Which tables are not the same, and a row of each."""
    return {name: [pair for pair in zip(one[name], other[name]) if pair[0] != pair[1]][:1] or "other numbers of rows"
            for name in one if one[name] != other.get(name)}


def count(s):
    return sum(len(part) for part in rows(s).values())


def target(s):
    """The options of a copy to that site's store."""
    if isinstance(s.store, store.Mysql):
        return ["--to", s.store.url("pypitoken_admin"), "--to-secret", s.store.server.secret]
    return ["--to", "sqlite:" + s.store.path()]


def copy(a, b, *options):
    return a.ctl_run(*options, "store", "copy", *target(b))


def argv(a, b, *options):
    return [os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", *a.store.options(), *options, "store",
            "copy", *target(b)]


# ---- what there is to be moved ----

def furnish(s):
    """Users with and without factors, tokens of every kind, some used, one spent, one revoked. The tokens."""
    s.init("alice", "bob")
    s.second_factor("alice")
    s.ctl("recovery-codes", "alice")
    s.start()
    alice = s.token("alice")
    known = {"wide": alice, "project": s.token("alice", "demo"), "bob": s.token("bob"), "gone": s.token("alice"),
             "spent": alice.narrow([1004, 1]), "field": s.token("alice", "Field.Work")}
    statuses = [s.upload(dist.sdist(name, "1.0"), known[key]).status for name, key in (
        ("first", "wide"), ("second", "spent"), ("demo", "project"), ("bobs", "bob"), ("field-work", "field"))]
    s.ctl("token", "narrow", known["field"].id, "--kind", "sdist", "--version", "1.*")
    s.ctl("token", "revoke", known["gone"].id)
    s.ctl("role", "add", "demo", "bob", "maintainer")
    s.upload(dist.sdist("demo", "1.1"), known["gone"])
    return known, statuses


def more_events(s):
    s.store.write(*(("INSERT INTO events (at, kind, detail) VALUES (?, 'login', ?)", (i + 1, "d%d" % i))
                    for i in range(EVENTS)))


def judged(s, known):
    """What a store says of each token."""
    out = {}
    for name, token in known.items():
        done = s.ctl_run("--json", "token", "inspect", "--verify", text=token.text + "\n")
        out[name] = (done.returncode, done.stdout)
    return out


def works(t, s, known):
    """The tokens once more, in real uploads."""
    s.start()
    n = dist.sdist("first", "2.0")
    t.is_(s.upload(n, known["wide"]).status, 200, "  a token uploads where its owner owns")
    for key, name, says in (("gone", "first", "revoked"), ("spent", "second", "none is left"), ("bob", "first", "role"),
                            ("project", "first", "not valid for project"), ("field", "field-work", "version caveat")):
        r = s.upload(dist.sdist(name, "2.1"), known[key])
        t.ok(r.status == 403 and says in r.reason, "  %s: %s" % (key, says), r)
    t.is_(s.upload(dist.sdist("demo", "2.2"), known["project"]).status, 200, "  a project's token for its project")


# ---- who is in the way ----

def front_end(s, host, pid, seen):
    s.store.write(("INSERT INTO front_ends (id, host, pid, key_ids, schema_want, seen) VALUES (?, ?, ?, ?, ?, ?)",
                   ("f", host, pid, "k", 2, seen)))


def in_use(t, a, b):
    if not poll.until(lambda: a.store.rows("SELECT 1 FROM front_ends")):
        t.ok(False, "httpd is on the list of front ends")
    done = copy(a, b)
    t.ok(done.returncode == 1 and "stop httpd there first" in done.stderr and re.search(r"httpd on \S+ \(pid \d+\) uses sqlite:",
         done.stderr), "a store that an httpd serves from: refused", done)
    a.httpd.stop()
    t.is_(a.store.rows("SELECT COUNT(*) FROM front_ends")[0][0], 0, "  it stops")
    gone = int(time.time())
    front_end(a, "other.example", 7, gone)
    done = copy(a, b)
    t.ok(done.returncode == 1 and "httpd on other.example (pid 7)" in done.stderr and "--force" in done.stderr,
         "  one on another machine: refused, too", done)
    a.store.write(("UPDATE front_ends SET seen = ?", (gone - 3600,)))


def unready(t, a, b):
    done = a.ctl_run("store", "copy")
    t.is_(done.returncode, 2, "without --to: usage")
    done = copy(a, b)
    t.ok(done.returncode == 1 and "no tables yet: run 'pypitokenctl init'" in done.stderr, "a target without tables", done)
    done = a.ctl_run("store", "copy", "--to", "sqlite:" + a.path("nowhere.db"))
    t.ok(done.returncode == 3 and "pypitokenctl init" in done.stderr and not os.path.exists(a.path("nowhere.db")),
         "a target that is not there", done)
    done = a.ctl_run("store", "copy", "--to", "mysql://pypitoken@localhost/x?socket=/nowhere", "--to-secret", b.store.server.secret)
    t.ok(done.returncode == 3 and "cannot reach the store" in done.stderr, "a server that is not there", done)


def awaited(t, a, b):
    """An httpd that serves from the empty store already would write into it."""
    front_end(b, "early.example", 8, int(time.time()))
    done = copy(a, b)
    t.ok(done.returncode == 1 and "early.example (pid 8) uses mysql:" in done.stderr and count(b) == 0,
         "a target that an httpd serves from: refused", done)
    b.store.write(("DELETE FROM front_ends WHERE id = ?", ("f",)))


# ---- the ways ----

def killed(t, a, b, lock, what):
    """SIGKILL in the middle of it, held there by a table of the MariaDB that somebody else has locked."""
    connection = lock.store.connect()
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLES events WRITE")
        with subprocess.Popen(argv(a, b), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            waits = poll.until(lambda: lock.store.rows("SELECT 1 FROM information_schema.processlist WHERE state LIKE "
                                                       "'Waiting for table%'"))
            process.kill()
            process.wait()
        cursor.execute("UNLOCK TABLES")
    connection.close()
    t.ok(waits, what + ": killed before the last table")
    t.ok(poll.until(lambda: count(b) == 0), "  nothing is in the target", count(b))


def moved(t, a, b, known, what):
    """The copy, as a program sees it."""
    before = judged(a, known)
    done = copy(a, b, "--json")
    t.is_(done.returncode, 0, what, done.stderr)
    answer = json.loads(done.stdout)
    told = b.events()[-1]
    there, here = rows(b, told["id"]), rows(a)
    t.is_(sorted(there), sorted(here), "  the same tables")
    t.is_(differ(here, there), {}, "  every column of every row is the same")
    t.is_({row["table"]: row["rows"] for row in answer["tables"]}, {name: len(part) for name, part in here.items()},
          "  --json has the number of rows of each table")
    t.ok(answer["rows"] == sum(len(part) for part in here.values()) and all(
        re.fullmatch(r"[0-9a-f]{64}", row["digest"]) for row in answer["tables"] + [answer]), "  and digests", answer)
    empty = [name for name, part in here.items() if not part]
    t.is_(empty, [], "  and every table had rows")
    t.ok(told["kind"] == "store-copied" and told["user"].startswith("cli:") and told["detail"].startswith("from "),
         "  the trail tells where it comes from", told)
    t.is_(judged(b, known), before, "  every token is judged as before")
    done = copy(a, b)
    t.ok(done.returncode == 1 and "is not empty" in done.stderr, "  a second time: refused", done)
    t.is_(differ(here, rows(b, told["id"])), {}, "  and nothing is touched")
    return answer


# ---- backups, as doc/store has them ----

def documented(command):
    """The page has this command."""
    with open(os.path.join(SRCDIR, "doc/store")) as f:
        return command in f.read()


def backed_up_file(t, s):
    """An SQLite store that an httpd serves from; what is in its log only is in the backup, too."""
    copy = store.Sqlite(s, "backup.db")
    done = subprocess.run(["sqlite3", s.store.path(), ".backup '%s'" % copy.path()], check=False)
    t.ok(documented("\".backup '/backup/store.db'\"") and done.returncode == 0, "doc/store: a backup of SQLite's while it is in use")
    t.is_(differ(rows(s), rows(types.SimpleNamespace(store=copy))), {}, "  has all of it")


def backed_up_database(t, s):
    server, name = s.store.server, s.store.name + "_again"
    dump = subprocess.run(["mariadb-dump", "--no-defaults", "--socket=" + server.socket, "--user=root", "--single-transaction",
                           s.store.name], stdout=subprocess.PIPE, check=False)
    t.ok(documented("mariadb-dump --single-transaction pypitoken") and dump.returncode == 0, "and a dump of MariaDB's")
    server.database(name)
    done = subprocess.run(["mariadb", "--no-defaults", "--socket=" + server.socket, "--user=root", name], input=dump.stdout,
                          check=False)
    again = store.Mysql(s, server, name)
    t.is_((done.returncode, differ(rows(s), rows(types.SimpleNamespace(store=again)))), (0, {}), "  read again, has all of it")
    done = s.ctl_run("doctor", store=again)
    t.ok("the keyring opens the newest token" in done.stdout, "  and doctor says that the keyring fits", done)


def on_a_terminal(t, a, b):
    """People see how far it is; the answer is on standard output."""
    master, slave = pty.openpty()
    with subprocess.Popen(argv(a, b, "--force"), stdout=subprocess.PIPE, stderr=slave, text=True) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        out = process.stdout.read()
    os.close(master)
    t.ok(process.returncode == 0 and re.search(r"copying +events +1000", shown.decode()) and
         re.search(r"comparing +events", shown.decode()), "on a terminal the progress is shown", shown[-300:])
    t.ok(re.search(r"^events +\d+$", out, re.M) and "the same as in" in out and "keyring stays the same" in out,
         "  and what comes next is said", out)


def owner(t, s):
    if os.geteuid() == 0:
        names = os.listdir(s.path("store"))
        wrong = [name for name in names if os.stat(s.path("store", name)).st_uid == 0]
        t.ok(names and not wrong, "  httpd's user owns the files still", wrong)


def second(t, first, kind):
    s = site.Site(t, kind)
    shutil.copy(first.path("keyring"), s.path("keyring"))
    shutil.copystat(first.path("keyring"), s.path("keyring"))
    s.give("keyring")
    s.secrets |= first.secrets
    return s


def ready(s):
    s.ctl("init")
    s.store.made()
    return s


def main(t):
    site.need(t)
    if mariadb.missing():
        t.skip_all("no " + mariadb.missing())
    with site.Site(t, "sqlite") as a:
        known, statuses = furnish(a)
        t.is_(statuses, [200] * 5, "five uploads before")
        more_events(a)
        backed_up_file(t, a)
        with second(t, a, "mysql") as b, second(t, a, "sqlite") as c, second(t, a, "sqlite") as d:
            in_use(t, a, b)
            unready(t, a, b)
            ready(b)
            awaited(t, a, b)
            killed(t, a, b, b, "SQLite to MariaDB")
            there = moved(t, a, b, known, "SQLite to MariaDB")
            works(t, b, known)
            backed_up_database(t, b)
            b.httpd.stop()
            ready(c)
            killed(t, b, c, b, "MariaDB to SQLite")
            back = moved(t, b, c, known, "MariaDB to SQLite")
            owner(t, c)
            works(t, c, known)
            c.httpd.stop()
            same = {row["table"] for row in there["tables"]} - {"events", "tokens", "token_uses", "projects"}
            t.is_([row for row in there["tables"] if row["table"] in same],
                  [row for row in back["tables"] if row["table"] in same], "the digests are those of before")
            front_end(c, "killed.example", 9, int(time.time()))
            t.is_(copy(c, ready(d)).returncode, 1, "a front end that was killed is in the way")
            on_a_terminal(t, c, d)
            owner(t, d)
            t.is_(differ(rows(c), rows(d, d.events()[-1]["id"])), {}, "  --force copies all that is there")


tap.run(main)
