"""handlers.py - every kind of handler that can stand behind the guard, with real servers behind the proxies.

One WSGI application is behind all of them. It writes down what it was given, a file for each request in
<root>/seen, and answers with the same as JSON:
    env          CGI or WSGI variables (those that are text)
    length       bytes of body
    sha256       of the body
    tail         its last 200 bytes
    error        what reading the body raised, or null

What stands behind which location:

    index     the built-in index
    gunicorn  mod_proxy_http and gunicorn
    waitress  mod_proxy_http and waitress
    fcgi      mod_proxy_fcgi and uWSGI's FastCGI
    php       mod_proxy_fcgi and php-cgi
    scgi      mod_proxy_scgi and uWSGI's SCGI
    uwsgi     mod_proxy_uwsgi and uWSGI
    wsgi      mod_wsgi in httpd's own processes
    daemon    mod_wsgi in a process of its own
    cgi       mod_cgid, under prefork mod_cgi
    fcgid     mod_fcgid and php-cgi
"""

import json
import os
import socket
import subprocess

from . import poll
from .httpd import free_port, guardian

MODULES = "proxy proxy_http proxy_fcgi proxy_scgi proxy_uwsgi wsgi cgi fcgid http2".split()
NAMES = "index gunicorn waitress fcgi php scgi uwsgi wsgi daemon cgi fcgid".split()
PROXIED = {"gunicorn": "http", "waitress": "http", "fcgi": "fcgi", "scgi": "scgi", "uwsgi": "uwsgi"}
PROGRAMS = ("gunicorn", "uwsgi", "php-cgi")

APP = r'''
import hashlib, json, os, time

def read(environ, sha, state):
    left = environ.get("CONTENT_LENGTH")
    left = int(left) if left else None
    source = environ["wsgi.input"]
    while left is None or left > 0:
        piece = source.read(65536 if left is None else min(left, 65536))
        if not piece:
            break
        sha.update(piece)
        state["length"] += len(piece)
        state["tail"] = (state["tail"] + piece)[-200:]
        left = None if left is None else left - len(piece)

def application(environ, start_response):
    sha, state = hashlib.sha256(), {"length": 0, "tail": b""}
    agent = environ.get("HTTP_USER_AGENT", "")
    status = agent.partition("want ")[2] or "200 OK"
    error = None
    early = agent.startswith("early")
    out = b""
    if not early:
        try:
            read(environ, sha, state)
        except Exception as e:
            error = "%%s: %%s" %% (type(e).__name__, e)
    got = {"length": state["length"], "sha256": sha.hexdigest(),
           "tail": state["tail"].decode("latin-1"), "error": error,
           "env": {k: v for k, v in environ.items() if isinstance(v, str)}}
    name = "@SEEN@/%%d-%%d" %% (time.time_ns(), os.getpid())
    with open(name + ".new", "w") as f:
        json.dump(got, f)
    os.chmod(name + ".new", 0o644)
    os.rename(name + ".new", name + ".json")
    out = json.dumps(got).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(out)))])
    return [out]
'''.replace("%%", "%")

CGI = r'''#!/usr/bin/python3
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, "@ROOT@/app")
import wsgiref.handlers, recorder
wsgiref.handlers.CGIHandler().run(recorder.application)
'''

PHP = r'''<?php
$in = fopen("php://input", "rb");
$sha = hash_init("sha256"); $n = 0; $tail = "";
while (!feof($in)) { $p = fread($in, 65536); if ($p === false || $p === "") break;
  hash_update($sha, $p); $n += strlen($p); $tail = substr($tail . $p, -200); }
$env = array_filter($_SERVER, "is_string");
$got = json_encode(["length" => $n, "sha256" => hash_final($sha),
  "tail" => utf8_encode($tail), "error" => null, "env" => $env], JSON_INVALID_UTF8_SUBSTITUTE);
$name = "@SEEN@/" . (int)(microtime(true) * 1e9) . "-" . getmypid();
file_put_contents("$name.new", $got); chmod("$name.new", 0644); rename("$name.new", "$name.json");
header("Content-Type: application/json");
echo $got;
'''

PHP_INI = """\
enable_post_data_reading = Off
post_max_size = 0
memory_limit = 128M
cgi.force_redirect = 0
error_reporting = 0
"""

GUARD = """\
<Location "{url}">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
    PyPITokenNewProjects Anyone
    {more}
</Location>
"""

SERVER = """\
<IfModule http2_module>
    Protocols h2 h2c http/1.1
</IfModule>
WSGISocketPrefix "{root}/run/wsgi"
WSGIDaemonProcess recorder processes=2 threads=4 display-name=pypt-wsgi home="{root}/app"
WSGIRestrictEmbedded Off
FcgidMaxRequestLen 2000000000
FcgidIPCDir "{root}/run/fcgid"
FcgidProcessTableFile "{root}/run/fcgid_shm"
FcgidInitialEnv PHPRC "{root}/app"
FcgidConnectTimeout 20
FcgidIOTimeout 60
<Directory "{root}/cgi-bin">
    Require all granted
    CGIPassAuth On
</Directory>
<Directory "{root}/app">
    Require all granted
    Options +ExecCGI
    CGIPassAuth On
    WSGIPassAuthorization On
    WSGIChunkedRequest On
    WSGIApplicationGroup %{GLOBAL}
</Directory>
"""


def modules(mpm):
    """Those that work under this MPM: mod_http2 does not under prefork."""
    return [m for m in MODULES if mpm != "prefork" or m != "http2"]


def fill(text, s):
    return text.replace("@ROOT@", s.root).replace("@SEEN@", s.path("seen"))


class Servers:
    """The servers behind the proxies, and the configuration that leads to them. A context manager."""

    def __init__(self, s, names=NAMES):
        self.site, self.names = s, names
        self.procs, self.ports = [], {}
        s.write("app/recorder.py", fill(APP, s))
        s.write("app/record.php", fill(PHP, s))
        s.write("app/php.ini", PHP_INI)
        s.write("cgi-bin/record.py", fill(CGI, s), 0o755)

    def __enter__(self):
        for kind in {self._kind(n) for n in self.names} - {None}:
            getattr(self, "_" + kind)()
        poll.until(lambda: all(self._accepts(port) for port in self.ports.values()), 30)
        return self

    def __exit__(self, *_):
        for proc, _ in self.procs:
            if proc.poll() is None:
                proc.terminate()
        for proc, guard in self.procs:
            try:
                proc.wait(10)
            except subprocess.TimeoutExpired:
                proc.kill()
                proc.wait()
            guard.communicate(b"done\n")

    @staticmethod
    def _kind(name):
        return {"fcgi": "uwsgi", "scgi": "uwsgi"}.get(name, name) if name in PROXIED or name == "php" else None

    def _accepts(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def _run(self, argv, **env):
        env = dict({"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "HOME": self.site.root,
                    "PYTHONDONTWRITEBYTECODE": "1"}, **env)
        with open(self.site.path("logs/servers.log"), "ab") as out:
            proc = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                    cwd=self.site.path("app"))
        self.procs.append((proc, guardian(proc.pid)))

    def _gunicorn(self):
        self.ports["gunicorn"] = free_port()
        self._run(["gunicorn", "-b", "127.0.0.1:%d" % self.ports["gunicorn"], "-w", "2", "--threads", "4",
                   "recorder:application"])

    def _waitress(self):
        self.ports["waitress"] = free_port()
        self._run(["/usr/bin/python3", "-c", "import recorder, waitress; waitress.serve(recorder.application, "
                   "listen='127.0.0.1:%d', max_request_body_size=1 << 31)" % self.ports["waitress"]])

    def _uwsgi(self):
        argv = ["uwsgi", "--plugin", "python3", "--need-app", "--master", "--die-on-term", "-p", "3",
                "--wsgi-file", self.site.path("app/recorder.py")]
        for name, option in (("uwsgi", "uwsgi"), ("fcgi", "fastcgi"), ("scgi", "scgi")):
            self.ports[name] = free_port()
            argv += ["--%s-socket" % option, "127.0.0.1:%d" % self.ports[name]]
        self._run(argv)

    def _php(self):
        self.ports["php"] = free_port()
        self._run(["php-cgi", "-b", "127.0.0.1:%d" % self.ports["php"], "-c", self.site.path("app/php.ini")],
                  PHP_FCGI_CHILDREN="2")

    # ---- configuration ----

    def location(self, name, url, guard=""):
        """Lines that put the handler at url behind a guard with these lines in it."""
        inside, outside = guard, ""
        if name == "index":
            inside += '\n    SetHandler pypi-index\n    PyPITokenPackages "{root}/packages"'
        elif name in PROXIED:
            target = "%s://127.0.0.1:%d%s" % (PROXIED[name], self.ports[name], url)
            outside = 'ProxyPass "%s" "%s"\n' % (url, target)
        elif name == "php":
            outside = 'ProxyPassMatch "^%s$" "fcgi://127.0.0.1:%d{root}/app/record.php"\n' % (url, self.ports["php"])
            inside += "\n    ProxyFCGIBackendType GENERIC"
        elif name in ("wsgi", "daemon"):
            outside = 'WSGIScriptAlias "%s" "{root}/app/recorder.py%s"%s\n' % (
                url, url[-1:] if url.endswith("/") else "", " process-group=recorder" if name == "daemon" else "")
        elif name == "cgi":
            outside = 'ScriptAlias "%s" "{root}/cgi-bin/record.py/"\n' % url
        elif name == "fcgid":
            outside = 'Alias "%s" "{root}/app/record.php/"\n' % url
            inside += '\n    SetHandler fcgid-script\n    FcgidWrapper "/usr/bin/php-cgi"'
        return outside + GUARD.replace("{url}", url).replace("{more}", inside)

    def seen(self):
        """What the back ends wrote down, in order."""
        out = []
        for name in sorted(os.listdir(self.site.path("seen"))):
            if name.endswith(".json"):
                with open(self.site.path("seen", name)) as f:
                    out.append(json.load(f))
        return out

    def forget(self):
        for name in os.listdir(self.site.path("seen")):
            os.unlink(self.site.path("seen", name))
