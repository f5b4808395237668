#!/usr/bin/python3
"""overload.t - too much to do is no refusal: PyPITokenMaxSpools over all children, places that come back,
refused bodies that may not take all workers, a store that is locked or gone."""
import concurrent.futures
import os
import re
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, mariadb, poll, site, tap, wire  # noqa: E402

BYTES = 'CustomLog "{root}/logs/bytes.log" "agent=%{User-Agent}i in=%I"\n'
# hatch waits ten seconds after its last byte
PATIENCE = 8


class Held:
    """An upload that has begun and is kept waiting. begun: it waits for its 100 Continue, and so has its place
    when this returns."""

    def __init__(self, s, tok, path="/legacy/", version="1.0", begun=True):
        body = dist.sdist("held", version, padding=600000).form()
        head = [dist.form_type(), ("User-Agent", "held")] + [("Expect", "100-continue")] * begun
        self.data = wire.request("POST", path, head, body, tok.user)
        self.at = len(self.data) - 100000
        start = len(self.data) - len(body) if begun else 0
        # a place of one that has just gone may not be free yet
        self.conn = poll.until(lambda: self._begin(s.httpd.port, self.data[:start]))
        self.conn.send(self.data[start:self.at])

    @staticmethod
    def _begin(port, head):
        conn = wire.Conn(port)
        conn.send(head)
        if not head or conn._head().status == 100:
            return conn
        conn.close()
        return None

    def finish(self):
        self.conn.send(self.data[self.at:])
        with self.conn:
            return self.conn.response()


def knock(s, tok, path="/legacy/", agent="knock"):
    """An upload that is only announced: the answer before anything of it is sent, 100 if it may come."""
    with wire.Conn(s.httpd.port) as c:
        head = [dist.form_type(), ("User-Agent", agent), ("Content-Length", 1000), ("Expect", "100-continue")]
        data = wire.request("POST", path, head, None, tok.user)
        c.send(data)
        r = c._head()
        return r if r.status == 100 else c._body(r) and r


def crowded(s, tok, **kw):
    """Waits until an upload meets the crowd."""
    return poll.until(lambda: [r for r in [knock(s, tok, **kw)] if r.status == 503])


def children_of(s):
    return s.httpd.children()


def busy(t, s, tok):
    """Two uploads are read, a third one waits outside; the other Location has a limit of its own."""
    held = [Held(s, tok, version="1.%d" % i) for i in range(2)]
    got = crowded(s, tok, agent="third")
    r = got[0] if got else None
    t.ok(r and r.status == 503, "a third upload while two are read: 503", r)
    t.ok(r and int(r.header("Retry-After", "0")) > 0, "  with Retry-After")
    t.has(r.reason if r else "", "Try again in a little while", "  that says what to do")
    t.like(s.httpd.error_log(), r"<pypitoken:warn> .*pypitoken: unable, busy:", "  a warning in the error log")
    t.is_(s.httpd.access(1, agent="third", status="503")[-1]["verdict"], "busy", "  a word in the environment")
    with open(s.path("logs/bytes.log")) as f:
        size = [int(n) for n in re.findall(r"agent=third in=(\d+)", f.read())]
    t.ok(size and max(size) < 1000, "  judged before a byte of the body came", size)
    r = knock(s, tok.expired())
    t.is_(r.status, 403, "a bad token is refused all the same", r)
    t.like(s.httpd.error_log(), r"<pypitoken:notice> .*pypitoken: refused, token-expired:", "  a notice in the error log")
    t.is_(knock(s, tok, path="/wide/").status, 100, "a Location with more places has one left")
    t.is_(s.get("/simple/").status, 200, "reading goes on")
    t.is_([h.finish().status for h in held], [200, 200], "the two that were read are stored")
    r = s.upload(dist.sdist("held", "2.0"), tok)
    t.is_(r.status, 200, "and then there is room again", r)


def killed(t, s, tok):
    """A child that was killed takes its places with it."""
    held = [Held(s, tok, version="3.%d" % i) for i in range(2)]
    t.ok(crowded(s, tok), "two places are taken")
    old = children_of(s)
    s.httpd.kill_children()
    r = poll.until(lambda: [r for r in [try_upload(s, tok, "4.0")] if r and r.status == 200])
    t.ok(r, "their children are killed: an upload finds room")
    r = poll.until(lambda: [r for r in [try_upload(s, tok, "4.1")] if r and r.status == 200])
    t.ok(r, "  and another one")
    for h in held:
        h.conn.close()


def try_upload(s, tok, version):
    try:
        return s.upload(dist.sdist("held", version), tok)
    except (OSError, wire.Closed):
        return None


def restarted(t, s, tok):
    """Uploads of children of an older generation count as well."""
    held = [Held(s, tok, version="5.%d" % i) for i in range(2)]
    t.ok(crowded(s, tok), "two places are taken")
    s.httpd.proc.send_signal(signal.SIGUSR1)
    poll.until(lambda: s.httpd.error_log().count("resuming normal operations") > 1)
    r = knock(s, tok)
    t.is_(r.status, 503, "after a graceful restart they are still", r)
    t.is_([h.finish().status for h in held], [200, 200], "those that were read across it are stored")
    r = poll.until(lambda: [r for r in [s.upload(dist.sdist("held", "6.0"), tok)] if r.status == 200])
    t.ok(r, "and then there is room again")


def drains(t, s, tok):
    """Refused bodies may take a part of the workers only: the next is answered, and closed."""
    bad = tok.expired()
    first = Held(s, bad, path="/many/", begun=False)
    t.is_(first.conn.response().status, 403, "a refused upload that is drained")
    second = Held(s, bad, path="/many/", begun=False)
    r = second.conn.response()
    t.is_(r.status, 403, "another one beside it: answered, too", r)
    t.has(r.reason, "token is expired", "  with the sentence")
    t.ok(second.conn.closed(), "  but not read any further")
    t.ok(first.conn.send(first.data[first.at:]), "the first one is read to its end")
    t.ok(first.conn.closed(), "  and then closed")
    r = s.upload(dist.sdist("short"), bad, path="/many/")
    t.is_(r.status, 403, "a short one is always read", r)


def locked(t, s, tok):
    """Somebody holds the database: an answer comes before the most impatient client is gone."""
    s.upload(dist.sdist("locked", "1.0"), tok)
    poll.until(lambda: s.store.rows("SELECT confirmed FROM projects WHERE norm = 'locked'") == [(1,)])
    db = s.store.connect()
    db.execute("BEGIN EXCLUSIVE")
    for name in ("locked", "quite-new"):
        began = time.monotonic()
        r = s.upload(dist.sdist(name, "2.0"), tok, agent="locked")
        took = time.monotonic() - began
        t.is_(r.status, 503, "the store is locked, project %s: 503" % name, r)
        t.ok(int(r.header("Retry-After", "0")) > 0, "  with Retry-After")
        t.ok(took < PATIENCE, "  before the client gives up", took)
    t.is_(s.httpd.access(2, agent="locked")[-1]["verdict"], "store-down", "  a word in the environment")
    t.like(s.httpd.error_log(), r"<pypitoken:error> .*pypitoken: unable, store-down:", "  an error in the error log")
    db.execute("ROLLBACK")
    db.close()
    r = poll.until(lambda: [r for r in [s.upload(dist.sdist("locked", "3.0"), tok)] if r.status == 200])
    t.ok(r, "released: uploads go on")
    t.ok(not [n for n in s.visible() if "locked-2.0" in n or "quite" in n], "what was not allowed is not stored")


def frozen(t, s, tok):
    """The database server stops answering in the middle of an upload, and then a lock is held in it."""
    server = s.store.server
    s.upload(dist.sdist("frozen", "1.0"), tok)
    poll.until(lambda: list(s.store.rows("SELECT confirmed FROM projects WHERE norm = 'frozen'")) == [(1,)])
    for what, stop, go in (("answers no more", server.freeze, server.thaw),
                           ("lets nobody write", *table_lock(s))):
        held = [Held(s, tok, version=v) for v in ("1.0", "2.0")]
        held += [Held(s, tok, path="/wide/", version="3.0")]
        stop()
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(held)) as pool:
            answers = list(pool.map(Held.finish, held))
        took = time.monotonic() - began
        t.note("%.1f s" % took)
        t.is_([r.status for r in answers], [503] * 3, "a database server that %s while uploads are read: 503" % what)
        t.ok(took < PATIENCE, "  before the client gives up", took)
        go()
        r = poll.until(lambda: [r for r in [s.upload(dist.sdist("frozen", "2.0"), tok)] if r.status == 200])
        t.ok(r, "  uploads go on when it does")


def table_lock(s):
    connection = s.store.connect()

    def run(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
    return lambda: run("FLUSH TABLES WITH READ LOCK"), lambda: run("UNLOCK TABLES")


def main(t):
    site.need(t)
    more = BYTES + site.GUARD.replace('"/legacy/"', '"/wide/"').replace("{guard}", "PyPITokenMaxSpools 8")
    # of 48 workers: (48 - 46) / 2
    more += site.GUARD.replace('"/legacy/"', '"/many/"').replace("{guard}", "PyPITokenMaxSpools 46")
    for mpm in ("event", "prefork"):
        with site.Site(t, "sqlite") as s:
            t.note("MPM " + mpm)
            s.init("alice")
            tok = s.token("alice")
            s.allow(r"unable, busy", r"unable, store-down", r"database is locked", r"store .*pypi\.db",
                    r"child pid \d+ exit signal Killed")
            s.start(guard="PyPITokenMaxSpools 2", more=more, mpm=mpm, modules=["logio"])
            parts = (busy, killed, restarted, drains, locked) if mpm == "event" else (busy, killed, restarted)
            for part in parts:
                t.note(part.__name__)
                part(t, s, tok)
    if mariadb.missing():
        t.skip("a database server that stops", "no " + mariadb.missing())
        return
    with site.Site(t, "mysql") as s:
        t.note("MySQL")
        s.init("alice")
        tok = s.token("alice")
        s.allow(r"unable, store-down", r"store .*mysql", r"pypitoken.*project held stays unconfirmed")
        s.start(more=more)
        frozen(t, s, tok)


tap.run(main)
