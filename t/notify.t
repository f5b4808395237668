#!/usr/bin/python3
"""notify.t - PyPITokenNotify: what is told when, to whom it is no secret; programs that hang, fail or cannot
keep up; nobody waits for them."""
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, httpd, openapi, pages, poll, site, tap, wire  # noqa: E402
from pypt.codehost import Host  # noqa: E402
from pypt.token import Token  # noqa: E402

CONFIG = """\
PyPITokenNotify "{root}/bin/told" 1s
PyPITokenFlush 1s
MaxKeepAliveRequests 0
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
""" + pages.at("/account/", 'PyPITokenDisclosureKeys "{root}/github.json"')
# a note appears under its name when it is complete
KEEP = """\
#!/bin/sh
part=$(mktemp "{root}/told/part.XXXXXX") && cat >"$part" && mv "$part" "$part.note"
"""
# Python ignores SIGPIPE and SIGXFSZ by itself
LOOK = """\
#!/usr/bin/python3 -IS
import os
with open("{root}/told/look.part", "w") as out:
    print("id", os.getuid(), os.getgid(), file=out)
    for fd in range(3, 1000):
        if fd != out.fileno() and os.path.exists("/proc/self/fd/%d" % fd):
            print("fd", fd, file=out)
    with open("/proc/self/environ", "rb") as f:
        print(*["env " + x for x in f.read().decode().split(chr(0)) if x], sep=chr(10), file=out)
    with open("/proc/self/status") as f:
        print(*[line for line in f if line.startswith("Sig")], sep="", file=out)
    print("group", os.getpgrp(), os.getpid(), file=out)
os.rename("{root}/told/look.part", "{root}/told/look")
"""
HANG = """\
#!/bin/sh
sleep 1000 &
echo "$$ $!" >"{root}/told/part.$$" && mv "{root}/told/part.$$" "{root}/told/hangs.$$"
wait
"""
SLOW = """\
#!/bin/sh
cat >/dev/null
echo x >>"{root}/told/slow"
while ! [ -e "{root}/told/go" ]; do sleep 0.02; done
"""


def program(s, text):
    """Another program takes the place of the one that is there, at once."""
    s.write("bin/next", text.replace("{root}", s.root), 0o755)
    os.rename(s.path("bin/next"), s.path("bin/told"))


def notes(s):
    """What was told so far, and forgets it."""
    found = []
    for name in sorted(os.listdir(s.path("told"))):
        if name.endswith(".note"):
            with open(s.path("told", name), encoding="utf-8") as f:
                text = f.read()
            os.unlink(s.path("told", name))
            found.append(text)
    return found


class Told:
    def __init__(self, t, s):
        self.t, self.s, self.all = t, s, []

    def expect(self, want, what):
        """These notes and no others, in any order; they come in their own time. A list of them."""
        got = []

        def enough():
            got.extend(notes(self.s))
            return len(got) >= len(want)
        poll.until(enough)
        self.all += got
        rows = [json.loads(text) for text in got]
        pairs = sorted((r["event"], r["token"]) for r in rows)
        self.t.is_(pairs, sorted(want, key=str), what, got)
        return rows


def made(s, r):
    return Token(r.json()["token"], s)


def story(t, s, api):
    told, alice = Told(t, s), ("alice", s.password("alice"))
    mine = made(s, api.call("POST", "/api/1/tokens", alice, {"name": "ci \u00e4", "uses": 9}, [("User-Agent", "curl/8")]))
    row = told.expect([("token-created", mine.id)], "a token is made")[0]
    t.is_({k: row[k] for k in ("user", "address", "agent", "service", "project")},
          {"user": "alice", "address": "127.0.0.1", "agent": "curl/8", "service": "index.test", "project": None}, "  by whom, from where")
    t.ok("ci \u00e4" in row["detail"] and "9" in row["detail"] and row["at"] > 1000000000, "  its name, and what it is for", row)
    t.is_(sorted(row), ["address", "agent", "at", "detail", "event", "file", "project", "service", "token", "user"], "  and no more")
    s.upload(dist.sdist("demo"), mine)
    rows = told.expect([("token-new-address", mine.id), ("project-added", mine.id)], "its first use, with a new project")
    t.is_({(r["event"], r["project"], r["file"], r["address"]) for r in rows},
          {("token-new-address", "demo", "demo-1.0.tar.gz", "127.0.0.1"), ("project-added", "demo", "demo-1.0.tar.gz", "127.0.0.1")}, "  what, from where")
    s.upload(dist.sdist("demo", "1.1"), mine)
    s.upload(dist.sdist("demo", "1.2"), mine, headers=[("X-Client", "192.0.2.7")])
    row = told.expect([("token-new-address", mine.id)], "the same address is no news, another one is")[0]
    t.is_((row["address"], row["file"]), ("192.0.2.7", "demo-1.2.tar.gz"), "  which")
    s.upload(dist.sdist("demo", "1.3"), mine.mistyped())
    s.upload(dist.sdist("other-demo"), mine.only("demo"))
    new = made(s, api.call("POST", "/api/1/tokens/%s/rotate" % mine.id, alice, {}))
    told.expect([("token-created", new.id), ("token-rotated", mine.id)], "rotated; refusals are not told")
    api.call("DELETE", "/api/1/tokens/" + mine.id, alice)
    api.call("DELETE", "/api/1/tokens/" + mine.id, alice)
    told.expect([("token-revoked", mine.id)], "revoked: once")
    body = json.dumps([{"token": new.text, "url": "https://code.example/?x=" + new.text}] * 2).encode()
    t.is_(api.call("POST", "/secrets/disclose-token", None, body, s.github.headers(body)).status, 204, "a report")
    row = told.expect([("token-leaked", new.id)], "leaked: once")[0]
    t.is_(row["detail"], "found at https://code.example/?x=...", "  with the place")
    last = made(s, api.call("POST", "/api/1/tokens", alice, {"name": "last"}))
    api.call("DELETE", "/api/1/tokens/current", last.user)
    told.expect([("token-created", last.id), ("token-revoked", last.id)], "burnt by itself")
    globs = ["a-rather-long-name-%02d-*" % i for i in range(40)]
    wide = made(s, api.call("POST", "/api/1/tokens", alice, {"name": "wide \u00e4", "glob": globs}))
    row = told.expect([("token-created", wide.id)], "a token for many names")[0]
    t.ok(len(row["detail"]) == 503 and row["detail"].startswith("name wide ?") and row["detail"].endswith("..."),
         "  which are too long for a note: it begins with them and says that it was cut", row)
    text = "".join(told.all)
    t.ok(all(line == line.strip() and "\n" not in line for line in told.all), "each note is one line of JSON")
    t.is_([x for x in s.secrets if x in text], [], "no secret in any note")


def owners(t, s, api):
    """Who may upload is told, too."""
    told, b = Told(t, s), pages.Browser(s)
    b.sign_in("alice", s.password("alice"))
    for role, event in (("maintainer", "role-added"), ("owner", "role-added"), ("none", "role-removed")):
        r = b.post("/account/projects/demo", "/account/projects/demo", user="bob", role=role)
        t.is_(r.status, 303, "alice says what bob is: %s" % role, r.text[-900:])
        row = told.expect([(event, None)], "  it is told")[0]
        t.ok((row["user"], row["project"]) == ("alice", "demo") and "bob" in row["detail"] and role in row["detail"], "  who is what, and who has said so", row)


def surroundings(t, s, api):
    """What the program gets, and what not."""
    program(s, LOOK)
    api.call("POST", "/api/1/tokens", ("alice", s.password("alice")), {"name": "look"})
    poll.until(lambda: os.path.exists(s.path("told/look")))
    with open(s.path("told/look"), encoding="ascii") as f:
        said = f.read()
    if s.as_root:
        t.unlike(said, r"(?m)^id 0 ", "it is not root")
    t.is_(re.findall(r"(?m)^fd (\d+)$", said), [], "nothing is open but input, output, errors", said)
    t.is_([x.split("=")[0] for x in re.findall(r"(?m)^env (.+)$", said)], ["PATH"], "it has a PATH and nothing of httpd's", said)
    masks = dict(re.findall(r"(?m)^Sig(\w+):\s*([0-9a-f]+)$", said))
    t.is_((int(masks["Blk"], 16), int(masks["Ign"], 16) & 0x7fffffff & ~0x1001000), (0, 0), "no signal is blocked or ignored", said)
    t.like(said, r"(?m)^group (\d+) \1$", "a group of its own")


def alive(pid):
    try:
        with open("/proc/%s/stat" % pid, encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def hangs(s):
    """The pids of all programs that hang or have hung, and what they have started; waits for one."""
    def found():
        return [name for name in os.listdir(s.path("told")) if name.startswith("hangs.")]
    pids = []
    for name in poll.until(found) or []:
        with open(s.path("told", name), encoding="ascii") as f:
            pids += f.read().split()
    return pids


def hanging(t, s, api):
    s.allow(r"PyPITokenNotify: \S+/told (took too long and was killed|ended with exit code 3|could not be started)")
    program(s, HANG)
    alice = ("alice", s.password("alice"))
    token = made(s, api.call("POST", "/api/1/tokens", alice, {"name": "hang"}))
    hangs(s)
    for n in range(3):
        r = s.upload(dist.sdist("demo", "2.%d" % n), token)
        t.is_(r.status, 200, "an upload while the program hangs", r)
    # one for the token that was made, one for its first use
    t.ok(poll.until(lambda: s.httpd.said().count("took too long and was killed") == 2), "then it is killed, and the log says so")
    pids = hangs(s)
    t.ok(len(pids) == 4 and poll.until(lambda: not any(alive(pid) for pid in pids)), "  with all that it has started", pids)
    program(s, "#!/bin/sh\nexit 3\n")
    api.call("POST", "/api/1/tokens", alice, {"name": "bad"})
    t.ok(poll.until(lambda: "ended with exit code 3" in s.httpd.said()), "one that fails: the log says so")
    os.unlink(s.path("bin/told"))
    api.call("POST", "/api/1/tokens", alice, {"name": "gone"})
    t.ok(poll.until(lambda: "could not be started" in s.httpd.said()), "one that is gone: the log says so")
    program(s, KEEP)
    fine = made(s, api.call("POST", "/api/1/tokens", alice, {"name": "fine"}))
    t.ok(poll.until(lambda: any(fine.id in text for text in notes(s))), "and the next one is told as ever")


def flood(t, s, api):
    """More happens than the program can keep up with: the queue has a bound, and what is lost is said."""
    s.allow(r"PyPITokenNotify: \d+ notes were lost, for too much happened at once")
    program(s, SLOW)
    alice, n = ("alice", s.password("alice")), 270
    with wire.Conn(s.httpd.port) as conn:  # one child, one queue
        tokens = [made(s, api.call("POST", "/api/1/tokens", alice, {"name": "n%d" % i}, conn=conn)) for i in range(n)]
    t.is_(len(tokens), n, "%d tokens are made while the program does not get on" % n)
    s.write("told/go", "")
    found = poll.until(lambda: re.search(r"PyPITokenNotify: (\d+) notes were lost, for too much", s.httpd.said()), limit=60)
    t.ok(found, "what did not fit into the queue is lost, and the log says so")

    def told():
        with open(s.path("told/slow"), encoding="ascii") as f:
            return f.read().count("x")
    if found:
        t.ok(poll.until(lambda: told() + int(found.group(1)) == n), "  told and lost are all of them", (told(), found.group(0)))
    os.unlink(s.path("told/go"))
    os.unlink(s.path("told/slow"))


def ending(t, s, api):
    """A child that ends does not wait long for a program, and leaves none behind."""
    s.allow(r"PyPITokenNotify: \d+ notes were lost, for this child ends")
    for name in os.listdir(s.path("told")):
        os.unlink(s.path("told", name))
    program(s, HANG)
    for i in range(5):
        api.call("POST", "/api/1/tokens", ("alice", s.password("alice")), {"name": "end%d" % i})
    pids = hangs(s)
    s.httpd.stop()
    pids += hangs(s)
    t.ok(pids and poll.until(lambda: not any(alive(pid) for pid in pids)), "httpd has stopped, and so has the program", pids)


def startup(t, s):
    """What stops httpd from starting."""
    outside, open_dir = s.write("bin/open", "#!/bin/sh\n", 0o757), s.path("everybodys")
    os.mkdir(open_dir)
    os.chmod(open_dir, 0o777)
    s.write("everybodys/told", "#!/bin/sh\n", 0o755)
    s.write("bin/plain", "#!/bin/sh\n", 0o644)
    s.write("bin/mine", "#!/bin/sh\n", 0o700)
    cases = [
        ("no such program", s.path("bin/nosuch"), "is no file"), ("a directory", s.path("bin"), "is no file"),
        ("one that everybody may write", outside, "chmod o-w"), ("one that is none", s.path("bin/plain"), "may not be run by httpd's user"),
        ("a directory that everybody may write", s.path("everybodys/told"), "another in its place"),
        ("a relative path", "bin/told", "whole path"), ("no time at all", s.path("bin/told") + '" "0', "from 1s to 5min"),
        ("hours", s.path("bin/told") + '" "2h', "from 1s to 5min"),
    ]
    if s.as_root:
        cases.append(("root's alone", s.path("bin/mine"), "may not be run by httpd's user"))
    for what, path, says in cases:
        server = httpd.Httpd(s, 'PyPITokenNotify "%s"\n' % path)
        code, said = server.check()
        t.ok(code not in (0, None) and says in said and "PyPITokenNotify" in said, what + ": httpd does not start", said)
    server = httpd.Httpd(s, '<VirtualHost 127.0.0.1:1>\nPyPITokenNotify "%s"\n</VirtualHost>\n' % s.path("bin/told"))
    t.ok(server.check()[0] not in (0, None), "in a virtual host: httpd does not start")


def main(t):
    site.need(t, "openssl")
    with site.Site(t) as s:
        s.init("alice", "bob")
        for name in ("bin", "told"):
            os.mkdir(s.path(name))
            os.chmod(s.path(name), 0o755)
        s.give("told")
        s.github = Host(s, "github")
        s.github.file()
        program(s, KEEP)
        s.start(more=CONFIG, modules=["remoteip"])
        api = openapi.Api(t, s)
        for part in (story, owners, surroundings, hanging):
            t.note(part.__name__)
            part(t, s, api)
        s.httpd.stop()
        s.start(more=CONFIG.replace("1s\n", "2min\n", 1), modules=["remoteip"])
        for part in (flood, ending):
            t.note(part.__name__)
            part(t, s, api)
        startup(t, s)


tap.run(main)
