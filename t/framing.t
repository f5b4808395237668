#!/usr/bin/python3
"""framing.t - request lines, headers and framings that somebody might read in another way than we do, before a
back end that gets paths as they came (nocanon): for each whether the back end was asked, and with what."""
import hashlib
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, h2wire, handlers, site, tap, wire  # noqa: E402

BODY = dist.sdist("demo").form()
TYPE = "Content-Type: " + dist.form_type()[1]
LENGTH = "Content-Length: %d" % len(BODY)
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = wire.chunked(BODY, 100)


def ask(s, line, headers, body=b"", closes=False):
    """One hand-written request: (status, response); status 0 when the server just closed."""
    with wire.Conn(s.httpd.port) as c:
        c.send(("\r\n".join([line, *headers]) + "\r\n\r\n").encode("latin-1") + body)
        if closes:
            c.sock.shutdown(1)
        try:
            r = c.response(line.split(" ")[0])
            return r.status, r
        except wire.Closed:
            return 0, c.interim


def check(t, s, servers, what, line, headers, body, statuses, asked=False, **kw):
    """asked: the back end gets exactly this one, whole, and as a plain upload to the plain path."""
    status, r = ask(s, line, headers, body, **kw)
    seen = servers.seen()
    servers.forget()
    t.ok(status in statuses, "%s: %s" % (what, " or ".join(map(str, statuses))), "got %s %r" % (status, r))
    if not asked:
        t.is_(seen, [], "  the back end is not asked")
        return
    facts = [(g["length"], g["sha256"], g["env"].get("CONTENT_LENGTH"), g["env"].get("CONTENT_TYPE"),
              g["env"].get("HTTP_TRANSFER_ENCODING"), g["env"].get("REQUEST_METHOD"), g["env"].get("QUERY_STRING"),
              g["env"].get("RAW_URI") or g["env"].get("REQUEST_URI")) for g in seen]
    t.is_(facts, [(len(BODY), hashlib.sha256(BODY).hexdigest(), str(len(BODY)), dist.form_type()[1], None, "POST",
                   "", asked)], "  the back end gets the upload, whole and plain")


ALIASES = """
{u} {U} /{n}// //{n}/ ///{n}/ /./{n}/ /{n}/. /{n}/./ /x/../{n}/ /{n}/../{n}/ /{n}/x/.. /{n}/x/../ /%{c}{r}/
/{n}%2f /{n}%2F /{n}/%2f /{n}/%2e /{n}/%2e/ /{n}/%2e%2e/{n}/ /{n}/;x /{n};x/ /{n};/ /{n}/; /{n}/..;/{n}/
/{n}/? /{n}/?name=other /{n}/?? /{n}/?:action=remove_pkg /{n}/%3Fname=other /{n}/%23 /{n}/#x /{n}%20/ /{n}./ /{n}%00/
/{n}/%00 /{n}/%0a /{n}/%0d%0aX: /{n}\\ /{n}/\\ /{n}%5c /%2f{n}/ /%2e/{n}/ /x/%2e%2e/{n}/ /x%2f..%2f{n}/ /%25{c}{r}/
/{n}/%252e /{n}/x /{n}/simple/ /{n}/%2Bsimple/demo/ /{n}/index.html * {n}/ http:/{n}/ http://127.0.0.1/{n}
http://127.0.0.1/{n}/x http://127.0.0.1//{n}/ http://127.0.0.1/%{c}{r}/ http://127.0.0.1/{n}/?x
""".split()


def aliases(t, s, servers, name, tok):
    auth = "Authorization: " + wire.basic(*tok.user)
    fill = {"n": name, "u": "/" + name, "U": "/" + name.upper() + "/", "c": "%02x" % ord(name[0]), "r": name[1:]}
    for alias in ALIASES:
        alias = alias.format(**fill)
        check(t, s, servers, "POST " + alias, "POST %s HTTP/1.1" % alias, ["Host: x", auth, TYPE, LENGTH], BODY,
              (400, 403, 404, 405))
    for target in ("/%s/" % name, "http://x/%s/" % name, "HTTP://other.example/%s/" % name):
        check(t, s, servers, "POST " + target, "POST %s HTTP/1.1" % target, ["Host: x", auth, TYPE, LENGTH], BODY,
              (200,), "/%s/" % name)


def methods(t, s, servers, name, tok):
    auth = "Authorization: " + wire.basic(*tok.user)
    url = "/%s/" % name
    for method in ("PUT PATCH DELETE OPTIONS TRACE CONNECT PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH "
                   "PURGE PUSH FOO post Post POST2 XPOST").split():
        # httpd itself answers what it takes for another protocol or no method at all
        check(t, s, servers, method, "%s %s HTTP/1.1" % (method, url),
              ["Host: x", auth, TYPE, LENGTH, "Destination: http://x%sother" % url], BODY, (400, 403, 405, 501))
    for method in ("GET", "HEAD"):
        check(t, s, servers, method + " with a body", "%s %s HTTP/1.1" % (method, url), ["Host: x", auth, TYPE, LENGTH],
              BODY, (200,))
    check(t, s, servers, "HTTP/0.9", "GET " + url, [], b"", (0, 200, 400))
    check(t, s, servers, "POST over HTTP/0.9", "POST " + url, [], BODY, (0, 400, 405))


def headers(t, s, servers, name, tok):
    auth = "Authorization: " + wire.basic(*tok.user)
    other = "Authorization: " + wire.basic("__token__", "pypi-other")
    url = "/%s/" % name
    post = "POST %s HTTP/1.1" % url
    base = ["Host: x", auth, TYPE, LENGTH]
    evil = TYPE[:-1] + "X"

    def refused(what, lines, statuses=(400,), line=post, body=BODY):
        check(t, s, servers, what, line, lines, body, statuses)

    def taken(what, lines, line=post, body=BODY, asked=url):
        check(t, s, servers, what, line, lines, body, (200,), asked)

    taken("as it should be", base)
    taken("HTTP/1.0", base, "POST %s HTTP/1.0" % url)
    refused("two Content-Type", base + [evil], (400, 415))
    refused("  in the other order", ["Host: x", auth, evil, TYPE, LENGTH], (400, 415))
    refused("  the same twice", base + [TYPE], (400, 415))
    taken("Content-Type folded", ["Host: x", auth, TYPE.replace("; ", ";\r\n\t"), LENGTH])
    refused("Content-Type with a blank before the colon", ["Host: x", auth, TYPE.replace(":", " :", 1), LENGTH])
    refused("Content_Type beside it", base + ["Content_Type: text/evil"])
    refused("Content-Type with an 8-bit byte", ["Host: x", auth, TYPE + "\xe9", LENGTH])
    refused("Content-Type with a NUL", ["Host: x", auth, TYPE + "\0", LENGTH])
    refused("no Content-Type", ["Host: x", auth, LENGTH], (415,))
    refused("two Authorization, the good one first", base + [other], (403,))
    refused("  the good one last", ["Host: x", other, auth, TYPE, LENGTH], (403,))
    refused("  the good one twice", base + [auth], (403,))
    refused("Authorization in a trailer only", ["Host: x", TYPE, CHUNKED], (401,),
            body=CHUNKS[:-2] + auth.encode() + b"\r\n\r\n")
    for value in ("gzip", "identity", "br", "deflate", "x", ""):
        refused("Content-Encoding: " + value, base + ["Content-Encoding: " + value], (400, 415))
    for value in ("close, content-type", "content-type", "authorization", "X-Remote-User", "keep-alive, host",
                  "content-length", "transfer-encoding", "close;x", "\"close\""):
        refused("Connection: " + value, base + ["Connection: " + value])
    for header in ("X-HTTP-Method-Override: DELETE", "X-HTTP-Method: PUT", "X-Method-Override: PUT",
                   "X-Original-URL: /other", "X-Rewrite-URL: /other", "X-Original-Method: GET"):
        refused(header, base + [header])
    refused("Expect: something else", base + ["Expect: 200-maybe"], (417,))
    taken("an offer to go on in HTTP/2", base + ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
                                                 "HTTP2-Settings: AAMAAABkAAQAAP__"])
    taken("an offer to go on in something else", base + ["Connection: Upgrade", "Upgrade: websocket"])
    check(t, s, servers, "  where mod_proxy would go along with it", "POST /up/ HTTP/1.1",
          base + ["Connection: Upgrade", "Upgrade: websocket"], BODY, (200,), "/up/")
    taken("leading CRLF", base, "\r\n" + post)
    refused("no Host", base[1:])
    refused("two Host", base + ["Host: y"])
    refused("a header line without a colon", base + ["nonsense"])
    refused("a bare CR in a header", base + ["X: a\rContent-Length: 5"])
    refused("a hundred and one headers", base + ["X-%d: 1" % i for i in range(101)])
    refused("a header too long for httpd", base + ["X: " + "x" * 9000])


def lengths(t, s, servers, name, tok):
    auth = "Authorization: " + wire.basic(*tok.user)
    url = "/%s/" % name
    post = "POST %s HTTP/1.1" % url
    base = ["Host: x", auth, TYPE]

    def refused(what, lines, body=BODY, statuses=(400,), **kw):
        check(t, s, servers, what, post, base + lines, body, statuses, **kw)

    def taken(what, lines, body=BODY):
        check(t, s, servers, what, post, base + lines, body, (200,), url)

    for value in ("+%d", "-%d", "0x%x", "%d,%d", "%d, %d", "%d %d", "%d;", "99999999999999999999%d", "1e3", "", "x%d"):
        value = value % ((len(BODY),) * value.count("%"))
        refused("Content-Length: " + value, ["Content-Length: " + value], statuses=(400, 413))
    refused("Content-Length twice, different", [LENGTH, "Content-Length: 5"])
    refused("  the other way round", ["Content-Length: 5", LENGTH])
    refused("Content-Length twice, the same", [LENGTH, LENGTH])
    taken("Content-Length with zeros before it", ["Content-Length: 000%d" % len(BODY)])
    refused("Content-Length of one more", ["Content-Length: %d" % (len(BODY) + 1)], statuses=(0, 400), closes=True)
    refused("Content-Length of one less", ["Content-Length: %d" % (len(BODY) - 1)], statuses=(400,))
    refused("neither length nor chunks", [], statuses=(411,))
    refused("Content-Length: 0", ["Content-Length: 0"], b"")
    taken("chunked", [CHUNKED], CHUNKS)
    taken("chunked and Content-Length: chunks count", [CHUNKED, "Content-Length: 5"], CHUNKS)
    taken("  the other way round", ["Content-Length: %d" % (len(BODY) - 9), CHUNKED], CHUNKS)
    for value in ("identity", "xchunked", "\x0bchunked", "gzip, chunked", "chunked, chunked", "chunked, identity",
                  "chunked;q=1", "\"chunked\"", "chunked,", ",chunked", "deflate", ""):
        refused("Transfer-Encoding: %r" % value, ["Transfer-Encoding: " + value], CHUNKS, (400, 411, 501))
    refused("two Transfer-Encoding", [CHUNKED, CHUNKED], CHUNKS)
    refused("Transfer-Encoding and Content-Length of something else", ["Transfer-Encoding: gzip", LENGTH], BODY,
            (400, 501))
    old = "POST %s HTTP/1.0" % url
    for what, more in (("chunks in HTTP/1.0", []), ("  and a length", [LENGTH]), ("  and a connection that is to stay", ["Connection: keep-alive"])):
        check(t, s, servers, what, old, base + more + [CHUNKED], CHUNKS, (400,))
    with wire.Conn(s.httpd.port) as c:
        one = "\r\n".join([old, *base, "Connection: keep-alive", CHUNKED]).encode() + b"\r\n\r\n" + CHUNKS
        c.send(2 * one)
        r = c.response()
        t.ok(r.status == 400 and c.closed(), "  whatever stands behind those chunks is not read as a request", r)
    taken("chunk extensions", [CHUNKED], CHUNKS.replace(b"64\r\n", b'64;name="other"\r\n', 1))
    taken("blanks behind a chunk size", [CHUNKED], CHUNKS.replace(b"64\r\n", b"64  \r\n", 1))
    taken("zeros before a chunk size", [CHUNKED], CHUNKS.replace(b"64\r\n", b"0064\r\n", 1))
    for what, chunks in (("chunk size with LF only", CHUNKS.replace(b"64\r\n", b"64\n", 1)),
                         ("chunk size 0x64", CHUNKS.replace(b"64\r\n", b"0x64\r\n", 1)),
                         ("negative chunk size", CHUNKS.replace(b"64\r\n", b"-64\r\n", 1)),
                         ("chunk size that overflows", CHUNKS.replace(b"64\r\n", b"ffffffffffffffff1\r\n", 1)),
                         ("chunk size too small", CHUNKS.replace(b"64\r\n", b"63\r\n", 1)),
                         ("chunk size that is none", CHUNKS.replace(b"64\r\n", b"xyz\r\n", 1))):
        refused(what, [CHUNKED], chunks, (400, 413))
    refused("no last chunk", [CHUNKED], CHUNKS[:-5], (0, 400), closes=True)
    for trailer in (b"Content-Type: text/evil", b"X-Remote-User: mallory", b"X_Remote_User: mallory", b"Content-Length: 5",
                    b"Authorization: Basic eDp5", b"X-HTTP-Method-Override: DELETE", b"Connection: content-type"):
        taken("a trailer " + trailer.decode(), [CHUNKED], CHUNKS[:-2] + trailer + b"\r\n\r\n")


def expect(t, s, servers, name, tok):
    url = "/%s/" % name
    for what, who, status in (("no", None, 401), ("a mistyped", tok.mistyped(), 403), ("another project's", tok.only("x"), 403)):
        lines = ["Host: x", TYPE, LENGTH, "Expect: 100-continue"]
        lines += ["Authorization: " + wire.basic(*who.user)] if who else []
        with wire.Conn(s.httpd.port) as c:
            c.send(("POST %s HTTP/1.1\r\n" % url + "\r\n".join(lines) + "\r\n\r\n").encode())
            if what == "another project's":
                # whose file it is stands in the body
                c._until(b"100 Continue\r\n")
                c._until(b"\r\n")
                c.send(BODY)
            r = c.response()
            t.is_((r.status, c.interim), (status, []), "Expect: 100-continue with %s token: %d, no 100" % (what, status), r)
        t.is_(servers.seen(), [], "  the back end is not asked")
    with wire.Conn(s.httpd.port) as c:
        lines = ["Host: x", TYPE, LENGTH, "Expect: 100-continue", "Authorization: " + wire.basic(*tok.user)]
        c.send(("POST %s HTTP/1.1\r\n" % url + "\r\n".join(lines) + "\r\n\r\n").encode())
        t.ok(c._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100"), "with a good one: 100 Continue")
        c.send(BODY)
        t.is_(c.response().status, 200, "  and then 200")
    seen = servers.seen()
    servers.forget()
    t.is_([(g["length"], g["env"].get("HTTP_EXPECT")) for g in seen], [(len(BODY), None)],
          "  the back end gets it once, and no Expect")


def mixed(t, s, servers, name, tok):
    """Tokens on one connection do not rub off on each other."""
    url, bad, none = "/%s/" % name, tok.only("other"), None
    order = [tok, bad, none, tok, bad.mistyped(), tok, none, bad, tok]
    want = [{tok: 200, bad: 403, none: 401}.get(who, 403) for who in order]
    head = [dist.form_type()]
    with wire.Conn(s.httpd.port) as c:
        c.send(b"".join(wire.request("POST", url, head + [("User-Agent", "p%d" % i)], BODY, who.user if who else None)
                        for i, who in enumerate(order)))
        got = [c.response().status for _ in order]
    t.is_(got, want, "nine pipelined uploads: each its own verdict")
    agents = sorted(g["env"]["HTTP_USER_AGENT"] for g in servers.seen())
    t.is_(agents, ["p%d" % i for i in range(9) if want[i] == 200], "  and only the good ones arrive")
    servers.forget()
    for cafile in (None, s.certificate()):
        with h2wire.Conn2(s.httpd.tls_port if cafile else s.httpd.port, cafile=cafile) as c:
            numbers = [c.start("POST", url, head + [("User-Agent", "h%d" % i)], BODY, who.user if who else None)
                       for i, who in enumerate(order)]
            got = [r.status for r in c.finish(*numbers)]
        t.is_(got, want, "nine at the same time on one %s connection: each its own verdict" % ("h2" if cafile else "h2c"))
        agents = sorted(g["env"]["HTTP_USER_AGENT"] for g in servers.seen())
        t.is_(agents, ["h%d" % i for i in range(9) if want[i] == 200], "  and only the good ones arrive")
        servers.forget()


def http2(t, s, servers, name, tok):
    """Pseudo-headers, trailers and aliases as HTTP/2 has them."""
    url, head = "/%s/" % name, [dist.form_type()]
    port, cafile = s.httpd.tls_port, s.certificate()
    for alias in ("/%s", "//%s/", "/%s/.", "/%s/?x", "/%s/%%2e", "/%s/;x", "/./%s/", "/%s%%2f"):
        r = h2wire.once(port, "POST", alias % name, head, BODY, tok.user, cafile=cafile)
        t.ok(r.status in (400, 403, 404, 405), "h2, path %s: refused" % alias, r)
    for method in ("PUT", "DELETE", "FOO", "post", "TRACE"):
        r = h2wire.once(port, method, url, head, BODY, tok.user, cafile=cafile)
        t.ok(r.status in (400, 403, 405, 501), "h2, method %s: refused" % method, r)
    for more in ([dist.form_type()], [("authorization", "Basic eDp5")], [("content-encoding", "gzip")], [("x_y", "1")]):
        r = h2wire.once(port, "POST", url, head + more, BODY, tok.user, cafile=cafile)
        t.ok(r.status in (400, 403, 415), "h2, header %s: refused" % more, r)
    t.is_(servers.seen(), [], "  of all this the back end saw nothing")
    for trailer in (("x-remote-user", "mallory"), ("content-type", "text/evil")):
        r = h2wire.once(port, "POST", url, head, BODY, tok.user, cafile=cafile, length=False, trailers=[trailer])
        t.is_(r.status, 200, "h2, trailer %s: taken" % trailer[0], r)
        got = servers.seen()
        servers.forget()
        t.is_([(g["length"], g["env"].get("CONTENT_TYPE"), g["env"].get("HTTP_X_REMOTE_USER")) for g in got],
              [(len(BODY), dist.form_type()[1], None)], "  and not passed on")


def programs(t, s, servers, name, tok):
    """Other people's HTTP/2: curl in clear, with an upgrade and over TLS; nghttp."""
    s.write("body", "")
    with open(s.path("body"), "wb") as f:
        f.write(BODY)
    clear, tls = "http://127.0.0.1:%d/%s/" % (s.httpd.port, name), "https://localhost:%d/%s/" % (s.httpd.tls_port, name)
    curl = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", s.certificate(), "-H", TYPE,
            "-u", "%s:%s" % tok.user, "--data-binary", "@" + s.path("body")]
    nghttp = ["nghttp", "-nv", "-d", s.path("body"), "-H", TYPE, "-H", "Authorization: " + wire.basic(*tok.user)]
    for argv in ([*curl, "--http2-prior-knowledge", clear], [*curl, "--http2", clear], [*curl, "--http2", tls],
                 [*curl, "--http2", "-H", CHUNKED, tls], [*nghttp, clear], [*nghttp, tls]):
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=60, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
        seen = servers.seen()
        servers.forget()
        t.ok(re.search(r"^200$|:status: 200", done.stdout, re.M), "%s to %s: 200" % (argv[0], argv[-1].split(":")[0]),
             done.stdout[-2000:])
        t.is_([(g["length"], g["sha256"], g["env"].get("HTTP_UPGRADE")) for g in seen],
              [(len(BODY), hashlib.sha256(BODY).hexdigest(), None)], "  the back end gets it whole")


def beside(t, s, servers, name, tok, merge):
    """The upload URL without its slash, which <Location "/x/"> does not cover, but the ProxyPass, ScriptAlias or
    WSGIScriptAlias of "/x" does: no way in beside the guard."""
    auth, url = "Authorization: " + wire.basic(*tok.user), "/beside-%s" % name
    aliases = [url, "/x/.." + url, url.replace("e", "%65", 1)]
    aliases += ["/" + url, "/" + url + "/", "//" + url + "/x", "/" + url + "//"]
    aliases += [url + "?x=1", url + ";x", url + "%3Bx", url + "%20", "/." + url, url + "/."]
    for who in ([auth], []):
        for alias in aliases:
            for method in ("POST", "PUT", "DELETE", "FOO") if alias == url else ("POST",):
                check(t, s, servers, "%s %s, MergeSlashes %s, %s" % (method, alias, merge, "a token" if who else "no token"),
                      "%s %s HTTP/1.1" % (method, alias), ["Host: x", *who, TYPE, LENGTH], BODY, (404,))
    line = s.httpd.access(1, method="DELETE", path=url)[0]
    t.is_(line["verdict"], "not-found", "  and it stands in the log")
    check(t, s, servers, "the upload URL itself", "POST %s/ HTTP/1.1" % url, ["Host: x", auth, TYPE, LENGTH], BODY, (200,), url + "/")
    status, r = ask(s, "GET %s HTTP/1.1" % url, ["Host: x"])
    t.is_((status, len(servers.seen())), (200, 1), "  who only looks may look beside it", r)
    servers.forget()


def open_door(t):
    names = ["gunicorn", "wsgi", "cgi"]
    for merge in ("On", "Off"):
        with site.Site(t) as s:
            s.init("alice")
            tok = s.token("alice")
            with handlers.Servers(s, names) as servers:
                locations = handlers.SERVER + "MergeSlashes %s\n" % merge
                for name, line in (("gunicorn", 'ProxyPass "{url}" "http://127.0.0.1:%d{url}"' % servers.ports["gunicorn"]),
                                   ("wsgi", 'WSGIScriptAlias "{url}" "{root}/app/recorder.py"'),
                                   ("cgi", 'ScriptAlias "{url}" "{root}/cgi-bin/record.py"')):
                    url = "/beside-" + name
                    locations += line.replace("{url}", url) + "\n" + handlers.GUARD.replace("{url}", url + "/").replace("{more}", "CGIPassAuth On")
                s.start(locations=locations, modules=handlers.MODULES)
                for name in names:
                    beside(t, s, servers, name, tok, merge)


def main(t):
    site.need(t, "openssl", "gunicorn", "curl", "nghttp")
    open_door(t)
    for merge in ("Off", "On"):
        with site.Site(t) as s:
            t.note("MergeTrailers " + merge)
            s.init("alice")
            tok = s.token("alice")
            s.allow(r"AH01136", r"AH01630")
            names = ["gunicorn", "wsgi", "cgi"]
            with handlers.Servers(s, names) as servers:
                slashes = "AllowEncodedSlashes %s\n" % ("NoDecode" if merge == "Off" else "On")
                locations = "MergeTrailers %s\n" % merge + handlers.SERVER + slashes + \
                    '<Location "/">\n    Require method GET HEAD OPTIONS\n</Location>\n'
                locations += "".join(servers.location(n, "/%s/" % n, "CGIPassAuth On") for n in names)
                port = servers.ports["gunicorn"]
                locations += handlers.GUARD.replace("{url}", "/up/").replace("{more}", "")
                locations += 'ProxyPass "/up/" "http://127.0.0.1:%d/up/" upgrade=ANY\n' % port
                # the whole of a back end, with the paths as they came
                locations += 'ProxyPass "/" "http://127.0.0.1:%d/" nocanon\n' % port
                s.start(locations=locations, modules=[*handlers.MODULES, "authz_host"], tls=True)
                for name in names if merge == "Off" else ["gunicorn"]:
                    t.note(name)
                    for part in (aliases, methods, headers, lengths, expect, mixed, http2, programs) if merge == "Off" else \
                            (aliases, lengths, http2):
                        part(t, s, servers, name, tok)


tap.run(main)
