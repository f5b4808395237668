#!/usr/bin/python3
"""metrics.t - what is counted: for Prometheus, in mod_status, by pypitokenctl status; over children and restarts;
and nothing in it that tells who."""
import os
import re
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, dist, poll, site, tap, wire  # noqa: E402

MORE = """
<Location "/pypitoken-metrics">
    SetHandler pypitoken-metrics
    Require all granted
</Location>
<Location "/status">
    SetHandler server-status
    Require all granted
</Location>
<Location "/nobody">
    SetHandler pypitoken-metrics
    Require all denied
</Location>
ScriptAlias "/teapot/" "{root}/cgi-bin/418/"
ScriptAlias "/broken/" "{root}/cgi-bin/500/"
<Directory "{root}/cgi-bin">
    Require all granted
</Directory>
<Location "/teapot/">
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
</Location>
<Location "/broken/">
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
</Location>
"""
CGI = "#!/bin/sh\ncat >/dev/null\nprintf 'Status: %d\\n\\nno\\n'\n"


def read(s, path="/pypitoken-metrics"):
    """{name or name{value}: number}"""
    text = s.get(path).text
    return {re.sub(r'\{\w+="([^"]*)"\}', r"{\1}", name): float(value)
            for name, value in re.findall(r"^(pypitoken_\S+) (\S+)$", text, re.M)}


def settled(s, name, value, **more):
    """All of them, once this one has the value, and more of them have theirs: what a request did is counted when its
    answer is out, one after the other."""
    got, want = {}, {name: value, **more}

    def there():
        got.update(read(s))
        return all(got.get(n) == v for n, v in want.items())
    poll.until(there)
    return got


def verdict(word):
    return "pypitoken_verdicts_total{%s}" % word


def source(name):
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as f:
        return f.read()


def form(t, s):
    r = s.get("/pypitoken-metrics")
    t.is_((r.status, r.header("Content-Type")), (200, "text/plain; version=0.0.4; charset=utf-8"), "the metrics")
    words = re.findall(r'^    X\(\w+, "([a-z0-9-]+)", \d+,', source("mod_pypitoken/core/verdict.h"), re.M)
    t.is_(sorted(re.findall(r'verdict="([^"]*)"', r.text)), sorted(words), "  with a line for every verdict")
    names = re.findall(r"^# TYPE (\S+) ", r.text, re.M)
    told = re.findall(r"^    (pypitoken_\w+)", source("doc/metrics"), re.M)
    t.is_(sorted(told), sorted(names), "doc/metrics has each of them, and no other")
    t.is_(s.get("/nobody").status, 403, "Require decides who may read them")
    t.is_(s.get("/pypitoken-metrics", method="POST").status, 405, "they can only be read")
    r = s.get("/pypitoken-metrics", method="HEAD")
    t.is_((r.status, r.body), (200, b""), "HEAD is fine")


def counted(t, s, tok):
    before = read(s)
    package, large = dist.sdist("demo"), dist.sdist("demo", "2.0", padding=300000)
    t.is_([s.upload(p, tok).status for p in (package, large)], [200, 200], "two uploads, one of them large")
    each = {verdict("allowed"): 2, "pypitoken_uploads_total{arrived}": 2, "pypitoken_spool_files_total": 1,
            "pypitoken_upload_bytes_total": len(package.form()) + len(large.form()),
            "pypitoken_spool_bytes_total": len(large.form())}
    after = settled(s, "pypitoken_store_up", 1, **{name: before[name] + n for name, n in each.items()})

    def more(name):
        return after[name] - before[name]
    t.is_(more(verdict("allowed")), 2, "  are counted as allowed")
    t.is_(more("pypitoken_uploads_total{arrived}"), 2, "  and as arrived")
    t.is_(more("pypitoken_upload_bytes_total"), len(package.form()) + len(large.form()), "  with their bytes")
    t.is_((more("pypitoken_spool_files_total"), more("pypitoken_spool_bytes_total")), (1, len(large.form())),
          "  the large one went to a file")
    t.ok(more("pypitoken_store_seconds_count") >= 2, "  and the database was used")
    t.is_(after["pypitoken_store_seconds_count"], after["pypitoken_store_seconds_bucket{+Inf}"], "  the histogram is whole")
    t.ok(0 < after["pypitoken_store_seconds_sum"] < 60 and after["pypitoken_store_up"] == 1, "  in seconds, and it is up")
    for word, args, kw in (("token-signature", (package, tok.mistyped()), {}), ("no-credentials", (package,), {}),
                           ("filename-project", (package, tok), {"changes": {"filename": "other-1.0.tar.gz"}}),
                           ("file-exists", (dist.sdist("demo", salt="x"), tok), {})):
        before = read(s)
        s.upload(*args, **kw)
        refused = "pypitoken_uploads_total{refused}"
        after = settled(s, verdict(word), before[verdict(word)] + 1,
                        **{refused: before[refused] + (word == "file-exists")})
        t.is_(more(verdict(word)), 1, word + " is counted")
        # the guard lets the last one through, and the index does not take it
        t.is_(more(refused), word == "file-exists", "  and is no upload that arrived")
        t.is_(more("pypitoken_uploads_total{arrived}"), 0, "    indeed")
    t.is_(before[verdict("internal")] + before[verdict("store-down")], 0, "what did not happen is 0")


def back_end(t, s, tok):
    for n, (path, end) in enumerate((("/teapot/", "refused"), ("/broken/", "unknown"))):
        name = "pypitoken_uploads_total{%s}" % end
        before = read(s)[name]
        s.upload(dist.sdist("demo", "9.%d" % n), tok, path)
        t.is_(settled(s, name, before + 1)[name], before + 1, "%s: counted as %s" % (path, end))


def gauges(t, s, tok):
    """An upload that is under way; after it is gone so is its place."""
    settled(s, "pypitoken_spools", 0)
    with wire.Conn(s.httpd.port) as conn:
        raw = wire.request("POST", "/legacy/", [dist.form_type()], dist.sdist("demo", "3.0").form(), tok.user)
        conn.send(raw[:-50])
        got = settled(s, "pypitoken_spools", 1)
        t.is_((got["pypitoken_spools"], got["pypitoken_spools_max"]), (1, 36), "an upload that is being read")
        conn.send(raw[-50:])
        t.is_(conn.response().status, 200, "  gets through")
    t.is_(settled(s, "pypitoken_spools", 0)["pypitoken_spools"], 0, "  and has left its place")


def shown(t, s):
    r = s.get("/status")
    t.ok("mod_pypitoken" in r.text and "<dt>Uploads being read, of at most: 0 36</dt>" in r.text,
         "mod_status has a section", r.text[-3000:])
    r = s.get("/status?auto")
    t.like(r.text, r"(?m)^PyPITokenDecided: [1-9]\d* [1-9]\d*$", "  and lines for programs")
    t.like(r.text, r"(?m)^PyPITokenStore: up$", "  the database is up")
    url = "http://127.0.0.1:%d/pypitoken-metrics" % s.httpd.port
    text = s.ctl("status", "--url", url)
    t.like(text, r"(?m)^verdicts_total +allowed +[1-9]\d*$", "pypitokenctl status shows the same")
    t.unlike(text, r"internal", "  without what is zero")
    rows = {(r["metric"], r["label"]): r["value"] for r in s.ctl_json("status", "--url", url)}
    t.is_(float(rows["verdicts_total", "internal"]), 0, "  but all of it in JSON")
    by_ipv6(t, s)
    for bad, says in ((url + "x", "404"), ("https://127.0.0.1/", "no http://"), ("http://127.0.0.1:1/", "refused")):
        done = s.ctl_run("status", "--url", bad)
        t.ok(done.returncode == 3 and says in done.stderr, "pypitokenctl status --url: " + says, done)


def by_ipv6(t, s):
    """What is sent to [::1]: httpd refuses an address without its brackets as Host."""
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        t.skip("pypitokenctl status --url: [::1]", "no IPv6")
        return
    asked = []

    def answer():
        conn, _ = listener.accept()
        asked.append(conn.recv(4096).decode())
        conn.sendall(b"HTTP/1.1 200 OK\r\n\r\npypitoken_spools 7\n")
        conn.close()
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    done = s.ctl_run("status", "--url", "http://[::1]:%d/pypitoken-metrics" % port)
    thread.join(10)
    listener.close()
    t.ok(done.returncode == 0 and "spools" in done.stdout, "pypitokenctl status --url: [::1]", done)
    t.has("".join(asked), "\r\nHost: [::1]:%d\r\n" % port, "  and says so, with the brackets")


def over(t, s, tok):
    """Counters only grow: over killed children, a graceful restart, a restart."""
    def restart(name):
        said = s.httpd.error_log().count("resuming normal operations")
        s.httpd.quiet()
        os.kill(s.httpd.proc.pid, name)
        poll.until(lambda: s.httpd.error_log().count("resuming normal operations") > said)

    def count(version):
        t.is_(s.upload(dist.sdist("demo", version), tok).status, 200, "an upload")
        got = settled(s, verdict("allowed"), allowed)
        t.is_(got[verdict("allowed")], allowed, "  is counted")
        return got
    allowed = settled(s, "pypitoken_spools", 0)[verdict("allowed")]
    # the killing last: t/coverage hears what a child counted that ends by itself
    for how, what in ((lambda: restart(signal.SIGUSR1), "at a graceful restart"),
                      (lambda: restart(signal.SIGHUP), "at a restart"), (s.httpd.renew, "when all children are killed")):
        allowed += 1
        before = count("4.%d" % allowed)
        how()
        after = poll.until(lambda: read(s)) or {}
        lost = [n for n in before if re.search("_total|_count", n) and after.get(n, -1) < before[n]]
        t.is_((lost, after.get("pypitoken_start_time_seconds")), ([], before["pypitoken_start_time_seconds"]),
              "nothing is forgotten " + what)
    allowed += 1
    count("5.0")


def away(t, s, tok):
    """A database that goes and comes back."""
    s.store.away()
    poll.until(lambda: s.upload(dist.sdist("demo", "6.0"), tok).status == 503)
    got, failed = {}, "pypitoken_store_operations_total{failed}"

    def told():
        # each of the three in its own time
        got.update(read(s))
        return got["pypitoken_store_up"] == 0 and got[verdict("store-down")] > 0 and got[failed] > 0
    poll.until(told)
    t.is_(got["pypitoken_store_up"], 0, "the database is away: store_up is 0")
    t.ok(got[verdict("store-down")] > 0 and got[failed] > 0, "  verdict and failure are counted", got)
    s.store.back()
    poll.until(lambda: s.upload(dist.sdist("demo", "6.0"), tok).status == 200, 20)
    t.is_(settled(s, "pypitoken_store_up", 1)["pypitoken_store_up"], 1, "it is back: 1")


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.allow("AH01630", "client denied", "store|pypitoken: unable|pypitoken: .* cannot", "exit signal Killed", "AH01239")
        s.init("alice")
        for status in (418, 500):
            s.write("cgi-bin/%d" % status, CGI % status, 0o755)
        s.start(more=MORE, modules=["status", "cgi", "authz_host"])
        tok = s.token("alice")
        began = time.time()
        form(t, s)
        counted(t, s, tok)
        back_end(t, s, tok)
        gauges(t, s, tok)
        shown(t, s)
        text = s.get("/pypitoken-metrics").text
        t.is_([w for w in ("alice", "demo", tok.text[:20], tok.id) if w in text], [],
              "no name, project or token in the metrics")
        over(t, s, tok)
        away(t, s, tok)
        t.ok(abs(read(s)["pypitoken_start_time_seconds"] - began) < 300, "counting began when httpd did")


tap.run(main)
