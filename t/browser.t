#!/usr/bin/python3
"""browser.t - the pages for people in a real browser: the form with a code, no scripts, no cookies, what ends a session."""
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, npm, site, tap  # noqa: E402

USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
PAGES = """\
<Location "/account/">
    SetHandler pypitoken-manage
    Require all granted
</Location>
<Location "/brief/">
    SetHandler pypitoken-manage
    PyPITokenSession 3
    Require all granted
</Location>
<Location "/filtered/">
    SetHandler pypitoken-manage
    Require all granted
    Header always unset Set-Cookie
    RequestHeader unset Cookie
</Location>
PyPITokenThrottle address Off
PyPITokenThrottle code-address Off
"""


def main(t):
    site.need(t, "openssl", "node")
    chromium = shutil.which("chromium")
    if not chromium:
        t.skip_all("no chromium")
    try:
        modules = npm.install("browser")
    except npm.Missing as why:
        t.skip_all(str(why))
    with site.Site(t) as s:
        s.init(*USERS)
        users = {name: {"password": s.password(name), "secret": s.second_factor(name)} for name in USERS}
        s.start(more=PAGES, tls=True)
        os.makedirs(s.path("browser"), exist_ok=True)
        told = {"chromium": chromium, "modules": modules, "work": s.path("browser"), "users": users,
                "token": s.token("alice").text, "base": "http://127.0.0.1:%d" % s.httpd.port,
                "tls": "https://localhost:%d" % s.httpd.tls_port}
        env = {"PATH": "/usr/bin:/bin", "HOME": s.path("browser"), "TMPDIR": s.path("browser"), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["node", os.path.join(SRCDIR, "t/browser/browser.mjs")], input=json.dumps(told),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, timeout=120, check=False)
        last = ""
        for line in done.stdout.splitlines():
            good, last, seen = json.loads(line)
            t.ok(good, last, seen)
        t.is_((done.returncode, last), (0, "the end was reached"), "the browser came to the end", done.stderr[-3000:])


tap.run(main)
