"""module.py - httpd modules, and what else is put into httpd, that tests bring along, from t/lib."""

import os
import shutil
import subprocess

from . import SRCDIR


def build(s, name, flags=""):
    """t/lib/mod_<name>.c as <root>/<name>.so; the line that loads it."""
    apxs = shutil.which("apxs", path=os.environ["PATH"] + ":/usr/sbin") or shutil.which("apxs2")
    found = [subprocess.run([apxs, "-q", what], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
             for what in ("INCLUDEDIR", "APR_INCLUDEDIR", "CPPFLAGS")]
    argv = ["gcc", "-g", "-O1", "-fPIC", "-shared", "-o", s.path(name + ".so"), *flags.split(), "-D_GNU_SOURCE",
            "-I" + found[0][0], "-I" + found[1][0], *found[2], os.path.join(SRCDIR, "t/lib/mod_%s.c" % name)]
    subprocess.run(argv, check=True)
    return 'LoadModule %s_module "%s"\n' % (name, s.path(name + ".so"))


def preload(s, name):
    """t/lib/<name>.c as <root>/<name>.so; httpd's environment that puts it in front of the C library."""
    path = s.path(name + ".so")
    subprocess.run(["gcc", "-g", "-O1", "-fPIC", "-shared", "-o", path, os.path.join(SRCDIR, "t/lib/%s.c" % name)], check=True)
    return {"LD_PRELOAD": path}
