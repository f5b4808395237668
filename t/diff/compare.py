"""compare.py - one run of the differential test: bodies in, who read what, a table out."""
import collections
import concurrent.futures
import json
import os

import readers

KEYS = ("name", "version", "action", "filename", "sha256", "fields")
PENDING, PENDING_BYTES = 256, 1 << 20
FAILURES_MAX = 20


def shape(ctype, body, offset):
    """How the head of the file part is written: has it a Content-Type, a blank before filename=?"""
    boundary = ctype.split("boundary=", 1)[1].strip('"').encode("latin-1")
    head = body[body.rfind(b"--" + boundary, 0, offset):offset].lower()
    return {"typed": b"\r\ncontent-type: " in head, "spaced": b"; filename=" in head}


def expected(reader, guard, how):
    """What this reader has to say. Two of them take for files only part of what is one, whoever sent it:
    formidable what has a Content-Type (flit, uv and distutils send none), CGI.pm what has a blank before
    filename= (distutils of Python 2.7 has none). They see a text field then, and no file at all."""
    want = {key: guard[key] for key in KEYS}
    want["fields"] = sorted(set(want["fields"]))
    if (reader == "formidable" and not how["typed"]) or (reader == "cgipm" and not how["spaced"]):
        want["filename"] = want["sha256"] = None
    return want


def differences(want, said):
    if "error" in said:
        return ["refused: " + said["error"]]
    return ["%s: %r, guard %r" % (key, said.get(key), want[key]) for key in KEYS if said.get(key) != want[key]]


class Run:
    def __init__(self, crew, save, limit=FAILURES_MAX):
        self.crew, self.save, self.limit = crew, save, limit
        self.tried = self.accepted = 0
        self.verdicts = collections.Counter()
        self.compared = collections.Counter()
        self.no_file = collections.Counter()
        self.disagreed = collections.Counter()
        self.failures = []
        self.batch, self.pending, self.pending_bytes = [], [], 0
        self.pool = concurrent.futures.ThreadPoolExecutor(len(crew.readers) or 1)
        self.asked = None

    def enough(self):
        return len(self.failures) >= self.limit

    def add(self, key, flags, ctype, body):
        self.batch.append((key, flags, ctype, body))

    def flush(self):
        """The guard's word on all that was added; the accepted ones go to the readers."""
        batch, self.batch = self.batch, []
        if not batch:
            return
        said = self.crew.guard.ask([readers.record(*one[1:]) for one in batch])
        for one, guard in zip(batch, said):
            self.tried += 1
            self.verdicts[guard["verdict"]] += 1
            if guard["cut"] != -1:
                self.fail(one, "the guard itself", ["cut %d: another outcome than in one piece" % guard["cut"]])
            if guard["verdict"] == "allowed":
                self.accepted += 1
                self.pending.append((one, guard))
                self.pending_bytes += len(one[3])
        if len(self.pending) >= PENDING or self.pending_bytes >= PENDING_BYTES:
            self.send()

    def send(self):
        """To the readers; meanwhile the next ones are made."""
        self.collect()
        records = [readers.record(*one[1:]) for one, _ in self.pending]
        self.asked = self.pending, [(r, self.pool.submit(r.ask, records)) for r in self.crew.readers]
        self.pending, self.pending_bytes = [], 0

    def collect(self):
        if not self.asked:
            return
        (pending, asked), self.asked = self.asked, None
        for reader, future in asked:
            try:
                answers = future.result()
            except readers.Gone as why:
                self.fail(pending[-1][0], reader.name, [str(why), "one of %d bodies" % len(pending)])
                self.crew.readers.remove(reader)
                continue
            for (one, guard), said in zip(pending, answers):
                self.judge(reader.name, one, guard, said)

    def judge(self, name, one, guard, said):
        want = expected(name, guard, shape(one[2], one[3], guard["offset"]))
        self.compared[name] += 1
        self.no_file[name] += want["sha256"] is None
        found = differences(want, said)
        if found:
            self.disagreed[name] += 1
            self.fail(one, name, found)

    def fail(self, one, who, what):
        key, _, ctype, body = one
        self.failures.append((key, who, what))
        if not self.enough() or key not in {k for k, _, _ in self.failures[:FAILURES_MAX]}:
            os.makedirs(self.save, exist_ok=True)
            with open(os.path.join(self.save, "%s.bin" % key), "wb") as f:
                f.write(b"Content-Type: " + ctype.encode("latin-1") + b"\r\n\r\n" + body)
            with open(os.path.join(self.save, "%s.txt" % key), "a") as f:
                f.write("%s\n  %s\n" % (who, "\n  ".join(what)))

    def end(self):
        if self.pending:
            self.send()
        self.collect()
        self.pool.shutdown()

    def summary(self):
        return {"tried": self.tried, "accepted": self.accepted, "verdicts": dict(self.verdicts.most_common()),
                "readers": [{"name": r.shown, "version": r.version, "compared": self.compared[r.name],
                             "no_file": self.no_file[r.name], "disagreements": self.disagreed[r.name]}
                            for r in self.crew.readers],
                "failures": [json.loads(json.dumps(f, default=repr)) for f in self.failures]}

    def table(self):
        lines = ["%d bodies tried, %d accepted, %d refused" % (self.tried, self.accepted, self.tried - self.accepted)]
        lines += ["  refused: " + ", ".join("%s %d" % pair for pair in self.verdicts.most_common() if pair[0] != "allowed")]
        lines.append("%-18s %-24s %9s %14s" % ("reader", "version", "compared", "disagreements"))
        for r in self.crew.readers:
            lines.append("%-18s %-24s %9d %14d" % (r.shown, r.version, self.compared[r.name], self.disagreed[r.name]))
        for key, who, what in self.failures[:FAILURES_MAX]:
            lines.append("DISAGREEMENT: body %s, %s: %s (saved in %s)" % (key, who, "; ".join(what)[:500], self.save))
        return "\n".join(lines)
