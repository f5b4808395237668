"""site.py - one index for one test: directories, store, keyring, tokens, httpd, and the log gate."""

import atexit
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile

from . import BUILDDIR
from . import dist as dists
from . import mariadb, store, totp, under, wire
from .httpd import Httpd, binary, module_path
from .token import Token

SERVICE = "index.test"

GUARD = """\
<Location "/legacy/">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
    PyPITokenPackages "{root}/packages"
    SetHandler pypi-index
    {guard}
</Location>
"""

SIMPLE = """\
<Location "/simple/">
    SetHandler pypi-index
    PyPITokenPackages "{root}/packages"
    Require all granted
</Location>
"""

STORE = """\
{store}
PyPITokenKeyring "{root}/keyring"
PyPITokenService index.test
PyPITokenSpoolDir "{root}/spool"
"""


def need(tap, *programs):
    """Skips the whole script when something to test with is missing; our own parts may not be."""
    if not binary():
        tap.skip_all("no apache2 or httpd")
    for program in programs:
        if not shutil.which(program):
            tap.skip_all("no " + program)
    if not module_path() or not os.path.exists(os.path.join(BUILDDIR, "pypitokenctl")):
        raise RuntimeError("mod_pypitoken.so or pypitokenctl is not built in " + BUILDDIR)
    if store.kind() == "mysql" and mariadb.missing():
        tap.skip_all("no " + mariadb.missing())


def _own_end(signum, frame):
    del frame
    sys.exit(128 + signum)


class Site:
    """A directory with everything one httpd needs. A context manager: the gate runs at its end."""

    def __init__(self, tap, kind=None):
        """kind: of the store, "sqlite", "mysql" or what makes one; without, the environment decides
        (store.py)."""
        self.tap = tap
        self.as_root = os.geteuid() == 0
        self.root = tempfile.mkdtemp(prefix="pypt-")
        os.chmod(self.root, 0o755)
        self.secrets = set()
        self.allowed = []
        self.httpd = None
        self.servers = []
        self.under = under.kind()
        for name in "logs run store www cgi-bin".split():
            os.mkdir(os.path.join(self.root, name), 0o755)
            os.chmod(os.path.join(self.root, name), 0o755)
        for name in "packages spool seen".split():
            os.mkdir(os.path.join(self.root, name), 0o755)
            self.give(name)
        self.give("store")
        self.give("run")
        self.store = store.of(self, kind)
        atexit.register(self._remove)
        signal.signal(signal.SIGTERM, _own_end)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def give(self, *names):
        """To httpd's user, when there is one to give to."""
        if self.as_root:
            entry = pwd.getpwnam("www-data")
            for name in names:
                os.chown(self.path(name), entry.pw_uid, entry.pw_gid)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for server in self.servers:
            server.stop()
        if kind and self.servers:
            self.tap.diag("the error log:\n" + self.servers[-1].said()[-4000:])
        self.gate()
        self._remove()

    def _remove(self):
        for server in self.servers:
            server.stop()
        if not os.environ.get("PYPT_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)

    # ---- pypitokenctl ----

    def ctl_run(self, *argv, text="", store=None, keyring=None):
        """Runs pypitokenctl: the finished process, with text output."""
        env = {"PATH": "/usr/bin:/bin", "HOME": self.root, "LC_ALL": "C.UTF-8"}
        for name in os.environ:
            if "SAN_OPTIONS" in name:
                env[name] = os.environ[name]
        full = [os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null",
                *(store or self.store).options(), "--keyring", keyring or self.path("keyring"),
                "--service", SERVICE, *argv]
        full, env = under.small(self.under, full, env)
        return subprocess.run(full, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=env, check=False, timeout=60)

    def ctl(self, *argv, text=""):
        done = self.ctl_run(*argv, text=text)
        if done.returncode != 0:
            raise RuntimeError("pypitokenctl %s: exit %d\n%s" % (" ".join(argv), done.returncode, done.stderr))
        return done.stdout

    def ctl_json(self, *argv):
        return json.loads(self.ctl("--json", *argv))

    def events(self):
        return [json.loads(line) for line in self.ctl("--json", "events").splitlines()]

    def init(self, *users):
        """Store, keyring and these users, each with the password 'NAME-password-1'."""
        self.ctl("init")
        self.store.made()
        for user in users:
            self.ctl("user", "add", user, text=self.password(user) + "\n")
        return self

    def password(self, user):
        password = user + "-password-1"
        self.secrets.add(password)
        self.secrets.add(wire.basic(user, password).split()[1])
        return password

    def second_factor(self, user):
        """Enrols one and confirms it with the code before this one, so that the present one is still good. Its
        secret."""
        secret = self.ctl_json("totp", "enroll", user)["secret"].replace(" ", "")
        self.secrets.add(secret)
        self.ctl("totp", "confirm", user, text=totp.code(secret, -1) + "\n")
        return secret

    def token(self, user, *projects, expires=None):
        """A new token of the user; projects that are not there yet are made."""
        known = {row["name"] for row in self.ctl_json("project", "list")} if projects else set()
        options = ["--user", user]
        for project in projects:
            if project not in known:
                self.ctl("project", "add", project, "--owner", user)
            options += ["--project", project]
        if expires:
            options += ["--expires", expires]
        return Token(self.ctl("token", "create", *options).strip(), self)

    def secret(self, text):
        """No log may ever hold this, nor its end, nor the header that carries it."""
        self.secrets |= {text, text[-16:], wire.basic("__token__", text).split()[1]}

    # ---- httpd ----

    def start(self, guard="", more="", locations=None, mpm=None, modules=(), tls=False, env=None):
        """guard: lines inside the guarded Location; more: lines after; locations: instead of ours."""
        config = STORE + (locations if locations is not None else GUARD + SIMPLE) + more
        config = config.replace("{store}", self.store.line()).replace("{root}", self.root)
        config = config.replace("{guard}", guard)
        self.httpd = Httpd(self, config, mpm, modules, tls)
        self.httpd.env = env or {}
        self.servers.append(self.httpd)
        return self.httpd.start()

    def allow(self, *patterns):
        """Lines at warn or above that match one of these regular expressions are expected."""
        self.allowed += patterns

    def gate(self):
        """What the logs may not hold."""
        if not self.servers:
            return
        bad = [line for server in self.servers[-1:] for line in server.complaints()]
        self.tap.ok(not bad, "nothing unexpected in the error log", "\n".join(bad[:30]))
        leaks = []
        for name in sorted(os.listdir(self.path("logs"))):
            with open(self.path("logs", name), errors="replace") as f:
                text = f.read()
            leaks += ["%s: %s..." % (name, secret[:9]) for secret in self.secrets if secret in text]
        self.tap.ok(not leaks, "no secret in any log", "\n".join(leaks))
        if self.under:
            found = under.reports(self.under, self)
            self.tap.ok(not found, "nothing to report under " + self.under, "\n".join(found)[:20000])

    # ---- the shortest way to an upload ----

    def upload(self, package, token=None, path="/legacy/", headers=(), conn=None, changes=None, agent="pypt/1.0",
               **kw):
        """POSTs a Dist (or bytes of a body); the response. token: Token, (user, password) or None."""
        body = package if isinstance(package, bytes) else package.form(**(changes or {}))
        user = token.user if isinstance(token, Token) else token
        headers = [dists.form_type(), ("User-Agent", agent), *headers]
        if conn:
            return conn.request("POST", path, headers, body, user, **kw)
        return wire.once(self.httpd.port, "POST", path, headers, body, user, **kw)

    def get(self, path, headers=(), **kw):
        return wire.once(self.httpd.port, kw.pop("method", "GET"), path, headers, **kw)

    def alive(self, path="/simple/"):
        """Whether the index answers. False also when a child that is just being killed takes the connection along."""
        try:
            return self.get(path).status == 200
        except (OSError, wire.Closed):
            return False

    def stored(self):
        """Every file below packages, relative, sorted - dot files too."""
        found = []
        for at, _, names in os.walk(self.path("packages")):
            found += [os.path.relpath(os.path.join(at, name), self.path("packages")) for name in names]
        return sorted(found)

    def visible(self):
        """The stored distribution files: what is not the index' own bookkeeping."""
        return [name for name in self.stored() if not any(p.startswith(".") for p in name.split("/"))]

    def certificate(self):
        """A certificate of our own for localhost; the path of the file to trust."""
        cert = self.path("tls/cert.pem")
        if not os.path.exists(cert):
            os.makedirs(self.path("tls"), exist_ok=True)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext",
                            "basicConstraints=critical,CA:FALSE", "-keyout", self.path("tls/key.pem"),
                            "-out", cert], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            os.chmod(cert, 0o644)
        return cert
