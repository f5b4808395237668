#!/usr/bin/python3
"""pages_story.t - the life of a token in Chromium with a real twine: with JavaScript, without it and cookies, on a phone;
every page under axe-core, light and dark. Pictures are left in t/browser/pictures of the build tree."""
import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, SRCDIR, dist, npm, site, tap  # noqa: E402

USERS = ("alice", "bob", "carol", "olga")
PAGES = """\
<Location "/account/">
    SetHandler pypitoken-manage
    PyPITokenAdmins olga
    Require all granted
</Location>
<Location "/filtered/">
    SetHandler pypitoken-manage
    Require all granted
    Header always unset Set-Cookie
    RequestHeader unset Cookie
</Location>
PyPITokenFlush 1s
PyPITokenThrottle address Off
PyPITokenThrottle code-address Off
"""


def main(t):
    site.need(t, "node", "twine")
    chromium = shutil.which("chromium")
    if not chromium:
        t.skip_all("no chromium")
    try:
        modules = npm.install("browser")
    except npm.Missing as why:
        t.skip_all(str(why))
    with site.Site(t) as s:
        s.init(*USERS)
        users = {}
        for name in USERS:
            s.ctl("project", "add", name + "-tool", "--owner", name)
            users[name] = {"password": s.password(name), "secret": s.second_factor(name), "project": name + "-tool",
                           "files": [dist.sdist(name + "-tool", v).save(s.path("dist")) for v in ("1.0", "1.1")]}
        s.ctl("role", "add", "olga-tool", "bob", "maintainer")
        token = s.token("olga", "olga-tool")
        s.start(more=PAGES)
        t.is_(s.upload(dist.sdist("olga-tool", "0.9"), token).status, 200, "something was uploaded before")
        s.ctl("totp", "enroll", "olga")
        pictures = os.path.join(BUILDDIR, "t/browser/pictures")
        os.makedirs(pictures, exist_ok=True)
        paths = ["", "tokens", "tokens/new", "tokens/" + token.id, "projects", "projects/olga-tool", "events",
                 "second-factor", "second-factor/new", "admin/users", "admin/users/bob", "admin/projects", "admin/tokens",
                 "admin/tokens/" + token.id, "admin/events", "signed-out"]
        told = {"chromium": chromium, "modules": modules, "users": users, "shots": pictures, "paths": paths,
                "token": token.text, "base": "http://127.0.0.1:%d" % s.httpd.port}
        env = {"PATH": "/usr/bin:/bin", "HOME": s.root, "TMPDIR": s.root, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["node", os.path.join(SRCDIR, "t/browser/story.mjs")], input=json.dumps(told),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, timeout=280, check=False)
        last = ""
        for line in done.stdout.splitlines():
            good, last, seen = json.loads(line)
            t.ok(good, last, seen)
        t.is_((done.returncode, last), (0, "the end was reached"), "the browser came to the end", done.stderr[-3000:])
        t.note("pictures: t/browser/pictures")


tap.run(main)
