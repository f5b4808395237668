"""load.py - a server with the handler that all variants share, and what puts load on it."""

import json
import os
import socket
import subprocess
import time

from pypt import BUILDDIR, SRCDIR, dist, mariadb, wire
from pypt.httpd import children

PLAIN = """\
<Location "%s">
    Require all granted
    SetHandler bench-sink
</Location>
"""

GUARDED = """\
<Location "%s">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
    %s
    SetHandler %s
</Location>
"""

# as many workers as there are clients, and none that come and go while it is measured
STEADY = ("StartServers 3\nMaxRequestWorkers 64\nMinSpareThreads 1\nMaxSpareThreads 64\nMaxKeepAliveRequests 0\n"
          "KeepAliveTimeout 60\n")

TICKS = os.sysconf("SC_CLK_TCK")


def module():
    for name in ("t/bench/.libs/mod_bench.so", "t/bench/mod_bench.so"):
        path = os.path.join(BUILDDIR, name)
        if os.path.exists(path):
            return 'LoadModule bench_module "%s"\n' % os.path.abspath(path)
    raise RuntimeError("t/bench/mod_bench.la is not built: make check-bench")


def body(site, name, project="bench", version="1.0"):
    """The form of the smallest sdist there is, 2 kB in all, in a file."""
    path = site.path(name)
    with open(path, "wb") as f:
        f.write(dist.sdist(project, version).form())
    return path


_databases = []


def database():
    """A MariaDB as large as it is by default; the tests have a tiny one."""
    if not _databases:
        _databases.append(mariadb.Mariadb(["innodb-buffer-pool-size=128M", "innodb-log-file-size=96M"]).start())
    return _databases[0]


def basic(user):
    return wire.basic(*user)


def seconds_of(pids):
    """CPU seconds that these processes have taken so far."""
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def wrk(port, path, file, auth, seconds, clients=32, cpu=()):
    """One run: requests a second, latencies in microseconds, CPU microseconds of the servers for each request.
    cpu: pids of the processes that serve, with their children."""
    env = {"PATH": "/usr/bin:/bin", "BENCH_BODY": file, "BENCH_AUTH": auth or "", "BENCH_TYPE": dist.form_type()[1]}
    pids = [p for pid in cpu for p in [pid, *children(pid)]]
    before = seconds_of(pids)
    done = subprocess.run(["wrk", "-t1", "-c%d" % clients, "-d%ds" % seconds, "--timeout", "30s", "-s",
                           os.path.join(SRCDIR, "t/bench/post.lua"), "http://127.0.0.1:%d%s" % (port, path)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, check=False)
    used = seconds_of(pids) - before
    line = [text for text in done.stdout.split("\n") if text.startswith("{")]
    if done.returncode or not line:
        raise RuntimeError("wrk: exit %d\n%s%s" % (done.returncode, done.stdout, done.stderr))
    got = json.loads(line[-1])
    if got["bad"]:
        raise RuntimeError("wrk: %(bad)d of %(requests)d were refused" % got)
    if not got["requests"]:
        if seconds > 8:
            raise RuntimeError("wrk: no answer in %d seconds" % seconds)
        return wrk(port, path, file, auth, 2 * seconds, clients, cpu)  # a busy machine
    return {"rate": got["requests"] / got["seconds"], "p50": got["p50"], "p99": got["p99"],
            "cpu": used / got["requests"] * 1e6, "requests": got["requests"], "broken": got["broken"]}


def head(path, auth, length, *more):
    lines = ["POST %s HTTP/1.1" % path, "Host: localhost", "Content-Type: " + dist.form_type()[1],
             "User-Agent: bench/1.0", "Content-Length: %d" % length, *more]
    if auth:
        lines.append("Authorization: " + auth)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def send(port, path, auth, pieces, length, *more):
    """One upload on a connection of its own, from memory: status, seconds, and what was answered."""
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.monotonic()
        s.sendall(head(path, auth, length, *more))
        for piece in pieces:
            s.sendall(piece)
        answer = b""
        while b"\r\n\r\n" not in answer:
            got = s.recv(65536)
            if not got:
                break
            answer += got
        return int(answer.split()[1] if answer else 0), time.monotonic() - began, answer
