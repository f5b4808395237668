#!/usr/bin/python3
"""throttle.t - failures are counted in memory that all children share: who waits, who does not, for how long."""
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, poll, site, tap, token, wire  # noqa: E402

REMOTEIP = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"


def came_from(address):
    return [("X-Forwarded-For", address)]


def restart(s, sig):
    """A graceful or hard restart; back when a child of the new generation answers."""
    before = set(s.httpd.children())
    os.kill(s.httpd.proc.pid, sig)
    poll.until(lambda: set(s.httpd.children()) - before and s.get("/legacy/").status == 200
               and not before & set(s.httpd.children()))


def tokens(t, s, tok):
    """One broken job behind a NAT: it waits, nobody else does."""
    demo = dist.sdist("demo", "1.0")
    bad, nat = tok.mistyped(), came_from("192.0.2.1")
    got = [s.upload(demo, bad, headers=nat).status for _ in range(15)]
    t.is_(got, [403] * 10 + [429] * 5, "the same bad token: ten times it is told what is wrong, then to wait")
    r = s.upload(demo, bad, headers=nat)
    t.is_(r.status, 429, "429")
    t.ok(25 <= int(r.header("Retry-After")) <= 30, "  with Retry-After", r)
    t.like(r.reason, "Too many failed attempts. Wait [0-9]+ seconds", "  and a sentence")
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


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice")
        s.start(more=REMOTEIP, modules=["remoteip"])
        bad = tokens(t, s, tok)
        survives(t, s, tok, bad)


tap.run(main)
