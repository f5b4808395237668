#!/usr/bin/python3
"""modsecurity.t - mod_security2 beside the guard: its rules see the whole form, the back end gets the whole body,
and what either of them refuses is refused once."""
import hashlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, handlers, site, tap, under, wire  # noqa: E402

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 20000000
SecRequestBodyNoFilesLimit 1000000
SecAuditEngine Off
SecTmpDir "{root}/run"
SecDataDir "{root}/run"
SecUploadDir "{root}/run"
SecRule ARGS:summary "@contains not-with-us" "id:1,phase:2,deny,status:406"
SecRule FILES "@endsWith -6.6.tar.gz" "id:2,phase:2,deny,status:406"
SecRule REQUEST_HEADERS:User-Agent "@contains scanner" "id:3,phase:1,deny,status:406"
"""
STREAM = "PyPITokenStream On\n    PyPITokenMemory 16K"


def send(s, servers, body, tok, path, **kw):
    servers.forget()
    with wire.Conn(s.httpd.port) as c:
        r = s.upload(body, tok, path=path, conn=c, **kw)
        rest = b""
        if r.header("Connection") == "close":
            while c._more():
                pass
            rest = c.buffer
    return r, rest, servers.seen()


def run(t, s, servers, tok, path):
    for size in (2000, 400000, 3 << 20):
        for chunks in (None, 8191):
            body = dist.sdist("demo").form(content=os.urandom(size))
            r, _, seen = send(s, servers, body, tok, path, chunks=chunks)
            t.is_(r.status, 200, "%s, %d bytes%s: taken" % (path, size, ", chunked" if chunks else ""), r)
            t.is_([(g["length"], g["sha256"]) for g in seen], [(len(body), hashlib.sha256(body).hexdigest())],
                  "  the back end gets it whole")
    for what, one, changes, agent in (
            ("a rule on a field", dist.sdist("demo"), {"summary": "not-with-us"}, "x"),
            ("a rule on a file name", dist.sdist("demo", "6.6"), {}, "x"),
            ("a rule on a header", dist.sdist("demo"), {}, "scanner")):
        for size in (2000, 400000):
            r, rest, seen = send(s, servers, one.form(content=os.urandom(size), **changes), tok, path, agent=agent)
            t.ok(400 <= r.status < 500 and rest == b"", "%s, %s, %d bytes: refused, once" % (path, what, size), r)
            t.is_(seen, [], "  the back end is not asked")
    good = dist.sdist("demo").form(content=os.urandom(400000))
    for what, body, who, status in (("a form that goes on", good + b"x", tok, 400), ("a form without end", good[:-9], tok, 400),
                                    ("another project's token", good, tok.only("x"), 403),
                                    ("a mistyped token", good, tok.mistyped(), 403)):
        r, rest, seen = send(s, servers, body, who, path)
        t.is_((r.status, rest), (status, b""), "%s, %s: %d, once" % (path, what, status), r)
        t.is_(seen, [], "  the back end is not asked")


def main(t):
    site.need(t, "gunicorn")
    if under.kind():
        t.skip_all("mod_security2 and httpd's own start do not bear being watched")
    for mpm in ("event", "prefork"):
        with site.Site(t) as s:
            t.note("MPM " + mpm)
            s.init("alice")
            tok = s.token("alice")
            s.allow(r"<security2:(error|warn)>", r"ModSecurity", r"Unknown error -102")
            with handlers.Servers(s, ["gunicorn", "cgi"]) as servers:
                locations = RULES + handlers.SERVER
                for name in servers.names:
                    locations += servers.location(name, "/%s/" % name) + servers.location(name, "/s-%s/" % name, STREAM)
                s.start(locations=locations, mpm=mpm, modules=["unique_id", "security2", *handlers.modules(mpm)])
                for name in servers.names:
                    run(t, s, servers, tok, "/%s/" % name)
                    run(t, s, servers, tok, "/s-%s/" % name)


tap.run(main)
