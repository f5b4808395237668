#!/usr/bin/python3
"""tokens.t - a person's tokens on the pages: made, shown once, used, seen as used, revoked; nobody else's."""
import html
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, pages, poll, site, tap  # noqa: E402
from pypt.token import Token  # noqa: E402

PAGES = pages.at("/account/") + pages.at("/strict/", 'PyPITokenPolicy "{root}/policy"') + """\
PyPITokenFlush 1s
"""


def made(s, r):
    """The token that a page shows."""
    found = re.search(r'id="token">(pypi-[A-Za-z0-9_-]+)<', r.text)
    return Token(found.group(1), s) if found else None


def add(s, b, base="/account/", **fields):
    fields = {"name": "ci", "scope": "all", "life": "30d", **fields}
    return b.post(base + "tokens/new", base + "tokens/new", **fields)


def story(t, s, b):
    r = b.get("/account/tokens")
    t.ok(r.status == 200 and "There is none" in r.text, "no tokens yet", r)
    r = add(s, b, name="laptop")
    token = made(s, r)
    t.ok(r.status == 200 and token, "a token for everything", r.text[-600:])
    t.is_(r.header("Cache-Control"), "no-store", "  on a page that nobody keeps")
    t.like(r.text[r.text.find("TWINE_REPO"):][:120], r"TWINE_REPOSITORY_URL=http://127\.0\.0\.1(:\d+)?/legacy/\n", "  with the upload URL for clients")
    t.is_(r.text.count(token.text), 1, "  it stands there once")
    t.unlike(b.get("/account/tokens").text, re.escape(token.text[-20:]), "  and nowhere again")
    r = b.get("/account/tokens/" + token.id)
    t.ok("laptop" in r.text and "everything you may upload to" in r.text and "<dd>never</dd>" in r.text, "its page", r.text)
    t.is_(s.upload(dist.sdist("demo"), token, agent="twine/5.1").status, 200, "an upload with it")
    seen = poll.until(lambda: "demo-1.0.tar.gz" in b.get("/account/tokens").text)
    t.ok(seen, "the list shows its last use")
    r = b.get("/account/tokens/" + token.id)
    t.ok("twine/5.1" in r.text and "127.0.0.1" in r.text, "  with client and address", r.text)
    other = made(s, add(s, b, name="other"))
    r = b.post("/account/tokens/" + token.id, "/account/tokens/" + token.id)
    t.is_((r.status, r.header("Location")), (303, "../tokens"), "revoked")
    r = s.upload(dist.sdist("demo", "1.1"), token)
    t.ok(r.status == 403 and "it was revoked" in r.reason, "the next upload is refused", r)
    t.is_(s.upload(dist.sdist("demo", "1.1"), other).status, 200, "the other token is as good as before")
    text = b.get("/account/tokens").text
    t.ok("other" in text and "laptop" not in text and "1 more not shown" in text, "the list shows the one that is left", text)
    text = b.get("/account/tokens?state=all").text
    t.ok("laptop" in text and '<span class="state">revoked</span>' in text, "  and both when asked", text)
    t.ok("laptop" not in b.get("/account/tokens?state=all&q=othe").text, "  or those that match")
    kinds = [(e["kind"], e["user"], e["address"]) for e in s.events() if e["token"] == token.id]
    t.ok(("token-created", "alice", "127.0.0.1") in kinds and ("token-revoked", "alice", "127.0.0.1") in kinds,
         "both are in the trail", kinds)
    return other


def projects(t, s, b):
    for i in range(60):
        s.ctl("project", "add", "many-%02d" % i, "--owner", "alice")
    s.ctl("project", "add", "Shared.One", "--owner", "bob")
    s.ctl("role", "add", "shared-one", "alice", "maintainer")
    s.ctl("project", "add", "bobs", "--owner", "bob")
    text = b.get("/account/tokens/new").text
    t.ok(text.count('name="project[]"') >= 61 and "Shared.One" in text and "(maintainer)" in text and "bobs" not in text,
         "the projects with a role of hers, and no others", text[:2000])
    r = b.post("/account/tokens/new", "/account/tokens/new", name="kept", scope="projects", q="many-4", act="find")
    t.ok(r.status == 200 and r.text.count('name="project[]"') == 10 and 'value="kept"' in r.text and not made(s, r),
         "the button that finds them makes no token, and keeps what was typed", r.text[:1500])
    text = b.get("/account/tokens/new?q=many-4").text
    t.ok(text.count('name="project[]"') == 10 and "do not match" in text, "  found by a part of the name")
    r = add(s, b, scope="projects", **{"project[]": ["many-01", "shared-one"]})
    token = made(s, r)
    t.ok(token, "a token for two of them", r.text[-500:])
    t.is_(s.upload(dist.sdist("many-01"), token).status, 200, "  is good for one")
    t.is_(s.upload(dist.sdist("shared-one"), token).status, 200, "  and the other")
    t.is_(s.upload(dist.sdist("many-02"), token).status, 403, "  and no third")
    for fields, says in (({"scope": "projects"}, "Choose at least one project"),
                         ({"scope": "projects", "project[]": ["bobs"]}, "has no role on the project"),
                         ({"name": ""}, "Give the token a name"), ({"life": "soon"}, "no span of time"),
                         ({"until": "tomorrow"}, "must be like 2030-01-31"), ({"until": "2001-01-01"}, "expired from the start"),
                         ({"networks": "10.0.0.1/8"}, "is no network"), ({"uses": "many"}, "must be a number"),
                         ({"name": "x" * 101}, "at most 100 bytes")):
        r = add(s, b, **fields)
        t.ok(r.status == 422 and says in r.text and not made(s, r), "refused: " + says, r.text[:1500])
    r = add(s, b, name='<script>"', life="soon")
    t.ok('value="&lt;script&gt;&quot;"' in r.text and "<script" not in r.text, "what was typed is there again, escaped", r.text[:1500])
    r = add(s, b, name="narrow", networks="127.0.0.0/8, ::1", versions="2.*", kind="sdist", uses="1", creation="existing")
    token = made(s, r)
    t.is_(s.upload(dist.sdist("demo", "1.9"), token).status, 403, "a narrow token: another version is refused")
    t.is_(s.upload(dist.sdist("demo", "2.9"), token).status, 200, "  what it is for is not")
    t.is_(s.upload(dist.sdist("demo", "2.10"), token).status, 403, "  a second time it is")
    text = b.get("/account/tokens/" + token.id).text
    t.ok("only the version 2.*" in text or "only the versions 2.*" in text, "  its page says what it is for", text)
    long = made(s, add(s, b, name="long", versions=" ".join("1.%d" % i for i in range(40))))
    t.like(b.get("/account/tokens").text, r"only the versions 1\.0[^<]{60,90}\.\.\.", "a long restriction is cut short in the list")
    t.has(b.get("/account/tokens/" + long.id).text, "1.39", "  and whole on the token's page")
    outside = pages.Browser(s)
    outside.more = [("X-Forwarded-Proto", "https"), ("Host", "outside.example")]
    outside.sign_in("alice", s.password("alice"))
    r = add(s, outside, name="outside", life="7d")
    made(s, r)
    t.has(r.text, "TWINE_REPOSITORY_URL=https://outside.example/legacy/\n", "behind a proxy with TLS, and a browser that does not say where it was: its URL begins with https")
    wide = made(s, add(s, b, name="wide"))
    s.ctl("token", "narrow", wide.id, "--glob", "team-*", "--uses", "2")
    words = s.ctl_json("token", "show", wide.id)["restrictions"]
    text = b.get("/account/tokens/" + wide.id).text
    t.ok(words.count("; ") == 1 and all(part in text for part in words.split("; ")),
         "a token narrowed by the operator: its page says so in the words of 'token show'", (words, text))


def files(t, s, b):
    """The files that a token is to be good for, as sha256sum prints them."""
    path = dist.sdist("many-03", "4.0").save(s.path("dist"))
    wheel = dist.wheel("many-04", "4.0").save(s.path("dist"))
    listed = subprocess.run(["sha256sum", "--binary", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    listed += "\r\n" + subprocess.run(["sha256sum", wheel], stdout=subprocess.PIPE, check=True, text=True).stdout.upper().split(" ")[0]
    listed += "  dist\\" + os.path.basename(wheel)
    t.like(listed, r"^[0-9a-f]{64} \*/.*many_03", "what sha256sum prints: a mark, directories")
    r = add(s, b, "/strict/", files="\n" + listed, life="7d")
    token = made(s, r)
    t.ok(token, "a token for two files; a policy takes them for a restriction", r.text[:2500])
    told = b.get("/account/tokens/" + token.id).text
    for part in ("only the projects many-03, many-04", "only the version 4.0", "with the SHA-256", os.path.basename(path)):
        t.has(told, part, "  its page says so: " + part)
    t.is_(s.upload(dist.sdist("many-03", "4.0", salt="another byte"), token).status, 403, "  the same name with other bytes: refused")
    t.is_(s.upload(dist.sdist("many-03", "4.1"), token).status, 403, "  another file: refused")
    t.is_(s.upload(dist.sdist("many-03", "4.0"), token).status, 200, "  that file is accepted")
    t.is_(s.upload(dist.wheel("many-04", "4.0"), token).status, 200, "  and the other")
    sums, name = listed[:64], "  many_03-4.0.tar.gz"
    for what, text, says in (
            ("a short digest", sums[1:] + name, "Line 1 of the files is not as sha256sum"),
            ("a long digest", "a" + sums + name, "Line 1 of the files is not as sha256sum"),
            ("no digit", "g" + sums[1:] + name, "Line 1 of the files is not as sha256sum"),
            ("no digest, third line", sums + name + "\r\n\r\nmany_03-4.0.tar.gz\r\n", "Line 3 of the files is not as sha256sum"),
            ("no name", sums + "  ", "Line 1 of the files is not as sha256sum"),
            ("a directory", sums + "  dist/", "Line 1 of the files names neither"),
            ("no distribution", sums + name + "\n" + sums + " *dist/README.txt", "Line 2 of the files names neither"),
            ("an escaped name", "\\" + sums + name, "Line 1 of the files is not as sha256sum"),
            ("too many", "\n".join("%064x  many_03-%d.0.tar.gz" % (i, i) for i in range(33)), "Line 33 of the files is one too many")):
        r = add(s, b, files=text)
        t.ok(r.status == 422 and not made(s, r), "files, %s: refused" % what, r.status)
        t.ok('<a href="#files">' + says in r.text and 'id="files-wrong">' + says in r.text, "  told above and beside the field", r.text[:1500])
        t.has(r.text, 'aria-describedby="files-wrong"', "  which refers to it")
        t.is_(html.unescape(re.search(r"(?s)<textarea[^>]*>\n(.*?)</textarea>", r.text).group(1)), text, "  what was typed is there again")
    lines = "\n".join("%064x  %s-%d.0-py3-none-any.whl" % (i, "many_05_with_a_long_name", i) for i in range(31)) + "\n" + sums + name
    token = made(s, add(s, b, files=lines))
    t.is_(s.upload(dist.sdist("many-03", "4.0"), token).status, 200, "a token for as many files as it takes fits an upload's header")
    r = add(s, b, files="</textarea><script>")
    t.unlike(r.text, "</textarea><script", "nothing typed gets out of the field")


def nobody_else(t, s, alices):
    b = pages.Browser(s)
    b.sign_in("bob", s.password("bob"))
    path = "/account/tokens/" + alices.id
    t.is_(b.get(path).status, 404, "another one's token is not there")
    t.is_(b.post(path, "/account/tokens/new").status, 404, "  nor can it be revoked")
    t.is_(s.upload(dist.sdist("demo", "3.0"), alices).status, 200, "  it is as good as before")
    t.unlike(b.get("/account/tokens?state=all").text, alices.id, "  nor is it in his list")
    for bad in ("tokens/nope", "tokens/%s/x" % alices.id, "tokens/", "tokens/" + alices.id.upper()):
        t.is_(b.get("/account/" + bad).status, 404, bad[:20] + ": 404")
    r = b.request("POST", "/account/tokens/new", [("Content-Type", "application/x-www-form-urlencoded")],
                  b"csrf=wrong&name=x&scope=all&life=7d")
    t.is_(r.status, 403, "a form that is not ours makes nothing")
    stranger = pages.Browser(s)
    for path in ("tokens", "tokens/new", "tokens/" + alices.id):
        r = stranger.get("/account/" + path)
        t.is_((r.status, r.header("Location").endswith("sign-in")), (303, True), "nobody on %s: off to the form" % path[:12])


def policy(t, s, b):
    r = add(s, b, "/strict/")
    t.ok(r.status == 422 and "name them" in r.text, "a policy: no token for everything", r.text[:1500])
    r = add(s, b, "/strict/", scope="projects", life="", **{"project[]": ["many-01"]})
    t.ok(made(s, r) and "It ends on" in r.text, "  and none without an end", r.text[:1500])
    r = add(s, b, "/strict/", scope="projects", life="1y", **{"project[]": ["many-01"]})
    t.ok(r.status == 422 and "give an earlier end" in r.text, "  nor with one that is too late", r.text[:1500])


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice", "bob")
        s.write("policy", "longest-life = 30d\ndefault-life = 7d\nunrestricted = no\n")
        s.start(more=PAGES)
        b = pages.Browser(s)
        b.sign_in("alice", s.password("alice"))
        other = story(t, s, b)
        projects(t, s, b)
        files(t, s, b)
        nobody_else(t, s, other)
        policy(t, s, b)


tap.run(main)
