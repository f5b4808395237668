#!/usr/bin/python3
"""index.t - the built-in index: what it stores, what it lists, what it serves, and what a crash leaves."""
import email.utils
import hashlib
import html.parser
import os
import shutil
import signal
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, poll, site, tap, wire  # noqa: E402

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


class Links(html.parser.HTMLParser):
    """The anchors of a page: (text, attributes)."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.version = [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a":
            self.open = ["", attrs]
        if tag == "meta" and attrs.get("name") == "pypi:repository-version":
            self.version = attrs.get("content")

    def handle_data(self, data):
        if self.open:
            self.open[0] += data

    def handle_endtag(self, tag):
        if tag == "a" and self.open:
            self.found.append(tuple(self.open))
            self.open = None


def storing(t, s, tok):
    for package in (dist.sdist("Demo.Pkg", "1.0"), dist.wheel("Demo.Pkg", "1.0", requires=">=3.7,<4")):
        r = s.upload(package, tok)
        t.is_(r.status, 200, "an upload of " + package.filename, r)
        r = s.upload(package, tok)
        t.is_(r.status, 200, "  the same bytes again: 200", r)
        other = (dist.sdist if package.filetype == "sdist" else dist.wheel)("Demo.Pkg", "1.0", salt="other")
        r = s.upload(other, tok)
        t.is_(r.status, 400, "  other bytes under the same name: 400", r)
        t.like(r.reason, "^File already exists", "  with the words that twine --skip-existing knows")
        r = s.get("/simple/demo-pkg/" + package.filename)
        t.ok(r.status == 200 and r.body == package.data, "  the first bytes are served", r)

    one = dist.sdist("demo-pkg", "1.1")
    digests = {"md5_digest": hashlib.md5(b"x").hexdigest(), "sha256_digest": hashlib.sha256(b"x").hexdigest(),
               "blake2_256_digest": hashlib.blake2b(b"x", digest_size=32).hexdigest()}
    for name, value in digests.items():
        r = s.upload(one, tok, changes={name: value})
        t.is_(r.status, 400, "a wrong %s: 400" % name, r)
        t.like(r.reason, name.split("_")[0], "  that names it")
    t.is_([n for n in s.stored() if "1.1" in n], [], "  nothing was stored")
    r = s.upload(one, tok, changes={"md5_digest": None, "sha256_digest": None, "blake2_256_digest": None})
    t.is_(r.status, 200, "no digest at all is fine", r)
    r = s.upload(dist.sdist("demo-pkg", "1.2"), tok, changes={
        "blake2_256_digest": hashlib.blake2b(dist.sdist("demo-pkg", "1.2").data).hexdigest()})
    t.is_(r.status, 200, "distutils' 128 digits under blake2_256_digest are understood", r)
    r = s.upload(dist.sdist("demo-pkg", "1.3"), tok, changes={
        "sha256_digest": dist.sdist("demo-pkg", "1.3").sha256.upper()})
    t.is_(r.status, 200, "digests in capitals are fine", r)

    signed = dist.sdist("demo-pkg", "1.4")
    fields = signed.fields()
    fields.insert(-1, ("gpg_signature", b"-----BEGIN PGP SIGNATURE-----\n", signed.filename + ".asc",
                       "application/octet-stream"))
    r = s.upload(dist.form(fields), tok)
    t.is_(r.status, 200, "an upload with a signature", r)
    r = s.get("/simple/demo-pkg/" + signed.filename + ".asc")
    t.is_((r.status, r.body), (200, b"-----BEGIN PGP SIGNATURE-----\n"), "  which is served beside the file")
    alone = dist.sdist("alone", "1.0")
    fields = alone.fields()
    fields.insert(-1, ("gpg_signature", b"-----BEGIN PGP SIGNATURE-----\n", alone.filename + ".asc", "application/octet-stream"))
    s.write("packages/alone/%s.asc" % alone.filename, "-----BEGIN GPG SIGNATURE-----\n")
    s.give("packages/alone", "packages/alone/%s.asc" % alone.filename)
    r = s.upload(dist.form(fields), tok)
    t.ok(r.status == 400 and r.reason.startswith("File already exists"), "a signature that lies there alone and is another one: 400", r)
    t.is_(s.get("/simple/alone/" + alone.filename).status, 404, "  and the file is not stored")
    s.write("packages/alone/%s.asc" % alone.filename, "-----BEGIN PGP SIGNATURE-----\n")
    t.is_(s.upload(dist.form(fields), tok).status, 200, "  the same one: stored")
    shutil.rmtree(s.path("packages/alone"))


def listing(t, s):
    r = s.get("/simple/")
    t.like(r.header("Content-Type"), "^text/html", "the project list is HTML")
    links = Links(r.text)
    t.is_(links.version, "1.0", "  with a repository version")
    t.is_([(a["href"].strip("/").split("/")[-1]) for _, a in links.found], ["demo-pkg"], "  lists the project")

    r = s.get("/simple/demo-pkg/")
    links = Links(r.text)
    found = {text: a for text, a in links.found}
    names = ["Demo.Pkg", "demo-pkg"]
    want = {p.filename: p for p in [dist.sdist(names[0], "1.0"), dist.wheel(names[0], "1.0", requires=">=3.7,<4"),
                                    dist.sdist(names[1], "1.1"), dist.sdist(names[1], "1.2"),
                                    dist.sdist(names[1], "1.3"), dist.sdist(names[1], "1.4")]}
    t.is_(sorted(found), sorted(want), "the project page lists the files, and only those")
    t.is_([text for text, _ in links.found], sorted(found), "  in order")
    for name, package in want.items():
        href = urllib.parse.urljoin("/simple/demo-pkg/", found.get(name, {}).get("href", ""))
        t.is_(href, "/simple/demo-pkg/%s#sha256=%s" % (name, package.sha256), "  the link of " + name)
    wheel = [n for n in want if n.endswith(".whl")][0]
    t.is_(found.get(wheel, {}).get("data-requires-python"), ">=3.7,<4", "  the wheel's Requires-Python")
    t.unlike(r.text, r'requires-python="[^"]*[<>]', "  escaped")

    r = s.get("/simple/demo-pkg/", [("Accept", JSON)])
    t.like(r.header("Content-Type"), "^" + JSON.replace("+", r"\+").replace(".", r"\."), "PEP 691 JSON by Accept")
    t.like(r.header("Vary") or "", "(?i)accept", "  with Vary: Accept")
    page = r.json()
    t.is_((page["name"], page["meta"]["api-version"].split(".")[0]), ("demo-pkg", "1"), "  its name and version")
    t.is_({f["filename"]: f["hashes"]["sha256"] for f in page["files"]},
          {n: p.sha256 for n, p in want.items()}, "  the files with their hashes")
    t.is_({f["filename"]: f["size"] for f in page["files"]}, {n: len(p.data) for n, p in want.items()}, "  sizes")
    t.is_([f.get("requires-python") for f in page["files"] if f["filename"] == wheel], [">=3.7,<4"],
          "  Requires-Python")
    r = s.get("/simple/", [("Accept", JSON)])
    t.is_([p["name"] for p in r.json()["projects"]], ["demo-pkg"], "the project list in JSON")

    for accept, want_type in ((HTML, HTML), ("text/html", "text/html"), ("*/*", "text/html"),
                              (JSON + ";q=0.1, text/html;q=0.9", "text/html"),
                              (JSON + ", " + HTML + ";q=0.1, text/html;q=0.01", JSON)):
        r = s.get("/simple/demo-pkg/", [("Accept", accept)])
        t.is_(r.header("Content-Type", "").split(";")[0], want_type, "Accept: " + accept)

    for name in ("Demo.Pkg", "DEMO_pkg", "demo--pkg"):
        r = s.get("/simple/%s/" % name)
        t.ok(r.status == 301 and r.header("Location", "").endswith("/simple/demo-pkg/"),
             "/simple/%s/ leads to the normalised name" % name, r)
    r = s.get("/simple/Demo.Pkg/?a=b")
    t.ok(r.status == 301 and r.header("Location", "").endswith("/simple/demo-pkg/?a=b"), "  with what was asked", r)
    r = s.get("/simple/demo-pkg")
    t.ok(r.status in (200, 301), "the project page without its slash", r)
    t.is_(s.get("/simple/nothing/").status, 404, "an unknown project: 404")


def caching(t, s):
    package = dist.sdist("demo-pkg", "1.1")
    path = "/simple/demo-pkg/" + package.filename
    seen = {}
    for url, headers in ((path, []), ("/simple/demo-pkg/", []), ("/simple/demo-pkg/", [("Accept", JSON)]),
                         ("/simple/", [])):
        r = s.get(url, headers)
        etag, when = r.header("ETag"), r.header("Last-Modified")
        t.ok(etag and when and email.utils.parsedate_to_datetime(when), url + " has ETag and Last-Modified", r)
        seen.setdefault(url, []).append(etag)
        r = s.get(url, headers + [("If-None-Match", etag)])
        t.is_((r.status, r.body), (304, b""), "  If-None-Match: 304")
        r = s.get(url, headers + [("If-None-Match", '"other"')])
        t.is_(r.status, 200, "  another ETag: 200")
        r = s.get(url, headers + [("If-Modified-Since", email.utils.formatdate(4000000000, usegmt=True))])
        t.ok(r.status in (200, 304), "  If-Modified-Since of the future")
        r = s.get(url, headers + [("If-Modified-Since", when)])
        t.is_(r.status, 304, "  If-Modified-Since: 304")
        r = s.get(url, headers, method="HEAD")
        t.is_((r.status, r.body), (200, b""), "  HEAD: 200 without a body")
    t.ok(len(set(seen["/simple/demo-pkg/"])) == 2, "HTML and JSON have ETags of their own", seen)
    r = s.get("/simple/demo-pkg/")
    s.upload(dist.sdist("demo-pkg", "1.5"), s.tok)
    t.is_(s.get("/simple/demo-pkg/", [("If-None-Match", r.header("ETag"))]).status, 200,
          "after another upload the page is another one")

    r = s.get(path, [("Range", "bytes=10-19")])
    t.is_((r.status, r.body), (206, package.data[10:20]), "a range of a file", r)
    t.is_(r.header("Content-Range"), "bytes 10-19/%d" % len(package.data), "  with Content-Range")
    r = s.get(path, [("Range", "bytes=-5")])
    t.is_((r.status, r.body), (206, package.data[-5:]), "the end of a file")
    r = s.get(path, [("Range", "bytes=%d-" % (len(package.data) + 5))])
    t.is_(r.status, 416, "a range beyond its end: 416")
    r = s.get(path)
    t.is_(r.header("Content-Type"), "application/octet-stream", "the type of a file is nothing to run or show")
    t.is_(r.header("Content-Encoding"), None, "  without an encoding")
    t.is_(r.header("X-Content-Type-Options"), "nosniff", "  nosniff")


def paths(t, s, tok):
    s.allow(r"AH10244: invalid URI path")
    s.write("secret", "the secret file")
    s.write("packages/outside", "outside")
    os.symlink(s.path("secret"), s.path("packages/demo-pkg/demo_pkg-6.6.tar.gz"))
    os.symlink(s.path("www"), s.path("packages/linked"))
    s.write("www/linked-1.0.tar.gz", "x")
    s.write("packages/demo-pkg/.demo_pkg-6.7.tar.gz", "hidden")
    s.write("packages/demo-pkg/notes.txt", "notes")
    s.write("packages/.hidden/hidden-1.0.tar.gz", "hidden")
    probes = ["/simple/../secret", "/simple/%2e%2e/secret", "/simple/demo-pkg/../../../secret",
              "/simple/demo-pkg/..%2f..%2fsecret", "/simple/demo-pkg/%2e%2e/%2e%2e/secret",
              "/simple/demo-pkg/demo_pkg-6.6.tar.gz", "/simple/linked/linked-1.0.tar.gz", "/simple/linked/",
              "/simple/demo-pkg/.demo_pkg-6.7.tar.gz", "/simple/outside", "/simple/outside/",
              "/simple/.hidden/", "/simple/.hidden/hidden-1.0.tar.gz", "/simple/demo-pkg//demo_pkg-1.1.tar.gz/x",
              "/simple/demo-pkg/demo_pkg-1.1.tar.gz/", "/simple/demo-pkg/demo_pkg-1.1.tar.gz/more",
              "/simple/demo-pkg/%00", "/simple/demo-pkg/demo_pkg-1.1.tar.gz%00.txt", "/simple/./.meta/",
              "/simple/demo-pkg/.demo_pkg-1.1.tar.gz.meta", "/simple/.meta/demo-pkg/demo_pkg-1.1.tar.gz"]
    probes += ["/simple/" + name for name in s.stored() if name.startswith(".") or "/." in name]
    for path in probes:
        r = s.get(path)
        t.ok(r.status in (301, 400, 403, 404) and b"secret" not in r.body.replace(b"/secret", b""),
             "GET %s gives nothing away" % path, r)
    for method in ("POST", "PUT", "DELETE"):
        r = s.get("/simple/demo-pkg/", method=method)
        t.ok(r.status in (401, 403, 404, 405), "%s on the listing is refused" % method, r)
    links = [text for text, _ in Links(s.get("/simple/demo-pkg/").text).found]
    t.ok(not [l for l in links if "6." in l or "notes" in l or l.startswith(".")],
         "neither links, dot files nor strange names are listed", links)
    names = [text.strip("/") for text, _ in Links(s.get("/simple/").text).found]
    t.is_(names, ["demo-pkg"], "  nor among the projects")

    for filename in ("../../evil-1.0.tar.gz", "..", "evil-1.0.tar.gz/..", ".evil-1.0.tar.gz", "evil-1.0.exe",
                     "evil-1.0.tar.gz\\", "evil%2f-1.0.tar.gz", "evil-1.0.tar.gz.asc"):
        r = s.upload(dist.sdist("evil"), tok, changes={"filename": filename})
        t.is_(r.status, 400, "an upload called %s: 400" % filename, r)
    t.is_([n for n in s.stored() if "evil" in n], [], "  nothing of these is stored")
    t.ok(not os.path.exists(s.path("evil-1.0.tar.gz")), "  nor elsewhere")


def by_hand(t, s):
    """What an operator copies into the directory is listed too."""
    package = dist.wheel("byhand", "1.0", requires=">=3.9")
    path = package.save(s.path("packages/byhand"))
    os.chmod(path, 0o644)
    s.give("packages/byhand", "packages/byhand/" + package.filename)
    links = Links(s.get("/simple/byhand/").text).found
    t.is_([(text, a["href"].split("#")[-1]) for text, a in links],
          [(package.filename, "sha256=" + package.sha256)], "a file copied in by hand is listed with its hash")
    t.ok(s.get("/simple/byhand/" + package.filename).body == package.data, "  and served")
    wheel = dist.wheel("Demo.Pkg", "1.0", requires=">=3.7,<4").filename
    kept = {f["filename"]: f for f in s.get("/simple/demo-pkg/", [("Accept", JSON)]).json()["files"]}[wheel]
    os.utime(s.path("packages/demo-pkg/" + wheel), (1, 1))
    t.is_({f["filename"]: f for f in s.get("/simple/demo-pkg/", [("Accept", JSON)]).json()["files"]}[wheel], kept,
          "a file with another date, as from a backup, is listed as before")
    other = dist.wheel("byhand", "1.0", salt="changed by hand")
    other.save(s.path("packages/byhand"))
    os.utime(path, (1, 1))
    links = Links(s.get("/simple/byhand/").text).found
    t.is_([a["href"].split("#")[-1] for _, a in links], ["sha256=" + other.sha256],
          "  replaced by hand: the new hash")


BARE = """\
<Location "/bare/">
    SetHandler pypi-index
    Require all granted
</Location>
<Location "/bare/legacy/">
    SetHandler pypi-index
    AuthType Basic
    AuthName uploads
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
</Location>
"""


def misused(t, s, tok):
    """Without directories, and with some that httpd may not use: told as a fault of ours, and the next request is served."""
    s.allow(r"SetHandler pypi-index needs PyPITokenPackages here", r"PyPITokenPackages is not set here", r"pypitoken: cannot list",
            r"cannot make a temporary for", r"cannot store", r"Permission denied")
    s.httpd.stop()
    s.start(more=BARE)
    t.is_(s.get("/bare/").status, 500, "a listing without PyPITokenPackages: 500")
    t.is_(s.upload(dist.sdist("bare"), tok, "/bare/legacy/").status, 500, "  and an upload")
    r = s.get("/simple/byhand/", method="DELETE")
    t.is_((r.status, set((r.header("Allow") or "").replace(" ", "").split(",")) - {"TRACE"}), (405, {"GET", "HEAD"}), "DELETE: 405, with what may be done")
    before = s.stored()
    for where, pages, upload in (("packages/byhand", {"/simple/byhand/": 500, "/simple/": 200}, 500), ("packages", {"/simple/byhand/": 500, "/simple/": 500}, 500)):
        mode = os.stat(s.path(where)).st_mode & 0o7777
        os.chmod(s.path(where), 0)
        got = {page: s.get(page).status for page in pages}
        r = s.upload(dist.sdist("byhand", "2.0"), tok)
        os.chmod(s.path(where), mode)
        t.is_(got, pages, "%s that httpd may not read: each page" % where)
        t.is_(r.status, upload, "  and an upload: %d" % upload, r)
        t.unlike(r.text, "packages", "  whose client learns no path of ours")
        t.is_(s.stored(), before, "  nothing is left of it")
    t.is_(s.upload(dist.sdist("byhand", "2.0"), tok).status, 200, "  and it goes through when httpd may again")
    s.httpd.stop()
    s.start()


def race(t, s, tok):
    """Twenty at once, other bytes each, one name: one wins, and what is served is whole."""
    packages = [dist.sdist("race", "1.0", salt=str(i), padding=30000) for i in range(20)]
    answers = [None] * len(packages)

    def one(i):
        answers[i] = s.upload(packages[i], tok).status
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(packages))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.is_(sorted(answers), [200] + [400] * 19, "twenty uploads of other bytes under one name: one is taken")
    winner = packages[answers.index(200)] if 200 in answers else packages[0]
    t.ok(s.get("/simple/race/" + winner.filename).body == winner.data, "  and it is the one that is served")
    t.is_(len([n for n in s.visible() if n.startswith("race/")]), 1, "  nothing else is left")


def crash(t, s, tok):
    """Every child is killed in the middle of an upload, at several points of it."""
    package = dist.sdist("crash", "1.0", padding=2 << 20)
    body = package.form()
    before = s.stored()
    for part in (1000, len(body) // 2, len(body) - 1):
        with wire.Conn(s.httpd.port) as c:
            c.send(wire.request("POST", "/legacy/", [dist.form_type(), ("Content-Length", len(body))], None,
                                tok.user))
            c.send(body[:part])
            if part > 200000:
                t.ok(poll.until(lambda: s.httpd.holds(s.path("packages")) or s.httpd.holds(s.path("spool"))),
                     "  an upload is in a file")
            s.httpd.kill_children()
            try:
                t.ok(c.response().status != 200, "killed after %d bytes: no success is reported" % part)
            except wire.Closed:
                t.ok(True, "killed after %d bytes: the connection is closed" % part)
        t.ok(poll.until(s.alive), "  the server goes on")
        t.is_(s.stored(), before, "  nothing was stored, not even a part")
        t.is_(os.listdir(s.path("spool")), [], "  nothing is left in the spool directory")
    s.allow(r"AH10392: children are killed successively")  # what else
    stop, killed = threading.Event(), []

    def killer():
        while not stop.wait(0.01):
            for pid in s.httpd.children():
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                except ProcessLookupError:
                    pass
    thread = threading.Thread(target=killer)
    thread.start()
    told = []
    for i in range(400):
        if len(killed) >= 6 and i >= 12:
            break
        small = dist.sdist("crash", "2.%d" % i, padding=200000)
        try:
            if s.upload(small, tok).status == 200:
                told.append(small)
        except (wire.Closed, OSError):
            pass
    stop.set()
    thread.join()
    poll.until(s.alive)
    t.ok(len(killed) >= 6, "killed %d times during %d uploads (%d told as stored)" % (len(killed), i, len(told)))
    t.ok(all(s.get("/simple/crash/" + p.filename).body == p.data for p in told), "  what was told is there")
    good = True
    for text, a in Links(s.get("/simple/crash/").text).found if s.get("/simple/crash/").status == 200 else []:
        data = s.get("/simple/crash/" + text).body
        good = good and a["href"].endswith(hashlib.sha256(data).hexdigest()) and len(data) > 200000
    t.ok(good, "  what is listed is whole")
    s.httpd.stop()
    s.start()
    t.is_(s.upload(package, tok).status, 200, "after a restart the upload goes through")
    left = [n for n in s.stored() if "tmp" in n.lower()]
    t.is_(left, [], "  and no temporary file is left")


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice")
        s.start()
        s.tok = s.token("alice")
        r = s.get("/simple/")
        t.is_((r.status, Links(r.text).found), (200, []), "an empty index is an empty list")
        for part, arguments in ((storing, (s.tok,)), (listing, ()), (caching, ()), (paths, (s.tok,)),
                                (by_hand, ()), (race, (s.tok,)), (misused, (s.tok,)), (crash, (s.tok,))):
            t.note(part.__name__)
            part(t, s, *arguments)


tap.run(main)
