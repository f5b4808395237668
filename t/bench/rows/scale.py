"""scale.py - many tokens, many connections, many uploads with one token."""

import os
import socket
import threading
import time
import uuid

from pypt import BUILDDIR, site, store, tap
from pypt.httpd import free_port

from . import core, load, small, table

ROWS = {
    "tokens": "p50 and p99 of an upload with 1,000,000 tokens / with 1,000",
    "listing": "memory that pypitokenctl's lists take over those",
    "idle": "p99 of uploads beside 4,096 idle and 200 slow clients / without",
    "shared": "uploads with one token and MariaDB: lock waits, and what is written down",
    "sizes": "what the guard adds by the size of the body, for the chart",
}

USERS = "INSERT INTO users (id, name, password, disabled, created, fold, epoch) VALUES (?, ?, NULL, 0, 0, ?, 0)"
PROJECTS = "INSERT INTO projects (id, name, norm, confirmed, created) VALUES (?, ?, ?, 1, 0)"
ROLES = "INSERT INTO roles (project_id, user_id, role) VALUES (?, ?, 2)"
TOKENS = ("INSERT INTO tokens (id, user_id, name, scope, sealed_key, created, expires, used) "
          "VALUES (?, ?, ?, ?, ?, ?, 0, 0)")
CAVEATS = "INSERT INTO token_caveats (token_id, seq, caveat) VALUES (?, 0, ?)"
SCOPES = "INSERT INTO token_projects (token_id, project) VALUES (?, ?)"


# ---- a full store ----

def _rows(tokens):
    """Statement and rows of a store with so many tokens, a fifth as many users, a tenth as many projects. What is
    sealed is not: those tokens are only there."""
    def made(n):
        return [str(uuid.UUID(int=(n << 100) + i * 0x9e3779b97f4a7c15 % (1 << 96))) for i in range(max(1, tokens // n))]
    users, projects, ids = made(5), made(10), made(1)
    yield USERS, ((u, "user%d" % i, "user%d" % i) for i, u in enumerate(users))
    yield PROJECTS, ((p, "Project.%d" % i, "project-%d" % i) for i, p in enumerate(projects))
    yield ROLES, ((p, users[i % len(users)]) for i, p in enumerate(projects))
    yield TOKENS, ((t, users[i % len(users)], "token %d" % i, "project-%d" % (i % len(projects)), bytes(80), i)
                   for i, t in enumerate(ids))
    yield CAVEATS, ((t, b'[3, "%s"]' % users[i % len(users)].encode()) for i, t in enumerate(ids) if i % 4 == 0)
    yield SCOPES, ((t, "project-%d" % (i % len(projects))) for i, t in enumerate(ids))


def fill(kept, tokens):
    """Into the store of a site, in one transaction."""
    db = kept.connect()
    try:
        if isinstance(kept, store.Sqlite):
            db.execute("PRAGMA cache_size = -200000")
            db.execute("BEGIN IMMEDIATE")
            for sql, rows in _rows(tokens):
                db.executemany(sql, rows)
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        db.begin()
        with db.cursor() as cursor:
            for sql, rows in _rows(tokens):
                cursor.executemany(sql.replace("?", "%s"), rows)
        db.commit()
    finally:
        db.close()


class Bench:
    """One httpd, several stores of different sizes, each on a port of its own; all of one kind."""

    def __init__(self, s, sizes):
        self.s, self.ports, self.auths, self.stores, config = s, {}, {}, {}, load.STEADY
        own = s.store
        for size in sizes:
            kept = own if isinstance(own, store.Mysql) else store.Sqlite(s, "store/%d.db" % size)
            if isinstance(own, store.Mysql):
                kept = store.Mysql(s, own.server, "tokens%d" % size)
                kept.server.database(kept.name)
            s.store = kept
            s.init("alice")
            self.auths[size] = load.basic(s.token("alice", "bench").user)
            fill(kept, size)
            self.stores[size], self.ports[size] = kept, free_port()
            config += ('Listen 127.0.0.1:{0}\n<VirtualHost 127.0.0.1:{0}>\n{1}PyPITokenKeyring "{2}"\n'
                       "PyPITokenService index.test\n</VirtualHost>\n").format(self.ports[size], kept.line(),
                                                                              s.path("keyring"))
        config += load.PLAIN % "/none" + load.GUARDED % ("/upload", "PyPITokenMaxSpools 100", "bench-sink")
        s.start(locations="", more=load.module() + config)
        s.httpd.more_ports = self.ports.values()
        self.body = load.body(s, "body.bin")

    def run(self, size, seconds, clients=8):
        return load.wrk(self.ports[size], "/upload", self.body, self.auths[size], seconds, clients,
                        cpu=[self.s.httpd.proc.pid])


def _tokens(result, s, kind):
    sizes = result.size([100, 5000], [1000, 10000, 100000, 1000000])
    bench = Bench(s, sizes)
    row = "tokens in " + kind
    for size in sizes:
        bench.run(size, 1)
    for _, size in table.turns(sizes, result.rounds(7)):
        got = bench.run(size, result.size(1, 2))
        result.add(row, str(size), p50=got["p50"], p99=got["p99"], cpu=got["cpu"])
    least, most = str(sizes[0]), str(sizes[-1])
    for name in ("p50", "p99"):
        result.figure("tokens", "%s: %s with %s tokens" % (kind, name, least), least, name, "us", of=row)
        result.ratio("tokens", "%s: %s with %s tokens / that" % (kind, name, most), most, least, name, ("<=", 1.2), row)
    result.series[row] = {size: [result.median(row, str(size), "p50"), result.median(row, str(size), "p99")]
                          for size in sizes}
    return bench


# ---- listing ----

LISTS = (["token", "list"], ["token", "list", "--user", "user1"], ["token", "list", "--project", "project-1"],
         ["user", "list"], ["project", "list"], ["project", "list", "--owner", "user1"], ["events"],
         ["events", "--user", "user1"])


def _listed(bench, size, words):
    """KiB at the most, and seconds, of one list over the store of that size."""
    kept = bench.stores[size]
    began = time.monotonic()
    done = core.tool("run", 1, 1, os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", *kept.options(),
                     "--keyring", bench.s.path("keyring"), "--service", "index.test", *words)
    return done[0]["kib"], time.monotonic() - began


def _listing(result, bench):
    # more rows than are held for their widths, and SQLite's own cache is full
    least, most = sorted(bench.stores)[-3 if len(bench.stores) > 2 else 0], max(bench.stores)
    for words in LISTS:
        name = " ".join(words)
        for size in (least, most):
            kib, seconds = _listed(bench, size, words)
            result.add("listing", "%s %d" % (name, size), kib=kib, seconds=seconds)
        result.line("listing", "%s, %d tokens" % (name, most), result.values("listing", "%s %d" % (name, most), "kib"),
                    "KiB", note="%.2f s" % result.median("listing", "%s %d" % (name, most), "seconds"))
        result.ratio("listing", "%s: memory over %d / over %d" % (name, most, least), "%s %d" % (name, most),
                     "%s %d" % (name, least), "kib", ("<=", 1.5))


# ---- idle and slow clients ----

# what httpd ships with, and room for so many connections that wait: by default it takes 1200 at the most, less
# what workers are busy ("AsyncRequestWorkerFactor" in its manual)
USUAL = """\
StartServers 2
ThreadsPerChild 25
MaxRequestWorkers {workers}
ServerLimit 16
MinSpareThreads 25
MaxSpareThreads 400
KeepAliveTimeout 120
AsyncRequestWorkerFactor 32
MaxKeepAliveRequests 0
RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500
"""


class Crowd:
    """Idle clients that have had an answer, and slow ones that send an upload at 1 kB a second."""

    def __init__(self, port, auth, idle, slow):
        self.over, self.idle, self.slow = threading.Event(), [], []
        for _ in range(idle):
            s = socket.create_connection(("127.0.0.1", port))
            s.sendall(b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n")
            s.recv(4096)
            self.idle.append(s)
        for _ in range(slow):
            s = socket.create_connection(("127.0.0.1", port))
            s.sendall(load.head("/upload", auth, 1 << 20) + b"--")
            self.slow.append(s)
        self.thread = threading.Thread(target=self._drip)
        self.thread.start()

    def _drip(self):
        """A kilobyte to each every second, in their turn."""
        first = ("--%s\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\n" % load.dist.BOUNDARY).encode()[2:]
        for s in self.slow:
            s.sendall(first)
        while not self.over.wait(1):
            for s in self.slow:
                self._more(s)

    @staticmethod
    def _more(s):
        try:
            s.sendall(b"x" * 1000)
        except OSError:  # alive() tells
            pass

    def alive(self):
        """How many slow ones are not refused, how many idle ones not closed."""
        def open_(s):
            s.setblocking(False)
            try:
                return s.recv(1, socket.MSG_PEEK) != b"" and False
            except BlockingIOError:
                return True
            finally:
                s.setblocking(True)
        return sum(map(open_, self.slow)), sum(map(open_, self.idle))

    def end(self):
        self.over.set()
        self.thread.join()
        for s in self.idle + self.slow:
            s.close()


def _idle(result, s):
    idle, slow = result.size((64, 8), (4096, 200))
    s.init("alice")
    auth = load.basic(s.token("alice", "bench").user)
    s.start(locations="", more=load.module() + USUAL.format(workers=400) + load.PLAIN % "/none" + load.GUARDED % (
        "/upload", "PyPITokenMaxSpools 400", "bench-sink"))
    file = load.body(s, "body.bin")

    def run(variant):
        got = load.wrk(s.httpd.port, "/upload", file, auth, result.size(1, 3), 8)
        result.add("idle", variant, p50=got["p50"], p99=got["p99"])
    run("warm")
    for _ in range(result.rounds(5)):
        run("alone")
        crowd = Crowd(s.httpd.port, auth, idle, slow)
        time.sleep(result.size(0.2, 2))  # the children that they take are there
        run("crowd")
        kept = crowd.alive()
        result.add("idle", "kept", slow=kept[0], idle=kept[1])
        crowd.end()
        time.sleep(result.size(0.2, 2))
    result.figure("idle", "p99 alone", "alone", "p99", "us")
    result.ratio("idle", "p99 beside %d idle and %d slow ones / that" % (idle, slow), "crowd", "alone", "p99", ("<=", 2))
    result.figure("idle", "slow ones that were still being read", "kept", "slow", "", target=(">=", slow))
    result.figure("idle", "idle ones that were still connected", "kept", "idle", "")


# ---- one token for all ----

def _status(server, *names):
    return {name: int(server.query(None, "SHOW GLOBAL STATUS LIKE %s", name)[0][1]) for name in names}


def _shared(result, s):
    server = load.database()
    s.store = store.Mysql(s, server, "shared")
    server.database("shared")
    s.init("alice")
    auth = load.basic(s.token("alice", "bench").user)
    s.start(locations="", more=load.STEADY + load.module() + load.GUARDED % ("/upload", "", "bench-sink"))
    file = load.body(s, "body.bin")
    names = ("Innodb_row_lock_waits", "Innodb_row_lock_time", "Innodb_deadlocks")
    load.wrk(s.httpd.port, "/upload", file, auth, 1, 32)
    for _ in range(result.rounds(5)):
        count = "SELECT COUNT(*) FROM events WHERE kind = 'upload'"
        before, events = _status(server, *names), s.store.rows(count)[0][0]
        got = load.wrk(s.httpd.port, "/upload", file, auth, result.size(1, 5), 32)
        time.sleep(1)  # those that wrk no longer waited for
        after, written = _status(server, *names), s.store.rows(count)[0][0] - events
        waits = after[names[0]] - before[names[0]]
        result.add("shared", "run", rate=got["rate"], waits=waits, lost=max(0, got["requests"] - written),
                   longest=(after[names[1]] - before[names[1]]) / waits if waits else 0,
                   deadlocks=after[names[2]] - before[names[2]])
    last = s.store.rows("SELECT used FROM tokens WHERE used > 0")
    result.figure("shared", "uploads a second", "run", "rate", "/s", target=(">=", 1000))
    result.figure("shared", "row lock waits in a run", "run", "waits", "")
    result.figure("shared", "mean of those waits", "run", "longest", "ms", target=("<=", 10))
    result.figure("shared", "deadlocks", "run", "deadlocks", "", target=("<=", 0))
    result.figure("shared", "answered uploads that no event tells of", "run", "lost", "", target=("<=", 0))
    result.line("shared", "tokens whose row tells of a use", [len(last)], target=(">=", 1))


# ---- by size ----

def _sizes(result, s):
    from . import big
    bench = big.Bench(s)
    sizes = result.size([2 << 10, 1 << 20], [2 << 10, 16 << 10, 128 << 10, 1 << 20, 8 << 20, 64 << 20])
    for size in sizes:
        form, times = big.Form(size), result.size(2, max(4, min(200, (256 << 20) // size)))
        for _ in range(result.rounds(5)):
            for variant, path, auth in (("none", "/none", None), ("guard", "/sink", bench.auth)):
                before = load.seconds_of(_family(s))
                began = time.monotonic()
                for _ in range(times):
                    bench.post(path, auth, form)
                result.add("sizes %d" % size, variant, us=(time.monotonic() - began) / times * 1e6,
                           cpu=(load.seconds_of(_family(s)) - before) / times * 1e6)
        row = "sizes %d" % size
        result.ratio("sizes", "%d KiB: time of an upload, no guard / guard" % (size >> 10), "none", "guard", "us", of=row)
        result.series.setdefault("sizes", {})[size] = [result.median(row, v, "us") for v in ("none", "guard")]


def _family(s):
    from pypt.httpd import children
    return [s.httpd.proc.pid, *children(s.httpd.proc.pid)]


def measure(result, rows):
    t = tap.Tap()
    t.ok = lambda good, name, diag="": good or result.fail("scale", "%s\n%s" % (name, diag))
    if small.missing():
        for row in rows:
            result.skip(row, "no " + small.missing())
        return
    if {"tokens", "listing"} & set(rows):
        with site.Site(t, "sqlite") as s:
            bench = _tokens(result, s, "SQLite")
            if "listing" in rows:
                _listing(result, bench)
    if "tokens" in rows and result.asked.full:
        with site.Site(t, lambda s: store.Mysql(s, load.database(), "unused")) as s:
            _tokens(result, s, "MariaDB")
    for row, what in (("idle", _idle), ("shared", _shared), ("sizes", _sizes)):
        if row in rows:
            with site.Site(t, "sqlite") as s:
                s.allow("AH10159|AH00484|AH02282|AH01276")
                what(result, s)
