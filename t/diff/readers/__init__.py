"""The crew of readers: one process each, fed with records, answering in lines (the protocol: wsgi.py)."""
import fcntl
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../lib"))

from pypt import npm  # noqa: E402
BUILDDIR = os.path.abspath(os.environ.get("builddir", "."))
PIPE = 1 << 20
PATIENCE = 300               # seconds for one batch

PYTHON = "/usr/bin/python3"  # Debian's, which sees Debian's packages
WSGI = os.path.join(HERE, "wsgi.py")
NODE = os.path.join(HERE, "node.mjs")
# name: what it is called in tables, the command
READERS = {
    "cgi": ("cgi.FieldStorage", [PYTHON, WSGI, "cgi"]),
    "bottle": ("bottle", [PYTHON, WSGI, "bottle"]),
    "webob": ("WebOb", [PYTHON, WSGI, "webob"]),
    "werkzeug": ("Werkzeug", [PYTHON, WSGI, "werkzeug"]),
    "django": ("Django", [PYTHON, WSGI, "django"]),
    "multipart": ("python-multipart", [PYTHON, WSGI, "multipart"]),
    "go": ("Go net/http", [os.path.join(BUILDDIR, "t/diff/nethttp")]),
    "rack": ("Rack", ["ruby", os.path.join(HERE, "rack.rb")]),
    "php": ("PHP", [PYTHON, os.path.join(HERE, "php.py")]),
    "cgipm": ("CGI.pm", ["perl", os.path.join(HERE, "cgipm.pl")]),
    "busboy": ("busboy", ["node", NODE, "busboy"]),
    "multiparty": ("multiparty", ["node", NODE, "multiparty"]),
    "formidable": ("formidable", ["node", NODE, "formidable"]),
}


Missing = npm.Missing  # a reader, or what it is made with, is not installed


class Gone(Exception):
    """A reader crashed, or did not answer."""


def record(flags, ctype, body):
    ctype = ctype.encode("latin-1")
    return struct.pack(">III", flags, len(ctype), len(body)) + ctype + body


def prepare():
    """Builds the Go reader and has npm fill a directory, once for each build tree."""
    work = os.path.join(BUILDDIR, "t/diff")
    os.makedirs(work, exist_ok=True)
    env = dict(os.environ, GO111MODULE="off", GOPROXY="off", GOFLAGS="", GOCACHE=os.path.join(work, "go-cache"), CGO_ENABLED="0")
    try:
        npm.install("diff")
        if not os.path.exists(os.path.join(work, "nethttp")):
            subprocess.run(["go", "build", "-o", os.path.join(work, "nethttp"), os.path.join(HERE, "nethttp.go")],
                           cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=True)
    except subprocess.CalledProcessError as why:
        raise Missing("go build: %s" % why.stdout[-2000:]) from why
    except OSError as why:
        raise Missing("go: %s" % why) from why


class Reader:
    def __init__(self, name, shown, argv, scratch=None):
        self.name, self.shown = name, shown
        env = dict(os.environ, NODE_MODULES=os.path.join(BUILDDIR, "t/diff"), PYTHONDONTWRITEBYTECODE="1", TMPDIR=scratch or "/tmp")
        try:
            self.proc = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        except OSError as why:
            raise Missing("%s: %s" % (name, why)) from why
        for pipe in (self.proc.stdin, self.proc.stdout):
            try:
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
            except OSError:
                pass  # an ordinary user may be over his limit: slower, not wrong
        self.buffer = b""
        self.version = None
        if scratch:  # the guard greets nobody
            try:
                self.version = self._lines(1)[0]["reader"]
            except (Gone, KeyError) as why:
                raise Missing("%s does not start: %s" % (name, why)) from why

    def _lines(self, n):
        lines = []
        while len(lines) < n:
            head, mark, rest = self.buffer.partition(b"\n")
            if mark:
                lines.append(json.loads(head))
                self.buffer = rest
                continue
            if not select.select([self.proc.stdout], [], [], PATIENCE)[0]:
                raise Gone("%s: no answer in %d s, after %d of %d" % (self.name, PATIENCE, len(lines), n))
            more = os.read(self.proc.stdout.fileno(), PIPE)
            if not more:
                raise Gone("%s: ended after %d of %d" % (self.name, len(lines), n))
            self.buffer += more
        return lines

    def _write(self, data):
        try:
            self.proc.stdin.write(data)
            self.proc.stdin.flush()
        except OSError:
            pass  # the reading side says what happened

    def ask(self, records):
        """What it says to each record, in order."""
        writer = threading.Thread(target=self._write, args=(b"".join(records),))
        writer.start()
        try:
            return self._lines(len(records))
        except Gone:
            self.proc.kill()
            raise
        finally:
            writer.join()

    def stop(self):
        try:
            self.proc.stdin.close()
        except OSError:
            pass
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.proc.stdout.close()


class Crew:
    """The guard and all readers, or those with these names ([]: the guard alone, nothing is built for it)."""

    def __init__(self, names=None, guard=True):
        unknown = set(names or ()) - set(READERS)
        if unknown:
            raise Missing("no reader is called " + ", ".join(sorted(unknown)))
        os.makedirs(os.path.join(BUILDDIR, "t/diff"), exist_ok=True)
        if names != []:
            prepare()
        self.readers, self.guard = [], None
        self.scratch = tempfile.mkdtemp(prefix="tmp-", dir=os.path.join(BUILDDIR, "t/diff"))  # for uploaded files
        try:
            if guard:
                self.guard = Reader("form_tool", "the guard", [os.path.join(BUILDDIR, "t/unit/form_tool")])
            for name, (shown, argv) in READERS.items():
                if names is None or name in names:
                    self.readers.append(Reader(name, shown, argv, self.scratch))
        except Missing:
            self.stop()
            raise

    def stop(self):
        for reader in self.readers + ([self.guard] if self.guard else []):
            reader.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)
