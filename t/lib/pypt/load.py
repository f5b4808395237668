"""load.py - several clients that upload at the same time, and what became of each upload.

    with Load(8) as load:
        load.start(s, token)       # more than one front end: start([s, other], token)
        ...                        # something happens to the database
        load.enough(40)            # so many accepted ones since then
    load.outcomes                  # [Outcome], in no certain order

Every upload is a file of its own (project "load-<client>", one version after the other).
"""

import threading
import time

from . import dist, poll


class Outcome:
    def __init__(self, filename, status, seconds, detail):
        self.filename, self.status, self.seconds, self.detail = filename, status, seconds, detail

    def __repr__(self):
        return "<%s %s %.1fs %s>" % (self.filename, self.status, self.seconds, self.detail)


class Load:
    def __init__(self, clients, prefix="load"):
        self.clients, self.prefix = clients, prefix
        self.outcomes, self.lock, self.over, self.threads = [], threading.Lock(), threading.Event(), []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()

    def start(self, sites, token):
        sites = sites if isinstance(sites, list) else [sites]
        for i in range(self.clients):
            self.threads.append(threading.Thread(target=self._run, args=(i, sites[i % len(sites)], token)))
            self.threads[-1].start()
        return self

    def _run(self, client, site, token):
        n = 0
        while not self.over.is_set():
            n += 1
            package = dist.sdist("%s-%d" % (self.prefix, client), "1.%d" % n)
            began = time.monotonic()
            try:
                r = site.upload(package, token, agent="load/%d" % client)
                status, detail = r.status, r.reason
            except Exception as why:  # no answer is an outcome too
                status, detail = 0, repr(why)
            with self.lock:
                self.outcomes.append(Outcome(package.filename, status, time.monotonic() - began, detail))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()

    # ---- looking at it ----

    def taken(self):
        with self.lock:
            return [o for o in self.outcomes if o.status == 200]

    def count(self):
        with self.lock:
            return len(self.outcomes)

    def enough(self, accepted, limit=60):
        """Waits for so many accepted uploads from now on."""
        before = len(self.taken())
        return poll.until(lambda: len(self.taken()) >= before + accepted, limit)

    def some(self, answers, limit=60):
        """Waits for so many answers of any kind from now on."""
        before = self.count()
        return poll.until(lambda: self.count() >= before + answers, limit)

    def strange(self, *expected):
        """Those that ended otherwise than 200 or as expected."""
        return [o for o in self.outcomes if o.status not in (200, *expected)]


def check(t, s, load, what):
    """Every 200 is a stored file and an event; nothing else was stored; no file without its event."""
    names = {o.filename for o in load.taken()}
    stored = {name.split("/")[-1] for name in s.visible()}
    ours = {name for name in stored if name.startswith(load.prefix)}
    events = {e["file"] for e in s.events() if e["kind"] == "upload" and e.get("file")}
    t.ok(names <= stored, what + ": every 200 is stored", sorted(names - stored)[:5])
    t.ok(names <= events, "  and has its event", sorted(names - events)[:5])
    t.ok(ours <= events, "  and nothing is stored without one", sorted(ours - events)[:5])
