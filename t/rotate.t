#!/usr/bin/python3
"""rotate.t - other sealing keys while uploads run: not one of them notices."""
import os
import signal
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import dist, poll, site, tap, wire  # noqa: E402

CLIENTS = 4


class Stream(threading.Thread):
    """A client that uploads one small file after the other until it is told to stop."""

    def __init__(self, s, token, number):
        super().__init__()
        self.s, self.token, self.number = s, token, number
        self.over, self.sent, self.wrong = False, 0, []

    def run(self):
        while not self.over:
            package = dist.sdist("stream-%d" % self.number, "1.%d" % self.sent)
            try:
                r = self.s.upload(package, self.token)
            except (wire.Closed, OSError) as why:
                self.wrong.append(repr(why))
            else:
                if r.status != 200:
                    self.wrong.append(r)
            self.sent += 1


def rotate(s, *argv):
    done = s.ctl_run("keyring", "rotate", *argv)
    return done.returncode, done.stdout + done.stderr


def status(s):
    """{key: (state, rows)}, the list of front ends."""
    row = s.ctl_json("keyring", "status")
    return {k["key"]: (k["state"], k["rows"]) for k in row["keys"]}, row["front_ends"]


def reload(s):
    """A graceful restart. The pids of the children that are told to go."""
    old = set(s.httpd.children())
    s.httpd.proc.send_signal(signal.SIGUSR1)
    poll.until(lambda: set(s.httpd.children()) - old)
    return old


def gone(s, pids):
    return poll.until(lambda: not {f["pid"] for f in status(s)[1]} & pids)


def slow_upload(s, token):
    """An upload that has begun and waits in the middle of its body; the bytes that are missing."""
    package = dist.sdist("slow", "1.0")
    whole = wire.request("POST", "/legacy/", [dist.form_type(), ("Expect", "100-continue")], package.form(),
                         token.user)
    head = whole.index(b"\r\n\r\n") + 4
    conn = wire.Conn(s.httpd.port)
    conn.send(whole[:head])
    conn._until(b"100 Continue\r\n\r\n")
    conn.send(whole[head:-200])
    return conn, whole[-200:]


def rotation(t, s, token, first):
    """The whole way, with uploads all the time."""
    t.ok(poll.until(lambda: status(s)[1]), "a front end tells which keys it has")
    front = status(s)[1][0]
    t.is_((front["keys"], front["pid"] in s.httpd.children()), (first, True), "  its keys and its pid", front)

    code, said = rotate(s)
    keys, _ = status(s)
    second = [k for k in keys if k != first][0]
    t.is_((code, keys[second]), (0, ("prepared", 0)), "step 1: a key is prepared", said)
    t.has(said, "graceful", "  and it is said what is next")
    code, said = rotate(s)
    t.is_(code, 1, "without that, nothing is sealed with it", said)
    t.like(said, r"pid \d+\) does not have the key " + second, "  and the front end in the way is named")
    t.is_(status(s)[0][second], ("prepared", 0), "  and all is as before")

    conn, rest = slow_upload(s, token)
    old = reload(s)
    poll.until(lambda: [f for f in status(s)[1] if second in f["keys"]])
    code, said = rotate(s)
    t.is_(code, 1, "an old child with an upload to finish is waited for", said)
    conn.send(rest)
    t.is_(conn.response().status, 200, "  whose upload is accepted")
    conn.close()
    t.ok(gone(s, old), "  and which then leaves the list", status(s)[1])

    late = s.token("alice")
    code, said = rotate(s)
    t.is_(code, 0, "step 2: all rows are sealed anew", said)
    keys, _ = status(s)
    t.ok(keys[second][0] == "seals" and keys[first] == ("opens", 0) and keys[second][1] > 2, "  every one", keys)
    t.is_(s.upload(dist.sdist("late", "1.0"), late).status, 200, "a token made meanwhile is good")

    done = s.ctl_run("keyring", "remove", first)
    t.is_(done.returncode, 1, "the old key stays while a front end seals with it", done.stdout + done.stderr)
    t.has(done.stderr, "still seals with the key " + first, "  which is said")
    old = reload(s)
    t.ok(gone(s, old), "after another reload")
    done = s.ctl_run("keyring", "remove", first)
    t.is_(done.returncode, 0, "step 3: the old key can be removed", done.stdout + done.stderr)
    t.is_(list(status(s)[0]), [second], "  and there is one key again")
    return second


def resumed(t, s, key, saved):
    """One row is as it was before: as after a rotation that was cut off."""
    code, said = rotate(s)
    t.is_((code, [v[0] for v in status(s)[0].values()]), (0, ["seals", "prepared"]), "a second rotation: prepared", said)
    old = reload(s)
    gone(s, old)
    poll.until(lambda: status(s)[1])
    code, said = rotate(s)
    t.is_(code, 0, "  and rotated", said)
    second = [k for k, v in status(s)[0].items() if v[0] == "seals"][0]
    s.store.write(("UPDATE tokens SET sealed_key = ? WHERE id = ?", (saved[1], saved[0])))
    t.is_(status(s)[0][key], ("opens", 1), "a row that is left")
    done = s.ctl_run("keyring", "remove", key)
    t.is_(done.returncode, 1, "  keeps its key from being removed", done.stderr)
    t.has(done.stderr, "1 rows are sealed with this key", "  which is said")
    code, said = rotate(s, "--json")
    t.ok(code == 0 and '"resealed": 1' in said, "running it again finishes the rotation", said)
    keys, _ = status(s)
    t.ok(keys[key] == ("opens", 0) and keys[second][0] == "seals" and len(keys) == 2, "  and begins no new one", keys)


def stolen(t, s, token, ring):
    """What lies in the database is worth nothing without the keyring."""
    other, dump = s.path("other-keyring"), s.store.copy()
    s.ctl_run("init", keyring=other, store=dump)
    for name, keyring, want in (("its keyring", s.path("keyring"), 0), ("a keyring of the thief's", other, 1),
                                ("the keyring of before the rotation", ring, 1)):
        done = s.ctl_run("token", "inspect", "--verify", text=token.text + "\n", keyring=keyring, store=dump)
        t.is_(done.returncode, want, "a copy of the database with %s: exit %d" % (name, want), done.stdout + done.stderr)


def main(t):
    site.need(t)
    with site.Site(t) as s:
        s.init("alice")
        with open(s.path("keyring"), "rb") as f:
            ring = s.write("keyring.before", f.read().decode(), 0o600)
        tokens = [s.token("alice") for _ in range(CLIENTS)]
        slow = s.token("alice")
        s.start(more="PyPITokenFlush 1s\n")
        first = list(status(s)[0])[0]
        streams = [Stream(s, token, i) for i, token in enumerate(tokens)]
        for stream in streams:
            stream.start()
        try:
            second = rotation(t, s, slow, first)
            resumed(t, s, second, s.store.rows("SELECT id, sealed_key FROM tokens WHERE id = ?", slow.id)[0])
        finally:
            for stream in streams:
                stream.over = True
            for stream in streams:
                stream.join()
        sent = sum(stream.sent for stream in streams)
        wrong = [w for stream in streams for w in stream.wrong]
        t.ok(sent > 20 and not wrong, "%d uploads meanwhile: none was refused, none failed" % sent, wrong[:5])
        stored = [name for name in s.visible() if "stream" in name]
        t.is_(len(stored), sent, "  all are stored")
        recorded = [e for e in s.events() if e["kind"] == "upload" and "stream" in e["project"]]
        t.is_((len(recorded), len({e["file"] for e in recorded})), (sent, sent), "  and each is on record once")
        kinds = [e["kind"] for e in s.events() if e["kind"].startswith("keyring")]
        t.is_(kinds, ["keyring-prepared", "keyring-rotated", "keyring-removed", "keyring-prepared",
                      "keyring-rotated", "keyring-rotated"], "so are the steps")
        stolen(t, s, slow, ring)


tap.run(main)
