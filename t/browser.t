#!/usr/bin/python3
"""browser.t - the pages for people in a real browser: the form with a code, no scripts, no cookies, what ends a session."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import browser, pages, site, tap  # noqa: E402

USERS = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
PAGES = (pages.at("/account/") +
         pages.at("/brief/", "PyPITokenSession 3") +
         pages.at("/filtered/", "Header always unset Set-Cookie", "RequestHeader unset Cookie") + """\
PyPITokenThrottle address Off
PyPITokenThrottle code-address Off
""")


def main(t):
    told = browser.need(t, "openssl")
    with site.Site(t) as s:
        s.init(*USERS)
        users = {name: {"password": s.password(name), "secret": s.second_factor(name)} for name in USERS}
        s.start(more=PAGES, tls=True)
        os.makedirs(s.path("browser"), exist_ok=True)
        told.update(users=users, work=s.path("browser"), token=s.token("alice").text,
                    base="http://127.0.0.1:%d" % s.httpd.port, tls="https://localhost:%d" % s.httpd.tls_port)
        browser.run(t, "browser.mjs", s.path("browser"), told, 120)


tap.run(main)
