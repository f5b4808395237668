#!/usr/bin/python3
"""pages_story.t - the life of a token in Chromium with a real twine: with JavaScript, without it and cookies, on a phone;
every page under axe-core, light and dark. Pictures are left in t/browser/pictures of the build tree."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, browser, dist, pages, site, tap  # noqa: E402

USERS = ("alice", "bob", "carol", "olga")
PAGES = (pages.at("/account/", "PyPITokenAdmins olga") +
         pages.at("/filtered/", "Header always unset Set-Cookie", "RequestHeader unset Cookie") + """\
PyPITokenFlush 1s
PyPITokenThrottle address Off
PyPITokenThrottle code-address Off
""")


def main(t):
    told = browser.need(t, "twine")
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
        told.update(users=users, shots=pictures, paths=paths, token=token.text, base="http://127.0.0.1:%d" % s.httpd.port)
        browser.run(t, "story.mjs", s.root, told, 280)
        t.note("pictures: t/browser/pictures")


tap.run(main)
