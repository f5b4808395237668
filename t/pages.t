#!/usr/bin/python3
"""pages.t - the pages with much on them: how large, how many statements, is it HTML; two owners; languages; behind a proxy."""
import os
import re
import shutil
import subprocess
import sys
import time
import uuid

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, pages, poll, site, tap  # noqa: E402

PAGES = (pages.at("/account/", "PyPITokenAdmins many few") +
         pages.at("/hours/", 'PyPITokenPolicy "{root}/hours"') +
         pages.at("/strict/", 'PyPITokenPolicy "{root}/policy"', "PyPITokenUploadURL https://pypi.example/upload/") + """\
LogFormat "%U %{pypitoken-statements}n" statements
CustomLog "{root}/logs/statements" statements
RewriteEngine On
UseCanonicalPhysicalPort On
RewriteRule "^/outside/pypi/(.*)" "http://127.0.0.1:%{SERVER_PORT}/$1" [P]
PyPITokenFlush 60s
""")
# of the HTML standard, but younger than tidy
YOUNGER = ("aria-current", "autocapitalize", "inputmode", "autocomplete")
MOST = 50000  # bytes of a page, uncompressed
PATHS = ("", "tokens", "tokens?state=all&sort=used", "tokens?q=token-1&sort=name&page=2", "tokens/new", "tokens/new?q=proj", "projects",
         "projects?page=3", "projects/PROJECT", "events", "second-factor", "admin/users", "admin/projects", "admin/tokens",
         "admin/events", "admin/users/bob", "tokens/TOKEN", "admin/tokens/TOKEN")


def fill(s, user, projects, tokens, events):
    """Rows that only lists read, straight into the file: their keys open nothing."""
    db = s.store.connect()
    db.execute("BEGIN IMMEDIATE")
    (uid,) = db.execute("SELECT id FROM users WHERE name = ?", (user,)).fetchone()
    now = int(time.time())
    names = ["%s-project-number-%03d" % (user, i) for i in range(projects)]
    for name in names:
        pid = str(uuid.uuid4())
        db.execute("INSERT INTO projects VALUES (?, ?, ?, 1, ?)", (pid, name, name, now))
        db.execute("INSERT INTO roles VALUES (?, ?, 2)", (pid, uid))
    ids = []
    for i in range(tokens):
        ids.append(str(uuid.uuid4()))
        scope = names[i % len(names)] if i % 2 else "*"
        db.execute("INSERT INTO tokens (id, user_id, name, scope, sealed_key, created, expires, used, used_address, used_agent, used_file) "
                   "VALUES (?, ?, ?, ?, x'00', ?, ?, ?, '2001:db8::1234', 'twine/6.1.0 requests/2.32 CPython/3.13.0', ?)",
                   (ids[-1], uid, "token-%03d of the pipeline" % i, scope, now - i, now + 86400 * i if i % 3 else 0, now - i,
                    "%s-1.%d.tar.gz" % (names[0].replace("-", "_"), i)))
        if scope != "*":
            db.execute("INSERT INTO token_projects VALUES (?, ?)", (ids[-1], scope))
    for i in range(events):
        db.execute("INSERT INTO events (at, kind, user_name, token_id, project, file, address, agent) VALUES (?, 'upload', ?, ?, ?, ?, "
                   "'2001:db8::1', 'twine/6.1.0 requests/2.32')", (now - i, user, ids[0], names[0], "%s-1.%d.tar.gz" % (names[0], i)))
    db.commit()
    db.close()
    return names[0], ids[0]


def cost(s, b, path):
    """Statements that a page took: the least of some, for housekeeping may run beside one."""
    seen = []
    for _ in range(3):
        before = os.path.getsize(s.path("logs/statements"))
        r = b.get("/account/" + path)
        poll.until(lambda: os.path.getsize(s.path("logs/statements")) > before)
        with open(s.path("logs/statements"), encoding="utf-8") as f:
            seen.append(int(f.read().split()[-1]))
    return r, min(seen)


def tidy(t, text, name):
    if not shutil.which("tidy"):
        t.skip(name + ": is HTML", "no tidy")
        return
    done = subprocess.run(["tidy", "-q", "-e", "--drop-empty-elements", "no", "--warn-proprietary-attributes", "yes"], input=text,
                          stderr=subprocess.PIPE, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if not re.search(r'proprietary attribute "(%s)"$' % "|".join(YOUNGER), line)]
    t.is_(wrong, [], name + ": is HTML")


def much(t, s):
    costs = {}
    few, many = fill(s, "few", 2, 2, 2), fill(s, "many", 600, 300, 400)
    for user, (project, token) in (("few", few), ("many", many)):
        b = pages.Browser(s)
        b.sign_in(user, s.password(user))
        for path in PATHS:
            where = path.replace("PROJECT", project).replace("TOKEN", token)
            r, n = cost(s, b, where)
            t.is_(r.status, 200, "%s: %s" % (user, path or "the first page"))
            costs.setdefault(path, []).append(n)
            if user == "many":
                t.ok(len(r.text.encode()) < MOST, "  %d bytes" % len(r.text.encode()))
                tidy(t, r.text, "  it")
    t.is_({p: c for p, c in costs.items() if c[0] != c[1]}, {}, "a page takes as many statements for 600 projects and 300 tokens as for two")
    t.ok(0 < max(max(c) for c in costs.values()) <= 8, "  and few at that", costs)
    t.note("statements: %s" % {p: c[1] for p, c in costs.items()})
    return b


def lists(t, s, b):
    """b: of the person with many."""
    text = b.get("/account/tokens").text
    t.ok(text.count("<tr>") == 41 and "1 to 40 of" in text, "300 tokens: forty at a time")
    seen, where, n = set(), "tokens?state=all", 0
    while where and n < 20:
        text = b.get("/account/" + where).text
        seen |= set(re.findall(r">(token-\d+)", text))
        where = (re.findall(r'href="\./([^"]*)" rel="next"', text) or [None])[0]
        where, n = where and where.replace("&amp;", "&"), n + 1
    t.is_((len(seen), n), (300, 8), "  all of them are found by going further")
    first = re.findall(r">(token-\d+)", b.get("/account/tokens?state=all&sort=name").text)
    t.is_(first[:2], ["token-000", "token-001"], "  by name")
    t.is_(re.findall(r">(token-\d+)", b.get("/account/tokens?q=TOKEN-29").text)[:1], ["token-290"], "  by a part of it, whatever the case")
    ends = b.get("/account/tokens?sort=end").text
    t.like(ends, r"in a minute|in an hour|in a moment|in \d+ hours|in a day", "  what ends soon first")
    for bad in ("page=0", "page=-4", "page=999999999999999999999", "page=x", "sort=%3Cb%3E", "q=%00", "q=%FF", "before=x", "before=1-"):
        t.is_(b.get("/account/tokens?" + bad).status, 200, "  %s does no harm" % bad)
    text = b.get("/account/projects").text
    t.ok("1 to 80 of 600" in text, "600 projects: eighty at a time")
    text = b.get("/account/projects?q=number-59").text
    t.is_(text.count("many-project-number-59"), 20, "  by a part of the name")
    text = b.get("/account/tokens/new").text
    t.ok(text.count('name="project[]"') == 100 and "500 more are not shown" in text, "the choice of projects: a hundred, and how many more")
    form = {"name": "kept", "scope": "projects", "life": "7d", "act": "find", "q": "number-4", "uses": "7", "kind": "wheel",
            "project[]": ["many-project-number-001", "many-project-number-599"]}
    r = b.post("/account/tokens/new", "/account/tokens/new", **form)
    checked = re.findall(r'value="([^"]*)" checked> many', r.text)
    t.is_((r.status, checked), (200, ["many-project-number-001", "many-project-number-599"]), "  what was chosen stays chosen, whatever is looked for next")
    t.ok('value="kept"' in r.text and 'value="7"' in r.text and 'value="wheel" selected' in r.text and '"7d" selected' in r.text,
         "  and what was typed stays", r.text[:3000])
    t.ok(len(r.text.encode()) < MOST, "  %d bytes" % len(r.text.encode()))
    r = b.get("/account/events")
    t.ok(r.text.count("<li><strong>") == 50 and "older ones" in r.text, "the record: fifty at a time")
    older = re.search(r'href="\./(events\?before=[^"]*)"', r.text).group(1)
    t.is_(len(set(re.findall(r"\d+\.tar\.gz", r.text)) & set(re.findall(r"-1\.\d+\.tar\.gz", b.get("/account/" + older).text))), 0, "  then older ones")


def owners(t, s):
    """Two owners see each other's token names on the project's page: not the secrets, nor other projects' names."""
    for name in ("alice", "bob"):
        s.ctl("project", "add", name + "-secret-project", "--owner", name)
    s.ctl("project", "add", "Shared.Tool", "--owner", "alice")
    s.ctl("role", "add", "shared-tool", "bob", "owner")
    s.ctl("role", "add", "shared-tool", "carol", "maintainer")
    tokens = {}
    for user, name, projects in (("alice", "alices both", ("shared-tool", "alice-secret-project")), ("bob", "bobs both", ("shared-tool", "bob-secret-project")),
                                 ("bob", "bobs all", ()), ("bob", "bobs other", ("bob-secret-project",)), ("carol", "carols", ("shared-tool",)),
                                 ("dave", "strangers all", ())):
        tokens[name] = s.ctl("token", "create", "--user", user, "--name", name, *[x for p in projects for x in ("--project", p)]).strip()
        s.secret(tokens[name])
    for name, glob in (("bobs team", "team-*"), ("bobs shared", "shared-*")):
        tokens[name] = s.ctl("token", "create", "--user", "bob", "--name", name, "--glob", glob).strip()
        s.secret(tokens[name])
    s.ctl("token", "revoke", next(r["id"] for r in s.ctl_json("token", "list") if r["name"] == "bobs all"))
    s.ctl("token", "create", "--user", "bob", "--name", "bobs new all")
    t.is_(s.upload(dist.sdist("Shared.Tool"), ("__token__", tokens["carols"])).status, 200, "an upload")
    for who in ("alice", "bob", "carol"):
        b = pages.Browser(s)
        b.sign_in(who, s.password(who))
        text = b.get("/account/projects/shared-tool").text
        for name in ("alices both", "bobs both", "carols", "bobs new all", "bobs shared"):
            t.has(text, name, "%s sees the token %s" % (who, name))
        for name in ("bobs all", "bobs other", "strangers all", "bobs team"):
            t.ok(">%s<" % name not in text, "  not %s, which is no good for it" % name)
        t.ok(not [v for v in tokens.values() if v in text or v[-20:] in text], "  no secret")
        t.unlike(text, "secret-project", "  and no other project's name")
        t.ok("shared_tool-1.0.tar.gz" in text and "by carol" in text, "  what was uploaded, by whom")
        t.is_('name="role"' in text, who != "carol", "  the form for roles only who is an owner")
    a = pages.Browser(s)
    a.sign_in("alice", s.password("alice"))
    page = "/account/projects/shared-tool"
    roles = lambda: {r["user"]: r["role"] for r in s.ctl_json("role", "list", "shared-tool")}  # noqa: E731
    t.is_(a.post(page, page, user="dave", role="maintainer").status, 303, "an owner gives a role")
    t.is_(a.post(page, page, user="carol", role="none").status, 303, "  and takes one")
    t.is_(a.post(page, page, user="bob", role="maintainer").status, 303, "  and makes an owner a maintainer")
    t.is_(roles(), {"alice": "owner", "bob": "maintainer", "dave": "maintainer"}, "  it is so")
    for fields, says in (({"user": "alice", "role": "none"}, "at least one owner"), ({"user": "alice", "role": "maintainer"}, "at least one owner"),
                         ({"user": "zed", "role": "owner"}, "There is no user"), ({"user": "carol", "role": "none"}, "has no role on this project"),
                         ({"user": "", "role": "owner"}, "Say whose role")):
        r = a.post(page, page, **fields)
        t.ok(r.status == 422 and says in r.text and 'id="user-wrong"' in r.text, "refused, and told beside the field: " + says, r.text[:1500])
    t.is_(a.post(page, page, user="bob", role="emperor").status, 400, "no such role")
    t.is_(roles()["alice"], "owner", "the last owner stays")
    kinds = [(e["kind"], e["user"], e["project"], e["detail"]) for e in s.events() if e["kind"].startswith("role")]
    t.ok(("role-added", "alice", "shared-tool", "user dave, role maintainer") in kinds, "roles are on record, with who gave them", kinds)
    return a


def languages(t, s, b):
    for asked, tag, says in (("de", "de", "Ihre Tokens"), ("de-AT,en;q=0.5", "de", "Ihre Tokens"), ("fr;q=0.9,en;q=0.8", "fr", "Vos jetons"),
                             ("en;q=0.9,fr;q=0.8", "en", "Your tokens"), ("tlh", "en", "Your tokens"), ("", "en", "Your tokens"),
                             ("de;q=0, fr;q=x, *", "en", "Your tokens"), ("x" * 4000, "en", "Your tokens")):
        r = b.get("/account/tokens", headers=[("Accept-Language", asked)])
        t.ok('<html lang="%s">' % tag in r.text and says in r.text, "asked for %s: %s" % (asked[:20] or "nothing", tag), r.text[:600])
        t.has(r.header("Vary") or "", "Accept-Language", "  and a cache is told")
    b.more = [("Accept-Language", "de")]
    for path in ("", "tokens", "tokens/new", "projects", "projects/shared-tool", "events", "second-factor", "nothing"):
        r = b.get("/account/" + path)
        tidy(t, r.text, "in German, %s" % (path or "the first page"))
        t.unlike(re.sub(r"<code>.*?</code>", "", r.text), r"\b(the|your|There|token has)\b", "  with no English left")
    r = b.post("/account/tokens/new", "/account/tokens/new", name="x", scope="all", life="7d", networks="10.0.0.1/8")
    t.has(r.text, "„10.0.0.1/8“ ist kein Netz", "what is wrong is said in German, too")
    r = b.post("/account/projects/shared-tool", "/account/projects/shared-tool", user="<zed>", role="owner")
    t.has(r.text, "Es gibt keinen Benutzer „&lt;zed&gt;“.", "  with what was typed in it, escaped")
    r = b.post("/account/tokens/new", "/account/tokens/new", name="x", scope="projects", life="7d",
               **{"project[]": ["few-project-number-000"]})
    t.has(r.text, "Der Benutzer „alice“ hat keine Rolle im Projekt „few-project-number-000“.",
          "  each thing in its place where there are two")
    b.more = []


def crowd(t, s, b):
    """A project of more people than a page shows."""
    s.ctl("project", "add", "crowded", "--owner", "alice")
    db = s.store.connect()
    (pid,) = db.execute("SELECT id FROM projects WHERE norm = 'crowded'").fetchone()
    for i in range(44):
        uid = str(uuid.uuid4())
        db.execute("INSERT INTO users (id, name, created) VALUES (?, ?, 1)", (uid, "one-of-%02d" % i))
        db.execute("INSERT INTO roles VALUES (?, ?, 1)", (pid, uid))
    db.execute("UPDATE tokens SET used_file = ? WHERE user_id = (SELECT id FROM users WHERE name = 'alice')",
               ("x" * 89 + "\u00e4" + "y" * 10,))
    db.commit()
    db.close()
    text = b.get("/account/tokens").text
    t.ok("x" * 89 + "..." in text and "x" * 90 not in text and "y" * 10 not in text,
         "a long text is cut, but no character in two", text[-3000:])
    text = b.get("/account/projects/crowded").text
    t.ok("5 more not shown" in text and len(set(re.findall(r"one-of-\d\d", text))) == 39,
         "45 people on a project: 40 are shown, and how many are not", text[:3000])


def outside(t, s, b):
    """The upload URL that is told, as it is from outside."""
    def told(path, headers=(), **fields):
        b.get(path)
        r = b.send(path, dict({"name": "n", "scope": "all", "life": "7d", "csrf": b.field("csrf")}, **fields), headers=headers)
        found = re.search(r"TWINE_REPOSITORY_URL=(\S+)", r.text)
        for token in re.findall(r"pypi-[\w-]{60,}", r.text):
            s.secret(token)
        return found.group(1) if found else r.status
    host = "127.0.0.1:%d" % s.httpd.port
    t.is_(told("/account/tokens/new", [("Host", host)]), "http://%s/legacy/" % host, "the upload URL, by the request's host")
    t.is_(told("/account/tokens/new", [("Host", "out.example"), ("Referer", "https://out.example/pypi/account/tokens/new?q=x")]),
          "https://out.example/pypi/legacy/", "behind a proxy that puts a path before ours: with that path")
    t.is_(told("/account/tokens/new", [("Host", "in.example"), ("X-Forwarded-Host", "out.example"), ("Referer", "https://out.example/me/tokens/new")]),
          "https://out.example/legacy/", "behind one with another path: at its host")
    for referer in ("https://evil.example/account/tokens/new", "https://out.example.evil.example/account/tokens/new",
                    "https://out.example@evil.example/account/tokens/new", "nonsense", "https://out.example"):
        t.like(str(told("/account/tokens/new", [("Host", "out.example"), ("Referer", referer)])), r"^http://out\.example(:\d+)?/legacy/$", "a page elsewhere has no say: " + referer)
    t.is_(told("/account/tokens/new", [("Host", "out.example"), ("Referer", "https://out.example/$(id)/account/tokens/new")]), "THE-UPLOAD-URL",
          "what a shell would run is not shown")
    r = b.get("/outside/pypi/account/sign-in")
    t.ok(r.status == 200 and 'action="./sign-in"' in r.text, "through a real proxy the pages work, by relative links", r.status)
    strict = pages.Browser(s)
    strict.sign_in("alice", s.password("alice"), "/strict/")
    text = strict.get("/strict/tokens/new").text
    t.ok("lives for 30 days at most" in text and "Without an end it gets 7 days" in text and "certain projects or files" in text, "the policy is told beforehand")
    hours = pages.Browser(s)
    hours.sign_in("alice", s.password("alice"), "/hours/")
    t.has(hours.get("/hours/tokens/new").text, "lives for 12 hours at most", "  in hours where it is less than a day")
    t.ok('value="30d"' in text and 'value="90d"' not in text, "  and no life is offered that it does not let be")
    r = strict.post("/strict/tokens/new", "/strict/tokens/new", name="n", scope="projects", life="7d", **{"project[]": ["shared-tool"]})
    t.has(r.text, "TWINE_REPOSITORY_URL=https://pypi.example/upload/", "PyPITokenUploadURL: as it says")
    for token in re.findall(r"pypi-[\w-]{60,}", r.text):
        s.secret(token)


def main(t):
    site.need(t)
    if os.environ.get("PYPT_STORE", "sqlite") != "sqlite":
        t.skip_all("fills an SQLite file")
    with site.Site(t) as s:
        s.init("few", "many", "alice", "bob", "carol", "dave")
        s.write("policy", "longest-life = 30d\ndefault-life = 7d\nunrestricted = no\n")
        s.write("hours", "longest-life = 12h\n")
        s.start(more=PAGES, modules=["proxy", "proxy_http"])
        many = much(t, s)
        lists(t, s, many)
        alice = owners(t, s)
        languages(t, s, alice)
        outside(t, s, alice)
        crowd(t, s, alice)


tap.run(main)
