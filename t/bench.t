#!/usr/bin/python3
"""bench.t - every row of t/bench/run, in the smallest form: whether it runs, not how fast."""
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, SRCDIR, mariadb, site, tap  # noqa: E402


def run(*argv):
    env = {**os.environ, "srcdir": os.path.abspath(SRCDIR), "builddir": os.path.abspath(BUILDDIR)}
    return subprocess.run([os.path.join(SRCDIR, "t/bench/run"), *argv], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=env, check=False, timeout=170)


def main(t):
    site.need(t, "wrk", "htpasswd")
    if mariadb.missing():
        t.skip_all("no " + mariadb.missing())
    names = [line.split()[0] for line in run("--list").stdout.splitlines()]
    t.ok(len(names) >= 13, "rows: " + " ".join(names))
    file = os.path.join(BUILDDIR, "t/bench/quick.json")
    done = run("--quick", "--json", file)
    if not t.is_(done.returncode, 0, "all of them run", done.stdout):
        return
    with open(file) as f:
        result = json.load(f)
    os.unlink(file)
    said = {line["row"] for line in result["lines"]}
    for name in names:
        t.ok(name in said, "  " + name)
    bad = [line for line in result["lines"] if not line["min"] <= line["median"] <= line["max"]]
    t.ok(not bad, "figures in order", bad)
    exact = {line["what"]: line["median"] for line in result["lines"] if re.search(
        "after Expect|SpoolDir|no event tells|deadlocks", line["what"])}
    t.ok(len(exact) == 4 and not any(exact.values()), "what must be none is none", exact)
    t.ok(result["machine"]["cpus"] > 0 and result["figures"], "the machine, and the raw figures")


tap.run(main)
