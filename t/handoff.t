#!/usr/bin/python3
"""handoff.t - what every kind of handler is told about the uploader: PyPITokenBackendAuth in its three forms,
who and what in the environment, and nothing that the client says of itself."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, handlers, site, tap, wire  # noqa: E402

PASS = "CGIPassAuth On\n    WSGIPassAuthorization On\n    "
MODES = {
    "none": PASS,
    "keep": PASS + "PyPITokenBackendAuth Keep",
    "service": PASS + 'PyPITokenBackendAuth Service "{root}/service"',
    "told": PASS + 'RequestHeader set X-Remote-User "expr=%{REMOTE_USER}"\n    '
                   'RequestHeader set X-Devpi-Auth "of-the-operator"',
}
# Names under which some back end or other looks for a user, a session, or the request it should see instead.
CLAIMS = """
X-Remote-User Remote-User REMOTE-USER x-remote-user X-Forwarded-User X-Auth-Request-User X-Auth-Request-Email
X-WebAuth-User X-WEBAUTH-USER X-Devpi-Auth X-Forwarded-Email X-Forwarded-Groups X-Authenticated-User
X-Forwarded-Preferred-Username X-Forwarded-Access-Token Proxy-Authorization Proxy-User Proxy Cookie Cookie2
X-SSL-Client-DN X-SSL-Client-Verify SSL-Client-S-DN X-Client-Cert Client-Cert X-ARR-ClientCert X-User X-Username
X-Userid X-Email X-Groups X-Roles X-Token X-API-Key Api-Key PRIVATE-TOKEN JOB-TOKEN Deploy-Token X-JFrog-Art-Api
X-NuGet-ApiKey X-Gitlab-Token X-Nexus-UI X-Vault-Token OIDC-Claim-Sub X-Pomerium-Jwt-Assertion
X-Goog-IAP-JWT-Assertion Cf-Access-Jwt-Assertion X-MS-Client-Principal X-Amzn-Oidc-Identity X.Remote.User
X-Remote-User.x X~Remote~User X-Pypitoken-Project Pypitoken-Verdict Upgrade Trailer TE Keep-Alive X-Sendfile-Type
X-Accel-Mapping Range If-Match Content-Disposition Destination Depth Overwrite X-Script-Name X-Forwarded-Path
X-Script-Filename Status Location X-Custom-Anything
""".split()
# What may pass, as CGI names it.
MAY = set("""
HTTP_ACCEPT HTTP_ACCEPT_CHARSET HTTP_ACCEPT_ENCODING HTTP_ACCEPT_LANGUAGE HTTP_CACHE_CONTROL HTTP_CONNECTION
HTTP_CONTENT_LENGTH HTTP_CONTENT_TYPE HTTP_DATE HTTP_FORWARDED HTTP_HOST HTTP_PRAGMA HTTP_TRACEPARENT
HTTP_TRACESTATE HTTP_USER_AGENT HTTP_VIA HTTP_X_CORRELATION_ID HTTP_X_FORWARDED_FOR HTTP_X_FORWARDED_HOST
HTTP_X_FORWARDED_PORT HTTP_X_FORWARDED_PREFIX HTTP_X_FORWARDED_PROTO HTTP_X_FORWARDED_SERVER HTTP_X_REAL_IP
HTTP_X_REQUEST_ID
""".split())
BLIND = ("gunicorn", "waitress")  # HTTP servers: httpd's environment does not reach them


def upload(t, s, servers, tok, path, headers=(), want=200):
    """The environment that the handler saw; None when it was not asked."""
    servers.forget()
    r = s.upload(dist.sdist("demo"), tok, path=path, headers=headers)
    t.is_(r.status, want, "%s: %d" % (path, want), r)
    seen = servers.seen()
    return seen[0]["env"] if len(seen) == 1 else None


def authorization(t, s, servers, name, tok):
    token = wire.basic(*tok.user)
    for mode, want in (("none", None), ("keep", token), ("service", wire.basic("robot", "service-pass:word")),
                       ("told", None)):
        env = upload(t, s, servers, tok, "/%s-%s/" % (mode, name)) or {}
        t.is_(env.get("HTTP_AUTHORIZATION"), want, "  PyPITokenBackendAuth, %s" % mode)
        if mode != "keep":
            text = json.dumps(env)
            t.ok(tok.text not in text and token.split()[1] not in text, "  the token is nowhere else")
        if name not in BLIND:
            t.is_([env.get(k) for k in ("REMOTE_USER", "AUTH_TYPE", "PYPITOKEN_ID", "PYPITOKEN_PROJECT",
                                        "PYPITOKEN_FILE", "PYPITOKEN_VERDICT")],
                  ["alice", "Basic", tok.id, "demo", "demo-1.0.tar.gz", "allowed"], "  who and what")
        if mode == "told":
            t.is_([env.get("HTTP_X_REMOTE_USER"), env.get("HTTP_X_DEVPI_AUTH")], ["alice", "of-the-operator"],
                  "  what the operator sets arrives")


def claims(t, s, servers, name, tok):
    for mode in ("none", "told"):
        env = upload(t, s, servers, tok, "/%s-%s/" % (mode, name), [(c, "mallory-" + c) for c in CLAIMS]
                     + [("X-Forwarded-For", "192.0.2.9"), ("Traceparent", "00-1"), ("Accept-Language", "eo")]) or {}
        t.ok("mallory" not in json.dumps(env), "  nothing that the client claims arrives",
             [k for k, v in env.items() if "mallory" in v])
        ours = {"HTTP_X_REMOTE_USER", "HTTP_X_DEVPI_AUTH"} if mode == "told" else set()
        more = {k for k in env if k.startswith("HTTP_")} - MAY - ours
        t.is_(more, set(), "  no other header at all")
        t.is_([env.get("HTTP_TRACEPARENT"), env.get("HTTP_ACCEPT_LANGUAGE")], ["00-1", "eo"], "  but harmless ones")
        t.has(env.get("HTTP_X_FORWARDED_FOR", ""), "192.0.2.9", "  and the way that it came")
        if mode == "told":
            t.is_(env.get("HTTP_X_REMOTE_USER"), "alice", "  and the operator's own")


def refused(t, s, servers, name, tok):
    """Names that some back end would read as another, and a Connection that takes the operator's header away:
    not even tried."""
    for headers in ([("X_Remote_User", "mallory")], [("REMOTE_USER", "mallory")], [("Content_Type", "text/evil")],
                    [("X-Remote_User", "mallory")], [("Connection", "close, X-Remote-User")],
                    [("Connection", "X-Devpi-Auth")], [("Connection", "close"), ("Connection", "Authorization")]):
        env = upload(t, s, servers, tok, "/told-%s/" % name, headers, 400)
        t.is_(env, None, "  %s: the back end is not asked" % headers)


def main(t):
    site.need(t, *handlers.PROGRAMS)
    names = [n for n in handlers.NAMES if n != "index"]
    for mpm in ("event", "prefork"):
        with site.Site(t) as s:
            t.note("MPM " + mpm)
            s.init("alice")
            tok = s.token("alice")
            s.write("service", "robot:service-pass:word\n", 0o600)
            with handlers.Servers(s, names) as servers:
                locations = handlers.SERVER + 'LogFormat "%{X-Custom-Anything}i" claims\n' \
                    'CustomLog "{root}/logs/claims.log" claims\n'
                for name in names:
                    for mode, lines in MODES.items():
                        locations += servers.location(name, "/%s-%s/" % (mode, name), lines)
                s.start(locations=locations, mpm=mpm, modules=handlers.modules(mpm))
                for name in names:
                    authorization(t, s, servers, name, tok)
                    claims(t, s, servers, name, tok)
                for name in ("gunicorn", "wsgi", "cgi"):
                    refused(t, s, servers, name, tok)
            with open(s.path("logs/claims.log")) as f:
                t.has(f.read(), "mallory-X-Custom-Anything", "the access log shows what the client sent")


tap.run(main)
