#!/usr/bin/python3
"""docs.t - what the manual says is what there is, both ways."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, tap  # noqa: E402


def read(name):
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as f:
        return f.read()


def verdicts(t):
    table = {word: status for word, status in re.findall(r'^    X\(\w+, "([a-z0-9-]+)", (\d+),', read("mod_pypitoken/core/verdict.h"), re.M)}
    page = re.findall(r"^    ([a-z][a-z0-9-]+) +(\d{3})  \S", read("doc/verdicts"), re.M)
    t.ok(len(table) > 50, "the table of verdicts is read")
    t.is_(sorted(set(table) - {w for w, _ in page}), [], "every verdict stands in doc/verdicts")
    t.is_([w for w, s in page if table.get(w) != s], [], "  with its status, and no other does")
    t.is_(len(page), len({w for w, _ in page}), "  once")


def main(t):
    verdicts(t)


tap.run(main)
