#!/usr/bin/python3
"""backends.t - real applications behind the guard, and the whole hostile corpus thrown at each.

Every application decides another way which project an upload is for: by the file name (and removes by
the form), by the archive's metadata, by a form field first or last. The attacker holds a token for
"aaa"; what "bbb" has must be the same afterwards, byte for byte. The control: without the guard the
same requests do damage, so this test can fail.

    backends.t               all of them
    PYPT_BACKENDS="go php"   only those whose name begins with one of these words; stream, index, others
    PYPT_HANDLERS=FILE       also writes the counts as JSON, for t/hostile/README

The handlers behind which none of these stands (others) get the corpus when one of the two is set.
"""
import hashlib
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/hostile"))

import corpus  # noqa: E402
import throw  # noqa: E402
from pypt import backend, dist, handlers, poll, site, tap, wire  # noqa: E402

GUARDED = """
<Location "/legacy/">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
    {guard}
</Location>
<Location "/read/">
    Require method GET
</Location>
<Directory "{root}/apps">
    Require all granted
</Directory>
LogFormat "%{X-Case}i %>s %{PYPITOKEN_VERDICT}e" verdicts
CustomLog "{root}/logs/verdicts.log" verdicts
"""

OPEN = """
<Location "/legacy/">
    Require all granted
</Location>
<Directory "{root}/apps">
    Require all granted
</Directory>
"""

CASES = list(corpus.cases())
VICTIM = dist.sdist("bbb", "1.0")
HONEST = dist.sdist("aaa", "1.0")
EVIL = dist.sdist("bbb", "1.0", salt="evil")


# ---- the applications and how they are mounted ----

class Bottle:
    """On mod_wsgi: no server of its own. The script says where the shelf is."""

    modules = ["wsgi"]

    def __init__(self, daemon):
        self.daemon = daemon

    def mount(self, s, shelf, urls):
        s.write("apps/%s.wsgi" % shelf.name, "import sys\nsys.path.insert(0, %r)\nimport bottle_app\n"
                "application = bottle_app.make(%r, %r)\n" % (s.path("apps"), shelf.data, shelf.seen))
        group = "process-group=%s" % shelf.name if self.daemon else ""
        lines = ["WSGIDaemonProcess %s processes=1 threads=4" % shelf.name,
                 "WSGISocketPrefix {root}/run/wsgi"] if self.daemon else []
        for url in urls:
            lines.append('WSGIScriptAlias %s "{root}/apps/%s.wsgi" application-group=%%{GLOBAL} %s'
                         % (url, shelf.name, group))
        return "\n".join(lines), None


class Proxied:
    """A server of its own behind mod_proxy; argv is told where the shelf is by environment or by {data} and
    {seen}."""

    def __init__(self, scheme, argv, script="", before=None):
        self.modules = ["proxy", "proxy_fcgi" if scheme == "fcgi" else "proxy_http"]
        self.scheme, self.argv, self.script, self.before = scheme, argv, script, before

    def mount(self, s, shelf, urls):
        if self.before:
            self.before(s)
        env = dict(shelf.environment(), PHP_FCGI_MAX_REQUESTS="0")
        argv = [w.replace("{root}", s.root).replace("{data}", shelf.data).replace("{seen}", shelf.seen)
                for w in self.argv]
        server = backend.Server(s, shelf.name, argv, env).start()
        lines = []
        for url in urls:
            lines.append('ProxyPass "%s/" "%s://127.0.0.1:%d/%s"' % (url, self.scheme, server.port, self.script))
            if self.script:
                lines.append('<Location "%s/">\nProxyFCGISetEnvIf true SCRIPT_FILENAME "{root}/%s"\n</Location>'
                             % (url, self.script))
        return "\n".join(lines), server


def build_go(s, built=[]):
    """Built once, for all sites."""
    if not built:
        env = dict(os.environ, GOCACHE=s.path("gocache"), GOFLAGS="-mod=mod", GO111MODULE="off", HOME=s.root)
        subprocess.run(["go", "build", "-o", s.path("apps/upload"), s.path("apps/upload.go")], check=True, env=env)
        with open(s.path("apps/upload"), "rb") as f:
            built.append(f.read())
    with open(s.path("apps/upload"), "wb") as f:
        f.write(built[0])
    os.chmod(s.path("apps/upload"), 0o755)


APPLICATIONS = {
    "bottle, mod_wsgi": Bottle(False),
    "bottle, mod_wsgi daemon": Bottle(True),
    "bottle, mod_proxy_http, waitress": Proxied("http", [
        "waitress-serve", "--listen=127.0.0.1:{port}", "--call", "bottle_app:from_environment"]),
    "django, mod_proxy_http, gunicorn": Proxied("http", [
        "gunicorn", "--bind=127.0.0.1:{port}", "--workers=1", "--threads=4", "--worker-tmp-dir={root}/run",
        "django_app:application"]),
    "php, mod_proxy_fcgi, php-cgi": Proxied("fcgi", ["php-cgi", "-d", "date.timezone=UTC", "-b", "127.0.0.1:{port}"],
                                            "apps/upload.php"),
    "go, mod_proxy_http, net/http": Proxied("http", ["{root}/apps/upload", "127.0.0.1:{port}", "{data}", "{seen}"],
                                            before=build_go),
}


class Running:
    """One application behind one httpd, and what can be asked of it. A context manager."""

    def __init__(self, s, application, config, urls, guard=""):
        self.s, self.shelf = s, backend.Shelf(s, "shelf")
        backend.copy_apps(s)
        mount, self.server = application.mount(s, self.shelf, urls)
        s.start(locations=mount + config, modules=application.modules, guard=guard)
        self.reads = urls[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.httpd.stop()
        if self.server:
            self.server.stop()

    def get(self, path):
        return self.s.get(self.reads + "/" + path)

    def list(self, project=None):
        answer = self.get("list" + ("/" + project if project else ""))
        return answer.json() if answer.status == 200 else answer

    def shown(self):
        """All that anybody can see of the victim."""
        return self.list("bbb"), self.get("file/" + VICTIM.filename).body


def real(case):
    """The corpus has words where a file would be: here they are archives, for those that open them."""
    if any(name.lower() == "content-length" for name, _ in case.headers):
        return None
    return lambda body: body.replace(corpus.FILE, HONEST.data).replace(b"EVIL", EVIL.data)


# ---- with the guard ----

# Those that do nothing when a request ends before its length says so.
STREAMED = ["bottle, mod_proxy_http, waitress", "go, mod_proxy_http, net/http"]

def verdicts(s):
    found = {}
    with open(s.path("logs/verdicts.log"), errors="replace") as f:
        for line in f:
            words = line.split()
            if len(words) == 3 and words[0] != "-":
                found[words[0]] = words[2]
    return found


def count(found, reached):
    """{class: [cases, accepted, refused, reached]}"""
    rows = {}
    for case in CASES:
        row = rows.setdefault(case.klass, [0, 0, 0, 0])
        row[0] += 1
        row[1 if found.get(case.id) == "allowed" else 2] += 1
        row[3] += case.id in reached
    return rows


def throw_all(t, s, tok):
    lost = []
    for case in CASES:
        try:
            throw.send(s.httpd.port, "/legacy/", case, tok.user, change=real(case))
        except (wire.Closed, OSError) as why:
            lost.append("%s: %r" % (case.id, why))
    t.is_(lost, [], "  every case is answered")


def guarded(t, name, application, guard=""):
    """guard: more lines for it. Where it streams, an application is called for a request that is refused at its
    end; such a one must see that it is cut off, and store nothing."""
    with site.Site(t) as s:
        s.init("alice", "mallory")
        theirs, tok = s.token("mallory", "bbb"), s.token("alice", "aaa")
        with Running(s, application, GUARDED, ["/legacy", "/read"], guard) as app:
            t.is_(s.upload(VICTIM, theirs).status, 200, "%s: the victim's own upload" % name)
            before, shown = app.shelf.tree(), app.shown()
            t.ok(VICTIM.data in before.values() and shown[1] == VICTIM.data, "  is there, byte for byte", shown)
            app.shelf.forget()
            throw_all(t, s, tok)
            after, did = app.shelf.tree(), app.shelf.did()
            t.is_([path for path in before if after.get(path, "gone") != before[path]], [],
                  "  the victim's files and metadata are untouched")
            t.is_(app.shown(), shown, "  and so is what the application shows of them")
            t.ok(set(app.list()) <= {"aaa", "bbb"}, "  no other project has come to be", app.list())
            t.is_([line for line in did if line["project"] not in ("aaa", None) or line["did"] == "removed"], [],
                  "  the application was asked for nothing else than aaa")
            ids = {line["case"].rpartition(" ")[2] for line in did}
            poll.until(lambda: ids <= set(verdicts(s)))  # a line is written behind its answer
            found = verdicts(s)
            allowed = [case.id for case in CASES if found.get(case.id) == "allowed"]
            if not guard:
                t.is_(allowed, [case.id for case in CASES if case.verdict == "allowed"],
                      "  the guard accepts what it should")
            reached = [line["case"].rpartition(" ")[2] for line in did if line["did"] != "nothing" or not guard]
            t.is_(sorted(reached), sorted(allowed), "  and for each accepted case, once")
            for package in (dist.sdist("aaa", "7.7"), dist.wheel("aaa", "7.7")):
                r = s.upload(package, tok)
                t.is_(r.status, 200, "  an honest upload of %s still works" % package.filename, r)
                t.ok(app.get("file/" + package.filename).body == package.data, "  and arrives whole")
                t.has(str(app.list("aaa")), package.filename, "  and is listed")
            outside(t, s, application, app, tok)
        rows = count(found, set(reached))
        total = [sum(row[k] for row in rows.values()) for k in range(4)]
        t.note("%s: %d cases, %d accepted, %d refused, %d reached" % ((name,) + tuple(total)))
        t.is_(total[1], total[3], "  accepted and reached are the same number")
        return rows


def outside(t, s, application, app, tok):
    """What the guard cannot see: a name that stands only inside the archive. t/README says so."""
    if application is not APPLICATIONS["django, mod_proxy_http, gunicorn"]:
        return
    inside = dist.sdist("ccc", "6.6")
    body = dist.sdist("aaa", "6.6").form(content=inside.data)
    t.is_(s.upload(body, tok).status, 200, "  an archive whose own metadata says ccc is not opened by the guard")
    t.is_(app.shelf.did()[-1]["project"], "ccc", "  who goes by it must hold it against the file name")


# ---- without ----

def control(t, name, application):
    """The same requests, and nobody in between. How many cases changed what bbb has."""
    with site.Site(t) as s:
        s.allow(".")
        s.init()
        with Running(s, application, OPEN, ["/legacy"]) as app:
            t.is_(s.upload(VICTIM).status, 200, "%s, no guard: the victim's own upload" % name)
            before, shown, damaged = app.shelf.tree(), app.shown(), []
            for case in CASES:
                if case.klass == "Z":  # meant to wear down a parser, which it does
                    continue
                try:
                    throw.send(s.httpd.port, "/legacy/", case, change=real(case))
                except (wire.Closed, OSError):
                    pass
                if app.shelf.tree() != before:
                    if app.shown() != shown:
                        damaged.append(case.id)
                    app.shelf.restore(before)
            t.note("%s, no guard: %d cases reach bbb: %s" % (name, len(damaged), " ".join(damaged)))
            t.ok(len(damaged) >= 5, "  the same corpus does damage (%d cases)" % len(damaged))
            return damaged


def index(t):
    """The built-in index keeps the first file of a name: what comes after it is refused by it, not by the
    guard."""
    with site.Site(t) as s:
        s.init("alice", "mallory")
        theirs, tok = s.token("mallory", "bbb"), s.token("alice", "aaa")
        s.start(locations=site.GUARD + site.SIMPLE + GUARDED[GUARDED.index("LogFormat"):])
        t.is_(s.upload(VICTIM, theirs).status, 200, "pypi-index: the victim's own upload")
        page, before = s.get("/simple/bbb/").body, set(s.stored())
        throw_all(t, s, tok)
        t.is_(s.get("/simple/bbb/").body, page, "  what the index shows of the victim is the same")
        with open(s.path("packages/bbb", VICTIM.filename), "rb") as f:
            t.ok(f.read() == VICTIM.data, "  and the file")
        new = [path for path in set(s.stored()) - before if path.split("/")[0] not in ("aaa", "bbb")]
        t.ok(before <= set(s.stored()) and all(path.startswith(".") for path in new), "  nothing of others is new", new)
        r = s.upload(dist.wheel("aaa", "7.7"), tok)
        t.is_(r.status, 200, "  an honest upload still works", r)
        s.httpd.stop()
        found = {case: "allowed" if word == "file-exists" else word for case, word in verdicts(s).items()}
        return count(found, {case for case, word in found.items() if word == "allowed"})


# Under each a recorder that takes everything.
OTHERS = {"mod_proxy_uwsgi, uWSGI": ("uwsgi", "event"), "mod_proxy_scgi, uWSGI": ("scgi", "event"), "mod_proxy_fcgi, uWSGI": ("fcgi", "event"),
          "mod_fcgid, php-cgi": ("fcgid", "event"), "mod_cgid": ("cgi", "event"), "mod_cgi, MPM prefork": ("cgi", "prefork")}


def other(t, name, kind, mpm):
    with site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice", "aaa")
        with handlers.Servers(s, [kind]) as servers:
            locations = handlers.SERVER + servers.location(kind, "/legacy/") + GUARDED[GUARDED.index("LogFormat"):]
            s.start(locations=locations, mpm=mpm, modules=handlers.modules(mpm))
            throw_all(t, s, tok)
            poll.until(lambda: {case.id for case in CASES if case.verdict == "allowed"} <= set(verdicts(s)))
            found = verdicts(s)
            allowed = [case.id for case in CASES if found.get(case.id) == "allowed"]
            t.is_(allowed, [case.id for case in CASES if case.verdict == "allowed"], name + ": the guard accepts what it should")
            got = {g["env"].get("HTTP_USER_AGENT", "").rpartition(" ")[2]: g for g in servers.seen()}
            t.is_((sorted(got), len(servers.seen())), (sorted(allowed), len(allowed)), "  and that arrives, once")
            bodies = {case.id: (real(case) or bytes)(case.body) for case in CASES if case.framing == "length"}
            other_bytes = [cid for cid, g in got.items() if cid in bodies and g["sha256"] != hashlib.sha256(bodies[cid]).hexdigest()]
            t.is_(other_bytes, [], "  byte for byte")
        return count(found, set(got))


def main(t):
    site.need(t, "waitress-serve", "gunicorn", "php-cgi", "go")
    wire.TIMEOUT = 15
    wanted = os.environ.get("PYPT_BACKENDS", "").split()
    table = []
    for name, application in APPLICATIONS.items():
        if not wanted or any(name.startswith(word) for word in wanted):
            rows = guarded(t, name, application)
            # as a daemon it is the same application behind the same bytes
            damaged = None if name == "bottle, mod_wsgi daemon" else len(control(t, name, application))
            table.append({"handler": name, "classes": rows, "unguarded": damaged})
        if name in STREAMED and (not wanted or "stream" in wanted):
            rows = guarded(t, name + ", PyPITokenStream", application, "PyPITokenStream On")
            table.append({"handler": name + ", PyPITokenStream", "classes": rows, "unguarded": None})
    if not wanted or "index" in wanted:
        table.append({"handler": "pypi-index", "classes": index(t), "unguarded": None})
    for name, (kind, mpm) in OTHERS.items():
        if "others" in wanted or os.environ.get("PYPT_HANDLERS"):
            table.append({"handler": name, "classes": other(t, name, kind, mpm), "unguarded": None})
    if os.environ.get("PYPT_HANDLERS"):
        with open(os.environ["PYPT_HANDLERS"], "w") as f:
            f.write("[\n" + ",\n".join(json.dumps(row) for row in table) + "\n]\n")


tap.run(main)
