#!/usr/bin/python3
"""api.t - the JSON API, held against doc/openapi.json: every path, method and status; who may do what."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, dist, mariadb, openapi, pages, poll, site, tap, totp, wire  # noqa: E402
from pypt.token import Token, forged  # noqa: E402

PAGES = pages.at("/account/", "PyPITokenAdmins erin") + pages.at("/strict/", 'PyPITokenPolicy "{root}/policy"') + """\
PyPITokenFlush 1s
PyPITokenThrottle account 3/5m
PyPITokenThrottle address Off
"""
NOBODYS = "01234567-89ab-4cde-8f01-23456789abcd"
NEVER = {"created", "expires", "used", "revoked"}


def who(s, user):
    return (user, s.password(user))


def made(s, r):
    return Token(r.json()["token"], s)


def routes():
    """(method, path) of the route table in the source, paths as in the description."""
    with open(os.path.join(SRCDIR, "mod_pypitoken/httpd/api.c"), encoding="utf-8") as f:
        rows = re.findall(r'^    \{"([A-Z]+)", "([^"]+)", API_', f.read(), re.M)
    return [(method, "/" + path.replace("*", "{id}")) for method, path in rows]


def described(t, api):
    table = set(routes())
    t.ok(len(table) > 5, "the route table is read", table)
    every = {(m.upper(), p) for p, methods in api.doc["paths"].items() for m in methods}
    t.is_(sorted(every), sorted(table), "the description has the routes that there are, and no others")
    r = api.call("GET", "/api/1/openapi.json")
    t.is_((r.status, r.json()), (200, api.doc), "it is served, too")
    names = [o["operationId"] for methods in api.doc["paths"].values() for o in methods.values()]
    t.is_(len(names), len(set(names)), "every operation has a name of its own")
    for path, methods in api.doc["paths"].items():
        for method, o in methods.items():
            named = {p["name"] for p in o.get("parameters", []) if p["in"] == "path"}
            t.is_(set(re.findall(r"\{(\w+)\}", path)), named, "%s %s: its parameters" % (method, path))


def story(t, s, api):
    alice = who(s, "alice")
    t.is_(api.call("GET", "/api/1/tokens", alice).json(), {"tokens": []}, "no tokens yet")
    r = api.call("POST", "/api/1/tokens", alice, {"name": "ci", "expires": "30d"})
    token = made(s, r)
    t.is_((r.status, r.json()["id"], r.json()["name"]), (201, token.id, "ci"), "a token is made", r)
    t.is_(r.text.count(token.text), 1, "  it stands in the answer once")
    r = api.call("GET", "/api/1/tokens/" + token.id, alice)
    row = r.json()
    t.is_((row["state"], row["project"], row["used"], row["expires"] - row["created"]), ("live", None, None, 30 * 86400), "it is shown", r)
    t.unlike(r.text, token.text[-20:], "  never its secret")
    t.is_(s.upload(dist.sdist("demo"), token, agent="twine/5.1").status, 200, "an upload with it")
    t.ok(poll.until(lambda: api.call("GET", "/api/1/tokens", alice).json()["tokens"][0]["used"]), "its last use is seen")
    row = api.call("GET", "/api/1/tokens", alice).json()["tokens"][0]
    t.is_((row["used_agent"], row["used_file"], row["used_address"]), ("twine/5.1", "demo-1.0.tar.gz", "127.0.0.1"), "  with client, file and address")
    rows = poll.until(lambda: api.call("GET", "/api/1/projects", alice).json()["projects"])  # it is confirmed behind the answer
    t.is_([(row["project"], row["role"]) for row in rows or []], [("demo", "owner")], "the project is there")
    t.is_(api.call("DELETE", "/api/1/tokens/" + token.id, alice).status, 204, "revoked")
    t.is_(api.call("DELETE", "/api/1/tokens/" + token.id, alice).status, 204, "  once more is no fault")
    r = s.upload(dist.sdist("demo", "1.1"), token)
    t.ok(r.status == 403 and "it was revoked" in r.reason, "the next upload is refused", r)
    row = api.call("GET", "/api/1/tokens/" + token.id, alice).json()
    t.is_((row["state"], row["revoked_by"]), ("revoked", "alice"), "it is seen as revoked")
    states = {name: len(api.call("GET", "/api/1/tokens?state=" + name, alice).json()["tokens"]) for name in ("live", "revoked")}
    t.is_(states, {"live": 0, "revoked": 1}, "lists by state")
    kinds = [(e["kind"], e["address"]) for e in s.events() if e["token"] == token.id and e["kind"].startswith("token-")]
    t.is_(kinds, [("token-created", "127.0.0.1"), ("token-revoked", "127.0.0.1")], "both are in the trail, once")
    r = api.call("GET", "/api/1/events", alice).json()
    t.ok(not r["next"] and {"token-created", "upload", "token-revoked"} <= {e["kind"] for e in r["events"]}, "and in her events", r)
    one, more = r["events"][2], r["events"][3:]
    t.is_(api.call("GET", "/api/1/events?before=%d-%d" % (one["at"], one["id"]), alice).json()["events"], more, "  the last first; those before one")


def words(t, s, api):
    """Every restriction, with the words of pypitokenctl."""
    alice, package = who(s, "alice"), dist.sdist("demo", "5.0")
    digest = hashlib.sha256(package.data).hexdigest()
    cases = [
        ({"project": ["Demo"]}, [], ["demo"]), ({"network": ["127.0.0.0/8", "2001:db8::/32"]}, ["127.0.0.0/8"], None),
        ({"version": ["5.*"]}, ["5.*"], None), ({"glob": ["dem*"]}, ["dem*"], None), ({"kind": ["sdist"]}, ["sdist"], None),
        ({"kind": ["wheel"]}, ["wheel"], None), ({"uses": 3}, ["3"], None), ({"new-only": True}, ["new"], None),
        ({"existing-only": True, "new-only": False}, ["exist"], None),
        ({"file": [{"name": "demo-5.0.tar.gz", "sha256": digest}]}, ["demo-5.0.tar.gz", digest, "5.0"], None),
    ]
    for body, says, project in cases:
        r = api.call("POST", "/api/1/tokens", alice, {"name": "narrow", **body})
        t.is_(r.status, 201, "made: %s" % (", ".join(body)), r)
        token = made(s, r)
        row = api.call("GET", "/api/1/tokens/" + token.id, alice).json()
        t.ok(all(part in "; ".join(row["restrictions"]) for part in says) and row["project"] == project, "  and told in words", row)
        t.is_("; ".join(row["restrictions"]) or None, s.ctl_json("token", "show", token.id)["restrictions"], "  the same as pypitokenctl's")
    t.is_(s.upload(dist.sdist("demo", "6.0"), token).status, 403, "another file than the one that was named: refused")
    t.is_(s.upload(package, token).status, 200, "  that one: taken")
    r = api.call("GET", "/api/1/tokens?project=DEMO", alice).json()["tokens"]
    t.is_([row["project"] for row in r], [["demo"]], "a list of those that name a project")


def refused(t, s, api):
    alice, digest = who(s, "alice"), "0" * 64
    bodies = [
        (b"", 400, "api-body"), (b"{", 400, "api-body"), (b"[]", 400, "api-body"), (b"null", 400, "api-body"),
        (b'{"name":"a","name":"b"}', 400, "api-body"), (b'{"name":"a"} x', 400, "api-body"), (b'{"name":"\xff"}', 400, "api-body"),
        (b'{"name":"a\\u0000b"}', 400, "api-body"), ({"nome": "x"}, 400, "api-body"), ({"name": 1}, 400, "api-body"),
        ({"name": None}, 400, "api-body"), ({"project": "demo"}, 400, "api-body"), ({"project": []}, 400, "api-body"),
        ({"project": [1]}, 400, "api-body"), ({"uses": 0}, 400, "api-body"), ({"uses": "1"}, 400, "api-body"),
        ({"uses": 1.5}, 400, "api-body"), ({"uses": -1}, 400, "api-body"), ({"new-only": 1}, 400, "api-body"),
        ({"file": ["demo-1.0.tar.gz"]}, 400, "api-body"), ({"file": [{"name": "demo-1.0.tar.gz"}]}, 400, "api-body"),
        ({"file": [{"name": "demo-1.0.tar.gz", "sha256": digest, "size": 1}]}, 400, "api-body"),
        (b"[" * 60000, 400, "api-body"),
        ({"name": "x" * 101}, 422, "api-refused"), ({"name": "a\nb"}, 422, "api-refused"), ({"project": ["bobs"]}, 422, "api-refused"),
        ({"project": ["nowhere"]}, 422, "api-refused"), ({"project": ["-x-"]}, 422, "api-refused"), ({"expires": "soon"}, 422, "api-refused"),
        ({"expires": "2001-01-01"}, 422, "api-refused"), ({"network": ["10.0.0.1/8"]}, 422, "api-refused"),
        ({"version": ["1.*.*"]}, 422, "api-refused"), ({"glob": ["*a"]}, 422, "api-refused"), ({"kind": ["egg"]}, 422, "api-refused"),
        ({"uses": 1000001}, 422, "api-refused"), ({"new-only": True, "existing-only": True}, 422, "api-refused"),
        ({"file": [{"name": "demo.zip", "sha256": digest}]}, 422, "api-refused"),
        ({"file": [{"name": "demo-1.0.tar.gz", "sha256": "A" * 64}]}, 422, "api-refused"),
        ({"name": "x" * 70000}, 413, "api-size"),
    ]
    before = s.ctl_json("token", "list")
    for body, status, code in bodies:
        r = api.call("POST", "/api/1/tokens", alice, body, [("Content-Type", "application/json")])
        t.is_((r.status, r.json()["code"]), (status, code), "%s: %d" % (str(body)[:60], status), r)
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "application/jsonx", None):
        r = api.call("POST", "/api/1/tokens", alice, b"{}", [("Content-Type", kind)] if kind else [])
        t.is_((r.status, r.json()["code"]), (415, "api-type"), "%s: 415" % kind, r)
    for good in ("APPLICATION/JSON", "application/json;charset=UTF-8"):
        t.is_(api.call("POST", "/api/1/tokens", alice, b'{"expires":"x"}', [("Content-Type", good)]).status, 422, good + ": taken")
    for site_of in ([("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")], [("Origin", "https://evil.example")], [("Origin", "null")]):
        r = api.call("POST", "/api/1/tokens", alice, {}, site_of)
        t.is_((r.status, r.json()["code"]), (403, "page-forged"), "from a page of another site: %s: refused" % site_of[0][1], r)
    t.is_(s.ctl_json("token", "list"), before, "nothing was made of all this")
    for query in ("?nome=x", "?state=dead", "?project=-x-", "?state=live&state=live", "?%zz", "?=x", "?state%20project=x"):
        r = api.call("GET", "/api/1/tokens" + query, alice)
        t.is_((r.status, r.json()["code"]), (400, "api-query"), query + ": 400", r)
    for query in ("?before=x", "?before=-1", "?before=1", "?before=1-", "?before=-1-1", "?before=1-1x", "?before=1-2-3", "?state=live"):
        t.is_(api.call("GET", "/api/1/events" + query, alice).status, 400, "events" + query + ": 400")
    for path in ("/api", "/api/", "/api/1", "/api/1/", "/api/2/tokens", "/api/1/tokens/", "/api/1/tokens/x/", "/api/1/tokens//rotate",
                 "/api/1/tokens/a/b/rotate", "/api/1/token", "/api/1/tokens/current/rotate/x"):
        r = wire.once(s.httpd.port, "GET", "/account" + path, user=alice)
        t.is_(r.status, 404, path + ": 404", r)
    for path, allow in (("/api/1/tokens", "GET, POST"), ("/api/1/tokens/current", "DELETE"), ("/api/1/tokens/" + NOBODYS, "GET, DELETE"),
                        ("/api/1/events", "GET")):
        r = api.call("PATCH", path, alice)
        t.is_((r.status, r.json()["code"], r.header("Allow")), (405, "api-method", allow), path + ": 405 with Allow", r)
    r = wire.once(s.httpd.port, "HEAD", "/account/api/1/tokens", user=alice)
    t.is_((r.status, r.body), (200, b""), "HEAD as GET")
    secret = s.token("alice").text
    for body in ({secret: 1}, {"network": [secret]}, {"project": [secret]}, {"expires": secret}):
        t.ok(api.call("POST", "/api/1/tokens", alice, body).status in (400, 422), "a token in the wrong place (and in no log: see below)")
    api.call("GET", "/api/1/tokens?%s=1" % secret, alice)  # the access log has it; its file is not looked at for this


def manual(t, s):
    """doc/api: each call of curl, as it stands there."""
    if not shutil.which("curl"):
        t.skip("the calls of doc/api", "no curl")
        return
    with open(os.path.join(SRCDIR, "doc/api"), encoding="utf-8") as f:
        text = f.read()
    calls = re.findall(r"(?m)^    (curl (?:[^\n]*\\\n|[^'\n]*'[^']*'|[^'\n])*)$", text)
    t.ok(len(calls) == text.count("    curl ") > 9, "the calls of doc/api are read", calls)
    want = {"-X DELETE": "204", "-d ": "201"}
    for call in calls:
        token = s.token("alice", "demo")
        here = call.replace("https://pypi.example.org", "http://127.0.0.1:%d" % s.httpd.port).replace("/ID", "/" + token.id)
        here = here.replace("-u alice", "-u alice:" + s.password("alice")).replace("-u __token__", "-u __token__:" + token.text)
        done = subprocess.run(["sh", "-c", here + " -sS -w '\\n%{http_code}'"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        body, status = done.stdout.rsplit("\n", 1)
        t.is_(status, next((v for k, v in want.items() if k in call), "200"), call.split("\n")[0][:100], done)
        if status == "201":
            Token(json.loads(body)["token"], s)


def policy(t, s):
    strict = openapi.Api(t, s, "/strict")
    r = strict.call("POST", "/api/1/tokens", who(s, "alice"), {"name": "all"})
    t.is_((r.status, "name them" in r.json()["message"]), (422, True), "a policy: no token for everything", r)
    r = strict.call("POST", "/api/1/tokens", who(s, "alice"), {"project": ["demo"]})
    t.is_((r.status, r.json()["expires"] is None), (201, False), "  and none without an end", r)
    made(s, r)
    old = s.token("alice", "demo")
    r = strict.call("POST", "/api/1/tokens/%s/rotate" % old.id, who(s, "alice"), {"expires": "2y"})
    t.is_(r.status, 422, "  rotating is no way around it", r)
    t.is_(s.upload(dist.sdist("demo", "7.0"), old).status, 200, "  and then the old token is as it was")


def rotate(t, s, api):
    alice = who(s, "alice")
    r = api.call("POST", "/api/1/tokens", alice, {"name": "deploy", "project": ["demo"], "version": ["8.*"], "expires": "10d"})
    old = made(s, r)
    r = api.call("POST", "/api/1/tokens/%s/rotate" % old.id, alice, {"overlap": "2h"})
    new = made(s, r)
    t.is_((r.status, r.json()["old"]["id"], r.json()["name"]), (201, old.id, "deploy"), "rotated", r)
    a, b = (api.call("GET", "/api/1/tokens/" + token.id, alice).json() for token in (old, new))
    t.is_((b["project"], b["restrictions"]), (["demo"], a["restrictions"]), "the new one has the same scope", (a, b))
    t.ok(abs(b["expires"] - b["created"] - 10 * 86400) < 5, "  and a life of its own, as long", b)
    t.ok(0 < a["expires"] - b["created"] <= 7200 and a["expires"] == r.json()["old"]["expires"], "the old one ends in two hours", a)
    t.is_(s.upload(dist.sdist("demo", "8.0"), old).status, 200, "  until then it is good")
    t.is_(s.upload(dist.sdist("demo", "8.1"), new).status, 200, "the new one is good")
    t.is_(s.upload(dist.sdist("demo", "9.0"), new).status, 403, "  for no more than the old one")
    r = api.call("POST", "/api/1/tokens/%s/rotate" % new.id, alice, {"overlap": "0", "expires": "1d"})
    third = made(s, r)
    t.is_(r.json()["old"]["expires"], None, "without an overlap", r)
    t.is_(s.upload(dist.sdist("demo", "8.2"), new).status, 403, "  the old one is revoked")
    t.is_(s.upload(dist.sdist("demo", "8.2"), third).status, 200, "  the new one is good")
    for body, status in (({"overlap": "31d"}, 422), ({"overlap": "-1h"}, 422), ({"overlap": 5}, 400), ({"overlap": ""}, 422), ({"name": "x"}, 400)):
        t.is_(api.call("POST", "/api/1/tokens/%s/rotate" % third.id, alice, body).status, status, "%s: %d" % (body, status))
    t.is_(api.call("POST", "/api/1/tokens/%s/rotate" % new.id, alice, {}).status, 422, "a revoked token has no successor")
    t.is_(api.call("POST", "/api/1/tokens/%s/rotate" % third.id, alice, b"x" * 70000, [("Content-Type", "application/json")]).status, 413, "too much of a body")
    t.is_(api.call("POST", "/api/1/tokens/%s/rotate" % third.id, alice, b"{}").status, 415, "a body without a type")
    kinds = [(e["kind"], e["token"]) for e in s.events() if e["token"] in (old.id, new.id)]
    t.ok(("token-rotated", old.id) in kinds and ("token-created", new.id) in kinds, "it is in the trail", kinds)
    forever = made(s, api.call("POST", "/api/1/tokens", alice, {"name": "forever"}))
    r = api.call("POST", "/api/1/tokens/%s/rotate" % forever.id, alice, {})
    made(s, r)
    t.is_(r.json()["expires"], None, "what had no end has none", r)
    t.ok(0 < r.json()["old"]["expires"] - api.call("GET", "/api/1/tokens/" + r.json()["id"], alice).json()["created"] <= 3600, "  one hour of overlap, if nobody says")
    race(t, s, api, alice)


def race(t, s, api, alice):
    """Many rotate the same token without an overlap: one of them has a new one, and no other is alive."""
    token = made(s, api.call("POST", "/api/1/tokens", alice, {"name": "race"}))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(api.call("POST", "/api/1/tokens/%s/rotate" % token.id, alice, {"overlap": "0"})))
               for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = [made(s, r) for r in answers if r.status == 201]
    t.is_(sorted(r.status for r in answers), [201] + [422] * 5, "six rotate the same token: one gets a new one", answers)
    live = [row["id"] for row in api.call("GET", "/api/1/tokens?state=live", alice).json()["tokens"] if row["name"] == "race"]
    t.is_(live, [g.id for g in good], "  which is the only one that lives")


def burn(t, s, api):
    def attempt(token, **kw):
        return api.call("DELETE", "/api/1/tokens/current", token.user if token else None, **kw)

    token, other = s.token("alice", "demo"), s.token("alice", "demo")
    t.is_(attempt(token.mistyped()).json()["code"], "token-signature", "a token with a wrong end burns nothing")
    t.is_(attempt(forged()).json()["code"], "token-unknown", "  nor does one of somebody else")
    t.is_(attempt(token, headers=[("Sec-Fetch-Site", "cross-site")]).status, 403, "  nor a page of another site")
    t.is_(api.call("DELETE", "/api/1/tokens/current?x=1", token.user).status, 400, "  nor with a query string")
    t.is_(attempt(token, body=b"x").status, 413, "  nor with a body")
    r = attempt(None)
    t.is_((r.status, r.json()["code"]), (401, "no-credentials"), "  nor nobody", r)
    t.is_(api.call("DELETE", "/api/1/tokens/current", who(s, "alice")).status, 401, "  nor a password")
    t.is_(s.upload(dist.sdist("demo", "10.0"), token).status, 200, "it is as good as before")
    r = attempt(token)
    t.is_((r.status, r.body), (204, b""), "a token burns itself", r)
    t.is_(s.upload(dist.sdist("demo", "10.1"), token).status, 403, "  and is no good any more")
    t.is_(attempt(token).status, 204, "  once more is no fault")
    row = s.ctl_json("token", "show", token.id)
    t.is_((row["state"], row["revoked_by"]), ("revoked", "alice"), "  it is on record", row)
    events = [e for e in s.events() if e["token"] == token.id and e["kind"] == "token-revoked"]
    t.is_([(e["detail"], e["address"]) for e in events], [("by the token itself", "127.0.0.1")], "  once, with the address", events)
    t.is_(s.upload(dist.sdist("demo", "10.1"), other).status, 200, "another token is as good as before")
    t.is_(attempt(other.expired()).status, 204, "one that was derived, and is over, ends its root")
    t.is_(s.upload(dist.sdist("demo", "10.2"), other).status, 403, "  and with it all that were derived")
    seen = poll.until(lambda: {"token-unknown", "token-signature"} <= {e["verdict"] for e in s.events() if e["kind"] == "token-refused"})
    t.ok(seen, "what was no token of ours is on record")
    bad = forged()
    codes = [attempt(bad).status for _ in range(12)]
    t.is_((codes[0], codes[-1]), (403, 429), "bad tokens are limited as everywhere", codes)


def people(t, s, api):
    """How people sign in."""
    secret = s.second_factor("twofa")
    name, password = who(s, "twofa")
    r = api.call("GET", "/api/1/tokens", (name, password))
    t.is_((r.status, r.json()["code"]), (401, "login-failed"), "a second factor: the password alone is not enough", r)
    t.like(r.header("WWW-Authenticate") or "", r'^Basic realm="index\.test"', "  and is asked for again")
    code = totp.code(secret)
    s.secrets |= {wire.basic(name, password + code).split()[1]}
    t.is_(api.call("GET", "/api/1/tokens", (name, password + code)).status, 200, "  with its code it is")
    b = pages.Browser(s)
    b.sign_in("alice", s.password("alice"))
    r = b.get("/account/api/1/tokens")
    t.is_((r.status, r.json()["code"]), (401, "login-needed"), "a session's cookie counts for nothing", r)
    r = b.request("POST", "/account/api/1/tokens", [("Content-Type", "application/json")], b"{}")
    t.is_(r.status, 401, "  nor for making a token")
    s.ctl("user", "disable", "gone")
    t.is_(api.call("GET", "/api/1/tokens", who(s, "gone")).status, 401, "a disabled user is as one with a wrong password")
    r = wire.once(s.httpd.port, "GET", "/account/api/1/tokens", [("Authorization", "Digest x")])
    t.is_((r.status, r.json()["code"]), (401, "credentials-malformed"), "another kind of credentials", r)


def matrix(t, s, api):
    """Every route of the table as everybody: exactly what is written here. The API is for one's own
    things: an administrator is nobody special in it."""
    token = made(s, api.call("POST", "/api/1/tokens", who(s, "alice"), {"name": "target", "project": ["demo"]}))
    actors = {"nobody": None, "stranger": who(s, "bob"), "maintainer": who(s, "carol"), "co-owner": who(s, "dave"), "administrator": who(s, "erin"), "token": token.user}
    own, anybody = {"nobody": 401, "stranger": 200, "maintainer": 200, "co-owner": 200, "administrator": 200, "token": 403}, dict.fromkeys(actors, 200)
    others = {"nobody": 401, "stranger": 404, "maintainer": 404, "co-owner": 404, "administrator": 404, "token": 403}
    create = {"nobody": 401, "stranger": 422, "maintainer": 201, "co-owner": 201, "administrator": 422, "token": 403}
    want = {
        ("GET", "/api/1/openapi.json"): anybody, ("GET", "/api/1/tokens"): own, ("POST", "/api/1/tokens"): create,
        ("GET", "/api/1/tokens/{id}"): others, ("DELETE", "/api/1/tokens/{id}"): others, ("POST", "/api/1/tokens/{id}/rotate"): others,
        ("GET", "/api/1/projects"): own, ("GET", "/api/1/events"): own,
        ("DELETE", "/api/1/tokens/current"): {"nobody": 401, "stranger": 401, "maintainer": 401, "co-owner": 401, "administrator": 401, "token": 204},
    }
    t.is_(sorted(k for k in routes() if k not in want and "secrets/" not in k[1]), [], "the matrix has every route of the table")
    for (method, path), row in want.items():
        body = {} if method == "POST" else None
        body = {"project": ["demo"]} if path == "/api/1/tokens" and method == "POST" else body
        for name, user in actors.items():
            if name == "token" and row[name] == 204:
                t.is_(api.call("GET", "/api/1/tokens/" + token.id, who(s, "alice")).json()["state"], "live", "nobody has changed it so far")
            r = api.call(method, path.replace("{id}", token.id), user, body)
            t.is_(r.status, row[name], "%s %s as %s: %d" % (method, path, name, row[name]), r)
            if r.status == 201:
                made(s, r)
            if name not in ("nobody", "token") and r.status == 200 and "openapi" not in path:
                t.unlike(r.text, token.id, "  and not a word of her token")
    for method, path in want:
        if "{id}" in path:
            for bad in (NOBODYS, "x", NOBODYS.upper(), "a" * 300):
                r = api.call(method, path.replace("{id}", bad), who(s, "alice"), {} if method == "POST" else None)
                t.is_(r.status, 404, "%s %s with %s: 404" % (method, path, bad[:10]), r)


def rest(t, s, api):
    """The statuses that everything has in common."""
    for path, methods in api.doc["paths"].items():
        for method, o in methods.items():
            if path.startswith("/secrets/"):
                continue
            at, body = path.replace("{id}", NOBODYS), {} if method == "post" else None
            if "400" in o["responses"]:
                r = api.call(method.upper(), at + "?bogus=1", who(s, "alice"), body)
                t.is_((r.status, r.json()["code"]), (400, "api-query"), "%s %s: an unknown name in the query" % (method, path), r)
            if "413" in o["responses"]:
                r = api.call(method.upper(), at, s.token("alice").user if at.endswith("current") else who(s, "alice"), b"x" * 70000)
                t.is_(r.status, 413, "%s %s: too long a body" % (method, path), r)
            if "429" in o["responses"] and not path.endswith("current"):
                for _ in range(8):
                    r = api.call(method.upper(), at, ("tess", "wrong"), body)
                    if r.status == 429:
                        break
                t.is_((r.status, r.json()["code"]), (429, "throttled"), "%s %s: throttled as logins are" % (method, path), r)
    r = api.call("GET", "/api/1/tokens", who(s, "tess"))
    t.is_(r.status, 429, "then the right password is of no use from here, either")
    s.allow(r"cannot (open|reach) the store", r"store-down", r"store (/|mysql:).*")
    tokens, alice = s.token("alice"), who(s, "alice")
    s.store.away()
    for path, methods in api.doc["paths"].items():
        for method, o in methods.items():
            if "503" in o["responses"] and not path.startswith("/secrets/"):
                user = tokens.user if path.endswith("current") else alice
                r = api.call(method.upper(), path.replace("{id}", NOBODYS), user, {} if method == "post" else None)
                t.is_((r.status, r.json()["code"]), (503, "store-down"), "%s %s: no store" % (method, path), r)
    s.store.back()
    r = poll.until(lambda: [r for r in [wire.once(s.httpd.port, "GET", "/account/api/1/tokens", user=alice)] if r.status == 200])
    t.ok(r, "the store is back, and so is the API")
    left = [x for x in api.rest() if not x[0].startswith("/secrets/")]
    t.is_(left, [], "every path, method and status of the description was seen")


def queries(t):
    """As many statements for 300 tokens and 300 projects as for a few."""
    if mariadb.missing():
        t.skip("a constant number of queries", "no " + mariadb.missing())
        return
    with site.Site(t, "mysql") as s:
        s.init("alice")
        s.start(more=PAGES.replace('PyPITokenPolicy "{root}/policy"', "").replace("PyPITokenFlush 1s", "PyPITokenFlush 10min"))
        api = openapi.Api(t, s)

        def count(path):
            api.call("GET", path, who(s, "alice"))  # logs in; from here on it lingers, or not: the same
            counts = []
            for _ in range(5):  # a child that has just begun asks for more, once
                before = executed(s)
                api.call("GET", path, who(s, "alice"))
                counts.append(executed(s) - before)
            return min(counts)
        paths = ("/api/1/tokens", "/api/1/tokens?state=live", "/api/1/projects", "/api/1/events")
        few = [count(path) for path in paths]
        t.ok(all(n > 0 for n in few), "statements are counted", few)
        user = s.store.rows("SELECT id FROM users")[0][0]
        s.store.write(*[("INSERT INTO projects (id, name, norm, confirmed, created) VALUES (?, ?, ?, 1, 1)",
                         ("p%d" % i, "p%d" % i, "p%d" % i)) for i in range(300)],
                      *[("INSERT INTO roles (project_id, user_id, role) VALUES (?, ?, 2)", ("p%d" % i, user)) for i in range(300)],
                      *[("INSERT INTO tokens (id, user_id, name, scope, sealed_key, created) VALUES (?, ?, 'x', '*', 'x', 1)",
                         ("00000000-0000-4000-8000-%012d" % i, user)) for i in range(300)])
        t.is_([len(api.call("GET", "/api/1/" + what, who(s, "alice")).json()[what]) for what in ("tokens", "projects")], [300, 300], "300 of each")
        s.store.write(*[("INSERT INTO events (at, kind, user_name) VALUES (?, 'x', 'alice')", (i // 7,)) for i in range(1200)])
        ids, at = [], ""
        while at is not None and len(ids) < 5000:
            r = api.call("GET", "/api/1/events" + at, who(s, "alice")).json()
            ids += [e["id"] for e in r["events"] if e["kind"] == "x"]
            at = "?before=" + r["next"] if r["next"] else None
        t.is_((len(ids), len(set(ids))), (1200, 1200), "1200 events, each once, page after page")
        t.is_([count(path) for path in paths], few, "a constant number of queries")


def executed(s):
    """Statements that the server has run for anybody."""
    rows = s.store.rows("SHOW GLOBAL STATUS LIKE 'Com\\_%'")
    want = ("com_select", "com_insert", "com_update", "com_delete", "com_stmt_execute", "com_begin", "com_commit")
    counts = {name.lower(): int(value) for name, value in rows if name.lower() in want}
    return sum(counts.values())


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice", "bob", "carol", "dave", "erin", "twofa", "gone", "tess")
        s.write("policy", "longest-life = 30d\ndefault-life = 7d\nunrestricted = no\n")
        s.start(more=PAGES)
        api = openapi.Api(t, s)
        described(t, api)
        story(t, s, api)
        s.ctl("role", "add", "demo", "carol", "maintainer")
        s.ctl("role", "add", "demo", "dave", "owner")
        s.ctl("project", "add", "bobs", "--owner", "bob")
        for part in (words, refused, rotate, burn, people, matrix):
            t.note(part.__name__)
            part(t, s, api)
        manual(t, s)
        policy(t, s)
        rest(t, s, api)
    queries(t)


tap.run(main)
