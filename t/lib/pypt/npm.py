"""npm.py - packages of npm, in the build tree: each directory of t/ with a package-lock.json has its own."""

import os
import shutil
import subprocess

from . import BUILDDIR, SRCDIR


class Missing(Exception):
    """npm, or a package, is not to be had."""


def install(name):
    """Has npm fill t/NAME of the build tree, once; the path of its node_modules."""
    work = os.path.join(BUILDDIR, "t", name)
    done = os.path.join(work, "node_modules/.package-lock.json")
    lock = os.path.join(SRCDIR, "t", name, "package-lock.json")
    if not os.path.exists(done) or os.path.getmtime(done) < os.path.getmtime(lock):
        os.makedirs(work, exist_ok=True)
        for each in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(SRCDIR, "t", name, each), work)
        try:
            ran = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=work,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 check=False)
        except OSError as why:
            raise Missing("npm: %s" % why) from why
        if ran.returncode:
            raise Missing("npm ci: " + ran.stdout[-2000:])
    return os.path.join(work, "node_modules")
