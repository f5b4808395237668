#!/usr/bin/python3
"""throttle.t - failures are counted in memory that all children share: who waits, who does not, for how long."""
import collections
import contextlib
import os
import random
import select
import signal
import string
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, pages, poll, site, tap, token, totp, wire  # noqa: E402

REMOTEIP = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"
PAGES = pages.at("/account/")
# Where people log in with Basic; an ErrorDocument must not get in the way of another status than 401.
PRIVATE = """\
<Location "/private/">
    AuthType Basic
    AuthName "people"
    AuthBasicProvider pypitoken
    Require valid-user
    ErrorDocument 401 /errors/401.html
    ErrorDocument 429 /errors/429.html
</Location>
<Location "/private/strict/">
    PyPITokenLinger 0
</Location>
"""
FAST = "MaxKeepAliveRequests 0\n"
# PyPI's figures but for the time: a slow machine must not see a bucket fill again
LONG = "PyPITokenThrottle address 10/2h\nPyPITokenThrottle token 10/2h\n"
WHO = 'CustomLog "{root}/logs/who.log" "%{X-Who}i %P"\n'

HOME, CAFE = "203.0.113.5", "203.0.113.77"


def came_from(address):
    return [("X-Forwarded-For", address)]


def restart(s, sig):
    """A graceful or hard restart; back when a child of the new generation answers."""
    before = set(s.httpd.children())
    s.httpd.quiet()
    os.kill(s.httpd.proc.pid, sig)
    poll.until(lambda: set(s.httpd.children()) - before and not before & set(s.httpd.children()) and s.alive("/legacy/"))


def tokens(t, s, tok):
    """One broken job behind a NAT: it waits, nobody else does."""
    demo = dist.sdist("demo", "1.0")
    bad, nat = tok.mistyped(), came_from("192.0.2.1")
    got = [s.upload(demo, bad, headers=nat).status for _ in range(15)]
    t.is_(got, [403] * 10 + [429] * 5, "the same bad token: ten times it is told what is wrong, then to wait")
    r = s.upload(demo, bad, headers=nat)
    t.is_(r.status, 429, "429")
    t.ok(600 < int(r.header("Retry-After")) <= 720, "  with Retry-After", r)
    t.like(r.reason, "Too many failed attempts. Wait 1[0-2] minutes", "  and a sentence")
    t.is_(s.upload(demo, bad, headers=came_from("203.0.113.1")).status, 429, "  from wherever it comes")
    t.is_(s.upload(demo, tok, headers=nat).status, 200, "a good token from there is accepted")
    with wire.Conn(s.httpd.port) as conn:
        got = [s.upload(demo, token.forged(), headers=nat, conn=conn).status for _ in range(60)]
    t.is_(got, [403] * 60, "forged ones, each another: looked up")
    return bad


def survives(t, s, tok, bad):
    demo = dist.sdist("demo", "1.1")
    for name, sig in (("graceful", signal.SIGUSR1), ("hard", signal.SIGHUP)):
        restart(s, sig)
        t.is_(s.upload(demo, bad).status, 429, "after a %s restart the bad token still waits" % name)
        t.is_(s.upload(demo, tok).status, 200, "  and the good one goes on")


def ask(s, user, password, address=None):
    """The first page, asked for with Basic, each time by another agent: nothing lingers."""
    agent = "".join(random.choice(string.ascii_letters) for _ in range(12))
    return s.get("/account/", [("User-Agent", agent), *(came_from(address) if address else [])], user=(user, password))


def login(s, user, password, address=None):
    """As ask(); on a machine that has other things to do 503 is no answer, and costs nothing."""
    return poll.until(lambda: (lambda r: r if r.status != 503 else None)(ask(s, user, password, address)), 60)


class Attacker(threading.Thread):
    """Every n-th of the guesses, each from the next address, on one connection as long as it lasts."""

    def __init__(self, s, user, guesses, addresses):
        super().__init__()
        self.s, self.user, self.guesses, self.addresses, self.seen = s, user, guesses, addresses, collections.Counter()

    def run(self):
        conn, todo = None, list(self.guesses)
        while todo:
            n = todo[-1]
            address = "198.51.%d.%d" % (n % self.addresses // 250, n % self.addresses % 250 + 1)
            conn = conn or wire.Conn(self.s.httpd.port)
            r = conn.request("GET", "/account/", came_from(address), None, (self.user, "guess-%d" % n))
            if r.status == 503:
                # no place for hashing: nothing was decided, and httpd closes
                conn.close()
                conn = None
                continue
            self.seen[r.status] += 1
            todo.pop()
        if conn:
            conn.close()


def attack(s, user, guesses, addresses, workers=8):
    """That many wrong passwords, from that many addresses, on few connections at once: how often each status."""
    threads = [Attacker(s, user, range(n, guesses, workers), addresses) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum((thread.seen for thread in threads), collections.Counter())


def guessing(t, s):
    """10,000 guesses at one account from 500 addresses; its owner, here and there."""
    mine = s.password("alice")
    t.is_(login(s, "alice", mine, HOME).status, 200, "the owner logs in at home")
    browser = pages.Browser(s)
    browser.more = came_from("192.0.2.200")
    t.is_(browser.sign_in("alice", mine).status, 303, "  and with a browser elsewhere")
    start = time.monotonic()
    seen = attack(s, "alice", 10000, 500)
    took = time.monotonic() - start
    tried = seen[401]
    # ten at once, one each thirty seconds after that
    allowed = 10 + int(took / 30) + 1
    t.note("%d guesses in %.1f s: %s; %d reached a password check" % (sum(seen.values()), took, dict(seen), tried))
    t.is_(sum(seen.values()), 10000, "10,000 guesses were made")
    t.ok(10 <= tried <= allowed, "%d of them reached a password check (%d may)" % (tried, allowed))
    t.is_(seen[401] + seen[429], 10000, "  the others were told to wait")
    r = login(s, "alice", "guess", "198.51.9.9")
    t.is_(r.status, 429, "a guess from yet another address: 429")
    t.ok(1 <= int(r.header("Retry-After")) <= 30, "  with Retry-After", r)
    t.has(r.text, "Too many failed attempts", "  and a sentence")
    t.is_(r.header("WWW-Authenticate"), None, "  no challenge")
    t.is_(login(s, "alice", mine, HOME).status, 200, "the owner gets in from home")
    browser.cookies.pop("pypitoken-session")
    browser.more = came_from(CAFE)
    t.is_(browser.sign_in("alice", mine).status, 303, "  and with that browser from anywhere")
    t.is_(login(s, "alice", mine, "203.0.113.99").status, 429, "  not from a place that nobody knows: so could anybody")
    t.is_(login(s, "bob", s.password("bob"), "198.51.200.1").status, 200, "another account goes on")
    t.is_(login(s, "alice", "guess", HOME).status, 401, "what is typed at home is counted there")


def networks(t, s):
    """An IPv6 customer has 2^64 addresses, and one bucket."""
    got = [login(s, "nobody%d" % n, "x", "2001:db8:1:2::%x" % (n * 4099)).status for n in range(12)]
    t.is_(got, [401] * 10 + [429] * 2, "twelve addresses of one /64: ten attempts")
    t.is_(login(s, "nobody", "x", "2001:db8:1:3::1").status, 401, "the next /64 has its own")
    t.is_(login(s, "nobody", "x", "2001:db8:1:2::9:9").status, 429, "  and the first still waits")
    t.is_(login(s, "bob", s.password("bob"), "2001:db8:1:2::1").status, 429, "  whatever is typed there")


def logins_survive(t, s):
    restart(s, signal.SIGUSR1)
    t.is_(login(s, "alice", "guess", "198.51.9.10").status, 429, "after a graceful restart strangers still wait")
    t.is_(login(s, "alice", s.password("alice"), HOME).status, 200, "  and the owner's home is still known")
    t.is_(login(s, "nobody", "x", "2001:db8:1:2::a:1").status, 429, "  and the /64 still waits")


def private(t, s):
    """mod_auth_basic knows 401 and 500; the wait of a throttled login gets through all the same."""
    def get(user, password, address):
        return s.get("/private/", came_from(address), user=(user, password))
    got = [get("carol", "guess-%d" % n, "203.0.113.%d" % (100 + n)).status for n in range(14)]
    t.ok(got[:10] == [401] * 10 and got[-1] == 429, "a plain Basic location: ten times 401, then 429", got)
    r = get("carol", s.password("carol"), "203.0.113.31")
    t.is_((r.status, r.header("WWW-Authenticate")), (429, None), "  no challenge")
    t.ok(1 <= int(r.header("Retry-After")) <= 30, "  with Retry-After", r)
    t.has(r.text, "Too many failed attempts", "  and the sentence, whatever ErrorDocument is set")
    t.is_(get("bob", s.password("bob"), "203.0.113.32").status, 200, "others get in")
    lines = s.httpd.access(1 + got.count(429), status="429", path="/private/")
    t.ok(lines and all(line["verdict"] == "throttled" for line in lines), "  and the log says why", lines)


# ---- what lingers ----

AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"


def code_login(s, user, password, address=HOME, agent=AGENT, path="/private/"):
    return poll.until(lambda: (lambda r: r.status if r.status != 503 else None)(
        s.get(path, [*came_from(address), ("User-Agent", agent)], user=(user, password))), 60)


def lingering(t, s):
    """One code, typed once, is good for a while: for the same person, place and kind of agent."""
    secret = s.second_factor("dave")
    typed = s.password("dave") + totp.code(secret)
    t.is_([code_login(s, "dave", typed) for _ in range(4)], [200] * 4, "password and code, four times: in")
    t.is_(code_login(s, "dave", typed, agent=AGENT.replace("130", "131")), 200, "  with the next version of the browser")
    t.is_(code_login(s, "dave", typed, "203.0.113.40"), 401, "from another address it is a spent code")
    t.is_(code_login(s, "dave", typed, agent="curl/8.5.0"), 401, "with another agent too")
    t.is_(code_login(s, "dave", s.password("dave")), 401, "without it the password is not enough")
    t.is_(code_login(s, "dave", typed, path="/private/strict/"), 401, "where nothing is to linger it does not either")
    restart(s, signal.SIGUSR1)
    t.is_(code_login(s, "dave", typed), 200, "it lingers through a graceful restart")
    s.ctl("user", "logout", "dave")
    t.is_(code_login(s, "dave", typed), 401, "pypitokenctl user logout: it does not any more")
    typed = s.password("dave") + totp.code(secret, 1)
    t.is_([code_login(s, "dave", typed) for _ in range(2)], [200] * 2, "the next code: in, and again")
    s.ctl("totp", "disable", "dave")
    t.is_(code_login(s, "dave", typed), 401, "the second factor is gone, and what was accepted with it")
    t.is_(code_login(s, "dave", s.password("dave")), 200, "  now the password is enough")
    s.ctl("user", "passwd", "dave", text="another-password-2\n")
    t.is_(code_login(s, "dave", s.password("dave")), 401, "a new password: the old one does not linger")


def not_lingering(t, s):
    secret = s.second_factor("erin")
    typed = s.password("erin") + totp.code(secret)
    got = [code_login(s, "erin", typed, path="/private/strict/") for _ in range(2)]
    t.is_(got, [200, 401], "PyPITokenLinger 0: a code is good once")


def at_once(t, s):
    """What a browser does that opens four connections at once."""
    secret, seen, gate = s.second_factor("frank"), [], threading.Barrier(4)
    typed = s.password("frank") + totp.code(secret)

    def work():
        gate.wait()
        seen.append(code_login(s, "frank", typed))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.is_(seen, [200] * 4, "four requests at once with one code: all of them in")


# ---- hashes at the same time ----

def cpu(pid):
    """In ticks. OSError when it has ended."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def child_of(s, conn, who):
    """The process that serves this connection."""
    conn.request("GET", "/legacy/", [("X-Who", who)])

    def look():
        with open(s.path("logs/who.log")) as f:
            found = [line.split() for line in f if line.startswith(who + " ")]
        return int(found[0][1]) if found else None
    return poll.until(look)


def answered(conn):
    return select.select([conn.sock], [], [], 0)[0]


def hold(s, number):
    """Stops a child in the middle of a password hash; its pid and connection, and what another login is told then.
    None when the hash was too fast, or the child has ended."""
    with contextlib.ExitStack() as undo:
        conn = undo.enter_context(wire.Conn(s.httpd.port))
        try:
            pid = child_of(s, conn, "hold%d" % number)
            before, end = cpu(pid), time.monotonic() + poll.LIMIT
            # each time by somebody else, so that nobody has to wait
            conn.send(wire.request("GET", "/account/", came_from("192.0.2.%d" % number), None,
                                   ("nobody%d" % number, "x"), "127.0.0.1"))
            while cpu(pid) <= before + 1 and not answered(conn) and time.monotonic() < end:
                time.sleep(0.001)  # a hash does not take long
            os.kill(pid, signal.SIGSTOP)
        except (OSError, wire.Closed):
            return None
        undo.callback(go_on, pid)
        r = ask(s, "bob", s.password("bob"), "192.0.2.100")
        if r.status != 503 or "Too much at the same time" not in r.text:
            return None
        undo.pop_all()
        return pid, conn, r


def go_on(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def busy(t, s):
    """One hash at a time, and no queue: what does not fit is told so, and a child that dies keeps no place."""
    held = next((h for h in (hold(s, n) for n in range(1, 41)) if h), None)
    if not t.ok(held, "a child stopped while it hashes: the next login finds no place"):
        return
    pid, conn, r = held
    t.is_(r.header("Retry-After") is not None, True, "  503 with Retry-After", r)
    t.is_([ask(s, "bob", "x", "192.0.2.101").status for _ in range(12)], [503] * 12, "  and nothing is counted as failed")
    # the parent is stopped, so that the dead child stays in the process table
    os.kill(s.httpd.proc.pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    conn.close()
    got = poll.until(lambda: ask(s, "bob", s.password("bob"), "192.0.2.101").status == 200)
    os.kill(s.httpd.proc.pid, signal.SIGCONT)
    t.ok(got, "  it is killed: its place is free")


def queue(t, s):
    """A queue of two behind one place: of many at once some wait and get in, the others are told at once."""
    seen, lock = [], threading.Lock()
    gate = threading.Barrier(10)

    def work(n):
        gate.wait()
        r = ask(s, "bob", s.password("bob"), "192.0.2.%d" % n)
        with lock:
            seen.append(r.status)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.ok(set(seen) == {200, 503} and seen.count(200) >= 3, "ten logins at once, one place, a queue of two: %s" % sorted(seen))


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice", "bob", "carol", "dave", "erin", "frank")
        tok = s.token("alice")
        # mod_auth_basic's own line for everybody it turns away
        s.allow("pypitoken: refused, busy:", "AH01617")
        for name in ("www/private", "www/private/strict", "www/errors"):
            s.write(name + "/index.html", "inside\n")
        s.start(more=REMOTEIP + PAGES + PRIVATE + FAST + LONG, modules=["remoteip"])
        bad = tokens(t, s, tok)
        guessing(t, s)
        networks(t, s)
        survives(t, s, tok, bad)
        logins_survive(t, s)
        private(t, s)
        lingering(t, s)
        not_lingering(t, s)
        at_once(t, s)
    for mpm, hashes, part in (("prefork", "1 0", busy), ("event", "1 2", queue)):
        with site.Site(t) as s:
            s.init("alice", "bob")
            s.allow("pypitoken: refused, busy:", "exit signal Killed")
            s.start(more=REMOTEIP + PAGES + WHO + "PyPITokenHashes %s\n" % hashes +
                    ("StartServers 4\n" if mpm == "prefork" else ""), modules=["remoteip"], mpm=mpm)
            part(t, s)


tap.run(main)
