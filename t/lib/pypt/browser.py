"""browser.py - Chromium, driven by playwright-core: what a script of t/browser finds becomes the test's own lines."""

import json
import os
import shutil
import subprocess

from . import SRCDIR, npm, site


def need(tap, *programs):
    """Skips the test without node, Chromium, the packages or one of the programs; what a script is told of them."""
    site.need(tap, "node", *programs)
    chromium = shutil.which("chromium")
    if not chromium:
        tap.skip_all("no chromium")
    try:
        return {"chromium": chromium, "modules": npm.install("browser")}
    except npm.Missing as why:
        return tap.skip_all(str(why))


def run(tap, script, home, told, timeout):
    """Runs t/browser/SCRIPT with told on its standard input. It prints one JSON array a check: good, name, what was seen."""
    env = {"PATH": "/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["node", os.path.join(SRCDIR, "t/browser", script)], input=json.dumps(told), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=env, timeout=timeout, check=False)
    last = ""
    for line in done.stdout.splitlines():
        good, last, seen = json.loads(line)
        tap.ok(good, last, seen)
    tap.is_((done.returncode, last), (0, "the end was reached"), "the browser came to the end", done.stderr[-3000:])
