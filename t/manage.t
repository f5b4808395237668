#!/usr/bin/python3
"""manage.t - the pages for people, request by request: signing in and out, cookies, forged forms, tokens."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import httpd, pages, poll, site, tap, wire  # noqa: E402

PAGES = pages.at("/account/", "PyPITokenAdmins alice") + pages.at("/slashless") + pages.at("/variable/", "SetEnvIf Request_URI . HTTPS=on") + pages.at("/deep/er/") + pages.at("/brief/", "PyPITokenSession 1") + """\
AddHandler pypitoken-manage .twisted
<Location "/env">
    SetHandler cgi-script
    Options +ExecCGI
    Require all granted
</Location>
"""

MORE = PAGES + """\
PyPITokenFlush 1
PyPITokenThrottle address Off
PyPITokenThrottle account Off
PyPITokenThrottle code Off
PyPITokenThrottle code-address Off
"""

POLICY = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def routes(t, s):
    b = pages.Browser(s)
    r = b.get("/account/")
    t.is_((r.status, r.header("Location")), (303, "./sign-in"), "nobody is signed in: off to the form")
    r = b.get("/account/sign-in")
    t.is_(r.status, 200, "the form")
    for name, value in POLICY.items():
        t.is_(r.header(name), value, "  " + name)
    policy = dict(p.strip().split(" ", 1) for p in r.header("Content-Security-Policy").split(";"))
    t.is_(policy, {"default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "form-action": "'self'",
                   "base-uri": "'none'", "frame-ancestors": "'none'"}, "  a policy without scripts, frames, or others")
    t.unlike(r.text, r"(?i)<script|style=|\son\w+=|https?://", "  no script, no inline style, nothing from elsewhere")
    t.is_(b.get("/deep/er/sign-in").status, 200, "another mount point")
    r = b.get("/slashless")
    t.is_((r.status, r.header("Location")), (303, "slashless/"), "one without its slash leads to the one with it")
    t.is_(b.get("/slashless/sign-in").status, 200, "  where the form is")
    s.allow("the handler pypitoken-manage is set by other means")
    t.is_(b.get("/page.twisted").status, 500, "the handler by AddHandler, which knows no mount point: 500")
    t.unlike(b.get("/deep/er/sign-in").text, 'href="/|action="/', "  every link is relative")
    r = b.get("/account/style.css")
    t.is_((r.status, r.header("Content-Type")), (200, "text/css; charset=utf-8"), "the style sheet")
    for path in ("nope", "sign-in/", "sign-in/x", "../account/nope", "%73ign-out/", "style.css/x"):
        t.is_(b.get("/account/" + path).status, 404, path + ": 404")
    t.is_(b.get("/account/%73ign-in").status, 200, "an escaped letter is the letter")
    for method, path, allow in (("GET", "sign-out", {"POST"}), ("POST", "", {"GET", "HEAD"}), ("POST", "basic", {"GET", "HEAD"}), ("BREW", "", {"GET", "HEAD"}),
                                ("PUT", "sign-in", {"GET", "HEAD", "POST"}), ("OPTIONS", "sign-out", {"POST"}), ("POST", "style.css", {"GET", "HEAD"})):
        r = b.request(method, "/account/" + path)
        t.is_(r.status, 405, "%s on %s: 405" % (method, path or "the first page"))
        t.is_(set((r.header("Allow") or "").replace(" ", "").split(",")) - {"TRACE"}, allow, "  with the methods that it has", r.header("Allow"))
    t.is_(b.request("HEAD", "/account/sign-in").status, 200, "HEAD as GET")


def signing_in(t, s):
    b = pages.Browser(s)
    r = b.sign_in("alice", s.password("alice"))
    t.is_((r.status, r.header("Location")), (303, "./"), "user name and password: in")
    set_cookies = [v for k, v in r.headers if k.lower() == "set-cookie"]
    t.is_(sorted(v.split("=")[0] for v in set_cookies), ["pypitoken-device", "pypitoken-form", "pypitoken-session"],
          "  cookies for the session and for this browser; that of the form goes")
    for v in set_cookies:
        t.like(v, "; Path=/; HttpOnly; SameSite=Strict", "  " + v.split("=")[0] + ": HttpOnly, SameSite=Strict")
    r = b.get("/account/")
    t.is_(r.status, 200, "the first page")
    t.has(r.text, "<strong>alice</strong>", "  says who is signed in")
    t.has(r.text, "with your password", "  and how")
    t.is_(b.get("/account/basic").status, 401, "a session is not Basic")
    t.is_(b.get("/account/", headers=[("Accept", "text/html")]).status, 200, "again")
    old = dict(b.cookies)
    r = b.post("/account/sign-out", "/account/")
    t.is_((r.status, r.header("Location")), (303, "./signed-out"), "signed out")
    t.has(s.get("/account/signed-out").text, "You are signed out", "  it says so")
    t.ok("pypitoken-session" not in b.cookies, "  the cookie goes")
    t.ok("pypitoken-device" in b.cookies, "  that of the browser stays")
    t.is_(b.get("/account/").status, 303, "  and nobody is signed in")
    b.cookies = old
    t.is_(b.get("/account/").status, 303, "  a copy of the cookie is no good any more")


def refused(t, s):
    b, seen = pages.Browser(s), set()
    for user, password, what in (("alice", "wrong", "a wrong password"), ("nobody", "wrong", "an unknown user"),
                                 ("alice", "", "no password"), ("", s.password("alice"), "no user"),
                                 ("\"><script>alert(1)</script>", "x", "a script for a name")):
        r = b.sign_in(user, password)
        t.is_(r.status, 403, what + ": refused")
        t.has(r.text, '<a href="#password">Wrong user name, password or code', "  and told so, as all are")
        t.has(r.text, 'id="password-wrong">Wrong user name, password or code', "  beside the fields, too")
        t.is_(re.findall(r'<input id="(\w+)"[^>]* aria-invalid="true" aria-describedby="password-wrong">', r.text), ["user", "password", "code"],
              "  all of which refer to it")
        seen.add(re.sub(r' value="[^"]*"| autofocus', "", r.text))
        t.ok("pypitoken-session" not in b.cookies, "  no session")
        t.unlike(r.text, "<script", "  what was typed is shown escaped")
    t.is_(len(seen), 1, "the page is the same whatever was wrong, but for the name that was typed")
    t.has(b.sign_in("al&ice", "x").text, 'value="al&amp;ice"', "the name need not be typed again")
    for user, password in (("__token__", "pypi-abc"), ("alice", s.token("alice").text)):
        r = b.sign_in(user, password)
        t.is_(r.status, 403, "a token in the form: refused")
        t.has(r.text, "API tokens are valid for uploads only", "  and told why")
    for who in (("__token__", s.token("alice").text), ("alice", "pypi-AgEI")):
        t.is_(b.get("/account/", user=who).status, 401, "a token by Basic: refused")

    def noted():
        return sum(e["times"] for e in s.events() if e["verdict"] == "token-uploads-only")
    poll.until(lambda: noted() >= 4)
    t.is_(noted(), 4, "each of them is written down", s.events())


def forged(t, s):
    """What other pages can make a browser send."""
    fields = {"user": "alice", "password": s.password("alice"), "code": ""}
    form = pages.Browser(s)
    cases = (
        ("no token", "", {}, True), ("another form's token", "x" * 32, {}, True), ("no cookie", None, {}, False),
        ("another site, by Sec-Fetch-Site", None, {"Sec-Fetch-Site": "cross-site"}, True),
        ("a site beside us", None, {"Sec-Fetch-Site": "same-site"}, True),
        ("another site, by Origin", None, {"Origin": "https://evil.example"}, True),
        ("no origin at all", None, {"Origin": "null"}, True),
    )
    for what, csrf, headers, cookies in cases:
        form.get("/account/sign-in")
        csrf = form.field("csrf") if csrf is None else csrf
        r = form.send("/account/sign-in", dict(fields, csrf=csrf), headers=list(headers.items()), cookies=cookies)
        t.is_(r.status, 403, what + ": not signed in")
        t.ok("pypitoken-session" not in form.cookies, "  no session")
    form.get("/account/sign-in")
    csrf = form.field("csrf")
    r = form.send("/account/sign-in", dict(fields, csrf=csrf), headers=[("Sec-Fetch-Site", "same-origin")])
    t.is_(r.status, 303, "the same form as it should be: signed in")
    t.is_(form.send("/account/sign-out", {}).status, 403, "signing out without the token: refused")
    t.is_(form.send("/account/sign-out", {"csrf": csrf}).status, 403, "  nor with that of the sign-in form")
    t.is_(form.get("/account/").status, 200, "  still signed in")
    other = pages.Browser(s)
    other.get("/account/sign-in")
    r = form.send("/account/sign-in", dict(fields, csrf=other.field("csrf")))
    t.is_(r.status, 403, "the form of another browser is none of ours")
    for origin, host in (("http://127.0.0.1", "127.0.0.1"), ("https://pypi.example:8443", "pypi.example:8443")):
        b = pages.Browser(s)
        b.get("/account/sign-in")
        r = b.send("/account/sign-in", dict(fields, csrf=b.field("csrf")), headers=[("Origin", origin), ("Host", host)])
        t.is_(r.status, 303, "an old browser at %s: signed in" % origin)
    b = pages.Browser(s)
    b.get("/account/sign-in")
    r = b.send("/account/sign-in", dict(fields, csrf=b.field("csrf")),
               headers=[("Origin", "https://outside.example"), ("X-Forwarded-Host", "outside.example")])
    t.is_(r.status, 303, "behind a proxy that rewrites the name: signed in")


def bodies(t, s):
    b = pages.Browser(s)
    b.get("/account/sign-in")
    kind = [("Content-Type", "application/x-www-form-urlencoded")]
    for what, headers, body, status in (
            ("no type", [], b"a=1", 400), ("JSON", [("Content-Type", "application/json")], b"{}", 400),
            ("a prefix of the type", [("Content-Type", "application/x-www-form-urlencodedx")], b"a=1", 400),
            ("a NUL", kind, b"user=a%00b", 400), ("half an escape", kind, b"user=%4", 400),
            ("a field twice", kind, b"user=a&user=b", 400), ("no UTF-8", kind, b"user=%FF", 400),
            ("too much", kind, b"a=" + b"x" * 70000, 400), ("nothing", kind, b"", 403)):
        r = b.request("POST", "/account/sign-in", headers, body)
        t.is_(r.status, status, "%s: %d" % (what, status))


def basic(t, s):
    b = pages.Browser(s)
    r = b.get("/account/basic")
    t.is_(r.status, 401, "Basic instead of the form: a challenge")
    t.is_(r.header("WWW-Authenticate"), 'Basic realm="index.test", charset="UTF-8"', "  for this service")
    me = ("alice", s.password("alice"))
    r = b.get("/account/basic", user=me)
    t.is_((r.status, r.header("Location")), (303, "./"), "then on to the first page")
    r = b.get("/account/", user=me)
    t.is_(r.status, 200, "  which is there")
    t.has(r.text, "own dialog", "  and says how one is signed in")
    t.is_(r.header("Set-Cookie"), None, "  no cookie is set")
    r = b.send("/account/sign-out", {"csrf": b.field("csrf")}, user=me)
    t.is_((r.status, bool(r.header("WWW-Authenticate"))), (401, True), "signing out makes the browser forget")
    t.is_(b.send("/account/sign-out", {}, user=me).status, 403, "  not from elsewhere")
    for who in (("alice", "wrong"), ("nobody", "x"), ("__token__", s.token("alice").text), ("alice", "pypi-AgEI")):
        r = b.get("/account/", user=who)
        t.is_((r.status, bool(r.header("WWW-Authenticate"))), (401, True), "%s with something else: 401" % who[0])
    for header in ("Bearer " + s.token("alice").text, "token " + s.token("alice").text, "Digest x", "Basic", "Basic !"):
        t.is_(b.get("/account/", headers=[("Authorization", header)]).status, 401, "%s...: 401" % header[:8])


def sessions(t, s):
    """What ends a session, and what never was one."""
    b = pages.Browser(s)
    b.sign_in("alice", s.password("alice"), "/brief/")
    t.ok(poll.until(lambda: b.get("/brief/").status == 303, 5), "a session ends by itself")
    b.sign_in("alice", s.password("alice"))
    good = b.cookies["pypitoken-session"]
    for what, value in (("changed", good[:-1] + ("A" if good[-1] != "A" else "B")), ("cut", good[:-4]), ("empty", ""),
                        ("that of the browser", b.cookies["pypitoken-device"])):
        b.cookies["pypitoken-session"] = value
        t.is_(b.get("/account/").status, 303, "a session that is %s: none" % what)
    b.cookies = {"pypitoken-session": "x; pypitoken-session=" + good}
    t.is_(b.get("/account/").status, 200, "one that somebody planted before it does no harm")
    b.cookies = {"__Host-pypitoken-session": good}
    t.is_(b.get("/account/").status, 303, "the name that TLS has is not read without it")
    b.cookies = {"pypitoken-session": good}
    s.ctl("user", "disable", "alice")
    t.is_(b.get("/account/").status, 303, "disabled: signed out at once")
    s.ctl("user", "enable", "alice")
    t.is_(b.get("/account/").status, 200, "enabled again")
    s.ctl("user", "logout", "alice")
    t.is_(b.get("/account/").status, 303, "pypitokenctl user logout: signed out")
    b.sign_in("alice", s.password("alice"))
    t.is_(b.get("/account/").status, 200, "signed in again")
    s.ctl("user", "passwd", "alice", text=s.password("alice") + "\n")
    t.is_(b.get("/account/").status, 303, "a new password, were it the same: signed out")


def others(t, s):
    """Cookies for the whole host, and the back ends on it."""
    b = pages.Browser(s)
    b.sign_in("alice", s.password("alice"))
    b.cookies.update({"mine": "1", "__Host-pypitoken-session": "x", "last": "2"})
    t.is_(b.get("/env").text.strip(), "mine=1; last=2", "another handler gets its own cookies, not ours")
    b.cookies = {"pypitoken-session": "x"}
    t.is_(b.get("/env").text.strip(), "", "  and no header when there were no others")


def old(t, s):
    """Half an hour after the sign-in the password is asked for again, before what cannot be taken back."""
    preload = next((p for p in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
                                "/usr/lib64/faketime/libfaketime.so.1") if os.path.exists(p)), None)
    if not preload or s.under or os.environ.get("PYPT_STORE", "sqlite") != "sqlite":
        t.skip("a sign-in of a while ago", "no libfaketime here")
        return
    b = pages.Browser(s)
    b.sign_in("alice", s.password("alice"))
    tokens = [s.token("alice"), s.token("alice", "aged")]
    s.ctl("user", "add", "bob", text=s.password("bob") + "\n")
    s.httpd.stop()
    s.start(more=MORE, modules=["cgi"], mpm="prefork", env={"LD_PRELOAD": preload, "FAKETIME": "+31m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
    b.port = s.httpd.port
    where = "/account/tokens/" + tokens[0].id
    t.has(b.get(where).text, "You signed in a while ago", "a sign-in of 31 minutes ago: asked for the password again")
    for fields in ({}, {"password": ""}, {"password": "wrong"}):
        r = b.post(where, where, **fields)
        t.ok(r.status == 403 and "That was not your password" in r.text, "  without it: not revoked", r.status)
        t.like(r.text, r'<input id="password"[^>]* aria-describedby="password-wrong"><span class="wrong" id="password-wrong">That was not', "  told beside the field")
    r = b.post("/account/projects/aged", "/account/projects/aged", user="bob", role="owner")
    t.ok(r.status == 403 and "That was not your password" in r.text, "  nor is a role given", r.status)
    t.ok(r.text.count('id="password-wrong"') == 1 and 'id="user-wrong"' not in r.text, "  told beside the password, not the name", r.text)
    for path, fields in (("users/bob", {"act": "disable"}), ("tokens/" + tokens[0].id, {}), ("tokens", {"what": tokens[0].text, "act": "revoke"})):
        for wrong in ({}, {"password": "wrong"}):
            r = b.post("/account/admin/" + path, "/account/admin/" + path, **fields, **wrong)
            t.ok(r.status == 403 and "That was not your password" in r.text, "  nor does an administrator do it: " + path.split("/")[0], r.status)
    t.ok(not s.ctl_json("user", "list")[-1]["disabled"], "  the account is as it was")
    t.ok(not any(row["revoked"] for row in s.ctl_json("token", "list", "--user", "alice") if row["id"] == tokens[0].id), "  the token is as it was")
    t.is_([r["user"] for r in s.ctl_json("role", "list", "aged")], ["alice"], "  and so are the roles")
    t.is_(b.post(where, where, password=s.password("alice")).status, 303, "  with it: revoked")
    t.is_(b.post("/account/projects/aged", "/account/projects/aged", user="bob", role="owner", password=s.password("alice")).status, 303, "  and the role is given")
    fresh = pages.Browser(s)
    fresh.sign_in("alice", s.password("alice"))
    where = "/account/tokens/" + tokens[1].id
    t.unlike(fresh.get(where).text, "You signed in a while ago", "a new sign-in is not asked")
    t.is_(fresh.post(where, where).status, 303, "  and revokes")


def tls(t, s):
    cert = s.certificate()
    b = pages.Browser(s, port=s.httpd.tls_port, cafile=cert)
    r = b.sign_in("alice", s.password("alice"))
    t.is_(r.status, 303, "over TLS: signed in")
    for v in [v for k, v in r.headers if k.lower() == "set-cookie"]:
        t.like(v, "^__Host-.*; Path=/; HttpOnly; SameSite=Strict; Secure", "  %s: __Host- and Secure" % v.split("=")[0])
    t.is_(b.get("/account/").status, 200, "  and it holds")
    b.more = [("Host", "localhost:%d" % s.httpd.tls_port)]
    text = b.post("/mine/tokens/new", "/mine/tokens/new", name="n", scope="all", life="7d").text
    t.like(text, r"TWINE_REPOSITORY_URL=https://localhost:%d/legacy/\s" % s.httpd.tls_port, "  a virtual host without a guard of its own tells the upload URL that it has from the server")
    for token in re.findall(r"pypi-[\w-]{60,}", text):
        s.secret(token)
    b.more = []
    b.cookies = {k.replace("__Host-", ""): v for k, v in b.cookies.items()}
    t.is_(b.get("/account/").status, 303, "  under a name that clear text could set it does not")
    b = pages.Browser(s)
    b.more = [("X-Forwarded-Proto", "https")]
    r = b.sign_in("alice", s.password("alice"))
    t.like(r.header("Set-Cookie"), "^__Host-.*Secure", "with TLS at a proxy before us likewise")
    t.like(pages.Browser(s).get("/variable/sign-in").header("Set-Cookie"), "^__Host-.*Secure", "  and where the variable HTTPS says so")


def main(t):
    site.need(t, "openssl")
    with site.Site(t) as s:
        s.init("alice")
        s.write("www/page.twisted", "")
        s.write("www/env", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s\\n' \"$HTTP_COOKIE\"\n", 0o755)
        # the virtual host for TLS has something of its own: what it does not, it has from the server
        httpd.TLS = httpd.TLS.replace("</Virt", '<Location "/mine/">\nSetHandler pypitoken-manage\nRequire all granted\n</Location>\n</Virt')
        s.start(more=MORE, modules=["cgi"], tls=True)
        for part in (routes, signing_in, refused, forged, bodies, basic, sessions, others, tls, old):
            t.note(part.__name__)
            part(t, s)


tap.run(main)
