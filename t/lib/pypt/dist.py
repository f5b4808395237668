"""dist.py - tiny but real sdists and wheels, and the upload forms that carry them."""

import base64
import gzip
import hashlib
import io
import os
import re
import tarfile
import zipfile

BOUNDARY = "d74496d66958873e2f5c6a0b1c9e8f70"

METADATA = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: A tiny package\n%s\n"
SETUP = "from setuptools import setup\nsetup(name=%r, version=%r, py_modules=[%r]%s)\n"


def norm(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def module(name):
    return re.sub(r"[-_.]+", "_", name).lower()


class Dist:
    def __init__(self, name, version, filename, data, filetype, pyversion, requires=None):
        self.requires = requires
        self.name, self.version, self.filename, self.data = name, version, filename, data
        self.filetype, self.pyversion = filetype, pyversion

    @property
    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()

    def save(self, directory):
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, self.filename)
        with open(path, "wb") as f:
            f.write(self.data)
        return path

    def fields(self, **changes):
        """The form's fields in twine's order. A change to None leaves a field out; others that are
        not there are added before content. Python names: action is :action."""
        fields = [("name", self.name), ("version", self.version), ("filetype", self.filetype),
                  ("pyversion", self.pyversion), ("metadata_version", "2.1"),
                  ("summary", "A tiny package"), ("md5_digest", hashlib.md5(self.data).hexdigest()),
                  ("sha256_digest", self.sha256),
                  ("blake2_256_digest", hashlib.blake2b(self.data, digest_size=32).hexdigest()),
                  ("requires_python", self.requires), (":action", "file_upload"), ("protocol_version", "1")]
        changes = {":action" if k == "action" else k: v for k, v in changes.items()}
        out = [(k, changes.pop(k, v)) for k, v in fields]
        filename = changes.pop("filename", self.filename)
        data = changes.pop("content", self.data)
        out += changes.items()
        out.append(("content", data, filename, "application/octet-stream"))
        return [field for field in out if field[1] is not None]

    def form(self, **changes):
        return form(self.fields(**changes))


def form(fields, boundary=BOUNDARY):
    """The body of a form. A field is (name, value) or (name, value, filename, type or None)."""
    out = []
    for field in fields:
        value = field[1] if isinstance(field[1], bytes) else str(field[1]).encode()
        head = 'Content-Disposition: form-data; name="%s"' % field[0]
        if len(field) > 2:
            head += '; filename="%s"' % field[2]
            if field[3]:
                head += "\r\nContent-Type: " + field[3]
        out.append(("--%s\r\n%s\r\n\r\n" % (boundary, head)).encode() + value + b"\r\n")
    return b"".join(out) + ("--%s--\r\n" % boundary).encode()


def form_type(boundary=BOUNDARY):
    return ("Content-Type", "multipart/form-data; boundary=" + boundary)


def sdist(name, version="1.0", salt="", padding=0, requires=None):
    """salt makes other bytes under the same name; padding makes them many."""
    stem = "%s-%s" % (module(name), version)
    more = ", python_requires=%r" % requires if requires else ""
    meta = METADATA % (name, version, "Requires-Python: %s\n" % requires if requires else "")
    files = {"PKG-INFO": meta, "setup.py": SETUP % (name, version, module(name), more),
             module(name) + ".py": "VERSION = %r\nSALT = %r\n" % (version, salt)}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path in sorted(files):
            _add(tar, stem + "/" + path, files[path].encode())
        if padding:
            _add(tar, stem + "/padding", os.urandom(padding))
    # no time of day in it: the same arguments make the same bytes
    data = gzip.compress(raw.getvalue(), 0 if padding else 6, mtime=1500000000)
    return Dist(name, version, stem + ".tar.gz", data, "sdist", "source", requires)


def _add(tar, path, data):
    info = tarfile.TarInfo(path)
    info.size, info.mtime, info.mode = len(data), 1500000000, 0o644
    tar.addfile(info, io.BytesIO(data))


def wheel(name, version="1.0", salt="", requires=None):
    stem = "%s-%s" % (module(name), version)
    info = stem + ".dist-info/"
    meta = METADATA % (name, version, "Requires-Python: %s\n" % requires if requires else "")
    files = {module(name) + ".py": "VERSION = %r\nSALT = %r\n" % (version, salt),
             info + "METADATA": meta,
             info + "WHEEL": "Wheel-Version: 1.0\nGenerator: pypt\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    record = ""
    for path, text in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (path, digest, len(text.encode()))
    files[info + "RECORD"] = record + info + "RECORD,,\n"
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), files[path])
    return Dist(name, version, stem + "-py3-none-any.whl", raw.getvalue(), "bdist_wheel", "py3", requires)
