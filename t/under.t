#!/usr/bin/python3
"""under.t - what watches httpd finds what it is there for: a module that does wrong on purpose."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import module, site, tap, under, wire  # noqa: E402

# under what, how the module is built, what it commits and what is said of it
FAULTS = [
    ("asan", "-fsanitize=address", [("over", "heap-buffer-overflow.*READ of size 1"),
                                    ("after", "heap-use-after-free.*READ of size 1")]),
    ("valgrind", "", [("over", "Invalid read of size 1.*after a block of size 24"),
                      ("after", "Invalid read of size 1.*block of size 100 free'd"),
                      ("leak", "1,234 bytes in 1 blocks are definitely lost")]),
    ("tsan", "-fsanitize=thread", [("race", "data race.*fault_writer")]),
]

LOCATION = """
<Location "/fault/">
    SetHandler fault
    Require all granted
</Location>
"""


def one(t, kind, flags, faults):
    with site.Site(t) as s:
        s.under = kind
        s.allow("exit signal", r"mpm_\w+:.*(AH00045|AH00046)")
        s.init()
        s.start(locations=module.build(s, "fault", flags) + LOCATION)
        t.is_(s.get("/fault/none").status, 200, kind + ": a module that does nothing wrong")
        t.is_(under.reports(kind, s) if kind != "valgrind" else [], [], "  nothing is found")
        for name, _ in faults:
            try:
                s.get("/fault/" + name)
            except wire.Closed:
                t.note(name + ": the process ended")
        s.httpd.stop()
        found = under.reports(kind, s)
        for name, said in faults:
            t.like(" ".join("".join(found).split()), said, "  %s is found" % name)
        # or this site's own gate would say it once more
        for report in os.listdir(under.place(s)):
            os.unlink(os.path.join(under.place(s), report))


def main(t):
    site.need(t, "gcc", "valgrind", "setarch")
    os.environ.pop("PYPT_UNDER", None)
    for kind, flags, faults in FAULTS:
        one(t, kind, flags, faults)


tap.run(main)
