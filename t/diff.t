#!/usr/bin/python3
"""diff.t - what the guard accepts, thirteen readers of forms read as the guard does; see t/diff/README.

DIFF_BODIES and DIFF_SEED choose how many bodies and which.
"""
import os
import sys

sys.dont_write_bytecode = True
SRCDIR = os.environ.get("srcdir", ".")
sys.path.insert(0, os.path.join(SRCDIR, "t/lib"))
sys.path.insert(0, os.path.join(SRCDIR, "t/diff"))

import compare  # noqa: E402
import mutate  # noqa: E402
import naive  # noqa: E402
import readers  # noqa: E402
import session  # noqa: E402
from pypt import tap  # noqa: E402

BODIES = int(os.environ.get("DIFF_BODIES", "200000"))
SEED = int(os.environ.get("DIFF_SEED", "1"))


def able_to_fail(t, crew):
    """With a careless reader in the guard's place the same comparison finds what each rule is there for."""
    found = naive.trial(crew)
    told = {cid for cid, names in found.items() if names}
    t.ok(len(told) >= len(found) / 2, "a careless guard is found out on %d of %d hostile cases" % (len(told), len(found)))
    for reader in crew.readers:
        n = sum(reader.name in names for names in found.values())
        t.ok(n >= 10, "%s reads %d of them otherwise" % (reader.shown, n))


def same_again(t):
    first, second = mutate.Maker(SEED), mutate.Maker(SEED)
    ahead = [first.make(k) for k in range(300)]
    t.ok([second.make(k) for k in range(250, 300)] == ahead[250:], "body k is the same one wherever a run begins")
    t.ok(ahead != [mutate.Maker(SEED + 1).make(k) for k in range(300)], "and another one for another seed")


def main(t):
    try:
        crew = readers.Crew()
    except readers.Missing as why:
        if os.environ.get("CI"):
            t.ok(False, "all readers are there", why)
            return
        t.skip_all(str(why))
    try:
        t.is_(len(crew.readers), 13, "thirteen readers")
        same_again(t)
        able_to_fail(t, crew)
        run = compare.Run(crew, os.path.join(readers.BUILDDIR, "diff-failures"))
        session.feed(run, SEED, 0, BODIES)
    finally:
        crew.stop()
    t.note(run.table())
    t.ok(run.tried >= BODIES, "%d bodies tried" % run.tried)
    t.ok(run.accepted >= BODIES // 20, "%d of them accepted" % run.accepted)
    for reader in crew.readers:
        t.is_(run.compared[reader.name], run.accepted, "%s %s was asked about each" % (reader.shown, reader.version))
    t.is_([f for f in run.failures if f[1] != "the guard itself"][:5], [], "no disagreement")
    t.is_([f for f in run.failures if f[1] == "the guard itself"][:5], [], "and no way of cutting a body up changes the outcome")


tap.run(main)
