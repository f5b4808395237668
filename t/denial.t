#!/usr/bin/python3
"""denial.t - a refusal on the wire: judged before the body, answered once, drained to its end, never
somebody else's 200, never seen by a back end; and trouble of our own told apart from a refusal."""
import os
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, faulty, poll, site, tap, wire  # noqa: E402

# what arrived, in bytes, and what was answered
BYTES = 'CustomLog "{root}/logs/bytes.log" "agent=%{User-Agent}i in=%I status=%>s"\n'


def received(s, agent):
    """The bytes that a request with this agent brought, its head included."""
    def lines():
        with open(s.path("logs/bytes.log")) as f:
            return [line for line in f.read().split("\n")[:-1] if "agent=%s " % agent in line]
    found = poll.until(lines) or []
    return [int(line.split("in=")[1].split()[0]) for line in found]


def location(path, *lines):
    return site.GUARD.replace('"/legacy/"', '"%s"' % path).replace("{guard}", "\n    ".join(lines))


def post(s, path, tok, body, *headers, agent="denial", **kw):
    """The bytes of an upload; tok may be None."""
    headers = [dist.form_type(), ("User-Agent", agent), *headers]
    return wire.request("POST", path, headers, body, tok.user if tok else None, **kw)


# ---- before the body ----

def before_the_body(t, s, tok):
    """Whatever is known from the head is said before a byte of the body is asked for."""
    n = 10 << 20
    cases = [("no credentials", 401, "/legacy/", None, ()), ("a mistyped token", 403, "/legacy/", tok.mistyped(), ()),
             ("an expired token", 403, "/legacy/", tok.expired(), ()), ("a password", 403, "/legacy/", "person", ()),
             ("a query string", 400, "/legacy/?a=b", tok, ()), ("a header", 400, "/legacy/", tok, [("X-HTTP-Method", "PUT")]),
             ("an encoding", 415, "/legacy/", tok, [("Content-Encoding", "gzip")]),
             ("too large", 413, "/small/", tok, ()), ("another path", 404, "/legacy/x", tok, ())]
    for i, (what, status, path, who, more) in enumerate(cases):
        agent = "before-%d" % i
        with wire.Conn(s.httpd.port) as c:
            head = [dist.form_type(), ("User-Agent", agent), ("Content-Length", n), ("Expect", "100-continue"), *more]
            user = ("alice", s.password("alice")) if who == "person" else who.user if who else None
            data = wire.request("POST", path, head, None, user)
            c.send(data)
            r = c.response()
            t.is_((r.status, c.interim), (status, []), "%s: %d, no 100 Continue" % (what, status), r)
            t.ok(c.closed(), "  and the connection ends")
        t.is_(received(s, agent), [len(data)], "  not a byte of the body was read")


# ---- once, then to its end ----

def drained(t, s, tok, tls):
    """A long body: the answer comes while it is being sent, all of it is taken, nothing is answered twice."""
    form = dist.sdist("drained", padding=5 << 20).form()
    wrong = form.replace(b'name="summary"', b'name="version"')
    big = dist.sdist("drained", padding=3 << 20).form()
    cases = [("401", "/legacy/", None, form, "Authentication needed"),
             ("403", "/legacy/", tok.expired(), form, "token is expired"),
             ("404", "/legacy/x", tok, form, "Uploads go to the upload URL"),
             ("400", "/legacy/", tok, wrong, "'version' more than once"),
             ("413", "/small/", tok, big, "larger than"),
             ("415", "/legacy/", tok, form, "must not have a Content-Encoding")]
    cafile = s.certificate() if tls else None
    for status, path, who, body, sentence in cases:
        for chunks in (0, 60000):
            agent = "drained-%s-%s-%d" % (status, "tls" if tls else "plain", chunks)
            what = "%s%s over %s" % (status, " chunked" if chunks else "", "TLS" if tls else "TCP")
            more = [("Content-Encoding", "x")] if status == "415" else []
            data = post(s, path, who, body, *more, agent=agent, chunks=chunks)
            with wire.Conn(s.httpd.tls_port if tls else s.httpd.port, cafile=cafile) as c:
                t.ok(c.send(data[:5 << 19]), what + ": the first part is taken")
                r = c.response()
                t.is_((r.status, r.header("Connection")), (int(status), "close"), "  the answer is there by then", r)
                t.has(r.reason, sentence, "  with the sentence")
                t.ok(c.send(data[5 << 19:]), "  the rest is taken, too")
                t.ok(c.closed(), "  and thrown away: no second answer")
            # with TLS what arrived is counted encrypted
            got = received(s, agent)
            t.ok(len(got) == 1 and len(data) <= got[0] <= len(data) * 1.05 + 8192, "  all of it was read", got)


def beyond_the_cap(t, s, tok):
    """More than PyPITokenDrain: answered, then httpd's own lingering close."""
    form = dist.sdist("beyond", padding=8 << 20).form()
    with wire.Conn(s.httpd.port) as c:
        c.send(post(s, "/little/", tok.expired(), form, agent="beyond"))
        r = c.response()
        t.is_(r.status, 403, "beyond PyPITokenDrain: the answer can be read", r)
        t.has(r.reason, "token is expired", "  with the sentence")
        t.ok(c.closed(), "  then it is closed")
    got = received(s, "beyond")
    t.ok(got and got[0] < len(form) // 2, "  and the rest was not waited for", got)


def broken_while_drained(t, s, tok):
    """HTTP_IN would answer by itself what it cannot read: a refusal is answered once all the same."""
    long = wire.chunked(dist.sdist("broken").form()[:500], 100)[:-5] + b"x" * 20 + b"\r\n" + b"y" * 400000
    with wire.Conn(s.httpd.port) as c:
        c.send(post(s, "/legacy/", tok.expired(), None, ("Transfer-Encoding", "chunked")) + long)
        r = c.response()
        t.is_(r.status, 403, "a refused body with a broken chunk: 403", r)
        t.ok(c.closed(), "  once")
    with wire.Conn(s.httpd.port) as c:
        c.send(post(s, "/legacy/", tok, None, ("Transfer-Encoding", "chunked")) + long)
        r = c.response()
        t.is_(r.status, 400, "a body with a broken chunk: 400", r)
        t.has(r.reason, "broke off", "  in our words")
        t.ok(c.closed(), "  once")
    body = dist.sdist("limited", padding=100000).form()
    for what, who, chunks, status, sentence in (
            ("refused", tok.expired(), 0, 403, "expired"), ("refused, chunked", tok.expired(), 9000, 403, "expired"),
            ("good", tok, 0, 413, "larger than the 20000 bytes"), ("good, chunked", tok, 9000, 413, "larger than the 20000")):
        with wire.Conn(s.httpd.port) as c:
            c.send(post(s, "/limited/", who, body, chunks=chunks))
            r = c.response()
            t.is_(r.status, status, "beyond LimitRequestBody, %s: %d" % (what, status), r)
            t.has(r.reason, sentence, "  in our words")
            t.ok(c.closed(), "  once")
    for coding in ("gzip, chunked", "identity", "gzip"):
        with wire.Conn(s.httpd.port) as c:
            c.send(post(s, "/legacy/", tok, None, ("Transfer-Encoding", coding)) + wire.chunked(body, 9000))
            r = c.response()
            t.ok(r.status in (400, 501), "Transfer-Encoding: %s is refused" % coding, r)
            t.ok(c.closed(), "  once")


def slow(t, s, tok):
    """RequestReadTimeout counts while a body is read and while it is drained; nobody is waited for twice."""
    body = dist.sdist("slow", padding=400000).form()
    with wire.Conn(s.httpd.port) as c:
        c.send(post(s, "/legacy/", tok, body)[:-300000])
        r = c.response()
        t.is_((r.status, r.header("Connection")), (408, "close"), "a client that stops: 408", r)
        t.has(r.reason, "too slow", "  in our words")
        t.ok(c.closed(), "  and the connection ends")
    with wire.Conn(s.httpd.port) as c:
        c.send(post(s, "/legacy/", tok.expired(), body)[:-300000])
        t.is_(c.response().status, 403, "a refused one that stops")
        t.ok(c.closed(), "  is not waited for for ever")
    line = r"body-timeout"
    t.like(s.httpd.error_log(), line, "the operator can read it")


def stalled(t):
    """Without mod_reqtimeout: Timeout passes once, not once more for what is drained."""
    with site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice")
        s.start(more="RequestReadTimeout header=0 body=0\nTimeout 4\n")
        began, conns = time.monotonic(), []
        for padding in (0, 400000):
            for who, status in ((tok, 408), (tok.expired(), 403)):
                body = dist.sdist("stalled", padding=padding).form()
                conns.append((wire.Conn(s.httpd.port), status, padding))
                conns[-1][0].send(post(s, "/legacy/", who, body)[:-500])
        for conn, status, padding in conns:
            with conn:
                r = conn.response()
                t.is_(r.status, status, "%s that stops %d bytes before its end: %d" %
                      ("a long body" if padding else "a short one", 500, status), r)
                t.ok(conn.closed(), "  and the connection ends")
        t.ok(time.monotonic() - began < 7.5, "nobody was waited for twice", time.monotonic() - began)


def short(t, s, tok):
    """A short refused body: the connection lives on; chunked, its length is not known."""
    body = dist.sdist("short").form()
    with wire.Conn(s.httpd.port) as c:
        answers = [s.upload(body, who, conn=c, path=path) for who, path in
                   ((None, "/legacy/"), (tok.expired(), "/legacy/"), (tok, "/legacy/x"), (tok.only("x"), "/legacy/"))]
        t.is_([r.status for r in answers], [401, 403, 404, 403], "four refusals on one connection")
        t.is_(s.upload(body, tok, conn=c).status, 200, "  and then a success")


# ---- nobody else answers ----

ELSEWHERE = """
ErrorDocument 300 "never"
%s
<Location "/proxied/">
    Require all granted
</Location>
ProxyPass "/proxied/" "%s"
ProxyPass "/behind/" "%s"
ProxyPass "/gone/" "http://127.0.0.1:1/"
ProxyPass "/worse/" "%s"
RewriteEngine On
RewriteRule "^/forbidden/$" "-" [F]
RewriteRule "^/gonefor/$" "-" [G]
RewriteRule "^/moved/$" "/elsewhere/" [R=301]
RewriteRule "^/away/$" "https://index.example.org/legacy/" [R=302]
Redirect permanent "/aliased/" "https://index.example.org/upload/"
Redirect gone "/retired/"
"""
DOCUMENTS = {"local": "/document.html", "proxied": "/proxied/document", "missing": "/nowhere.html",
             "script": "/cgi-bin/two-hundred", "guarded": "/legacy/"}
STATUSES = (400, 401, 403, 404, 405, 408, 410, 411, 413, 415, 500, 502, 503, 504, 507)

# (path, lines in its Location, status, sentence): each is refused by somebody else than the guard
OTHERS = [
    ("/named/", ["Require pypi-project other"], 403, "rules of this server"),
    ("/denied/", ["Require all denied"], 403, "rules of this server"),
    ("/address/", ["<RequireAll>", "Require valid-user", "Require ip 192.0.2.1", "</RequireAll>"], 403,
     "rules of this server"),
    ("/old/", ["Order deny,allow", "Deny from all"], 403, "rules of this server"),
    ("/forbidden/", [], 403, "rules of this server"),
    ("/gonefor/", [], 410, "rules of this server"),
    ("/retired/", [], 410, "rules of this server"),
    ("/moved/", [], 404, "Use http://"),
    ("/away/", [], 404, "Use https://index.example.org/legacy/ as the repository URL"),
    ("/aliased/", [], 404, "Use https://index.example.org/upload/ as the repository URL"),
]


def nobody_else(t, s, tok, kind, backend):
    """Every refusal while ErrorDocuments of this kind are set: ours, once, and nobody else is asked."""
    form = dist.sdist("elsewhere").form()
    long = dist.sdist("elsewhere", padding=400000).form()
    chunked = ("Transfer-Encoding", "chunked")
    cases = [("no credentials", "/legacy/", None, form, (), 401, "Authentication needed"),
             ("a forged token", "/legacy/", tok.mistyped(), form, (), 403, "signatures do not match"),
             ("a forged token, long", "/legacy/", tok.mistyped(), long, (), 403, "signatures do not match"),
             ("another project", "/legacy/", tok.only("x"), form, (), 403, "project-scoped token"),
             ("another project, long", "/legacy/", tok.only("x"), long, (), 403, "project-scoped token"),
             ("no form", "/legacy/", tok, b"nonsense", (), 400, "must start with its boundary"),
             ("another path", "/legacy/y", tok, form, (), 404, "Uploads go to"),
             ("no body", "/legacy/", tok, None, (), 411, "no body"),
             ("an encoding", "/legacy/", tok, form, [("Content-Encoding", "gzip")], 415, "Content-Encoding"),
             ("too large", "/small/", tok, long, (), 413, "larger than"),
             ("beyond LimitRequestBody", "/limited/", tok, long, (), 413, "larger than"),
             ("a broken chunk", "/legacy/", tok, b"zz\r\n" + form, [chunked], 400, "broke off"),
             ("a failed back end", "/gone/", tok, form, (), 503, "did not take the upload: 503"),
             ("a nonsensical back end", "/worse/", tok, form, (), 502, "did not take the upload: 502")]
    cases += [(path, path, tok, form, (), status, sentence) for path, _, status, sentence in OTHERS]
    before = len(backend.given)
    for what, path, who, body, more, status, sentence in cases:
        raw = post(s, path, who, None, *more) + body if chunked in more else post(s, path, who, body, *more)
        with wire.Conn(s.httpd.port) as c:
            c.send(raw)
            r = c.response()
            t.is_(r.status, status, "ErrorDocument %s, %s: %d" % (kind, what, status), r)
            t.has(r.reason, sentence, "  the status line says why")
            t.has(r.text, "<title>%d %s</title>" % (status, r.reason), "  and so does the body")
            t.ok(r.header("Location") is None and "document" not in r.text, "  no redirect, no ErrorDocument", r)
            if r.header("Connection") == "close":
                t.ok(c.closed(), "  and nothing after it")
    for method in ("PUT", "DELETE", "TRACE", "OPTIONS", "BREW"):
        r = s.get("/legacy/", method=method, user=tok.user)
        t.ok(r.status in (405, 501) and "document" not in r.text, "ErrorDocument %s, %s: refused" % (kind, method), r)
    r = s.get("/legacy/%2Bsimple/x/", user=tok.user)
    t.ok(r.status == 404 and "document" not in r.text, "ErrorDocument %s, GET of another path: 404" % kind, r)
    words = {path: "moved" if status == 404 else "require-failed" for path, _, status, _ in OTHERS}
    words.update({"/gone/": "backend-failed", "/worse/": "backend-failed"})
    got = {path: [line["verdict"] for line in s.httpd.access(1, path=path)] for path in words}
    t.is_(got, {path: [word] for path, word in words.items()}, "a word for each in the access log")
    t.is_(len(backend.given), before, "nobody else was asked")
    t.ok(not s.visible(), "nothing was stored", s.visible())


def elsewhere(t, kind):
    """One server with ErrorDocuments of one kind."""
    with faulty.Backend(faulty.answers("200 OK", b"the document\n")) as backend, \
            faulty.Backend(faulty.babbles()) as worse, site.Site(t) as s:
        s.init("alice")
        s.write("www/document.html", "the document\n")
        s.write("cgi-bin/two-hundred", "#!/bin/sh\ncat >/dev/null\necho 'Status: 200 OK'\necho\necho the document\n", 0o755)
        documents = "\n".join("ErrorDocument %d %s" % (n, DOCUMENTS[kind]) for n in STATUSES)
        more = ELSEWHERE % (documents, backend.url(), backend.url(), worse.url())
        more += 'ScriptAlias "/cgi-bin/" "{root}/cgi-bin/"\n<Directory "{root}/cgi-bin">\nRequire all granted\n</Directory>\n'
        more += location("/small/", "PyPITokenMaxUpload 100K") + location("/limited/", "LimitRequestBody 20000")
        for path in ("/gone/", "/worse/"):
            more += location(path).replace("SetHandler pypi-index", "")
        for path, lines, _, _ in OTHERS:
            more += location(path, *lines).replace("Require valid-user", "" if lines else "Require valid-user")
        s.allow(r"AH01114|AH00957|AH01102|AH00898|AH00941|AH10508|AH01797|AH01630|AH01631|AH01071|client denied by server",
                r"proxy_http:error.*(Error reading|failed to make connection)")
        s.start(more=more + "PyPITokenPasswordUpload Never\n", modules=["authz_host", "proxy", "proxy_http", "access_compat", "cgi"])
        nobody_else(t, s, s.token("alice"), kind, backend)


def main(t):
    site.need(t, "openssl")
    for tls in (False, True):
        with site.Site(t) as s:
            s.init("alice")
            tok = s.token("alice")
            more = BYTES + location("/small/", "PyPITokenMaxUpload 2M", "PyPITokenDrain 100M")
            more += location("/little/", "PyPITokenDrain 300K") + location("/limited/", "LimitRequestBody 20000")
            more += "RequestReadTimeout body=3\n"
            s.start(more=more + "PyPITokenPasswordUpload Never\n", modules=["logio"], tls=tls)
            drained(t, s, tok, tls)
            if not tls:
                for part in (before_the_body, beyond_the_cap, broken_while_drained, slow, short):
                    t.note(part.__name__)
                    part(t, s, tok)
    t.note("stalled")
    stalled(t)
    for kind in DOCUMENTS:
        t.note("ErrorDocument " + kind)
        elsewhere(t, kind)


tap.run(main)
