#!/usr/bin/python3
"""chain.t - our second factor on top of other providers: LDAP, files, aliases, caches, mod_auth_form."""
import base64
import hashlib
import os
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, ldap, pages, people, site, tap, wire  # noqa: E402

MODULES = "ldap authnz_ldap authn_socache socache_shmcb auth_form session session_cookie".split()

CHAIN = """\
LDAPSharedCacheSize 0
LDAPCacheEntries 0
LDAPOpCacheEntries 0
LDAPConnectionTimeout 2
AuthnCacheSOCache "shmcb:{root}/run/authn(65536)"
<AuthnProviderAlias pypitoken strict>
    PyPITokenSecondFactor Required
</AuthnProviderAlias>
<AuthnProviderAlias ldap corp>
    AuthLDAPURL "{ldap}"
</AuthnProviderAlias>
<AuthnProviderAlias file others>
    AuthUserFile "{root}/others"
</AuthnProviderAlias>
<Location "/">
    AuthType Basic
    AuthName "people"
    Require valid-user
    PyPITokenLinger 0
</Location>
<Location "/chain/">
    AuthBasicProvider pypitoken ldap file
    AuthLDAPURL "{ldap}"
    AuthUserFile "{root}/people"
</Location>
<Location "/chain/linger/">
    PyPITokenLinger 600
</Location>
<Location "/chain/required/">
    PyPITokenSecondFactor Required
</Location>
<Location "/chain/off/">
    PyPITokenSecondFactor Off
</Location>
<Location "/mail/">
    AuthBasicProvider pypitoken ldap
    AuthLDAPURL "{mail}"
    AuthLDAPRemoteUserAttribute uid
</Location>
<Location "/alias/">
    AuthBasicProvider strict corp others
</Location>
<Location "/aliases/">
    AuthBasicProvider pypitoken corp others
</Location>
<Location "/cached/">
    AuthBasicProvider pypitoken socache file
    AuthUserFile "{root}/people"
    AuthnCacheProvideFor file
    AuthnCacheTimeout 600
</Location>
<Location "/alone/">
    AuthBasicProvider file
    AuthUserFile "{root}/people"
    PyPITokenSecondFactor IfEnrolled
</Location>
<Location "/untouched/">
    AuthBasicProvider file
    AuthUserFile "{root}/people"
</Location>
<Location "/up/">
    AuthBasicProvider pypitoken ldap
    AuthLDAPURL "{ldap}"
    PyPITokenGuard On
    PyPITokenPasswordUpload Always
    PyPITokenPackages "{root}/packages"
    SetHandler pypi-index
</Location>
<Location "/form/">
    AuthType form
    AuthFormProvider pypitoken ldap file
    AuthLDAPURL "{ldap}"
    AuthUserFile "{root}/people"
    AuthFormSitePassphrase "pass phrase of the site"
    Session On
    SessionCookieName session path=/form/;HttpOnly
    SessionMaxAge 600
</Location>
<Location "/form/login">
    SetHandler form-login-handler
    AuthFormLoginSuccessLocation /form/in
</Location>
<Location "/account/">
    AuthType None
    AuthBasicProvider pypitoken ldap
    AuthLDAPURL "{ldap}"
    SetHandler pypitoken-manage
    Require all granted
</Location>
<Directory "{root}/www/dir">
    AllowOverride AuthConfig
</Directory>
"""

NO_LIMITS = "PyPITokenHashes 16\n" + "".join("PyPITokenThrottle %s Off\n" % name for name in
                                             "account address all code code-address".split())
LDAP_PEOPLE = {"lena": "lena of ldap", "ludo": "ludo of ldap", "lola": "lola of ldap", "twin": "twin of ldap"}
FILE_PEOPLE = {"frida": "frida of file", "fritz": "fritz of file"}


def sha1(people_):
    return "".join("%s:{SHA}%s\n" % (name, base64.b64encode(hashlib.sha1(pw.encode()).digest()).decode())
                   for name, pw in people_.items())


def get(s, path, user, password, **kw):
    s.secrets.add(wire.basic(user, password).split()[1])
    return s.get(path, user=(user, password), **kw)


def status(s, path, user, password, **kw):
    return get(s, path, user, password, **kw).status


def known_elsewhere(t, s, d):
    """People of other providers, with and without an account here."""
    t.is_(status(s, "/chain/", "lena", LDAP_PEOPLE["lena"]), 404, "somebody whom only LDAP knows")
    t.is_(status(s, "/chain/", "frida", FILE_PEOPLE["frida"]), 404, "  only the file")
    t.is_(status(s, "/chain/", "alice", s.password("alice")), 404, "  only we")
    t.is_([line["user"] for line in s.httpd.access(3, path="/chain/", status="404")], ["lena", "frida", "alice"],
          "  and the log says who")
    for name, pw in (("lena", "wrong"), ("frida", "wrong"), ("alice", "wrong"), ("nobody", "wrong"), ("lena", ""),
                     ("frida", LDAP_PEOPLE["lena"])):
        t.is_(status(s, "/chain/", name, pw), 401, "%s with a wrong password" % name)
    t.is_(status(s, "/chain/required/", "lena", LDAP_PEOPLE["lena"]), 401, "Required: nobody without an account here")
    before = len(d.binds())
    for user in (s.tok.user, ("lena", s.tok.text), ("__token__", LDAP_PEOPLE["lena"]), (s.tok.text, "x")):
        t.is_(s.get("/chain/", user=user).status, 403, "a token goes no further")
    t.is_(status(s, "/chain/", "alice", LDAP_PEOPLE["lena"]), 401, "nor does the password of somebody of ours")
    t.is_(len(d.binds()), before, "  LDAP was not asked")


def second_factor(t, s, d):
    """An account here whose password is another provider's."""
    for name, pw, where in (("ludo", LDAP_PEOPLE["ludo"], "LDAP"), ("fritz", FILE_PEOPLE["fritz"], "the file")):
        s.ctl("user", "add", name, "--no-password")
        t.is_(status(s, "/chain/", name, pw), 404, "a password of %s, an account here" % where)
        own = s.own[name] = people.enroll(s, name)
        codes = people.recovery(s, name)
        t.is_(status(s, "/chain/", name, pw), 401, "  with a second factor the password alone does not do")
        code = own.code()
        t.is_(status(s, "/chain/", name, pw + "," + code), 404, "  with its code it does: %s got it without" % where)
        t.is_(status(s, "/chain/", name, pw + "," + code), 401, "  once")
        t.is_(status(s, "/chain/", name, "wrong " + own.code(1)), 401, "  not with a wrong password")
        t.is_(status(s, "/chain/", name, pw + " " + own.code(1)), 404, "  which did not spend the code")
        t.is_(status(s, "/chain/", name, pw + codes[0]), 404, "  a recovery code does too")
        t.is_(status(s, "/chain/off/", name, pw), 404, "Off: as if there were none")
        people.fresh(s)
        t.is_(status(s, "/chain/required/", name, pw + own.code()), 404, "Required: who has one")
        people.fresh(s)
        secret = pw + own.code()
        t.is_([status(s, "/chain/linger/", name, secret) for _ in range(3)], [404] * 3, "a code lingers")
    before = len(d.binds())
    people.fresh(s)
    secret = LDAP_PEOPLE["ludo"] + s.own["ludo"].code()
    t.is_([status(s, "/chain/linger/", "ludo", secret) for _ in range(3)], [404] * 3, "it lingers, but the password")
    t.is_(len(d.binds()), before + 3, "  is asked for each time")


def spellings(t, s):
    """What LDAP takes for ludo gets nobody around ludo's second factor."""
    pw = LDAP_PEOPLE["ludo"]
    for name in ("LUDO", "Ludo", "ludo ", " ludo", "lu\u00addo", "\uff4cudo", "ludo\u00a0", "l\u00fado"):
        t.is_(status(s, "/chain/", name, pw), 401, "not as %a" % name)
        t.is_(status(s, "/chain/off/", "ludo", pw), 404, "  who gets in where no code is asked for")
    people.fresh(s)
    t.is_(status(s, "/chain/", "LUDO", pw + s.own["ludo"].code()), 404, "in any case with the code")
    s.ctl("user", "disable", "ludo")
    for name in ("ludo", "LUDO"):
        people.fresh(s)
        t.is_(status(s, "/chain/off/", name, pw), 401, "disabled here, %s does not get in by LDAP" % name)
        t.is_(status(s, "/chain/", name, pw + s.own["ludo"].code()), 401, "  with a code neither")
    s.ctl("user", "enable", "ludo")
    s.store.write(("INSERT INTO users (id, name, fold, disabled, created) VALUES (?, ?, ?, 0, 0)", ("t1", "twin", "twin")),
                  ("INSERT INTO users (id, name, fold, disabled, created) VALUES (?, ?, ?, 0, 0)", ("t2", "TWIN", "twin")))
    for name in ("twin", "TWIN", "Twin"):
        t.is_(status(s, "/chain/", name, LDAP_PEOPLE["twin"]), 401, "two accounts alike, and neither is %s's" % name)


def other_names(t, s):
    """AuthLDAPRemoteUserAttribute: people type their mail address and are somebody else here."""
    t.is_(status(s, "/mail/", "lena@mail.test", LDAP_PEOPLE["lena"]), 404, "by mail address")
    t.is_(s.httpd.access(1, path="/mail/", status="404")[-1]["user"], "lena", "  under the name that LDAP gives")
    t.is_(status(s, "/mail/", "ludo@mail.test", LDAP_PEOPLE["ludo"]), 401,
          "whoever has a second factor here does not get around it like that")
    people.fresh(s)
    t.is_(status(s, "/mail/", "ludo@mail.test", LDAP_PEOPLE["ludo"] + s.own["ludo"].code()), 401,
          "  and has to use the name that it goes with")
    s.ctl("user", "add", "lola", "--no-password")
    t.is_(status(s, "/mail/", "lola@mail.test", LDAP_PEOPLE["lola"]), 404, "an account here without one")
    s.ctl("user", "disable", "lola")
    t.is_(status(s, "/mail/", "lola@mail.test", LDAP_PEOPLE["lola"]), 401, "  unless it is disabled")
    s.ctl("user", "enable", "lola")


def aliases(t, s):
    for name, pw in (("lena", LDAP_PEOPLE["lena"]), ("otto", "otto of others")):
        t.is_(status(s, "/aliases/", name, pw), 404, "providers by an alias: " + name)
        t.is_(status(s, "/aliases/", name, "wrong"), 401, "  not with a wrong password")
        t.is_(status(s, "/alias/", name, pw), 401, "ours by an alias, which asks everybody for a code")
    people.fresh(s)
    t.is_(status(s, "/alias/", "ludo", LDAP_PEOPLE["ludo"] + s.own["ludo"].code()), 404, "  and who has one gets in")
    t.is_(s.get("/alias/", user=s.tok.user).status, 403, "  but no token")


def caches(t, s):
    pw = FILE_PEOPLE["fritz"]
    people.fresh(s)
    t.is_(status(s, "/cached/", "fritz", pw + s.own["fritz"].code()), 404, "mod_authn_socache behind ours")
    t.is_(status(s, "/cached/", "fritz", pw), 401, "  what it keeps lets nobody in without a code")
    t.is_(status(s, "/cached/", "frida", FILE_PEOPLE["frida"]), 404, "  but others as ever")
    t.is_(status(s, "/cached/", "frida", FILE_PEOPLE["frida"]), 404, "  again")


def elsewhere_only(t, s):
    r = get(s, "/alone/", "frida", FILE_PEOPLE["frida"])
    t.is_(r.status, 500, "PyPITokenSecondFactor where nobody asks for a code lets nobody in", r)
    t.is_(status(s, "/untouched/", "fritz", FILE_PEOPLE["fritz"]), 404, "where ours is not in the list nothing changes")


def htaccess(t, s):
    s.write("www/dir/.htaccess", 'AuthType Basic\nAuthName dir\nAuthBasicProvider pypitoken file\n'
                                 'AuthUserFile "%s/people"\nRequire valid-user\n' % s.root)
    t.is_(status(s, "/dir/", "frida", FILE_PEOPLE["frida"]), 404, ".htaccess: a chain")
    t.is_(status(s, "/dir/", "fritz", FILE_PEOPLE["fritz"]), 401, "  asks for codes")
    people.fresh(s)
    t.is_(status(s, "/dir/", "fritz", FILE_PEOPLE["fritz"] + s.own["fritz"].code()), 404, "  and takes them")
    s.write("www/dir/.htaccess", 'AuthType Basic\nAuthName dir\nAuthBasicProvider file pypitoken\n'
                                 'AuthUserFile "%s/people"\nRequire valid-user\n' % s.root)
    t.is_(status(s, "/dir/", "frida", FILE_PEOPLE["frida"]), 500, "  not one in which ours comes second")


def form(t, s):
    """mod_auth_form, with a session of its own."""
    def login(user, password):
        if len(password) > 6:
            s.secrets.add(urllib.parse.quote_plus(password))
        body = urllib.parse.urlencode({"httpd_username": user, "httpd_password": password}).encode()
        b = pages.Browser(s)
        r = b.request("POST", "/form/login", [pages.FORM], body)
        return r, b
    people.fresh(s)
    for name, pw in (("alice", s.password("alice")), ("lena", LDAP_PEOPLE["lena"]), ("frida", FILE_PEOPLE["frida"]),
                     ("ludo", LDAP_PEOPLE["ludo"] + "," + s.own["ludo"].code())):
        r, b = login(name, pw)
        t.is_((r.status, r.header("Location", "")[-8:]), (302, "/form/in"), "mod_auth_form: %s signs in" % name, r)
        t.is_([b.get("/form/page").status for _ in range(3)], [404] * 3, "  and stays so by a session")
    for name, pw in (("alice", "wrong"), ("ludo", LDAP_PEOPLE["ludo"]), ("nobody", "wrong")):
        r, b = login(name, pw)
        t.is_((r.status, b.get("/form/page").status), (401, 401), "  %s does not" % name, r)
    r, b = login("__token__", s.tok.text)
    t.is_(r.status, 403, "  a token is told what it is for", r)
    r, b = login(s.tok.text, "x")
    t.is_(r.status, 500, "  as a user name it is not even logged", r)


def own_pages(t, s):
    """The pages for people ask the providers of their location."""
    people.fresh(s)
    for name, pw, code in (("ludo", LDAP_PEOPLE["ludo"], s.own["ludo"].code()), ("lola", LDAP_PEOPLE["lola"], ""),
                           ("alice", s.password("alice"), "")):
        b = pages.Browser(s)
        r = b.sign_in(name, pw, code=code)
        t.is_((r.status, b.get("/account/").status), (303, 200), "the pages: %s signs in" % name, r)
    for name, pw, code in (("ludo", LDAP_PEOPLE["ludo"], ""), ("lola", "wrong", ""), ("lena", LDAP_PEOPLE["lena"], "")):
        b = pages.Browser(s)
        r = b.sign_in(name, pw, code=code)
        t.ok(r.status != 303 and "session" not in str(b.cookies), "  %s does not" % name, r)


def uploading(t, s):
    """Uploads with a password of LDAP's."""
    def up(user, password, name):
        s.secrets.add(wire.basic(user, password).split()[1])
        return s.upload(dist.sdist(name), (user, password), path="/up/")
    r = up("lola", LDAP_PEOPLE["lola"], "lolas")
    t.is_(r.status, 200, "an upload by an account here, with a password of LDAP's", r)
    r = up("lena", LDAP_PEOPLE["lena"], "lenas")
    t.is_(r.status, 403, "  not without an account here", r)
    people.fresh(s)
    r = up("ludo", LDAP_PEOPLE["ludo"] + s.own["ludo"].code(), "ludos")
    t.is_(r.status, 200, "  with a code, where there is a second factor", r)
    r = up("ludo", LDAP_PEOPLE["ludo"], "ludos")
    t.is_(r.status, 403, "  not without", r)


def down(t, s, d):
    d.stop()
    for name, pw in (("lena", LDAP_PEOPLE["lena"]), ("nobody", "x")):
        r = get(s, "/chain/", name, pw)
        t.is_((r.status, bool(r.header("Retry-After"))), (503, True), "LDAP is down: 503, and when to try again", r)
    t.is_(status(s, "/chain/", "alice", s.password("alice")), 404, "  people of ours get in all the same")
    d.start()
    t.is_(status(s, "/chain/", "lena", LDAP_PEOPLE["lena"]), 404, "  and when it is back all do")


REFUSED = [
    ("ours second", 'AuthBasicProvider file pypitoken', "pypitoken must be the first provider"),
    ("ours second, on two lines", 'AuthBasicProvider file\nAuthBasicProvider pypitoken', "must be the first provider"),
    ("an alias of ours second", 'AuthBasicProvider file strict', "strict must be the first provider"),
    ("ours second in a form", 'AuthFormProvider file pypitoken', "pypitoken must be the first provider"),
    ("an unknown provider", 'AuthBasicProvider pypitoken nobodys', "Unknown Authn provider: nobodys"),
    ("another word", 'PyPITokenSecondFactor Maybe', "must be Required, IfEnrolled or Off"),
    ("another word for uploads", 'PyPITokenPasswordUpload Sometimes', "must be Never, Without2FA or Always"),
]


def refused_at_start(t):
    with site.Site(t) as s:
        s.init()
        for what, line, sentence in REFUSED:
            alias = "<AuthnProviderAlias pypitoken strict>\nPyPITokenSecondFactor Required\n</AuthnProviderAlias>\n"
            config = site.STORE.replace("{store}", s.store.line()).replace("{root}", s.root)
            h = site.Httpd(s, config + alias + '<Location "/x/">\nAuthType Basic\nAuthName x\n%s\nRequire valid-user\n</Location>\n'
                           % line, modules=MODULES)
            code, said = h.check()
            t.ok(code != 0, "httpd does not start: " + what, said)
            t.has(said, sentence, "  and says why")


def main(t):
    site.need(t, "oathtool")
    if ldap.missing():
        t.skip_all("no " + ldap.missing())
    refused_at_start(t)
    with site.Site(t) as s, ldap.Slapd(s, LDAP_PEOPLE) as d:
        s.init("alice")
        s.own, s.tok = {}, s.token("alice")
        s.write("people", sha1(FILE_PEOPLE))
        s.write("others", sha1({"otto": "otto of others"}))
        s.write("www/dir/x", "")
        s.secrets.update([*LDAP_PEOPLE.values(), *FILE_PEOPLE.values()])
        s.allow(r"AH01617|AH01618", r"AH01618.*not found", r"AH0169[45]|AH01697|auth_ldap authenticate", r"AH01807|AH01808|AH01809",
                r"PyPITokenSecondFactor is set here", r"pypitoken: unable, login-down", r"pypitoken must be the first provider",
                r"AH01276|AH01288|AH01289", r"AH01260|AH01261")
        config = CHAIN.replace("{ldap}", d.url()).replace("{mail}", d.url("mail", ",uid"))
        s.start(locations=config, more=NO_LIMITS, modules=MODULES)
        for part, argv in ((known_elsewhere, (d,)), (second_factor, (d,)), (spellings, ()), (other_names, ()), (aliases, ()),
                           (caches, ()), (elsewhere_only, ()), (htaccess, ()), (form, ()), (own_pages, ()),
                           (uploading, ()), (down, (d,))):
            t.note(part.__name__)
            part(t, s, *argv)


tap.run(main)
