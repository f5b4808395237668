"""mariadb.py - a real mariadbd of our own: a directory, a socket, a loopback port with TLS, and its end.

    with Mariadb() as db:
        db.database("pypi")                  # with the accounts and rights of conf/mysql-grants.sql
        db.url("pypi")                       # mysql://pypitoken@localhost/pypi?socket=...
        db.url("pypi", how="tls")            # over TCP, its certificate verified
        db.query("pypi", "SELECT 1")

The account "pypitoken" is the module's, which may define nothing; "pypitoken_admin" is pypitokenctl's.
Both have the password in db.secret, a file of mode 0600. Over TCP they are asked for TLS by the server.
"""

import atexit
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

from . import SRCDIR, poll
from .httpd import free_port, guardian

PASSWORD = "correct-horse-4711"
GRANTS = os.path.join(SRCDIR, "conf/mysql-grants.sql")

CONFIG = """\
[mysqld]
datadir={root}/data
socket={root}/s.sock
pid-file={root}/run/pid
log-error={root}/run/error.log
tmpdir={root}/run
bind-address=127.0.0.1
port={port}
skip-name-resolve
ssl-ca={root}/tls/ca.pem
ssl-cert={root}/tls/server.pem
ssl-key={root}/tls/server.key
innodb-buffer-pool-size=16M
innodb-log-file-size=4M
key-buffer-size=1M
aria-pagecache-buffer-size=1M
performance-schema=OFF
max-connections=200
innodb-flush-log-at-trx-commit=2
{options}
"""


def _where(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def missing():
    """What is not there to test with, or None."""
    for name in ("mariadbd", "mariadb-install-db", "openssl"):
        if not _where(name):
            return name
    try:
        __import__("pymysql")
    except ImportError:
        return "python3-pymysql"
    return None


def _quiet(*argv, **kw):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kw)
    if done.returncode != 0:
        raise RuntimeError("%s: exit %d\n%s" % (argv[0], done.returncode, done.stdout[-3000:]))


def certificates(where, names="DNS:localhost,IP:127.0.0.1,IP:::1", days="2"):
    """An authority of our own, ca.pem, and a server's and a client's certificate that it signed."""
    os.makedirs(where, exist_ok=True)

    def path(name):
        return os.path.join(where, name)

    def make(name, subject, extensions):
        _quiet("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
               subject, "-keyout", path(name + ".key"), "-out", path(name + ".csr"))
        with open(path(name + ".ext"), "w") as f:
            f.write(extensions)
        _quiet("openssl", "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey",
               path("ca.key"), "-CAcreateserial", "-days", days, "-extfile", path(name + ".ext"), "-out",
               path(name + ".pem"))
        os.chmod(path(name + ".key"), 0o644)  # a throw-away; server, httpd and tests run as different users

    _quiet("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days,
           "-subj", "/CN=Test authority", "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", path("ca.key"),
           "-out", path("ca.pem"))
    make("server", "/CN=database", "subjectAltName=" + names + "\nbasicConstraints=critical,CA:FALSE\n")
    make("client", "/CN=front end", "basicConstraints=critical,CA:FALSE\n")


class Mariadb:
    """options: lines for [mysqld]; env: more environment. Not started yet."""

    def __init__(self, options=(), binary="mariadbd", argv=()):
        self.root = tempfile.mkdtemp(prefix="pypt-db-")
        self.options, self.binary, self.argv = list(options), binary, list(argv)
        self.user = "mysql" if os.geteuid() == 0 else None
        self.proc = self.guardian = None
        self.port = free_port()
        for name in "run tls data".split():
            os.mkdir(os.path.join(self.root, name))
        os.chmod(self.root, 0o755)
        certificates(self.path("tls"))
        self.secret = self.path("password")
        with open(self.secret, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(PASSWORD + "\n")
        self.own("", "run", "data")
        atexit.register(self.remove)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def own(self, *names):
        """To the server's user, when there is one to give to."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            for name in names:
                os.chown(self.path(name), entry.pw_uid, entry.pw_gid)

    socket = property(lambda self: self.path("s.sock"))  # of the server

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind:
            print("# " + self.said()[-3000:].replace("\n", "\n# "))
        self.remove()

    # ---- life ----

    def write(self):
        path = self.path("my.cnf")
        with open(path, "w") as f:
            f.write(CONFIG.format(root=self.root, port=self.port, options="\n".join(self.options)))
        os.chmod(path, 0o644)
        return path

    def install(self):
        argv = ["mariadb-install-db", "--no-defaults", "--datadir=" + self.path("data"), "--skip-test-db",
                "--auth-root-authentication-method=normal", "--skip-name-resolve",
                "--innodb-log-file-size=4M", "--tmpdir=" + self.path("run")]
        _quiet(*argv, *(["--user=" + self.user] if self.user else []), cwd=self.root)

    def launch(self):
        """Starts the process and waits for nothing."""
        argv = [_where(self.binary), "--defaults-file=" + self.write(), *self.argv]
        argv += ["--user=" + self.user] if self.user else []
        with open(self.path("stderr.log"), "ab") as err:
            # Python ignores SIGXFSZ: so does the server then, for limit()
            self.proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=err, stderr=err, cwd=self.root,
                                         start_new_session=True, restore_signals=False)
        self.guardian = guardian(self.proc.pid, "KILL")
        return self

    def start(self):
        if not os.path.exists(self.path("data/mysql")):
            self.install()
        self.launch()
        if not poll.until(lambda: self.proc.poll() is not None or self.answers(), 60) or self.proc.poll() is not None:
            raise RuntimeError("mariadbd does not start:\n" + self.said()[-3000:])
        return self

    def answers(self):
        try:
            self.connect().close()
            return True
        except Exception:  # whatever it is, it does not answer yet
            return False

    def running(self):
        return self.proc is not None and self.proc.poll() is None

    def _ended(self):
        self.proc.wait(60)
        if self.guardian.poll() is None:
            self.guardian.communicate(b"done\n")

    def kill(self):
        """As a power cut would."""
        if self.running():
            self.proc.kill()
            self._ended()

    def stop(self):
        if self.running():
            self.proc.terminate()
            self._ended()

    def freeze(self):
        os.kill(self.proc.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.proc.pid, signal.SIGCONT)

    def limit(self, size=None):
        """No file may be written beyond that size any more; None: any may."""
        _quiet("prlimit", "--pid", str(self.proc.pid), "--fsize=%s:" % ("unlimited" if size is None else size),
               **({"user": self.user, "group": pwd.getpwnam(self.user).pw_gid} if self.user else {}))

    def remove(self):
        self.kill()
        if not os.environ.get("PYPT_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)

    def said(self):
        text = ""
        for name in ("run/error.log", "stderr.log"):
            if os.path.exists(self.path(name)):
                with open(self.path(name), errors="replace") as f:
                    text += f.read()
        return text

    # ---- what is in it ----

    def connect(self, database=None):
        """A connection of root's, by the socket."""
        import pymysql
        return pymysql.connect(unix_socket=self.socket, user="root", password="", database=database, autocommit=True,
                               charset="utf8mb4", connect_timeout=5, read_timeout=30)

    def query(self, database, sql, *values):
        """The rows of one statement."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def accounts(self):
        """Those of conf/mysql-grants.sql: over TCP with TLS, over the socket without."""
        with open(GRANTS) as f:
            names = re.findall(r"^CREATE USER IF NOT EXISTS '(\w+)'@'%'", f.read(), flags=re.M)
        for name in names:
            for host, require in (("localhost", ""), ("127.0.0.1", " REQUIRE SSL")):
                self.query(None, "CREATE USER IF NOT EXISTS '%s'@'%s' IDENTIFIED BY '%s'%s"
                           % (name, host, PASSWORD, require))
        return self

    def grants(self, database, account):
        """The statements that give an account its rights, for a database of another name."""
        with open(GRANTS) as f:
            text = re.sub(r"--.*", "", f.read())
        for grant in re.findall(r"GRANT [^;]+;", text):
            if "TO '%s'@" % account in grant:
                grant = grant.replace("ON pypitoken.", "ON %s." % database)
                for host in ("localhost", "127.0.0.1"):
                    yield re.sub(r"\s+", " ", grant.replace("@'%'", "@'%s'" % host)).rstrip(";")

    def database(self, name):
        """A new one. The module's account gets its rights by grant(), when the tables are there."""
        self.accounts()
        self.query(None, "CREATE DATABASE %s CHARACTER SET utf8mb4" % name)
        for sql in self.grants(name, "pypitoken_admin"):
            self.query(None, sql)
        return self

    def grant(self, name):
        for sql in self.grants(name, "pypitoken"):
            self.query(None, sql)

    def url(self, database, user="pypitoken", how="socket", host="127.0.0.1", **options):
        if how == "socket":
            host, options = "localhost", {"socket": self.socket, **options}
        else:
            host = "%s:%d" % (host, self.port)
            options = {**({"ssl-ca": self.path("tls/ca.pem")} if how == "tls" else {"tls": "off"}), **options}
        return "mysql://%s@%s/%s?%s" % (user, host, database, "&".join("%s=%s" % pair for pair in options.items()))


# ---- one server for a whole script ----

_shared = []


def shared():
    if not _shared:
        _shared.append(Mariadb().start())
    return _shared[0]
