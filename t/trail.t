#!/usr/bin/python3
"""trail.t - what is written at once, what waits in memory, and what is left of that when a child ends."""
import os
import signal
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, poll, site, tap, wire  # noqa: E402

LONG, SHORT = "PyPITokenFlush 10min\n", "PyPITokenFlush 1s\n"


class Trail:
    """A site whose events and last uses are looked at from outside."""

    def __init__(self, t, s):
        self.t, self.s = t, s
        self.count = 0

    def sql(self, statement, *values):
        return [tuple(row) for row in self.s.store.rows(statement, *values)]

    def used(self, token):
        """File and address of the last use, as the row has them."""
        return self.sql("SELECT used_file, used_address FROM tokens WHERE id = ?", token.id)[0]

    def times(self, verdict, kind="upload-refused"):
        """Rows of that verdict, and how many decisions they stand for."""
        return self.sql("SELECT COUNT(*), COALESCE(SUM(times), 0) FROM events WHERE verdict = ? AND kind = ?",
                        verdict, kind)[0]

    def package(self):
        self.count += 1
        return dist.sdist("trail", "1.%d" % self.count)

    def upload(self, token, status=200, conn=None):
        package = self.package()
        r = self.s.upload(package, token, conn=conn)
        if r.status != status:
            self.t.is_(r.status, status, "an upload of %s" % package.filename, r)
        return package.filename

    def accepted(self, filename):
        return self.sql("SELECT COUNT(*) FROM events WHERE kind = 'upload' AND file = ?", filename)[0][0]


def other_address(port):
    conn = wire.Conn(port)
    conn.sock.close()
    conn.sock = socket.create_connection(("127.0.0.1", port), wire.TIMEOUT, source_address=("127.0.0.2", 0))
    return conn


def at_once(t, w, token, revoked):
    """With ten minutes to the next flush, what is seen now was written at once."""
    s = w.s
    first = w.upload(token)
    t.is_(w.used(token), (first, "127.0.0.1"), "the first use of a token is in its row when the answer comes")
    second = w.upload(token)
    t.is_(w.accepted(second), 1, "an accepted upload is on record when the answer comes")
    t.is_(w.used(token), (first, "127.0.0.1"), "  but the last use waits")
    with other_address(s.httpd.port) as conn:
        third = w.upload(token, conn=conn)
    t.is_(w.used(token), (third, "127.0.0.2"), "a use from another address does not wait")
    fourth = w.upload(token)
    t.is_(w.used(token), (fourth, "127.0.0.1"), "  nor does the way back")
    for _ in range(5):
        w.upload(revoked, 403)
    t.ok(poll.until(lambda: w.times("token-revoked") == (1, 1)), "a revoked token: the first try is on record",
         w.times("token-revoked"))
    for _ in range(7):
        w.upload(token.mistyped(), 403)
    t.is_(w.times("token-signature"), (0, 0), "forged tokens wait")
    return w.upload(token)


def ends(t, w, mpm, token, revoked):
    """What waits is written when a child ends, whichever way it is told to."""
    s = w.s
    s.start(more=LONG, mpm=mpm)
    with wire.Conn(s.httpd.port) as conn:
        w.upload(token, conn=conn)
        last = w.upload(token, conn=conn)
        for _ in range(4):
            w.upload(revoked, 403, conn=conn)
    t.ok(w.used(token)[0] != last, "%s: the last use waits" % mpm)
    s.httpd.proc.send_signal(signal.SIGUSR1)
    t.ok(poll.until(lambda: w.used(token)[0] == last), "  until the child ends gracefully", w.used(token))
    with wire.Conn(s.httpd.port) as conn:
        last = w.upload(token, conn=conn)
    s.httpd.stop()
    t.is_(w.used(token)[0], last, "  or when httpd is stopped")


def killed(t, w, token):
    s = w.s
    s.allow(r"child pid \d+ exit signal Killed")
    s.start(more=SHORT)
    w.upload(token)
    last = w.upload(token)
    t.ok(poll.until(lambda: w.used(token)[0] == last), "within the interval the last use is written", w.used(token))
    s.httpd.kill_children()
    t.is_((w.used(token)[0], w.accepted(last)), (last, 1), "kill -9: it is still there")
    t.ok(poll.until(s.alive), "  and httpd goes on")
    w.upload(token)
    s.httpd.stop()

    s.start(more=LONG)
    w.upload(token)
    before, last = w.used(token)[0], w.upload(token)
    s.httpd.kill_children()
    t.is_(w.accepted(last), 1, "kill -9 before the interval is over: the upload is on record")
    t.is_(w.used(token)[0], before, "  its last use alone is lost")
    t.ok(poll.until(s.alive), "  and httpd goes on")
    s.httpd.stop()


def flood(t, w, token):
    """Refusals by the thousand: few rows, an exact count."""
    s = w.s
    s.start(more=SHORT)
    before, each, n = w.times("token-signature"), 100, 8
    wrong = []

    def strangers():
        body, bad = dist.sdist("flood", "1.0").form(), token.mistyped()
        with wire.Conn(s.httpd.port) as conn:
            for _ in range(each):
                r = s.upload(body, bad, conn=conn)
                if r.status not in (403, 429):
                    wrong.append(r)

    threads = [threading.Thread(target=strangers) for _ in range(n)]
    for thread in threads:
        thread.start()
    w.upload(token)
    last = w.upload(token)
    for thread in threads:
        thread.join()
    t.is_(wrong, [], "%d forged tokens by %d clients are refused" % (each * n, n))
    total = lambda: w.times("token-signature")[1] - before[1] + w.times("throttled")[1]
    t.ok(poll.until(lambda: total() == each * n), "  each is counted", total())
    rows = w.times("token-signature")[0] - before[0] + w.times("throttled")[0]
    t.ok(rows < 120, "  in %d rows" % rows)
    t.is_(w.accepted(last), 1, "  beside an upload that is accepted")
    s.httpd.stop()


def told(t, w, token):
    """A form that is refused before anybody asked whose project it is: on record with the project and the file that it
    named, as far as it came, whether the body was kept back or streamed."""
    s = w.s
    package = dist.sdist("Told.Name", "1.0")
    file = package.filename
    fields = package.fields()
    late = dist.form(fields[-1:] + [(f[0], "exe") if f[0] == "filetype" else f for f in fields[:-1]])
    cases = [("field-value", package.form(md5_digest="!"), ("told-name", file)),
             ("action", package.form(action="submit"), ("told-name", file)),
             ("filename-project", package.form(filename="other-1.0.tar.gz"), ("told-name", "other-1.0.tar.gz")),
             ("filename-version", package.form(filename="told_name-2.tar.gz"), ("told-name", "told_name-2.tar.gz")),
             ("filename-invalid", package.form(filename="told_name.exe"), ("told-name", None)),
             ("name-invalid", package.form(name="told name"), (None, file)),
             ("field-missing", package.form(name=None), (None, file)),
             ("filetype", late, ("told-name", file)),
             ("form-truncated", package.form()[:-30], ("told-name", file))]
    rows = lambda after: w.sql("SELECT verdict, project, file FROM events WHERE kind = 'upload-refused' AND id > ?", after)  # noqa: E731
    for stream in ("Off", "On"):
        s.start(more=SHORT + 'PyPITokenStream %s\n' % stream)
        for verdict, body, want in cases:
            before = w.sql("SELECT COALESCE(MAX(id), 0) FROM events")[0][0]
            s.upload(body, token)
            poll.until(lambda: rows(before))
            t.is_(rows(before), [(verdict, *want)], "Stream %s, %s: what it named is on record" % (stream, verdict))
        before = w.sql("SELECT COALESCE(MAX(id), 0) FROM events")[0][0]
        s.upload(package, token.mistyped())
        s.httpd.stop()
        t.is_(rows(before), [("token-signature", None, None)], "  a forged token's form is not read")


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice")
        w = Trail(t, s)
        token, revoked = s.token("alice"), s.token("alice")
        s.ctl("token", "revoke", revoked.id)
        s.start(more=LONG)
        last = at_once(t, w, token, revoked)
        s.httpd.stop()
        t.is_(w.used(token)[0], last, "when httpd has stopped, the last use is there")
        t.is_(w.times("token-revoked"), (2, 5), "  and a second row for four more refusals")
        t.is_(w.times("token-signature"), (1, 7), "  and one for all forged tokens")
        for mpm in ("event", "worker", "prefork"):
            ends(t, w, mpm, token, revoked)
        killed(t, w, token)
        flood(t, w, token)
        told(t, w, token)


tap.run(main)
