#!/usr/bin/python3
"""meanwhile.t - what is taken away while a body is on its way is not good for that upload either: a token, an account,
a password. Spooled whole, streamed to the built-in index, streamed through a proxy."""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, faulty, poll, site, tap, wire  # noqa: E402

SIZE = 700000
STREAM = "PyPITokenStream On\n    PyPITokenMemory 16K"
WAYS = (("whole", "PyPITokenMemory 16K"), ("index", STREAM), ("proxy", STREAM))
AGENT = ("User-Agent", "pypt/1.0")


def locations(back):
    """For tokens, and behind /people the same for passwords."""
    for way, directives in WAYS:
        for start, more in (("/", ""), ("/people/", "\n    PyPITokenPasswordUpload Always")):
            text = site.GUARD.replace("/legacy/", start + way + "/").replace("{guard}", directives + more)
            yield text.replace("SetHandler pypi-index", 'ProxyPass "%s"' % back.url("/")) if way == "proxy" else text


def half(s, path, body, user):
    """A connection on which half of it was sent, and taken, or None."""
    before = len(held(s))
    c = wire.Conn(s.httpd.port)
    c.send(wire.request("POST", path, [dist.form_type(), AGENT, ("Content-Length", len(body))], None, user))
    c.send(body[:len(body) // 2])
    return c if poll.until(lambda: len(held(s)) > before) else None


def held(s):
    """The files into which bodies go."""
    return s.httpd.holds(s.path("spool")) + [h for h in s.httpd.holds(s.path("packages")) if h[1].endswith(" (deleted)")]


def rest(c, body):
    """The answer, and what else comes until the connection is closed."""
    with c:
        c.send(body[len(body) // 2:])
        r = c.response()
        while r.header("Connection") == "close" and c._more():
            pass
        return r, c.buffer


def attempt(t, s, back, start, what, user, act, want):
    """want: status and verdict of uploads, one each way, during whose bodies act is done."""
    attempt.count += 1
    sent = {way: dist.sdist("slow", "1.%d.%d" % (attempt.count, i), padding=SIZE) for i, (way, _) in enumerate(WAYS)}
    before = s.stored()
    del back.given[:]
    conns = {way: half(s, start + way + "/", one.form(), user) for way, one in sent.items()}
    second = int(time.time())  # the store is not asked again in the second in which it was
    t.ok(all(conns.values()) and poll.until(lambda: int(time.time()) > second), "half of an upload, and %s" % what, conns)
    act()
    for way, one in sent.items():
        r, more = rest(conns[way], one.form())
        t.is_((r.status, more), (want[0], b""), "  %s%s: %d, once" % (start, way, want[0]), r)
    names = [one.filename for one in sent.values()]  # refusals that are alike share events
    log = poll.until(lambda: {(e["kind"], e["verdict"]) for e in s.events() if e.get("file") in names})
    t.is_(log, {("upload" if want[0] == 200 else "upload-refused", want[1])}, "  %s is what is written down" % want[1])
    whole = [way for way, one in sent.items() if one.form() in [given.body for given in back.given]]
    if want[0] == 200:
        t.is_((len(s.stored()) - len(before) > 1, whole), (True, ["proxy"]), "  all of them are stored")
    else:
        t.is_((s.stored(), whole), (before, []), "  nothing is stored, no back end got the whole of it")
attempt.count = 0


def tokens(t, s, back):
    token = s.token("alice")
    attempt(t, s, back, "/", "nothing", token.user, lambda: None, (200, "allowed"))
    attempt(t, s, back, "/", "its token is revoked", token.user, lambda: s.ctl("token", "revoke", token.id),
            (403, "token-revoked"))
    token = s.token("alice")
    attempt(t, s, back, "/", "what its token was narrowed from is revoked", token.only("slow").user,
            lambda: s.ctl("token", "revoke", token.id), (403, "token-revoked"))
    token = s.token("alice")
    attempt(t, s, back, "/", "its owner is disabled", token.user, lambda: s.ctl("user", "disable", "alice"),
            (403, "user-disabled"))
    s.ctl("user", "enable", "alice")
    token = s.token("alice")
    attempt(t, s, back, "/", "the row of its token is deleted", token.user,
            lambda: s.store.write(("DELETE FROM tokens WHERE id = ?", (token.id,))), (403, "token-unknown"))


def people(t, s, back):
    who = ("bob", s.password("bob"))
    other = "another-password-of-bob"
    s.secrets.add(other)
    attempt(t, s, back, "/people/", "nothing", who, lambda: None, (200, "allowed"))
    attempt(t, s, back, "/people/", "another password is set", who, lambda: s.ctl("user", "passwd", "bob", text=other),
            (403, "login-failed"))
    s.ctl("user", "passwd", "bob", text=who[1])
    attempt(t, s, back, "/people/", "the account is disabled", who, lambda: s.ctl("user", "disable", "bob"),
            (403, "login-failed"))


def main(t):
    site.need(t)
    with site.Site(t) as s, faulty.Backend(faulty.answers()) as back:
        s.init("alice", "bob")
        s.start(locations="".join(locations(back)) + site.SIMPLE, modules=["proxy", "proxy_http"])
        s.ctl("project", "add", "slow", "--owner", "alice")
        s.ctl("role", "add", "slow", "bob", "maintainer")
        tokens(t, s, back)
        people(t, s, back)


tap.run(main)
