#!/usr/bin/python3
"""stream.t - PyPITokenStream On, at every kind of handler: an upload arrives byte for byte; one that turns
bad on the way is refused with one clean answer, the back end never sees the end of a file, and nothing is
written down as accepted."""
import hashlib
import os
import random
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, h2wire, handlers, httpd, module, poll, site, tap, wire  # noqa: E402

SIZE = 700000
END = ("\r\n--%s" % dist.BOUNDARY).encode()
GUARD = "PyPITokenStream On\n    PyPITokenMemory 16K"


def whole(name, framing):
    """Whether it gets the body after the verdict all the same: the index, which wants the whole form; and all
    but HTTP servers when the client does not say how long the body is."""
    return name == "index" or framing == "chunked" and name not in ("gunicorn", "waitress")


def package(project, version, size=SIZE):
    noise = random.Random(version)
    one = dist.Dist(project, version, "%s-%s.tar.gz" % (project, version), b"", "sdist", "source")
    one.data = noise.randbytes(size)
    return one


def spoilt(how, one):
    """A body that is good up to some point, and the verdict."""
    good = one.form()
    at = good.index(one.data)
    if how == "middle":
        return good[:at + 500000] + END + b"x" + good[at + 500000:], "form-delimiter"
    if how == "end":
        return good + b"x", "form-epilogue"
    if how == "second name":
        more = END[2:] + b'\r\nContent-Disposition: form-data; name="name"\r\n\r\nother\r\n'
        return good[:-len(END) - 2] + more + END[2:] + b"--\r\n", "field-duplicate"
    if how == "no end":
        return good[:-len(END) - 4], "form-truncated"
    raise ValueError(how)


def raw(s, path, body, tok, chunks=None, agent="pypt/1.0"):
    """All that the server says, until it closes."""
    with wire.Conn(s.httpd.port) as c:
        c.send(wire.request("POST", path, [dist.form_type(), ("User-Agent", agent)], body, tok.user, chunks=chunks))
        r = c.response()
        rest = b""
        if r.header("Connection") == "close":
            while c._more():
                pass
            rest = c.buffer
        return r, rest


def accepted(t, s, servers, name, tok, framing):
    one = package("demo", "1.%d" % len(s.events()))
    body = one.form()
    r, _ = raw(s, "/%s/" % name, body, tok, 8191 if framing == "chunked" else None, agent="good " + one.filename)
    what = "%s, %s: whole and unchanged" % (name, framing)
    got = [g for g in servers.seen() if g["env"].get("HTTP_USER_AGENT") == "good " + one.filename]
    if not t.is_(r.status, 200, what, r):
        return
    if name == "index":
        t.ok(s.get("/simple/demo/" + one.filename).body == one.data, "  stored")
        return
    t.is_([(g["length"], g["sha256"], g["error"]) for g in got],
          [(len(body), hashlib.sha256(body).hexdigest(), None)], "  at the back end")
    env = got[0]["env"]
    announced = framing == "length" or whole(name, framing)
    if name != "waitress":  # it counts for itself
        t.is_(env.get("CONTENT_LENGTH") or None, str(len(body)) if announced else None,
              "  Content-Length %s" % ("kept" if announced else "unknown"), env)
    t.is_([env.get(k) for k in ("PYPITOKEN_PROJECT", "PYPITOKEN_FILE", "PYPITOKEN_VERDICT")],
          ["demo", one.filename, "allowed" if whole(name, framing) or name == "fcgid" else None]
          if name not in ("gunicorn", "waitress") else [None] * 3, "  who and what; no verdict before there is one")


def refused(t, s, servers, name, tok, framing, how):
    project = "new-%s-%s-%s" % (name, framing, how.replace(" ", "-"))
    one = package(project.replace("-", "_"), "1.0")
    body, word = spoilt(how, one)
    r, rest = raw(s, "/%s/" % name, body, tok, 8191 if framing == "chunked" else None, agent="bad " + project)
    what = "%s, %s, bad at %s" % (name, framing, how)
    t.is_((r.status, rest), (400, b""), what + ": 400, once", r)
    line = s.httpd.access(1, agent="bad " + project)[0]
    t.is_((line["status"], line["verdict"]), ("400", word), "  %s in the access log" % word)
    SAFE["bad " + project] = body.index(one.data[:1000]) + (500000 if how == "middle" else len(one.data))
    return project


# by User-Agent: how much of a bad body may have been seen
SAFE = {}


def beyond(t, servers):
    """All back ends have come to their end. Some of them took what they got for a whole request."""
    bad = [g for g in servers.seen() if g["env"].get("HTTP_USER_AGENT", "").startswith("bad")]
    worse = [g for g in bad if g["length"] > SAFE[g["env"]["HTTP_USER_AGENT"]] or END in g["tail"].encode("latin-1")]
    t.is_(worse, [], "of %d bad uploads no back end saw the end of the file" % len(SAFE))
    for g in bad:
        t.note("%s: ran with %s bytes, %s" % (g["env"]["HTTP_USER_AGENT"], g["length"], g["error"]))


def refusals(t, s, servers, name, tok, framings):
    projects = [refused(t, s, servers, name, tok, framing, how) for framing in framings
                for how in ("middle", "end", "second name", "no end")]
    known = [row["name"] for row in s.ctl_json("project", "list")]
    t.is_([p for p in projects if p in known], [], name + ": none of those projects was made")
    events = [(e["kind"], e.get("project")) for e in s.events() if e.get("project") in projects]
    poll.until(lambda: len([e for e in s.events() if e.get("project") in projects]) >= len(projects))
    t.ok(all(kind == "upload-refused" for kind, _ in events), "  no upload was written down, only refusals", events)


def over(t, s, name, tok, protocol):
    """TLS and HTTP/2: an upload, and one that turns bad."""
    cafile = s.certificate() if protocol in ("tls", "h2") else None
    port = s.httpd.tls_port if cafile else s.httpd.port
    once = h2wire.once if protocol in ("h2", "h2c") else wire.once
    one = package("demo", "2.%d" % len(s.events()))
    for how in (None, "middle", "end"):
        body = spoilt(how, one)[0] if how else one.form()
        agent = "%s over-%s-%s-%s" % ("bad" if how else "good", name, protocol, how)
        SAFE[agent] = body.index(one.data[:1000]) + (500000 if how == "middle" else len(one.data))
        r = once(port, "POST", "/%s/" % name, [dist.form_type(), ("User-Agent", agent)], body, tok.user, cafile=cafile)
        t.is_(r.status, 400 if how else 200, "%s over %s, %s" % (name, protocol, "bad at " + how if how else "good"), r)
        if how:
            t.has(r.text, "The form" if how == "middle" else "after the form", "  with the sentence, and nothing else")
            t.is_(r.text.count("<html"), 1, "  once")


def early(t, s, name, tok):
    """A handler that answers before it has read anything. Its success waits for the verdict."""
    one = package("early_" + name, "1.0")
    r, rest = raw(s, "/%s/" % name, spoilt("end", one)[0], tok, agent="early")
    t.is_((r.status, rest), (400, b""), name + ": a success before the upload was read: a bad one is refused", r)
    r, _ = raw(s, "/%s/" % name, one.form(), tok, agent="early")
    t.is_(r.status, 200, "  a good one succeeds", r)
    t.has([row["name"] for row in s.ctl_json("project", "list")], "early_" + name, "  and makes the project")
    r, rest = raw(s, "/%s/" % name, package("early_no_" + name, "1.0").form(), tok, agent="early want 403 Nope")
    t.is_((r.status, rest), (403, b""), "  its own refusal goes out as it is", r)
    poll.until(lambda: [e for e in s.events() if e.get("project") == "early-no-" + name])
    t.ok(poll.until(lambda: "early_no_" + name not in [row["name"] for row in s.ctl_json("project", "list")]),
         "  and makes no project")


def meanwhile(t, s, servers, tok, bob):
    """What changes while a file is on its way."""
    one = package("race", "1.0")
    body = one.form()
    head = wire.request("POST", "/gunicorn/", [dist.form_type(), ("Content-Length", len(body))], None, tok.user)
    with wire.Conn(s.httpd.port) as c:
        c.send(head + body[:400000])
        t.ok(poll.until(lambda: httpd.open_connections([servers.ports["gunicorn"]])), "the back end is at work already")
        t.ok("race" not in [row["name"] for row in s.ctl_json("project", "list")],
             "half a first upload: no project yet")
        r, _ = raw(s, "/gunicorn/", package("race", "2.0").form(), bob)
        t.is_(r.status, 200, "  somebody else is faster", r)
        c.send(body[400000:])
        r = c.response()
        t.is_((r.status, "isn't allowed to upload" in r.reason), (403, True), "  the slower one is refused", r)
    with wire.Conn(s.httpd.port) as c:
        c.send(head + package("demo", "7.0").form()[:400000])
        c.close()
    line = poll.until(lambda: [e for e in s.events() if e.get("file") == "demo-7.0.tar.gz"])
    t.is_([(e["kind"], e["verdict"]) for e in line or []], [("upload-refused", "body-broken")],
          "a client that goes away in the middle: written down as broken off")


def order(t, s, tok):
    """What decides must come before the file; without PyPITokenStream the order is free."""
    one = package("demo", "8.0")
    fields = one.fields()
    swapped = dist.form([f for f in fields if f[0] != "name"] + [f for f in fields if f[0] == "name"])
    r, _ = raw(s, "/gunicorn/", swapped, tok)
    t.is_((r.status, r.reason), (400, "The field 'name' must stand before the file in the form."),
          "name after content: 400 with the field's name")
    r, _ = raw(s, "/plain/", swapped, tok)
    t.is_(r.status, 200, "  without PyPITokenStream it is taken", r)
    late = dist.form([f for f in fields if f[0] not in ("summary", "filetype", "sha256_digest")]
                     + [f for f in fields if f[0] in ("summary", "filetype", "sha256_digest")])
    r, _ = raw(s, "/gunicorn/", late, tok)
    t.is_(r.status, 200, "fields that decide nothing may come after it", r)
    r, _ = raw(s, "/cgi/", package("demo", "8.1", 2000).form(), tok, agent="small")
    t.is_((r.status, r.json()["env"].get("PYPITOKEN_VERDICT")), (200, "allowed"),
          "an upload that fits into memory is judged before anything goes on", r)


class Rude:
    """A back end that answers after a little of the body, or closes without a word."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port, self.answer, self.got = self.sock.getsockname()[1], b"", 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            with conn:
                data = b""
                while len(data) < 50000:
                    piece = conn.recv(10000)
                    if not piece:
                        break
                    data += piece
                self.got = len(data)
                conn.sendall(self.answer)

    def close(self):
        self.sock.close()


def rude(t, s, tok, back):
    """It never had the whole upload: whatever it says, that is no success, and no project is made."""
    for what, answer in (("nothing", b""), ("403", b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"),
                         ("half an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nyes"),
                         ("200", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")):
        back.answer = answer
        project = "rude-" + what.replace(" ", "-")
        one = package(project.replace("-", "_"), "1.0", 6000000)
        r, rest = raw(s, "/rude/", spoilt("end", one)[0], tok)
        t.ok(r.status >= 400 and rest == b"", "a back end that answers %s early, a bad upload: an error, once" % what, r)
        r, rest = raw(s, "/rude/", one.form(), tok)
        t.ok(rest == b"" and (r.status >= 400 or what in ("200", "half an answer")), "  a good one: once", r)
        if r.status >= 400:
            poll.until(lambda: [e for e in s.events() if e.get("project") == project])
            t.ok(poll.until(lambda: one.name not in [row["name"] for row in s.ctl_json("project", "list")]),
                 "  no project is made")
    t.ok(back.got >= 50000, "  it had seen some of it")


def answered(t, s, servers, tok):
    """Another module's filter answers in the midst of our reading. Its refusal stands, and nothing that the handler
    makes of its ended reading follows it as a second answer. Its success does not stand."""
    for name, status in [(name, status) for name in servers.names + ["plain"] for status in (422, 200)]:
        one, agent = package("answered_" + name, "1.0"), "bad rude %s %d" % (name, status)
        head = [dist.form_type(), ("X-Rude", "300000 %d" % status), ("User-Agent", agent)]
        with wire.Conn(s.httpd.port) as c:
            c.send(wire.request("POST", "/%s/" % name, head, one.form(), tok.user))
            r = c.response()
            while c._more():
                pass
        SAFE[agent] = 300000
        if status == 422:
            t.is_((r.status, r.text, c.buffer), (422, "said by mod_rude\n", b""),
                  name + ": a filter that refuses for us, once", r)
        else:
            t.ok(r.status == 400 and "broke off" in r.reason and c.buffer == b"", "  that says 200 for us: 400, once", (r, c.buffer))
        line = s.httpd.access(1, agent=agent)[0]
        t.is_((line["status"], line["verdict"]), (str(r.status), "body-broken"), "  as the log says", line)
    known = [row["name"] for row in s.ctl_json("project", "list")]
    t.is_([name for name in known if name.startswith("answered")], [], "none of those projects was made")


def required(t, s, servers, tok):
    one = package("demo", "9.0")
    r, rest = raw(s, "/req/", one.form(), tok, agent="required")
    t.is_((r.status, rest), (403, b""), "a Require line that says no: 403, once", r)
    t.is_([g for g in servers.seen() if g["env"].get("HTTP_USER_AGENT") == "required"], [], "  nothing goes on")


def run(t, s, servers, tok, bob, mpm):
    for name in servers.names:
        for framing in ("length", "chunked"):
            accepted(t, s, servers, name, tok, framing)
        refusals(t, s, servers, name, tok, ("length", "chunked"))
        for protocol in ("tls", "h2c", "h2") if mpm != "prefork" else ("tls",):
            over(t, s, name, tok, protocol)
        if name in ("wsgi", "daemon", "gunicorn"):
            early(t, s, name, tok)
    if mpm == "event":
        meanwhile(t, s, servers, tok, bob)
        order(t, s, tok)
        required(t, s, servers, tok)
        answered(t, s, servers, tok)


def main(t):
    site.need(t, "openssl", *handlers.PROGRAMS)
    for mpm in ("event", "worker", "prefork"):
        SAFE.clear()
        with site.Site(t) as s:
            t.note("MPM " + mpm)
            s.init("alice", "bob")
            # each says in its own way that its reading was ended
            s.allow(r"Unknown error -102", r"AH01097", r"AH0127[01]", r"AH00859", r"AH10099",
                    r"BrokenPipeError|Exception ignored in", r"AH01631", r"AH01102|AH01084|AH01110|AH10\d\d\d.*rude|AH00898")
            tok, bob = s.token("alice"), s.token("bob")
            with handlers.Servers(s) as servers:
                back = Rude()
                locations = handlers.SERVER + site.SIMPLE + servers.location("gunicorn", "/plain/")
                locations += servers.location("gunicorn", "/req/", GUARD).replace("Require valid-user", "Require pypi-project other")
                locations += handlers.GUARD.replace("{url}", "/rude/").replace("{more}", GUARD)
                locations += 'ProxyPass "/rude/" "http://127.0.0.1:%d/rude/"\n' % back.port
                locations += "".join(servers.location(n, "/%s/" % n, GUARD) for n in servers.names)
                locations += module.build(s, "rude")
                s.start(locations=locations, mpm=mpm, tls=True, modules=handlers.modules(mpm))
                run(t, s, servers, tok, bob, mpm)
                rude(t, s, tok, back)
                back.close()
            beyond(t, servers)


tap.run(main)
