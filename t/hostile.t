#!/usr/bin/python3
"""hostile.t - the corpus of hostile uploads against a running guard, whole and in pieces.

Every case gets its verdict, the victim project is untouched, and the answer is the same for the
body sent whole, chunked, and one chunk a byte.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/hostile"))

import corpus  # noqa: E402
from pypt import dist, site, tap, wire  # noqa: E402

URL = "/legacy/"
# A back end that takes everything: the guard alone decides. It answers with what it was given.
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


def target(case):
    url = URL
    if case.path and case.path.startswith("^"):
        url = case.path[1:].rstrip("/") + "/legacy/" if case.path != "^//" else "//legacy/"
    elif case.path:
        url = URL + case.path if case.path[0] != "/" else URL + case.path[1:]
    return url + ("?" + case.query if case.query is not None else "")


def send(s, case, tok, chunks=None, tag=""):
    headers = [("X-Case", case.id + tag)] + list(case.headers)
    body = case.body
    if case.framing == "none":
        body = None
    if case.framing == "chunked":
        body = wire.chunked(body, 1000)
        raw = wire.request(case.method, target(case), headers, None, tok.user) + body
        with wire.Conn(s.httpd.port) as conn:
            conn.send(raw)
            return conn.response(case.method)
    return wire.once(s.httpd.port, case.method, target(case), headers, body, tok.user, chunks=chunks)


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
            whole[case.id] = send(s, case, tok)
        except wire.Closed as gone:
            wrong.append("%s: closed without an answer: %s" % (case.id, gone))
    t.is_(wrong, [], "every one of %d cases is answered" % len(cases))

    for case in cases:
        if case.http_only or case.id not in whole or len(case.body) > 20000 or not case.body:
            continue
        for chunks, tag in ((1000, "-c"), (1, "-1")):
            piecemeal = send(s, case, tok, chunks, tag)
            if not same(piecemeal, whole[case.id]):
                wrong.append("%s%s: %r but whole %r" % (case.id, tag, piecemeal, whole[case.id]))
    t.is_(wrong, [], "in pieces they get the same answer")
    return cases, whole


def judge(t, s, cases, whole):
    s.httpd.stop()
    found = verdicts(s)
    accepted = refused = 0
    for case in cases:
        status, word = found.get(case.id, ("-", "-"))
        fits = word == case.verdict or word in case.accept or status in case.accept
        t.ok(fits, "%s: %s: %s" % (case.id, case.what, case.verdict), "got %s %s %r" % (status, word, whole.get(case.id)))
        if case.verdict == "allowed":
            accepted += 1
        else:
            refused += 1
            t.ok(case.id in whole and whole[case.id].status not in (200, 201, 301, 302, 409),
                 "  and no client takes the answer for a success")
    with open(s.path("seen/taken")) as f:
        taken = len(f.read().split())
    pieces = 2 * len([c for c in cases if c.verdict == "allowed" and not c.http_only and c.body
                      and len(c.body) <= 20000])
    t.is_(taken, accepted + pieces, "only the accepted ones reached the back end")
    t.note("%d cases, %d accepted, %d refused" % (len(cases), accepted, refused))


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice", "mallory")
        s.ctl("project", "add", "bbb", "--owner", "mallory")
        tok = s.token("alice", "aaa")
        s.write("cgi-bin/take.sh", CGI.replace("{seen}", s.path("seen/taken")), 0o755)
        s.start(locations=LOCATIONS, modules=("cgid",))
        # an honest form through the same harness, so that a refusal of everything cannot pass
        r = s.upload(dist.sdist("aaa", "9.9"), tok)
        t.is_(r.status, 200, "an honest upload gets through", r)
        os.remove(s.path("seen/taken"))
        cases, whole = run(t, s, tok)
        judge(t, s, cases, whole)
        shown = s.ctl_json("project", "list")
        t.ok(not [e for e in s.events() if e.get("project") == "bbb" and e.get("kind") == "upload"],
             "nothing was ever uploaded to bbb", shown)


tap.run(main)
