#!/usr/bin/python3
"""handlers.t - an upload arrives at every kind of handler byte for byte, over every protocol and MPM.

Handlers, protocols, framings and MPMs are gone through in full; the size of the body goes round, so that
each handler gets each size. HANDLERS_FULL=1 takes every size everywhere.
"""
import hashlib
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, h2wire, handlers, site, tap, wire  # noqa: E402

MEMORY = 128 * 1024
SIZES = (2000, MEMORY - 1, MEMORY, MEMORY + 1, 3 << 20)
PROTOCOLS = ("http/1.1", "tls", "h2c", "h2")
FRAMINGS = ("length", "chunked")
ODD = (1, 7, 8191, 65537)  # chunk sizes; 1 for a small body only


def package(version, size):
    """A form of exactly size bytes whose file is noise."""
    noise = random.Random(size * 1000 + len(version))
    one = dist.Dist("demo", version, "demo-%s.tar.gz" % version, b"", "sdist", "source")
    one.data = noise.randbytes(size - len(one.form()))
    body = one.form()
    assert len(body) == size
    return one, body


def send(s, protocol, path, body, tok, framing, turn):
    headers = [dist.form_type(), ("User-Agent", "pypt/1.0")]
    cafile = s.certificate() if protocol in ("tls", "h2") else None
    port = s.httpd.tls_port if cafile else s.httpd.port
    if protocol in ("h2c", "h2"):
        return h2wire.once(port, "POST", path, headers, body, tok.user, cafile=cafile, length=framing == "length",
                           piece=16384 if framing == "length" else ODD[1 + turn % 3])
    odd = ODD[turn % 4 if len(body) < 10000 else 1 + turn % 3]
    if len(body) > 1000000 and odd == 7:
        odd = 4099
    return wire.once(port, "POST", path, headers, body, tok.user, chunks=odd if framing == "chunked" else None,
                     cafile=cafile)


def arrived(t, s, servers, name, one, body, r, what):
    """The handler behind answered, and it had been given these bytes."""
    if r.status != 200:
        return t.ok(False, what, r)
    if name == "index":
        got = s.get("/simple/demo/" + one.filename).body
        return t.ok(got == one.data, what, "%d of %d bytes" % (len(got), len(one.data)))
    got = servers.seen()
    servers.forget()
    if len(got) != 1:
        return t.ok(False, what, "%d requests reached the back end" % len(got))
    env, sha = got[0]["env"], hashlib.sha256(body).hexdigest()
    facts = (got[0]["length"], got[0]["sha256"], env.get("CONTENT_LENGTH"), env.get("HTTP_TRANSFER_ENCODING"),
             env.get("REQUEST_METHOD"), env.get("CONTENT_TYPE"), got[0]["error"])
    return t.is_(facts, (len(body), sha, str(len(body)), None, "POST", dist.form_type()[1], None), what, env)


def matrix(t, s, servers, tok, mpm, offset):
    turn = offset
    for name in servers.names:
        # mod_http2 does not work under prefork
        for protocol in PROTOCOLS[:2] if mpm == "prefork" else PROTOCOLS:
            for framing in FRAMINGS:
                sizes = SIZES if os.environ.get("HANDLERS_FULL") else (SIZES[turn % len(SIZES)],)
                for size in sizes:
                    one, body = package("%d.%d.%d" % (offset, turn, size), size)
                    r = send(s, protocol, "/%s/" % name, body, tok, framing, turn)
                    what = "%s, %s, %s, %s, %d bytes: whole and unchanged" % (mpm, name, protocol, framing, size)
                    arrived(t, s, servers, name, one, body, r, what)
                turn += 1
    t.is_(os.listdir(s.path("spool")), [], "nothing is left in the spool directory")


def main(t):
    site.need(t, "openssl", *handlers.PROGRAMS)
    for offset, mpm in enumerate(("event", "worker", "prefork")):
        with site.Site(t) as s:
            s.init("alice")
            tok = s.token("alice")
            with handlers.Servers(s) as servers:
                locations = handlers.SERVER + site.SIMPLE
                locations += "".join(servers.location(n, "/%s/" % n) for n in servers.names)
                s.start(locations=locations, mpm=mpm, modules=handlers.modules(mpm), tls=True)
                matrix(t, s, servers, tok, mpm, offset)


tap.run(main)
