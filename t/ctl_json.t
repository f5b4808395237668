#!/usr/bin/python3
"""ctl_json.t - pypitokenctl --json prints for each command what doc/ctl-json says, and nothing else."""
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, dist, site, tap, totp  # noqa: E402

TYPES = {"": str, "flag": bool, "number": int, "time": int, "list": list}
METRICS = """\
<Location "/pypitoken-metrics">
    SetHandler pypitoken-metrics
    Require all granted
</Location>
"""


def described():
    """{command: (shape, {member: (type, may be null)})}"""
    with open(os.path.join(SRCDIR, "doc/ctl-json"), encoding="utf-8") as f:
        text = re.sub(r"\n {15,}", " ", f.read())
    found = {}
    for names, shape, members in re.findall(r"(?m)^    ([a-z][\w ,-]*)\n        (object|array|lines|script)(?:: (.*))?$", text):
        each = re.findall(r"(\w+)(?::(\w+))?(\?)?", members)
        for name in names.split(", "):
            found[name] = (shape, {m: (TYPES[kind], bool(null)) for m, kind, null in each})
    return found


def commands():
    """Every command that there is, out of the tables of the program."""
    with open(os.path.join(SRCDIR, "mod_pypitoken/ctl/commands.c"), encoding="utf-8") as f:
        return {" ".join(w for w in pair if w) for pair in re.findall(r'\{\{"([a-z-]+)", (?:NULL|"([a-z-]+)")\}', f.read())}


def fault(row, members):
    """None, or how an object differs."""
    if not isinstance(row, dict) or set(row) != set(members):
        return "members %s, not %s" % (sorted(row), sorted(members))
    for name, (kind, null) in members.items():
        value = row[name]
        if value is None and null:
            continue
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            return "%s is %r" % (name, value)
    return None


class Json:
    def __init__(self, t, s):
        self.t, self.s, self.page, self.seen = t, s, described(), set()

    def run(self, name, *argv, text="", code=0):
        """Runs the command that the page calls name; what it printed."""
        words = name.replace(" ID", "").split()
        done = self.s.ctl_run("--json", *words, *argv, text=text)
        shape, members = self.page.get(name, ("none", {}))
        self.seen.add(name)
        if shape == "lines":
            value = [json.loads(line) for line in done.stdout.splitlines()]
        else:
            value = json.loads(done.stdout) if shape != "script" else None
        rows = [value] if shape == "object" else value or []
        wrong = [w for w in (fault(row, members) for row in rows) if w]
        good = done.returncode == code and not wrong and (shape == "script" or rows) and (shape != "array" or isinstance(value, list))
        self.t.ok(good, "%s: as described" % " ".join([name] + [a for a in argv if a.startswith("--")]), "%s\n%s%s" % (wrong, done.stdout[:1500], done.stderr))
        return value


def everything(t, s, j):
    j.run("init")
    j.run("schema status")
    j.run("schema migrate")
    for user in ("alice", "bob"):
        j.run("user add", user, text=s.password(user) + "\n")
    s.store.made()
    j.run("user passwd", "bob", "--no-password")
    for act in ("disable", "enable", "logout"):
        j.run("user " + act, "bob")
    j.run("user list")
    secret = j.run("totp enroll", "alice")["secret"].replace(" ", "")
    j.run("totp confirm", "alice", text=totp.code(secret) + "\n")
    j.run("recovery-codes", "alice")
    j.run("totp disable", "alice")
    j.run("user import", s.write("htpasswd", "im:$apr1$abcdefgh$%s\nno colon\n" % ("x" * 22)), code=1)
    j.run("project add", "demo", "--owner", "alice")
    j.run("project import", s.write("projects", "many:alice:bob\n%s\nplain\n" % ("x" * 5000)), code=1)
    j.run("project list")
    j.run("role add", "demo", "bob", "maintainer")
    j.run("role list", "demo")
    j.run("role remove", "demo", "bob")
    token = j.run("token create", "--user", "alice", "--project", "demo", "--expires", "1d", "--name", "x")
    bare = j.run("token create", "--user", "alice")
    s.secret(token["token"])
    s.secret(bare["token"])
    new = j.run("token rotate", token["id"])
    j.run("token rotate", bare["id"], "--overlap", "0")
    s.secret(new["token"])
    s.start(more=METRICS)
    s.upload(dist.sdist("demo"), ("__token__", new["token"]))
    j.run("token list")
    j.run("token show", new["id"])
    j.run("token restrict", "--uses", "1", text=new["token"])
    j.run("token narrow", new["id"], "--uses", "5")
    j.run("token inspect", text=new["token"])
    j.run("token inspect --verify", text=new["token"])
    j.run("token inspect --verify", text=new["token"][:-9] + "AAAAAAAA" + new["token"][-1], code=1)
    j.run("token pattern")
    j.run("status", "--url", "http://127.0.0.1:%d/pypitoken-metrics" % s.httpd.port)
    status = j.run("keyring status")
    t.is_([sorted(f) for f in status["front_ends"]], [["host", "keys", "pid", "schema", "seen"]], "  with httpd in it", status)
    s.httpd.stop()
    old = status["keys"][0]["key"]
    j.run("keyring rotate", "--offline")
    j.run("keyring remove", old)
    j.run("token revoke ID", token["id"])
    j.run("token revoke --from-file", s.write("log", "password = %s\n" % new["token"], 0o600))
    j.run("events")
    j.run("events prune", "--keep", "1h")
    j.run("project remove", "many")
    j.run("user remove", "bob")
    j.run("completion", "bash")
    other = s.path("store/other.db")
    s.ctl("init", "--store", "sqlite:" + other)
    j.run("store copy", "--to", "sqlite:" + other, "--force")
    done = s.ctl_run("--json", "doctor")
    wrong = [w for w in (fault(row, j.page["doctor"][1]) for row in json.loads(done.stdout)) if w]
    t.is_(wrong, [], "doctor: as described")
    j.seen.add("doctor")


def main(t):
    site.need(t)
    with site.Site(t, "sqlite") as s:
        j = Json(t, s)
        names = {re.sub(r" (ID|--.*)$", "", name) for name in j.page}
        t.is_(sorted(commands() ^ names), [], "doc/ctl-json has every command, and no other")
        everything(t, s, j)
        t.is_(sorted(set(j.page) - j.seen), [], "every command was run")


tap.run(main)
