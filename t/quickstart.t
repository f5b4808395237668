#!/usr/bin/python3
"""quickstart.t - README's first command: from the source to an index that takes an upload, in one go;
what it prints can be typed; nothing runs when it has ended, however it ended."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, clients, dist, poll, site, tap  # noqa: E402

QUICKSTART = os.path.join(SRCDIR, "conf/quickstart")
STEPS = 8


class Start:
    """conf/quickstart on a state directory, in a session of its own as a terminal would have it."""

    def __init__(self, state, *argv):
        self.state = state
        self.out = open(os.path.join(state, "..", "out"), "w+")
        env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": state, "LC_ALL": "C.UTF-8"}
        self.proc = subprocess.Popen(["bash", QUICKSTART, "--state", state, *argv], stdin=subprocess.DEVNULL,
                                     stdout=self.out, stderr=subprocess.STDOUT, env=env, start_new_session=True)

    def said(self):
        self.out.seek(0)
        return self.out.read()

    def ready(self):
        poll.until(lambda: self.proc.poll() is not None or "Ctrl-C ends it." in self.said(), 120)
        return self.proc.poll() is None

    def end(self, sig, group=False):
        """Ends it; its exit code, negative for a signal."""
        if group:
            os.killpg(self.proc.pid, sig)
        else:
            self.proc.send_signal(sig)
        return self.proc.wait(30)


def servers(state):
    """The pids of every httpd, parents and children, that runs on this state."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid) as f:
                if "\0-f\0%s/httpd.conf" % state in f.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


def gone(state):
    return bool(poll.until(lambda: not servers(state)))


def check(t, state, *argv):
    start = Start(state, "--check", *argv)
    code = start.proc.wait(300)
    said = start.said()
    t.is_(code, 0, "quickstart --check %sends with 0" % ("on a finished build " if argv else ""), said[-3000:])
    t.is_(len(re.findall(r"^ok: ", said, re.M)), STEPS, "  having said each step", said[-3000:])
    t.has(said, "All checks passed.", "  and that all passed")
    t.has(said, state, "  and where its state is")
    t.ok(gone(state), "  and leaves no httpd behind")


def printed(t, start, state):
    """The commands it prints, as a person would paste them."""
    said = start.said()
    home = os.path.join(state, "..", "home")
    package = dist.wheel("typed-in", "1.0")
    os.makedirs(os.path.join(home, "dist"))
    package.save(os.path.join(home, "dist"))
    line = re.search(r"Upload: +(.*?dist/\*)", said, re.S).group(1)
    done = clients.run(home, ["sh", "-c", line.replace("twine upload", "twine upload --non-interactive")])
    t.ok(done.code == 0, "the printed twine command uploads", done)
    line = re.search(r"Install: +pip (install .*) NAME", said).group(1)
    done = clients.run(home, [clients.PYTHON, "-m", *("pip " + line).split(), "--no-deps", "--no-cache-dir",
                              "--target", os.path.join(home, "target"), "typed-in"])
    t.ok(done.code == 0 and os.path.exists(os.path.join(home, "target", "typed_in.py")),
         "the printed pip command installs it", done)
    t.unlike(said, r"pypi-[A-Za-z0-9_-]{16}", "no token is printed")


def same_again(t, state):
    def held():
        with open(os.path.join(state, "token")) as f, open(os.path.join(state, "port")) as g:
            return f.read(), g.read()
    before = held()
    start = Start(state)
    t.ok(start.ready(), "a second start runs", start.said()[-2000:])
    t.is_(held(), before, "  with the token and the port of the first")
    port = before[1].strip()
    listing = subprocess.run(["curl", "-sS", "http://127.0.0.1:%s/simple/" % port], stdout=subprocess.PIPE,
                             text=True, check=False).stdout
    t.has(listing, "typed-in", "  and what was uploaded before")
    other = Start(state)
    t.ok(other.proc.wait(60) == 1 and "another quickstart runs" in other.said(), "a third beside it is refused")
    return start


def modes(t, state):
    loose = [name for name in ("token", "password", "keyring") if os.stat(os.path.join(state, name)).st_mode & 0o077]
    t.is_(loose, [], "token, password and keyring are nobody else's")


def main(t):
    site.need(t, "curl", "twine")
    top = tempfile.mkdtemp(prefix="pypt-quick-")
    state = os.path.join(top, "state")
    os.chmod(top, 0o755)
    os.mkdir(state, 0o755)
    try:
        check(t, state)
        modes(t, state)
        start = Start(state, "--build", os.path.join(state, "build"))
        t.ok(start.ready(), "without --check it stays", start.said()[-2000:])
        t.ok(servers(state), "  with a httpd")
        printed(t, start, state)
        t.is_(start.end(signal.SIGINT, group=True), 130, "Ctrl-C ends it")
        t.ok(gone(state), "  and its httpd")
        start = same_again(t, state)
        t.is_(start.end(signal.SIGKILL), -signal.SIGKILL, "killed without a word")
        t.ok(gone(state), "  it takes its httpd along all the same")
        check(t, state, "--build", os.path.join(state, "build"))
    finally:
        shutil.rmtree(top, ignore_errors=True)


tap.run(main)
