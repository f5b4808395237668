#!/usr/bin/python3
"""denials.t - real clients, refused: with a large upload, with a bad token and for a wrong project, over TCP
and TLS and HTTP/2 and over a slow line. Each must end, read the sentence, exit with an error, and send its
upload once.

    PYPT_LARGE=104857600 PYPT_SLOW=104857600 PYPT_RATE=2097152 t/denials.t      the sizes, in bytes; a second

The default is smaller on the slow line only: longer than httpd's lingering close of 30 seconds would wait."""
import concurrent.futures
import os
import re
import shutil
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import clients, dist, poll, site, tap, wire  # noqa: E402
from pypt.slow_line import SlowLine  # noqa: E402

SRC = os.path.join(os.environ.get("srcdir", "."), "t/clients")
LARGE = int(os.environ.get("PYPT_LARGE", 100 << 20))
SLOW = int(os.environ.get("PYPT_SLOW", 36 << 20))
RATE = int(os.environ.get("PYPT_RATE", 1 << 20))
WORKERS = 2
LIMIT = 600

BYTES = 'CustomLog "{root}/logs/bytes.log" "path=%U in=%I status=%>s"\n'
BAD, WRONG = "bad token", "wrong project"
SENTENCE = {BAD: "Invalid API Token: token is expired", WRONG: "project-scoped token is not valid for project"}
TOOLS = ("twine", "flit", "poetry", "distutils", "curl")


class Large:
    """A file that is there already, for clients that are given one."""

    def __init__(self, package, path):
        self.path = path
        for name in ("name", "version", "filetype", "pyversion", "sha256"):
            setattr(self, name, getattr(package, name))


class Stage:
    """The server and the files that all uploads share."""

    def __init__(self, s):
        self.s, self.count, self.paths = s, 0, []
        self.alice = s.token("alice")
        self.packages, self.data, self.forms = {}, {}, {}

    def prepare(self, size):
        if size in self.data:
            return
        package = dist.sdist("large", padding=size)
        self.packages[size] = Large(package, package.save(self.s.path("files-%d" % size)))
        self.forms[size] = self.s.path("form-%d" % size)
        with open(self.forms[size], "wb") as f:
            f.write(package.form())
        self.data[size] = self.s.path("data-%d" % size)
        with open(self.data[size], "wb") as f:
            f.write(os.urandom(size))

    def location(self):
        """A path of its own for each upload, to count by."""
        self.count += 1
        return "/up-%d/" % self.count

    def user(self, why):
        """Each its own: the same bad token soon has to wait."""
        if why == WRONG:
            return self.alice.only("something-else").user
        now = int(time.time())
        return self.alice.narrow([0, now - 10, now - 1000 - self.count]).user


def locations(n):
    return "".join(site.GUARD.replace('"/legacy/"', '"/up-%d/"' % (i + 1)).replace("{guard}", "") for i in range(n))


def trust(s):
    """How each client comes to trust our certificate. Node before 20 would know only the first address of localhost,
    which is ::1 where /etc/hosts has it, and httpd is not there."""
    cert = s.certificate()
    return {"REQUESTS_CA_BUNDLE": cert, "CURL_CA_BUNDLE": cert, "SSL_CERT_FILE": cert,
            "POETRY_CERTIFICATES_FOO_CERT": cert, "NODE_EXTRA_CA_CERTS": cert,
            "NODE_OPTIONS": "--dns-result-order=ipv4first"}


def upload(stage, tool, base, path, user, size):
    """One client, one large upload: what it said."""
    s, home = stage.s, stage.s.path("home", path.strip("/"))
    env = dict(trust(s), LIMIT=str(LIMIT))
    url, package, data = base + path, stage.packages[size], stage.data[size]
    kind, _, options = tool.partition(" ")
    if kind == "twine":
        done = clients.twine(home, url, user, package, **env)
    elif kind == "curl":
        done = clients.curl(home, url, user, package, *options.split(), **env)
    elif kind == "http2":
        done = clients.run(clients.fresh(home) or home, ["node", os.path.join(SRC, "http2.mjs"), url, s.certificate(),
                           wire.basic(*user), dist.form_type()[1], stage.forms[size]], **env)
    elif kind == "fetch":
        done = clients.run(clients.fresh(home) or home, ["node", os.path.join(SRC, "fetch.mjs"), url,
                           wire.basic(*user), dist.form_type()[1], stage.forms[size]], **env)
    else:
        done = getattr(clients, kind)(home, url, user, "large-" + kind if kind != "distutils" else "large", "1.0",
                                      data=data, **env)
    shutil.rmtree(home, ignore_errors=True)
    return done


class Case:
    def __init__(self, stage, tool, base, where, why, size, expects=False):
        self.tool, self.where, self.why, self.size, self.expects = tool, where, why, size, expects
        self.path = stage.location()
        user = stage.user(why)
        self.call = lambda: upload(stage, tool, base, self.path, user, size)

    def __str__(self):
        return "%s, %s over %s, %d MB" % (self.tool, self.why, self.where, self.size >> 20)


def received(s, path):
    """(bytes, status) of every request for a path."""
    with open(s.path("logs/bytes.log")) as f:
        return [(int(n), int(status)) for n, status in
                re.findall(r"^path=%s in=(\d+) status=(\d+)$" % re.escape(path), f.read(), re.M)]


def judge(t, s, case, done):
    t.ok(done.code not in (0, "timeout"), "%s: ends with an error" % case, done)
    t.has(done.flat, SENTENCE[case.why], "  reads the sentence")
    t.has(done.flat, "403", "  and the status")
    got = poll.until(lambda: received(s, case.path)) or []
    t.is_([status for _, status in got], [403], "  asked once", got)
    most = 8192 if case.expects else case.size * 1.1 + 100000
    t.ok(got and got[0][0] <= most, "  sent its upload %s" % ("not at all" if case.expects else "once at most"), got)


def direct(stage, plain, tls):
    """As fast as loopback is: everybody, everything."""
    cases = []
    for why in (BAD, WRONG):
        for base, where in ((plain, "TCP"), (tls, "TLS")):
            cases += [Case(stage, tool, base, where, why, LARGE) for tool in TOOLS[:-1]]
            # longer than its second: this machine may be busy
            cases.append(Case(stage, "curl --http1.1 --expect100-timeout 60", base, where, why, LARGE, why == BAD))
        cases.append(Case(stage, "curl --http1.1 -HExpect:", tls, "TLS, without Expect", why, LARGE))
        cases.append(Case(stage, "curl --http2", tls, "HTTP/2", why, LARGE))
        cases.append(Case(stage, "http2", tls, "HTTP/2", why, LARGE))
        cases.append(Case(stage, "fetch", plain, "TCP", why, LARGE))
        cases.append(Case(stage, "fetch", tls, "TLS", why, LARGE))
    return cases


def slow(stage, plain, tls):
    """Longer than a lingering close lasts."""
    cases = []
    for tool in TOOLS:
        options = " --http1.1 -HExpect:" if tool == "curl" else ""
        cases.append(Case(stage, tool + options, tls, "TLS, slow", BAD, SLOW))
        cases.append(Case(stage, tool + options, plain, "TCP, slow", WRONG, SLOW))
        if SLOW >= LARGE:
            cases.append(Case(stage, tool + options, tls, "TLS, slow", WRONG, SLOW))
            cases.append(Case(stage, tool + options, plain, "TCP, slow", BAD, SLOW))
    cases.append(Case(stage, "curl --http2", tls, "HTTP/2, slow", BAD, SLOW))
    cases.append(Case(stage, "http2", tls, "HTTP/2, slow", WRONG, SLOW))
    if SLOW >= LARGE:
        cases.append(Case(stage, "curl --http2", tls, "HTTP/2, slow", WRONG, SLOW))
        cases.append(Case(stage, "http2", tls, "HTTP/2, slow", BAD, SLOW))
        cases += [Case(stage, "fetch", plain, "TCP, slow", why, SLOW) for why in (BAD, WRONG)]
    return cases


OTHER = """
Redirect permanent "/gone-away/" "https://index.example.org/legacy/"
"""
# (path, status, what the client shows): with a good token and a small file
STATUSES = [("/simple/", 405, "Only uploads are possible here"), ("/little/", 413, "larger than the 300 bytes"),
            ("/legacy/?a=b", 400, "must not have a query string"), ("/gone-away/", 404, "Use https://index.example.org"),
            ("/legacy/pypi/", 404, "Uploads go to the upload URL itself")]


def statuses(t, s, stage, plain):
    """No other status of ours is taken for a success or loses its sentence either."""
    jobs = []
    for path, status, sentence in STATUSES:
        # distutils takes no such URL
        for tool in TOOLS if "?" not in path else ("twine", "flit", "poetry", "curl"):
            home = s.path("home", "status-%d-%s-%s" % (status, tool, re.sub(r"\W", "-", path)))
            if tool in ("twine", "curl"):
                def call(home=home, tool=tool, path=path):
                    return getattr(clients, tool)(home, plain + path, stage.alice.user, dist.wheel("small", "1.0"))
            else:
                def call(home=home, tool=tool, path=path):
                    return getattr(clients, tool)(home, plain + path, stage.alice.user, "small", "1.0")
            jobs.append((tool, path, status, sentence, call))
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for (tool, path, status, sentence, _), done in zip(jobs, pool.map(lambda job: job[4](), jobs)):
            t.ok(done.code not in (0, "timeout") and str(status) in done.flat and sentence in done.flat,
                 "%s, POST %s: error %d, with its sentence" % (tool, path, status), done)
    t.ok(not s.visible(), "nothing was stored", s.visible())


def main(t):
    site.need(t, "twine", "flit", "poetry", "curl", "openssl", "node")
    with site.Site(t) as s:
        s.init("alice")
        stage = Stage(s)
        for size in {LARGE, SLOW}:
            stage.prepare(size)
        # of 48 workers, 20 may spool and 14 drain: as many as there are clients here at once
        s.start(more="PyPITokenMaxSpools 20\n" + BYTES + OTHER + locations(60) + "Protocols h2 http/1.1\n" +
                site.GUARD.replace('"/legacy/"', '"/little/"').replace("{guard}", "PyPITokenMaxUpload 300") +
                site.GUARD.replace('"/legacy/"', '"/gone-away/"').replace("{guard}", ""), modules=["logio", "http2"], tls=True)
        plain, tls = "http://127.0.0.1:%d", "https://localhost:%d"
        with SlowLine(s.httpd.port, RATE) as one, SlowLine(s.httpd.tls_port, RATE) as two, \
                concurrent.futures.ThreadPoolExecutor(32) as crowd:
            # the slow ones mostly wait
            patient = [(case, crowd.submit(case.call)) for case in slow(stage, plain % one.port, tls % two.port)]
            with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
                prompt = [(case, pool.submit(case.call))
                          for case in direct(stage, plain % s.httpd.port, tls % s.httpd.tls_port)]
                for case, future in prompt:
                    judge(t, s, case, future.result())
            statuses(t, s, stage, plain % s.httpd.port)
            for case, future in patient:
                judge(t, s, case, future.result())


tap.run(main)
