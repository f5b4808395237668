#!/usr/bin/python3
"""connector.t - the MySQL driver compiles with either Connector/C: MariaDB's, which is here, and Oracle's,
of which t/data/connector-oracle has the declarations that its reference documents."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, SRCDIR, tap  # noqa: E402

ORACLE = os.path.join(SRCDIR, "t/data/connector-oracle")
WARNINGS = "-std=gnu11 -Wall -Wextra -Wshadow -Wformat=2 -Werror -fsyntax-only -D_GNU_SOURCE".split()


def flags(*packages):
    done = subprocess.run(["pkg-config", "--cflags", *packages], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()


def compiles(cc, source, header):
    argv = [cc, *WARNINGS, "-I", os.path.join(SRCDIR, "mod_pypitoken"), "-I", os.path.join(BUILDDIR, "mod_pypitoken"),
            *header, *flags("apr-1", "apr-util-1", "libsodium"), source]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0, done.stdout[:3000]


def refuses(t, cc, what, code):
    """The declarations lack what Oracle's library lacks."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as f:
        f.write("#include <mysql.h>\nint probe(MYSQL *m);\nint probe(MYSQL *m)\n{\n    " + code + "\n}\n")
        f.flush()
        t.ok(not compiles(cc, f.name, ["-I", ORACLE])[0], what + " is not among them")


def main(t):
    sources = sorted(glob.glob(os.path.join(SRCDIR, "mod_pypitoken/store/db_mysql*.c")))
    t.ok(len(sources) >= 4, "the driver's files")
    for cc in ("gcc", "clang-14"):
        if not shutil.which(cc):
            t.skip(cc, "not here")
            continue
        for source in sources:
            name = os.path.basename(source)
            good, said = compiles(cc, source, ["-I", ORACLE])
            t.ok(good, "%s compiles with Oracle's library, by %s" % (name, cc), said)
            good, said = compiles(cc, source, flags("libmariadb"))
            t.ok(good, "  and with MariaDB's", said)
    refuses(t, "gcc", "my_bool", "my_bool b = 1; return m && b;")
    refuses(t, "gcc", "MYSQL_OPT_SSL_ENFORCE", "char b = 1; return mysql_options(m, MYSQL_OPT_SSL_ENFORCE, &b);")
    refuses(t, "gcc", "MariaDB's own", 'return mysql_optionsv(m, MARIADB_OPT_RESTRICTED_AUTH, "x");')


tap.run(main)
