#!/usr/bin/python3
"""people.t - people and their second factors: enrolling, logging in with Basic, uploading with a password."""
import base64
import concurrent.futures
import json
import os
import pty
import re
import resource
import secrets
import shutil
import stat
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, SRCDIR, dist, mariadb, pages, people, poll, site, store, tap, under, wire  # noqa: E402

PAGES = """\
<Location "/page/">
    AuthType Basic
    AuthName "people"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenLinger 0
</Location>
<Location "/page/linger/">
    PyPITokenLinger 10min
</Location>
<Location "/page/required/">
    PyPITokenSecondFactor Required
</Location>
<Location "/page/off/">
    PyPITokenSecondFactor Off
</Location>
# with a configuration of its own, so that httpd authenticates again on the way there
<Location "/page/dir/index.html">
    AuthName "inside"
</Location>
""" + pages.at("/account/")

UPLOADS = "".join("""\
<Location "/up/%s/">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
    PyPITokenPasswordUpload %s
    PyPITokenPackages "{root}/packages"
    SetHandler pypi-index
</Location>
""" % (name.lower(), name) for name in ("Never", "Without2FA", "Always"))

# nothing here is about how often something may fail
# and as many hashes at once as there are requests
NO_LIMITS = "PyPITokenHashes 16\n" + "".join("PyPITokenThrottle %s Off\n" % name for name in "account address all code code-address".split())
FAILURES = (r"pypitoken: refused, login-down.*does not open", r"AH01617.*(alice|bob|ALICE|nobody|gone|old|carol|__token__|'')", r"AH01618.*not found", r"AH01617")
TOOL = os.path.join(BUILDDIR, "t/unit/people_tool")


def tool(lines):
    done = subprocess.run([TOOL], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()


# ---- the arithmetic ----

def oracle(t):
    """oathtool, over random seeds, lengths, hashes, digits and times."""
    ask, want = [], []
    for n in range(80):
        kind, digits = ("sha1", "sha256", "sha512")[n % 3], (6, 8)[n % 2]
        seed = secrets.token_hex(16 + secrets.randbelow(49))
        counter = secrets.randbelow(1 << 33)
        want += people.oathtool("--totp=" + kind, "-d", digits, "-N", "@%d" % (counter * 30), "-w", 49, seed)
        ask += ["code %s %d %s %d" % (kind, digits, seed, counter + i) for i in range(50)]
    t.is_(tool(ask), want, "%d codes are those of oathtool" % len(want))
    t.ok(len(want) == 4000, "  all of them")

    ask, want = [], []
    seed, kind = secrets.token_hex(20), "sha1"
    codes = people.oathtool("--totp", "-N", "@1500000000", "-w", 9, seed)
    for at in range(1500000000 - 60, 1500000000 + 360):
        for i, code in enumerate(codes):
            step = 1500000000 // 30 + i
            ask.append("match %s 6 %s %d %s" % (kind, seed, at, code))
            want.append(str(step if abs(at // 30 - step) <= 1 else -1))
    t.is_(tool(ask), want, "%d questions whether a code of oathtool's is good at a second" % len(want))


def common_passwords(t):
    try:
        from zxcvbn.frequency_lists import FREQUENCY_LISTS
    except ImportError:
        t.skip("the commonest passwords", "no python3-zxcvbn")
        return
    commonest = FREQUENCY_LISTS["passwords"][:10000]
    name = b"alice".hex()
    answers = tool("password %s %s" % (name, p.encode().hex()) for p in commonest)
    t.is_([p for p, a in zip(commonest, answers) if a != "no"], [], "none of the ten thousand commonest passwords")
    t.is_(tool("password %s %s" % (name, p.capitalize().encode().hex()) for p in commonest).count("ok"), 0,
          "  nor with a capital letter")
    good = [secrets.token_urlsafe(9) for _ in range(5000)] + ["correct horse battery staple"]
    t.is_(tool("password %s %s" % (name, p.encode().hex()) for p in good).count("no"), 0, "any other is")


# ---- enrolling ----

def scan(dark, side):
    """What a QR code says, read by zbarimg. dark: its dark modules, (x, y); side: with the quiet zone."""
    rows = "\n".join(" ".join("01"[(x // 4, y // 4) in dark] for x in range(4 * side)) for y in range(4 * side))
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "PBM:-"], input="P1\n%d %d\n%s\n" % (4 * side, 4 * side, rows),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip()


def picture(svg):
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg).group(1))
    return scan({(int(x), int(y)) for x, y in re.findall(r"M(\d+),(\d+)h1v1h-1z", svg)}, side)


def drawn(text):
    """The same of a picture on a terminal: two rows of it in each line, dark is the ink."""
    lines = re.findall("\x1b\\[0;30;47m([ \u2580\u2584\u2588]+)\x1b\\[0m", text)
    dark = {(x, 2 * y + half) for y, line in enumerate(lines) for x, c in enumerate(line) for half in (0, 1)
            if c in ("\u2580\u2588", "\u2584\u2588")[half]}
    return scan(dark, max(len(line) for line in lines)) if lines else ""


def terminal(s, *argv):
    """pypitokenctl with a terminal for its standard output: what it showed there."""
    own, theirs = pty.openpty()
    child = subprocess.Popen([os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", *s.store.options(), "--keyring",
                              s.path("keyring"), "--service", site.SERVICE, *argv], stdin=subprocess.DEVNULL, stdout=theirs,
                             stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    os.close(theirs)
    shown = b""
    while True:
        try:
            got = os.read(own, 65536)
        except OSError:  # the other end is closed
            got = b""
        if not got:
            break
        shown += got
    os.close(own)
    child.wait()
    return shown.decode()


def passwords(t, s):
    """What nobody may have as a password."""
    s.ctl("user", "add", "longish-name", "--no-password")
    for what, password in (("one of the commonest", "password1"), ("in capitals", "PASSWORD1"), ("the name", "longish-name"),
                           ("the name in capitals", "Longish-Name"), ("a short one", "a1B2c3"), ("none", ""),
                           ("the same letter", "a" * 40)):
        done = s.ctl_run("user", "passwd", "longish-name", text=password + "\n")
        t.is_(done.returncode, 1, "user passwd: not %s" % what, done.stderr)
        t.ok(not password or password not in done.stdout + done.stderr, "  and it is not repeated")
    t.is_([u["has_password"] for u in s.ctl_json("user", "list") if u["name"] == "longish-name"], [False], "none of them was taken")
    t.is_(s.ctl_run("user", "passwd", "longish-name", text="four words in a row\n").returncode, 0, "words are fine")


def enrolling(t, s):
    svg = s.path("qr.svg")
    done = s.ctl_run("totp", "enroll", "alice", "--svg", svg)
    uri = done.stdout.strip()
    own = people.Authenticator(uri)
    s.secrets.add(own.says["secret"])
    t.is_((done.returncode, own.label, own.says["issuer"], own.says["algorithm"], own.says["digits"], own.says["period"]),
          (0, "index.test:alice", "index.test", "SHA1", "6", "30"), "enrolled: a URI on stdout")
    t.unlike(done.stderr, own.says["secret"], "  and its secret nowhere else")
    t.is_(stat.S_IMODE(os.stat(svg).st_mode), 0o600, "  a QR code that only its owner reads")
    with open(svg) as f:
        text = f.read()
    if shutil.which("zbarimg"):
        t.is_(picture(text), uri, "  which says the same to a reader of QR codes")
    else:
        t.skip("the QR code is read", "no zbarimg")
    t.unlike(text, r"<script|style=|href", "  as a plain picture")
    shown = terminal(s, "totp", "enroll", "alice")
    uri = re.search(r"otpauth:\S+", shown).group()
    own = people.Authenticator(uri)
    s.secrets.add(own.says["secret"])
    if shutil.which("zbarimg"):
        t.is_(drawn(shown), uri, "on a terminal a QR code, too, which says the same")
    t.is_(s.ctl_run("totp", "enroll", "alice", "--svg", svg).returncode, 1, "a file that is there is not replaced")
    for who, limit in (("nobody", ""), ("alice", "ulimit -f 0; ")):  # no such user, no room
        kept = {r["name"]: r["second_factor"] for r in s.ctl_json("user", "list")}
        argv = [os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", *s.store.options(), "--keyring", s.path("keyring"), "totp", "enroll", who]
        done = subprocess.run(["sh", "-c", 'trap "" XFSZ; ' + limit + 'exec "$@"', "sh", *argv, "--svg", s.path("none.svg")], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        t.ok(done.returncode in (1, 3) and not os.path.exists(s.path("none.svg")), "an enrolment of %s that fails leaves no file behind" % who, done)
        t.is_({r["name"]: r["second_factor"] for r in s.ctl_json("user", "list")}, kept, "  and nobody with another factor than before")
    t.is_(s.ctl_json("user", "list")[0]["second_factor"], False, "it does not count yet")
    wrong = "%06d" % ((int(own.code()) + 1) % 1000000)
    done = s.ctl_run("totp", "confirm", "alice", text=wrong + "\n")
    t.is_(done.returncode, 1, "another code does not confirm it")
    t.has(done.stderr, "not the code", "  and it says so")
    t.is_(s.ctl_run("totp", "confirm", "bob", text=own.code() + "\n").returncode, 1, "nor does it for somebody else")
    done = s.ctl_run("totp", "confirm", "alice", text=own.code() + "\n")
    t.is_((done.returncode, s.ctl_json("user", "list")[0]["second_factor"]), (0, True), "its code does")
    t.is_(s.ctl_run("totp", "confirm", "alice", text=own.code(1) + "\n").returncode, 1, "once")

    other = people.Authenticator(json.loads(s.ctl("--json", "totp", "enroll", "alice", "--digits", "8",
                                                  "--algorithm", "sha512"))["uri"])
    s.secrets.add(other.says["secret"])
    t.is_((other.says["digits"], other.says["algorithm"]), ("8", "SHA512"), "eight digits of SHA-512")
    t.is_(len(other.code()), 8, "  are eight")
    for bad in (["--digits", "7"], ["--algorithm", "MD5"]):
        t.is_(s.ctl_run("totp", "enroll", "alice", *bad).returncode, 2, "%s %s" % tuple(bad))
    t.is_(s.ctl_run("recovery-codes", "bob").returncode, 1, "no recovery codes without a second factor")
    codes = people.recovery(s, "alice")
    t.ok(len(set(codes)) == 8 and all(re.fullmatch(r"([bcdfghjkmnp-tv-z]{5}-){3}[bcdfghjkmnp-tv-z]{5}", c) for c in codes),
         "eight recovery codes", codes)
    t.is_(s.ctl_json("user", "list")[0]["recovery_codes"], 8, "  are counted")
    t.ok(all(c.replace("-", "").encode() not in row[0] for c in codes
             for row in s.store.rows("SELECT hash FROM recovery_codes")), "  and none is in the store")
    seeds = b"".join(row[0] for row in s.store.rows("SELECT seed FROM totp"))
    t.ok(base64.b32decode(own.says["secret"]) not in seeds, "nor is a seed")
    t.is_(s.ctl_run("totp", "disable", "alice").returncode, 0, "disabled")
    t.is_(s.ctl_run("totp", "disable", "alice").returncode, 1, "  once")
    t.is_(s.ctl_json("user", "list")[0]["recovery_codes"], 0, "  recovery codes went with it")
    kinds = [e["kind"] for e in s.events()]
    for kind in ("totp-enrolled", "totp-confirmed", "totp-disabled", "recovery-codes"):
        t.ok(kind in kinds, "an event: " + kind)


AT = 1800000015  # half a step after its beginning
FORGIVEN = {off: abs((AT + off) // 30 - AT // 30) <= 1 for off in range(-90, 91, 5)}


def faketime(s):
    """The library that lies about the time, or None."""
    preload = next((p for p in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                                "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
                                "/usr/lib64/faketime/libfaketime.so.1") if os.path.exists(p)), None)
    return None if s.under or s.store.line().startswith('PyPITokenStore "mysql') else preload


def still(preload):
    """An environment in which it is AT all the time."""
    return {"TZ": "UTC", "LD_PRELOAD": preload, "FAKETIME": "2027-01-15 08:00:15", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def skew(t, s):
    """pypitokenctl under libfaketime, its clock standing still in the middle of a step."""
    preload = faketime(s)
    if not preload:
        t.skip("clocks that differ", "no libfaketime here")
        return
    results = {}
    own = None
    for off in FORGIVEN:
        own = own or people.enroll(s, "skewed", confirm=False)
        argv = [os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", *s.store.options(), "--keyring",
                s.path("keyring"), "totp", "confirm", "skewed"]
        results[off] = subprocess.run(argv, input=own.code(at=AT + off) + "\n", env=dict(still(preload), PATH="/usr/bin:/bin"),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, check=False).returncode == 0
        if results[off]:
            own = None
    t.is_(results, FORGIVEN, "an authenticator that is off by -90 to +90 s: one step is forgiven, no more")


def skewed_logins(t):
    """The same of a whole httpd: at the pages, and with uploads."""
    with site.Site(t) as s:
        preload = faketime(s)
        if not preload:
            t.skip("a httpd whose clock differs", "no libfaketime here")
            return
        s.init("alice")
        s.allow(*FAILURES)
        own = people.enroll(s, "alice")
        s.start(locations=PAGES + UPLOADS, more=NO_LIMITS, mpm="prefork", env=still(preload))
        pw, seen, tens = s.password("alice"), {}, [off for off in FORGIVEN if off % 10 == 0]
        for off in tens:
            people.fresh(s)
            seen[off] = get(s, "/page/", "alice", pw + own.code(at=AT + off)).status == 404
        t.is_(seen, {off: FORGIVEN[off] for off in tens}, "httpd: a clock that is off by -90 to +90 s, one step is forgiven and no more")
        for off in (-50, -40, 40, 50):
            people.fresh(s)
            user = ("alice", pw + own.code(at=AT + off))
            s.secrets.add(wire.basic(*user).split()[1])
            seen[off] = s.upload(dist.sdist("late%d" % abs(off)), user, path="/up/always/").status == 200
        t.is_([seen[off] for off in (-50, -40, 40, 50)], [False, True, True, False], "  uploads alike")


# ---- logging in ----

def get(s, path, user, password, **kw):
    s.secrets.add(wire.basic(user, password).split()[1])
    return s.get(path, user=(user, password), **kw)


def typing(t, s, own, codes):
    """The ways to type password and code."""
    pw = s.password("alice")
    for what, text in (("right behind", "%s%s"), ("behind a comma", "%s,%s"), ("behind a space", "%s %s")):
        people.fresh(s)
        t.is_(get(s, "/page/", "alice", text % (pw, own.code())).status, 404, "the code %s" % what)
    people.fresh(s)
    code = own.code()
    t.is_(get(s, "/page/", "alice", "%s %s %s" % (pw, code[:3], code[3:])).status, 404, "in two halves")
    r = get(s, "/page/", "alice", "%s,%s" % (pw, codes[0]))
    t.is_(r.status, 404, "a recovery code in its place", r)
    t.is_(get(s, "/page/", "alice", "%s,%s" % (pw, codes[0])).status, 401, "  once")
    t.is_(get(s, "/page/", "alice", pw + codes[1].replace("-", "").upper()).status, 404, "  in upper case, without hyphens")
    t.is_(get(s, "/page/", "alice", pw + codes[2][:-1] + ("c" if codes[2][-1] == "b" else "b")).status, 401, "  another letter at its end")
    people.fresh(s)
    t.is_(get(s, "/page/", "alice", "%s,,%s" % (pw, own.code())).status, 401, "two commas are one of the password's")
    t.is_(get(s, "/page/", "Alice", pw + own.code()).status, 404, "the name in another case is the same")
    line = s.httpd.access(1, user="alice", path="/page/", status="404")
    t.ok(line, "and the log has it as the account has it")
    s.ctl("user", "add", "comma", text="trailing comma,\n")
    comma = people.enroll(s, "comma")
    t.is_(get(s, "/page/", "comma", "trailing comma," + comma.code()).status, 401, "a password that ends with a comma: it is taken for the separator")
    t.is_(get(s, "/page/", "comma", "trailing comma,," + comma.code()).status, 404, "  with another one behind it is not")
    s.ctl("user", "add", "horse", text="correct horse\n")
    horse, spare = people.enroll(s, "horse"), people.recovery(s, "horse")
    with open(os.path.join(SRCDIR, "doc/people"), encoding="utf-8") as f:
        examples = re.findall(r"^ {8}(correct horse.*)$", f.read(), re.M)
    t.is_(len(examples), 5, "doc/people: five ways to type it")
    for text in examples:
        people.fresh(s)
        code = horse.code()
        typed = text.replace("123456", code).replace("123 456", code[:3] + " " + code[3:]).replace("bcdfg-hjkmn-pqrst-vwxyz", spare[0])
        t.is_(get(s, "/page/", "horse", typed).status, 404, "  " + text)
    s.ctl("user", "add", "umlaut", text="gr\u00fc\u00dfe zusammen\n")
    t.is_(get(s, "/page/", "umlaut", "gru\u0308\u00dfe\u00a0zusammen").status, 404, "the same password by another keyboard")


def alike(t, s, own):
    """Who is refused is not told why: not by status, headers, body."""
    pw = s.password("alice")
    people.fresh(s)
    spent = pw + own.code()
    t.is_(get(s, "/page/", "alice", spent).status, 404, "a code is spent")
    s.ctl("user", "add", "gone", text=s.password("gone") + "\n")
    s.ctl("user", "disable", "gone")
    s.ctl("user", "add", "old", "--no-password")
    # the spent code first, while its minute lasts
    cases = [("a spent code", "alice", spent), ("a wrong password", "bob", "wrong"), ("a wrong password with a code", "alice", "wrong" + own.code(1)),
             ("no code", "alice", pw), ("a wrong code", "alice", pw + "000000"),
             ("a wrong recovery code", "alice", pw + "bcdfg-hjkmn-pqrst-vwxyz"), ("an unknown user", "nobody", "wrong"),
             ("an unknown user with a code", "nobody", "wrong123456"), ("a disabled account", "gone", s.password("gone")),
             ("an account without a password", "old", "wrong"), ("nothing at all", "bob", "")]
    seen = {}
    for what, user, password in cases:
        r = get(s, "/page/", user, password)
        headers = sorted((k, v) for k, v in r.headers if k != "Date")
        seen.setdefault((r.status, r.reason, tuple(headers), r.body), []).append(what)
    t.is_(list(seen.values()), [[c[0] for c in cases]], "%d refusals that cannot be told apart" % len(cases),
          "\n".join("%s: %s" % (v, k) for k, v in seen.items()))
    t.is_(next(iter(seen))[0], 401, "  401")
    # alike ones of a moment become one event, with the first reason: so each once more, on its own
    reasons = dict(zip(("a code that was used before", "wrong password", "no code", "wrong code", "no such account",
                        "the account is disabled", "the account has no password"),
                       (cases[n][1:] for n in (0, 1, 3, 4, 6, 8, 9))))
    missing = [why for why, (user, password) in reasons.items() if not poll.until(
        lambda why=why, user=user, password=password: get(s, "/page/", user, password).status == 401 and
        "basic: " + why in {e["detail"] for e in s.events() if e["kind"] == "login-refused"})]
    t.is_(missing, [], "but the operator reads all the reasons")


def replay(t, s, own):
    """One code on many connections to many processes at once."""
    pw = s.password("alice")
    for _ in range(3):
        people.fresh(s)
        secret = pw + own.code()
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            got = sorted(r.status for r in pool.map(lambda _: get(s, "/page/", "alice", secret), range(12)))
        t.is_(got, [401] * 11 + [404], "one of twelve requests gets in with a code")


def lingering(t, s, own):
    pw = s.password("alice")
    people.fresh(s)
    secret = pw + own.code()
    go = lambda **kw: get(s, "/page/linger/", "alice", secret, **kw).status  # noqa: E731
    before = len([e for e in s.events() if e["kind"] == "login"])
    t.is_([go() for _ in range(5)], [404] * 5, "a browser that repeats its credentials")
    t.is_(len([e for e in s.events() if e["kind"] == "login"]), before + 1, "  logs in once")
    t.is_(go(headers=[("User-Agent", "another/1.0")]), 401, "  but not another agent")
    t.is_(get(s, "/page/required/", "alice", secret).status, 401, "  nor where nothing lingers")
    s.ctl("user", "logout", "alice")
    t.is_(go(), 401, "'user logout' ends it")
    for what, argv, text in (("a new password", ("user", "passwd", "alice"), pw + "\n"),
                             ("being disabled", ("user", "disable", "alice"), "")):
        people.fresh(s)
        secret = pw + own.code()
        t.is_([go(), go()], [404, 404], "it lingers")
        s.ctl(*argv, text=text)
        t.is_(go(), 401, "%s ends it" % what)
    s.ctl("user", "enable", "alice")


def policies(t, s, own):
    pw = s.password("alice")
    people.fresh(s)
    t.is_(get(s, "/page/required/", "alice", pw + own.code()).status, 404, "Required: who has a second factor")
    t.is_(get(s, "/page/required/", "bob", s.password("bob")).status, 401, "  and who has none")
    t.is_(get(s, "/page/", "bob", s.password("bob")).status, 404, "IfEnrolled: who has none")
    t.is_(get(s, "/page/off/", "alice", pw).status, 404, "Off: the password alone")
    t.is_(get(s, "/page/off/", "alice", pw + own.code()).status, 401, "  and nothing behind it")


def inward(t, s, own):
    """One request of a person is more than one to httpd, and its code is good for all of them."""
    people.fresh(s)
    before = len([e for e in s.events() if e["kind"] == "login"])
    r = get(s, "/page/dir/", "alice", s.password("alice") + own.code())
    t.is_((r.status, r.text), (200, "inside"), "a request that becomes another one inside httpd", r)
    t.is_(len([e for e in s.events() if e["kind"] == "login"]), before + 1, "  is one login")


def tokens(t, s, tok):
    for what, user in (("a token", tok.user), ("a token under a name", ("alice", tok.text)), ("a token as the name", (tok.text, "x")),
                       ("a mistyped token", tok.mistyped().user), ("__token__ alone", ("__token__", "hunter2"))):
        r = s.get("/page/", user=user)
        t.is_((r.status, r.header("WWW-Authenticate")), (403, None), "%s on a page: 403, no challenge" % what, r)
        t.has(r.reason, "API tokens are valid for uploads only", "  in words")
    def told():
        return sum(e["times"] for e in s.events() if e["verdict"] == "token-uploads-only")
    poll.until(lambda: told() >= 5)
    t.is_(told(), 5, "and it is on record")
    t.is_({line["verdict"] for line in s.httpd.access(5, path="/page/", status="403")}, {"token-uploads-only"},
          "  and in the access log")
    for what, raw in (("a NUL in the password", b"bob:" + s.password("bob").encode() + b"\0x"),
                      ("a NUL in the name", b"bob\0:" + s.password("bob").encode()),
                      ("a control character", b"bob:a\x01b"), ("no colon", b"bob"), ("no name", b":x")):
        r = s.get("/page/", [("Authorization", "Basic " + base64.b64encode(raw).decode())])
        t.ok(r.status in (401, 403), "%s is nobody's credentials" % what, r)


# ---- passwords of old ----

def importing(t, s):
    kinds = {"apr1": "-m", "bcrypt": "-B", "sha1": "-s", "sha-256": "-2", "sha-512": "-5"}
    lines, known = ["# people of old"], subprocess.run(["htpasswd"], stderr=subprocess.PIPE, text=True, check=False).stderr
    for kind, option in kinds.items():
        if " %s " % option not in known:
            t.note("this htpasswd has no " + option)
            continue
        lines += subprocess.run(["htpasswd", "-nb" + option[1], "im-" + kind, "secret of " + kind], stdout=subprocess.PIPE,
                                text=True, check=True).stdout.split()
    lines += ["im-broken:abc", "im-des:" + "rqXexS6ZhobKA", "no colon", "bad name:$apr1$x$", "alice:" + lines[1].split(":")[1],
              "x" * 2000]
    path = s.write("htpasswd", "\n".join(lines) + "\n", 0o600)
    done = s.ctl_run("--json", "user", "import", path)
    rows = json.loads(done.stdout)
    t.is_(done.returncode, 1, "an import in which lines are refused: exit 1", done.stderr)
    t.is_(sorted(r["name"] for r in rows if r["result"] == "added"), sorted(l.split(":")[0] for l in lines if "im-" in l and ":$" in l or "{SHA}" in l),
          "  all of htpasswd's are added")
    t.is_(len([r for r in rows if r["result"].startswith("refused")]), 5, "  what is none of them is not", rows)
    t.is_([r["line"] for r in rows if "there is such a user" in r["result"]], [len(lines) - 1], "  who is there stays as is")
    t.unlike(done.stdout + done.stderr, r"\$apr1\$|\{SHA\}|\$2y\$", "  no hash is shown")
    again = json.loads(s.ctl_run("--json", "user", "import", path).stdout)
    t.ok(not [r for r in again if r["result"] == "added"], "importing again changes nothing")
    for kind in kinds:
        name, pw = "im-" + kind, "secret of " + kind
        if not [r for r in rows if r["name"] == name]:
            continue
        t.is_(get(s, "/page/", name, "wrong").status, 401, "%s: a wrong password" % kind)
        t.ok(not s.store.rows("SELECT password FROM users WHERE name = ?", name)[0][0].startswith("$argon2id$"),
             "  changes nothing")
        t.is_(get(s, "/page/", name, pw).status, 404, "  the right one lets in")
        t.ok(s.store.rows("SELECT password FROM users WHERE name = ?", name)[0][0].startswith("$argon2id$v=19$m=65536,t=2"),
             "  and has a better hash from then on")
        t.is_(get(s, "/page/", name, pw).status, 404, "  with which it lets in too")


# ---- uploads ----

def uploads(t, s, own):
    pw, page = s.password("alice"), "http://127.0.0.1/account/"

    def up(policy, user, password, name):
        s.secrets.add(wire.basic(user, password).split()[1])
        return s.upload(dist.sdist(name), (user, password), path="/up/%s/" % policy)

    r = up("never", "bob", s.password("bob"), "never-1")
    t.is_((r.status, r.header("WWW-Authenticate")), (403, None), "Never: 403", r)
    t.has(r.reason, "Create an API token on " + page, "  and where to make a token")
    r = up("without2fa", "bob", s.password("bob"), "plain-1")
    t.is_(r.status, 200, "Without2FA: who has none uploads", r)
    people.fresh(s)
    r = up("without2fa", "alice", pw + own.code(), "plain-2")
    t.is_(r.status, 403, "  who has one does not", r)
    t.has(r.reason, "second factor and uploads with API tokens only. Create one on " + page, "  but reads what to do")
    for what, user, password in (("no code", "alice", pw), ("a wrong password", "bob", "wrong"), ("nobody", "nobody", "wrong")):
        r = up("without2fa", user, password, "plain-3")
        t.is_((r.status, r.header("WWW-Authenticate")), (403, None), "  %s: 403, no challenge" % what, r)
        t.has(r.reason, "Wrong user name, password or code.", "  and no more is said")
    people.fresh(s)
    r = up("always", "alice", pw + "," + own.code(), "always-1")
    t.is_(r.status, 200, "Always: with a code", r)
    r = up("always", "alice", pw, "always-2")
    t.is_(r.status, 403, "  not without", r)
    r = up("always", "bob", s.password("bob"), "always-1")
    t.is_(r.status, 403, "  and not to somebody else's project", r)
    t.has(r.reason, "isn't allowed to upload to project 'always-1'", "  in words")
    t.is_([line["user"] for line in s.httpd.access(1, path="/up/always/", verdict="allowed")], ["alice"], "the log says who")
    rows = [e for e in s.events() if e["kind"] == "upload"]
    t.is_([(e["user"], e["project"], e["token"]) for e in rows], [("bob", "plain-1", None), ("alice", "always-1", None)],
          "and so does the trail")


def beside(text):
    """The fields that are marked as wrong, each with the id of what says so and is on the page."""
    found = re.findall(r'<input id="(\w+)"[^>]* aria-invalid="true" aria-describedby="([^"]*)"', text)
    return [(field, says) for field, says in found if re.search(r'id="%s">[^<]{20,}<' % says, text)]


def own_pages(t, s):
    """Enrolling on the pages, and what it ends."""
    s.ctl("user", "add", "paula", text=s.password("paula") + "\n")
    pw, b, other = s.password("paula"), pages.Browser(s), pages.Browser(s)
    at = "/account/second-factor"
    b.sign_in("paula", pw)
    other.sign_in("paula", pw)
    t.has(b.get(at).text, "with your password alone", "the pages: nobody has a second factor at first")
    t.is_(b.get(at + "/new").status, 303, "  none waits")
    t.is_(b.get(at + "/qr").status, 303, "  and there is no picture")
    r = b.post(at, at, act="begin", password="wrong")
    t.is_(r.status, 403, "  a wrong password begins none", r)
    t.is_(beside(r.text), [("password", "password-wrong")], "  told beside the field", r.text)
    r = b.send(at, {"act": "begin", "password": pw})
    t.is_(r.status, 403, "  nor does a forged form", r)
    r = b.post(at, at, act="begin", password=pw)
    t.is_((r.status, r.header("Location")), (303, "./second-factor/new"), "begun", r)
    r = b.get(at + "/new")
    secret = re.search(r'id="secret">([A-Z2-7 ]+)<', r.text).group(1)
    own = people.Authenticator("otpauth://totp/x?algorithm=SHA1&digits=6&secret=" + secret.replace(" ", ""))
    s.secrets.add(own.says["secret"])
    r = b.get(at + "/qr")
    t.is_((r.status, r.header("Content-Type"), r.header("Cache-Control")), (200, "image/svg+xml", "no-store"), "  a QR code")
    if shutil.which("zbarimg"):
        t.has(picture(r.text), "secret=%s&" % own.says["secret"], "  of the same secret")
    t.is_(other.get(at + "/qr").text, r.text, "  for this person")
    t.is_(s.get(at + "/qr").status, 303, "  and nobody else")
    r = b.post(at + "/new", at + "/new", code="000000")
    t.is_(r.status, 422, "another code does not confirm it", r)
    t.is_(beside(r.text), [("code", "code-wrong")], "  told beside the field", r.text)
    t.is_(b.get("/account/").status, 200, "  and ends nothing")
    r = b.post(at + "/new", at + "/new", code=own.code())
    codes = re.findall(r'<li class="token">([a-z-]+)</li>', r.text)
    s.secrets.update(codes)
    t.is_((r.status, len(codes), r.header("Cache-Control")), (200, 8, "no-store"), "its code does, and eight recovery codes come", r)
    t.is_([b.get("/account/").status, other.get("/account/").status], [303, 303], "  all sessions have ended")
    t.ok(b.sign_in("paula", pw).status != 303, "  the password alone does not do any more")
    people.fresh(s)
    t.is_(b.sign_in("paula", pw, code=own.code()).status, 303, "  with a code it does")
    t.has(b.get(at).text, "8 recovery codes left", "  and the page knows")
    r = b.post(at, at, act="remove", password=pw, code="000000")
    t.is_(r.status, 403, "who has no fresh code changes nothing", r)
    t.is_(beside(r.text), [("password", "password-wrong"), ("code", "password-wrong")], "  told beside both fields alike", r.text)
    r = b.post(at, at, act="codes", password=pw, code=codes[0])
    fresh = re.findall(r'<li class="token">([a-z-]+)</li>', r.text)
    s.secrets.update(fresh)
    t.is_((r.status, len(fresh), len(set(fresh) & set(codes))), (200, 8, 0), "new recovery codes", r)
    r = b.post(at, at, act="codes", password=pw, code=codes[1])
    t.is_(r.status, 403, "  in the place of all before", r)
    r = b.post(at, at, act="begin", password=pw, code=fresh[0])
    t.is_(r.status, 303, "another app", r)
    people.fresh(s)
    t.is_(pages.Browser(s).sign_in("paula", pw, code=own.code()).status, 303, "  does not count before its first code")
    r = b.post(at, at, act="nothing", password=pw, code=fresh[1])
    t.is_((r.status, r.text.count("</html>")), (400, 1), "no such act: one page", r)
    s.store.write(("UPDATE totp SET digits = 8 WHERE confirmed = 0", ()))
    for path in ("/new", "/qr"):
        r = b.get(at + path)
        t.is_((r.status, r.text.count("</html>"), "otpauth" in r.text), (503, 1, False),
              "a second factor that does not open: one page that says so", r)
    s.store.write(("UPDATE totp SET digits = 6 WHERE confirmed = 0", ()))
    r = b.post(at, at, act="remove", password=pw, code=fresh[2])
    t.is_((r.status, b.get("/account/").status), (303, 303), "removed, and signed out", r)
    t.is_(b.sign_in("paula", pw).status, 303, "  the password alone does again")
    t.is_(b.get(at + "/new").status, 303, "  and none waits any more")
    kinds = [e["kind"] for e in s.events() if e["user"] == "paula"]
    for kind in ("totp-enrolled", "totp-confirmed", "recovery-codes", "recovery-code-used", "totp-disabled"):
        t.ok(kind in kinds, "  on record: " + kind)


# ---- want of memory ----

def virtual(pid):
    """The size of its address space; 0 of a process that has ended."""
    try:
        with open("/proc/%d/statm" % pid) as f:
            return int(f.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def no_memory(t):
    """A child that gets no memory for a hash says so, and not that the password is wrong."""
    with site.Site(t) as s:
        if s.under:
            t.skip("want of memory", "%s needs the address space" % s.under)
            return
        s.init("alice")
        s.allow(r"unable, login-down.*no memory", *FAILURES)
        s.start(locations=PAGES, more=NO_LIMITS, mpm="prefork")
        size = poll.until(lambda: max((virtual(pid) for pid in s.httpd.children()), default=0))
        t.is_(get(s, "/page/", "alice", s.password("alice")).status, 404, "a login")
        s.httpd.stop()
        # a hash that takes 1 GiB, where there is half of that
        s.store.write(("UPDATE users SET password = ?", ("$argon2id$v=19$m=1048576,t=1,p=1$" + "A" * 22 + "$" + "A" * 43,)))
        had = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (size + (512 << 20), had[1]))  # children inherit it
        try:
            s.httpd.start()
        finally:
            resource.setrlimit(resource.RLIMIT_AS, had)
        for what, password in (("her password", s.password("alice")), ("another", "wrong")):
            r = get(s, "/page/", "alice", password)
            t.is_((r.status, bool(r.header("Retry-After")), r.header("WWW-Authenticate")), (503, True, None),
                  "without memory: 503 for %s" % what, r)
        t.is_(get(s, "/page/", "nobody", "wrong").status, 401, "  and others go on as ever")


# ---- how long a refusal takes ----

def bench(t):
    """t/bench/logins, which measures that, runs; what it measures is not judged here."""
    if under.kind():
        t.skip("t/bench/logins", "a watcher is slow")
        return
    done = subprocess.run([os.path.join(SRCDIR, "t/bench/logins"), "1", "basic"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    t.is_(done.returncode, 0, "t/bench/logins runs", done.stdout)
    t.is_(len(re.findall(r"^  .+( +\d+\.\d\d  +\d+\.\d\d \.\. \d+\.\d\d){2}$", done.stdout, re.M)), 12, "  and tells twelve reasons apart",
          done.stdout)


# ---- two front ends ----

def front_ends(t):
    """Two servers, one database: the verdict on a code is the database's."""
    if mariadb.missing():
        t.skip("two front ends that share a MariaDB", "no " + mariadb.missing())
        return
    with site.Site(t, "mysql") as a, site.Site(t, "mysql") as b:
        for s in (a, b):
            s.allow(*FAILURES)
        a.init("alice")
        b.store = store.Mysql(b, a.store.server, a.store.name)
        shutil.copy(a.path("keyring"), b.path("keyring"))
        a.start(locations=PAGES, more=NO_LIMITS)
        b.start(locations=PAGES, more=NO_LIMITS)
        own = people.enroll(a, "alice")
        codes = people.recovery(a, "alice")
        pw = a.password("alice")
        b.secrets |= a.secrets
        for n in range(4):
            people.fresh(a)
            text = pw + own.code() if n < 3 else pw + codes[0]
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                got = [r.status for r in pool.map(lambda i: get((a, b)[i % 2], "/page/", "alice", text), range(8))]
            t.is_(sorted(got), [401] * 7 + [404], "one of eight logins on two front ends with the same code")
        people.fresh(a)
        text = pw + own.code()
        t.is_([get(a, "/page/linger/", "alice", text).status, get(b, "/page/linger/", "alice", text).status],
              [404, 401], "what lingers on one is spent on the other")


def main(t):
    site.need(t, "oathtool", "htpasswd")
    oracle(t)
    common_passwords(t)
    with site.Site(t) as s:
        s.init("alice", "bob")
        s.ctl("user", "add", "skewed", "--no-password")
        s.allow(*FAILURES)
        s.write("www/page/dir/index.html", "inside")
        t.note("passwords")
        passwords(t, s)
        t.note("enrolling")
        enrolling(t, s)
        skew(t, s)
        own = people.enroll(s, "alice")
        codes = people.recovery(s, "alice")
        s.start(locations=PAGES + UPLOADS, more=NO_LIMITS + "PyPITokenFlush 1\n", mpm="prefork")
        tok = s.token("alice")
        for part, argv in ((typing, (own, codes)), (alike, (own,)), (replay, (own,)), (lingering, (own,)),
                           (policies, (own,)), (inward, (own,)), (tokens, (tok,)), (importing, ()), (uploads, (own,)), (own_pages, ())):
            t.note(part.__name__)
            part(t, s, *argv)
    t.note("skewed logins")
    skewed_logins(t)
    t.note("no memory")
    no_memory(t)
    t.note("bench")
    bench(t)
    t.note("front ends")
    front_ends(t)


tap.run(main)
