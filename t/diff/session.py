"""session.py - feeds a run with all that the differential test has."""
import time

import mutate

BATCH = 512


def known(run):
    for name, ctype, body in mutate.captures():
        run.add(name, mutate.CUT, ctype, body)
    for case in mutate.corpus.cases():
        if not case.http_only:
            flags = mutate.CUT_ALL if len(case.body) <= 4096 else mutate.CUT
            run.add("case-" + case.id, flags, case.head_type() or "", case.body)
    run.flush()


def feed(run, seed, first, bodies, seconds=None, mutations_only=False):
    """The recorded requests, the corpus, then `bodies` mutations of `seed` beginning with number `first`, or
    as many as fit into the seconds. The number of the first body that was not tried."""
    maker = mutate.Maker(seed)
    if not mutations_only:
        known(run)
    k, end = first, time.monotonic() + seconds if seconds else None
    while (time.monotonic() < end if end else k < first + bodies) and not run.enough():
        for _ in range(BATCH if end else min(BATCH, first + bodies - k)):
            run.add(k, *maker.make(k))
            k += 1
        run.flush()
    run.end()
    return k
