#!/usr/bin/python3
"""store_suite.t - the scripts that start an httpd, once more with their users and tokens in a MariaDB.

    t/store_suite.t             those that make check runs twice
    t/store_suite.t all         every one
    t/store_suite.t guard.t ... these
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, mariadb, site, tap  # noqa: E402

# What asks most of the store: owners, roles, revocation, edits, outage; narrowed tokens; people.
QUICK = ["guard_owner.t", "narrow.t", "require.t"]

# Their subject is SQLite, the harness, or the server itself; or they bring their own store, or have none.
NOT = ("store_", "fronts.t", "bench.t", "examples.t", "startup.t", "ctl.t", "galera.t", "harness.t", "lint.t", "connector.t", "fuzz.t", "oracle.t",
       "version.t", "quickstart.t", "tsan.t", "under.t", "docs.t", "diff.t")


def main(t):
    site.need(t)
    if mariadb.missing():
        t.skip_all("no " + mariadb.missing())
    names = sys.argv[1:] or QUICK
    if names == ["all"]:
        names = [name for name in sorted(os.listdir(os.path.join(SRCDIR, "t"))) if name.endswith(".t") and
                 not name.startswith(NOT)]
    for name in names:
        done = subprocess.run(["/usr/bin/python3", os.path.join(SRCDIR, "t", name)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                              env={**os.environ, "PYPT_STORE": "mysql"})
        skipped = re.search(r"^1\.\.0 # SKIP (.*)", done.stdout, flags=re.M)
        if skipped:
            t.skip(name, skipped.group(1))
            continue
        bad = re.findall(r"^not ok.*(?:\n#.*)*", done.stdout, flags=re.M)
        plan = re.search(r"^1\.\.([1-9]\d*)$", done.stdout, flags=re.M)
        t.ok(done.returncode == 0 and plan and not bad, "%s with mysql://, %s checks" % (name, plan and plan.group(1)),
             "\n".join(bad)[:6000] or done.stdout[-3000:])


tap.run(main)
