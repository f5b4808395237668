#!/usr/bin/python3
"""require.t - Require lines behind the guard: they narrow what it allows, never widen it."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, site, tap  # noqa: E402

PLACE = """
<Location "/{name}/">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    PyPITokenGuard On
    PyPITokenPackages "{root}/packages"
    SetHandler pypi-index
    {require}
</Location>
"""
PLACES = {
    "owner": "Require pypi-role owner",
    "maintainer": "Require pypi-role maintainer",
    "one": "Require pypi-project Demo.Pkg other",
    "both": "<RequireAll>\nRequire pypi-project demo-pkg\nRequire user alice\n</RequireAll>",
    "nobody": "Require all denied",
    "anyone": "Require all granted",
    "none": "",
}


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice", "bob")
        alice, bob = s.token("alice"), s.token("bob")
        s.ctl("project", "add", "demo-pkg", "--owner", "alice")
        s.ctl("role", "add", "demo-pkg", "bob", "maintainer")
        s.start(locations="".join(PLACE.replace("{name}", n).replace("{require}", r) for n, r in PLACES.items())
                + site.SIMPLE)
        s.allow(r"AH0163[01]")  # what mod_authz_core says of its own refusals
        made = iter(range(1, 1000))

        def up(place, token, name="demo-pkg"):
            return s.upload(dist.sdist(name, "1.%d" % next(made)), token, path="/%s/" % place)

        expected = [("owner", alice, 200), ("owner", bob, 403), ("maintainer", alice, 200), ("maintainer", bob, 200),
                    ("one", alice, 200), ("one", bob, 200), ("both", alice, 200), ("both", bob, 403),
                    ("nobody", alice, 403), ("anyone", alice, 200), ("anyone", None, 401), ("none", alice, 200),
                    ("none", None, 401), ("owner", None, 401), ("one", None, 401)]
        for place, token, status in expected:
            r = up(place, token)
            who = "alice" if token is alice else "bob" if token is bob else "nobody"
            t.is_(r.status, status, "%s at %s: %d" % (who, place, status), r)
            if status == 403 and place != "nobody":
                t.is_(r.header("WWW-Authenticate"), None, "  without a challenge")
                t.has(r.reason, "The rules of this server do not allow this upload", "  with a sentence")
        before = len(s.visible())
        t.is_(up("one", alice, "fresh").status, 403, "a project that the line does not name")
        t.is_(up("nobody", alice, "fresh").status, 403, "a new project where nothing is allowed")
        t.is_(len(s.visible()), before, "  nothing is stored")
        t.ok("fresh" not in [p["name"] for p in s.ctl_json("project", "list")], "  and no project is made")
        t.is_(s.get("/owner/").status, 200, "GET tells what the URL is for, without credentials")


tap.run(main)
