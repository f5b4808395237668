#!/usr/bin/python3
"""threads.t - many clients at once, a token revoked and httpd restarted gracefully in the midst of it:
every accepted upload is there, whole, and no refused one is.

The MPM is worker, where all threads of a process share what the module keeps. PYPT_ROUNDS=N lets each
client do N things (20), PYPT_SEED=N other ones.
"""
import os
import random
import re
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, poll, site, tap, under, wire  # noqa: E402

CLIENTS = 8
ROUNDS = int(os.environ.get("PYPT_ROUNDS", "20"))
SEED = int(os.environ.get("PYPT_SEED", "1"))
SIZES = (0, 0, 0, 2000, 140000, 700000)  # past PyPITokenMemory, too


class Client(threading.Thread):
    """One of those who come at the same time. What it did ends in self.done: (kind, package or None,
    response or None when the connection broke, when it began)."""

    def __init__(self, s, number, tokens):
        super().__init__()
        self.s, self.number, self.tokens = s, number, tokens
        self.rng, self.done, self.count, self.fault = random.Random(SEED * 1000 + number), [], 0, None

    def run(self):
        try:
            for _ in range(ROUNDS):
                self.one(self.rng.choice(KINDS))
        except Exception as why:  # a thread's exception would be lost
            self.fault = repr(why)

    def package(self, project=None):
        self.count += 1
        make = self.rng.choice((dist.sdist, dist.wheel))
        padding = {"padding": self.rng.choice(SIZES)} if make is dist.sdist else {}
        return make(project or "p%d" % (self.number % 3), "%d.%d" % (self.number, self.count), **padding)

    def one(self, kind):
        began, package, answer = time.monotonic(), None, None
        try:
            if kind == "read":
                answer = self.s.get("/simple/%s" % self.rng.choice(["", "p0/", "p1/", "p2/"]))
            else:
                package = self.package("victim" if kind == "scope" else None)
                answer = self.send(kind, package)
        except (wire.Closed, OSError):
            pass
        self.done.append((kind, package, answer, began))

    def send(self, kind, package):
        body, token = package.form(), self.tokens[kind]
        chunks = self.rng.choice((None, None, 700))
        if kind == "broken":
            body = body[:-10]
        return self.s.upload(body, token, chunks=chunks)


# kind: the status that it must get; "revoked" is good until the token is revoked
KINDS = ["good"] * 8 + ["read"] * 4 + ["scope", "forged", "broken", "revoked", "revoked"]
WANT = {"good": 200, "read": 200, "scope": 403, "forged": 403, "broken": 400}


def check(t, done, revoked):
    """Every answer is one that there must be; the packages of the accepted and of the refused."""
    wrong, accepted, refused, lost = [], [], [], 0
    for kind, package, answer, began in done:
        status = answer.status if answer else None
        if status is None:
            lost += 1
            continue
        if kind == "revoked":
            right = status in (403, 429) + ((200,) if began < revoked else ())
        else:
            # who knocks with bad tokens too often has to wait; a project may have no file yet
            right = status == WANT[kind] or (kind, status) in (("forged", 429), ("read", 404))
        if not right:
            wrong.append("%s: %r" % (kind, answer))
        if package:
            (accepted if status == 200 else refused).append(package)
    t.is_(wrong, [], "every answer is the right one (%d)" % len(done))
    t.note("%d accepted, %d refused, %d connections broken" % (len(accepted), len(refused), lost))
    t.ok(lost <= len(done) / 10, "few connections broke, at the restart (%d)" % lost)
    return accepted, refused


def stored(s):
    found = {}
    for name in s.visible():
        with open(s.path("packages", name), "rb") as f:
            found[os.path.basename(name)] = f.read()
    return found


def crowd(t, s, tokens, restart):
    clients = [Client(s, number, tokens) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    poll.until(lambda: sum(len(c.done) for c in clients) > CLIENTS * ROUNDS / 3)
    s.ctl("token", "revoke", tokens["revoked"].id)
    revoked = time.monotonic()
    if restart:
        s.httpd.proc.send_signal(signal.SIGUSR1)
        t.ok(poll.until(lambda: len(re.findall("resuming normal operations", s.httpd.error_log())) == 2),
             "httpd restarts gracefully")
    for client in clients:
        client.join()
    t.is_([c.fault for c in clients if c.fault], [], "no client fell over")
    done = [one for c in clients for one in c.done]
    t.is_(len(done), CLIENTS * ROUNDS, "everybody did everything")
    accepted, refused = check(t, done, revoked)
    there = stored(s)
    t.is_([p.filename for p in accepted if there.get(p.filename) != p.data], [],
          "every accepted upload is there, byte for byte")
    t.is_([p.filename for p in refused if p.filename in there], [], "no refused one is")
    t.ok(accepted and refused, "there were some of both (%d, %d)" % (len(accepted), len(refused)))
    t.is_(os.listdir(s.path("spool")), [], "no temporary file is left")
    names = {e.get("file") for e in s.events() if e.get("verdict") == "allowed"}
    t.is_([p.filename for p in accepted if p.filename not in names], [], "each is in the audit trail")


def main(t):
    site.need(t)
    for restart in (False, True):
        with site.Site(t) as s:
            t.note("with a restart" if restart else "without a restart")
            s.allow(r"AH00493|AH00292|AH03490")
            s.init("alice", "mallory")
            s.ctl("project", "add", "victim", "--owner", "mallory")
            good = s.token("alice", "p0", "p1", "p2")
            tokens = {"good": good, "scope": good, "broken": good, "forged": good.mistyped(),
                      "revoked": s.token("alice", "p0", "p1", "p2")}
            s.start(mpm=os.environ.get("PYPT_MPM", "worker"))
            crowd(t, s, tokens, restart)
    t.note("under " + (under.kind() or "nothing"))


tap.run(main)
