#!/usr/bin/python3
"""ctl.t - pypitokenctl: every command for people and for programs, exit codes, files, secrets."""
import base64
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import poll, tap  # noqa: E402

CTL = os.path.join(os.path.abspath(os.environ.get("builddir", ".")), "pypitokenctl")
PASSWORD = "correct horse battery"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
COMMANDS = ["init", "schema status", "schema migrate", "user add", "user list", "user passwd", "user disable",
            "user enable", "user logout", "user import", "user remove", "totp enroll", "totp confirm",
            "totp disable", "recovery-codes", "project add", "project import", "project list", "project remove", "role add",
            "role remove", "role list", "token create", "token list", "token show", "token revoke",
            "token rotate", "token pattern", "token inspect", "token restrict", "events", "events prune", "keyring status", "keyring rotate", "keyring remove",
            "completion", "doctor"]


class Ctl:
    """One store and keyring in a directory of their own."""

    def __init__(self, root, name="main"):
        self.dir = os.path.join(root, name)
        os.mkdir(self.dir)
        self.db, self.keyring = os.path.join(self.dir, "store.db"), os.path.join(self.dir, "keyring")
        self.env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        self.env.update((k, v) for k, v in os.environ.items() if "SAN_OPTIONS" in k)
        self.settings = {"PYPITOKEN_STORE": "sqlite:" + self.db, "PYPITOKEN_KEYRING": self.keyring,
                         "PYPITOKEN_SERVICE": "index.test"}

    def run(self, *argv, text="", env=None, config="/dev/null"):
        full = {**self.env, **(self.settings if env is None else env)}
        return subprocess.run([CTL, "--config", config, *argv], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=full, check=False, timeout=60)

    def write(self, sql, *values):
        with sqlite3.connect(self.db) as db:
            rows = db.execute(sql, values).fetchall()
        db.close()
        return rows

    def json(self, *argv, text=""):
        done = self.run("--json", *argv, text=text)
        if done.returncode:
            raise RuntimeError("%s: exit %d: %s" % (argv, done.returncode, done.stderr))
        return json.loads(done.stdout)


def expect(t, done, code, name, out=None, err=None):
    t.is_(done.returncode, code, "%s: exit %d" % (name, code), done.stdout + done.stderr)
    if out is not None:
        t.like(done.stdout, out, "%s: what it says" % name)
    if err is not None:
        t.like(done.stderr, err, "%s: what it complains about" % name)
    return done


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def usage(t, c):
    t.like(c.run("--version").stdout, r"\Apypitokenctl \d\S*\n\Z", "--version")
    overview = expect(t, c.run("--help"), 0, "--help", r"\AUsage: pypitokenctl COMMAND").stdout
    for command in COMMANDS:
        t.like(overview, r"(?m)^  %s( |$)" % command, "--help lists '%s'" % command)
        done = c.run(*command.split(), "--help")
        t.ok(done.returncode == 0 and done.stdout.startswith("Usage: pypitokenctl " + command) and
             "--store URL" in done.stdout, "'%s --help' explains it" % command, done.stdout + done.stderr)
    t.like(c.run("token", "--help").stdout, r"(?s)token create.*token restrict", "'token --help' lists its commands")
    t.unlike(c.run("token", "--help").stdout, r"user add", "  and no others")
    wrong = [[], ["frobnicate"], ["token"], ["token", "frobnicate"], ["init", "x"], ["user", "add"],
             ["user", "add", "a", "b"], ["user", "list", "x"], ["user", "list", "--follow"], ["--frobnicate"],
             ["user", "list", "--store"], ["role", "add", "p", "u"], ["role", "add", "p", "u", "king"],
             ["role", "remove", "p"], ["token", "create"], ["token", "create", "--user", "a", "--expires", "soon"],
             ["token", "restrict"], ["token", "restrict", "--project", "-x-"], ["token", "restrict", "--expires", "x"],
             ["token", "restrict", "--expires", "2001-01-01"], ["token", "show"], ["token", "revoke"],
             ["events", "--since", "x"], ["events", "--project", "a", "--project", "b"],
             ["token", "list", "--project", "a", "--project", "b"], ["token", "list", "--project", "!"]]
    for argv in wrong:
        expect(t, c.run(*argv), 2, "usage: '%s'" % " ".join(argv), r"\A\Z", ".")


def init(t, c):
    done = expect(t, c.run("init"), 0, "init", r"(?s)Keyring \S+: created.*Store \S+: created, with schema [1-9]")
    if os.geteuid() == 0:
        t.like(done.stderr, "Hint: .*chown", "  for root: a hint on whose the database must be")
        t.unlike(done.stderr, "chown.*%s" % os.path.basename(c.keyring), "  and none to give the keyring away")
    for path in [c.keyring, c.db]:
        t.is_(mode(path), 0o600, "%s is for its owner alone" % os.path.basename(path))
    with open(c.keyring, encoding="ascii") as f:
        before = f.read()
    expect(t, c.run("init"), 0, "init again", r"(?s)was there already.*was there already")
    with open(c.keyring, encoding="ascii") as f:
        t.is_(f.read(), before, "the keyring is still the same")
    again = c.json("init")
    t.ok(again["keyring_created"] is False and again["schema"] == again["schema_before"] > 0, "init --json", again)
    expect(t, c.run("schema", "status"), 0, "schema status", r"up to date")
    status = c.json("schema", "status")
    t.ok(status["have"] == status["want"] == again["schema"], "schema status --json", status)
    expect(t, c.run("schema", "migrate"), 0, "schema migrate", r"nothing to do")
    os.chmod(c.keyring, 0o644)
    expect(t, c.run("init"), 1, "init with a keyring that others can read", err="keyring")
    os.chmod(c.keyring, 0o600)


def outage(t, c, root):
    env = dict(c.settings, PYPITOKEN_STORE="sqlite:" + os.path.join(root, "nowhere/store.db"))
    for argv in [["user", "list"], ["schema", "status"], ["init"], ["doctor"], ["events"],
                 ["token", "create", "--user", "a"], ["token", "show", "0" * 36]]:
        expect(t, c.run(*argv, env=env), 3, "no store: '%s'" % " ".join(argv))
    t.ok(not os.path.exists(os.path.join(root, "nowhere")), "nothing was made there")
    env["PYPITOKEN_STORE"] = "oracle:x"
    expect(t, c.run("user", "list", env=env), 3, "an unknown kind of store", r"\A\Z", "oracle|sqlite")
    env["PYPITOKEN_STORE"] = "sqlite:" + os.path.join(root, "missing.db")
    expect(t, c.run("user", "list", env=env), 3, "no such file", r"\A\Z", "missing.db")
    t.ok(not os.path.exists(os.path.join(root, "missing.db")), "listing makes no store")
    expect(t, c.run("user", "list", env={}), 2, "no store named", r"\A\Z", "--store")
    expect(t, c.run("init", env={"PYPITOKEN_STORE": "sqlite:x"}), 2, "init without keyring", r"\A\Z", "--keyring")
    env = dict(c.settings)
    del env["PYPITOKEN_KEYRING"]
    expect(t, c.run("token", "create", "--user", "a", env=env), 2, "no keyring named", r"\A\Z", "--keyring")
    expect(t, c.run("user", "list", env=env), 0, "but lists need none")
    env = dict(c.settings)
    del env["PYPITOKEN_SERVICE"]
    expect(t, c.run("token", "create", "--user", "a", env=env), 2, "no service named", r"\A\Z", "--service")


def precedence(t, c, root):
    """Option before environment before file: each names a store that is not there."""
    conf = os.path.join(root, "ctl.conf")

    def write(text):
        with open(conf, "w", encoding="utf-8") as f:
            f.write(text)

    def named(*argv, env=None):
        return c.run(*argv, "user", "list", env=env or {}, config=conf).stderr

    at = "sqlite:%s/by-" % root
    write("# settings\n\n  store =  %sfile/x.db  \nkeyring=%s\nservice = a b = c\n" % (at, c.keyring))
    t.has(named(), "by-file", "the file names the store")
    t.has(named(env={"PYPITOKEN_STORE": ""}), "by-file", "an empty variable names nothing")
    t.has(named(env={"PYPITOKEN_STORE": at + "env/x.db"}), "by-env", "the environment comes before the file")
    t.has(named("--store", at + "option/x.db", env={"PYPITOKEN_STORE": at + "env/x.db"}), "by-option",
          "the option comes before the environment")
    t.has(named("--store=%soption/x.db" % at), "by-option", "--store=URL is the same")
    write("store = sqlite:%s\n" % c.db)
    expect(t, c.run("user", "list", env={}, config=conf), 0, "a store by file alone")
    expect(t, c.run("user", "--store", "sqlite:" + c.db, "list", env={}), 0, "options stand anywhere")
    write("store = sqlite:%s" % c.db)
    expect(t, c.run("user", "list", env={}, config=conf), 0, "  without a line break at its end")
    for text in ["store sqlite:x\n", "shop = x\n", "= x\n", "#%4094sstore = sqlite:%s\n" % ("", c.db)]:
        write("# one\n" + text)
        expect(t, c.run("user", "list", env={}, config=conf), 2, "settings file %r" % text[:40], r"\A\Z", "line 2")
    expect(t, c.run("user", "list", config=conf + ".not"), 2, "a settings file that is not there", r"\A\Z", "ctl.conf.not")


def users(t, c):
    expect(t, c.run("user", "add", "alice", text=PASSWORD + "\n"), 0, "user add", r"User alice added")
    expect(t, c.run("user", "add", "alice", text=PASSWORD + "\n"), 1, "user add twice", r"\A\Z", "already")
    row = c.json("user", "add", "bob@example.org", "--no-password")
    t.ok(row["name"] == "bob@example.org" and row["has_password"] is False and row["disabled"] is False,
         "user add --json", row)
    for name in ["__token__", "", ".a", "-a", "a b", "a:b", "a/b", "\u00e4", "a\n", "x" * 65]:
        argv = ["user", "add", "--no-password", "--", name]
        t.ok(c.run(*argv).returncode in (1, 2), "user name %r is refused" % name)
    for name in ["7.A_b@c+d-e", "x" * 64]:
        expect(t, c.run("user", "add", "--no-password", name), 0, "user name %r" % name[:20])
        expect(t, c.run("user", "remove", name), 0, "user remove", r"removed")
    for what, text in [("nothing", ""), ("an empty line", "\n"), ("too short", "1234567\n"), ("a NUL", "12345\0 67890\n"),
                       ("too long", "x" * 4097 + "\n"), ("four times two bytes", "\u00e4\u00f6\u00fc\u00df\n")]:
        expect(t, c.run("user", "add", "carol", text=text), 1, "password: %s" % what, r"\A\Z",
               "longer than 4096" if what == "too long" else ".")
    table = expect(t, c.run("user", "list"), 0, "user list", r"\AUSER +DISABLED +PASSWORD +2FA +CODES +CREATED\n").stdout
    t.like(table, r"(?m)^alice +no +yes +no +0 +20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$", "  a user with a password")
    t.like(table, r"(?m)^bob@example.org +no +no +no +0 +20", "  and one without")
    t.is_(len({line.index(" 20") for line in table.splitlines()[1:]}), 1, "  aligned")
    rows = c.json("user", "list")
    t.is_([r["name"] for r in rows], ["alice", "bob@example.org"], "user list --json")
    t.ok(abs(rows[0]["created"] - time.time()) < 600, "  times are numbers")
    expect(t, c.run("user", "disable", "alice"), 0, "user disable", r"disabled")
    t.is_(c.json("user", "list")[0]["disabled"], True, "  it is")
    expect(t, c.run("user", "enable", "alice"), 0, "user enable", r"enabled")
    t.is_(c.json("user", "list")[0]["disabled"], False, "  it is not any more")
    expect(t, c.run("user", "passwd", "bob@example.org", text=PASSWORD), 0, "user passwd, no line end", r"new password")
    t.is_(c.json("user", "list")[1]["has_password"], True, "  there is one")
    expect(t, c.run("user", "passwd", "bob@example.org", text="1234567\r\n"), 1, "user passwd: the end of a DOS line is no part of it", r"\A\Z", "at least 8")
    t.is_(c.json("user", "passwd", "--no-password", "bob@example.org")["has_password"], False, "user passwd --no-password")
    t.is_(c.json("user", "list")[1]["has_password"], False, "  there is none any more")
    for command in ["passwd", "disable", "enable", "remove"]:
        expect(t, c.run("user", command, "nobody", text=PASSWORD), 1, "user %s nobody" % command, r"\A\Z", "no user 'nobody'")


def terminal(t, c, *argv, types):
    """Runs on a terminal of its own, typing a line at each prompt. Exit code and what was shown."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(CTL, [CTL, "--config", "/dev/null", *argv], {**c.env, **c.settings})
    shown, types, end, prompts = b"", list(types), time.monotonic() + 30, 0
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.5)[0]:
            continue
        try:
            got = os.read(fd, 4096)
        except OSError:
            break
        shown += got
        if not got:
            break
        while types and shown.count(b": ") > prompts and shown.endswith(b": "):
            prompts += 1
            os.write(fd, types.pop(0))
    os.close(fd)
    return os.waitpid(pid, 0)[1], shown.decode()


def prompts(t, c):
    secret = PASSWORD.encode()
    status, shown = terminal(t, c, "user", "add", "tty", types=[secret + b"\n", secret + b"\n"])
    t.is_(os.waitstatus_to_exitcode(status), 0, "user add on a terminal", shown)
    t.ok(shown.count("password:") == 1 and "again:" in shown, "  asks twice", shown)
    t.unlike(shown, PASSWORD, "  without echo")
    t.is_(c.json("user", "remove", "tty")["has_password"], True, "  the user has the password")
    status, shown = terminal(t, c, "user", "add", "tty", types=[secret + b"\n", secret + b"x\n"])
    t.is_(os.waitstatus_to_exitcode(status), 1, "two different passwords", shown)
    t.like(shown, "different", "  are told apart")
    status, shown = terminal(t, c, "user", "add", "tty", types=[b"\x03"])
    t.ok(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, "Ctrl-C ends a prompt", (status, shown))
    expect(t, c.run("user", "enable", "tty"), 1, "  and no user was made")


def projects(t, c):
    expect(t, c.run("project", "add", "Sample.Project", "--owner", "alice"), 0, "project add", r"Sample\.Project added")
    expect(t, c.run("project", "add", "sample_project"), 1, "project add, another spelling", r"\A\Z", "already")
    expect(t, c.run("project", "add", "x", "--owner", "nobody"), 1, "project add, no such owner", r"\A\Z", "nobody")
    expect(t, c.run("project", "add", "--", "-x"), 1, "project add, no name", r"\A\Z", "valid")
    row = c.json("project", "add", "other")
    t.ok(row["name"] == "other" and row["normalized"] == "other" and row["confirmed"] is True, "project add --json", row)
    expect(t, c.run("project", "list"), 0, "project list", r"(?s)\APROJECT +CREATED.*Sample\.Project +20.*yes")
    t.is_(sorted(r["normalized"] for r in c.json("project", "list")), ["other", "sample-project"], "project list --json")
    t.is_([r["name"] for r in c.json("project", "list", "--owner", "alice")], ["Sample.Project"], "project list --owner")
    expect(t, c.run("project", "list", "--owner", "nobody"), 1, "project list, no such owner")
    expect(t, c.run("role", "add", "other", "bob@example.org", "maintainer"), 0, "role add", r"maintainer of other")
    t.is_(c.json("role", "add", "OTHER", "bob@example.org", "owner"),
          {"project": "other", "user": "bob@example.org", "role": "owner"}, "role add --json replaces a role")
    expect(t, c.run("role", "list", "other"), 0, "role list", r"\AUSER +ROLE\nbob@example.org +owner\n\Z")
    t.is_(c.json("role", "list", "sample-project"), [{"project": "sample-project", "user": "alice", "role": "owner"}],
          "role list --json")
    expect(t, c.run("role", "remove", "other", "bob@example.org"), 0, "role remove", r"no owner or maintainer of other")
    expect(t, c.run("role", "remove", "other", "bob@example.org"), 1, "role remove twice")
    t.is_(c.json("role", "list", "other"), [], "  there is no role")
    expect(t, c.run("role", "list", "--", "-x-"), 1, "role list of what is no name", r"\A\Z", "not a valid project name")
    for argv in [["list", "x"], ["add", "x", "alice", "owner"], ["add", "other", "nobody", "owner"], ["remove", "x", "alice"]]:
        expect(t, c.run("role", *argv), 1, "role %s" % " ".join(argv), r"\A\Z", "There is no")
    expect(t, c.run("user", "remove", "alice"), 1, "an owner of projects stays", r"\A\Z", "owns projects")
    expect(t, c.run("project", "remove", "other"), 0, "project remove", r"removed")
    expect(t, c.run("project", "remove", "other"), 1, "project remove twice", r"\A\Z", "no project")


def raw(token):
    body = token[len("pypi-"):]
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def tokens(t, c):
    done = expect(t, c.run("token", "create", "--user", "alice", "--name", "laptop \u00e4"), 0, "token create")
    t.like(done.stdout, r"\Apypi-[A-Za-z0-9_-]{80,}\n\Z", "  the token alone on standard output")
    t.unlike(done.stderr, done.stdout.strip()[-20:], "  and nowhere else")
    plain = done.stdout.strip()
    t.has(raw(plain), b"index.test", "  the service stands in it")
    row = c.json("token", "create", "--user", "alice", "--project", "Sample.Project", "--expires", "30d", "--name", "ci")
    t.like(row["token"], r"\Apypi-", "token create --json has the token")
    t.ok(abs(row["expires"] - time.time() - 30 * 86400) < 600, "  and its end", row["expires"])
    for argv in [["nobody"], ["alice", "--project", "nowhere"], ["alice", "--project", "!"],
                 ["bob@example.org", "--project", "Sample.Project"], ["alice", "--expires", "2001-01-01"],
                 ["alice", "--name", "a\tb"]]:
        expect(t, c.run("token", "create", "--user", *argv), 1, "token create for %r" % argv, r"\A\Z", ".")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([CTL, "--config", "/dev/null", "token", "create", "--user", "alice", "--name", "lost"],
                              stdout=full, stderr=subprocess.PIPE, text=True, env={**c.env, **c.settings}, check=False)
    t.is_(done.returncode, 1, "a token that cannot be written", done.stderr)
    lost = [r for r in c.json("token", "list") if r["name"] == "lost"]
    t.ok(len(lost) == 1 and lost[0]["state"] == "revoked", "  is revoked", lost)
    table = expect(t, c.run("token", "list", "--user", "alice"), 0, "token list",
                   r"\AID +USER +NAME +SCOPE +STATE +CREATED +EXPIRES +USED\n").stdout
    t.like(table, r"(?m)^%s +alice +laptop \u00e4 +\* +live +20\S+ +never +never$" % UUID, "  a token for all")
    t.like(table, r"(?m)^%s +alice +ci +sample-project +live +20\S+ +20\S+ +never$" % row["id"], "  a token for a project")
    t.is_([r["id"] for r in c.json("token", "list", "--project", "Sample_Project") if r["scope"] != "*"], [row["id"]],
          "token list --project")
    t.is_(c.json("token", "list", "--user", "bob@example.org"), [], "token list of a user without")
    c.run("project", "add", "user", "--owner", "alice")
    named = c.run("token", "create", "--user", "alice", "--project", "user", "--json").stdout
    t.is_([r["id"] for r in c.json("token", "list", "--project", "user")], [json.loads(named)["id"]],
          "a token for a project called user is not listed as one for everything")
    c.run("token", "revoke", json.loads(named)["id"])
    c.run("project", "remove", "user")
    expect(t, c.run("token", "list", "--user", "nobody"), 1, "token list of nobody")
    one = c.json("token", "show", row["id"])
    t.ok(one["scope"] == "sample-project" and one["revoked"] is None and "token" not in one, "token show --json", one)
    expect(t, c.run("token", "show", row["id"]), 0, "token show", r"(?m)\AId: +%s\nUser: +alice\n" % row["id"])
    return plain, row


def imports(t, c):
    """Many projects out of a file: lines in a pipe, a bar on a terminal, an array for programs."""
    path = os.path.join(os.path.dirname(c.dir), "projects")
    lines = ["# what we have", "Plain.One", "owned:alice", "shared : alice, bob@example.org : bob@example.org", " kept::bob@example.org ", "",
             "-bad-", "lost:nobody", "half:alice:nobody", "a:b:c:d", "plain-one:alice", "x" * 5000, "last:alice"]
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(lines))
    done = c.run("--json", "project", "import", path)
    rows = json.loads(done.stdout)
    t.is_(done.returncode, 1, "project import with lines that cannot be: exit 1", done.stderr)
    t.is_([(r["line"], r["result"].split(":")[0]) for r in rows],
          [(2, "added"), (3, "added"), (4, "added"), (5, "added"), (7, "refused"), (8, "refused"), (9, "refused"), (10, "refused"),
           (11, "left alone"), (12, "refused"), (13, "added")], "  each line is told", rows)
    roles = {p: sorted((r["user"], r["role"]) for r in c.json("role", "list", p)) for p in ("plain-one", "owned", "shared", "kept", "last")}
    t.is_(roles, {"plain-one": [], "owned": [("alice", "owner")], "shared": [("alice", "owner"), ("bob@example.org", "owner")],
                  "kept": [("bob@example.org", "maintainer")], "last": [("alice", "owner")]}, "  with the roles that it names")
    names = {r["normalized"] for r in c.json("project", "list")}
    t.ok(not names & {"lost", "half", "a", "-bad-"}, "  a line with a fault makes nothing", names)
    with open(path, "w", encoding="ascii") as f:
        f.write("".join("many-%d:alice\n" % i for i in range(40)))
    done = expect(t, c.run("project", "import", path), 0, "project import", r"\ALINE +PROJECT +OWNERS +MAINTAINERS +RESULT\n", "40 added, 0 refused")
    t.is_(re.findall(r"(?m)^ *\d+ +(\S+) +alice +- +added$", done.stdout), ["many-%d" % i for i in range(40)], "  a line for each, in a pipe", done.stdout[:300])
    t.unlike(done.stdout + done.stderr, r"\r|%|#", "  and no bar")
    expect(t, c.run("project", "import", "-", text="from-stdin:alice\n"), 0, "from standard input", "from-stdin")
    expect(t, c.run("user", "import", "-", text="# nobody\n"), 0, "users too", r"\ALINE", "0 added")
    status, shown = terminal(t, c, "project", "import", path, types=[])
    t.ok(status == 0 and re.search(r"\[#+\.*\] +\d+ %  \d+ done", shown) and "[" + "#" * 40 + "] 100 %  40 done" in shown, "on a terminal there is a bar", shown[-1500:])
    t.ok(shown.index("\x1b[K") < shown.index("LINE") and shown.count("left alone") == 40, "  which goes before the table comes", shown[-1500:])
    users = os.path.join(os.path.dirname(c.dir), "users")
    with open(users, "w", encoding="ascii") as f:
        f.write("".join("im-%d:$apr1$abcdefgh$%s\n" % (i, "x" * 22) for i in range(20)))
    status, shown = terminal(t, c, "user", "import", users, types=[])
    t.ok(status == 0 and "100 %  20 done" in shown and shown.count("added") == 21, "the same for user import", shown[-1500:])
    expect(t, c.run("project", "import", os.path.join(c.dir, "nowhere")), 1, "no such file", r"\A\Z", "nowhere")
    for kind in ("project", "user"):
        expect(t, c.run(kind, "import", c.dir), 1, "%s import: a file that cannot be read to its end is none that was imported" % kind, None,
               "cannot be read to its end")
    done = expect(t, c.run("project", "import", "-", text="lastz:alice\nlasty\0:alice\nlastx:alice\n\0\nlastw\0"), 1,
                  "project import: a line with a NUL is refused")
    t.is_(re.findall(r"(?m)^ *(\d+) .*?(added|refused)", done.stdout), [("1", "added"), ("2", "refused"), ("3", "added"), ("4", "refused"), ("5", "refused")],
          "  and does not take the next one along", done.stdout)
    for name in [r["name"] for r in c.json("project", "list") if r["name"].startswith(("many-", "from-", "Plain", "owned", "shared", "kept", "last"))]:
        c.run("project", "remove", name)
    for i in range(20):
        c.run("user", "remove", "im-%d" % i)


def rotating(t, c, row):
    """A new secret in the place of the old one, which is good until the overlap is over."""
    first = c.json("token", "create", "--user", "alice", "--project", "Sample.Project", "--name", "turn", "--uses", "7")
    new = c.json("token", "rotate", first["id"], "--overlap", "2h")
    t.like(new["token"], r"\Apypi-", "token rotate --json has the token")
    t.is_((new["name"], new["user"], new["old_id"], new["expires"]), ("turn", "alice", first["id"], None), "  and whose it is")
    old, one = c.json("token", "show", first["id"]), c.json("token", "show", new["id"])
    t.ok(old["state"] == "live" and abs(old["expires"] - time.time() - 7200) < 600 and old["expires"] == new["old_expires"],
         "  the old one ends when the overlap is over", old)
    t.is_((one["scope"], one["restrictions"]), (old["scope"], old["restrictions"]), "  the new one has the same scope")
    for text in (first["token"], new["token"]):
        t.is_(c.json("token", "inspect", "--verify", text=text)["verdict"], "allowed", "  both are good until then")
    done = expect(t, c.run("token", "rotate", new["id"], "--overlap", "0", "--expires", "1d"), 0, "token rotate", r"\Apypi-\S+\n\Z", "revoked")
    t.is_(c.json("token", "inspect", "--verify", text=done.stdout)["verdict"], "allowed", "  the one that it prints is good")
    t.is_(c.json("token", "show", new["id"])["state"], "revoked", "  the old one is revoked")
    expect(t, c.run("token", "rotate", new["id"]), 1, "a revoked token", r"\A\Z", "not in force")
    expect(t, c.run("token", "rotate", first["id"], "--overlap", "31d"), 1, "too long an overlap", r"\A\Z", "at most 30d")
    expect(t, c.run("token", "rotate", "00000000-0000-4000-8000-000000000000"), 1, "no such token", r"\A\Z", "no token")
    expect(t, c.run("token", "rotate", first["id"], "--project", "x"), 2, "rotating changes no scope", r"\A\Z", ".")
    expect(t, c.run("role", "remove", "Sample.Project", "alice"), 0, "the owner loses the role")
    expect(t, c.run("token", "rotate", first["id"]), 1, "  and there is no successor", r"\A\Z", "no role")
    t.is_(c.json("token", "show", first["id"])["expires"], old["expires"], "  the old token is as it was")
    c.run("role", "add", "Sample.Project", "alice", "owner")
    events = [json.loads(line) for line in c.run("--json", "events").stdout.splitlines()]
    kinds = [e["kind"] for e in events if e["token"] in (first["id"], new["id"])]
    t.is_(kinds, ["token-created", "token-created", "token-rotated", "token-rotated"], "rotating is on record", kinds)
    for r in c.json("token", "list"):
        if r["name"] == "turn":
            c.run("token", "revoke", r["id"])


def revoking(t, c, plain, row):
    expect(t, c.run("user", "remove", "alice"), 1, "an owner of live tokens stays")
    expect(t, c.run("token", "revoke", row["id"]), 0, "token revoke", r"revoked")
    expect(t, c.run("token", "revoke", row["id"]), 1, "token revoke twice", r"\A\Z", "revoked before")
    one = c.json("token", "show", row["id"])
    t.ok(one["state"] == "revoked" and one["revoked_by"].startswith("cli:"), "  it is, and by whom", one)
    verdict = expect(t, c.run("token", "inspect", "--verify", text=row["token"]), 1, "a revoked token", r"token-revoked")
    t.unlike(verdict.stdout, row["token"][-20:], "  is not repeated")
    for missing in ["00000000-0000-4000-8000-000000000000", "x", ""]:
        expect(t, c.run("token", "show", missing), 1, "token show %r" % missing, r"\A\Z", "no token")
        expect(t, c.run("token", "revoke", missing), 1, "token revoke %r" % missing, r"\A\Z", "no token")
    for command in ["show", "revoke"]:
        done = expect(t, c.run("token", command, plain), 2, "the token itself as an argument of %s" % command, r"\A\Z", "history")
        t.unlike(done.stderr, plain[5:40], "  is not repeated")
    t.unlike(c.run("token", plain).stderr, plain[5:40], "nor in the place of a command")


def inspecting(t, c, plain, row):
    done = expect(t, c.run("token", "inspect", text="  %s\n\n" % plain, env={}), 0, "token inspect needs no store",
                  r"(?s)\ALocation: +index\.test\nIdentifier: +%s\nCaveats: +1\n.*\[3," % UUID)
    t.unlike(done.stdout + done.stderr, plain[-20:], "  the token is not repeated")
    said = c.json("token", "inspect", text=row["token"])
    t.is_(said["identifier"], row["id"], "token inspect --json")
    t.is_([json.loads(x["raw"])[0] for x in said["caveats"]], [1, 2, 0], "  its caveats")
    t.ok(all(x["words"] for x in said["caveats"]) and "verdict" not in said, "  in words", said)
    nbf = json.loads(said["caveats"][2]["raw"])[2]
    t.ok(0 <= time.time() - 60 - nbf < 600, "  valid from a minute ago", nbf)
    said = c.json("token", "inspect", "--verify", text=plain)
    t.ok(said["verdict"] == "allowed" and said["user"] == "alice", "token inspect --verify --json", said)
    for what, text in [("nothing", ""), ("no token", "hello"), ("half a token", plain[:40]), ("too much", "pypi-" + "A" * 40000)]:
        expect(t, c.run("token", "inspect", text=text), 1, "token inspect: %s" % what, r"\A\Z", ".")
    forged = plain[:-12] + ("A" if plain[-12] != "A" else "B") + plain[-11:]
    expect(t, c.run("token", "inspect", text=forged), 0, "inspect alone believes a signature")
    expect(t, c.run("token", "inspect", "--verify", text=forged), 1, "--verify does not", r"token-signature")
    c.run("user", "disable", "alice")
    expect(t, c.run("token", "inspect", "--verify", text=plain), 1, "--verify, the owner disabled", r"user-disabled")
    c.run("user", "enable", "alice")
    env = dict(c.settings, PYPITOKEN_STORE="sqlite:/nonexistent/x.db")
    expect(t, c.run("token", "inspect", "--verify", text=plain, env=env), 3, "--verify without store")


def restricting(t, c, plain):
    done = expect(t, c.run("token", "restrict", "--project", "Sample.Project", "--project", "b", "--expires", "1h",
                           text=plain, env={}), 0, "token restrict needs no store", r"\Apypi-[A-Za-z0-9_-]+\n\Z")
    t.is_(done.stderr, "", "  and says nothing else")
    narrow = done.stdout
    said = c.json("token", "inspect", "--verify", text=narrow)
    raws = [json.loads(x["raw"]) for x in said["caveats"]]
    t.is_(raws[1], [1, ["sample-project", "b"]], "  the projects, normalised")
    t.ok(raws[2][0] == 0 and abs(raws[2][1] - time.time() - 3600) < 600 and raws[2][2] <= time.time() - 60, "  the end", raws)
    t.is_(said["verdict"], "allowed", "  it still verifies")
    wider = plain.strip()[:60] + narrow[60:]
    t.is_(wider, narrow, "  it begins like the one it was made of")
    body = raw(narrow.strip())
    cut = body.replace(b'[1,["sample-project","b"]]', b'[1,["sample-project","c"]]')
    forged = "pypi-" + base64.urlsafe_b64encode(cut).decode().rstrip("=")
    expect(t, c.run("token", "inspect", "--verify", text=forged), 1, "another project put in by hand", r"token-signature")
    out = json.loads(c.run("token", "restrict", "--json", "--expires", "2099-01-01", text=plain, env={}).stdout)
    t.is_(json.loads(c.json("token", "inspect", text=out["token"])["caveats"][1]["raw"])[1], 4070908800,
          "token restrict --json, an absolute end")
    soon = c.run("token", "restrict", "--expires", "2s", text=plain, env={}).stdout
    poll.until(lambda: c.run("token", "inspect", "--verify", text=soon).returncode)
    expect(t, c.run("token", "inspect", "--verify", text=soon), 1, "two seconds later it is expired", r"token-expired")
    text = plain
    for _ in range(130):
        done = c.run("token", "restrict", "--project", "p", text=text, env={})
        if done.returncode:
            break
        text = done.stdout
    expect(t, done, 1, "there is an end to restrictions", r"\A\Z", "no room|too many")
    try:
        import pymacaroons
    except ImportError:
        t.skip("an independent reader agrees", "no pymacaroons")
        return
    theirs = pymacaroons.Macaroon.deserialize(plain[5:])
    ours = pymacaroons.Macaroon.deserialize(narrow.strip()[5:])
    for x in said["caveats"][1:]:
        theirs.add_first_party_caveat(x["raw"])
    t.is_(ours.signature, theirs.signature, "pymacaroons narrows to the same signature")


def events(t, c, row):
    lines = [json.loads(x) for x in c.run("events", "--json").stdout.splitlines()]
    kinds = [x["kind"] for x in lines]
    for kind in ["user-added", "user-password", "user-disabled", "user-enabled", "user-removed", "project-added",
                 "project-removed", "role-added", "role-removed", "token-created", "token-revoked"]:
        t.ok(kind in kinds, "there is an event %s" % kind, kinds)
    t.ok(all(x["user"].startswith("cli:") for x in lines), "  each says who did it")
    t.is_([x["id"] for x in lines], sorted(x["id"] for x in lines), "  the oldest first")
    revoked = [x for x in lines if x["kind"] == "token-revoked" and x["token"] == row["id"]]
    t.ok(len(revoked) == 1 and "alice" in revoked[0]["detail"], "  with the token's id", revoked)
    made = [x["detail"] for x in lines if x["token"] == row["id"] and x["kind"] == "token-created"]
    t.is_(made, ["user alice, projects Sample.Project, name ci"], "  and what it was made for")
    t.unlike(c.run("events", "--json").stdout, "pypi-[A-Za-z0-9_-]{20}|" + PASSWORD, "  and no secret")
    actor = lines[0]["user"]
    expect(t, c.run("events"), 0, "events", r"\ATIME +KIND +USER +PROJECT .*\n20\S+Z  user-added +%s " % actor)
    t.is_(len(c.run("events", "--json", "--user", actor).stdout.splitlines()), len(lines), "events --user")
    t.is_(c.run("events", "--json", "--user", "nobody").stdout, "", "  of nobody: none")
    some = [json.loads(x)["project"] for x in c.run("events", "--json", "--project", "Other").stdout.splitlines()]
    t.ok(some and set(some) == {"other"}, "events --project", some)
    t.is_(len(c.run("events", "--json", "--since", "1d").stdout.splitlines()), len(lines), "events --since a day")
    t.is_(c.run("events", "--json", "--since", "2099-01-01").stdout, "", "  since a later time: none")
    following(t, c)


def following(t, c):
    with subprocess.Popen([CTL, "--config", "/dev/null", "events", "--follow", "--json", "--since", "1d"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**c.env, **c.settings}, restore_signals=False) as p:
        seen, end = b"", time.monotonic() + 20
        added = False
        while time.monotonic() < end and b"followed" not in seen:
            if select.select([p.stdout], [], [], 0.2)[0]:
                seen += os.read(p.stdout.fileno(), 65536)
            if not added and b"token-revoked" in seen:
                added = c.run("project", "add", "followed").returncode == 0
        t.has(seen, b"followed", "events --follow prints what happens meanwhile")
        ids = [json.loads(x)["id"] for x in seen.decode().splitlines()]
        t.is_(len(ids), len(set(ids)), "  and each event once")
        p.stdout.close()
        c.run("project", "remove", "followed")
        try:
            t.is_(p.wait(30), 1, "  and ends when nobody reads on, were the pipe's signal ignored")
        except subprocess.TimeoutExpired:
            t.ok(False, "  and ends when nobody reads on, were the pipe's signal ignored")
            p.kill()


def doctor(t, c, root):
    expect(t, c.run("doctor"), 0, "doctor", r"(?s)\ASTATE +CHECK +FINDING\nok +service +index\.test.*ok +keyring.*ok +clock")
    rows = c.json("doctor")
    t.is_({r["state"] for r in rows}, {"ok"}, "doctor --json: all is well", rows)
    t.is_({r["check"] for r in rows}, {"service", "keyring", "store", "schema", "tokens", "clock"}, "  what was checked")
    env = dict(c.settings)
    del env["PYPITOKEN_SERVICE"]
    expect(t, c.run("doctor", env=env), 1, "doctor: no service", r"failed +service")
    env = dict(c.settings)
    del env["PYPITOKEN_KEYRING"]
    expect(t, c.run("doctor", env=env), 1, "doctor: no keyring; the store is looked at all the same", r"(?s)failed +keyring +not set.*ok +schema")
    expect(t, c.run("doctor", env={"PYPITOKEN_KEYRING": c.keyring}), 1, "doctor: no store; the clock is looked at all the same",
           r"(?s)failed +store +not set.*ok +clock")
    schema = c.json("schema", "status")["have"]
    for sql, what, code, says in (
            ("INSERT INTO schema_version VALUES (%d, 1, 0)" % (schema + 1), "a newer store that allows it", 0, r"ok +schema +version %d, newer" % (schema + 1)),
            ("INSERT INTO schema_version VALUES (%d, %d, 0)" % (schema + 1, schema + 1), "a newer store that does not", 1,
             r"(?s)failed +schema +the store was made by a newer version.*ok +clock"),
            ("DELETE FROM schema_version WHERE version = %d" % schema, "an older store", 1, r"(?s)failed +schema +the store has the older schema.*ok +clock")):
        c.write(sql)
        expect(t, c.run("doctor"), code, "doctor: " + what, says)
        c.write("DELETE FROM schema_version WHERE version > %d" % schema)
    c.write("INSERT INTO schema_version VALUES (%d, 1, 0)" % schema)
    c.write("ALTER TABLE tokens RENAME TO elsewhere")
    expect(t, c.run("doctor"), 3, "doctor: a store that lacks a table", r"warning +store +.*tokens(?s:.*)failed +tokens +cannot be read")
    c.write("ALTER TABLE elsewhere RENAME TO tokens")
    expect(t, c.run("doctor"), 0, "doctor: as it was")
    os.chmod(c.keyring, 0o640)
    expect(t, c.run("doctor"), 1, "doctor: a keyring for all", r"failed +keyring")
    os.chmod(c.keyring, 0o600)
    os.chmod(c.db, 0o644)
    expect(t, c.run("doctor"), 0, "doctor: a database for all", r"warning +store")
    os.chmod(c.db, 0o600)
    conf = os.path.join(root, "httpd.conf")
    for text, code, says in [
            ("LoadModule pypitoken_module mod_pypitoken.so\n", 0, r"ok +httpd +LoadModule"),
            ("# LoadModule pypitoken_module x\n", 1, r"failed +httpd"),
            ("loadmodule \\\n  pypitoken_module x\nLimitRequestFieldSize 4000\n", 0, r"warning +field-size +/\S+:3: longer tokens"),
            ("LoadModule pypitoken_module x\nLimitRequestFieldSize 32768\n", 0, r"ok +httpd +LimitRequestFieldSize is 32768"),
            ("LoadModule pypitoken_module x\nPyPITokenService \"else.where\"\n", 0, r"warning +httpd +PyPITokenService is else\.where")]:
        with open(conf, "w", encoding="utf-8") as f:
            f.write(text)
        expect(t, c.run("doctor", "--httpd-conf", conf), code, "doctor --httpd-conf %r" % text, says)
    expect(t, c.run("doctor", "--httpd-conf", conf + ".not"), 1, "doctor: no such configuration", r"failed +httpd")


def owners(t, root):
    """Root works on the store as its owner, in every command: what httpd could not open is not open."""
    if os.geteuid() != 0:
        t.skip("root and a store that is another's", "not root")
        return
    c = Ctl(root, "owned")
    c.run("init")
    conf = os.path.join(c.dir, "httpd.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write("LoadModule pypitoken_module x\n")
    os.chmod(conf, 0o600)
    os.chown(c.db, 65534, 65534)
    opening = [["user", "list"], ["schema", "status"], ["schema", "migrate"], ["init"], ["doctor", "--httpd-conf", conf]]
    os.chmod(c.dir, 0o700)
    for argv in opening:
        expect(t, c.run(*argv), 3, "%s: the store's owner does not get to it" % argv[0])
    os.chown(c.dir, 65534, 65534)
    os.chmod(root, 0o711)
    os.rename(c.keyring, c.keyring + ".old")
    expect(t, c.run("init"), 0, "init: root's keyring for a store that is another's", r"Keyring \S+: created")
    for argv in opening:
        expect(t, c.run(*argv), 0, "%s: its owner does" % argv[0])
    t.is_({n: os.stat(os.path.join(c.dir, n)).st_uid for n in os.listdir(c.dir)},
          {"store.db": 65534, "keyring": 0, "keyring.old": 0, "httpd.conf": 0}, "each file is whose it was")


def other_keyring(t, c):
    """A keyring that was lost, and one that does not fit."""
    c.json("totp", "enroll", "bob@example.org")
    os.rename(c.keyring, c.keyring + ".old")
    env = dict(c.settings, PYPITOKEN_KEYRING=os.path.join(c.dir, "nowhere/keyring"))
    expect(t, c.run("init", env=env), 1, "init where no keyring can be made", r"\A\Z", "cannot create the keyring .*nowhere")
    expect(t, c.run("token", "create", "--user", "alice"), 3, "no keyring, no token", r"\A\Z", "keyring")
    expect(t, c.run("init"), 0, "init makes a new one", r"created", r"Warning: .*another keyring")
    expect(t, c.run("doctor"), 1, "doctor: it does not fit", r"failed +tokens")
    expect(t, c.run("totp", "confirm", "bob@example.org", text="123456\n"), 1, "a second factor that it does not open", r"\A\Z", "does not open with this keyring")
    live = [r["id"] for r in c.json("token", "list") if r["state"] == "live"]
    expect(t, c.run("token", "narrow", live[0], "--uses", "1"), 1, "a token whose secret it does not open is not made narrower", r"\A\Z", "does not open the secret")
    old = {r["id"] for r in c.json("token", "list")}
    expect(t, c.run("token", "rotate", live[0]), 1, "  nor replaced", r"\A\Z", "keyring does not open the old token")
    new = [r for r in c.json("token", "list") if r["id"] not in old]
    t.is_([r["state"] for r in new], ["revoked"], "  what was to take its place is revoked", new)
    c.write("DELETE FROM tokens WHERE id = ?", new[0]["id"])
    rows = c.json("keyring", "status")["keys"]
    t.ok((rows[0]["rows"], rows[1]["key"], rows[1]["state"]) == (0, "others", "missing") and rows[1]["rows"] > 0, "keyring status tells of rows that it lacks the key of", rows)
    done = expect(t, c.run("--json", "keyring", "rotate", "--offline"), 1, "keyring rotate: it does not fit", None, "opened by no key of this keyring")
    t.is_((json.loads(done.stdout)["resealed"], json.loads(done.stdout)["unopened"]), (0, rows[1]["rows"]), "  no row is sealed anew")
    os.rename(c.keyring + ".old", c.keyring)
    expect(t, c.run("doctor"), 0, "doctor: it fits again")
    expect(t, c.run("totp", "disable", "bob@example.org"), 0, "the second factor goes")
    expect(t, c.run("totp", "disable", "bob@example.org"), 1, "  once", r"\A\Z", "no such second factor")


def keyring(t, c):
    """Without any httpd; t/rotate.t has the rest."""
    earlier = len(events_of(c))
    before = expect(t, c.run("keyring", "status"), 0, "keyring status", r"(?m)^(k-\w+) +seals +[1-9]").stdout
    first = c.json("keyring", "status")["keys"][0]["key"]
    t.has(before, first, "  the same in JSON")
    expect(t, c.run("keyring", "remove", first), 1, "the only key is not removed", r"\A\Z", "rows are sealed with this key")
    with open(c.keyring, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        expect(t, c.run("keyring", "rotate"), 1, "keyring rotate while somebody else changes it", r"\A\Z", "changing it at this moment")
    step = c.json("keyring", "rotate")
    t.is_(step["step"], "prepared", "keyring rotate: a key is prepared")
    expect(t, c.run("keyring", "rotate"), 1, "  and no more, for no httpd is known", r"\A\Z", "--offline")
    with open(c.keyring, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        expect(t, c.run("keyring", "rotate", "--offline"), 1, "  nor while somebody else changes the keyring", r"\A\Z", "changing it at this moment")
    c.write("INSERT INTO front_ends (id, host, pid, key_ids, schema_want, seen) VALUES ('x', 'front', 7, ?, 1, ?)", first, int(time.time()) + 60)
    done = expect(t, c.run("--json", "keyring", "rotate"), 1, "  nor when a front end lacks it", None, r"front \(pid 7\) does not have the key " + step["key"])
    t.ok((json.loads(done.stdout)["step"], json.loads(done.stdout)["waiting"]) == ("waiting", 1), "  for which it waits, also for programs", done.stdout)
    c.write("DELETE FROM front_ends")
    expect(t, c.run("keyring", "remove", step["key"]), 0, "a prepared key can be given up", "out of this keyring")
    t.is_([k["key"] for k in c.json("keyring", "status")["keys"]], [first], "  and is gone")
    saved = c.write("SELECT id, sealed_key FROM tokens LIMIT 1")[0]
    done = c.json("keyring", "rotate", "--offline")
    t.ok(done["step"] == "rotated" and done["resealed"] > 0 and done["unopened"] == 0, "with --offline all at once", done)
    expect(t, c.run("doctor"), 0, "  and doctor is content")
    c.write("UPDATE tokens SET sealed_key = ? WHERE id = ?", saved[1], saved[0])
    c.write("INSERT INTO front_ends (id, host, pid, key_ids, schema_want, seen) VALUES ('x', 'front', 7, ?, 1, ?)", first, int(time.time()) + 60)
    expect(t, c.run("keyring", "rotate"), 1, "one that was cut off is not finished while a front end lacks the key", r"\A\Z", "front .* does not have the key " + done["key"])
    c.write("DELETE FROM front_ends")
    t.is_(c.json("keyring", "rotate")["resealed"], 1, "  and is then")
    expect(t, c.run("keyring", "remove", done["key"]), 1, "the key that seals is not removed", r"\A\Z", "sealed with this")
    expect(t, c.run("keyring", "remove", first), 0, "the old one is")
    expect(t, c.run("keyring", "remove", first), 1, "  once", r"\A\Z", "no key of that name")
    t.is_(mode(c.keyring), 0o600, "the keyring is for its owner alone")
    t.is_([e["kind"] for e in events_of(c)[earlier:] if e["kind"].startswith("keyring")],
          ["keyring-prepared", "keyring-removed", "keyring-prepared", "keyring-rotated", "keyring-rotated", "keyring-removed"],
          "all of it is on record")


def pruning(t, c):
    for argv in [[], ["--before", "2001-01-01", "--keep", "1d"], ["--before", "soon"], ["--keep", "2001-01-01"],
                 ["--before", "2999-01-01"], ["--keep", "9998y"]]:
        expect(t, c.run("events", "prune", *argv), 2, "usage: 'events prune %s'" % " ".join(argv), r"\A\Z", ".")
    db = sqlite3.connect(c.db)
    with db:
        db.executemany("INSERT INTO events (at, kind) VALUES (?, 'ancient')", [(n,) for n in range(1, 2501)])
    db.close()
    known = [e for e in events_of(c) if e["kind"] != "ancient"]
    expect(t, c.run("events", "prune", "--before", "1970-01-01T00:00:11Z"), 0, "events prune", r"\A10 events from before 1970")
    t.is_(c.json("events", "prune", "--keep", "30d")["removed"], 2490, "events prune --keep: all batches")
    after = events_of(c)
    t.is_(after[:len(known)], known, "  what is younger stays")
    t.is_([e["kind"] for e in after[len(known):]], ["events-pruned"] * 2, "  and pruning is on record")


def events_of(c):
    return [json.loads(line) for line in c.run("--json", "events").stdout.splitlines()]


def removed(t, c):
    for row in c.json("token", "list"):
        c.run("token", "revoke", row["id"])
    expect(t, c.run("project", "remove", "sample-project"), 0, "the project goes")
    expect(t, c.run("user", "remove", "alice"), 0, "then its owner can go", r"removed")
    t.is_([r["name"] for r in c.json("user", "list")], ["bob@example.org"], "  and is gone")
    t.is_(sorted(os.listdir(c.dir))[0], "keyring", "the directory holds what it should")
    for name in os.listdir(c.dir):
        t.is_(mode(os.path.join(c.dir, name)), 0o600, "%s is for its owner alone" % name)


def long_lists(t, root):
    """Rows beyond the first thousand are printed as they come: the same list, in the memory of a short one."""
    c = Ctl(root, "long")
    c.run("init")
    with sqlite3.connect(c.db) as db:
        db.executemany("INSERT INTO projects (id, name, norm, confirmed, created) VALUES (?, ?, ?, 1, 1)",
                       [("%036d" % i, "P.%05d" % i, "p-%05d" % i) for i in range(2500)])
    db.close()
    text = c.run("--json", "project", "list").stdout
    rows = json.loads(text)
    t.is_([row["normalized"] for row in rows], ["p-%05d" % i for i in range(2500)], "2500 projects for a program")
    t.ok(text == json.dumps(rows, indent=2) + "\n", "  in one array, written like a short one")
    lines = c.run("project", "list").stdout.split("\n")
    t.is_(len(lines), 2502, "  and for people")
    t.is_({re.sub(r"\d{5}", "N", line) for line in lines[1:-1]}, {re.sub(r"\d{5}", "N", lines[1])}, "  all aligned alike")
    t.is_(c.run("--json", "user", "list").stdout, "[]\n", "an empty one")


def full_disk(t, c):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([CTL, "--config", "/dev/null", "user", "list"], stdout=full, stderr=subprocess.PIPE,
                              text=True, env={**c.env, **c.settings}, check=False)
    t.is_(done.returncode, 1, "an answer that cannot be written is no success", done.stderr)


def narrowing(t, c):
    """token narrow, to its end; t/narrow.t has what it does."""
    one = c.json("token", "create", "--user", "alice")["id"]
    expect(t, c.run("token", "narrow", one), 2, "token narrow to nothing", r"\A\Z", "Narrow it to what")
    for turn in range(65):
        done = c.run("token", "narrow", one, "--uses", str(100 - turn))
        if done.returncode:
            break
    expect(t, done, 1, "token narrow: there is an end to it", r"\A\Z", "too many restrictions")
    t.ok(len(c.json("token", "show", one)["restrictions"]) > 0 and 1 < turn < 65, "  after some", turn)
    c.run("token", "revoke", one)


def patterns(t, c):
    """token pattern: what a scanner for secrets looks for."""
    for service, code, says in ((None, 2, "No service is named"), ("x" * 5000, 1, "name is too long")):
        env = dict(c.settings, PYPITOKEN_SERVICE=service) if service else {k: v for k, v in c.settings.items() if k != "PYPITOKEN_SERVICE"}
        expect(t, c.run("token", "pattern", env=env), code, "token pattern: " + says, r"\A\Z", says)


def leaks(t, c):
    """token revoke --from-file: what somebody left lying in a text."""
    def made(*argv):
        return json.loads(c.run("--json", "token", "create", "--user", "alice", *argv).stdout)
    plain, basic, child, other = made(), made(), made(), made()
    narrowed = c.run("token", "restrict", "--expires", "1h", text=child["token"]).stdout.strip()
    pair = base64.b64encode(("__token__:" + basic["token"]).encode()).decode()
    bad = other["token"][:-6] + "AAAAAA"
    path = os.path.join(c.dir, "build.log")
    with open(path, "w", encoding="ascii") as f:
        f.write("password=%s.\nAuthorization: Basic %s\n_%s_ %s pypi-nothing\n" % (plain["token"], pair, narrowed, bad))
    done = c.run("--json", "token", "revoke", "--from-file", path)
    t.is_(done.returncode, 0, "token revoke --from-file", done.stderr)
    t.is_({(r["id"], r["state"]) for r in json.loads(done.stdout)}, {(x["id"], "revoked") for x in (plain, basic, child)},
          "  revokes each of ours: alone, in a header, and by one derived from it")
    states = {r["id"]: r["state"] for r in c.json("token", "list")}
    t.is_([states[x["id"]] for x in (plain, basic, child, other)], ["revoked"] * 3 + ["live"],
          "  but not one whose signature does not hold")
    with open(path, encoding="ascii") as f:
        done = c.run("token", "revoke", "--from-file", "-", text=f.read())
    t.ok(done.returncode == 0 and done.stdout.count(" before") == 3, "  the second time they were revoked before", done)
    kinds = [(e["kind"], e["detail"]) for e in map(json.loads, c.run("--json", "events").stdout.splitlines())
             if e["token"] == plain["id"]]
    t.ok(("token-leaked", "found in " + path) in kinds, "  and the trail says where it was found", kinds)
    c.write("ALTER TABLE tokens RENAME TO elsewhere")
    expect(t, c.run("token", "revoke", "--from-file", path), 3, "what cannot be looked up is not told to be revoked", None, "store failed for 4 of them")
    c.write("ALTER TABLE elsewhere RENAME TO tokens")
    t.ok(plain["token"][-16:] not in done.stdout + done.stderr, "  no token is printed again")
    for argv in (("token", "revoke"), ("token", "revoke", other["id"], "--from-file", path)):
        expect(t, c.run(*argv), 2, "neither, nor both")
    expect(t, c.run("token", "revoke", "--from-file", "/nowhere"), 1, "a file that is not there")
    c.run("token", "revoke", other["id"])
    os.unlink(path)


def terminals(t, c):
    """Sentences, too, show what a database or a file says without what a terminal would act on."""
    strange = "e\x1b]0;mine\x07\x9bs\nc\x7f"
    c.run("user", "add", "--no-password", "esc")
    made = c.json("token", "create", "--user", "esc")
    with sqlite3.connect(c.db) as db:
        db.execute("INSERT INTO front_ends (id, host, pid, key_ids, schema_want, seen) VALUES ('x', ?, 1, 'k', 1, ?)", (strange, int(time.time())))
        db.execute("UPDATE users SET name = ? WHERE name = 'esc'", (strange,))
    done = expect(t, c.run("token", "revoke", made["id"]), 0, "token revoke of a user with a name that is none", "Token %s of user e\\?" % made["id"])
    done.stderr += c.run("store", "copy", "--to", "sqlite:/nowhere").stderr + c.run("user", "list").stdout
    t.has(done.stderr, "httpd on e?", "  a front end with such a name")
    t.is_([x for x in done.stdout + done.stderr if x != "\n" and not x.isprintable()], [], "  nothing for the terminal in all that is said", done)
    with sqlite3.connect(c.db) as db:
        db.execute("DELETE FROM front_ends")
        db.execute("DELETE FROM tokens WHERE id = ?", (made["id"],))
        db.execute("DELETE FROM users WHERE name = ?", (strange,))


def named(t, c, root):
    """status asks each address of a name, as localhost has two of them where httpd listens on one: with names of our
    own, in a name space of our own."""
    what, alone = "status asks each address of a name", ["unshare", "--mount"]
    if os.geteuid() != 0 or not shutil.which("unshare") or subprocess.run(alone + ["true"], stderr=subprocess.DEVNULL, check=False).returncode:
        t.skip(what, "not root, or no name spaces")
        return
    hosts = os.path.join(root, "hosts")
    with open(hosts, "w", encoding="utf-8") as f:
        f.write("::1 two.test\n127.0.0.1 two.test\n")

    def answer(server):
        with server.accept()[0] as peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.0 200 OK\r\n\r\npypitoken_store_up 1\n")

    def status(port):
        return subprocess.run(alone + ["sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, CTL, "--config", "/dev/null",
                                       "status", "--url", "http://two.test:%d/" % port],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=c.env, check=False, timeout=60)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        port = server.getsockname()[1]
        thread = threading.Thread(target=answer, args=(server,), daemon=True)
        thread.start()
        expect(t, status(port), 0, what, r"store_up +- +1")
    expect(t, status(port), 3, "  and complains when all are asked", r"\A\Z", "two.test")


def main(t):
    root = tempfile.mkdtemp(prefix="pypitokenctl-")
    try:
        c = Ctl(root)
        usage(t, c)
        init(t, c)
        outage(t, c, root)
        precedence(t, c, root)
        users(t, c)
        prompts(t, c)
        projects(t, c)
        imports(t, c)
        plain, row = tokens(t, c)
        inspecting(t, c, plain, row)
        restricting(t, c, plain)
        rotating(t, c, row)
        revoking(t, c, plain, row)
        events(t, c, row)
        narrowing(t, c)
        patterns(t, c)
        leaks(t, c)
        terminals(t, c)
        full_disk(t, c)
        doctor(t, c, root)
        named(t, c, root)
        owners(t, root)
        other_keyring(t, c)
        keyring(t, c)
        pruning(t, c)
        removed(t, c)
        long_lists(t, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    tap.run(main)
