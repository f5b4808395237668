"""backend.py - real applications behind httpd: the servers that run them, started and stopped by one test."""

import json
import os
import pwd
import shutil
import socket
import subprocess

from . import poll
from .httpd import environment, free_port, guardian

APPS = os.path.join(os.environ.get("srcdir", "."), "t/backends")


class Server:
    """An application server on a free port of its own, as httpd's user; argv may hold {port}."""

    def __init__(self, site, name, argv, env):
        self.site, self.name, self.argv, self.env = site, name, argv, env
        self.port = self.proc = None

    def start(self):
        for _ in range(5):
            self.port = free_port()
            if self._start_once():
                return self
        raise RuntimeError("%s does not start:\n%s" % (self.name, self.said()[-2000:]))

    def _start_once(self):
        user = {}
        if self.site.as_root:
            entry = pwd.getpwnam("www-data")
            user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        env = {k: v for k, v in environment().items() if k != "LD_PRELOAD"}
        env.update(self.env, PYTHONDONTWRITEBYTECODE="1", HOME=self.site.root)
        with open(self.site.path("logs", self.name + ".log"), "ab") as log:
            self.proc = subprocess.Popen([word.format(port=self.port) for word in self.argv], stdout=log, stderr=log,
                                         stdin=subprocess.DEVNULL, env=env, cwd=self.site.path("apps"), **user)
        self.guardian = guardian(self.proc.pid)
        return poll.until(lambda: self.proc.poll() is not None or self._ready()) and self.proc.poll() is None

    def _ready(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def said(self):
        with open(self.site.path("logs", self.name + ".log"), errors="replace") as f:
            return f.read()

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        if self.proc and self.guardian.poll() is None:
            self.guardian.communicate(b"done\n")


class Shelf:
    """What one instance of an application keeps: its files, and what it says that it did."""

    def __init__(self, site, name):
        self.site, self.name = site, name
        self.data, self.seen = site.path("shelf", name, "data"), site.path("shelf", name, "seen")
        for sub in ("packages", "meta"):
            os.makedirs(os.path.join(self.data, sub))
        open(self.seen, "w").close()
        for at, dirs, files in os.walk(site.path("shelf", name)):
            for entry in [at] + [os.path.join(at, x) for x in dirs + files]:
                site.give(os.path.relpath(entry, site.root))

    def environment(self):
        return {"PYPT_DATA": self.data, "PYPT_SEEN": self.seen}

    def tree(self):
        """{path: bytes} of every file, {path: None} of every directory."""
        found = {}
        for at, dirs, files in os.walk(self.data):
            for name in dirs:
                found[os.path.relpath(os.path.join(at, name), self.data)] = None
            for name in files:
                with open(os.path.join(at, name), "rb") as f:
                    found[os.path.relpath(os.path.join(at, name), self.data)] = f.read()
        return found

    def restore(self, tree):
        """Makes it what it was when tree() was taken."""
        now = self.tree()
        for path in sorted(now, reverse=True):
            full = os.path.join(self.data, path)
            if path not in tree:
                os.rmdir(full) if now[path] is None else os.unlink(full)
        for path in sorted(tree):
            full = os.path.join(self.data, path)
            if tree[path] is None and path not in now:
                os.mkdir(full)
            elif tree[path] is not None and now.get(path) != tree[path]:
                with open(full, "wb") as f:
                    f.write(tree[path])
            self.site.give(os.path.relpath(full, self.site.root))

    def did(self):
        """What the application said that it did, one dictionary for each request that it handled."""
        with open(self.seen) as f:
            return [json.loads(line) for line in f]

    def forget(self):
        open(self.seen, "w").close()


def copy_apps(site):
    """The applications where httpd's user can read them."""
    shutil.copytree(APPS, site.path("apps"), ignore=shutil.ignore_patterns("__pycache__"))
    for name in os.listdir(site.path("apps")):
        os.chmod(site.path("apps", name), 0o644)
    os.chmod(site.path("apps"), 0o755)
