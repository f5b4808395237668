#!/usr/bin/python3
"""pages_access.t - every page, read and sent, as everybody: what the table of routes says, and nothing else."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, pages, site, tap  # noqa: E402

PAGES = pages.at("/account/", "PyPITokenAdmins root-of-all") + pages.at("/nobodys/")
WHO = ("nobody", "stranger", "maintainer", "owner", "root-of-all")
ROW = re.compile(r'^    \{"([^"]*)", MANAGE_(\w+), (\w+), MANAGE_(\w+), (\w+)\},$', re.M)

# What somebody gets from a page of that word: the status, or a set of them.
FINE = {200, 303, 422, 400, 401}
SIGN_IN = "sign-in"
ANSWERS = {
    #              nobody   stranger  maintainer  owner  administrator
    "OPEN":       (FINE,    FINE,     FINE,       FINE,  FINE),
    "ASKED":      (FINE,    FINE,     FINE,       FINE,  FINE),
    "PERSON":     (SIGN_IN, FINE,     FINE,       FINE,  FINE),
    "OWN_TOKEN":  (SIGN_IN, 404,      404,        FINE,  404),
    "MAINTAINER": (SIGN_IN, 404,      FINE,       FINE,  FINE),
    "OWNER":      (SIGN_IN, 404,      403,        FINE,  FINE),
    "ADMIN":      (SIGN_IN, 404,      404,        404,   FINE),
}


# Whatever a page does, pypitokenctl does as well: {route: {the form's "act", or "" for none: commands that do the same}}.
# An act without any only shows something, or is a browser's own affair.
COMMANDS = {
    "tokens/new": {"": ["token create"], "find": []},
    "tokens/*": {"": ["token revoke"]},
    "projects/*": {"": ["role add", "role remove"]},
    "second-factor": {"begin": ["totp enroll"], "codes": ["recovery-codes"], "remove": ["totp disable"]},
    "second-factor/new": {"": ["totp confirm"]},
    "admin/users/*": {"disable": ["user disable"], "enable": ["user enable"], "factor": ["totp disable"], "logout": ["user logout"]},
    "admin/tokens": {"look": ["token inspect", "token show"], "revoke": ["token revoke"]},
    "admin/tokens/*": {"": ["token revoke"]},
    "sign-in": {"": []},
    "sign-out": {"": ["user logout"]},
}
# Each option that narrows a token, and the field of the form that does.
FIELDS = {"network": "networks", "version": "versions", "glob": "globs", "kind": "kind", "file": "files", "uses": "uses",
          "new-only": "creation", "existing-only": "creation"}


def source(name):
    with open(os.path.join(SRCDIR, "mod_pypitoken", name), encoding="utf-8") as f:
        return f.read()


def commands(t, rows):
    """Every act of a page has its command, every option of a command its field."""
    text = source("ctl/commands.c")
    known = {" ".join(w for w in pair if w) for pair in re.findall(r'\{\{"([a-z-]+)", (?:NULL|"([a-z-]+)")\},', text)}
    t.ok(len(known) > 30, "the table of commands is read", sorted(known))
    t.is_(sorted(path for path, _, _, _, post in rows if post != "NULL"), sorted(COMMANDS), "each page that changes something is in the table of this test")
    t.is_([c for acts in COMMANDS.values() for names in acts.values() for c in names if c not in known], [], "  with commands that there are")
    where = os.path.join(SRCDIR, "mod_pypitoken/httpd")
    pages_ = "\n".join(source("httpd/pages/" + name) for name in os.listdir(where + "/pages") if name.endswith(".html"))
    code = "\n".join(source("httpd/" + name) for name in os.listdir(where) if re.fullmatch(r"manage\w*\.c", name))
    acts = {a for row in COMMANDS.values() for a in row if a}
    t.is_(set(re.findall(r'name="act" value="([^"{]*)"', pages_)), acts, "  and all acts of the forms")
    t.is_(set(re.findall(r'slice_is\((?:act|form_get\(&m->form, "act"\)), "(\w+)"\)', code)) - acts, set(), "  and of the code")
    options = re.findall(r'^    \{"([a-z-]+)", [^\n]*\bCOMMANDS_NARROW\b', text, re.M)
    t.is_(sorted(options), sorted(FIELDS), "each option that narrows a token is in the table of this test")
    form = source("httpd/pages/token-new.html")
    t.is_([f for f in FIELDS.values() if 'name="%s"' % f not in form], [], "  and has a field in the form for one")


def routes():
    text = source("httpd/manage_route.c")
    return ROW.findall(text), text.count("MANAGE_", 0, text.index("};")) // 2


def answer(r):
    return SIGN_IN if r.status == 303 and (r.header("Location") or "").endswith("/sign-in") else r.status


def fits(got, want):
    return got in want if isinstance(want, set) else got == want


def state(s):
    """All that a page could have changed."""
    return {"tokens": sorted((row["id"], row["revoked"]) for row in s.ctl_json("token", "list")),
            "roles": sorted((row["user"], row["role"]) for row in s.ctl_json("role", "list", "demo")),
            "users": sorted((row["name"], row["disabled"], row["second_factor"]) for row in s.ctl_json("user", "list"))}


def main(t):
    site.need(t)
    rows, n = routes()
    t.ok(len(rows) > 15 and len(rows) == n, "the table of routes is read, each of its rows", (len(rows), n))
    t.is_(sorted({w for row in rows for w in (row[1], row[3])} - set(ANSWERS)), [], "each of its words is known here")
    commands(t, rows)
    with site.Site(t) as s:
        s.init("stranger", "maintainer", "owner", "root-of-all")
        token = s.token("owner", "demo")
        s.ctl("role", "add", "demo", "maintainer", "maintainer")
        s.start(more=PAGES)
        who = {name: pages.Browser(s) for name in WHO}
        for name in WHO[1:]:
            t.is_(who[name].sign_in(name, s.password(name)).status, 303, name + " is signed in")
        stars = {"tokens/*": "tokens/" + token.id, "projects/*": "projects/demo", "admin/users/*": "admin/users/stranger",
                 "admin/tokens/*": "admin/tokens/" + token.id}
        t.is_(sorted(p for p, *_ in rows if "*" in p), sorted(stars), "there is an example for each '*'")
        before = state(s)
        for path, sees, get, acts, post in rows:
            where = "/account/" + stars.get(path, path)
            for name, want, sent in zip(WHO, ANSWERS[sees], ANSWERS[acts]):
                b = who[name]
                r = b.get(where)
                want = 405 if get == "NULL" else want
                t.ok(fits(answer(r), want), "%s reads %s: %s" % (name, path or "the first page", want), answer(r))
                if name != "nobody" and not fits(r.status, FINE):
                    t.unlike(r.text, "demo.* - |" + token.id, "  and learns nothing")
                # without the form's own token: who may gets 403 for that, who may not the answer of the table; where
                # nobody is asked for, the sign-in form has its own
                r = b.send(where, {"csrf": "x", "act": "disable", "role": "owner", "user": "stranger"})
                sent = 405 if post == "NULL" else {403} if sent is FINE and acts != "ASKED" else sent if sent is not FINE else {403, 303}
                t.ok(fits(answer(r), sent), "  and sends it without its token: %s" % sent, answer(r))
        t.is_(state(s), before, "nothing was changed by that")
        sent_well(t, s, who, token, before)
        nowhere(t, s)


def sent_well(t, s, who, token, before):
    """The same with the form as the page has it: who may not, may not with it either."""
    for name in WHO[1:]:
        b = who[name]
        b.get("/account/tokens/new")
        csrf = b.field("csrf")
        for path, fields, may in (
                ("tokens/" + token.id, {}, ()), ("admin/tokens/" + token.id, {}, ()),
                ("projects/demo", {"user": "stranger", "role": "owner"}, ()),
                ("admin/users/stranger", {"act": "disable"}, ()), ("admin/users/stranger", {"act": "factor"}, ()),
                ("admin/tokens", {"what": token.text, "act": "revoke"}, ())):
            if name in ("owner", "root-of-all") and (name, path.split("/")[0]) != ("owner", "admin"):
                continue
            r = b.send("/account/" + path, dict(fields, csrf=csrf))
            t.ok(r.status in (403, 404), "%s sends %s%s: refused" % (name, path[:14], fields.get("act", "")), r.status)
    t.is_(state(s), before, "and nothing was changed")
    root = who["root-of-all"]
    r = root.post("/account/admin/users/root-of-all", "/account/admin/users/stranger", act="disable")
    t.ok(r.status == 422 and "your own account" in r.text, "an administrator does not disable himself", r)
    s.second_factor("stranger")
    t.is_(root.post("/account/admin/users/stranger", "/account/admin/users/stranger", act="factor").status, 303, "an administrator takes a second factor off")
    t.is_(root.post("/account/admin/users/stranger", "/account/admin/users/stranger", act="disable").status, 303, "  and disables the account")
    r = root.post("/account/admin/users/stranger", "/account/admin/users/stranger", act="promote")
    t.is_(r.status, 400, "  and does nothing else with it")
    r = root.post("/account/admin/users/nobody-of-that-name", "/account/admin/users/stranger", act="disable")
    t.is_(r.status, 404, "  nor with one that is not there")
    row = next(row for row in s.ctl_json("user", "list") if row["name"] == "stranger")
    t.ok(row["disabled"] and not row["second_factor"], "  it is so", row)
    t.is_(answer(who["stranger"].get("/account/")), SIGN_IN, "  and its session is over")
    t.is_(root.post("/account/admin/users/stranger", "/account/admin/users/stranger", act="enable").status, 303, "  and enables it again")
    r = root.post("/account/admin/tokens", "/account/admin/tokens", what="a log:\n" + token.text + " ok", act="look")
    t.ok(r.status == 200 and "is good" in r.text and token.id in r.text, "a token that was pasted: whose it is", r.text[-1500:])
    t.unlike(r.text, re.escape(token.text[-20:]), "  and it is not shown again")
    r = root.post("/account/admin/tokens", "/account/admin/tokens", what=token.text[:-9] + "AAAAAAAAA", act="revoke")
    t.ok("none of this index" in r.text, "  one with another signature is none of ours", r.text[-900:])
    gone = "00000000-0000-4000-8000-000000000000"
    r = root.post("/account/admin/tokens", "/account/admin/tokens", what=gone)
    t.ok(r.status == 404 and "There is no token of that id" in r.text, "an id that no token has", r.status)
    t.is_(root.post("/account/admin/tokens/" + gone, "/account/admin/tokens").status, 404, "  nor is it revoked")
    r = root.post("/account/admin/tokens", "/account/admin/tokens", what=" %s\n" % token.id)
    t.is_((r.status, r.header("Location")), (303, "../admin/tokens/" + token.id), "an id leads to the token")
    t.has(root.get("/account/admin/tokens/" + token.id).text, "owner", "  which is shown with its owner")
    r = root.post("/account/admin/tokens", "/account/admin/tokens", what=token.text, act="revoke")
    t.has(r.text, "is revoked now", "a token that was pasted is revoked")
    t.ok(s.ctl_json("token", "list")[0]["revoked"], "  it is so")
    other = s.token("owner", "demo")
    for what in ("a token is revoked on its page", "  once more is no fault"):
        r = root.post("/account/admin/tokens/" + other.id, "/account/admin/tokens")
        t.is_((r.status, r.header("Location")), (303, "../../admin/tokens/" + other.id), what)
        t.ok(next(row for row in s.ctl_json("token", "list") if row["id"] == other.id)["revoked"], "  it is so")
    kinds = [(e["kind"], e["user"]) for e in s.events()]
    for kind in ("user-disabled", "user-enabled", "totp-disabled"):
        t.ok((kind, "root-of-all") in kinds, "  %s is on record, with who did it" % kind, kinds)


def nowhere(t, s):
    """Without the directive there are no administrators, whatever somebody is called."""
    b = pages.Browser(s)
    b.sign_in("root-of-all", s.password("root-of-all"), "/nobodys/")
    for path in ("admin/users", "admin/projects", "admin/tokens", "admin/events", "projects/demo", "admin/users/owner"):
        t.is_(b.get("/nobodys/" + path).status, 404, "without PyPITokenAdmins: %s is not there" % path)
    t.unlike(b.get("/nobodys/").text, "Administration", "  nor is it told of")


tap.run(main)
