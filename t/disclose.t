#!/usr/bin/python3
"""disclose.t - leaked tokens that a code host reports: signatures, what is revoked, what is told; the pattern
for scanners."""
import base64
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, dist, httpd, openapi, pages, poll, site, tap  # noqa: E402
from pypt.codehost import Host  # noqa: E402
from pypt.token import Token, forged  # noqa: E402

PAGES = pages.at("/account/", 'PyPITokenDisclosureKeys "{root}/github.json" "{root}/gosst.json"') + pages.at("/plain/")
PATH = "/secrets/disclose-token"


def report(*tokens, **more):
    return json.dumps([{"token": token, "type": "our_token", "url": "https://code.example/x/blob/1/.env", **more} for token in tokens]).encode()


def state(s, token):
    return s.ctl_json("token", "show", token.id)["state"]


def leaks(s, token):
    return [e for e in s.events() if e["kind"] == "token-leaked" and e["token"] == token.id]


def revoked(t, s, api, github, gosst):
    mine, derived, other = s.token("alice", "demo"), s.token("alice", "demo"), s.token("alice", "demo")
    child = derived.only("demo").expired()
    body = report(mine.text, child.text, forged().text, "no token at all", other.mistyped().text, source="content")
    t.is_(s.upload(dist.sdist("demo"), mine).status, 200, "a token that works")
    r = api.call("POST", PATH, None, body, github.headers(body))
    t.is_((r.status, r.body), (204, b""), "a report that is signed: 204, and not a word", r)
    r = s.upload(dist.sdist("demo", "1.1"), mine)
    t.ok(r.status == 403 and "it was revoked" in r.reason, "the next upload is refused", r)
    t.is_((state(s, derived), state(s, other)), ("revoked", "live"), "the root of a derived one too; not what has a wrong end")
    e = leaks(s, mine)
    t.is_([(x["detail"], x["address"], x["user"]) for x in e], [("found at https://code.example/x/blob/1/.env, source content", "127.0.0.1", "alice")],
          "the trail has the place", e)
    t.is_(s.ctl_json("token", "show", mine.id)["revoked_by"], "leak", "  and the row by whom")
    t.is_(api.call("POST", PATH, None, body, github.headers(body)).status, 204, "the same report again: the same answer")
    t.is_(len(leaks(s, mine)), 1, "  and nothing more is done")
    body = report(other.text, url="https://code.example/?q=" + other.text)
    t.is_(api.call("POST", PATH, None, body, gosst.headers(body)).status, 204, "another host, another name of the headers")
    t.is_([x["detail"] for x in leaks(s, other)], ["found at https://code.example/?q=..."], "  a token in the address is not kept")
    body = b"[]"
    t.is_(api.call("POST", PATH, None, body, github.headers(body)).status, 204, "an empty report")
    many = [s.token("alice", "demo") for _ in range(3)]
    body = json.dumps([{"token": x.text} for x in many] + [{"token": forged().text} for _ in range(200)]).encode()
    t.is_(api.call("POST", PATH, None, body, github.headers(body)).status, 204, "many at once, without a place")
    t.is_([state(s, x) for x in many], ["revoked"] * 3, "  all of ours are revoked")
    t.is_([x["detail"] for x in leaks(s, many[0])], ["found"], "  as found somewhere")


def refused(t, s, api, github, gosst):
    token = s.token("alice", "demo")
    body, strange = report(token.text), Host(s, "strange")
    good = github.sign(body)
    raw = base64.b64decode(good)
    cases = [
        ("no headers", [("Content-Type", "application/json")]), ("no signature", github.headers(body, SIGNATURE=None)),
        ("no key", github.headers(body, IDENTIFIER=None)), ("an unknown key", github.headers(body, IDENTIFIER="x")),
        ("another key's name", github.headers(body, IDENTIFIER=gosst.id)), ("a stranger's signature", github.headers(body, SIGNATURE=strange.sign(body))),
        ("another body's signature", github.headers(body, SIGNATURE=github.sign(body + b" "))),
        ("another hash", github.headers(body, SIGNATURE=github.sign(body, "-sha512"))), ("an empty signature", github.headers(body, SIGNATURE="")),
        ("no base64", github.headers(body, SIGNATURE="%%%")), ("no DER", github.headers(body, SIGNATURE=base64.b64encode(b"\0" * 64).decode())),
        ("a long signature", github.headers(body, SIGNATURE=base64.b64encode(raw + b"\0" * 100).decode())),
        ("a cut signature", github.headers(body, SIGNATURE=base64.b64encode(raw[:-1]).decode())),
        ("bytes behind it", github.headers(body, SIGNATURE=base64.b64encode(raw + b"\0").decode())),
        ("two hosts at once", github.headers(body) + gosst.headers(body)), ("the same header twice", github.headers(body) + github.headers(body)),
    ]
    for what, headers in cases:
        r = api.call("POST", PATH, None, body, headers)
        t.is_((r.status, r.json()["code"]), (400, "disclosure-signature"), what + ": refused", r)
    headers, taken = github.headers(body), []
    for at in range(0, len(body), 7):
        r = api.call("POST", PATH, None, body[:at] + bytes([body[at] ^ 1]) + body[at + 1:], headers)
        taken += [(at, r)] if r.status != 400 else []
    t.is_(taken, [], "every changed byte of the body is noticed")
    for what, signed in (("no JSON", b"x"), ("an object", b"{}"), ("a text in the list", b'["pypi-x"]'), ("no token", b'[{"url": "x"}]'),
                         ("a token that is a number", b'[{"token": 1}]'), ("nothing", b""), ("a name twice", b'[{"token": "a", "token": "b"}]')):
        r = api.call("POST", PATH, None, signed, github.headers(signed))
        t.is_((r.status, r.json()["code"]), (400, "api-body"), what + ", signed: refused", r)
    for what, signed in (("more than 1 MiB", b"[" + b" " * (1 << 20) + b"]"), ("more than 1000 tokens", json.dumps([{"token": "x"}] * 1001).encode())):
        r = api.call("POST", PATH, None, signed, github.headers(signed))
        t.is_((r.status, r.json()["code"]), (413, "api-size"), what + ": refused", r)
    t.is_(api.call("GET", PATH).status, 405, "GET: 405")
    t.is_(api.call("POST", PATH + "?x=1", None, body, github.headers(body)).status, 400, "a query string: 400")
    t.is_((state(s, token), leaks(s, token)), ("live", []), "after all of this the token lives")
    plain = openapi.Api(t, s, "/plain")
    t.is_(plain.call("POST", PATH, None, body, github.headers(body)).status, 404, "without PyPITokenDisclosureKeys: 404")
    api.seen |= plain.seen
    s.allow(r"cannot (open|reach) the store", r"store-down", r"store (/|mysql:).*")
    s.store.away()
    r = api.call("POST", PATH, None, body, github.headers(body))
    t.is_((r.status, r.json()["code"]), (503, "store-down"), "no store: try again", r)
    s.store.back()
    r = poll.until(lambda: [r for r in [api.call("POST", PATH, None, body, github.headers(body))] if r.status == 204])
    t.is_((r and r[0].status, state(s, token)), (204, "revoked"), "  and then it is revoked")
    t.is_([x for x in api.rest() if x[0] == PATH], [], "every status that is described was seen")


def files(t, s, github):
    """A file of keys that is not as it should be stops httpd."""
    other = Host(s, "p384", curve="secp384r1")
    cases = [
        ("no such file", None, 0o644, "cannot be read"), ("text", "hello", 0o644, "public_keys"), ("no keys", '{"public_keys": []}', 0o644, "public_keys"),
        ("a list", json.dumps([github.row()]), 0o644, "public_keys"), ("no identifier", json.dumps({"public_keys": [{"key": github.public}]}), 0o644, "key_identifier"),
        ("a key that is none", json.dumps({"public_keys": [github.row(key="x")]}), 0o644, "P-256"),
        ("another curve", json.dumps({"public_keys": [other.row()]}), 0o644, "P-256"),
        ("a private key", json.dumps({"public_keys": [github.row(key=open(github.key, encoding="ascii").read())]}), 0o644, "P-256"),
        ("something behind the key", json.dumps({"public_keys": [github.row(key=github.public + github.public)]}), 0o644, "P-256"),
        ("a name for two keys", json.dumps({"public_keys": [github.row(), Host(s, "two").row(key_identifier=github.id)]}), 0o644, "another key"),
        ("a file that everybody may write", json.dumps({"public_keys": [github.row()]}), 0o646, "chmod o-w"),
        ("a file that is too long", '{"public_keys": [' + " " * 300000 + "]}", 0o644, "too long"),
    ]
    for what, text, mode, says in cases:
        if text is not None:
            s.write("bad.json", text, mode)
        server = httpd.Httpd(s, '<Location "/a/">\nPyPITokenDisclosureKeys "%s"\n</Location>\n' % s.path("bad.json" if text is not None else "nosuch.json"))
        code, said = server.check()
        t.ok(code not in (0, None) and says in said and "PyPITokenDisclosureKeys" in said, what + ": httpd does not start", said)


def patterns(t, s):
    """What scanners look for: each of ours, and nobody else's."""
    for service in ("index.test", "a", "ab", "abc", "pypi.example.org", "x" * 127, "y" * 128, "z" * 255):
        pattern = s.ctl("--service", service, "token", "pattern").strip()
        token = Token(s.ctl("--service", service, "token", "create", "--user", "alice").strip(), s)
        found = re.search(pattern, "password=%s." % token.text)
        t.ok(found and found.group(0) == token.text, "the pattern of a service of %d characters finds its tokens" % len(service), pattern)
        t.ok(re.fullmatch(pattern, token.only("demo").text), "  and what is derived")
        t.ok(not re.search(pattern, forged().text), "  and none of PyPI's")
    t.ok(not re.search(s.ctl("--service", "index.tesu", "token", "pattern").strip(), s.token("alice").text), "nor one of a service that is called alike")
    with open(os.path.join(SRCDIR, "doc/leaks"), encoding="utf-8") as f:
        t.is_(f.read().count(s.ctl("--service", "pypi.example.org", "token", "pattern").strip()), 2, "the manual has the pattern that the program prints")
    done = s.ctl_run("--service", "x" * 256, "token", "pattern")
    t.is_((done.returncode, done.stdout), (1, ""), "a service that no token can have")


def main(t):
    site.need(t, "openssl")
    with site.Site(t) as s:
        s.init("alice")
        github, gosst = Host(s, "github"), Host(s, "gosst", "GOSST")
        github.file(Host(s, "older").row(is_current=False))
        gosst.file()
        s.start(more=PAGES)
        api = openapi.Api(t, s)
        revoked(t, s, api, github, gosst)
        refused(t, s, api, github, gosst)
        files(t, s, github)
        patterns(t, s)


tap.run(main)
