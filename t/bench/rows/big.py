"""big.py - large uploads: through a proxy, into the index, held in memory, refused."""

import concurrent.futures
import hashlib
import os
import socket
import threading
import time

from pypt import dist, site, tap, token
from pypt.httpd import children, free_port, load_lines

from . import core, load, table

ROWS = {
    "proxy": "64 MiB through mod_proxy_http: guard, verify-first and streamed / no guard",
    "index": "64 MiB into the built-in index / SHA-256 and write of the same bytes; / bottle under mod_wsgi",
    "memory": "memory that each of 64 uploads at once takes, in several sizes",
    "denied": "1 GiB with a bad token: what is sent after Expect, and how fast it is drained without",
}
MIB = 1 << 20

CONFIG = load.STEADY + """\
ThreadsPerChild 32
MaxRequestWorkers 128
MaxSpareThreads 128
PyPITokenMaxUpload 4G
LimitRequestBody 0
WSGISocketPrefix "{root}/run/wsgi"
WSGIDaemonProcess bench processes=2 threads=4
""" + load.PLAIN % "/none" + """\
<Location "/proxied">
    Require all granted
    ProxyPass "http://127.0.0.1:{port}/none"
</Location>
""" + load.GUARDED % ("/whole", 'ProxyPass "http://127.0.0.1:{port}/none"', "none") + load.GUARDED % (
    "/stream", 'PyPITokenStream On\n    ProxyPass "http://127.0.0.1:{port}/none"', "none") + load.GUARDED % (
    "/sink", "PyPITokenMaxSpools 100", "bench-sink") + load.GUARDED % (
    "/legacy/", 'PyPITokenPackages "{root}/packages"\n    PyPITokenStream On', "pypi-index") + load.GUARDED % (
    "/whole-index/", 'PyPITokenPackages "{root}/packages"', "pypi-index") + """\
WSGIScriptAlias /bottle "{bottle}"
<Location "/bottle">
    Require all granted
    WSGIProcessGroup bench
    WSGIApplicationGroup %{GLOBAL}
</Location>
"""


PATIENT = "RequestReadTimeout body=0\nTimeout 600\n"  # what is held for longer than a minute is held on purpose


class Form:
    """A large form whose file has another version, and so another name, each time: pieces to send."""

    def __init__(self, size):
        self.content = os.urandom(min(size, 64 * MIB))
        self.times = max(1, size // len(self.content))
        sums = hashlib.sha256()
        for _ in range(self.times):
            sums.update(self.content)
        self.sha256 = sums.hexdigest()

    def pieces(self, version):
        name = "bench-%s.tar.gz" % version
        fields = [(":action", "file_upload"), ("protocol_version", "1"), ("name", "bench"), ("version", version),
                  ("filetype", "sdist"), ("metadata_version", "2.1"), ("sha256_digest", self.sha256),
                  ("content", "@", name, "application/octet-stream")]
        head, tail = dist.form(fields).split(b"\r\n\r\n@")
        return [head + b"\r\n\r\n", *[self.content] * self.times, tail]


class Bench:
    def __init__(self, s, more=""):
        self.s = s
        s.init("alice")
        self.auth = load.basic(s.token("alice", "bench").user)
        self.versions = iter("1.%d" % n for n in range(10 ** 9))
        self.lock = threading.Lock()
        script = s.write("bottle.wsgi", open(os.path.join(load.SRCDIR, "t/bench/bottle_index.wsgi")).read().replace(
            'os.environ.get("BENCH_PACKAGES", "/nonexistent")', repr(s.path("seen"))))
        behind = free_port()
        config = more + CONFIG.replace("{bottle}", script).replace("{port}", str(behind))
        s.start(locations="", more=load.module() + "Listen 127.0.0.1:%d\n" % behind + config,
                modules=("proxy", "proxy_http", "wsgi"))
        self.port = s.httpd.port

    def version(self):
        with self.lock:
            return next(self.versions)

    def post(self, path, auth, form, want=200):
        pieces = form.pieces(self.version())
        status, seconds, answer = load.send(self.port, path, auth, pieces, sum(map(len, pieces)))
        if status != want:
            raise RuntimeError("%s: %d, not %d: %r" % (path, status, want, answer[:600]))
        return seconds

    def rate(self, path, auth, form, clients, each):
        """GB/s of all clients together."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            list(pool.map(lambda _: [self.post(path, auth, form) for _ in range(each)], range(clients)))
        return clients * each * form.times * len(form.content) / (time.monotonic() - began) / 1e9

    def clear(self):
        for where in ("packages", "seen"):
            for at, _, names in os.walk(self.s.path(where)):
                for name in names:
                    os.unlink(os.path.join(at, name))


# ---- proxy ----

def _proxy(result, bench):
    form = Form(result.size(MIB, 64 * MIB))
    variants = {"none": ("/proxied", None), "verify-first": ("/whole", bench.auth), "stream": ("/stream", bench.auth)}
    for clients in (1, 4):
        row = "proxy of %d" % clients
        for variant in variants:
            bench.rate(*variants[variant], form, clients, 1)
        for _, variant in table.turns(variants, result.rounds(7)):
            path, auth = variants[variant]
            result.add(row, variant, rate=bench.rate(path, auth, form, clients, result.size(1, 2 if clients > 1 else 4)))
        name = "%d client%s: " % (clients, "s" if clients > 1 else "")
        result.figure("proxy", name + "no guard", "none", "rate", "GB/s", of=row)
        result.ratio("proxy", name + "verify-first / no guard", "verify-first", "none", "rate", (">=", 0.8), row)
        result.ratio("proxy", name + "PyPITokenStream On / no guard", "stream", "none", "rate", (">=", 0.97), row)


# ---- index ----

def _index(result, bench):
    size = result.size(MIB, 64 * MIB)
    form = Form(size)
    rounds = result.rounds(7)
    for i in range(rounds + 1):
        ours = size / bench.post("/legacy/", bench.auth, form) / 1e9
        whole = size / bench.post("/whole-index/", bench.auth, form) / 1e9
        other = size / bench.post("/bottle/", None, form) / 1e9
        bare = core.tool("sum", 1, size // MIB, bench.s.path("packages"))[0]
        bench.clear()
        if i:  # not the first, which warms up
            result.add("index", "index", rate=ours)
            result.add("index", "whole", rate=whole)
            result.add("index", "bottle", rate=other)
            result.add("index", "bare", rate=bare["count"] / bare["seconds"] / 1e9)
    for variant, what in (("index", "the built-in index, PyPITokenStream On"), ("whole", "the built-in index, verify-first"), ("bottle", "bottle under mod_wsgi"),
                          ("bare", "SHA-256 by OpenSSL, write and fsync")):
        result.figure("index", what, variant, "rate", "GB/s")
    result.ratio("index", "PyPITokenStream On / SHA-256 and write", "index", "bare", "rate", (">=", 0.7))
    result.ratio("index", "verify-first / SHA-256 and write", "whole", "bare", "rate", (">=", 0.7))
    result.ratio("index", "PyPITokenStream On / bottle", "index", "bottle", "rate", (">=", 3))
    result.ratio("index", "verify-first / bottle", "whole", "bottle", "rate", (">=", 3))


# ---- memory ----

def _private(bench):
    """KiB of memory of httpd's children that is theirs alone and not of a file."""
    total = 0
    for pid in children(bench.s.httpd.proc.pid):
        with open("/proc/%d/status" % pid) as f:
            total += sum(int(line.split()[1]) for line in f if line.startswith("RssAnon"))
    return total


def _held(bench, size, clients):
    """All of them are sent but for the last bytes, and held there: KiB when all wait; then finished."""
    form, conns = Form(size), []

    def begin(_):
        pieces = form.pieces(bench.version())
        s = socket.create_connection(("127.0.0.1", bench.port))
        s.sendall(load.head("/sink", bench.auth, sum(map(len, pieces))))
        for piece in pieces[:-1]:
            s.sendall(piece)
        conns.append((s, pieces[-1]))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(clients)))
    time.sleep(0.5)  # what is in the sockets is read meanwhile; there is nothing to ask for that
    held = _private(bench)
    for s, last in conns:
        s.sendall(last)
        if b" 200 " not in s.recv(65536):
            raise RuntimeError("an upload that was held was refused")
        s.close()
    return held


def _memory(result, bench):
    clients = 64
    sizes = result.size([64 << 10, MIB], [64 << 10, MIB, 16 * MIB], [64 << 10, MIB, 16 * MIB, 256 * MIB])
    for size in sizes:
        _held(bench, size, clients)  # pools and buffers are there
        for _ in range(result.rounds(3)):
            result.add("memory", str(size), kib=(_held(bench, size, clients) - _private(bench)) / clients)
        result.figure("memory", "each of %d uploads of %s" % (clients, _size(size)), str(size), "kib", "KiB",
                      target=("<=", 128 + 64))
    if result.asked.full:
        for size in (MIB, 2048 * MIB):
            result.add("memory", "one", kib=_held(bench, size, 1) - _private(bench))
        result.figure("memory", "one of 1 MiB, one of 2 GiB", "one", "kib", "KiB", target=("<=", 128 + 64))


def _size(size):
    return "%d MiB" % (size // MIB) if size >= MIB else "%d KiB" % (size // 1024)


# ---- denied ----

def _drain(bench, path, auth, form, want):
    """GB/s at which a whole body is received, and what it is answered."""
    return form.times * len(form.content) / bench.post(path, auth, form, want) / 1e9


def _denied(result, bench):
    form = Form(result.size(4 * MIB, 256 * MIB, 1024 * MIB))
    bad = load.basic(token.forged().user)
    length = sum(map(len, form.pieces("1.0")))
    for _ in range(result.rounds(5)):
        result.add("denied", "bare", rate=_drain(bench, "/none", None, form, 200))
        result.add("denied", "drained", rate=_drain(bench, "/sink", bad, form, 403))
        status, _, answer = load.send(bench.port, "/sink", bad, [], length, "Expect: 100-continue")
        result.add("denied", "expect", sent=0 if status == 403 and b" 100 " not in answer else length)
    result.figure("denied", "body bytes sent after Expect: 100-continue", "expect", "sent", "", target=("<=", 0))
    result.figure("denied", "received by a handler that keeps nothing", "bare", "rate", "GB/s")
    result.ratio("denied", "drained after a refusal / that", "drained", "bare", "rate", (">=", 0.9))
    kept = [name for name in os.listdir(bench.s.path("spool"))]
    result.line("denied", "files left in PyPITokenSpoolDir", [len(kept)], target=("<=", 0))


def measure(result, rows):
    if not load_lines(["wsgi"]):
        for row in rows:
            result.skip(row, "no mod_wsgi")
        return
    t = tap.Tap()
    t.ok = lambda good, name, diag="": good or result.fail("big", "%s\n%s" % (name, diag))
    for row, what in (("proxy", _proxy), ("index", _index), ("memory", _memory), ("denied", _denied)):
        if row in rows:
            with site.Site(t, "sqlite") as s:
                s.allow("AH02282|AH01276")
                what(result, Bench(s, PATIENT if row == "memory" else ""))


