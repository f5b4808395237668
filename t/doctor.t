#!/usr/bin/python3
"""doctor.t - the mistakes that pypitokenctl doctor finds in httpd's configuration: each is found where it is,
alone, with the line to write instead; none is found in conf/examples, nor in a configuration that is right."""
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, examples, site, tap  # noqa: E402

BASE = """\
LoadModule pypitoken_module modules/mod_pypitoken.so
Listen 443
DocumentRoot /var/www/html
<VirtualHost *:443>
    ServerName pypi.example.org
    SSLEngine on
    PyPITokenStore sqlite:/var/lib/pypitoken/store.db
    PyPITokenKeyring @ROOT@/keyring
    LimitRequestFieldSize 32760
    RequestHeader unset X-Remote-User
    <Location "/">
        Require method GET HEAD
    </Location>
    <Location "/legacy/">
        AuthType Basic
        AuthName "uploads"
        AuthBasicProvider pypitoken
        Require valid-user
        PyPITokenGuard On
        RequestHeader set X-Remote-User "expr=%{REMOTE_USER}"
    </Location>
    ProxyPass "/legacy/" "http://127.0.0.1:3141/root/prod/"
    ProxyPass "/" "http://127.0.0.1:3141/"
</VirtualHost>
"""

WAY = '    ProxyPass "/legacy/" "http://127.0.0.1:3141/root/prod/"\n'
REST = '    ProxyPass "/" "http://127.0.0.1:3141/"\n'
PROXIES = WAY + REST
CLOSED = '    <Location "/">\n        Require method GET HEAD\n    </Location>\n'
GUARD = "        PyPITokenGuard On\n"
WSGI = '    WSGIScriptAlias /legacy/ /srv/pypi/app.wsgi\n'
LEAF = "        Require valid-user\n"
SHORTER = '    WSGIScriptAlias /leg /srv/pypi/app.wsgi\n    WSGIScriptAlias /legacy/ /srv/pypi/app.wsgi\n'
SLASHLESS = '    WSGIScriptAlias /legacy /srv/pypi/app.wsgi\n'

HOST = "<VirtualHost *:443>\n"
METHODS = "Require method GET HEAD"

OLD = """\
    RewriteRule "^/old/(.*)" "http://127.0.0.1:3141/$1" [P,L]
    <Location "/old/">
        Require all granted
    </Location>
"""


def put(old, new):
    return lambda text: text.replace(old, new, 1) if old in text else 1 / 0


def end(new):
    return lambda text: text + new


def both(*edits):
    def edit(text):
        for one in edits:
            text = one(text)
        return text
    return edit


def inside(line):
    """One more line in the guarded Location."""
    return put(GUARD, GUARD + "        " + line + "\n")


def server(line):
    """One more in the virtual host."""
    return put("    SSLEngine on\n", "    SSLEngine on\n    " + line + "\n")


def section(name, *lines):
    return "\n".join(["<%s>" % name, *lines, "</%s>" % name.split()[0], ""])


def main_server(text):
    """What stands in the virtual host stands in no virtual host, and there is no TLS."""
    return both(put(HOST, ""), put("</VirtualHost>\n", ""), put("    SSLEngine on\n", ""))(text)


# word, what is wrong, the edit that makes it so, what the line to write begins with
CASES = [
    ("no-guard", "no guard at all", put(GUARD, ""), "PyPITokenGuard On"),
    ("guard-unserved", "the guard is not where the back end is", put(PROXIES, '    ProxyPass "/pypi/" "http://127.0.0.1:3141/"\n'),
     '<Location "/pypi/">'),
    ("second-path", "the rest of the back end is open", put(CLOSED, ""), '<Location "/">'),
    ("second-path", "it is open for some", put("Require method GET HEAD", "Require ip 10.0.0.0/8"), '<Location "/">'),
    ("second-path", "one of two Requires is enough", put("Require method GET HEAD", "Require method GET\n        Require ip 10.0.0.0/8"),
     '<Location "/">'),
    ("second-path", "a Require for a method that writes", put(METHODS, "Require method GET POST"), '<Location "/">'),
    ("second-path", "a RequireAll that lets some write", put(METHODS, section("RequireAll", "Require all granted", "Require ip 10.0.0.0/8")),
     '<Location "/">'),
    ("second-path", "a RequireAny that lets some write", put(METHODS, section("RequireAny", METHODS, "Require ip 10.0.0.0/8")), '<Location "/">'),
    ("second-path", "a pattern opens all of it again", put(CLOSED, CLOSED + section('LocationMatch "^/"', "Require all granted")), '<Location "/">'),
    ("second-path", "what closes it is a directory's", put(CLOSED, section('Directory "/"', METHODS)), '<Location "/">'),
    ("second-path", "the closed rest is opened again", put(WAY, WAY + '    <Location "/api/">\n        Require all granted\n    </Location>\n'),
     '<Location "/api/">'),
    ("second-path", "another virtual host", end('<VirtualHost *:443>\n    ServerName other\n    ProxyPass "/x/" "http://127.0.0.1:3141/"\n</VirtualHost>\n'),
     '<Location "/x/">'),
    ("second-path", "a rewriting to the same", put(PROXIES, PROXIES + OLD), '<Location "/old/">'),
    ("second-path", "an alias of mod_wsgi for more than the guard", both(put(PROXIES, SHORTER), put(CLOSED, "")), '<Location "/leg">'),
    ("encoded-slashes", "encoded slashes", server("AllowEncodedSlashes NoDecode"), "AllowEncodedSlashes Off"),
    ("nocanon", "nocanon", put('root/prod/"\n', 'root/prod/" nocanon\n'), "the same line"),
    ("merge-slashes", "slashes are not merged", server("MergeSlashes Off"), "MergeSlashes On"),
    ("dav", "WebDAV over the guard", put("Require method GET HEAD", "Require method GET HEAD\n        Dav On"), "Dav Off"),
    ("dav", "WebDAV below the guard", put(CLOSED, CLOSED + section('Location "/legacy/dav/"', "Dav On")), "Dav Off"),
    ("dav", "WebDAV over the packages", both(inside("PyPITokenPackages /srv/packages"),
                                            end("<Directory /srv>\n    Dav On\n</Directory>\n")), "Dav Off"),
    ("forward-proxy", "a forward proxy", end("ProxyRequests On\n"), "ProxyRequests Off"),
    ("forward-proxy", "a forward proxy, where each kind of condition holds",
     end("Define X\n<IfDefine X>\n<IfFile @ROOT@/keyring>\n<IfFile keyring>\n<IfFile !nothing>\n<IfModule mod_so.c>\n<IfModule http_module>\n"
         "<IfModule !mod_nothing.c>\nProxyRequests On\n" + "</IfModule>\n" * 3 + "</IfFile>\n" * 3 + "</IfDefine>\n"), "ProxyRequests Off"),
    ("no-auth", "no Require", put(LEAF, ""), "Require valid-user"),
    ("no-auth", "open to all", put(LEAF, "        Require all granted\n"), "Require valid-user"),
    ("no-auth", "no provider", put("        AuthBasicProvider pypitoken\n", ""), "AuthBasicProvider pypitoken"),
    ("no-auth", "no AuthType", put("        AuthType Basic\n", ""), "AuthType Basic"),
    ("satisfy-any", "Satisfy Any", inside("Satisfy Any"), "Satisfy All"),
    ("satisfy-any", "Satisfy Any further out", server("Satisfy Any"), "Satisfy All"),
    ("limit-section", "Require for one method", put(LEAF, LEAF + "        <Limit POST>\n        Require ip 10.0.0.0/8\n        </Limit>\n"),
     "these lines"),
    ("identity-header", "anybody may send it elsewhere", put("    RequestHeader unset X-Remote-User\n", ""),
     "RequestHeader unset X-Remote-User"),
    ("identity-early", "too early", put('"expr=%{REMOTE_USER}"', '"%{REMOTE_USER}e" early'), "the same line"),
    ("wsgi-authorization", "passwords for the application", both(put(PROXIES, WSGI), server("WSGIPassAuthorization On")),
     "WSGIPassAuthorization Off"),
    ("wsgi-authorization", "none, but it needs them", both(put(PROXIES, WSGI), inside("PyPITokenBackendAuth Service @ROOT@/back")),
     "WSGIPassAuthorization On"),
    ("backend-keep", "tokens travel on", inside("PyPITokenBackendAuth Keep"), "PyPITokenBackendAuth None"),
    ("remoteip", "anybody's address is believed", server("RemoteIPHeader X-Forwarded-For"), "RemoteIPInternalProxy"),
    ("secret-mode", "a keyring that others read", put("@ROOT@/keyring", "@ROOT@/loose"), "chmod 600"),
    ("secret-mode", "a password that others read", inside("PyPITokenBackendAuth Service @ROOT@/loose"), "chmod 600"),
    ("secret-served", "a keyring in DocumentRoot",
     put("@ROOT@/keyring", "/var/www/html/private/keyring"), "PyPITokenKeyring"),
    ("no-tls", "no TLS", put("    SSLEngine on\n", ""), "SSLEngine on"),
    ("no-tls", "no TLS, and no virtual host", main_server, "SSLEngine on"),
    ("tls-off", "TLS is not asked for", inside("PyPITokenRequireTLS Off"), "PyPITokenRequireTLS On"),
    ("backend-clear", "credentials in clear", put(PROXIES, PROXIES.replace("127.0.0.1", "devpi.example.org")), "https://"),
    ("backend-clear", "a certificate nobody looks at", put(PROXIES, PROXIES.replace("http://127.0.0.1", "https://devpi.example.org")),
     "SSLProxyVerify require"),
    ("unsafe-protocol", "two readings of a request", end("HttpProtocolOptions Unsafe\n"), "HttpProtocolOptions Strict"),
    ("field-size", "no room for long tokens", put("FieldSize 32760", "FieldSize 4000"), "LimitRequestFieldSize 32760"),
    ("body-limit", "httpd's limit is lower", server("LimitRequestBody 10485760"), "LimitRequestBody 1073741824"),
    ("body-limit", "httpd's default is lower", inside("PyPITokenMaxUpload 2G"), "LimitRequestBody 2147483648"),
    ("body-limit", "the same in megabytes", inside("PyPITokenMaxUpload 2048M"), "LimitRequestBody 2147483648"),
    ("body-limit", "the same in kilobytes", inside("PyPITokenMaxUpload 2097152k"), "LimitRequestBody 2147483648"),
    ("modsecurity-limit", "mod_security2's limit", end("SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 13107200\n"
                                                      "SecRequestBodyNoFilesLimit 4194304\n"), "SecRequestBodyLimit 1073741824"),
    ("modsecurity-limit", "mod_security2's other limit", end("SecRuleEngine On\nSecRequestBodyAccess On\nSecRequestBodyLimit 1073741824\n"
                                                            "SecRequestBodyNoFilesLimit 131072\n"), "SecRequestBodyNoFilesLimit"),
    ("read-timeout", "no time for large uploads", end("RequestReadTimeout header=20 body=30\n"), "RequestReadTimeout body=20,MinRate=500"),
    ("read-timeout", "an end however fast", end("RequestReadTimeout body=20-60,MinRate=500\n"), "RequestReadTimeout body=20,MinRate=500"),
    ("private-tmp", "a spool in /tmp", inside("PyPITokenSpoolDir /tmp/spool"), "PyPITokenSpoolDir /var/spool/pypitoken"),
    ("private-tmp", "a store in /tmp", put("sqlite:/var/lib/pypitoken", "sqlite:/tmp"), "PyPITokenStore sqlite:/var/lib/pypitoken/store.db"),
    ("private-tmp", "packages in /var/tmp", inside("PyPITokenPackages /var/tmp/packages"), "PyPITokenPackages /var/lib/pypitoken/packages"),
    ("stream-handler", "streaming to a CGI script", both(put(PROXIES, '    ScriptAlias /legacy/ /srv/cgi/upload/\n'),
                                                       inside("PyPITokenStream On")), "PyPITokenStream Off"),
    ("stream-handler", "streaming to mod_wsgi", both(put(PROXIES, WSGI), inside("PyPITokenStream On")), "PyPITokenStream Off"),
    ("input-filter", "a filter on bodies", server("SetInputFilter DEFLATE"), "SetInputFilter NONE"),
]

# What is right and looks like a mistake.
RIGHT = [
    ("as it is", lambda text: text),
    ("with LimitExcept", put("Require method GET HEAD", "<LimitExcept GET HEAD>\n        Require all denied\n        </LimitExcept>")),
    ("with RequireAll", put("Require method GET HEAD", "<RequireAll>\n        Require method GET HEAD\n        Require ip 10.0.0.0/8\n        </RequireAll>")),
    ("with OPTIONS, which writes nothing", put(METHODS, METHODS + " OPTIONS")),
    ("with RequireAny, each of which closes", put(METHODS, section("RequireAny", METHODS, "Require all denied"))),
    ("with a pattern for a path", put(CLOSED, section('LocationMatch "^/.*"', METHODS))),
    ("with a pattern by its other name", put(CLOSED, section('Location ~ "^/.*"', METHODS))),
    ("with a pattern in letters of either size", both(put(REST, REST.replace('"/"', '"/Old/"')),
                                                      put(CLOSED, section('LocationMatch "(?i)^/old/"', METHODS)))),
    ("with WebDAV over other files", both(inside("PyPITokenPackages /srv/packages"), end(section("Directory /srv/dav", "Dav On")))),
    ("with an open page that another back end serves", put(WAY, WAY + '    ProxyPass "/wiki/" "http://127.0.0.1:8000/"\n'
                                                          '    <Location "/wiki/">\n        Require all granted\n    </Location>\n')),
    ("with an open section that a later one closes", put(CLOSED, OLD + CLOSED)),
    ("with [PT] to somewhere", server('RewriteRule "^/old/(.*)" "/new/$1" [PT,L]')),
    ("with mod_wsgi's alias without its slash", both(put(PROXIES, SLASHLESS), put(CLOSED, ""))),
    ("with mod_wsgi's alias closed", both(put(PROXIES, SLASHLESS), put(CLOSED, CLOSED + '    <Location "/legacy">\n'
                                          "        Require all denied\n    </Location>\n"))),
    ("with a condition that does not hold", end("<IfModule mod_nothing.c>\nProxyRequests On\n</IfModule>\n<IfDefine X>\nMergeSlashes Off\n</IfDefine>\n")),
    ("with conditions of each kind that do not hold",
     end("Define X\nUnDefine X\n" + "".join(section(what, "ProxyRequests On") for what in (
         "IfDefine X", "IfFile @ROOT@/nothing", "IfFile nothing", "IfFile !keyring", "IfModule !mod_so.c", "IfModule !http_module",
         "IfModule !pypitoken_module", "IfModule mod_nothing.c")))),
    ("in a comment", end("# ProxyRequests On\n")),
    ("on loopback without TLS", both(put("    SSLEngine on\n", ""), put("VirtualHost *:443", "VirtualHost 127.0.0.1:8080"))),
    ("on loopback without TLS, and no virtual host", both(main_server, put("Listen 443", "Listen 127.0.0.1:8080"))),
    ("with an alias for files", server('Alias "/mirror/" "/srv/mirror/"')),
    ("to another machine, verified", both(put(PROXIES, PROXIES.replace("http://127.0.0.1", "https://devpi.example.org")),
                                         server("SSLProxyVerify require"))),
    ("with a mod_security2 that only detects", end("SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecRequestBodyLimit 13107200\n")),
    ("with Debian's own mod_reqtimeout", end("RequestReadTimeout header=20-40,minrate=500\nRequestReadTimeout body=10,minrate=500\n")),
    ("with a slow client's due", end("RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500\n")),
]

# The checks of store, keyring and clock, and remarks on what is the same in both settings.
OURS = {"service", "keyring", "store", "schema", "tokens", "clock", "httpd"}


def doctor(s, path, conf_only=True):
    done = s.ctl_run("--json", "doctor", "--httpd-conf", path)
    rows = json.loads(done.stdout)
    found = [r for r in rows if r["state"] != "ok" and not (conf_only and r["check"] in OURS)]
    return done.returncode, found, rows


def mistakes(t, s):
    for word, what, edit, line in CASES:
        text = edit(BASE).replace("@ROOT@", s.root)
        path = s.write("wrong.conf", text)
        code, found, _ = doctor(s, path)
        if not t.is_({r["check"] for r in found}, {word}, "%s: %s" % (word, what), found):
            continue
        t.ok(all(re.search(r"^/\S+:\d+: .* Write: ", r["finding"]) for r in found) and
             any((" Write: " + line) in r["finding"] for r in found), "  where, and what to write", found)
        failed = any(r["state"] == "failed" for r in found)
        t.is_(code, 1 if failed else 0, "  and the exit code", found)


def right(t, s):
    for what, edit in RIGHT:
        _, found, rows = doctor(s, s.write("right.conf", edit(BASE).replace("@ROOT@", s.root)))
        t.is_(found, [], "right: " + what, rows)
    t.has([r["finding"] for r in rows], "none of the known mistakes is in it", "  and it says so")


def shipped(t, s):
    for name in examples.names():
        e = examples.Example(name)
        text = "LoadModule pypitoken_module x\n" + e.text.replace("/etc/pypitoken", s.path("etc"))
        _, found, rows = doctor(s, s.write("example.conf", text))
        t.is_(found, [], "none in conf/examples/%s.conf" % name, rows)
    text = "LoadModule pypitoken_module x\n<VirtualHost *:443>\nSSLEngine on\n%s</VirtualHost>\n"
    with open(os.path.join(SRCDIR, "conf/pypitoken.conf"), encoding="utf-8") as f:
        _, found, rows = doctor(s, s.write("example.conf", text % f.read().replace("/etc/pypitoken", s.path("etc"))))
    t.is_(found, [], "none in conf/pypitoken.conf", rows)


def reading(t, s):
    """It reads what httpd would: other files, names, conditions, continued lines."""
    inner = s.write("conf/sites/one.conf", put(CLOSED, "")(BASE).replace("@ROOT@", s.root).split("\n", 1)[1])
    s.write("conf/mods/pypitoken.load", "LoadModule pypitoken_module x\n")
    s.write("conf/main.conf", "Define SITES sites\n<IfModule pypitoken_module>\nInclude nothing/*.conf\n</IfModule>\n"
            "IncludeOptional mods/*.load\n<IfModule mod_pypitoken.c>\nInclude \\\n  ${SITES}/*.conf\n</IfModule>\n")
    _, found, rows = doctor(s, s.path("conf/main.conf"))
    t.is_([r["check"] for r in found], ["second-path"], "an included file is read", rows)
    t.like(found[0]["finding"] if found else "", "^" + re.escape(inner) + r":\d+: ", "  and named, with the line")
    line = int(found[0]["finding"].split(":")[1])
    with open(inner) as f:
        t.is_(f.read().split("\n")[line - 1].strip(), REST.strip(), "  that is the one")
    s.write("conf/whole.conf", "ServerRoot \"%s\"\nInclude conf/mods\nIncludeOptional nothing.conf\nInclude conf/sites\n" % s.root)
    _, found, rows = doctor(s, s.path("conf/whole.conf"))
    t.is_([(r["check"], r["finding"].split(":")[0]) for r in found], [("second-path", inner)], "a directory is read, below ServerRoot", rows)
    s.write("conf/loop.conf", "Include loop.conf\n")
    code, _, rows = doctor(s, s.path("conf/loop.conf"))
    t.ok(code == 1 and "too deep" in str(rows), "files that include one another come to an end", rows)
    s.write("conf/gone.conf", "Include gone-for-good.conf\n")
    code, _, rows = doctor(s, s.path("conf/gone.conf"))
    t.ok(code == 1 and "gone.conf:1: there is no" in str(rows), "a file that is not there is named", rows)


def main(t):
    site.need(t)
    with open(os.path.join(SRCDIR, "mod_pypitoken/ctl/mistake.c"), encoding="utf-8") as f:
        words = re.findall(r'^    \{"([a-z-]+)", mistake_', f.read(), re.M)
    t.is_(sorted({case[0] for case in CASES}), sorted(words), "every mistake is tried")
    with open(os.path.join(SRCDIR, "doc/doctor"), encoding="utf-8") as f:
        t.is_(sorted(re.findall(r"^    ([a-z]+(?:-[a-z]+)*)  +\S", f.read(), re.M)), sorted(words), "doc/doctor has each, and no other")
    t.ok(len(words) >= 20, "twenty at least: %d" % len(words))
    with site.Site(t) as s:
        s.init()
        for name, mode in (("back", 0o600), ("loose", 0o644), ("etc/keyring", 0o600)):
            s.write(name, "", mode)
        right(t, s)
        mistakes(t, s)
        shipped(t, s)
        reading(t, s)


tap.run(main)
