"""scenes.py - what a single request cannot show: connections over time. Each takes the tap, the site, two tokens
(for aaa of alice, for bbb of mallory) and a function that tells how often the back end was reached."""
import socket

from form import BASE, TYPE
from pypt import dist, poll, wire

URL = "/legacy/"
FORM = [("Content-Type", TYPE)]


def head(tok, *headers, target=URL, method="POST", protocol="HTTP/1.1"):
    lines = ["%s %s %s" % (method, target, protocol), "Host: localhost", "Authorization: " + wire.basic(*tok.user), "Content-Type: " + TYPE]
    return "\r\n".join(lines + list(headers)).encode() + b"\r\n\r\n"


def length(body):
    return "Content-Length: %d" % len(body)


def pipelined(t, s, ours, theirs, taken):
    """Bytes behind the body are the next request, whatever became of this one; bytes of the body never are."""
    before = taken()
    with wire.Conn(s.httpd.port) as conn:
        conn.send(2 * (head(ours, length(BASE)) + BASE))
        t.is_([conn.response().status, conn.response().status], [200, 200], "two uploads sent at once")
    inner = head(ours, length(BASE)) + BASE
    with wire.Conn(s.httpd.port) as conn:
        conn.send(head(ours, length(inner)) + inner)
        t.is_(conn.response().status, 400, "a body that is a request itself is refused")
        conn.sock.shutdown(socket.SHUT_WR)
        t.ok(conn.closed(), "  and nothing more is answered")
    t.is_(taken() - before, 2, "  the back end has seen the two alone")


def mixed_tokens(t, s, ours, theirs, taken):
    """Nothing of one request is left over for the next on the same connection."""
    evil = dist.sdist("bbb", "3.0").form()
    rows = [(ours, dist.sdist("aaa", "3.0").form(), 200), (theirs, dist.sdist("aaa", "3.1").form(), 403), (ours, evil, 403), (theirs, evil, 200),
            (ours, evil, 403), (ours, dist.sdist("aaa", "3.2").form(), 200)]
    before, got, conn = taken(), [], None
    for tok, body, _ in rows:
        conn = conn or wire.Conn(s.httpd.port)
        got.append(conn.request("POST", URL, [dist.form_type()], body, tok.user))
        if (got[-1].header("Connection") or "").lower() == "close":
            conn.close()
            conn = None
    if conn:
        conn.close()
    t.is_([r.status for r in got], [row[2] for row in rows], "uploads with tokens in turn are judged one by one")
    t.is_(taken() - before, 3, "  and the three allowed ones arrive")


def cut_off(t, s, ours, theirs, taken):
    """A body that ends before its length says so, or before its last chunk."""
    before, statuses = taken(), []
    chunks = b"%x\r\n%s\r\n" % (len(BASE), BASE)
    for line, body in ((length(BASE + b"x"), BASE), (length(BASE), BASE[:-1]), ("Content-Length: 900000", BASE), ("Transfer-Encoding: chunked", chunks),
                       ("Transfer-Encoding: chunked", chunks + b"0\r\n"), ("Transfer-Encoding: chunked", chunks[:-40])):
        with wire.Conn(s.httpd.port) as conn:
            conn.send(head(ours, line) + body)
            conn.sock.shutdown(socket.SHUT_WR)
            try:
                statuses.append(conn.response().status)
            except wire.Closed:
                statuses.append(None)
    t.ok(all(status in (None, 400, 408) for status in statuses), "a body that breaks off is no upload", statuses)
    t.is_(taken() - before, 0, "  and does not arrive")


def old_and_odd(t, s, ours, theirs, taken):
    """HTTP/0.9, no Host, lines that end in LF: none of it is an upload."""
    before, said = taken(), []
    for raw in (b"GET " + URL.encode() + b"\r\n", b"POST " + URL.encode() + b"\r\n" + BASE, head(ours, length(BASE)).replace(b"\r\n", b"\n") + BASE,
                head(ours, length(BASE)).replace(b"Host: localhost\r\n", b"") + BASE,
                head(ours, length(BASE)).replace(b"POST /", b"POST\t/") + BASE):
        with wire.Conn(s.httpd.port) as conn:
            conn.send(raw)
            conn.sock.shutdown(socket.SHUT_WR)
            while conn._more():
                pass
            said.append(conn.buffer[:12])
    t.ok(not [line for line in said if line.startswith(b"HTTP/1.1 2")], "old and odd requests are no uploads", said)
    t.is_(taken() - before, 0, "  and do not arrive")


def resident(pid):
    with open("/proc/%d/status" % pid) as f:
        return sum(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def silence(t, s, ours, theirs, taken):
    """A length is a promise: nothing is set aside for it."""
    before = sum(map(resident, s.httpd.children()))
    conns = [wire.Conn(s.httpd.port) for _ in range(20)]
    for conn in conns:
        conn.send(head(ours, "Content-Length: 900000000") + BASE[:300])
    poll.until(lambda: True)
    r = wire.once(s.httpd.port, "POST", URL, FORM, BASE, ours.user)
    t.is_(r.status, 200, "twenty promises of 900 MB each stand in nobody's way", r)
    grown = sum(map(resident, s.httpd.children())) - before
    t.ok(grown < 32768, "  and take no memory (%d kB)" % grown)
    for conn in conns:
        conn.close()
    r = wire.once(s.httpd.port, "POST", URL, FORM + [("Content-Length", "10000000000")], None, ours.user)
    t.is_(r.status, 413, "10 GB are more than is allowed, said before a byte of them", r)


ALL = (pipelined, mixed_tokens, cut_off, old_and_odd, silence)
