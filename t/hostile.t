#!/usr/bin/python3
"""hostile.t - the corpus of hostile uploads against a running guard, whole and in pieces.

Every case gets its verdict, the back end sees the harmless ones alone, and the answer is the same for the
body sent whole, chunked, and one chunk a byte. The corpus has a case for every id of the catalogues.

HOSTILE_COUNTS=FILE writes the counts as JSON, for t/hostile/README.
"""
import json
import os
import re
import sys

sys.dont_write_bytecode = True
SRCDIR = os.environ.get("srcdir", ".")
sys.path.insert(0, os.path.join(SRCDIR, "t/lib"))
sys.path.insert(0, os.path.join(SRCDIR, "t/hostile"))

import corpus  # noqa: E402
import scenes  # noqa: E402
import throw  # noqa: E402
from pypt import dist, poll, site, tap, wire  # noqa: E402

URL = "/legacy/"
PIECES_MAX = 20000
# A back end that takes everything: the guard alone decides.
CGI = """#!/bin/sh
cat > /dev/null
printf 'Content-Type: text/plain\\r\\n\\r\\nTAKEN\\n'
echo taken >> "{seen}"
"""
LOCATIONS = """
ScriptAlias /legacy/ "{root}/cgi-bin/take.sh"
<Location "/legacy/">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
</Location>
LogFormat "%{X-Case}i %>s %{PYPITOKEN_VERDICT}e" verdicts
CustomLog "{root}/logs/verdicts.log" verdicts
"""


def in_pieces(case):
    """Z11: the body chunked, and one chunk a byte."""
    return not case.http_only and case.body and len(case.body) <= PIECES_MAX


def complete(t):
    """Every id of hostile/ids has its case, or names the test that has it."""
    with open(os.path.join(SRCDIR, "t/hostile/ids")) as f:
        words = [word for line in f if not line.startswith("#") for word in line.split()]
    wanted = dict((word.split("=") + [None])[:2] for word in words)
    have = {case.id: case for case in corpus.cases()}
    t.ok(len(words) == len(wanted) and len(wanted) >= 430, "hostile/ids names %d vectors, each once" % len(words))
    t.is_([cid for cid, where in wanted.items() if not where and cid not in have], [], "each has a case of its name")
    places = {f.__name__ for f in scenes.ALL} | {"in_pieces"} | set(os.listdir(os.path.join(SRCDIR, "t")))
    places |= {name[:-2] for name in os.listdir(os.path.join(SRCDIR, "t/unit"))}
    t.is_([where for where in wanted.values() if where and where not in places], [], "or a test elsewhere that is there")
    t.ok(len(have) >= 900, "%d cases in the corpus" % len(have))
    t.is_(sorted({case.klass for case in have.values()}), sorted(corpus.CLASSES), "every class has its cases and its title")


def verdicts(s):
    found = {}
    with open(s.path("logs/verdicts.log"), errors="replace") as f:
        for line in f:
            words = line.split()
            if len(words) == 3:
                found[words[0]] = (words[1], words[2])
    return found


def same(a, b):
    return (a.status, a.reason) == (b.status, b.reason)


def run(t, s, tok):
    whole, wrong = {}, []
    cases = list(corpus.cases())
    for case in cases:
        try:
            whole[case.id] = throw.send(s.httpd.port, URL, case, tok.user)
        except wire.Closed as gone:
            wrong.append("%s: closed without an answer: %s" % (case.id, gone))
    t.is_(wrong, [], "every one of %d cases is answered" % len(cases))

    pieces = 0
    for case in filter(in_pieces, cases):
        for chunks, tag in ((1000, "-c"), (1, "-1")):
            pieces += 1
            piecemeal = throw.send(s.httpd.port, URL, case, tok.user, chunks, tag)
            if case.id in whole and not same(piecemeal, whole[case.id]):
                wrong.append("%s%s: %r but whole %r" % (case.id, tag, piecemeal, whole[case.id]))
    t.is_(wrong, [], "in pieces they get the same answer (%d more)" % pieces)
    return cases, whole


def judge(t, found, cases, whole, taken):
    for case in cases:
        status, word = found.get(case.id, ("-", "-"))
        if case.verdict.startswith("httpd-") and case.id in whole:
            status = str(whole[case.id].status)
        t.ok(case.fits(status, word), "%s: %s: %s" % (case.id, case.what, case.verdict),
             "got %s %s %r" % (status, word, whole.get(case.id)))
        if case.verdict != "allowed":
            t.ok(case.id in whole and whole[case.id].status not in (200, 201, 301, 302, 409),
                 "  and no client takes the answer for a success", whole.get(case.id))
    allowed = [case for case in cases if case.verdict == "allowed"]
    t.is_(taken, len(allowed) + 2 * len(list(filter(in_pieces, allowed))), "only the accepted ones reached the back end")
    t.note("%d cases, %d accepted, %d refused" % (len(cases), len(allowed), len(cases) - len(allowed)))


def count(cases, found):
    """{class: [cases, accepted, refused by us, refused by httpd]} of this run."""
    rows = {klass: [0, 0, 0, 0] for klass in corpus.CLASSES}
    for case in cases:
        row, word = rows[case.klass], found.get(case.id, ("-", "-"))[1]
        row[0] += 1
        row[1 if word == "allowed" else 2 if word != "-" else 3] += 1
    return rows


def peak(s):
    """The most memory that a child of httpd ever had, in kB."""
    most = 0
    for pid in s.httpd.children():
        try:
            with open("/proc/%d/status" % pid) as f:
                found = re.search(r"VmHWM:\s*(\d+)", f.read())
        except OSError:
            continue  # one that is idle may end by itself
        most = max(most, int(found.group(1)) if found else 0)
    return most


def main(t):
    site.need(t)
    complete(t)
    with site.Site(t) as s:
        s.init("alice", "mallory")
        s.ctl("project", "add", "bbb", "--owner", "mallory")
        tok, theirs = s.token("alice", "aaa"), s.token("mallory", "bbb")
        s.write("cgi-bin/take.sh", CGI.replace("{seen}", s.path("seen/taken")), 0o755)
        s.start(locations=LOCATIONS, modules=("cgid",))
        # an honest form through the same harness, so that a refusal of everything cannot pass
        r = s.upload(dist.sdist("aaa", "9.9"), tok)
        t.is_(r.status, 200, "an honest upload gets through", r)

        def taken():
            with open(s.path("seen/taken")) as f:
                return len(f.read().split())
        for scene in scenes.ALL:
            scene(t, s, tok, theirs, taken)
        before, at_first = taken(), peak(s)
        cases, whole = run(t, s, tok)
        grown = peak(s) - at_first
        if s.under:
            t.skip("memory", "what watches it takes some itself")
        else:
            t.ok(grown < 49152, "the corpus took %d kB of memory at most" % grown)
        poll.until(lambda: set(verdicts(s)) >= {case.id for case in cases if not case.verdict.startswith("httpd-")})
        s.httpd.stop()
        found = verdicts(s)
        judge(t, found, cases, whole, taken() - before)
        stolen = [e for e in s.events() if e.get("project") == "bbb" and e.get("kind") == "upload" and e.get("user") != "mallory"]
        t.is_(stolen, [], "nothing was ever uploaded to bbb but by its owner")
    if os.environ.get("HOSTILE_COUNTS"):
        with open(os.environ["HOSTILE_COUNTS"], "w") as f:
            json.dump(count(cases, found), f, indent=1)


tap.run(main)
