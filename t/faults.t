#!/usr/bin/python3
"""faults.t - what breaks in the middle of an upload: the client, the back end, a child of httpd, httpd's own
restart. No accepted upload is lost, no refused one arrives, no temporary file stays, the store is right.

    PYPT_FAULTS=10 t/faults.t       ten times as many rounds of what is random; PYPT_SEED chooses others"""
import concurrent.futures
import os
import random
import signal
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, faulty, poll, site, store, tap, wire  # noqa: E402

TIMES = int(os.environ.get("PYPT_FAULTS", 1))
SEED = int(os.environ.get("PYPT_SEED", 20240521))


def reset_on_close(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---- what must hold after everything ----

def projects(s):
    """{normalised name: confirmed}"""
    return dict(s.store.rows("SELECT norm, confirmed FROM projects"))


def events(s, project):
    return [tuple(row) for row in
            s.store.rows("SELECT kind, verdict, detail FROM events WHERE project = ? "
                                   "AND kind LIKE 'upload%' ORDER BY id", project)]


def tidy(t, s, what):
    """No temporary, no damage; what is stored has a project, what is confirmed has a file."""
    t.is_(os.listdir(s.path("spool")), [], what + ": nothing is left in the spool directory")
    left = poll.until(lambda: [n for n in s.stored() if n.startswith(".tmp/")] or "none")
    t.is_(left, "none", "  nor among the packages")
    if store.kind() == "sqlite":
        t.is_(s.store.rows("PRAGMA integrity_check") + s.store.rows("PRAGMA foreign_key_check"), [("ok",)],
              "  the store is sound")
    known, stored = projects(s), {name.split("/")[0] for name in s.visible()}
    t.ok(stored <= set(known), "  no file without its project", stored - set(known))
    hollow = {name for name, confirmed in known.items() if confirmed and name not in stored}
    t.ok(not hollow, "  no project is confirmed that has no file", hollow)


# ---- the client ----

def gone_short(t, s, tok):
    """Gone at every byte of a short upload, with a FIN and with a reset."""
    package = dist.wheel("gone", "1.0")
    body = package.form(summary=None, md5_digest=None, blake2_256_digest=None)
    for how in ("FIN", "reset"):
        data = wire.request("POST", "/legacy/", [dist.form_type(), ("User-Agent", "gone-" + how)], body, tok.user)
        head, answers = data.index(b"\r\n\r\n") + 4, set()
        for n in range(len(data)):
            with wire.Conn(s.httpd.port) as c:
                c.send(data[:n])
                if how == "reset":
                    reset_on_close(c.sock)
                    continue
                c.sock.shutdown(socket.SHUT_WR)
                try:
                    answers.add(c.response().status)
                except wire.Closed:
                    answers.add("closed")
        t.ok(answers <= {400, "closed", 408}, "a client gone (%s) at each of %d bytes" % (how, len(data)), answers)
        # one that sent less than a head may not be in the log at all
        ended = s.httpd.access(len(data) - head, agent="gone-" + how)
        t.ok(len(ended) >= len(data) - head, "  every request ended", len(ended))
        t.ok("200" not in {line["status"] for line in ended}, "  none of them well")
        t.is_((s.visible(), projects(s)), ([], {}), "  nothing was stored, no project made")
    r = s.upload(package, tok)
    t.is_(r.status, 200, "the whole of it is accepted", r)


def gone_after(t, s, tok, backend, closed):
    """Gone when all is sent, before the answer: it was accepted, so it is not lost."""
    sent = []
    for i in range(20):
        package = dist.sdist("gone-after", "1.%d" % i, padding=(i % 2) * 200000)
        sent.append(package.filename)
        with wire.Conn(s.httpd.port) as c:
            c.send(wire.request("POST", "/legacy/", [dist.form_type()], package.form(), tok.user))
            if i % 4 < 2:
                reset_on_close(c.sock)
            else:
                c.sock.shutdown(socket.SHUT_WR)
    # a reset may overtake what was sent before it
    poll.until(lambda: len(s.store.rows("SELECT 1 FROM events WHERE project = 'gone-after' "
                                            "AND kind LIKE 'upload%'")) == len(sent), 5)
    accepted = {name for (name,) in s.store.rows("SELECT file FROM events WHERE project = 'gone-after' AND kind = 'upload'")}
    stored = poll.until(lambda: accepted == {n.split("/")[1] for n in s.visible() if n.startswith("gone-after/")})
    t.ok(len(accepted) >= 10 and stored, "clients gone before the answer: what was accepted is stored, nothing else",
         (accepted, s.visible()))
    with wire.Conn(s.httpd.port) as c:
        c.send(wire.request("POST", "/waiting/", [dist.form_type()], dist.sdist("gone-waiting").form(), tok.user))
        t.ok(poll.until(lambda: backend.given and backend.given[0].whole), "a client gone while a back end works")
    closed.set()
    t.ok(poll.until(lambda: projects(s).get("gone-waiting") == 1), "  which answers all the same: the project is confirmed")
    t.is_([kind for kind, _, _ in events(s, "gone-waiting")], ["upload"], "  and the upload on record as one")


def gone_long(t, s, tok, backend):
    """Gone at random bytes of a long upload, framed either way, before the index and before a proxy."""
    choose = random.Random(SEED)
    form = dist.sdist("gone-long", padding=700000).form()
    before = len(backend.given)
    for i in range(24 * TIMES):
        path, chunks = choose.choice(("/legacy/", "/proxied/")), choose.choice((0, 0, 9000))
        data = wire.request("POST", path, [dist.form_type(), ("User-Agent", "gone-long")], form, tok.user, chunks=chunks)
        with wire.Conn(s.httpd.port) as c:
            c.send(data[:choose.randrange(1000, len(data))])
            if choose.random() < 0.5:
                reset_on_close(c.sock)
    ended = s.httpd.access(24 * TIMES, agent="gone-long")
    t.is_({line["status"] for line in ended} & {"200", "500", "502", "503"}, set(), "clients gone within a long upload")
    t.is_(len(backend.given), before, "  no back end saw anything of it")
    t.ok("gone-long" not in projects(s), "  no project was made")


def crawl(t, s, tok):
    """Clients that send a byte a second hold nobody up, and not for long."""
    body = dist.sdist("crawl").form()
    conns = [wire.Conn(s.httpd.port) for _ in range(20)]
    for i, c in enumerate(conns):
        data = wire.request("POST", "/legacy/", [dist.form_type()], body, tok.user if i % 2 else tok.expired().user)
        # in the head, in the body, refused and to be drained
        cut = 20 if i % 4 == 3 else len(data) - len(body)
        c.send(data[:cut])
        c.rest = data[cut:]
    r = s.upload(dist.sdist("walk"), tok)
    t.is_(r.status, 200, "an upload beside twenty clients that crawl", r)
    waiting, answers = set(conns), set()
    end = time.monotonic() + 20
    while waiting and time.monotonic() < end:
        for c in list(waiting):
            c.send(c.rest[:1])
            c.rest = c.rest[1:]
            c.sock.settimeout(1 / len(waiting))
            try:
                answers.add(c.response().status)
            except wire.Closed:
                answers.add("closed")
            except TimeoutError:
                continue
            waiting.discard(c)
            c.close()
    t.ok(not waiting, "  they are all given up", len(waiting))
    t.ok(answers <= {400, 403, 408, "closed"} and 408 in answers, "  and told so", answers)
    t.ok("crawl" not in projects(s), "  nothing came of them")


# ---- the back end ----

# what it does, what the client reads then, what becomes of a new project
BEHAVIOURS = [
    ("answers 200", faulty.answers(), {200}, "confirmed"),
    ("answers 400", faulty.answers("400 Bad"), {400}, "forgotten"),
    ("answers 403", faulty.answers("403 No"), {403}, "forgotten"),
    ("answers 500", faulty.answers("500 Oops"), {500}, "unconfirmed"),
    ("refuses before it has read", faulty.answers_early("400 Early"), {400}, "forgotten"),
    ("closes in the middle", faulty.closes(1000), {500, 502, 503, 504}, "unconfirmed"),
    ("resets in the middle", faulty.closes(1000, reset=True), {500, 502, 503, 504}, "unconfirmed"),
    ("closes without an answer", faulty.closes_silently(), {500, 502}, "unconfirmed"),
    ("hangs after reading", faulty.hangs(), {502, 504}, "unconfirmed"),
    ("hangs without reading", faulty.hangs_reading(), {502, 503, 504}, "unconfirmed"),
    ("talks nonsense", faulty.babbles(), {500, 502}, "unconfirmed"),
]


def behaviour(s, tok, bob, path, name, padding, end):
    """One upload to a back end: (answer, was there only one, what is on record, then somebody else's try)"""
    with wire.Conn(s.httpd.port) as c:
        c.send(wire.request("POST", path, [dist.form_type()], dist.sdist(name, padding=padding).form(), tok.user))
        r = c.response()
        alone = r.header("Connection") != "close" or c.closed()
    known = poll.until(lambda: len(events(s, name)) > (r.status != 200) and events(s, name)) or events(s, name)
    poll.until(lambda: projects(s).get(name) == end, 5)
    state = projects(s)
    other = s.upload(dist.sdist(name, "2.0"), bob, path="/legacy/")
    return r, alone, known, state.get(name), other


def back_ends(t, s, tok, bob, paths):
    """Each behaviour over HTTP and SCGI, with a body in memory and one in a file."""
    wanted = {"confirmed": 1, "unconfirmed": 0, "forgotten": None}
    jobs = []
    for i, (what, _, statuses, end) in enumerate(BEHAVIOURS):
        for protocol in ("http", "scgi"):
            for padding in (0, 6 << 20):
                name = "%s-%d-%s" % (protocol, i, "long" if padding else "short")
                jobs.append(("%s, %s: a back end that %s" % (protocol, "6 MB" if padding else "a few bytes", what),
                             statuses, end, (paths[protocol][i], name, padding, wanted[end])))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda job: behaviour(s, tok, bob, *job[3]), jobs))
    for (what, statuses, end, _), (r, alone, known, confirmed, other) in zip(jobs, done):
        t.ok(r.status in statuses, what + ": %s" % r.status, r)
        t.ok(alone, "  one answer")
        if r.status >= 500 and "said the back end" not in r.text:
            t.has(r.reason, "did not take the upload: %d" % r.status, "  that says who failed")
        kinds = [kind for kind, _, _ in known]
        t.is_(kinds, ["upload"] if r.status == 200 else ["upload", "upload-failed"], "  it is on record", known)
        if r.status != 200:
            t.ok(known[-1][1] == "backend-failed" and str(r.status) in (known[-1][2] or ""), "  with its status", known)
        t.is_(confirmed, wanted[end], "  a new project is " + end)
        t.is_(other.status, 200 if end == "forgotten" else 403, "  and somebody else %s it" %
              ("may have" if end == "forgotten" else "does not get"), other)
    for (_, _, end, (_, name, _, _)) in jobs:
        if end == "unconfirmed":
            r = s.upload(dist.sdist(name, "3.0"), tok)
            t.ok(r.status == 200 and poll.until(lambda: projects(s).get(name) == 1),
                 "%s: its owner's next upload that arrives confirms it" % name, r)


def streamed(t, s, tok, paths, running):
    """The same with PyPITokenStream On: a back end that fails early ends the upload, one that reads on never
    sees the end of one that was not judged."""
    jobs = []
    for i, (what, _, statuses, _) in enumerate(BEHAVIOURS):
        for protocol in ("http", "scgi"):
            jobs.append((protocol, i, what, statuses, "stream-%s-%d" % (protocol, i)))
    def call(job):
        form = dist.sdist(job[4], padding=6 << 20).form()
        with wire.Conn(s.httpd.port) as c:
            c.send(wire.request("POST", "/stream" + paths[job[0]][job[1]], [dist.form_type()], form, tok.user))
            r = c.response()
            return r, r.header("Connection") != "close" or c.closed()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(call, jobs))
    for (protocol, i, what, statuses, name), (r, alone) in zip(jobs, done):
        t.ok(r.status in statuses, "%s, streamed: a back end that %s: %s" % (protocol, what, r.status), r)
        t.ok(alone, "  one answer")
        known = poll.until(lambda: [k for k in events(s, name) if r.status == 200 or k[0] == "upload-failed"], 5)
        t.ok(known, "  it is on record", events(s, name))
        mine = [g for g in running[protocol][i].given if name.replace("-", "_").encode() in g.body]
        t.ok(len(mine) <= 1 and (not [g for g in mine if g.whole] or "upload" in {k[0] for k in events(s, name)}),
             "  and its end goes out only when that is written down", events(s, name))


def breaks_off(t, s, tok):
    """A back end whose answer stops: the client sees that it stops, not a whole one."""
    with wire.Conn(s.httpd.port) as c:
        c.send(wire.request("POST", "/half/", [dist.form_type()], dist.sdist("half").form(), tok.user))
        try:
            r = c.response()
            t.ok(False, "an answer that breaks off is not made whole", r)
        except wire.Closed:
            t.ok(True, "an answer that breaks off is not made whole")


# ---- a child, httpd ----

class Crowd:
    """Uploads from several threads, each of a project of its own; what was answered to each."""

    def __init__(self, s, tok, prefix, seed):
        self.s, self.tok, self.prefix = s, tok, prefix
        self.bad = tok.only("something-else")
        self.choose = random.Random(seed)
        self.lock = threading.Lock()
        self.count, self.done, self.refused = 0, [], []
        self.over = threading.Event()
        self.threads = []

    def start(self, n):
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(n)]
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        return self

    def met(self, statuses):
        """Whether good uploads have ended in each of these ways."""
        with self.lock:
            return statuses <= {status for _, status, _ in self.done}

    def _next(self):
        with self.lock:
            self.count += 1
            name = "%s-%d" % (self.prefix, self.count)
            return name, self.choose.choice((0, 0, 5000, 300000, 1 << 20)), self.choose.random() < 0.2

    def _run(self):
        while not self.over.is_set():
            name, padding, bad = self._next()
            package = dist.sdist(name, padding=padding)
            try:
                r = self.s.upload(package, self.bad if bad else self.tok)
                status = r.status
            except (wire.Closed, OSError) as why:
                status, r = None, why
            with self.lock:
                (self.refused if bad else self.done).append((package, status, r))


def kept(s, package):
    """Whether the file is there, whole."""
    path = s.path("packages", package.name, package.filename)
    if not os.path.exists(path):
        return False
    with open(path, "rb") as f:
        return f.read() == package.data


def killed(t, s, tok, bob):
    """kill -9 of every child while uploads run, at random moments."""
    choose = random.Random(SEED)
    crowd = Crowd(s, tok, "killed", SEED).start(6)
    for i in range(60 * TIMES):
        if i >= 12 * TIMES and crowd.met({200, None}):
            break
        # a slow machine answers nobody within the shorter pauses
        time.sleep(choose.uniform(0.02, 0.4) if i < 12 * TIMES else choose.uniform(0.02, 2))
        s.httpd.kill_children()
    crowd.stop()
    t.ok(poll.until(s.alive), "every child killed while uploads ran: httpd goes on")
    answered = [p for p, status, _ in crowd.done if status == 200]
    broken = [p for p, status, _ in crowd.done if status is None]
    other = [(p.name, r) for p, status, r in crowd.done if status not in (200, None)]
    t.note("%d answered, %d broken off, %d refused" % (len(answered), len(broken), len(crowd.refused)))
    t.ok(answered and broken and not other, "some are answered, some broken off, none refused", other)
    t.is_([p.name for p in answered if not kept(s, p)], [], "what was answered with 200 is stored, byte for byte")
    t.is_([p.name for p, status, _ in crowd.refused if os.path.exists(s.path("packages", p.name))], [],
          "nothing that was refused arrived")
    half = [p.name for p in broken if os.path.exists(s.path("packages", p.name, p.filename)) and not kept(s, p)]
    t.is_(half, [], "nothing that was broken off arrived in part")
    tidy(t, s, "afterwards")
    mine = {name for (name,) in s.store.rows("SELECT p.norm FROM projects p JOIN roles r ON r.project_id = p.id "
                                        "JOIN users u ON u.id = r.user_id WHERE u.name = 'alice'")}
    t.is_([p.name for p in answered if p.name not in mine], [], "every project belongs to its uploader")
    taken = [p.name for p in broken if p.name in projects(s)]
    t.is_([n for n in taken if s.upload(dist.sdist(n, "9.0"), bob).status != 403], [],
          "nobody else gets a project of which a file may be there (%d)" % len(taken))
    again = [(p.name, r) for p in broken for r in [s.upload(p, tok)] if r.status != 200]
    t.is_(again, [], "each that was broken off is accepted when it comes again")
    loose = poll.until(lambda: [n for n in projects(s) if not projects(s)[n] and n in {p.name for p in broken}] or "none")
    t.is_(loose, "none", "  and its project confirmed")


def killed_behind(t, s, tok, bob, backend):
    """kill -9 before the verdict, and when the back end has the upload and has not answered."""
    def upload(name, end=None):
        c = wire.Conn(s.httpd.port)
        c.send(wire.request("POST", "/hanging/", [dist.form_type()], dist.sdist(name, padding=300000).form(), tok.user)[:end])
        return c
    with upload("before-verdict", -1000), upload("after-verdict"):
        t.ok(poll.until(lambda: backend.given and backend.given[0].whole), "a back end has an upload and does not answer")
        s.httpd.kill_children()
    t.ok(poll.until(s.alive), "  every child is killed")
    t.is_(len(backend.given), 1, "  the one that was not whole never got there")
    t.is_((projects(s).get("before-verdict"), projects(s).get("after-verdict")), (None, 0),
          "  it left no project, the other one that is not confirmed")
    t.is_([k for k, _, _ in events(s, "before-verdict") + events(s, "after-verdict")], ["upload"], "  and its upload on record")
    for name, status in (("after-verdict", 403), ("before-verdict", 200)):
        r = s.upload(dist.sdist(name), bob)
        t.is_(r.status, status, "  somebody else uploading %s: %d" % (name, status), r)
    r = s.upload(dist.sdist("after-verdict"), tok)
    t.ok(r.status == 200 and poll.until(lambda: projects(s)["after-verdict"] == 1), "  its owner's next upload confirms it", r)


def restarted(t, s, tok):
    """Graceful restarts while uploads run, and one upload across all of them."""
    body = dist.sdist("across", padding=1 << 20)
    data = wire.request("POST", "/legacy/", [dist.form_type()], body.form(), tok.user)
    across = wire.Conn(s.httpd.port)
    across.send(data[:600000])
    crowd = Crowd(s, tok, "graceful-" + s.httpd.mpm, SEED).start(5)
    for i in range(4 * TIMES):
        said = s.httpd.error_log().count("resuming normal operations")
        s.httpd.proc.send_signal(signal.SIGUSR1)
        t.ok(poll.until(lambda: s.httpd.error_log().count("resuming normal operations") > said), "a graceful restart")
        enough = crowd.count + 8
        poll.until(lambda: crowd.count >= enough)
    crowd.stop()
    lost = [(p.name, status, why) for p, status, why in crowd.done if status != 200 or not kept(s, p)]
    t.ok(len(crowd.done) > 10 and not lost, "%d uploads meanwhile: all accepted, all stored" % len(crowd.done), lost)
    wrong = [(p.name, status) for p, status, _ in crowd.refused if status != 403]
    t.is_(wrong, [], "%d refused ones: all refused" % len(crowd.refused))
    t.is_([p.name for p, _, _ in crowd.refused if os.path.exists(s.path("packages", p.name))], [], "  and none arrived")
    across.send(data[600000:])
    with across:
        r = across.response()
    t.is_((r.status, kept(s, body)), (200, True), "the upload across all restarts is stored", r)
    t.ok(poll.until(lambda: all(projects(s).get(p.name) == 1 for p, _, _ in crowd.done)), "every project is confirmed")


# ---- the servers ----

NOISE = (r"proxy:error.*(AH00940|AH00957|AH00959|AH01114|AH10508)", r"proxy_http:error.*(AH01102|AH01084|AH01097|AH01086|AH02651|AH10154|AH10406)",
         r"proxy_scgi:error", r"proxy_http:error.*([Ee]rror reading|failed to make)", r"proxy(_http|_scgi)?:(error|warn).*timeout",
         r"proxy:error.*(pass request body|disabled connection|error reading|Error )", r"core:error.*(Script timed out|Premature end|malformed header)")


def with_clients(t, mpm):
    closed = threading.Event()
    with faulty.Backend(faulty.answers()) as backend, faulty.Backend(faulty.waits(closed.is_set)) as waiting, \
            site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice")
        more = "RequestReadTimeout header=4 body=4\n"
        for path, server in (("/proxied/", backend), ("/waiting/", waiting)):
            more += 'ProxyPass "%s" "%s"\n' % (path, server.url())
            more += site.GUARD.replace('"/legacy/"', '"%s"' % path).replace("SetHandler pypi-index", "").replace(
                "{guard}", "")
        # connections come faster here than a busy machine ends them
        s.allow(r"AH00484: server reached MaxRequestWorkers")
        s.start(more=more, mpm=mpm, modules=["proxy", "proxy_http"])
        for part, arguments in ((gone_short, ()), (gone_long, (backend,)), (crawl, ())):
            t.note(part.__name__)
            part(t, s, tok, *arguments)
        tidy(t, s, "clients that go")
        gone_after(t, s, tok, waiting, closed)


def with_back_ends(t):
    paths, more = {"http": [], "scgi": []}, "ProxyTimeout 3\n"
    running = {"http": [], "scgi": []}
    with site.Site(t) as s:
        try:
            for protocol in paths:
                for i, (_, how, _, _) in enumerate(BEHAVIOURS + [("", faulty.breaks_off(), {}, "")]):
                    backend = faulty.Backend(how, scgi=protocol == "scgi")
                    running[protocol].append(backend)
                    path = "/%s-%d/" % (protocol, i) if i < len(BEHAVIOURS) else "/half/"
                    paths[protocol].append(path)
                    if path == "/half/" and protocol == "scgi":
                        continue
                    for at, guard in ((path, ""), ("/stream" + path, "PyPITokenStream On")):
                        # both use the same worker, which is set up once
                        more += 'ProxyPass "%s" "%s"%s\n' % (at, backend.url(), "" if guard else " retry=0")
                        more += site.GUARD.replace('"/legacy/"', '"%s"' % at).replace(
                            "SetHandler pypi-index", "").replace("{guard}", guard)
            s.init("alice", "bob")
            tok, bob = s.token("alice"), s.token("bob")
            s.allow(*NOISE)
            s.start(more=more, modules=["proxy", "proxy_http", "proxy_scgi"])
            back_ends(t, s, tok, bob, paths)
            streamed(t, s, tok, paths, running)
            breaks_off(t, s, tok)
            t.is_(os.listdir(s.path("spool")), [], "nothing is left in the spool directory")
        finally:
            for backend in running["http"] + running["scgi"]:
                backend.__exit__()


def with_signals(t, mpm):
    with faulty.Backend(faulty.hangs()) as backend, site.Site(t) as s:
        s.init("alice", "bob")
        tok, bob = s.token("alice"), s.token("bob")
        s.allow(r"child pid \d+ exit signal Killed")
        more = 'ProxyPass "/hanging/" "%s"\n' % backend.url()
        more += site.GUARD.replace('"/legacy/"', '"/hanging/"').replace("SetHandler pypi-index", "").replace("{guard}", "")
        s.start(more=more, mpm=mpm, modules=["proxy", "proxy_http"])
        restarted(t, s, tok)
        tidy(t, s, "graceful restarts, " + mpm)
        if mpm == "event":
            killed(t, s, tok, bob)
            killed_behind(t, s, tok, bob, backend)


def main(t):
    site.need(t)
    with_clients(t, "event")
    t.note("back ends")
    with_back_ends(t)
    for mpm in ("event", "prefork"):
        t.note("signals, " + mpm)
        with_signals(t, mpm)


tap.run(main)
