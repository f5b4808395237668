"""examples.py - the files of conf/examples as they stand, with their ports and places moved to a test's.

    names()                      all of them
    Example(name)                what its head says: closes, hand_over, turn_off, modules, unset
    Example(name).start(site)    an httpd with this file alone, and Debian's usual modules beside its own
    Stand()                      a stand-in for a back end: answers 200 and keeps what it was given

The moving is textual and knows each place by its name: a file that names another one does not start.
"""

import http.server
import os
import re
import threading

from . import SRCDIR, httpd, wire

DIRECTORY = os.path.join(SRCDIR, "conf/examples")

# What is on after "apt install apache2".
USUAL = ("mpm_event access_compat alias auth_basic authn_core authn_file authz_core authz_host authz_user autoindex "
         "deflate dir env filter mime negotiation reqtimeout setenvif status").split()
# What a2enmod brings along.
BRINGS = {"ssl": ["socache_shmcb"]}

SERVICE_USER, SERVICE_PASSWORD = "uploader", "of the back end 1"


def names():
    return sorted(name[:-5] for name in os.listdir(DIRECTORY) if name.endswith(".conf"))


class Stand(http.server.ThreadingHTTPServer):
    """seen: (method, path, headers as pairs, body). A context manager."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.seen, self.port = [], self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def stop(self):
        self.__exit__()

    def writes(self):
        return [(method, path) for method, path, _, _ in self.seen if method not in ("GET", "HEAD")]


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, list(self.headers.items()), body))
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ok\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_MKCOL = do_PROPFIND = _any

    def log_message(self, *_):
        pass


class Example:
    def __init__(self, name):
        self.name, self.path = name, os.path.join(DIRECTORY, name + ".conf")
        with open(self.path, encoding="utf-8") as f:
            self.text = f.read()
        self.closes, self.hand_over, self.turn_off = map(self._says, ("Closes", "Hand over", "Turn off there"))
        self.modules = self._says("Modules").split()
        self.unset = re.findall(r"^ *RequestHeader unset (\S+)", self.text, re.M)
        self.ports = [int(p) for p in re.findall(r"(?:http|fcgi)://127\.0\.0\.1:(\d+)", self.text)]
        self.routes = dict(re.findall(r'^ *ProxyPass "(\S+)" "http://127\.0\.0\.1:\d+(\S*)"', self.text, re.M))
        self.service = "PyPITokenBackendAuth Service" in self.text

    def _says(self, what):
        found = re.search(r"^# %s: ((?:.*\n)(?:#   +.*\n)*)" % what, self.text, re.M)
        return re.sub(r"\s*\n# *", " ", found.group(1)).strip() if found else ""

    def moved(self, site, tls_port, port, back=0, more=()):
        """The text with everything where the test has it. back: the back end's port."""
        root = site.root
        places = [
            ("/etc/ssl/certs/pypi.example.org.pem", site.certificate()),
            ("/etc/ssl/private/pypi.example.org.key", root + "/tls/key.pem"),
            ("sqlite:/var/lib/pypitoken/store.db", "sqlite:%s/store/pypi.db" % root),
            ("/var/lib/pypitoken/packages", root + "/packages"),
            ("/srv/shared/packages", root + "/packages"),
            ("/etc/pypitoken/keyring", root + "/keyring"),
            ("/etc/pypitoken/backend-auth", root + "/backend-auth"),
            ("/srv/", root + "/srv/"),
            ("<VirtualHost *:443>", "<VirtualHost 127.0.0.1:%d>" % tls_port),
            ("<VirtualHost *:80>", "<VirtualHost 127.0.0.1:%s>" % port),
            ("admin@example.org", "admin@localhost"),
            *more,
            ("pypi.example.org", "localhost"),
        ]
        text = re.sub(r"(http|fcgi)://127\.0\.0\.1:\d+", r"\1://127.0.0.1:%d" % back, self.text)
        for old, new in places:
            text = text.replace(old, new)
        return text

    def start(self, site, back=0, more=(), extra=""):
        """Started, and what site.httpd is from here on; its tls_port serves. extra: lines before the file's."""
        site.write("backend-auth", "%s:%s\n" % (SERVICE_USER, SERVICE_PASSWORD), 0o600)
        site.secrets |= {SERVICE_PASSWORD, self.authorization().split()[1]}
        site.httpd = Moved(site, self, back, more, extra)
        site.servers.append(site.httpd)
        return site.httpd.start()

    def authorization(self):
        return wire.basic(SERVICE_USER, SERVICE_PASSWORD)


class Moved(httpd.Httpd):
    """An httpd with an example in it, on ports of its own."""

    def __init__(self, site, example, back, more, extra):
        super().__init__(site, "")
        self.example, self.given = example, (back, more, extra)
        self.modules = USUAL + [m for name in example.modules if name != "pypitoken"
                                for m in [name, *BRINGS.get(name, [])]]

    def write(self):
        back, more, extra = self.given
        self.tls_port = httpd.free_port()
        text = self.example.moved(self.site, self.tls_port, "@PORT@", back, more)
        cache = "SSLSessionCache \"shmcb:%s/run/ssl(65536)\"\n" % self.site.root
        self.config = "%s%sListen 127.0.0.1:%d\n%s" % (cache, extra, self.tls_port, text)
        path = super().write()
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace("@PORT@", str(self.port)))
        return path
