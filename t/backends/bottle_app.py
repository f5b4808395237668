"""bottle_app.py - an index that decides as pypiserver does: a file belongs to the project that its
name is guessed to say, whatever the form says, and the upload URL also removes.

make(data, seen) is the WSGI application. It keeps its files in data/packages and adds a line to the
file seen for each POST it handles. GET list, list/PROJECT and file/NAME show what is there.
"""

import hashlib
import json
import os
import re

import bottle

ENDS = (".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".egg")
BUILDS = re.compile(r"(-py[23]\.\d-|\.win-amd64-py[23]\.\d\.|\.win32-py[23]\.\d\.)")
PLATFORMS = re.compile(r"[.-](?=cp\d|py\d|macosx|linux|sunos|solaris|irix|aix|cygwin|win)", re.I)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def guess_wheel(words):
    """The name ends before the first word that begins with a digit and leaves three more for the tags;
    a word with a digit behind the version is a build number."""
    for k in range(1, len(words) - 3):
        if words[k][:1].isdigit():
            build = [word for word in words[k + 1:k + 2] if word[:1].isdigit() and len(words) > k + 4]
            return "-".join(words[:k]), "-".join([words[k]] + build)
    return None


def guess(filename):
    """(project, version) that pypiserver makes of a file name, or None when it is no distribution."""
    if filename.endswith(".asc"):
        filename = filename[:-4]
    if filename.endswith(".whl"):
        return guess_wheel(filename[:-4].split("-"))
    cut = BUILDS.search(filename)
    end = next((end for end in ENDS if filename.lower().endswith(end)), None)
    if not cut and not end:
        return None
    stem = filename[:cut.start()] if cut else filename[:-len(end)]
    if "-" not in stem:
        return stem, ""
    if stem.count("-") == 1 or "." not in stem:
        name, _, version = stem.rpartition("-")
        return name, version
    # several dashes: up to the first that digits and one more character of a version follow
    start = re.search(r"-\d+[a-z_.!+]", stem, re.I)
    if not start:
        return stem, ""
    return stem[:start.start()], PLATFORMS.split(stem[start.start() + 1:])[0]


class Index:
    def __init__(self, data, seen):
        self.packages, self.seen = os.path.join(data, "packages"), seen

    def projects(self):
        """{project: {file name: sha256}}; a signature belongs to what it signs."""
        found = {}
        for name in sorted(os.listdir(self.packages)):
            guessed = guess(name)
            if guessed:
                with open(os.path.join(self.packages, name), "rb") as f:
                    found.setdefault(normal(guessed[0]), {})[name] = hashlib.sha256(f.read()).hexdigest()
        return found

    def did(self, what, project):
        line = {"case": bottle.request.headers.get("User-Agent", ""), "did": what, "project": project}
        with open(self.seen, "a") as f:
            f.write(json.dumps(line) + "\n")

    def post(self):
        action = bottle.request.forms.get(":action")
        handler = {"file_upload": self.upload, "remove_pkg": self.remove, "doc_upload": self.nothing,
                   "submit": self.nothing, "verify": self.nothing}.get(action, self.unknown)
        return handler()

    def unknown(self):
        self.did("unknown action", None)
        raise bottle.HTTPError(400, "Unsupported ':action' field")

    def nothing(self):
        self.did("nothing", None)
        return ""

    def remove(self):
        name, version = bottle.request.forms.get("name"), bottle.request.forms.get("version")
        if not name or not version:
            self.did("nothing", None)
            raise bottle.HTTPError(400, "Missing 'name' or 'version' fields")
        self.did("removed", normal(name))
        found = [f for f in os.listdir(self.packages)
                 if guess(f) and (normal(guess(f)[0]), guess(f)[1]) == (normal(name), version)]
        if not found:
            raise bottle.HTTPError(404, "no such package")
        for filename in found:
            os.unlink(os.path.join(self.packages, filename))
        return ""

    def upload(self):
        content = bottle.request.files.get("content")
        signature = bottle.request.files.get("gpg_signature")
        if content is None:
            self.did("nothing", None)
            raise bottle.HTTPError(400, "Missing 'content' file-field!")
        filename = content.raw_filename
        if not re.match(r"[a-z0-9_.!+-]+$", filename, re.I) or not guess(filename):
            self.did("nothing", None)
            raise bottle.HTTPError(400, "Bad filename")
        if signature and signature.raw_filename != filename + ".asc":
            self.did("nothing", None)
            raise bottle.HTTPError(400, "Unrelated signature")
        self.did("stored", normal(guess(filename)[0]))
        for part in (content, signature):
            if part:
                part.save(os.path.join(self.packages, part.raw_filename), overwrite=True)
        return ""


def make(data, seen):
    index, app = Index(data, seen), bottle.Bottle()
    app.route("/", "POST", index.post)
    app.route("/list", "GET", lambda: json.dumps(sorted(index.projects())))
    app.route("/list/<project>", "GET", lambda project: json.dumps(index.projects().get(project), sort_keys=True))
    app.route("/file/<name>", "GET",
              lambda name: bottle.static_file(name, index.packages, mimetype="application/octet-stream"))
    return app


def from_environment():
    return make(os.environ["PYPT_DATA"], os.environ["PYPT_SEEN"])
