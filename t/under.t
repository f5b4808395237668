#!/usr/bin/python3
"""under.t - what watches httpd finds what it is there for: a module that does wrong on purpose."""
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, site, tap, under, wire  # noqa: E402

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
LoadModule fault_module "{root}/fault.so"
<Location "/fault/">
    SetHandler fault
    Require all granted
</Location>
"""


def build(s, flags):
    apxs = shutil.which("apxs", path=os.environ["PATH"] + ":/usr/sbin") or shutil.which("apxs2")
    found = [subprocess.run([apxs, "-q", what], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
             for what in ("INCLUDEDIR", "APR_INCLUDEDIR", "CPPFLAGS")]
    argv = ["gcc", "-g", "-O1", "-fPIC", "-shared", "-o", s.path("fault.so"), *flags.split(), "-D_GNU_SOURCE",
            "-I" + found[0][0], "-I" + found[1][0], *found[2], os.path.join(SRCDIR, "t/lib/mod_fault.c")]
    subprocess.run(argv, check=True)


def one(t, kind, flags, faults):
    with site.Site(t) as s:
        s.under = kind
        s.allow("exit signal", r"mpm_\w+:.*(AH00045|AH00046)")
        s.init()
        build(s, flags)
        s.start(locations=LOCATION)
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
