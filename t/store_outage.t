#!/usr/bin/python3
"""store_outage.t - a MariaDB that is away, dies, freezes, hangs up, may not be written, or is full: no
upload is accepted that was not written down, none is refused that should wait, and nobody is stuck."""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, load, mariadb, poll, site, store, tap  # noqa: E402

# seconds; with them an upload may take: two statements that get no answer, two new connections
CONNECT, READ = 1, 2
STUCK = 2 * READ + 2 * CONNECT
# what the machine may add when it is busy
SLACK = 15

EXPECTED = (r"cannot (reach|open) the store mysql:", r"store mysql:.*:", r"pypitoken: unable, store-down",
            r"pypitoken: cannot", r"stays unconfirmed until its next upload")


def fresh(t, db, **options):
    s = site.Site(t, lambda own: store.Mysql(own, db, **{"connect-timeout": "%ds" % CONNECT,
                                                         "read-timeout": "%ds" % READ, **options}))
    s.allow(*EXPECTED)
    return s


def again(s, token, name="back", limit=30):
    """The first answer to an upload that is not 503."""
    n = [0]

    def once():
        n[0] += 1
        r = s.upload(dist.sdist(name, "1.%d" % n[0]), token)
        return r.status != 503 and [r]
    got = poll.until(once, limit)
    return got[0] if got else None


def refused(t, r, what):
    t.is_(r.status, 503, what + ": 503", r)
    t.ok(int(r.header("Retry-After", "0")) > 0, "  with Retry-After")


# ---- not there at the start ----

def absent(t, db):
    with fresh(t, db) as s:
        s.init("alice")
        token = s.token("alice")
        db.kill()
        began = time.monotonic()
        s.start()
        t.ok(s.httpd.proc.poll() is None, "httpd starts while the database is away")
        t.like(s.httpd.said(), r"pypitoken: cannot reach the store mysql://pypitoken@.*starting all the same",
               "  and says so")
        refused(t, s.upload(dist.sdist("absent"), token), "an upload")
        refused(t, s.upload(dist.sdist("absent"), token.mistyped()), "one with a forged token")
        t.is_(s.upload(dist.sdist("absent")).status, 401, "one without credentials: 401")
        t.is_(s.get("/simple/").status, 200, "reading goes on")
        t.ok(time.monotonic() - began < 60, "  and all that takes no time")
        db.start()
        r = again(s, token)
        t.is_(r and r.status, 200, "when the database is there, uploads are accepted without a restart", r)


# ---- killed under load ----

def killed(t, db):
    with fresh(t, db) as s:
        s.init("alice")
        s.start()
        token = s.token("alice")
        with load.Load(8) as clients:
            clients.start(s, token)
            clients.enough(16)
            for _ in range(2):
                db.kill()
                clients.some(8)
                db.start()
                t.ok(clients.enough(16), "killed under load: uploads are accepted when it is back")
        t.is_(clients.strange(503), [], "  meanwhile there is nothing but 503")
        t.ok(any(o.status == 503 for o in clients.outcomes), "  of which there was some")
        load.check(t, s, clients, "after two kills")


# ---- frozen ----

def frozen(t, db):
    with fresh(t, db) as s:
        s.init("alice")
        s.start()
        token = s.token("alice")
        with load.Load(24) as clients:
            clients.start(s, token)
            clients.enough(24)
            db.freeze()
            before = clients.count()
            answers = [s.get("/simple/").status for _ in range(40)]
            t.is_(answers, [200] * 40, "frozen, with 24 clients waiting: other locations answer")
            t.ok(clients.some(72), "  and so do uploads")
            answers = [s.get("/simple/").status for _ in range(40)]
            t.is_(answers, [200] * 40, "  now that they are refused at once, too")
            during = clients.outcomes[before:]
            db.thaw()
            t.ok(clients.enough(24), "  and thawed, they are accepted again")
        t.ok(any(o.status == 503 for o in during), "  with 503", during[:5])
        t.is_(clients.strange(503), [], "  and with nothing else")
        slow = [o for o in clients.outcomes if o.seconds > STUCK + SLACK]
        t.is_(slow, [], "  nobody is stuck longer than the timeouts allow")
        load.check(t, s, clients, "after the frost")


# ---- connections that end ----

def hung_up(t, db):
    with fresh(t, db, pool=4) as s:
        s.init("alice")
        s.start()
        token = s.token("alice")

        def ours():
            return [row[0] for row in db.query(None, "SELECT id FROM information_schema.processlist "
                                                     "WHERE user = 'pypitoken' AND db = %s", s.store.name)]
        statuses = []
        for i in range(10):
            statuses.append(s.upload(dist.sdist("hung", "1.%d" % i), token).status)
            for connection in ours():
                db.query(None, "KILL %d" % connection)
        t.is_(statuses, [200] * 10, "every idle connection is killed after each upload: nobody notices")

        with load.Load(4) as clients:
            clients.start(s, token)
            ended = 0
            for _ in range(30):
                for connection in ours()[:1]:
                    try:
                        db.query(None, "KILL %d" % connection)
                        ended += 1
                    except Exception:  # it was gone already
                        pass
                clients.some(2)
        t.ok(ended > 10, "%d connections are killed one by one while they are used" % ended)
        t.is_(clients.strange(503), [], "  no answer but 200, and 503 where a commit was not answered")
        most = sorted(o.status for o in clients.outcomes)
        t.ok(most.count(200) > most.count(503), "  mostly 200", most)
        load.check(t, s, clients, "after the kills")
        most = max(len(ours()) for _ in range(3))
        children = len(s.httpd.children())
        t.ok(most <= 4 * children, "never more connections than pool= times children", (most, children))


# ---- rows that somebody holds ----

def locked(t, db):
    """As a backup or somebody's forgotten session does. The first use of a token is written into its row."""
    with fresh(t, db) as s:
        s.init("alice")
        s.start()
        held, free = s.token("alice"), s.token("alice")
        other = s.store.connect()

        def hold():
            other.begin()
            with other.cursor() as cursor:
                cursor.execute("UPDATE tokens SET used = 0 WHERE id = %s", (held.id,))
        hold()
        with load.Load(1, "waits") as clients:
            clients.start(s, held)
            t.ok(poll.until(lambda: db.query(None, "SELECT 1 FROM information_schema.innodb_trx "
                                                   "WHERE trx_state = 'LOCK WAIT'")), "a row is held: its upload waits")
            t.is_(s.upload(dist.sdist("free", "1.0"), free).status, 200, "  another one does not")
            other.commit()
            t.ok(clients.enough(1), "  and it goes on when the row is free")
        t.is_(clients.strange(503), [], "  it was told to wait, or noticed nothing")
        s.store.write(("UPDATE tokens SET used = 0", ()))
        hold()
        began = time.monotonic()
        refused(t, s.upload(dist.sdist("held", "1.0"), held), "a row that is held for good: an upload")
        t.ok(time.monotonic() - began < STUCK + SLACK, "  in time")
        other.rollback()
        other.close()
        t.is_(s.upload(dist.sdist("held", "1.1"), held).status, 200, "  and then 200")
        load.check(t, s, clients, "afterwards")


# ---- no writing ----

def read_only(t, db):
    with fresh(t, db) as s:
        s.init("alice")
        s.start()
        token, dead = s.token("alice"), s.token("alice")
        s.ctl("token", "revoke", dead.id)
        t.is_(s.upload(dist.sdist("written"), token).status, 200, "before: 200")
        db.query(None, "SET GLOBAL read_only = 1")
        try:
            refused(t, s.upload(dist.sdist("unwritten"), token), "read-only: an upload")
            r = s.upload(dist.sdist("unwritten"), dead)
            t.is_(r.status, 403, "  a revoked token is known for what it is", r)
            t.ok(not any("unwritten" in name for name in s.visible()), "  nothing is stored")
        finally:
            db.query(None, "SET GLOBAL read_only = 0")
        r = again(s, token)
        t.is_(r and r.status, 200, "  and it may be written again: 200", r)
        events = {e["file"] for e in s.events() if e["kind"] == "upload"}
        t.ok(not any("unwritten" in (name or "") for name in events), "  no event tells of what was not")


def fill(db, name):
    """The table of the events grows beyond every other file, which has its size from the start, and then as
    far as a limit lets it."""
    table = db.path("data", name, "events.ibd")
    largest = max(os.path.getsize(db.path("data", file)) for file in ("ibdata1", "ibtmp1", "ib_logfile0"))
    more = "INSERT INTO events (at, kind, detail) SELECT at, kind, detail FROM events WHERE kind = 'ballast' LIMIT %d"
    db.query(name, "INSERT INTO events (at, kind, detail) VALUES (1, 'ballast', REPEAT('x', 255))")
    while os.path.getsize(table) <= largest:
        db.query(name, more % 8192)
    db.limit(os.path.getsize(table))
    for rows in (8192, 512, 32, 1):
        try:
            while True:
                db.query(name, more % rows)
        except Exception as why:  # 1114, the table is full
            if why.args[0] != 1114:
                raise


def full(t, db):
    """No file of the server may grow: as on a disk that is full."""
    with fresh(t, db) as s:
        s.init("alice")
        s.start()
        token = s.token("alice")
        t.is_(s.upload(dist.sdist("room"), token).status, 200, "before: 200")
        fill(db, s.store.name)
        with load.Load(4) as clients:
            clients.start(s, token)
            met = poll.until(lambda: any(o.status == 503 for o in clients.outcomes), 120)
        db.limit()
        t.ok(met, "a full disk: 503", clients.outcomes[-5:])
        t.is_(clients.strange(503), [], "  and nothing else")
        r = again(s, token)
        t.is_(r and r.status, 200, "  with room again: 200", r)
        load.check(t, s, clients, "after the full disk")


def main(t):
    site.need(t)
    if mariadb.missing():
        t.skip_all("no " + mariadb.missing())
    wanted = sys.argv[1:] or ["absent", "killed", "frozen", "hung_up", "locked", "read_only", "full"]
    with mariadb.Mariadb(["innodb-flush-log-at-trx-commit=1"]) as db:
        for part in wanted:
            t.note(part)
            globals()[part](t, db)


tap.run(main)
