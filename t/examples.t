#!/usr/bin/python3
"""examples.t - every file of conf/examples: httpd starts with it, uploads go through it to the back end, with
the credentials that it says and no others, and nothing else writes there.

What stands behind it: the real thing for the built-in index, PHP, CGI, mod_wsgi, slapd, MariaDB and mod_md (with
a certificate of ours: no authority is asked). pypiserver is played by t/backends/bottle_app.py, which decides as
it does. For devpi, Pulp, Gitea, GitLab, Nexus and Artifactory there is a stand-in that says 200 to everything and
keeps what it got: whatever is refused is refused by httpd.
"""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import backend, dist, examples, ldap, mariadb, pages, site, tap, wire  # noqa: E402

WRITING = ("POST", "PUT", "DELETE", "PATCH", "MKCOL", "PROPFIND", "OPTIONS")

# The native ways to write that each back end has, besides those that its file names.
NATIVE = {
    "pypiserver-proxy": ["/", "/packages/"],
    "pypiserver-wsgi": ["/", "/legacy", "/packages/"],
    "devpi": ["/root/prod/", "/root/prod", "/root/prod/aaa/1.0", "/root/prod/+f/x", "/+login", "/root"],
    "pulp": ["/pypi/prod/legacy/", "/pypi/prod/simple/", "/pulp/api/v3/content/python/packages/",
             "/pulp/api/v3/distributions/", "/pypi/prod/simple/..%2flegacy/"],
    "gitea": ["/api/packages/python/pypi", "/api/packages/python/pypi/", "/api/packages/python/pypi/files/aaa/1.0/x",
              "/api/v1/packages/python/pypi/aaa/1.0"],
    "gitlab": ["/api/v4/projects/42/packages/pypi", "/api/v4/projects/42/packages/pypi/authorize",
               "/api/v4/projects/42/packages/1"],
    "nexus": ["/repository/pypi-hosted/", "/repository/pypi-hosted/packages/aaa/1.0/x",
              "/service/rest/v1/components?repository=pypi-hosted", "/service/rest/v1/script"],
    "artifactory": ["/artifactory/api/pypi/pypi-local", "/artifactory/pypi-local/aaa/1.0/aaa-1.0.tar.gz",
                    "/artifactory/api/pypi/pypi-local/aaa/1.0/aaa-1.0.tar.gz", "/artifactory/api/move/pypi-local/a"],
    "php": ["/upload.php", "/simple/upload.php", "/simple/"],
    "cgi": ["/cgi-bin/upload.cgi", "/simple/upload.cgi", "/simple/"],
}

CGI = """#!/usr/bin/python3
import os, sys
sys.dont_write_bytecode = True
body = sys.stdin.buffer.read(int(os.environ.get("CONTENT_LENGTH") or 0))
name = "%s/" + os.environ["PYPITOKEN_FILE"]
with open(name, "wb") as f:
    f.write(body)
print("Content-Type: text/plain\\n\\n" + " ".join(os.environ.get(k, "-") for k in
      ("REMOTE_USER", "PYPITOKEN_PROJECT", "HTTP_AUTHORIZATION")))
"""


class Case:
    """One example, started: how to speak with it, and what its back end has got."""

    def __init__(self, t, s, example):
        self.t, self.s, self.example = t, s, example
        self.stand = self.shelf = None

    def ask(self, method, path, headers=(), body=None, user=None):
        return wire.once(self.s.httpd.tls_port, method, path, headers, body, user, cafile=self.s.certificate(),
                         host="localhost")

    def upload(self, package, user=None, path="/legacy/", headers=(), **changes):
        return self.ask("POST", path, [dist.form_type(), *headers], package.form(**changes), user and user.user)

    def got(self):
        """How often the back end was asked to write, and what it has."""
        if self.stand:
            return self.stand.writes()
        if self.shelf:
            return self.shelf.did(), sorted(self.shelf.tree())
        return self.s.stored(), sorted(x for _, _, files in os.walk(self.s.path("srv")) for x in files)


# ---- what stands behind ----

def nothing(case):
    case.example.start(case.s)


def stand(case):
    case.stand = examples.Stand()
    case.example.start(case.s, case.stand.port)


def bottle(case, wsgi):
    s = case.s
    backend.copy_apps(s)
    case.shelf = backend.Shelf(s, "pypiserver")
    if wsgi:
        s.write("srv/pypiserver/pypiserver.wsgi", "import sys\nsys.path.insert(0, %r)\nimport bottle_app\n"
                "application = bottle_app.make(%r, %r)\n" % (s.path("apps"), case.shelf.data, case.shelf.seen))
        case.example.start(s, extra='WSGISocketPrefix "%s/run/wsgi"\n' % s.root)
        return None
    server = backend.Server(s, "pypiserver", ["waitress-serve", "--listen=127.0.0.1:{port}", "--call",
                                              "bottle_app:from_environment"], case.shelf.environment()).start()
    case.example.start(s, server.port)
    return server


def php(case):
    s = case.s
    backend.copy_apps(s)
    case.shelf = backend.Shelf(s, "php")
    os.makedirs(s.path("srv/index/packages"))
    s.write("srv/index/upload.php", open(s.path("apps/upload.php")).read())
    server = backend.Server(s, "php", ["php-cgi", "-d", "date.timezone=UTC", "-d", "cgi.force_redirect=0", "-b",
                                       "127.0.0.1:{port}"],
                            dict(case.shelf.environment(), PHP_FCGI_MAX_REQUESTS="0")).start()
    case.example.start(s, server.port)
    return server


def cgi(case):
    s = case.s
    os.makedirs(s.path("srv/index/packages"))
    s.give("srv/index/packages")
    s.write("srv/index/cgi/upload.cgi", CGI % s.path("srv/index/packages"), 0o755)
    case.example.start(s)


def mirror(case):
    case.s.write("srv/mirror/web/simple/index.html", "public")
    case.s.ctl("project", "add", "aaa", "--owner", "alice")
    case.example.start(case.s)


def md(case):
    """No authority is asked: the certificate is there, and nothing renews it."""
    case.example.start(case.s, extra="MDRenewMode manual\n", more=[
        ("MDCertificateAgreement accepted", "MDCertificateAgreement accepted\nMDStoreDir %s/md" % case.s.root),
        ("MDomain pypi.example.org\n", "<MDomain pypi.example.org>\nMDCertificateFile %s\nMDCertificateKeyFile %s\n"
         "</MDomain>\n" % (case.s.certificate(), case.s.path("tls/key.pem")))])


BEHIND = {"pypiserver-proxy": lambda case: bottle(case, False), "pypiserver-wsgi": lambda case: bottle(case, True),
          "php": php, "cgi": cgi, "private-mirror": mirror, "tls-md": md}
NAMED = "devpi pulp gitea gitlab nexus artifactory".split()
INSIDE = ("builtin-index", "private-mirror", "mariadb-cluster", "ldap", "tls-md")


# ---- what is true of each ----

def head(t, name, e):
    t.ok(all((e.closes, e.hand_over, e.turn_off, "pypitoken" in e.modules)),
         name + ": its head says what it closes, hands over and turns off", (e.closes, e.hand_over, e.turn_off))
    t.is_(e.text.count("PyPITokenGuard On"), 1, "  one guard")


def refused(case, tok):
    t, before = case.t, case.got()
    t.is_(case.upload(dist.sdist("aaa"), tok.mistyped()).status, 403, "  a token that is not ours: 403")
    t.is_(case.upload(dist.sdist("aaa")).status, 401, "  none: 401")
    t.is_(case.upload(dist.sdist("bbb"), tok).status, 403, "  another project: 403")
    t.is_(case.upload(dist.sdist("aaa"), tok, filename="bbb-1.0.tar.gz").status, 400, "  a file of another one: 400")
    t.is_(case.upload(dist.sdist("aaa"), tok, action="remove_pkg").status, 400, "  :action remove_pkg: 400")
    t.is_(case.upload(dist.sdist("aaa"), tok, path="/legacy/?name=bbb").status, 400, "  a query string: 400")
    t.is_(case.got(), before, "  and the back end has seen none of it")


def around(case, tok):
    """No other URL and no other method writes, with or without a token or somebody's password."""
    t, before, through = case.t, case.got(), []
    paths = {"/", "/legacy", "/legacy/x", "/simple/", "/simple/aaa/", "/%6cegacy", "//legacy"}
    paths |= set(case.example.routes.values()) | set(NATIVE.get(case.example.name, ()))
    for path in sorted(paths):
        for method in WRITING:
            r = case.ask(method, path, [dist.form_type()], dist.sdist("aaa", "6.6").form(), tok.user)
            if not 400 <= r.status < 500:
                through.append((method, path, r.status))
    t.is_(through, [], "  %d other URLs refuse %s" % (len(paths), ", ".join(WRITING)))
    t.is_(case.got(), before, "  and the back end has seen none of it")


def identity(case):
    """What the file says that it unsets does not arrive, on no way."""
    if not case.stand:
        return
    mine = [(name, "root") for name in case.example.unset]
    path = [url for url in case.example.routes if url != "/legacy/"][-1]
    case.t.is_(case.ask("GET", path, mine).status, 200, "  reading goes through")
    got = {name.lower() for name, _ in case.stand.seen[-1][2]}
    case.t.is_(got & {name.lower() for name in case.example.unset}, set(),
               "  without what claims to be somebody: %s" % " ".join(case.example.unset))


def arrived(case, package):
    """The upload, as the back end has it."""
    t, e = case.t, case.example
    if case.stand:
        method, path, headers, body = case.stand.seen[-1]
        t.is_((method, path), ("POST", e.routes["/legacy/"]), "  it is at the back end's upload URL")
        t.ok(package.data in body, "  byte for byte")
        sent = [v for k, v in headers if k.lower() == "authorization"]
        t.is_(sent, [e.authorization()] if e.service else [], "  with the credentials of the file, and no token")
    elif case.shelf:
        t.has(list(case.shelf.tree().values()), package.data, "  the application has it, byte for byte")
    elif e.name == "cgi":
        with open(case.s.path("srv/index/packages", package.filename), "rb") as f:
            t.ok(package.data in f.read(), "  the script has it, byte for byte")
    else:
        with open(case.s.path("packages/aaa", package.filename), "rb") as f:
            t.ok(f.read() == package.data, "  the index has it, byte for byte")


def one(t, name, more=None):
    e = examples.Example(name)
    head(t, name, e)
    with site.Site(t) as s:
        s.allow("AH01630", "AH10[01]", "client denied by server")
        s.init(*(["alice"] if name in PEOPLE else []))
        for user in {"alice", "mallory"} - (PEOPLE.get(name, set())):
            s.ctl("user", "add", user, "--no-password")
        s.token("mallory", "bbb")
        case = Case(t, s, e)
        server = None
        try:
            server = BEHIND.get(name, stand if name in NAMED else nothing)(case)
            tok = s.token("alice")
            for package in (dist.sdist("aaa"), dist.wheel("aaa")):
                r = case.upload(package, tok)
                t.is_(r.status, 200, "  %s goes through" % package.filename, r)
                arrived(case, package)
            refused(case, tok)
            around(case, tok)
            identity(case)
            if more:
                more(case, tok)
        finally:
            for end in (s.httpd, server, case.stand):
                if end:
                    end.stop()


# ---- what is particular ----

def reading(case, path):
    r = case.ask("GET", path)
    case.t.is_(r.status, 200, "  pip finds it at " + path, r)
    case.t.has(r.text, "aaa-1.0.tar.gz", "  with the file")


def builtin(case, tok):
    del tok
    reading(case, "/simple/aaa/")
    b = pages.Browser(case.s, case.s.httpd.tls_port, case.s.certificate())
    case.t.is_(b.sign_in("alice", case.s.password("alice")).status, 303, "  the pages let people in")


def private(case, tok):
    t = case.t
    t.is_(case.ask("GET", "/mirror/simple/index.html").text, "public", "  the mirror can be read")
    t.is_(case.ask("GET", "/private/aaa/").status, 401, "  the private index not without a login")
    t.is_(case.ask("GET", "/private/aaa/", user=tok.user).status, 403, "  nor with a token")
    r = case.ask("GET", "/private/aaa/", user=("alice", case.s.password("alice")))
    t.ok(r.status == 200 and "aaa-1.0.tar.gz" in r.text, "  but by people", r)
    t.is_(case.upload(dist.sdist("new"), tok).status, 403, "  an upload makes no project")


def script(case, tok):
    r = case.upload(dist.sdist("aaa", "3.0"), tok)
    case.t.is_(r.text.split(), ["alice", "aaa", "-"], "  the script is told who and what, and sees no credentials")


def clear(case, tok):
    """Port 80: no upload, and not even a redirect that a client could follow with the token."""
    t, before = case.t, case.got()
    r = case.s.upload(dist.sdist("aaa", "4.0"), tok)
    t.is_((r.status, r.header("Location")), (403, None), "  http: an upload is refused, not redirected")
    r = case.s.get("/simple/")
    t.is_((r.status, r.header("Location")), (302, "https://localhost/simple/"), "  http: reading is")
    t.is_(case.got(), before, "  and nothing was stored")
    reading(case, "/simple/aaa/")


def people_of_ldap(t):
    if ldap.missing():
        t.skip("ldap", "no " + ldap.missing())
        return
    with site.Site(t) as s, ldap.Slapd(s, {"lena": "lena of ldap"}) as d:
        s.allow("AH01630", "client denied by server")
        e = examples.Example("ldap")
        head(t, "ldap", e)
        s.init("alice")
        s.ctl("user", "add", "lena", "--no-password")
        s.secrets.add("lena of ldap")
        case = Case(t, s, e)
        e.start(s, more=[("ldap://127.0.0.1:389/ou=people,dc=example,dc=org?uid?one", d.url())])
        b = pages.Browser(s, s.httpd.tls_port, s.certificate())
        t.is_(b.sign_in("lena", "wrong").status, 403, "  a wrong password of LDAP's does not open the pages")
        t.is_(b.sign_in("lena", "lena of ldap").status, 303, "  the right one does")
        tok = s.token("lena")
        t.is_(case.upload(dist.sdist("aaa"), tok).status, 200, "  a token of hers uploads")
        arrived(case, dist.sdist("aaa"))
        r = case.ask("POST", "/legacy/", [dist.form_type()], dist.sdist("aaa", "2.0").form(), ("lena", "lena of ldap"))
        t.is_(r.status, 403, "  the password does not", r)
        t.is_(len(s.visible()), 1, "  and nothing else is stored")
        around(case, tok)


def cluster(t):
    """Two front ends with the same file and one database."""
    if mariadb.missing():
        t.skip("mariadb-cluster", "no " + mariadb.missing())
        return
    e = examples.Example("mariadb-cluster")
    head(t, "mariadb-cluster", e)
    server = mariadb.shared()
    with site.Site(t, "mysql") as s:
        s.allow("AH01630", "client denied by server", "AH00095")  # the first one's files are moved away
        s.init("alice")
        url = re.search(r"mysql://\S+", e.text).group(0)
        places = [(url, server.url(s.store.name, how="tls")), ("/etc/pypitoken/store-password", server.secret)]
        tok = s.token("alice")
        case = Case(t, s, e)
        for n, version in ((1, "1.0"), (2, "2.0")):
            e.start(s, more=places)
            t.is_(case.upload(dist.sdist("aaa", version), tok).status, 200, "  front end %d takes an upload" % n)
            if n == 1:
                first = s.httpd
                # the second one keeps its files beside the first one's
                os.rename(s.path("httpd.conf"), s.path("first.conf"))
                os.rename(s.path("run"), s.path("run1"))
                os.mkdir(s.path("run"), 0o755)
                os.chmod(s.path("run"), 0o755)
                s.give("run")
        s.ctl("token", "revoke", tok.id)
        for server in (first, s.httpd):
            s.httpd = server
            r = case.upload(dist.sdist("aaa", "3.0"), tok)
            t.ok(r.status == 403 and "revoked" in r.text, "  revoked once, refused by each", r)
        t.is_(len(s.visible()), 2, "  nothing else is stored")


# Where somebody logs in with a password (hashing one takes its time).
PEOPLE = {"builtin-index": {"alice"}, "private-mirror": {"alice"}}
MORE = {"builtin-index": builtin, "private-mirror": private, "cgi": script, "tls-md": clear}


def main(t):
    site.need(t, "waitress-serve", "php-cgi", "openssl")
    t.is_(sorted(set(NAMED) | set(BEHIND) | set(INSIDE)), examples.names(), "every example is tried here")
    wanted = os.environ.get("PYPT_EXAMPLES", "").split()
    for name in examples.names():
        if wanted and name not in wanted:
            continue
        if name == "ldap":
            people_of_ldap(t)
        elif name == "mariadb-cluster":
            cluster(t)
        else:
            one(t, name, MORE.get(name))


tap.run(main)
