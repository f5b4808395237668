"""httpd.py - a real httpd in the foreground: started, watched and stopped by one test."""

import errno
import os
import random
import re
import shutil
import signal
import socket
import subprocess

from . import BUILDDIR
from . import poll, under

MODULES = ("authn_core authn_file authz_core authz_user auth_basic env setenvif alias dir mime headers "
           "rewrite reqtimeout request").split()

# %l level, %m module: what the gate parses.
CONFIG = """\
ServerRoot "{root}"
PidFile "{root}/run/httpd.pid"
DefaultRuntimeDir "{root}/run"
{modules}
LoadModule pypitoken_module "{module}"
Listen 127.0.0.1:{port}
ServerName localhost
{user}
DocumentRoot "{root}/www"
ErrorLog "{root}/logs/error.log"
ErrorLogFormat "<%m:%l> [%P] [%a] %E: %M"
LogLevel info
LogFormat "status=%>s method=%m path=%U user=%u id=%{{PYPITOKEN_ID}}e project=%{{PYPITOKEN_PROJECT}}e file=%{{PYPITOKEN_FILE}}e verdict=%{{PYPITOKEN_VERDICT}}e agent=%{{User-Agent}}i" test
CustomLog "{root}/logs/access.log" test
TypesConfig /dev/null
StartServers 1
MaxRequestWorkers 48
GracefulShutdownTimeout 5
{threads}
<Directory />
    AllowOverride None
    Require all denied
</Directory>
<Directory "{root}/www">
    Require all granted
</Directory>
{config}
"""

TLS = """\
Listen 127.0.0.1:{tls_port}
SSLSessionCache "shmcb:{root}/run/ssl(65536)"
<VirtualHost 127.0.0.1:{tls_port}>
    ServerName localhost
    SSLEngine on
    SSLCertificateFile "{root}/tls/cert.pem"
    SSLCertificateKeyFile "{root}/tls/key.pem"
</VirtualHost>
"""

# mod_ssl and the OpenSSL beside it are the machine's business; AH03093 is the event MPM's own race when it
# stops beside a connection that ends.
MACHINE = (r"AH01882", r"AH03093.*Bad file descriptor|Bad file descriptor.*AH03093")
WORST = ("warn", "error", "crit", "alert", "emerg")


def binary():
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return shutil.which("apache2", path=path) or shutil.which("httpd", path=path)


def _query(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False).stdout


def module_path():
    for name in (".libs/mod_pypitoken.so", "mod_pypitoken.so", "mod_pypitoken/.libs/mod_pypitoken.so"):
        path = os.path.join(BUILDDIR, name)
        if os.path.exists(path):
            return path
    return None


def _libexec():
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    for apxs in ("apxs", "apxs2"):
        found = shutil.which(apxs, path=path)
        if found:
            return _query(found, "-q", "LIBEXECDIR").strip()
    return "/usr/lib/apache2/modules"


def load_lines(names, libexec=None):
    """LoadModule lines of those modules that are shared objects here; the rest is built in."""
    libexec = libexec or _libexec()
    built_in = set(re.findall(r"mod_(\w+)\.c", _query(binary(), "-l")))
    lines = []
    for name in names:
        path = "%s/mod_%s.so" % (libexec, name)
        if name not in built_in and os.path.exists(path):
            lines.append('LoadModule %s_module "%s"' % (name, path))
    return "\n".join(lines)


def environment():
    """Nothing of ours, but what a sanitizer is told."""
    env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}
    env.update({k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k or k == "LD_PRELOAD"})
    return env


def free_port(host="127.0.0.1"):
    """A free port that no outgoing connection takes meanwhile (theirs are above), and another one in every script: for what
    is started a moment later, or again on the same one."""
    while True:
        port = random.SystemRandom().randrange(12000, 32000)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
            try:
                s.bind((host, port))
                return port
            except OSError as why:
                if why.errno != errno.EADDRINUSE:
                    raise


def guardian(pid, name="TERM"):
    """A process that ends pid when ours is gone without a word: a killed test leaves no httpd behind.
    (A death signal would not do: it is forgotten when httpd changes its user for a moment.)"""
    return subprocess.Popen(["/bin/sh", "-c", 'read word || kill -%s "$0"' % name, str(pid)],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                            start_new_session=True)


def open_connections(ports):
    """How many connections to these local ports the server side has not closed yet."""
    count = 0
    with open("/proc/net/tcp") as f:
        for line in f.read().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            count += int(local.split(":")[1], 16) in ports and state in ("01", "08")
    return count


def children(pid):
    """The pids of the direct children of pid."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name) as f:
                if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(name))
        except OSError:
            pass
    return found


class Httpd:
    """site: where files live (site.py); config: text after the server's own lines."""

    def __init__(self, site, config, mpm=None, modules=(), tls=False):
        self.site, self.config = site, config
        self.mpm = mpm or os.environ.get("PYPT_MPM", "event")
        self.modules = ["mpm_" + self.mpm] + MODULES + list(modules)
        if self.mpm != "prefork" and "cgi" in modules:
            self.modules[self.modules.index("cgi")] = "cgid"
        self.modules += ["ssl", "socache_shmcb"] if tls else []
        self.tls, self.port, self.tls_port, self.proc, self.guardian = tls, None, None, None, None
        self.more_ports = ()  # that clients were told of, beside these two: see quiet
        self.env = {}  # more of it for this httpd

    # ---- configuration ----

    def write(self):
        root = self.site.root
        self.port = free_port()
        config = self.config
        if "cgid" in self.modules:
            config = 'ScriptSock "%s/run/cgisock"\n' % root + config
        if self.tls:
            self.tls_port = free_port()
            self.site.certificate()
            config += TLS.format(root=root, tls_port=self.tls_port)
        text = CONFIG.format(
            root=root, port=self.port, module=module_path(), modules=load_lines(self.modules),
            user="User www-data\nGroup www-data" if self.site.as_root else "",
            threads="MaxSpareServers 48" if self.mpm == "prefork" else "ThreadsPerChild 16\nServerLimit 4\nMinSpareThreads 8\nMaxSpareThreads 48", config=config)
        path = os.path.join(root, "httpd.conf")
        with open(path, "w") as f:
            f.write(text)
        return path

    def _argv(self, *more):
        return [binary(), "-d", self.site.root, "-f", os.path.join(self.site.root, "httpd.conf"), *more]

    def check(self):
        """httpd -t. Its exit code and all that it said."""
        self.write()
        kind = self.site.under
        done = subprocess.run(under.command(kind, self._argv("-t"), self.site), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
                              env=under.environment(kind, environment(), self.site), check=False)
        return done.returncode, done.stdout + self.error_log()

    # ---- life ----

    def start(self):
        """Starts and waits for the first child that accepts; tries another port if one was taken."""
        for _ in range(5):
            self.write()
            if self._start_once():
                return self
            said = self.said()
            if "could not bind" not in said:
                raise RuntimeError("httpd does not start:\n" + said)
        raise RuntimeError("no free port")

    def attempt(self):
        """Starts a server that should not start. Its exit code (None: it runs), what it said."""
        self.write()
        started = self._start_once()
        said = self.said()
        code = None if started else self.proc.returncode
        if started:
            self.stop()
        return code, said

    def _start_once(self):
        pidfile = os.path.join(self.site.root, "run/httpd.pid")
        if os.path.exists(pidfile):
            os.unlink(pidfile)
        with open(os.path.join(self.site.root, "logs/stderr.log"), "ab") as err:
            self.proc = subprocess.Popen(
                under.command(self.site.under, self._argv("-DFOREGROUND"), self.site), stdin=subprocess.DEVNULL,
                stdout=err, stderr=err, start_new_session=True,
                env=under.environment(self.site.under, dict(environment(), **self.env), self.site))
        self.guardian = guardian(self.proc.pid)
        poll.until(lambda: self.proc.poll() is not None or self._ready(pidfile))
        if self.proc.poll() is not None:
            self.guardian.communicate(b"done\n")
        return self.proc.poll() is None

    def _ready(self, pidfile):
        try:
            with open(pidfile) as f:
                if int(f.read() or 0) != self.proc.pid:
                    return False
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return len(self.children()) > ("cgid" in self.modules)
        except (OSError, ValueError):
            return False

    def children(self):
        return children(self.proc.pid)

    def holds(self, folder):
        """What the children have open below a directory: pid and path, which ends in "(deleted)" when it has no name."""
        found = []
        for pid in self.children():
            try:
                fds = os.listdir("/proc/%d/fd" % pid)
            except OSError:
                continue  # it has ended
            for fd in fds:
                try:
                    to = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                except OSError:
                    continue  # closed meanwhile
                if to.startswith(folder + "/"):
                    found.append((pid, to))
        return found

    def kill_children(self, how=signal.SIGKILL):
        """kill -9 of every child that is there now; their pids. One may end by itself meanwhile."""
        pids = self.children()
        for pid in pids:
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass
        return pids

    def renew(self):
        """Every child is killed and others take their place. (Told to end by SIGTERM, one of the event MPM goes on.)
        """
        old = set(self.kill_children())
        if not poll.until(lambda: set(self.children()) - old and not set(self.children()) & old):
            raise RuntimeError("of the children %s still there: %s" % (sorted(old), sorted(self.children())))

    def graceful(self):
        """A graceful restart: every child ends by itself when it has nothing to do, and others take their place."""
        old, said = set(self.children()), self.error_log().count("resuming normal operations")
        self.quiet()
        self.proc.send_signal(signal.SIGUSR1)
        if not poll.until(lambda: self.error_log().count("resuming normal operations") > said and not set(self.children()) & old):
            raise RuntimeError("of the children %s still there: %s" % (sorted(old), sorted(self.children())))

    def quiet(self):
        """Waits until the last connection is closed: a child under the event MPM may crash when it is told to stop (by a restart, too)
        while it is closing one."""
        poll.until(lambda: not open_connections((self.port, self.tls_port, *self.more_ports)), 5)

    def stop(self):
        """Ends our own process, and waits for it."""
        if not self.proc:
            return
        if self.proc.poll() is None:
            self.quiet()
            self.proc.terminate()
            try:
                self.proc.wait(20 * under.slower())
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        if self.guardian.poll() is None:
            self.guardian.communicate(b"done\n")

    # ---- what it said ----

    def _read(self, name):
        try:
            with open(os.path.join(self.site.root, "logs", name), errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def error_log(self):
        return self._read("error.log")

    def access_log(self):
        return self._read("access.log")

    def said(self):
        return self._read("stderr.log") + self.error_log()

    def access(self, count=0, **want):
        """The lines of the access log with these values, as dictionaries. A line is written after its
        answer was sent and in no certain order: waits until there are count of them."""
        def lines():
            every = [dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", line)) for line in
                     self.access_log().split("\n")[:-1]]
            return [line for line in every if all(line.get(k) == v for k, v in want.items())]
        poll.until(lambda: len(lines()) >= count)
        return lines()

    def complaints(self):
        """Lines of the error log that nobody expected."""
        bad = []
        for line in self.said().split("\n"):
            level = re.match(r"<[^:>]*:(\w+)>", line)
            serious = level and level.group(1) in WORST
            if "child pid" in line and "exit signal" in line:
                serious = True
            if line and not level and not re.match(r"AH0055[78]|\s*$", line):
                serious = True
            if serious and not any(re.search(p, line) for p in (*MACHINE, *self.site.allowed)):
                bad.append(line)
        return bad
