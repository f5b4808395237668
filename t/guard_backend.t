#!/usr/bin/python3
"""guard_backend.t - what stands behind the guard, and the ways around it: a CGI back end and what it
gets, rewriting, Require lines, a guard without AuthType, TLS, other locations."""
import base64
import hashlib
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, site, tap, wire  # noqa: E402

# Writes down what it was given, and says so.
ECHO = """#!/usr/bin/python3
import json, os, sys
length = os.environ.get("CONTENT_LENGTH")
body = sys.stdin.buffer.read(int(length)) if length else sys.stdin.buffer.read()
n = len(os.listdir("{root}/seen"))
with open("{root}/seen/%d" % n, "wb") as f:
    f.write(body)
status = os.environ.get("HTTP_USER_AGENT", "").partition("want ")[2] or "200 OK"
print("Status: %s\\r\\nContent-Type: application/json\\r\\n\\r" % status)
print(json.dumps({"env": dict(os.environ), "length": len(body), "seen": n}))
"""

# The first two lines are in many recipes for CGI and PHP: what a client authenticates with goes into the environment.
LOCATIONS = """
SetEnvIf Authorization "^(.*)$" HTTP_AUTHORIZATION=$1
RewriteEngine On
RewriteRule ^ - [E=CREDENTIALS:%{HTTP:Authorization}]
ScriptAlias "/cgi/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/open/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/keep/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/service/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/bare/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/any/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/named/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/owned/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/denied/" "{root}/cgi-bin/echo.py/"
ScriptAlias "/backend" "{root}/cgi-bin/echo.py"
<Directory "{root}/cgi-bin">
    Require all granted
    CGIPassAuth On
</Directory>
<Location "/cgi/">
    PyPITokenGuard On
    AuthType Basic
    AuthName uploads
    AuthBasicProvider pypitoken
    Require valid-user
</Location>
<Location "/keep/">
    PyPITokenGuard On
    PyPITokenBackendAuth Keep
    Require valid-user
</Location>
<Location "/service/">
    PyPITokenGuard On
    PyPITokenBackendAuth Service "{root}/service"
    Require valid-user
</Location>
<Location "/open/">
    PyPITokenGuard On
    AuthType Basic
    AuthName uploads
    AuthBasicProvider pypitoken
    Require all granted
</Location>
<Location "/bare/">
    PyPITokenGuard On
</Location>
<Location "/any/">
    PyPITokenGuard On
    Satisfy Any
    <RequireAny>
        Require all granted
        Require valid-user
    </RequireAny>
</Location>
<Location "/denied/">
    PyPITokenGuard On
    Require all denied
</Location>
<Location "/named/">
    PyPITokenGuard On
    Require pypi-project Demo other
</Location>
<Location "/owned/">
    PyPITokenGuard On
    Require pypi-role owner
</Location>
Alias "/rewritten/" "{root}/www/rewritten/"
<Location "/rewritten/">
    PyPITokenGuard On
    Require valid-user
</Location>
<Directory "{root}/www/rewritten">
    RewriteEngine On
    RewriteRule ^ /backend [L]
</Directory>
<Directory "{root}/www/inward">
    RewriteEngine On
    RewriteRule ^ /cgi/ [L]
</Directory>
Alias "/private/" "{root}/www/private/"
<Location "/private/">
    AuthType Basic
    AuthName people
    AuthBasicProvider pypitoken file
    AuthUserFile "{root}/people"
    Require valid-user
</Location>
"""


def seen(s):
    return len(os.listdir(s.path("seen")))


def passes(t, s, tok, path, package=None, **kw):
    """An upload that a CGI behind the guard answers: its answer."""
    body = (package or dist.sdist("demo")).form()
    r = s.upload(body, tok, path=path, **kw)
    if not t.is_(r.status, 200, "%s: an upload reaches the back end" % path, r):
        return {}, body
    got = r.json()
    with open(s.path("seen", str(got["seen"])), "rb") as f:
        t.ok(f.read() == body, "  byte for byte (%d)" % len(body))
    return got["env"], body


def closed(t, s, tok, path):
    """Nobody gets past path without a good token, and no back end sees anything."""
    package = dist.sdist("demo")
    before = seen(s)
    for name, who, status in (("no credentials", None, 401), ("a mistyped token", tok.mistyped(), 403),
                              ("a token for another project", tok.only("other-x"), 403),
                              ("a password", ("alice", s.password("alice")), 403)):
        r = s.upload(package, who, path=path)
        t.is_(r.status, status, "%s with %s: %d" % (path, name, status), r)
    r = s.upload(b"nonsense", tok, path=path)
    t.is_(r.status, 400, "%s with a body that is no form: 400" % path, r)
    t.is_(seen(s), before, "  the back end saw none of this")


def backend(t, s, tok):
    env, body = passes(t, s, tok, "/cgi/")
    t.is_([env.get(k) for k in ("REMOTE_USER", "PYPITOKEN_ID", "PYPITOKEN_PROJECT", "PYPITOKEN_FILE",
                                "PYPITOKEN_VERDICT", "AUTH_TYPE")],
          ["alice", tok.id, "demo", "demo-1.0.tar.gz", "allowed", "Basic"], "  who and what in its environment")
    t.ok("HTTP_AUTHORIZATION" not in env, "  no Authorization")
    t.ok(tok.text not in json.dumps(env) and wire.basic(*tok.user).split()[1] not in json.dumps(env), "  the token is nowhere in its environment", env)
    t.is_(env.get("CONTENT_LENGTH"), str(len(body)), "  the right length")
    closed(t, s, tok, "/cgi/")

    env, _ = passes(t, s, tok, "/cgi/", chunks=999)
    t.ok("HTTP_AUTHORIZATION" not in env, "  no Authorization")
    passes(t, s, tok, "/cgi/", dist.sdist("demo", "2.0", padding=1 << 20))
    t.is_(os.listdir(s.path("spool")), [], "  nothing is left in the spool directory")

    env, _ = passes(t, s, tok, "/keep/")
    t.is_(env.get("HTTP_AUTHORIZATION"), wire.basic(*tok.user), "PyPITokenBackendAuth Keep keeps it")
    env, _ = passes(t, s, tok, "/service/")
    t.is_(env.get("HTTP_AUTHORIZATION"), wire.basic("robot", "service-password"),
          "PyPITokenBackendAuth Service puts that of the file in its place")
    t.ok(wire.basic(*tok.user).split()[1] not in json.dumps(env), "  and the token is nowhere in the environment", env)

    r = s.upload(dist.sdist("kept"), tok, path="/cgi/", agent="want 500 Broken")
    t.is_(r.status, 500, "the back end's own answer is passed on", r)
    r = s.upload(dist.sdist("kept"), tok, path="/cgi/", agent="want 201 Made")
    t.is_(r.status, 201, "  this one too", r)


def requires(t, s, tok):
    passes(t, s, tok, "/open/")
    closed(t, s, tok, "/open/")
    # "Satisfy Any" makes httpd skip authentication altogether: the guard's last hook stays closed
    before = seen(s)
    for who in (None, tok.mistyped(), tok.only("other-x"), ("alice", s.password("alice")), tok):
        r = s.upload(dist.sdist("demo"), who, path="/any/")
        t.ok(r.status in (401, 403), "Satisfy Any opens nothing", r)
    t.is_(seen(s), before, "  the back end saw none of this")
    r = s.upload(dist.sdist("demo"), tok, path="/denied/")
    t.is_(r.status, 403, "Require all denied denies still", r)

    passes(t, s, tok, "/named/")
    r = s.upload(dist.sdist("third"), tok, path="/named/")
    t.ok(r.status in (401, 403), "Require pypi-project: another project is refused", r)
    passes(t, s, tok, "/owned/")
    s.ctl("project", "add", "shared", "--owner", "bob")
    s.ctl("role", "add", "shared", "alice", "maintainer")
    r = s.upload(dist.sdist("shared"), tok, path="/owned/")
    t.ok(r.status in (401, 403), "Require pypi-role owner: a maintainer is refused", r)
    passes(t, s, tok, "/cgi/", dist.sdist("shared"))

    package = dist.sdist("demo")
    before = seen(s)
    r = s.upload(package, None, path="/bare/")
    t.ok(r.status in (401, 403, 500), "a guard without AuthType and Require: nobody without a token", r)
    r = s.upload(package, tok.mistyped(), path="/bare/")
    t.ok(r.status in (403, 500), "  nor with a bad one", r)
    t.is_(seen(s), before, "  the back end saw none of this")
    passes(t, s, tok, "/bare/")


def rewriting(t, s, tok):
    env, _ = passes(t, s, tok, "/rewritten/")
    t.is_([env.get(k) for k in ("REMOTE_USER", "PYPITOKEN_PROJECT")], ["alice", "demo"],
          "  after an internal redirect: who and what")
    t.ok(not env.get("HTTP_AUTHORIZATION") and wire.basic(*tok.user).split()[1] not in json.dumps(env), "  no Authorization", env)
    closed(t, s, tok, "/rewritten/")
    closed(t, s, tok, "/inward/")
    r = s.upload(dist.sdist("demo"), tok, path="/inward/")
    t.ok(r.status in (200, 400, 403, 404), "an open location that rewrites to the guarded one", r)
    if r.status == 200:
        t.ok(wire.basic(*tok.user).split()[1] not in r.text, "  no Authorization", r)


def elsewhere(t, s, tok):
    """A token uploads; it does nothing else."""
    def get(who):
        return s.get("/private/page", user=who)
    t.is_(get(("carol", "carols-password")).status, 200, "an ordinary login beside the guard")
    r = get(tok.user)
    t.is_((r.status, r.header("WWW-Authenticate")), (403, None), "a token does not log in", r)
    t.has(r.reason, "API tokens are valid for uploads only", "  and is told so", r)
    r = get(("carol", tok.text))
    t.is_(r.status, 403, "  not with a person's name either", r)
    r = get(("alice", s.password("alice")))
    t.is_(r.status, 200, "a user of ours, who is not in the other provider's file", r)
    r = get(("bob", "carols-password"))
    t.is_(r.status, 401, "  but not with a password of that file", r)


def over_tls(t, s, tok):
    r = wire.once(s.httpd.tls_port, "POST", "/cgi/", [dist.form_type()], dist.sdist("secure").form(), tok.user,
                  cafile=s.certificate())
    t.is_(r.status, 200, "an upload over TLS", r)


def main(t):
    site.need(t, "openssl")
    for mpm in ("event", "prefork"):
        with site.Site(t) as s:
            t.note("MPM " + mpm)
            s.init("alice", "bob")
            s.write("cgi-bin/echo.py", ECHO.replace("{root}", s.root), 0o755)
            s.write("service", "robot:service-password\n", 0o600)
            s.write("www/rewritten/x", "")
            s.write("www/inward/x", "")
            s.write("www/private/page", "hello")
            digest = hashlib.sha1(b"carols-password").digest()
            s.write("people", "carol:{SHA}" + base64.b64encode(digest).decode() + "\n")
            tok = s.token("alice")
            s.allow(r"client denied by server configuration", r"AuthType not set",
                    r"user (__token__|alice|carol).*(not found|password mismatch|authentication failure)",
                    r"AH01797", r"AH01617", r"AH01618", r"AH01631", r"AH01630")
            s.start(locations=LOCATIONS, more="PyPITokenPasswordUpload Never\n", mpm=mpm, modules=["cgi", "access_compat"], tls=True)
            for part in (backend, requires, rewriting, elsewhere, over_tls):
                t.note(part.__name__)
                part(t, s, tok)


tap.run(main)
