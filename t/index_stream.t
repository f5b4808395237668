#!/usr/bin/python3
"""index_stream.t - with PyPITokenStream On the built-in index takes a file while it is being checked: it keeps it whole, digests and
signature wherever they stand in the form; of an upload that turns bad it keeps nothing and answers once; and no
other handler that stands in its place gets a byte before the verdict."""
import hashlib
import os
import random
import resource
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, faulty, poll, site, tap, wire  # noqa: E402

SIZE = 700000
END = ("\r\n--%s" % dist.BOUNDARY).encode()
WHOLE = "PyPITokenMemory 16K"
MEMORY = WHOLE + "\n    PyPITokenStream On"
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n" * 3
DIGESTS = ("md5_digest", "sha256_digest", "blake2_256_digest")


def package(project, version="1.0", size=SIZE):
    noise = random.Random(project + version)
    return dist.Dist(project, version, "%s-%s.tar.gz" % (project, version), noise.randbytes(size), "sdist", "source")


def behind(fields, *names):
    """These fields come after the file."""
    return [f for f in fields if f[0] not in names] + [f for f in fields if f[0] in names]


def signed(one, fields, at):
    part = ("gpg_signature", SIGNATURE, one.filename + ".asc", "application/octet-stream")
    return [part] + fields if at == "before" else fields + [part]


def forms(one):
    """The same upload in many orders."""
    fields = one.fields()
    wide = [(n, hashlib.blake2b(one.data).hexdigest()) if n == "blake2_256_digest" else (n, *v) for n, *v in fields]
    yield "as twine does", fields
    yield "all digests after the file", behind(fields, *DIGESTS)
    yield "the long blake2 after the file", behind(wide, "blake2_256_digest")
    yield "sha256 after the file", behind(fields, "sha256_digest")
    yield "name after the file", behind(fields, "name")
    yield "the file first", behind(fields, *[f[0] for f in fields if f[0] != "content"])
    for at in ("before", "after"):
        yield "a signature %s the file" % at, signed(one, fields, at)
        yield "  and the digests behind the file", signed(one, behind(fields, *DIGESTS), at)
        yield "  and all behind the file", signed(one, behind(fields, *[f[0] for f in fields if f[0] != "content"]), at)


def send(s, path, body, tok, chunks=None):
    """The answer, and what else the server says until it closes."""
    with wire.Conn(s.httpd.port) as c:
        c.send(wire.request("POST", path, [dist.form_type(), ("User-Agent", "pypt/1.0")], body, tok.user, chunks=chunks))
        r = c.response()
        if r.header("Connection") == "close":
            while c._more():
                pass
        return r, c.buffer


def good(t, s, tok):
    names = [what for what, _ in forms(package("demo"))]
    many = 0
    for path, chunks in (("/legacy/", None), ("/legacy/", 8191), ("/whole/", None), ("/whole/", 8191)):
        for k, what in enumerate(names):
            many += 1
            one = package("demo", "1.%d" % many)
            body = dist.form(list(forms(one))[k][1])
            r, rest = send(s, path, body, tok, chunks)
            t.is_((r.status, rest), (200, b""), "%s, %s, %s" % (path, "chunked" if chunks else "length", what), r)
            t.ok(s.get("/simple/demo/" + one.filename).body == one.data, "  whole")
            if SIGNATURE in body:
                t.is_(s.get("/simple/demo/%s.asc" % one.filename).body, SIGNATURE, "  with its signature")
    t.is_([n for n in s.visible() if not n.startswith("demo/demo-1.")], [], "nothing else is stored")


def spoilt(one):
    """What is wrong, the form, the word for it."""
    whole = one.form()
    at = whole.index(one.data)
    fields = one.fields()
    more = END[2:] + b'\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\nother\r\n'
    stop = END[2:] + b"--\r\n"
    yield "the delimiter in the file", whole[:at + 500000] + END + b"x" + whole[at + 500000:], "form-delimiter"
    yield "something after the form", whole + b"x", "form-epilogue"
    yield "a second name", whole[:-len(stop)] + more % (b"name", b"") + stop, "field-duplicate"
    yield ("a second file", whole[:-len(stop)] + more % (b"content", b'; filename="%s"' % one.filename.encode()) + stop,
           "field-duplicate")
    yield "cut off in the file", whole[:at + 500000], "form-truncated"
    yield "cut off in the delimiter", whole[:at + SIZE + 10], "form-truncated"
    yield "no last dash", whole[:-3], "form-truncated"
    for name in DIGESTS:
        wrong = [(n, "00" * (len(v[0]) // 2)) if n == name else (n, *v) for n, *v in fields]
        yield "a wrong " + name, dist.form(wrong), "digest-mismatch"
        yield "  that comes after the file", dist.form(behind(wrong, name)), "digest-mismatch"
    yield ("a signature of another file", dist.form(fields + [("gpg_signature", SIGNATURE, "other.asc", "text/plain")]),
           "signature-name")


def bad(t, s, tok):
    cases = [what for what, _, _ in spoilt(package("x"))]
    before = s.stored()
    for path, chunks in (("/legacy/", None), ("/legacy/", 8191)):
        for k, what in enumerate(cases):
            one = package("bad%s%d%s" % (path[1], k, "chunked" if chunks else ""))
            _, body, word = list(spoilt(one))[k]
            r, rest = send(s, path, body, tok, chunks)
            t.is_((r.status, rest), (400, b""), "%s, %s, %s: 400, once" % (path, "chunked" if chunks else "length", what), r)
            log = poll.until(lambda: [e for e in s.events() if e.get("project") == one.name and e["kind"] != "upload"])
            t.is_([e["verdict"] for e in log or []], [word], "  and " + word)
            if word != "digest-mismatch":  # which only the index finds
                t.is_([e["kind"] for e in s.events() if e.get("project") == one.name], ["upload-refused"],
                      "  which is all that is written down")
            t.ok(not os.path.exists(s.path("packages/" + one.name)), "  no directory of the project is made")
    t.is_(s.stored(), before, "nothing of all these is stored")
    t.is_([row["name"] for row in s.ctl_json("project", "list") if row["name"].startswith("bad")], [],
          "none of those projects was made")


def spooled(t, s, tok):
    """Without PyPITokenStream the guard keeps the file where the index will: nothing of a bad one stays there, and a
    form that begins with more than fits into memory is stored all the same."""
    before = s.stored()
    for k, what in enumerate([what for what, _, _ in spoilt(package("x"))]):
        one = package("badw%d" % k)
        r, rest = send(s, "/whole/", list(spoilt(one))[k][1], tok)
        t.is_((r.status, rest), (400, b""), "/whole/, %s: 400, once" % what, r)
        t.ok(not os.path.exists(s.path("packages/" + one.name)), "  no directory of the project is made")
    t.is_((s.stored(), s.httpd.holds(s.path("packages"))), (before, []), "nothing of all these is stored, or held")
    for k, lines in enumerate((100, 1000)):
        one = package("demo", "3.%d" % k)
        r, _ = send(s, "/whole/", dist.form([("description", "long\n" * 10 * lines), *one.fields()]), tok)
        t.is_(r.status, 200, "%d bytes before the file" % (50 * lines), r)
        t.ok(s.get("/simple/demo/" + one.filename).body == one.data, "  whole")


def under_way(s):
    """Whether a child holds a file without a name among the packages."""
    return any(path.endswith(" (deleted)") for _, path in s.httpd.holds(s.path("packages")))


def half(t, s, tok, one):
    """A connection on which half of it was sent and taken."""
    body = one.form()
    c = wire.Conn(s.httpd.port)
    c.send(wire.request("POST", "/legacy/", [dist.form_type(), ("Content-Length", len(body))], None, tok.user))
    c.send(body[:len(body) // 2])
    t.ok(poll.until(lambda: under_way(s)), "half an upload: it is being kept already")
    t.ok(one.filename not in str(s.stored()), "  without a name")
    return c, body[len(body) // 2:]


def meanwhile(t, s, tok):
    s.ctl("project", "add", "roles", "--owner", "alice")
    s.ctl("role", "add", "roles", "bob", "maintainer")
    bob = s.token("bob")
    before = s.stored()
    c, rest = half(t, s, bob, package("roles"))
    s.ctl("role", "remove", "roles", "bob")
    with c:
        c.send(rest)
        r = c.response()
        while r.header("Connection") == "close" and c._more():
            pass
        t.is_((r.status, c.buffer), (403, b""), "  the role is taken away meanwhile: 403, once", r)
    c, rest = half(t, s, tok, package("gone"))
    c.close()
    for name, word in (("roles", "role-missing"), ("gone", "body-broken")):
        log = poll.until(lambda n=name: [(e["kind"], e["verdict"]) for e in s.events() if e.get("file") == n + "-1.0.tar.gz"])
        t.is_(log, [("upload-refused", word)], "  %s is all that is written down of %s" % (word, name))
    t.ok(poll.until(lambda: not under_way(s)), "  what was kept of them is gone")
    t.is_(s.stored(), before, "  nothing is stored")


OTHERS = ("/pass/", "/rewritten/", "/proxy/", "/whole-pass/", "/whole-rewritten/", "/whole-proxy/")


def elsewhere(start, guard, url):
    """Locations of an index in whose place a back end answers."""
    def at(path, directives):
        return site.GUARD.replace("/legacy/", start + path).replace("{guard}", directives)
    return (at("pass/", guard) + 'ProxyPass "%spass/" "%s"\n' % (start, url) +
            at("rewritten/", guard + '\n    RewriteEngine On\n    RewriteRule ".*" "%s" [P]' % url) +
            at("proxy/", guard).replace("SetHandler pypi-index", 'ProxyPass "%s"' % url))


def others(t, s, tok, back):
    """The index is what is configured, and something else answers: that one sees nothing before the verdict."""
    for number, path in enumerate(OTHERS):
        one = package("other", "1.%d" % number)
        for chunks in (None, 8191):
            for how, status in (("bad", 400), ("good", 200)):
                del back.given[:]
                r, rest = send(s, path, one.form() + (b"x" if how == "bad" else b""), tok, chunks)
                t.is_((r.status, rest), (status, b""), "%s, a back end in the index' place, %s" % (path, how), r)
                t.is_([given.body == one.form() for given in back.given], [True] * (how == "good"),
                      "  it sees %s" % ("all" if how == "good" else "nothing"))
    t.ok("other" not in str(s.stored()), "and the index keeps nothing")


def longest(t, s, tok):
    """A file whose name leaves no room for that of its signature is kept without one, and not with one."""
    for number, path in enumerate(("/legacy/", "/whole/")):
        for length, sign, status in ((255, False, 200), (251, True, 200), (252, True, 400)):
            one = dist.wheel("long", "1.%d.%d" % (number, length))
            one.filename = one.filename.replace("any.whl", "x" * (length - len(one.filename) + 3) + ".whl")
            r, rest = send(s, path, dist.form(signed(one, one.fields(), "after") if sign else one.fields()), tok)
            t.is_((r.status, rest), (status, b""), "%s, a name of %d bytes, %s a signature: %d" %
                  (path, length, "with" if sign else "without", status), r)
            t.is_(sum(one.filename in name for name in s.stored()), 0 if status == 400 else 2 + sign,
                  "  kept with all that belongs to it, or not at all", s.stored())


def full(t):
    """No room for all of the file: said once, after the verdict, and nothing is kept."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice")
        s.allow(r"unable, spool-full")
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))
        s.start(guard=MEMORY)
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        one = package("full", size=3 << 20)
        for body, status in ((one.form(), 507), (one.form() + b"x", 400)):
            r, rest = send(s, "/legacy/", body, tok)
            t.is_((r.status, rest), (status, b""), "a file cannot grow: %d, once" % status, r)
            t.is_(s.stored(), [], "  nothing is stored")
        log = poll.until(lambda: len(s.events()) > 2 and [(e["kind"], e["verdict"]) for e in s.events() if e.get("file")])
        t.is_(sorted(log or []), [("upload", "allowed"), ("upload-failed", "spool-full"),
                                  ("upload-refused", "form-epilogue")], "  all of it is written down")
        t.is_(send(s, "/legacy/", package("full").form(), tok)[0].status, 200, "  a smaller one is taken")
        r, rest = send(s, "/legacy/", package("brim", size=(2 << 20) + 1000).form(), tok)
        t.is_((r.status, rest, "brim" in str(s.stored())), (507, b"", False),
              "  one whose last bytes find no room is not", r)


def main(t):
    site.need(t)
    with site.Site(t) as s, faulty.Backend(faulty.answers()) as back:
        s.init("alice", "bob")
        tok = s.token("alice")
        there = site.GUARD + site.SIMPLE
        there = there.replace("{guard}", MEMORY) + site.GUARD.replace("/legacy/", "/whole/").replace("{guard}", WHOLE)
        there += "".join(elsewhere(start, guard, back.url("/")) for start, guard in (("/", MEMORY), ("/whole-", WHOLE)))
        s.start(locations=there, modules=["proxy", "proxy_http"])
        for part, arguments in ((good, ()), (bad, ()), (spooled, ()), (meanwhile, ()), (longest, ()),
                                (others, (back,))):
            t.note(part.__name__)
            part(t, s, tok, *arguments)
    t.note("full")
    full(t)


tap.run(main)
