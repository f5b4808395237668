#!/usr/bin/python3
"""tsan.t - what many threads share, built with ThreadSanitizer and run: no data race."""
import os
import platform
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, tap  # noqa: E402

PARTS = ("core/slice", "core/seam", "core/slots", "core/tally", "access/shared", "access/throttle", "access/linger")


def build(t, work, cc):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "apr-1", "libsodium"], stdout=subprocess.PIPE,
                           text=True, check=True).stdout.split()
    sources = [os.path.join(SRCDIR, "mod_pypitoken", p + ".c") for p in PARTS]
    out = os.path.join(work, "test_shared_threads")
    done = subprocess.run(
        [cc, "-std=gnu11", "-g", "-O1", "-fsanitize=thread", "-D_GNU_SOURCE", "-I" + os.path.join(SRCDIR, "mod_pypitoken"),
         "-I" + os.path.join(SRCDIR, "t/unit"), "-o", out, os.path.join(SRCDIR, "t/unit/test_shared_threads.c"),
         *sources, *flags, "-lpthread"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    t.is_(done.returncode, 0, "it builds with ThreadSanitizer", done.stdout)
    return out


def main(t):
    cc = next((c for c in ("clang-14", "clang", "gcc") if shutil.which(c)), None)
    if not cc:
        t.skip_all("no compiler")
    with tempfile.TemporaryDirectory() as work:
        program = build(t, work, cc)
        # the sanitizer's memory map does not fit every randomised address space
        argv = ["setarch", platform.machine(), "-R", program] if shutil.which("setarch") else [program]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              env=dict(os.environ, TSAN_OPTIONS="halt_on_error=0 exitcode=66"))
        t.is_(done.returncode, 0, "all that is shared is free of data races", done.stdout[-3000:])
        t.unlike(done.stdout, "(?m)^not ok|WARNING: ThreadSanitizer", "  and right")


tap.run(main)
