#!/usr/bin/python3
"""clear.t - credentials in clear text (PyPITokenRequireTLS), from addresses that are not loopback: in a network of
its own, whose addresses nobody else has."""
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, httpd, pages, people, poll, site, tap, wire  # noqa: E402

INSIDE = "PYPT_OWN_NETWORK"
AWAY, AWAY6 = "192.0.2.1", "2001:db8::1"
NAMED = ("Host", "localhost")
SENTENCE = "TLS is required. These credentials crossed the network in clear: replace them, then use https."

LOCATIONS = """\
<Location "/page/">
    AuthType Basic
    AuthName "people"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenLinger 0
</Location>
<Location "/open/">
    PyPITokenRequireTLS Off
    AuthType Basic
    AuthName "people"
    AuthBasicProvider pypitoken
    Require valid-user
</Location>
<Location "/legacy/">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
    PyPITokenPasswordUpload Always
    PyPITokenPackages "{root}/packages"
    SetHandler pypi-index
</Location>
<Location "/account/">
    SetHandler pypitoken-manage
    Require all granted
</Location>
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 192.0.2.1 127.0.0.1
"""
TLS = """\
<VirtualHost 192.0.2.1:%d>
    ServerName localhost
    SSLEngine on
    SSLCertificateFile "{root}/tls/cert.pem"
    SSLCertificateKeyFile "{root}/tls/key.pem"
</VirtualHost>
"""


def own_network(t):
    """This script once more, where lo is nobody else's; or all of it is skipped."""
    unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-current-user", "--keep-caps"])
    ip = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if os.environ.get(INSIDE):
        for argv in (["link", "set", "lo", "up"], ["addr", "add", AWAY + "/32", "dev", "lo"],
                     ["addr", "add", AWAY6 + "/128", "dev", "lo", "nodad"]):
            subprocess.run([ip, *argv], check=True)
        return
    if not ip or not shutil.which("unshare"):
        t.skip_all("no ip or unshare")
    if subprocess.run(unshare + ["true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        t.skip_all("this machine gives us no network of our own")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", unshare + [sys.executable, os.path.abspath(__file__)])


def answer(t, r, what):
    t.is_((r.status, r.reason, r.header("WWW-Authenticate")), (403, SENTENCE, None), what + ": 403, in words, no challenge", r)


def get(s, path, user=None, host=AWAY, **kw):
    return wire.once(s.clear[host], kw.pop("method", "GET"), path, [NAMED, *kw.pop("headers", ())], None, user, host=host, **kw)


def recorded(t, s, detail, again):
    """On record; asked for again until it is, for what is alike in one moment becomes one event."""
    def told():
        return {e["detail"] for e in s.events() if e["verdict"] == "tls-required"}
    poll.until(lambda: again() and detail in told())
    t.ok(detail in told(), "it is on record", told())


def uploads(t, s, tok):
    """From elsewhere no credentials are looked at; the same ones are good over TLS and from this machine."""
    package = dist.sdist("demo")

    def up(user, host=AWAY, headers=(), **kw):
        return wire.once(s.clear[host], "POST", "/legacy/", [NAMED, dist.form_type(), *headers], package.form(), user, host=host, **kw)
    for what, user in (("a token", tok.user), ("a password", ("alice", s.password("alice"))), ("a mistyped token", tok.mistyped().user),
                       ("a wrong password", ("alice", "wrong")), ("nobody's", ("nobody", "x"))):
        for host in (AWAY, AWAY6):
            answer(t, up(user, host), "an upload with %s from %s" % (what, host))
    for claim in (("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "https"), ("Forwarded", "proto=https;for=127.0.0.1")):
        answer(t, up(tok.user, headers=[claim]), "whoever claims %s: %s" % claim)
    t.is_(s.stored(), [], "nothing is stored")
    t.is_(s.ctl_json("token", "list")[0]["used"], None, "the token was not used")
    t.is_(up(None).status, 401, "who sends none is asked for them")
    r = up(("alice", s.password("alice")), "127.0.0.1")
    t.is_(r.status, 200, "from this machine a password is taken", r)
    t.is_(up(tok.user, "::1").status, 200, "  and a token, by IPv6 too")
    r = wire.once(s.tls, "POST", "/legacy/", [dist.form_type()], package.form(), tok.user, host=AWAY, cafile=s.certificate())
    t.is_(r.status, 200, "from elsewhere over TLS", r)
    poll.until(lambda: [e for e in s.events() if (e["kind"], e["verdict"]) == ("upload-refused", "tls-required")])
    t.ok([e for e in s.events() if (e["kind"], e["verdict"]) == ("upload-refused", "tls-required")], "it is on record")


def basic(t, s, own):
    pw = s.password("alice")
    for host in (AWAY, AWAY6):
        for what, user in (("the right password", ("alice", pw)), ("a wrong one", ("alice", "wrong")), ("nobody's", ("nobody", "x")),
                           ("a password and its code", ("olga", s.password("olga") + own.code()))):
            answer(t, get(s, "/page/", user, host), "a page with %s from %s" % (what, host))
    for _ in range(12):
        get(s, "/page/", ("alice", "wrong"))
    t.is_(get(s, "/page/", ("alice", pw), "127.0.0.1").status, 404, "no failure was counted: nothing was looked at")
    t.is_(get(s, "/page/", ("olga", s.password("olga") + own.code()), "127.0.0.1").status, 404, "  and no code was spent")
    t.is_(get(s, "/open/", ("alice", pw)).status, 404, "PyPITokenRequireTLS Off takes them")
    recorded(t, s, "basic: credentials in clear text", lambda: get(s, "/page/", ("alice", "wrong")))


def behind_a_proxy(t, s):
    """A proxy on this machine is believed when it says that its client spoke http, and nobody that it did not."""
    alice = ("alice", s.password("alice"))
    away = ("X-Forwarded-For", "203.0.113.9")
    t.is_(get(s, "/page/", alice, "127.0.0.1", headers=[away]).status, 404, "a proxy here that says nothing of TLS")
    t.is_(get(s, "/page/", alice, "127.0.0.1", headers=[away, ("X-Forwarded-Proto", "https")]).status, 404, "  one that says https")
    answer(t, get(s, "/page/", alice, "127.0.0.1", headers=[away, ("X-Forwarded-Proto", "http")]), "  one that says http")
    answer(t, get(s, "/page/", alice, headers=[("X-Forwarded-For", "127.0.0.1")]), "a proxy elsewhere that calls itself 127.0.0.1")


def own_pages(t, s):
    pw = s.password("alice")

    def burnt(r, what):
        t.is_((r.status, SENTENCE in r.text, r.header("WWW-Authenticate")), (403, True, None), what + ": 403, in words", r)
    r = get(s, "/account/")
    t.is_((r.status, "https://" in r.text, "replace" in r.text), (403, True, False), "the pages: by https, and nobody needs a new password yet", r)
    burnt(get(s, "/account/basic", ("alice", pw)), "  a password that came in clear text")
    fields = "user=alice&password=%s&code=" % pw
    burnt(wire.once(s.clear[AWAY], "POST", "/account/sign-in", [pages.FORM], fields.encode(), host=AWAY), "  in the form as well")
    for what, path, user in (("a token", "tokens/current", s.token("alice").user), ("a password", "tokens", ("alice", pw))):
        method, good = ("DELETE", 204) if path.endswith("current") else ("GET", 200)
        r = get(s, "/account/api/1/" + path, user, method=method)
        t.is_((r.status, r.json()["code"], r.header("WWW-Authenticate")), (403, "tls-required", None), "  the API with %s: 403, in JSON" % what, r)
        t.has(r.text, SENTENCE, "    in words")
        t.is_(get(s, "/account/api/1/" + path, user, "127.0.0.1", method=method).status, good, "    from this machine it answers")
    recorded(t, s, "api: credentials in clear text", lambda: get(s, "/account/api/1/tokens", ("alice", pw)))
    b = pages.Browser(s, s.clear["127.0.0.1"])
    t.is_(b.sign_in("alice", pw).status, 303, "  from this machine one signs in")
    cookie = "; ".join("%s=%s" % pair for pair in b.cookies.items())
    t.is_(get(s, "/account/", host="127.0.0.1", headers=[("Cookie", cookie)]).status, 200, "    and is known")
    burnt(get(s, "/account/", headers=[("Cookie", cookie)]), "  a session that came in clear text")
    recorded(t, s, "pages: credentials in clear text", lambda: get(s, "/account/basic", ("alice", pw)))


def main(t):
    site.need(t, "openssl", "oathtool")
    own_network(t)
    with site.Site(t) as s:
        s.init("alice", "olga")
        own, tok = people.enroll(s, "olga"), s.token("alice")
        s.clear = {host: httpd.free_port(host) for host in (AWAY, AWAY6, "127.0.0.1", "::1")}
        s.tls = httpd.free_port(AWAY)
        s.certificate()
        more = "".join("Listen %s:%d\n" % ("[%s]" % h if ":" in h else h, port) for h, port in [*s.clear.items(), (AWAY, s.tls)])
        s.allow(r"AH01617|AH01618")
        s.start(locations=LOCATIONS + TLS % s.tls, more="PyPITokenFlush 1\n" + more, modules=["remoteip"], tls=True)
        for part, argv in ((uploads, (tok,)), (basic, (own,)), (behind_a_proxy, ()), (own_pages, ())):
            t.note(part.__name__)
            part(t, s, *argv)


tap.run(main)
