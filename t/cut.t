#!/usr/bin/python3
"""cut.t - however a body is cut into pieces, the guard reads it the same way.

The hostile corpus, the recorded requests and mutations of both (t/diff/mutate.py): whole, byte by byte, in
random pieces, and in two at every byte; same verdict, same sentence, same fields, same place of the file.
Every piece is a heap block of its own, so that a sanitizer sees a read beyond it.

CUT_BODIES: how many mutations (300). CUT_STEP: cut at every so many bytes (1), for slow builds.
"""
import os
import sys

sys.dont_write_bytecode = True
SRCDIR = os.environ.get("srcdir", ".")
sys.path.insert(0, os.path.join(SRCDIR, "t/lib"))
sys.path.insert(0, os.path.join(SRCDIR, "t/diff"))

import mutate  # noqa: E402
import readers  # noqa: E402
from pypt import tap  # noqa: E402

BODIES = int(os.environ.get("CUT_BODIES", "300"))
STEP = int(os.environ.get("CUT_STEP", "1"))
BATCH = 256
EVERYWHERE_MAX = 2500


def everything():
    for name, ctype, body in mutate.captures():
        yield name, mutate.CUT_ALL if len(body) <= EVERYWHERE_MAX else mutate.CUT, ctype, body
    for case in mutate.corpus.cases():
        if not case.http_only:
            yield case.id, mutate.CUT_ALL if len(case.body) <= EVERYWHERE_MAX else mutate.CUT, case.head_type() or "", case.body
    maker = mutate.Maker(2)
    for k in range(BODIES):
        yield (k, *maker.cut(k))


def main(t):
    crew, bad, tried, allowed, cuts = readers.Crew([]), [], 0, 0, 0
    try:
        bodies = list(everything())
        for at in range(0, len(bodies), BATCH):
            batch = bodies[at:at + BATCH]
            for one, said in zip(batch, crew.guard.ask([readers.record(b[1] | STEP << 8, *b[2:]) for b in batch])):
                tried += 1
                allowed += said["verdict"] == "allowed"
                cuts += 10 + (len(one[3]) // STEP if one[1] & mutate.CUT_ALL else 0)
                if said["cut"] != -1:
                    bad.append((one[0], said))
    finally:
        crew.stop()
    t.is_(bad[:5], [], "%d bodies, %d ways to cut them: each reads the same in all" % (tried, cuts))
    t.ok(tried >= BODIES + 800, "corpus, recorded requests and mutations")
    t.ok(tried // 20 < allowed < tried // 2, "%d of them allowed" % allowed)


tap.run(main)
