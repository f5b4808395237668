#!/usr/bin/python3
"""captures.t - every recorded request of a real client, replayed through the guard into the index.

Only the Authorization header is replaced, and the path set to ours. Each is stored, served back with
the digest that the client had sent, and stored again."""
import glob
import hashlib
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, site, tap, wire  # noqa: E402


def split(raw):
    head, body = raw.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = [tuple(x.strip() for x in line.split(":", 1)) for line in lines[1:]]
    return method, target, headers, body


def field(body, name):
    found = re.search(rb'name="' + name + rb'"[^\r]*(?:\r\n[^\r]+)*\r\n\r\n(.*?)\r\n--', body, re.S)
    return found.group(1) if found else None


def content(body):
    """The bytes of the file; the form's boundary is its first line."""
    boundary = body.lstrip(b"\r\n").split(b"\r\n", 1)[0]
    start = body.index(b"\r\n\r\n", body.index(b'name="content"')) + 4
    return body[start:body.index(b"\r\n" + boundary, start)]


def mended(headers, body):
    """The same request with the digests that the file has."""
    data = content(body)
    for name, digest in ((b"sha256", hashlib.sha256(data)), (b"blake2_256", hashlib.blake2b(data, digest_size=32))):
        old = re.search(rb'name="' + name + rb'_digest"\r\n\r\n(.*?)\r\n', body)
        if old:
            body = body[:old.start(1)] + digest.hexdigest().encode() + body[old.end(1):]
    return [(k, str(len(body)) if k.lower() == "content-length" else v) for k, v in headers], body


def filename(body):
    found = re.search(rb'name="content"; ?filename="([^"]*)"', body)
    return found.group(1).decode() if found else None


def replay(s, headers, body, tok, target="/legacy/", method="POST"):
    keep = [(k, v) for k, v in headers if k.lower() not in ("authorization", "host")]
    head = "".join("%s: %s\r\n" % h for h in [("Host", "localhost"), ("Authorization",
                                                                    wire.basic(*tok.user))] + keep)
    with wire.Conn(s.httpd.port) as c:
        c.send(("%s %s HTTP/1.1\r\n%s\r\n" % (method, target, head)).encode("latin-1") + body)
        try:
            c.sock.shutdown(1)
        except OSError:
            pass
        return c.response(method)


def precheck(t, s, tok, name, target, headers):
    path = "/legacy/" + re.search(r"%2Bsimple.*|$", target).group(0)
    r = replay(s, headers, b"", tok, path, "GET")
    t.is_((r.status, r.header("WWW-Authenticate")), (404, None), name + ": 404 without a challenge", r)


def upload(t, s, tok, name, headers, body):
    for project in os.listdir(s.path("packages")):
        shutil.rmtree(s.path("packages", project))
    if re.match("uvlike|matlike", name):
        # encoders made anew, with a digest made up: true ones are put in its place
        r = replay(s, headers, body, tok)
        t.is_((r.status, "sha256" in r.reason), (400, True), name + ": a digest that is not the file's", r)
        headers, body = mended(headers, body)
    r = replay(s, headers, body, tok)
    if "weirdname" in name or "first4k" in name:
        t.is_(r.status, 400, name + ": refused", r)
        t.is_(s.visible(), [], "  and not stored")
        return
    if re.match(r"pdm.*\.gpg", name) and r.status == 400:
        t.has(r.reason, "gpg_signature", name + ": refused, and it says why")
        return
    if not t.is_(r.status, 200, name + ": stored", r):
        return
    want = filename(body)
    served = [n for n in s.visible() if n.endswith("/" + want)]
    if not t.is_(len(served), 1, "  under its name " + want, s.visible()):
        return
    data = s.get("/simple/" + served[0]).body
    plain = body
    if "chunked" in name:
        plain = dechunk(body)
    t.ok(data and data in plain, "  served as it was sent")
    digest = field(plain, b"sha256_digest")
    if digest:
        t.is_(hashlib.sha256(data).hexdigest(), digest.decode().lower(), "  with the digest that was sent")
    t.is_(replay(s, headers, body, tok).status, 200, "  and again: 200")


def dechunk(body):
    out = b""
    while body:
        size, body = body.split(b"\r\n", 1)
        n = int(size, 16)
        out, body = out + body[:n], body[n + 2:]
        if n == 0:
            break
    return out


def main(t):
    site.need(t)
    paths = sorted(glob.glob(os.path.join(SRCDIR, "t/data/captures/*.bin")))
    t.ok(len(paths) >= 71, "the recorded requests are there", len(paths))
    with site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice")
        s.start()
        for path in paths:
            name = os.path.basename(path)
            with open(path, "rb") as f:
                method, target, headers, body = split(f.read())
            if method == "GET":
                precheck(t, s, tok, name, target, headers)
            else:
                upload(t, s, tok, name, headers, body)


tap.run(main)
