#!/usr/bin/python3
"""guard.t - the guarded upload URL, request by request: who gets in, and what the others are told."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, site, tap, wire  # noqa: E402

URL = "/legacy/"
SCOPE = "project-scoped token is not valid for project: 'demo'"


def credentials(t, s, tok):
    demo = dist.sdist("demo")

    r = s.upload(demo)
    t.is_(r.status, 401, "no credentials: 401")
    t.like(r.header("WWW-Authenticate", ""), r'^Basic realm="uploads"', "  with a challenge")
    t.like(r.reason, "^Authentication needed", "  and what to do in the status line")

    refused = [
        ("an account name with a token", ("alice", tok.text), "Use __token__ as the user name"),
        ("an account name with a password", ("alice", s.password("alice")), "Create an API token"),
        ("an unknown name", ("nobody", "wrong"), "Create an API token"),
        ("no token at all", ("__token__", ""), "Invalid API Token: it is incomplete or damaged"),
        ("something else as a token", ("__token__", "hunter2"), "Invalid API Token: it is incomplete"),
        ("half a token", ("__token__", tok.text[:40]), "Invalid API Token: it is incomplete"),
        ("a mistyped token", tok.mistyped(), "signatures do not match"),
        ("an expired token", tok.expired(), "token is expired"),
        ("a token for another project", tok.only("other"), SCOPE),
        ("a token for no project", tok.only(), "Invalid API Token"),
        ("a token with an unknown caveat", tok.narrow([9, "x"]), "Invalid API Token"),
        ("a token with a caveat that is no JSON", tok.narrow("account = 3735928559"), "Invalid API Token"),
        ("a token of another user", tok.narrow([3, "00000000-0000-4000-8000-000000000000"]),
         "does not match user restriction"),
    ]
    for name, who, sentence in refused:
        r = s.upload(demo, who)
        t.is_((r.status, r.header("WWW-Authenticate")), (403, None), name + ": 403, no challenge", r)
        t.has(r.reason, sentence, "  the status line says why")
        t.has(r.text, "<title>403 " + r.reason + "</title>", "  and so does the body")
    t.is_(s.stored(), [], "nothing of all this was stored")


def headers(t, s, tok):
    demo = dist.sdist("demo", "1.1")
    body = demo.form()
    good = wire.basic("__token__", tok.text)

    r = s.upload(demo, headers=[("Authorization", good), ("Authorization", good)])
    t.is_(r.status, 403, "two Authorization headers: 403")
    for name, value in (("another scheme", "Digest username=x"), ("no scheme", "x"), ("an empty one", " "),
                        ("no base64", "Basic !!!!"), ("no colon", "Basic Zm9v")):
        r = s.upload(demo, headers=[("Authorization", value)])
        t.ok(r.status in (401, 403), "an Authorization header with %s is refused" % name, r)
    for name, text in (("a newline", tok.text + "\n"), ("CR LF", tok.text + "\r\n"),
                       ("blanks around it", "  " + tok.text + "\t ")):
        r = s.upload(demo, ("__token__", text))
        t.is_(r.status, 200, "a token with %s is accepted" % name, r)
    for scheme in ("Bearer", "token", "bAsIc"):
        value = good.split()[1] if scheme == "bAsIc" else tok.text
        r = s.upload(demo, headers=[("Authorization", scheme + " " + value)])
        t.is_(r.status, 200, "Authorization: %s is accepted" % scheme, r)

    for name, value in (("X-HTTP-Method-Override", "DELETE"), ("X-Original-URL", "/x"), ("Under_Score", "1"),
                        ("Connection", "keep-alive, Content-Type"), ("Content-Encoding", "gzip")):
        r = s.upload(demo, tok, headers=[(name, value)])
        # httpd itself drops or refuses a header name with '_' (HttpProtocolOptions)
        t.ok(r.status in (400, 415), "the header %s: %s is refused" % (name, value), r)
    r = s.upload(demo, tok, path=URL + "?:action=file_upload")
    t.is_(r.status, 400, "a query string: 400")
    t.has(r.reason, "query string", "  and it says so")
    r = wire.once(s.httpd.port, "POST", URL, [("Content-Type", "application/json")], body, tok.user)
    t.is_(r.status, 415, "not a form: 415", r)
    r = wire.once(s.httpd.port, "POST", URL, [dist.form_type()], None, tok.user)
    t.is_(r.status, 411, "no body: 411", r)
    r = s.upload(body[:-20], tok)
    t.is_(r.status, 400, "a form without its end: 400", r)
    r = s.upload(body + b"--x", tok)
    t.is_(r.status, 400, "bytes after the form: 400", r)
    r = s.upload(demo, tok, changes={"action": "submit"})
    t.is_((r.status, "file_upload" in r.reason), (400, True), "another :action: 400 that names the right one")
    r = s.upload(demo, tok, changes={"name": "other"})
    t.is_(r.status, 400, "name and file name of different projects: 400", r)


def accept(t, s, tok):
    bad = tok.only("other")
    demo = dist.sdist("demo")
    kinds = ((None, "text/html"), ("*/*", "text/html"), ("text/html", "text/html"),
             ("text/plain", "text/plain"), ("application/json", "application/json"),
             ("application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7", "application/json"),
             ("text/plain;q=0.2, text/html", "text/html"))
    for value, want in kinds:
        r = s.upload(demo, bad, headers=[("Accept", value)] if value else [])
        t.is_((r.status, (r.header("Content-Type") or "").split(";")[0]), (403, want),
              "Accept: %s gets %s" % (value, want))
        t.has(r.text, SCOPE, "  with the sentence")
        if want == "application/json":
            t.is_(r.header("Content-Type"), "application/json", "  JSON without a charset, as uv wants it")
            body = r.json()
            t.is_((body["code"], body["title"]), ("403 " + r.reason, "Forbidden"), "  code and title")
            t.is_(body["message"], r.reason, "  message")
        t.unlike(r.text + r.reason, "(?i)already exist|overwrite artifact|already been taken",
                 "  no phrase that a client would take for a duplicate")


def methods(t, s, tok):
    r = s.get(URL)
    t.is_(r.status, 200, "GET on the upload URL: a page")
    t.like(r.text, "(?s)upload URL.*twine", "  that says what the URL is for")
    t.is_(r.header("WWW-Authenticate"), None, "  without a challenge")
    t.is_(s.get(URL, method="HEAD").status, 200, "HEAD on it likewise")
    r = s.get(URL + "%2Bsimple/demo/", user=tok.user)
    t.is_((r.status, r.header("WWW-Authenticate")), (404, None), "hatch's look before: 404, no challenge")
    r = s.get(URL + "%2Bsimple/demo/")
    t.is_((r.status, r.header("WWW-Authenticate")), (404, None), "the same without credentials")
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"):
        for who in (None, tok.user):
            r = s.get(URL, method=method, user=who)
            t.is_(r.status, 405, "%s %s credentials: 405" % (method, "with" if who else "without"), r)
    for path in ("/legacy/x", "/legacy//", "/legacy/%2e", "/legacy/index.html", "//legacy/", "/legacy/;x"):
        r = s.upload(dist.sdist("demo", "7.0"), tok, path=path)
        t.ok(r.status in (400, 403, 404, 405), "POST %s is refused" % path, r)
    t.ok(not [n for n in s.stored() if "7.0" in n], "nothing was stored by those")


def connections(t, s, tok):
    with wire.Conn(s.httpd.port) as c:
        one, two = dist.sdist("demo", "2.0"), dist.sdist("demo", "2.1")
        answers = []
        for package, token in ((one, tok), (two, tok.only("other")), (two, tok.mistyped()),
                               (two, None), (two, tok)):
            answers.append(s.upload(package, token, conn=c).status)
        t.is_(answers, [200, 403, 403, 401, 200], "one connection, five tokens: each its own verdict")

    with wire.Conn(s.httpd.port) as c:
        three = dist.sdist("demo", "2.2")
        head = [dist.form_type()]
        c.send(wire.request("POST", URL, head, three.form(), tok.only("other").user)
               + wire.request("POST", URL, head, three.form(), tok.user)
               + wire.request("GET", "/simple/demo/" + three.filename))
        answers = [c.response(), c.response(), c.response()]
        t.is_([r.status for r in answers], [403, 200, 200], "pipelined: each its own verdict, in order")
        t.ok(answers[2].body == three.data, "  and the file comes back")

    for size in (1, 7, 1000, 100000):
        package = dist.sdist("demo", "3.%d" % size)
        r = s.upload(package, tok, chunks=size)
        t.is_(r.status, 200, "chunked, %d bytes each" % size, r)
        t.ok(s.get("/simple/demo/" + package.filename).body == package.data, "  the bytes are right")

    big = dist.sdist("demo", "4.0", padding=3 << 20)
    with wire.Conn(s.httpd.port) as c:
        r = s.upload(big, tok, conn=c)
        t.is_(r.status, 200, "an upload larger than PyPITokenMemory", r)
    t.ok(s.get("/simple/demo/" + big.filename).body == big.data, "  the bytes are right")
    t.is_(os.listdir(s.path("spool")), [], "  nothing is left in the spool directory")

    with wire.Conn(s.httpd.port) as c:
        t.ok(c.send(wire.request("POST", URL, [dist.form_type()], big.form(), tok.only("other").user)),
             "a long refused body is read to its end")
        r = c.response()
        t.is_((r.status, r.header("Connection")), (403, "close"), "  it was answered before that")
        t.ok(c.closed(), "  and then the connection is closed")


def expect(t, s, tok):
    package = dist.sdist("demo", "5.0")
    body = package.form()
    for name, who, status, interim in (("bad", tok.mistyped(), 403, []), ("no", None, 401, []),
                                       ("good", tok, 200, [100])):
        with wire.Conn(s.httpd.port) as c:
            headers = [dist.form_type(), ("Content-Length", len(body)), ("Expect", "100-continue")]
            c.send(wire.request("POST", URL, headers, None, who.user if who else None))
            if interim:
                t.ok(c._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100"), "good credentials: 100 Continue")
                c.send(body)
            r = c.response()
            t.is_((r.status, c.interim), (status, []),
                  "Expect: 100-continue with %s credentials: %d" % (name, status), r)


def limits(t, s, tok):
    body = dist.sdist("demo", "6.0", padding=200000).form()
    r = s.upload(body, tok, path="/small/", agent="limits")
    t.is_(r.status, 413, "larger than PyPITokenMaxUpload, by Content-Length: 413", r)
    t.like(r.reason, "larger than", "  and it says so")
    r = s.upload(body, tok, path="/small/", chunks=5000, agent="limits")
    t.is_(r.status, 413, "the same chunked: 413", r)
    with wire.Conn(s.httpd.port) as c:
        c.send(wire.request("POST", URL, [dist.form_type(), ("Content-Length", len(body)),
                                          ("User-Agent", "limits")], None, tok.user))
        c.send(body[:1000])
        c.sock.shutdown(1)
        try:
            r = c.response()
            t.is_(r.status, 400, "an upload that breaks off: 400", r)
        except wire.Closed:
            t.ok(True, "an upload that breaks off: closed")
    t.is_(len(s.httpd.access(3, agent="limits")), 3, "all three are in the access log")
    t.ok(not [n for n in s.stored() if "6.0" in n], "nothing was stored by those")


def environment(t, s, tok):
    """Who and what in the access log."""
    package = dist.wheel("Demo", "8.0")
    for agent, who in (("good", tok), ("scope", tok.only("other")), ("nobody", None), ("typo", tok.mistyped())):
        s.upload(package, who, agent=agent)
    lines = {line["agent"]: line for agent in ("good", "scope", "nobody", "typo")
             for line in s.httpd.access(1, agent=agent)}
    t.is_(len(lines), 4, "four lines in the access log")
    t.is_({k: lines["good"][k] for k in ("status", "user", "id", "project", "file", "verdict")},
          {"status": "200", "user": "alice", "id": tok.id, "project": "demo", "file": package.filename,
           "verdict": "allowed"}, "an upload in the access log")
    t.is_([lines["scope"][k] for k in ("status", "id", "verdict")], ["403", tok.id, "token-scope"],
          "a refusal in the access log")
    t.is_([lines["nobody"][k] for k in ("status", "user", "id", "verdict")], ["401", "-", "-", "no-credentials"],
          "no credentials in the access log")
    t.is_([lines["typo"][k] for k in ("status", "user", "id", "verdict")], ["403", "-", "-", "token-signature"],
          "a forged token names nobody in the access log")


def main(t):
    site.need(t)
    small = site.GUARD.replace('"/legacy/"', '"/small/"').replace("{guard}", "PyPITokenMaxUpload 100K")
    for mpm in ("event", "prefork"):
        with site.Site(t) as s:
            s.init("alice")
            t.note("MPM " + mpm)
            tok = s.token("alice")
            s.start(mpm=mpm, more=small + "PyPITokenPasswordUpload Never\n")
            for part in (credentials, headers, accept, methods, connections, expect, limits, environment):
                t.note(part.__name__)
                part(t, s, tok)


tap.run(main)
