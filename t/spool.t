#!/usr/bin/python3
"""spool.t - where an upload waits: in memory, then in a file without a name; what happens when there is no room,
and how much memory a large one takes."""
import hashlib
import os
import resource
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, handlers, module, poll, site, tap, under, wire  # noqa: E402

MB = 1 << 20
BIG = 256 * MB
STREAM = "PyPITokenStream On\n    "
LIMIT = "PyPITokenMaxUpload 1M"


def form(size, version="1.0"):
    return dist.sdist("demo", version).form(content=bytes(size))


def spool_files(s):
    return s.httpd.holds(s.path("spool"))


def half(s, tok, path, body):
    """A connection with all but the last byte of an upload sent."""
    c = wire.Conn(s.httpd.port)
    head = [dist.form_type(), ("Content-Length", len(body))]
    c.send(wire.request("POST", path, head, None, tok.user) + body[:-1])
    return c


def places(t, s, servers, tok):
    small, large = form(100000), form(400000)
    with half(s, tok, "/gunicorn/", large) as c:
        files = poll.until(lambda: spool_files(s))
        t.ok(files, "more than PyPITokenMemory waits in a file in PyPITokenSpoolDir")
        t.is_(os.listdir(s.path("spool")), [], "  that has no name")
        t.ok(all("(deleted)" in f for _, f in files or [(0, "x")]), "  nor ever will", files)
        t.is_(servers.seen(), [], "  the back end is not asked before the last byte")
        c.send(large[-1:])
        t.is_(c.response().status, 200, "  and then it is")
    t.is_([g["length"] for g in servers.seen()], [len(large)], "  with all of it")
    servers.forget()
    t.ok(poll.until(lambda: not spool_files(s)), "  the file goes with the request")
    with half(s, tok, "/gunicorn/", small) as c:
        t.ok(poll.until(lambda: inside(s)), "up to PyPITokenMemory it is in memory")
        t.is_(spool_files(s), [], "  no file")
        c.send(small[-1:])
        t.is_(c.response().status, 200, "  taken")
    servers.forget()
    with half(s, tok, "/gunicorn/", large) as c:
        t.ok(poll.until(lambda: spool_files(s)), "another one waits in a file")
        for pid in {pid for pid, _ in spool_files(s)}:  # not cgid's
            os.kill(pid, 9)
        poll.until(lambda: not spool_files(s))
    t.is_(os.listdir(s.path("spool")), [], "a child that is killed leaves nothing behind")
    t.is_(servers.seen(), [], "  and have handed nothing on")
    poll.until(lambda: again(s, tok, small))
    servers.forget()


def again(s, tok, body):
    try:
        return s.upload(body, tok, path="/gunicorn/").status == 200
    except (wire.Closed, ConnectionError):
        return False


def inside(s):
    """Whether all that was sent to httpd has been read by it."""
    with open("/proc/net/tcp") as f:
        lines = [line.split() for line in f.read().splitlines()[1:]]
    return not any(int(line[1].split(":")[1], 16) == s.httpd.port and int(line[4].split(":")[1], 16)
                   for line in lines if line[3] == "01")


def refused(t, s, servers, tok, what, path, size, status, sentence, asked=False):
    for chunks in (None, 65536):
        version = "5.%d" % len(s.httpd.access_log())
        r = s.upload(form(size, version), tok, path=path, chunks=chunks, agent="refused " + version)
        t.is_(r.status, status, "%s, %s%s: %d" % (what, path, ", chunked" if chunks else "", status), r)
        t.has(r.reason, sentence, "  and it says so")
        seen = [g for g in servers.seen() if g["env"].get("HTTP_USER_AGENT") == "refused " + version]
        t.ok(not [g for g in seen if not asked or g["length"] >= size], "  the back end is not asked", seen)
    t.ok(poll.until(lambda: not spool_files(s)), "  no file stays open")


def too_large(t, s, servers, tok):
    for name in ("gunicorn", "cgi", "wsgi", "uwsgi"):
        refused(t, s, servers, tok, "more than PyPITokenMaxUpload", "/small-%s/" % name, 2 * MB, 413, "larger than")
    refused(t, s, servers, tok, "more than PyPITokenMaxUpload", "/small-s-gunicorn/", 2 * MB, 413, "larger than", True)
    r = s.upload(form(MB - 2000), tok, path="/small-gunicorn/")
    t.is_(r.status, 200, "just below it: taken", r)
    with wire.Conn(s.httpd.port) as c:
        head = [dist.form_type(), ("Content-Length", 10 ** 15), ("Expect", "100-continue")]
        c.send(wire.request("POST", "/small-gunicorn/", head, None, tok.user))
        r = c.response()
        t.is_((r.status, c.interim), (413, []), "announced too large: told before a byte is sent", r)


def full(t, s, servers, tok, what, path, streams):
    """No room for 3 MB; there is for less."""
    refused(t, s, servers, tok, what, path, 3 * MB, 507, "no room")
    t.ok(any(e["verdict"] == "spool-full" for e in poll.until(lambda: s.events()) or []), "  written down as spool-full")
    r = s.upload(form(100000), tok, path=path)
    t.is_(r.status, 200, "  a small one is taken meanwhile", r)
    servers.forget()
    if streams:
        r = s.upload(form(3 * MB), tok, path="/s-gunicorn/")
        t.is_(r.status, 200, "  and a large one that is streamed", r)
        t.is_([g["length"] for g in servers.seen()], [len(form(3 * MB))], "  whole")
        servers.forget()


def limited(t, mpm):
    """A server whose files may not grow beyond 2 MB: what a full disk is to an ordinary user."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice")
        s.allow(r"unable, spool-full", r"Unknown error -102", r"AH01097")
        with handlers.Servers(s, ["gunicorn"]) as servers:
            locations = handlers.SERVER + servers.location("gunicorn", "/gunicorn/")
            locations += servers.location("gunicorn", "/s-gunicorn/", STREAM + "PyPITokenMemory 16K")
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MB, before[1]))
            s.start(locations=locations, mpm=mpm, modules=handlers.modules(mpm))
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            full(t, s, servers, tok, "a file cannot grow", "/gunicorn/", True)


def mounted(t, s, servers, tok):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "none", s.path("tiny")], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        t.skip("a full disk", "cannot mount: " + done.stdout.strip())
        return
    try:
        full(t, s, servers, tok, "a disk of 1 MB", "/tiny/", False)
        t.is_(os.listdir(s.path("tiny")), [], "  nothing is left on it")
        t.ok(poll.until(lambda: os.statvfs(s.path("tiny")).f_bfree == os.statvfs(s.path("tiny")).f_blocks),
             "  and all of it is free again")
    finally:
        subprocess.run(["umount", "-l", s.path("tiny")], check=False)


def peak(s):
    """The most memory that each child had since anew(), in bytes."""
    out = {}
    for pid in s.httpd.children():
        try:
            with open("/proc/%d/status" % pid) as f:
                found = [line.split()[1] for line in f if line.startswith("VmHWM")]
        except OSError:
            continue  # one that is idle may end by itself
        if found:
            out[pid] = int(found[0]) * 1024
    return out


def anew(s):
    """Each child's peak begins anew."""
    for pid in s.httpd.children():
        try:
            with open("/proc/%d/clear_refs" % pid, "w") as f:
                f.write("5\n")
        except OSError:
            pass


def memory(t, s, servers, tok):
    if under.kind():
        t.skip("256 MiB take less than 48 MiB of memory", "something watches the memory, and takes its own")
        return
    body = form(BIG)
    for path in ("/gunicorn/", "/s-gunicorn/", "/cgi/", "/s-wsgi/"):
        anew(s)
        before = peak(s)
        r = s.upload(body, tok, path=path, chunks=1 << 20 if path == "/cgi/" else None, agent="big " + path)
        t.is_(r.status, 200, "%s: 256 MiB are taken" % path, r)
        least = min(before.values())  # for a child that has begun since
        grown = max(n - before.get(pid, least) for pid, n in peak(s).items()) / MB
        t.ok(grown < 48, "  and take less than 48 MiB of memory", "%d MiB" % grown)
        t.note("%s: %.1f MiB" % (path, grown))
        seen = [g for g in servers.seen() if g["env"].get("HTTP_USER_AGENT") == "big " + path]
        t.is_([(g["length"], g["error"]) for g in seen], [(len(body), None)], "  all of it arrives")


def unmapped(t):
    """Where the file cannot be mapped, a handler that is given a file's bucket reads 8000 bytes of it at a time, and the
    bucket becomes two. mod_fcgid forgets the second one, and answers 200. It gets no such bucket from us."""
    if under.kind():
        t.skip("a file that cannot be mapped", "what watches httpd has its own things in front of the C library")
        return
    names = ["index", "gunicorn", "scgi", "wsgi", "cgi", "fcgid"]
    with site.Site(t) as s:
        s.init("alice")
        tok = s.token("alice")
        with handlers.Servers(s, names) as servers:
            locations = handlers.SERVER + site.SIMPLE
            locations += "".join(servers.location(n, "/%s/" % n, "PyPITokenMemory 0") for n in names)
            s.start(locations=locations, modules=handlers.modules("event"), env=module.preload(s, "no_mmap"))
            for turn, name in enumerate(names):
                one = dist.sdist("demo", "1.%d" % turn, padding=300000)
                one.data += bytes((8100 - len(one.form())) % 8192)
                body = one.form()
                r = s.upload(body, tok, path="/%s/" % name)
                t.is_(r.status, 200, "%s: a file that cannot be mapped" % name, r)
                if name != "index":
                    t.is_([(g["length"], g["sha256"]) for g in servers.seen()], [(len(body), hashlib.sha256(body).hexdigest())],
                          "  all of it arrives")
                servers.forget()
            t.is_(s.visible(), ["demo/demo-1.0.tar.gz"], "  and is stored")


def main(t):
    site.need(t, *handlers.PROGRAMS)
    unmapped(t)
    names = ["gunicorn", "cgi", "wsgi", "uwsgi"]
    for mpm in ("event", "prefork"):
        with site.Site(t) as s:
            t.note("MPM " + mpm)
            s.init("alice")
            tok = s.token("alice")
            os.mkdir(s.path("tiny"))
            s.give("tiny")
            s.allow(r"unable, spool-full", r"Unknown error -102", r"AH01097", r"AH00052.*exit signal Killed")
            with handlers.Servers(s, names) as servers:
                locations = handlers.SERVER
                for name in names:
                    locations += servers.location(name, "/%s/" % name)
                    locations += servers.location(name, "/s-%s/" % name, STREAM + "PyPITokenMemory 16K")
                    locations += servers.location(name, "/small-%s/" % name, LIMIT)
                    locations += servers.location(name, "/small-s-%s/" % name, STREAM + LIMIT)
                locations += servers.location("gunicorn", "/tiny/", 'PyPITokenSpoolDir "{root}/tiny"')
                s.start(locations=locations, mpm=mpm, modules=handlers.modules(mpm))
                for part in (places, too_large, mounted if s.as_root else None, memory if mpm == "event" else None):
                    if part:
                        t.note(part.__name__)
                        part(t, s, servers, tok)
        t.note("limited")
        limited(t, mpm)


tap.run(main)
