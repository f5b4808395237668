#!/usr/bin/python3
"""guard_owner.t - owners, projects, tokens and the database behind them: who owns what after which
upload, revocation, and what an edited, copied or stolen database is worth."""
import os
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, poll, site, tap, wire  # noqa: E402


def projects(s):
    return {row["normalized"]: row for row in s.ctl_json("project", "list")}


def roles(s, name):
    return [(row["user"], row["role"]) for row in s.ctl_json("role", "list", name)]


def first_upload(t, s, alice, bob):
    r = s.upload(dist.sdist("Fresh.Project"), alice)
    t.is_(r.status, 200, "the first upload of a new project", r)
    t.is_(roles(s, "fresh-project"), [("alice", "owner")], "  makes its uploader the owner")
    t.is_(projects(s)["fresh-project"]["name"], "Fresh.Project", "  the name is kept as it was written")

    r = s.upload(dist.sdist("fresh-project", "2.0"), bob)
    t.is_(r.status, 403, "somebody else on it: 403", r)
    t.has(r.reason, "isn't allowed to upload to project 'fresh-project'", "  with the reason")
    for i, name in enumerate(("FRESH_project", "fresh--project", "fresh.PROJECT")):
        r = s.upload(dist.sdist(name, "2.%d" % i), bob)
        t.is_(r.status, 403, "somebody else calling it %s: 403" % name, r)
        r = s.upload(dist.sdist(name, "2.%d" % i), alice)
        t.is_(r.status, 200, "its owner calling it %s: the same project" % name, r)
    t.ok("fresh-project" in projects(s) and len(projects(s)) == 1, "  there is one project, not four")

    s.ctl("role", "add", "fresh-project", "bob", "maintainer")
    r = s.upload(dist.sdist("fresh-project", "3.0"), bob)
    t.is_(r.status, 200, "with a role he may, on the next request", r)
    s.ctl("role", "remove", "fresh-project", "bob")
    r = s.upload(dist.sdist("fresh-project", "3.1"), bob)
    t.is_(r.status, 403, "without it he may not, on the next request", r)


def failed_first_upload(t, s, alice, bob):
    bad = {"sha256_digest": "0" * 64}
    r = s.upload(dist.sdist("wanted"), alice, changes=bad)
    t.is_(r.status, 400, "a first upload with a wrong digest: 400", r)
    t.has(r.reason, "sha256", "  that names the digest")
    t.ok(poll.until(lambda: "wanted" not in projects(s)), "  and the project is not kept")
    r = s.upload(dist.sdist("wanted"), bob)
    t.is_(r.status, 200, "  so that somebody else may have it", r)
    r = s.upload(dist.sdist("wanted", "2.0"), bob, changes=bad)
    t.is_(r.status, 400, "a later upload that fails", r)
    t.is_(roles(s, "wanted"), [("bob", "owner")], "  takes the project from nobody")


def new_projects(t, s, alice):
    r = s.upload(dist.sdist("unheard-of"), alice, path="/known/")
    t.is_(r.status, 403, "PyPITokenNewProjects Nobody: an unknown project is refused", r)
    t.has(r.reason, "new projects are not made by uploading", "  with the reason")
    t.ok("unheard-of" not in projects(s), "  and not made")
    s.ctl("project", "add", "Heard.Of", "--owner", "alice")
    r = s.upload(dist.sdist("heard-of"), alice, path="/known/")
    t.is_(r.status, 200, "  one that the operator has added is not", r)


def scopes(t, s, alice, bob):
    scoped = s.token("alice", "scoped-one", "Scoped_Two")
    for i, (name, status) in enumerate((("scoped-one", 200), ("scoped.two", 200), ("SCOPED-Two", 200),
                                        ("scoped-three", 403), ("scoped", 403))):
        r = s.upload(dist.sdist(name, "1.%d" % i), scoped)
        t.is_(r.status, status, "a token for two projects, uploading %s: %d" % (name, status), r)
    cases = [
        ("narrowed to a project", alice.only("scoped-one"), 200),
        ("narrowed twice, to different ones", alice.only("scoped-one").only("other"), 403),
        ("narrowed to several", alice.only("other", "scoped-one"), 200),
        ("narrowed to the name in another spelling", alice.only("Scoped_One"), 403),
        ("scoped and narrowed to what it had not", scoped.only("scoped-three"), 403),
        ("narrowed by the project's id", alice.narrow([2, [projects(s)["scoped-one"]["id"]]]), 200),
        ("narrowed by another id", alice.narrow([2, [projects(s)["scoped-two"]["id"]]]), 403),
        ("with the old form of a user scope", alice.narrow({"version": 1, "permissions": "user"}), 200),
        ("with the old form of a project scope",
         alice.narrow({"version": 1, "permissions": {"projects": ["scoped-one"]}}), 200),
        ("with the old form of another scope",
         alice.narrow({"version": 1, "permissions": {"projects": ["other"]}}), 403),
        ("valid until tomorrow", alice.narrow([0, int(time.time()) + 86400, int(time.time()) - 60]), 200),
        ("valid from tomorrow", alice.narrow([0, int(time.time()) + 90000, int(time.time()) + 86400]), 403),
        ("of another user's, narrowed", bob.only("scoped-one"), 403),
    ]
    for i, (name, token, status) in enumerate(cases):
        r = s.upload(dist.sdist("scoped-one", "2.%d" % i), token)
        t.is_(r.status, status, "a token %s: %d" % (name, status), r)
    restricted = s.ctl("token", "restrict", "--project", "scoped-two", text=alice.text + "\n").strip()
    s.secret(restricted)
    for name, status in (("scoped-two", 200), ("scoped-one", 403)):
        r = s.upload(dist.sdist(name, "3.0"), ("__token__", restricted))
        t.is_(r.status, status, "narrowed by pypitokenctl, uploading %s: %d" % (name, status), r)


def revocation(t, s):
    with wire.Conn(s.httpd.port) as c:
        token = s.token("alice")
        t.is_(s.upload(dist.sdist("revoked", "1.0"), token, conn=c).status, 200, "a token before its end")
        s.ctl("token", "revoke", token.id)
        r = s.upload(dist.sdist("revoked", "1.1"), token, conn=c)
        t.is_(r.status, 403, "revoked: the very next request on the same connection is refused", r)
        t.has(r.reason, "it was revoked", "  with the reason")
        r = s.upload(dist.sdist("revoked", "1.1"), token.only("revoked"), conn=c)
        t.has(r.reason, "it was revoked", "  and so is what was narrowed from it")

        token = s.token("alice")
        t.is_(s.upload(dist.sdist("revoked", "1.2"), token, conn=c).status, 200, "another token")
        s.ctl("user", "disable", "alice")
        r = s.upload(dist.sdist("revoked", "1.3"), token, conn=c)
        t.is_((r.status, "disabled" in r.reason), (403, True), "its owner disabled: the next is refused", r)
        s.ctl("user", "enable", "alice")
        t.is_(s.upload(dist.sdist("revoked", "1.3"), token, conn=c).status, 200, "  enabled: accepted again")

        token = s.token("alice", expires="3s")
        refused = poll.until(lambda: [r for r in [s.upload(dist.sdist("revoked", "1.0"), token, conn=c)]
                                      if r.status == 403])
        t.ok(refused and "expired" in refused[0].reason, "a token with an expiry of 3s expires", refused)


def last_use(t, s, alice):
    before = int(time.time())
    token = s.token("alice")
    t.is_(s.ctl_json("token", "show", token.id).get("used"), None, "a new token was never used")
    package = dist.wheel("used", "1.0")
    r = s.upload(package, token, headers=[("X-Forwarded-For", "10.1.2.3")])
    t.is_(r.status, 200, "a use of it", r)
    row = poll.until(lambda: [x for x in [s.ctl_json("token", "show", token.id)] if x.get("used")])
    row = row[0] if row else {}
    t.ok(before <= (row.get("used") or 0) <= time.time() + 1, "  its time is remembered", row)
    t.is_([row.get(k) for k in ("used_address", "used_agent", "used_file")],
          ["127.0.0.1", "pypt/1.0", package.filename], "  its address, client and file")
    s.upload(dist.sdist("used", "9.0"), token.only("other"))
    events = poll.until(lambda: [e for e in s.events() if e.get("token_id", e.get("token")) == token.id
                                 and e.get("verdict") == "token-scope"])
    t.ok(events, "a refusal is among the events", s.events()[-2:])
    t.is_(s.ctl_json("token", "show", token.id).get("used_file"), package.filename, "  but is no use")


def edited_rows(t, s, alice, bob):
    """Whoever writes into the database gains nothing."""
    columns = s.store.columns("tokens")
    secret = [c for c in columns if "key" in c][0]
    users = dict(s.store.rows("SELECT name, id FROM users"))

    def attempt(what, token, *statements):
        saved = s.store.rows("SELECT * FROM tokens")
        s.store.write(*statements)
        r = s.upload(dist.sdist("edited", "1.%d" % attempt.count), token)
        attempt.count += 1
        t.is_(r.status, 403, what + ": 403", r)
        t.has(r.reason, "does not know it", "  as a token that is not known")
        others = [c for c in columns if c != "id"]
        s.store.write(*[("UPDATE tokens SET %s WHERE id = ?" % ", ".join(c + " = ?" for c in others),
                         [v for c, v in zip(columns, row) if c != "id"] + [row[columns.index("id")]])
                        for row in saved])
    attempt.count = 0

    t.is_(s.upload(dist.sdist("edited", "0.1"), alice).status, 200, "before: alice's token works")
    short = s.token("alice", expires="1h")
    attempt("a token given to another user", alice,
            ("UPDATE tokens SET user_id = ? WHERE id = ?", (users["bob"], alice.id)))
    attempt("the sealed key of another row", alice,
            ("UPDATE tokens SET %s = ? WHERE id = ?" % secret, (sealed(s, bob, secret), alice.id)))
    attempt("bob's token with alice's key and bob's row", bob,
            ("UPDATE tokens SET %s = ? WHERE id = ?" % secret, (sealed(s, alice, secret), bob.id)))
    attempt("one bit of the sealed key", alice,
            ("UPDATE tokens SET %s = ? WHERE id = ?" % secret,
             (flipped(sealed(s, alice, secret)), alice.id)))
    attempt("an expiry put off", short,
            ("UPDATE tokens SET expires = expires + 86400 WHERE id = ?" , (short.id,)))
    attempt("a creation put back", alice,
            ("UPDATE tokens SET created = created - 1 WHERE id = ?", (alice.id,)))
    t.is_(s.upload(dist.sdist("edited", "0.2"), alice).status, 200, "all put back: alice's token works again")
    t.is_(s.upload(dist.sdist("edited", "0.3"), short).status, 200, "  and the other")


def sealed(s, token, column):
    return s.store.rows("SELECT %s FROM tokens WHERE id = ?" % column, token.id)[0][0]


def flipped(blob):
    return bytes(blob[:-1]) + bytes([blob[-1] ^ 1])


def outage(t, s, alice):
    """The database is out of reach: 503, never 403, never 200; and then it is back."""
    s.allow(r"cannot (open|reach) the store", r"store-down", r"store (/|mysql:).*")
    s.store.away()
    with wire.Conn(s.httpd.port) as c:
        for name, who in (("a good token", alice), ("a forged token", alice.mistyped())):
            r = s.upload(dist.sdist("outage"), who, conn=c)
            t.is_(r.status, 503, "no database, %s: 503" % name, r)
            t.ok(int(r.header("Retry-After", "0")) > 0, "  with Retry-After")
            c = wire.Conn(s.httpd.port) if r.header("Connection") == "close" else c
        r = s.upload(dist.sdist("outage"), conn=c)
        t.is_(r.status, 401, "no database, no credentials: 401", r)
    s.store.back()
    r = poll.until(lambda: [r for r in [s.upload(dist.sdist("outage"), alice)] if r.status != 503])
    t.is_(r and r[0].status, 200, "the database is back: so are uploads, without a restart", r)
    t.unlike(s.httpd.said(), "exit signal (?!Killed)", "no child crashed")


def beside_ctl(t, s, alice):
    """pypitokenctl of root and a server that starts open the same database at the same time."""
    s.httpd.stop()
    answers = []
    for i in range(12):
        s.start()
        s.ctl("user", "list")
        s.ctl("user", "list")
        answers.append(s.upload(dist.sdist("beside", "1.%d" % i), alice).status)
        s.httpd.stop()
    t.is_(answers, [200] * len(answers), "pypitokenctl while a server starts does no harm")
    s.start()


def stolen_database(t, s, alice):
    """The database alone, under a keyring of its own."""
    copy = s.store.copy()
    other = s.path("stolen-keyring")
    done = s.ctl_run("init", store=copy, keyring=other)
    t.is_(done.returncode, 0, "a new keyring beside a copied database", done.stderr)
    s.httpd.stop()
    shutil.copy(other, s.path("keyring"))
    s.store = copy
    s.start()
    r = s.upload(dist.sdist("stolen"), alice)
    t.is_((r.status, "does not know it" in r.reason), (403, True), "with another keyring: nothing verifies", r)
    t.like(s.httpd.error_log(), "another keyring", "  and the operator reads why in the error log")


def main(t):
    site.need(t)
    known = site.GUARD.replace('"/legacy/"', '"/known/"').replace("{guard}", "PyPITokenNewProjects Nobody")
    with site.Site(t) as s:
        s.init("alice", "bob")
        s.start(more=known)
        alice, bob = s.token("alice"), s.token("bob")
        for part, arguments in ((first_upload, (alice, bob)), (failed_first_upload, (alice, bob)),
                                (new_projects, (alice,)), (scopes, (alice, bob)), (revocation, ()),
                                (last_use, (alice,)), (edited_rows, (alice, bob)),
                                (outage, (alice,)), (beside_ctl, (alice,)), (stolen_database, (alice,))):
            t.note(part.__name__)
            part(t, s, *arguments)


tap.run(main)
