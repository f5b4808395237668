"""machine.py - what was measured, and on what."""

import os
import platform
import re
import subprocess

from pypt import SRCDIR, httpd


def _said(*argv):
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip().split("\n")[0]


def _first(path, pattern):
    with open(path) as f:
        found = re.search(pattern, f.read(), flags=re.M)
    return found.group(1).strip() if found else "?"


def describe():
    return {
        "cpu": _first("/proc/cpuinfo", r"^model name\s*:(.*)"),
        "cpus": os.cpu_count(),
        "memory_mib": int(_first("/proc/meminfo", r"MemTotal:\s*(\d+)")) // 1024,
        "kernel": platform.release(),
        "httpd": _said(httpd.binary(), "-v").replace("Server version: ", ""),
        "mariadb": _said("mariadbd", "--version"),
        "openssl": _said("openssl", "version"),
        "compiler": _said(os.environ.get("CC", "gcc"), "--version"),
        "commit": _said("git", "-C", SRCDIR, "describe", "--always", "--dirty"),
        "load": "%.2f %.2f %.2f" % os.getloadavg(),
    }


def lines(machine):
    return ["%-11s %s" % (key, value) for key, value in machine.items()]
