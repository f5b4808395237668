"""under.py - httpd under something that watches its memory or its threads.

PYPT_UNDER=asan      AddressSanitizer and UBSan; the build is configured with --enable-sanitize (gcc)
PYPT_UNDER=tsan      ThreadSanitizer; --enable-sanitize=thread (gcc)
PYPT_UNDER=valgrind  memcheck; any build

Pools are put on malloc (t/lib/pool_malloc.c) for all three: only then what is in a pool is watched.
What is found is a fault of the test that runs: Site.gate() asks reports().
"""

import os
import platform
import re
import shutil
import subprocess

from . import BUILDDIR, SRCDIR

SLOWER = {"asan": 3, "tsan": 5, "valgrind": 15}
KINDS = tuple(SLOWER)

# The first line of what memcheck finds.
MEMCHECK = re.compile(r"^==\d+== (Invalid|Conditional|Use of|Syscall|Mismatched|Source and|Argument|.* lost in)", re.M)

# What httpd, APR and the libraries below do is not ours to mend; each entry says why it is there.
SUPPRESSIONS = {"valgrind": "t/lib/valgrind.supp", "tsan": "t/lib/tsan.supp"}


def kind():
    """Under what, by the environment; None for nothing."""
    found = os.environ.get("PYPT_UNDER") or None
    if found and found not in KINDS:
        raise RuntimeError("PYPT_UNDER is one of " + " ".join(KINDS))
    return found


def slower():
    """How much longer everything may take."""
    return SLOWER.get(kind(), 1)


def _runtime(name):
    found = subprocess.run(["gcc", "-print-file-name=" + name], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.strip()
    if not os.path.isabs(found):
        raise RuntimeError("gcc has no " + name)
    return os.path.realpath(found)


def _suppressions(under):
    return os.path.abspath(os.path.join(SRCDIR, SUPPRESSIONS[under]))


def place(site):
    """Where the reports of a site go; every process of httpd must be able to write there."""
    path = site.path("watched")
    if not os.path.isdir(path):
        os.mkdir(path)
        os.chmod(path, 0o777)
    return path


def command(under, argv, site):
    """argv, to be started under it."""
    if under == "tsan":
        # its map of the memory does not fit an address space that is randomised much
        return [shutil.which("setarch"), platform.machine(), "-R"] + argv
    if under == "valgrind":
        return [shutil.which("valgrind"), "--tool=memcheck", "--leak-check=full", "--num-callers=40",
                "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect",
                "--fair-sched=try", "--gen-suppressions=all", "--suppressions=" + _suppressions(under),
                "--log-file=" + os.path.join(place(site), "valgrind.%p")] + argv
    return argv


def environment(under, env, site):
    """The environment that goes with it."""
    if not under:
        return env
    log = "log_path=" + os.path.join(place(site), under)
    preload = [os.path.abspath(os.path.join(BUILDDIR, "t/pool_malloc.so"))]
    more = {}
    if under == "asan":
        preload.insert(0, _runtime("libasan.so"))
        # Leaks are valgrind's business. (Not detect_stack_use_after_return: gcc 12 then misaligns what on the
        # stack wants 64 bytes, as libsodium's states do.)
        more["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1:strict_string_checks=1:" + log
        more["UBSAN_OPTIONS"] = "print_stacktrace=1:" + log
    elif under == "tsan":
        preload.insert(0, _runtime("libtsan.so"))
        more["TSAN_OPTIONS"] = "ignore_noninstrumented_modules=1:second_deadlock_stack=1:exitcode=0:suppressions=%s:%s" % (
            _suppressions(under), log)
    return dict(env, LD_PRELOAD=" ".join(preload), **more)


def small(under, argv, env):
    """argv and env of pypitokenctl. It does not let itself be traced, which is how leaks are looked for."""
    if under == "asan":
        return argv, dict(env, ASAN_OPTIONS="detect_leaks=0")
    if under == "tsan":
        return [shutil.which("setarch"), platform.machine(), "-R"] + argv, env
    return argv, env


def reports(under, site):
    """All that was found, as texts."""
    found = []
    for name in sorted(os.listdir(place(site))) if under else []:
        with open(os.path.join(place(site), name), errors="replace") as f:
            text = f.read()
        # a process that was killed, or became another, leaves no summary
        summary = re.search(r"ERROR SUMMARY: (\d+) errors", text)
        if under != "valgrind" or (summary.group(1) != "0" if summary else MEMCHECK.search(text)):
            found.append(name + ":\n" + text)
    return found
