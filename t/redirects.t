#!/usr/bin/python3
"""redirects.t - requests that become other requests inside httpd: rewriting, DirectoryIndex, MultiViews, Action,
server-side includes, balancers, failing back ends, DAV, and other modules' input filters. Whether a back end
was asked, and with what."""
import hashlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, handlers, httpd, site, tap, wire  # noqa: E402

MODULES = "negotiation actions include dav dav_fs dav_lock proxy_balancer lbmethod_byrequests slotmem_shm " \
          "buffer deflate".split()

# {port}: gunicorn; {dead}: nothing listens there; {streams}: PyPITokenStream and a small memory, or nothing
SERVER = """
RewriteEngine On
# in server context the URL keeps its Location, for the target is no path
RewriteRule "^/rw-proxy/$" "http://127.0.0.1:{port}/rw-proxy/" [P]
# here it loses it: the target is a path without a guard
RewriteRule "^/rw-lost/$" "/unguarded/" [PT]
# here the target is guarded, but it is not what the client asked for
RewriteRule "^/rw-into/$" "/guarded/" [PT]
# look-ahead: sub-requests for conditions
RewriteCond "%{REQUEST_URI}" -U
RewriteCond "%{LA-U:REMOTE_USER}" "!=nobody"
RewriteRule "^/rw-look/$" "http://127.0.0.1:{port}/rw-look/" [P]
ScriptAlias "/unguarded/" "{root}/cgi-bin/record.py/"
ScriptAlias "/record" "{root}/cgi-bin/record.py"
Alias "/rw-dir/" "{root}/www/rw-dir/"
Alias "/rw-dirproxy/" "{root}/www/rw-dirproxy/"
Alias "/index-dir/" "{root}/www/index-dir/"
Alias "/views/" "{root}/www/views/upload"
Alias "/action/" "{root}/www/action/file.up"
Alias "/ssi/" "{root}/www/ssi/page.shtml"
Alias "/page/" "{root}/www/ssi/page.shtml"
Alias "/dav/" "{root}/www/dav/"
Alias "/davopen/" "{root}/www/davopen/"
Action upload-action "/record/action" virtual
ProxyPass "/balanced/" "balancer://pair/"
ProxyPass "/down/" "http://127.0.0.1:{dead}/down/"
ProxyPass "/override/" "http://127.0.0.1:{port}/override/"
ProxyPass "/filters/" "http://127.0.0.1:{port}/filters/"
ProxyPass "/document/" "http://127.0.0.1:{port}/document/"
ScriptAlias "/broken/" "{root}/cgi-bin/broken.sh/"
<Proxy "balancer://pair">
    BalancerMember "http://127.0.0.1:{dead}" loadfactor=100
    BalancerMember "http://127.0.0.1:{port}" loadfactor=1
</Proxy>
<Directory "{root}/www">
    Options +ExecCGI +MultiViews +Includes
    AddHandler cgi-script .cgi
    MultiviewsMatch Handlers
    AddType text/html .shtml
    AddOutputFilter INCLUDES .shtml
    DirectoryIndex record.cgi
    CGIPassAuth On
</Directory>
<Directory "{root}/www/rw-dir">
    RewriteEngine On
    RewriteRule "^" "/record" [L]
</Directory>
<Directory "{root}/www/rw-dirproxy">
    RewriteEngine On
    RewriteRule "^" "http://127.0.0.1:{port}/rw-dirproxy/" [P]
</Directory>
<Location "/action/">
    SetHandler upload-action
</Location>
<Location "/override/">
    ProxyErrorOverride On
</Location>
<Location "/filters/">
    SetInputFilter BUFFER;DEFLATE
    KeptBodySize 1000000
</Location>
DavLockDB "{root}/run/davlock"
<Location "/dav/">
    Dav On
</Location>
<Location "/davopen/">
    Dav On
    Require all granted
    ErrorDocument 400 default
    ErrorDocument 403 default
    ErrorDocument 404 default
    ErrorDocument 502 default
</Location>
ErrorDocument 400 /document/
ErrorDocument 403 /document/
ErrorDocument 404 /document/
ErrorDocument 500 /document/
ErrorDocument 502 /document/
ErrorDocument 503 /document/
"""
GUARDED = "views rw-proxy rw-lost rw-look rw-dir rw-dirproxy index-dir guarded action ssi dav balanced down override " \
          "filters broken".split()


def send(s, servers, path, body, who, agent="x"):
    """The answer, and what back ends wrote down about this very request; one that broke off before may be
    written down late."""
    send.count += 1
    agent = "%d %s" % (send.count, agent)
    r = s.upload(body, who, path=path, agent=agent)
    return r, [g for g in servers.seen() if g["env"].get("HTTP_USER_AGENT") == agent]


send.count = 0


def arrives(t, s, servers, what, path, body, tok, uri=None):
    r, seen = send(s, servers, path, body, tok)
    t.is_(r.status, 200, "%s: an upload gets through" % what, r)
    facts = [(g["length"], g["sha256"], g["env"].get("CONTENT_LENGTH"), g["env"].get("REQUEST_METHOD"), g["error"])
             for g in seen]
    t.is_(facts, [(len(body), hashlib.sha256(body).hexdigest(), str(len(body)), "POST", None)],
          "  the back end gets it once, whole")
    for g in seen:
        text = str(g["env"])
        t.ok(tok.text not in text and "HTTP_AUTHORIZATION" not in g["env"], "  without the token")
        if uri:
            t.is_([g["env"].get(k) for k in ("REMOTE_USER", "PYPITOKEN_PROJECT", "PYPITOKEN_FILE")],
                  ["alice", "demo", "demo-1.0.tar.gz"], "  with who and what")


def refuses(t, s, servers, what, path, body, tok):
    for name, who, data, want in (("no token", None, body, (401,)), ("a mistyped token", tok.mistyped(), body, (403,)),
                                  ("another project's token", tok.only("x"), body, (403,)),
                                  ("a form without its end", tok, body[:-9], (400,)),
                                  ("a form that goes on", tok, body + b"x", (400,))):
        r, seen = send(s, servers, path, data, who)
        t.ok(r.status in want, "%s, %s: %s" % (what, name, want), r)
        # a handler that was streaming to may have begun
        whole = [g for g in seen if g["length"] >= len(body) - 60 or name not in ("a form without its end",
                                                                                 "a form that goes on")]
        t.is_(whole, [], "  the back end is not asked, or never sees the end")


def rewriting(t, s, servers, tok, body):
    for what, path, cgi in (("a proxy by rewriting in the server", "/rw-proxy/", 0),
                            ("rewriting with look-ahead", "/rw-look/", 0),
                            ("rewriting in a directory", "/rw-dir/", 1),
                            ("a proxy by rewriting in a directory", "/rw-dirproxy/", 0),
                            ("DirectoryIndex", "/index-dir/", 1), ("MultiViews", "/views/", 1), ("Action", "/action/", 1),
                            ("a balancer whose first member is down", "/balanced/", 0),
                            ("buffering and inflating input filters", "/filters/", 0)):
        arrives(t, s, servers, what, path, body, tok, cgi)
        refuses(t, s, servers, what, path, body, tok)
    for who in (None, tok, tok.mistyped()):
        r, seen = send(s, servers, "/rw-lost/", body, who)
        t.ok(r.status in (401, 403, 500), "rewritten to a Location without a guard: not a way around it", r)
        t.is_(seen, [], "  the back end is not asked")
    r, seen = send(s, servers, "/rw-into/", body, tok)
    t.is_((r.status, seen), (404, []), "rewritten into a guard: not the path that the client named", r)
    for path in ("/views/x", "/views/.cgi", "/index-dir/record.cgi", "/action/x", "/rw-dir/x"):
        r, seen = send(s, servers, path, body, tok)
        t.ok(r.status >= 300, "POST %s: refused" % path, r)
        t.is_(seen, [], "  the back end is not asked")


def failing(t, s, servers, tok, body):
    """An allowed upload whose handler fails: nobody's 200, and no ErrorDocument gets the rest of it."""
    for what, path, status, agent in (("nobody listens", "/down/", (502, 503), "x"),
                                      ("a script that dies", "/broken/", (500,), "x"),
                                      ("ProxyErrorOverride, 404", "/override/", (404,), "want 404 Not Found"),
                                      ("ProxyErrorOverride, 503", "/override/", (503,), "want 503 Busy"),
                                      ("ProxyErrorOverride, 403", "/override/", (403,), "want 403 No")):
        r, seen = send(s, servers, path, body, tok, agent=agent)
        t.ok(r.status in status, "%s: %s" % (what, status), r)
        t.is_([g["length"] for g in seen], [len(body)] if path == "/override/" else [],
              "  the ErrorDocument's back end is not asked")
        one = dist.sdist("fresh-%s" % "".join(c for c in what if c.isalnum()).lower())
        r, _ = send(s, servers, path, one.form() if len(body) < 10000 else one.form(content=os.urandom(300000)), tok,
                    agent=agent)
        t.ok(r.status in status, "  a first upload likewise", r)


def includes(t, s, servers, tok, body):
    """A page that includes the upload URL asks with GET."""
    servers.forget()
    r = s.get("/page/", user=tok.user)
    t.is_(r.status, 200, "a page that includes guarded URLs", r)
    t.has(r.text, "This is an upload URL", "  shows what GET shows")
    r = s.upload(body, tok, path="/page/")
    t.ok(r.status in (200, 405), "  an upload to that page", r)
    t.is_(servers.seen(), [], "  no back end is asked")
    r = s.upload(body, tok, path="/ssi/")
    t.ok(r.status in (200, 403, 405), "an allowed upload whose handler includes guarded URLs", r)
    t.is_(servers.seen(), [], "  no back end is asked")


def dav(t, s, servers, tok, body):
    def files():
        return sorted(os.path.join(at, n) for at, dirs, names in os.walk(s.path("www")) for n in names + dirs
                      if "dav" in at)
    before = files()
    lock = b'<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' \
           b'<D:locktype><D:write/></D:locktype></D:lockinfo>'
    for method, path, headers, data in (
            ("PUT", "/dav/new", [], b"x"), ("PUT", "/dav/", [], b"x"), ("DELETE", "/dav/there", [], None),
            ("DELETE", "/dav/", [], None), ("MKCOL", "/dav/dir", [], None), ("MKCOL", "/dav/", [], None),
            ("MOVE", "/dav/there", [("Destination", "http://127.0.0.1/davopen/x")], None),
            ("MOVE", "/dav/", [("Destination", "http://127.0.0.1/davopen/x")], None),
            ("COPY", "/dav/there", [("Destination", "http://127.0.0.1/davopen/x")], None),
            ("COPY", "/davopen/mine", [("Destination", "http://127.0.0.1/dav/x")], None),
            ("MOVE", "/davopen/mine", [("Destination", "http://127.0.0.1/dav/x")], None),
            ("COPY", "/davopen/mine", [("Destination", "http://127.0.0.1/dav/")], None),
            ("COPY", "/davopen/mine", [("Destination", "/dav/there"), ("Overwrite", "T")], None),
            ("PROPFIND", "/dav/", [("Depth", "1")], None), ("PROPPATCH", "/dav/", [], b"<x/>"),
            ("LOCK", "/dav/", [], lock), ("LOCK", "/dav/new", [], lock), ("UNLOCK", "/dav/", [("Lock-Token", "<x:y>")], None),
            ("POST", "/dav/", [], body), ("PATCH", "/dav/there", [], b"x"), ("OPTIONS", "/dav/", [], None)):
        for who in (None, tok):
            r = s.get(path, headers, method=method, user=who.user if who else None, body=data)
            t.ok(r.status >= 400, "%s %s with%s a token: refused" % (method, path, "" if who else "out"), r)
    t.is_(files(), before, "  and no file has changed")
    r = s.get("/davopen/made", method="PUT", body=b"x")
    t.is_(r.status, 201, "where it is not guarded DAV works: the refusals are the guard's", r)
    r = s.get("/davopen/made", [("Destination", "http://127.0.0.1:%d/davopen/moved" % s.httpd.port)], method="MOVE")
    t.is_(r.status, 201, "  MOVE too", r)


def files(s):
    s.write("cgi-bin/broken.sh", "#!/bin/sh\ncat > /dev/null\nexit 1\n", 0o755)
    for name in ("www/index-dir/record.cgi", "www/views/upload.cgi"):
        s.write(name, open(s.path("cgi-bin/record.py")).read(), 0o755)
    for name in ("rw-dir/x", "rw-dirproxy/x", "action/file.up", "dav/there", "davopen/mine"):
        s.write("www/" + name, "text")
    s.write("www/ssi/page.shtml", "".join('<!--#include virtual="%s" -->\n' % u for u in ("/guarded/", "/rw-proxy/", "/ssi/")))
    s.give("www/dav", "www/davopen", "www/davopen/mine", "www/dav/there")


def main(t):
    site.need(t, "gunicorn")
    for mpm, streams in (("event", ""), ("event", "PyPITokenStream On\nPyPITokenMemory 16K\n"), ("prefork", "")):
        with site.Site(t) as s:
            t.note("%s, %s" % (mpm, streams.replace("\n", ", ") or "the rule"))
            s.init("alice")
            tok = s.token("alice")
            s.allow(r"AH00957", r"AH01114", r"AH00959", r"End of script output before headers: broken.sh",
                    r"rewritten to /unguarded/", r"Destination URI must be an absolute URI",
                    r"Unknown error -102", r"AH01097", r"BrokenPipeError|Exception ignored in")
            with handlers.Servers(s, ["gunicorn", "cgi"]) as servers:
                files(s)
                text = SERVER + "".join(handlers.GUARD.replace("{url}", "/%s/" % n).replace("{more}", "")
                                        for n in GUARDED) + 'ScriptAlias "/guarded/" "{root}/cgi-bin/record.py/"\n'
                text = text.replace("{port}", str(servers.ports["gunicorn"])).replace("{dead}", str(httpd.free_port()))
                modules = [*handlers.modules(mpm), *MODULES]
                s.start(locations=streams + handlers.SERVER + text, mpm=mpm, modules=modules)
                body = dist.sdist("demo").form(content=os.urandom(300000 if streams else 3000))
                for part in (rewriting, failing, includes, dav):
                    t.note(part.__name__)
                    part(t, s, servers, tok, body)


tap.run(main)
