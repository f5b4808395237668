#!/usr/bin/python3
"""harness.t - the harness itself: its gates close, and it leaves nothing running."""
import contextlib
import io
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
LIB = os.path.join(os.environ.get("srcdir", "."), "t/lib")
sys.path.insert(0, LIB)

from pypt import poll, site, tap, wire  # noqa: E402

TOKEN = "pypi-AgEKaW5kZXgudGVzdAIkbm90LWEtcmVhbC10b2tlbg"


def gate(what, before=lambda s: None):
    """What a Site says at its end after what(site): (passed, text)."""
    inner, out = tap.Tap(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        with site.Site(inner) as s:
            before(s)
            s.init()
            s.start(locations="")
            what(s)
    return not inner.failed, out.getvalue()


def killed(s):
    pid = s.httpd.children()[0]
    os.kill(pid, signal.SIGSEGV)
    poll.until(lambda: "exit signal" in s.httpd.said())


def leak(s):
    s.secret(TOKEN)
    s.get("/", [("User-Agent", TOKEN)])


def leak_header(s):
    s.secret(TOKEN)
    s.get("/", [("User-Agent", wire.basic("__token__", TOKEN))])


def orphan():
    """Starts a script that starts a server, kills the script: is the server gone?"""
    code = ("import sys; sys.dont_write_bytecode = True; sys.path.insert(0, %r)\n"
            "from pypt import site, tap\n"
            "s = site.Site(tap.Tap()); s.init(); s.start(locations=''); print(s.httpd.proc.pid, s.root, flush=True)\n"
            "sys.stdin.read()\n" % LIB)
    script = subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    pid, root = script.stdout.readline().split()
    there = os.path.exists("/proc/" + pid)
    script.kill()
    script.communicate()
    gone = poll.until(lambda: not os.path.exists("/proc/%s/cmdline" % pid) or not cmdline(pid))
    subprocess.run(["rm", "-rf", root], check=True)
    return there, bool(gone)


def cmdline(pid):
    try:
        with open("/proc/%s/cmdline" % pid) as f:
            return f.read()
    except OSError:
        return ""


def exit_code(body):
    code = ("import sys; sys.dont_write_bytecode = True; sys.path.insert(0, %r)\nfrom pypt import tap\n"
            "def main(t):\n    %s\ntap.run(main)\n" % (LIB, body))
    done = subprocess.run(["/usr/bin/python3", "-c", code], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def main(t):
    site.need(t)
    t.is_(exit_code("t.ok(True, 'x')")[0], 0, "a script whose tests pass exits with 0")
    for body, why in (("t.ok(False, 'x')", "a failed test"), ("raise ValueError('x')", "an exception"),
                      ("t.ok(True, 'x'); sys.exit(0)", "an early exit")):
        code, text = exit_code(body)
        t.ok(code != 0 or "1.." not in text, why + " is a failure", text)

    good, text = gate(lambda s: s.get("/"))
    t.ok(good, "a quiet server passes the gate", text)
    good, text = gate(leak)
    t.ok(not good and TOKEN not in text, "a token in the access log does not, and is not repeated", text)
    good, text = gate(leak_header)
    t.ok(not good, "nor does it in the form of Basic credentials", text)
    denied = '<Location "/denied">\nRequire all denied\n</Location>\n'
    config = site.STORE
    site.STORE = config + denied
    good, text = gate(lambda s: s.get("/denied"))
    t.ok(not good and "denied" in text, "a line at level error does not pass", text)
    good, text = gate(lambda s: s.get("/denied"), lambda s: s.allow("AH01630"))
    t.ok(good, "  but does where it is expected", text)
    site.STORE = config
    good, text = gate(killed)
    t.ok(not good and "exit signal" in text, "a child that dies does not", text)
    t.is_(orphan(), (True, True), "a script that is killed takes its server with it")


tap.run(main)
