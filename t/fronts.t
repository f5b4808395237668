#!/usr/bin/python3
"""fronts.t - two front ends on one MariaDB: what is decided at one holds at the other on its next request; a token
for one upload is good for one at both together, whatever breaks; sealing keys change under both."""
import concurrent.futures
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, dist, faulty, load, mariadb, poll, site, store, tap, wire  # noqa: E402

TOGETHER = 50
SEED = int(os.environ.get("PYPT_SEED", "4711"))
TIMES = int(os.environ.get("PYPT_FAULTS", "1"))
AWAY = """\
<Location "/{name}/">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
    {line}
    ProxyPass "{url}" timeout=20
</Location>
"""


EXPECTED = (r"cannot (reach|open) the store mysql:", r"store mysql:.*:", r"pypitoken: unable, store-down",
            r"stays unconfirmed until its next upload")


class Clock:
    """New versions, so that nothing is uploaded twice."""
    n = 0

    @classmethod
    def version(cls):
        cls.n += 1
        return "1.%d" % cls.n


def counted(alice, uses=1):
    """Derived as no other one was: those that are the same share their counter."""
    Clock.n += 1
    return alice.narrow([0, 4000000000 + Clock.n, 0], [1004, uses])


def send(s, token, path="/legacy/", name="team-app"):
    """One upload; its status, 0 without an answer."""
    try:
        return wire.once(s.httpd.port, "POST", path, [dist.form_type()], dist.sdist(name, Clock.version()).form(),
                         token.user).status
    except (wire.Closed, OSError):
        return 0


def crowd(sites, token, n, path="/legacy/"):
    """n uploads at the same time, in turn at each of the sites; their statuses, sorted."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return sorted(pool.map(lambda i: send(sites[i % len(sites)], token, path), range(n)))


def stored(sites):
    return sum(len(s.visible()) for s in sites)


# ---- what one does, the other knows ----

def known_at_once(t, a, b):
    alice, statuses = a.token("alice"), []
    with wire.Conn(a.httpd.port) as ca, wire.Conn(b.httpd.port) as cb:
        def both(token):
            return [s.upload(dist.sdist("known", Clock.version()), token, conn=c).status for s, c in ((a, ca), (b, cb))]
        for i in range(8):
            token = (b if i % 2 else a).token("alice")
            before = both(token)
            (a if i % 2 else b).ctl("token", "revoke", token.id)
            statuses.append(before + both(token))
        t.is_(statuses, [[200, 200, 403, 403]] * 8, "8 tokens: made, they are good at both at once, and revoked, at none")
        a.ctl("user", "disable", "alice")
        t.is_(both(alice), [403, 403], "so are those of a user who is disabled")
        a.ctl("user", "enable", "alice")
        t.is_(both(alice), [200, 200], "  and enabled")
        a.ctl("token", "narrow", alice.id, "--glob", "other-*")
        t.is_(both(alice), [403, 403], "and one that is narrowed where it is")
    token = a.token("alice")
    t.is_(a.upload(dist.sdist("claimed", "1.0"), token).status, 200, "a project that one lets its uploader claim")
    t.is_(b.upload(dist.sdist("claimed", "2.0"), b.token("bob")).status, 403, "  is nobody else's at the other")


# ---- what happens, as it happens ----

class Follower:
    """pypitokenctl events --follow, and the details of what it has printed."""

    def __init__(self, s):
        self.seen = []
        self.process = subprocess.Popen([os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", *s.store.options(),
                                         "--json", "events", "--follow", "--since", "1m"], stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.seen.append(json.loads(line)["detail"])

    def told(self, detail):
        return poll.until(lambda: detail in self.seen)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()


def followed(t, s):
    """Numbers are given when rows are written, rows are seen when they are committed: in another order."""
    add = "INSERT INTO events (at, kind, detail) VALUES (UNIX_TIMESTAMP(), 'login', '%s')"
    follower, late = Follower(s), s.store.connect()
    try:
        late.begin()
        with late.cursor() as cursor:
            cursor.execute(add % "the first")
        s.store.write((add % "the second", ()))
        t.ok(follower.told("the second"), "--follow tells of an event whose forerunner is not committed yet")
        late.commit()
        t.ok(follower.told("the first"), "  and of that one when it is")
        s.store.write((add % "the third", ()))
        t.ok(follower.told("the third"), "  and goes on")
    finally:
        follower.stop()
        late.close()
    t.is_([sum(x == "the " + n for x in follower.seen) for n in ("first", "second", "third")], [1, 1, 1], "  each once")
    t.is_(s.store.rows("SELECT COUNT(*) FROM events a JOIN events b ON a.detail = 'the first' AND b.detail = 'the second' "
                       "AND a.id < b.id")[0][0], 1, "  although the later one has the lower number")


# ---- one upload, and no more ----

def one_use(t, a, b, alice):
    for uses in (1, 1, 3):
        before = stored((a, b))
        got = crowd((a, b), counted(alice, uses), TOGETHER)
        t.is_(got, [200] * uses + [403] * (TOGETHER - uses), "%d at once at two front ends with a token for %d" % (TOGETHER, uses))
        t.is_(stored((a, b)) - before, uses, "  so many are stored")


def given_back(t, a, b, alice):
    """Each that the back end refuses gives back what it took, and no more than that."""
    token = counted(alice, 2)
    t.is_(send(a, token), 200, "a token for two, used once")
    got = crowd((a, b), token, 20, "/refusing/")
    t.ok(set(got) <= {400, 403} and 400 in got, "20 at once that the back ends refuse: 400, or the use is taken just now", got)
    t.is_(crowd((a, b), token, 10), [200] + [403] * 9, "  afterwards one use is left, not two")


def broken_off(t, a, b, alice):
    """Clients that go in the middle, at random bytes, before a handler that waits for all and one that does not."""
    choose = random.Random(SEED)
    for path in ("/legacy/", "/streaming/"):
        token = counted(alice, 2)
        t.is_(send(b, token), 200, "a token for two, used once")
        before = stored((a, b))
        for i in range(16 * TIMES):
            data = wire.request("POST", path, [dist.form_type(), ("User-Agent", "gone" + path)],
                                dist.sdist("team-app", Clock.version(), padding=60000).form(), token.user)
            with wire.Conn((a, b)[i % 2].httpd.port) as c:
                c.send(data[:choose.randrange(600, len(data) - 1)])
        ended = [line for s in (a, b) for line in s.httpd.access(8 * TIMES, agent="gone" + path)]
        t.is_({line["status"] for line in ended} & {"200"}, set(), "%d at %s whose clients went: none is accepted" % (len(ended), path))
        got = poll.until(lambda token=token: [g for g in [crowd((a, b), token, 10)] if 200 in g], 5)
        t.is_(got and got[0], [200] + [403] * 9, "  afterwards one use is left, not two")
        t.is_(stored((a, b)) - before, 1, "  and one file came")


def crashed_between(t, a, b, alice, backend):
    """The use is taken, the back end has it all, and the front end dies: nobody knows whether it arrived."""
    token = counted(alice)
    with wire.Conn(a.httpd.port) as c:
        c.send(wire.request("POST", "/hanging/", [dist.form_type()], dist.sdist("team-app", Clock.version()).form(), token.user))
        t.ok(poll.until(lambda: backend.given and backend.given[-1].whole), "a back end has the one upload, and does not answer")
        t.is_(send(b, token), 403, "  the use is taken at the other front end, too")
        a.httpd.kill_children()
    t.ok(poll.until(a.alive), "  kill -9")
    t.is_([send(a, token), send(b, token)], [403, 403], "  the use stays taken")


def crashed_anywhere(t, a, b, alice):
    """kill -9 of either at random moments, while all want the one use."""
    choose, wrong, lost, broken, i = random.Random(SEED), [], 0, 0, 0
    while i < 8 * TIMES or (broken < 2 and i < 80):
        token, before = counted(alice), stored((a, b))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            going = pool.submit(crowd, (a, b), token, 12)
            time.sleep(choose.uniform(0, 0.1))
            (a, b)[i % 2].httpd.kill_children()
            got = going.result()
        poll.until(lambda: a.alive() and b.alive())
        more = crowd((a, b), token, 4)
        came = stored((a, b)) - before
        i, lost, broken = i + 1, lost + (came == 0), broken + (0 in got)
        if came > 1 or (got + more).count(200) > came or set(got) - {0, 200, 403} or set(more) - {200, 403}:
            wrong.append((got, more, came))
    t.is_(wrong, [], "%d times kill -9 among 12 uploads with a token for one: never good for two" % i)
    t.ok(broken > 1, "  some were cut off: %d times; %d times the use was lost with its front end" % (broken, lost))


def crashed_database(t, a, b, alice):
    """kill -9 of the server, while all want the one use."""
    server, wrong = a.store.server, []
    for i in range(2 * TIMES):
        token, before = counted(alice), stored((a, b))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            going = pool.submit(crowd, (a, b), token, 24)
            time.sleep(0.02 * i)
            server.kill()
            got = going.result()
        server.start()
        poll.until(lambda: {send(s, alice, "/refusing/") for s in (a, b)} == {400})
        more = crowd((a, b), token, 4)
        came = stored((a, b)) - before
        if came > 1 or (got + more).count(200) > came or set(got) - {200, 403, 503} or set(more) - {200, 403}:
            wrong.append((got, more, came))
    t.is_(wrong, [], "%d times kill -9 of the database meanwhile: neither" % (2 * TIMES))


# ---- other keys under both ----

def rotate(s):
    done = s.ctl_run("keyring", "rotate")
    return done.returncode, done.stdout + done.stderr


def fronts(s):
    return {row["pid"]: row["keys"].split() for row in s.ctl_json("keyring", "status")["front_ends"]}


def reload(s, other):
    """A graceful restart; waits until the children of before are off the list and the new ones on it."""
    old = set(s.httpd.children())
    s.httpd.proc.send_signal(signal.SIGUSR1)
    poll.until(lambda: set(s.httpd.children()) - old and not set(s.httpd.children()) & old)
    return poll.until(lambda: set(s.httpd.children()) <= set(fronts(other)) and not old & set(fronts(other)))


def hand_over(a, b):
    shutil.copy(a.path("keyring"), b.path("keyring"))
    shutil.copystat(a.path("keyring"), b.path("keyring"))


def rotated(t, a, b):
    first = a.ctl_json("keyring", "status")["keys"][0]["key"]
    both = lambda: set(a.httpd.children()) | set(b.httpd.children())  # noqa: E731
    t.ok(poll.until(lambda: set(fronts(a)) == both()), "both front ends are on the list")
    with load.Load(4, "rotate") as clients:
        clients.start([a, b], a.token("alice"))
        code, said = rotate(a)
        second = [row["key"] for row in a.ctl_json("keyring", "status")["keys"] if row["key"] != first][0]
        t.is_(code, 0, "a key is prepared at one machine", said)
        reload(a, a)
        code, said = rotate(a)
        named = [pid for pid in fronts(a) if "pid %d) does not have the key %s" % (pid, second) in said]
        t.is_((code, set(named)), (1, set(b.httpd.children())), "  the front end of the other one is in the way, and named", said)
        hand_over(a, b)
        reload(b, a)
        code, said = rotate(a)
        t.is_(code, 0, "with the keyring there too, all rows are sealed anew", said)
        t.has(said, "copy the keyring to the other front ends", "  and it is said what is next")
        clients.enough(8)
        late = b.token("alice")
        t.is_(a.upload(dist.sdist("late", "1.0"), late).status, 200, "a token that the other machine still seals with the old one")
        reload(a, a)
        done = a.ctl_run("keyring", "remove", first)
        t.ok(done.returncode == 1 and "1 rows are sealed with this key" in done.stderr, "  keeps that key from being removed", done)
        rotate(a)
        done = a.ctl_run("keyring", "remove", first)
        t.ok(done.returncode == 1 and "still seals with the key " + first in done.stderr,
             "the old key stays while the other one seals with it", done)
        hand_over(a, b)
        reload(b, a)
        done = a.ctl_run("keyring", "remove", first)
        t.is_(done.returncode, 0, "then it goes", done.stderr)
        hand_over(a, b)
        reload(a, a)
        reload(b, a)
        clients.enough(8)
    t.is_({tuple(keys) for keys in fronts(a).values()}, {(second,)}, "  and both have the one key again")
    t.is_(clients.strange(), [], "%d uploads meanwhile at both: none was refused" % clients.count())
    events = {e["file"] for e in a.events() if e["kind"] == "upload"}
    t.ok({o.filename for o in clients.taken()} <= events, "  and each is on record")


# ---- the servers ----

def locations(backends):
    return "".join(AWAY.format(name=name, url=backend.url(), line="PyPITokenStream On" if name == "streaming" else "")
                   for name, backend in backends.items())


def main(t):
    site.need(t)
    if mariadb.missing():
        t.skip_all("no " + mariadb.missing())
    with faulty.Backend(faulty.answers("400 Bad")) as refusing, faulty.Backend(faulty.hangs()) as hanging, \
            faulty.Backend(faulty.answers()) as streaming, site.Site(t, "mysql") as a:
        a.init("alice", "bob")
        more = "PyPITokenFlush 1s\n" + locations({"refusing": refusing, "hanging": hanging, "streaming": streaming})
        with site.Site(t, lambda own: store.Mysql(own, a.store.server, a.store.name)) as b:
            hand_over(a, b)
            for s in (a, b):
                s.allow(*EXPECTED, r"child pid \d+ exit signal Killed", r"AH\d+: .*(proxy|Backend|reading|request body|prefetch)")
                s.start(more=more, modules=["proxy", "proxy_http"])
            known_at_once(t, a, b)
            followed(t, a)
            alice = a.token("alice")
            a.ctl("project", "add", "team-app", "--owner", "alice")
            one_use(t, a, b, alice)
            given_back(t, a, b, alice)
            broken_off(t, a, b, alice)
            rotated(t, a, b)
            crashed_between(t, a, b, alice, hanging)
            crashed_anywhere(t, a, b, alice)
            crashed_database(t, a, b, alice)


tap.run(main)
