#!/usr/bin/python3
"""narrow.t - tokens that can do one thing: each caveat of our own in a real upload, the pipeline that
derives one from build to upload, counted uses from many sides at once, and who denies what he does not
know."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

import pymacaroons  # noqa: E402
from pypt import SRCDIR, clients, dist, poll, site, tap, wire  # noqa: E402
from pypt.token import Token  # noqa: E402

REMOTEIP = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"
SUM = "0" * 64
TOGETHER = 50


class Clock:
    """New versions, so that nothing is uploaded twice."""
    n = 0

    @classmethod
    def version(cls):
        cls.n += 1
        return "1.2.%d" % cls.n


def for_one(alice):
    """A token for one upload, derived as no other one was: those that are the same share their counter."""
    Clock.n += 1
    return alice.narrow([0, 4000000000 + Clock.n, 0], [1004, 1])


def one(s, t, token, name, want, what, package=None, **kw):
    """An upload, and what comes of it: 200, or a piece of the sentence."""
    package = package or dist.sdist(name, Clock.version())
    r = s.upload(package, token, **kw)
    good = r.status == 200 if want == 200 else r.status == 403 and want in r.reason and want in r.text
    t.ok(good, what, r)
    return package


def every_tag(t, s, alice):
    """(caveats, what changes in the upload, 200 or what the sentence says)"""
    v = Clock.version()
    file = dist.sdist("team-app", v)
    wheel = dist.wheel("team-app", v)
    other = dist.sdist("team-app", v, salt="other")
    rows = [
        ([1000, ["127.0.0.0/8", "::1"]], file, 200),
        ([1000, ["192.0.2.0/24"]], file, "its network caveat does not allow 127.0.0.1"),
        ([1001, ["1.2.*"]], file, 200),
        ([1001, ["2.0", v + ".0"]], file, 200),
        ([1001, ["1.3.*"]], file, "its version caveat does not allow " + v),
        ([1002, [SUM, file.sha256]], file, 200),
        ([1002, [SUM]], file, "its digest caveat is not for the bytes of " + file.filename),
        ([1003, ["team-*"]], file, 200),
        ([1003, ["team", "app-*"]], file, "its name caveat does not allow team-app"),
        ([1004, 1], file, 200),
        ([1005, ["sdist"]], file, 200),
        ([1005, ["sdist"]], wheel, "its kind caveat does not allow bdist_wheel"),
        ([1005, ["bdist_wheel"]], wheel, 200),
        ([1006, "existing"], file, 200),
        ([1006, "new"], file, "its creation caveat is for new projects only"),
        ([1007, [file.filename]], file, 200),
        ([1007, [file.filename]], wheel, "its file caveat does not allow " + wheel.filename),
        ([1008, ["x"]], file, "caveat has unknown tag: 1008"),
        ([1000, []], file, "invalid values for fields"),
        ([1004, 0], file, "invalid values for fields"),
        ([1004, True], file, "invalid values for fields"),
    ]
    for caveat, package, want in rows:
        one(s, t, alice.narrow(caveat), None, want, "%s and %s: %s" % (json.dumps(caveat)[:60], package.filetype, want),
            package)
    claimed = {"sha256_digest": SUM, "md5_digest": None, "blake2_256_digest": None}
    r = s.upload(file, alice.narrow([1002, [SUM]]), changes=claimed)
    t.is_(r.status, 403, "a digest that the form claims is not one of the bytes")
    one(s, t, alice.narrow([1006, "new"]), "brand-new", 200, "a token for new projects makes one")
    one(s, t, alice.narrow([1006, "existing"]), "never-was", "its creation caveat is for existing projects only",
        "one for existing projects makes none")
    both = alice.narrow([1003, ["team-*"]], [1, ["team-app"]], [1005, ["sdist"]], [1000, ["127.0.0.1"]])
    one(s, t, both, "team-app", 200, "ours and PyPI's together")
    one(s, t, both.only("other"), "team-app", "not valid for project", "  each only ever takes away")
    t.is_(s.upload(other, alice.narrow([1002, [other.sha256]], [1007, [other.filename]])).status, 400,
          "a token does not get past the index: other bytes under a name that is taken")


def networks(t, s, alice):
    mine = alice.narrow([1000, ["192.0.2.0/24", "2001:db8::/32"]])
    for address, want in (("192.0.2.9", 200), ("::ffff:192.0.2.9", 200), ("2001:db8::9", 200),
                          ("198.51.100.1", "does not allow 198.51.100.1"), ("2001:db9::1", "does not allow 2001:db9::1")):
        one(s, t, mine, "team-app", want, "behind mod_remoteip, from %s: %s" % (address, want),
            headers=[("X-Forwarded-For", address)])
    one(s, t, mine, "team-app", "does not allow 127.0.0.1", "and without it")


def used(s):
    return s.store.rows("SELECT COALESCE(SUM(used), 0) FROM token_uses")[0][0]


def given_back(t, s, alice):
    """The use is given back once the answer is out."""
    once, before = for_one(alice), used(s)
    file = dist.sdist("team-app", Clock.version())
    other = dist.sdist("team-app", file.version, salt="other")
    s.upload(file, alice)
    t.is_(s.upload(other, once).status, 400, "a token for one upload, refused by the index behind the guard")
    poll.until(lambda: used(s) == before)
    t.is_(s.upload(dist.sdist("team-app", "9.0"), once, changes={"sha256_digest": SUM}).status, 400, "  and again")
    poll.until(lambda: used(s) == before)
    t.is_(s.upload(file.form(version="x"), once).status, 400, "  and by the form before that")
    one(s, t, once, "team-app", 200, "  has its use yet")
    one(s, t, once, "team-app", "its uses caveat allows 1 in all, and none is left", "  and then no more")


def at_once(t, ports, alice, where):
    """Many uploads with a token for one, in turn at each of these ports."""
    once = for_one(alice)
    files = [dist.sdist("team-app", Clock.version()) for _ in range(TOGETHER)]

    def go(i):
        return wire.once(ports[i % len(ports)], "POST", "/legacy/", [dist.form_type()], files[i].form(), once.user).status

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = sorted(pool.map(go, range(TOGETHER)))
    t.is_(got, [200] + [403] * (TOGETHER - 1), "%d at once %s with a token for one upload: one" % (TOGETHER, where))


def pipeline(t, s, alice):
    """What doc/caveats tells: a project's token in, one for this file out, used once, from here."""
    ours = s.token("alice", "team-app")
    url = "http://127.0.0.1:%d/legacy/" % s.httpd.port
    file = dist.wheel("team-app", Clock.version())
    forged = dist.wheel("team-app", file.version, salt="one other byte")
    path = file.save(s.path("pipeline", "dist"))
    done = s.ctl_run("token", "restrict", "--file", path, "--uses", "1", "--network", "127.0.0.0/8", "--expires", "10m",
                     text=ours.text + "\n")
    t.is_(done.returncode, 0, "token restrict --file DIST --uses 1 --network --expires 10m", done.stderr)
    job = Token(done.stdout.strip(), s)
    away = Token(s.ctl_run("token", "restrict", "--file", path, "--network", "192.0.2.0/24", text=ours.text).stdout.strip(), s)

    def twine(token, package, what, sentence=None):
        done = clients.twine(s.path("pipeline", what.replace(" ", "-")), url, token.user, package)
        good = done.code == 0 if sentence is None else done.code != 0 and sentence in done.flat
        t.ok(good, "twine, " + what, done)

    twine(job, forged, "the same name with one other byte", "its digest caveat is not for the bytes of " + file.filename)
    twine(job, dist.sdist("team-app", file.version), "another file of the release", "its file caveat does not allow")
    twine(away, file, "from another address", "its network caveat does not allow 127.0.0.1")
    twine(job, file, "the file itself")
    twine(job, file, "a second time", "its uses caveat allows 1 in all, and none is left")
    two = [dist.sdist("team-app", Clock.version()), dist.wheel("team-app", "7.7")]
    paths = [p.save(s.path("pipeline", "two")) for p in two]
    job = Token(s.ctl_run("token", "restrict", "--file", *paths, "--expires", "10m", text=ours.text).stdout.strip(), s)
    for package in two:
        one(s, t, job, None, 200, "dist/*: " + package.filename, package)


def documented(t, s, alice):
    """The programs of the documentation: 25 lines each at most, and what they derive is enforced."""
    examples = os.path.join(SRCDIR, "doc/examples")
    for name in ("restrict.py", "restrict.sh"):
        with open(os.path.join(examples, name)) as f:
            t.ok(len(f.readlines()) <= 25, name + " has at most 25 lines")
    file = dist.sdist("team-app", Clock.version())
    path = file.save(s.path("documented"))
    done = subprocess.run([clients.PYTHON, os.path.join(examples, "restrict.py"), path], input=alice.text, text=True,
                          stdout=subprocess.PIPE, check=False)
    job = Token(done.stdout.strip(), s)
    one(s, t, job, "team-app", "its file caveat does not allow", "restrict.py: another file is refused")
    one(s, t, job, None, 200, "  the file is not", file)
    one(s, t, job, None, "none is left", "  the second time it is", file)
    file = dist.sdist("team-app", Clock.version())
    for shell in ("sh", "bash"):
        done = subprocess.run([shell, os.path.join(examples, "restrict.sh"), "[1004,1]", '[1002,["%s"]]' % file.sha256,
                               '[1003,["%s"]]' % '","'.join(["team-app"] + ["x%d" % i for i in range(40)])],
                              input=alice.text + "\n", text=True, stdout=subprocess.PIPE, check=False)
        job = Token(done.stdout.strip(), s)
        one(s, t, job, "team-app", "its digest caveat is not", "restrict.sh under %s: other bytes are refused" % shell)
        if shell == "sh":
            one(s, t, job, None, 200, "  the file is not", file)
    t.is_(Token(done.stdout.strip()).id, alice.id, "  it is the same token underneath")


def vectors(t):
    """The page's own: every caveat with the signature that it says."""
    with open(os.path.join(SRCDIR, "doc/caveats")) as f:
        text = f.read()
    rows = re.findall(r"^    (\[1\d\d\d,.*\])\n        ([0-9a-f]{64})$", text, re.M)
    bad = []
    for caveat, signature in rows:
        m = pymacaroons.Macaroon(location="index.test", identifier="6f1e2d3c-4b5a-4978-8a69-7c6d5e4f3a2b",
                                 key=bytes(range(32)), version=pymacaroons.MACAROON_V2)
        m.add_first_party_caveat(caveat)
        bad += [caveat] if m.signature != signature else []
    t.is_(bad, [], "the test vectors of doc/caveats are right")
    t.is_({json.loads(c)[0] for c, _ in rows}, set(range(1000, 1008)), "  and there is one for each tag")
    known = pymacaroons.Verifier()
    known.satisfy_general(lambda caveat: json.loads(caveat)[0] in range(5))
    denied = []
    for caveat, _ in rows:
        m = pymacaroons.Macaroon(location="pypi.org", identifier="x", key="k", version=pymacaroons.MACAROON_V2)
        m.add_first_party_caveat("[0,99999999999,0]")
        known.verify(m, "k")
        m.add_first_party_caveat(caveat)
        try:
            known.verify(m, "k")
        except pymacaroons.exceptions.MacaroonInvalidSignatureException:
            denied.append(caveat)
    t.is_(len(denied), len(rows), "a verifier that knows PyPI's caveats alone denies each of them")


def in_the_field(t, s, alice):
    token = s.token("alice")
    child = token.narrow([1001, ["1.*"]])
    one(s, t, child, "anything", 200, "a token in the field, and one derived from it")
    done = s.ctl_run("token", "narrow", token.id, "--glob", "team-*", "--uses", "2")
    t.ok(done.returncode == 0 and "only projects named team-*; at most 2 accepted uploads" in done.stdout,
         "token narrow says what it did", done)
    one(s, t, child, "anything", "its name caveat does not allow anything", "  it holds for the derived one, on the next upload")
    one(s, t, child, "team-app", 200, "  which still does what is left")
    one(s, t, token, "team-app", 200, "  and so does the first")
    one(s, t, child, "team-app", "its uses caveat allows 2 in all", "  the two counted together")
    row = s.ctl_json("token", "show", token.id)
    t.is_(row["restrictions"], "only projects named team-*; at most 2 accepted uploads", "token show tells it in words")
    t.ok([e for e in s.events() if e["kind"] == "token-narrowed" and e["token"] == token.id], "and so does the trail")
    made = Token(s.ctl("token", "create", "--user", "alice", "--project", "team-app", "--kind", "sdist", "--version", "1.2.*",
                       "--existing-only").strip(), s)
    one(s, t, made, None, "its kind caveat does not allow bdist_wheel", "a token made narrow",
        dist.wheel("team-app", Clock.version()))
    one(s, t, made, "team-app", 200, "  does what it may")
    words = s.ctl_run("token", "inspect", "--verify", text=made.text).stdout
    t.ok("only the versions 1.2.*" in words or "only the version 1.2.*" in words, "token inspect tells it from the token", words)


def policy(t, s):
    # whoever runs pypitokenctl may be the only one who reads it: root, while the store is httpd's user's
    path = s.write("policy", "longest-life = 30d\ndefault-life = 7d\nunrestricted = no\n", 0o600)
    make = ("--policy", path, "token", "create", "--user", "alice")
    for argv in ((), ("--glob", "*"), ("--glob", "team-*", "--glob", "*"), ("--kind", "sdist")):
        done = s.ctl_run(*make, *argv)
        t.ok(done.returncode == 1 and "name them" in done.stderr, " ".join(("a policy: no token for everything", *argv)), done)
    for argv in (("--project", "team-app"), ("--glob", "team-*")):
        done = s.ctl_run("--json", *make, *argv)
        row = json.loads(done.stdout)
        s.secret(row["token"])
        t.ok(0 < row["expires"] - time.time() <= 7 * 86400, "  one with %s gets an end" % argv[0], row["expires"])
    done = s.ctl_run(*make, "--project", "team-app", "--expires", "31d")
    t.ok(done.returncode == 1 and "30 days" in done.stderr, "  and none later than it says", done)
    s.write("policy", "longest-life: 30d\n")
    done = s.ctl_run(*make)
    t.ok(done.returncode == 2 and "Line 1 of the policy" in done.stderr, "  a mistake in it is named", done)
    s.write("pypitokenctl.conf", "policy = %s\n" % os.path.join(SRCDIR, "conf/policy"))
    done = s.ctl_run("--config", s.path("pypitokenctl.conf"), "token", "create", "--user", "alice")
    t.ok(done.returncode == 1 and "name them" in done.stderr, "conf/policy works, by the settings file", done)


def refused_words(t, s, alice):
    for argv, says in ((("--network", "10.0.0.1/8"), "is no network"), (("--version", ">=1"), "is no version"),
                       (("--kind", "egg"), "is no kind"), (("--uses", "0"), "--uses takes a number"),
                       (("--glob", "Team*"), "is no pattern"), (("--new-only", "--existing-only"), "good for none"),
                       (("--file", "/nowhere/a-1.tar.gz"), "cannot be read"), (("--file", "/etc/passwd"), "is named neither"),
                       ((alice.text,), "There is too much"), (("--file", alice.text), "revoke it"), ((), "Restrict it to what")):
        done = s.ctl_run("token", "restrict", *argv, text=alice.text)
        t.ok(done.returncode in (1, 2) and says in done.stderr and not done.stdout and alice.text[-16:] not in done.stderr,
             "token restrict %s: %s" % (" ".join(argv)[:40], says), done)


def main(t):
    site.need(t, "twine", "openssl")
    vectors(t)
    with site.Site(t) as s:
        s.init("alice")
        s.start(more=REMOTEIP, modules=["remoteip"])
        alice = s.token("alice")
        s.ctl("project", "add", "team-app", "--owner", "alice")
        every_tag(t, s, alice)
        networks(t, s, alice)
        given_back(t, s, alice)
        at_once(t, [s.httpd.port], alice, "at one front end")
        pipeline(t, s, alice)
        documented(t, s, alice)
        in_the_field(t, s, alice)
        policy(t, s)
        refused_words(t, s, alice)


tap.run(main)
