"""An upload handler as a small Python index has it: bottle reads the form, the file goes to the disk, and its
SHA-256 is held against the form's. Nobody is asked who he is."""

import hashlib
import os

import bottle

PACKAGES = os.environ.get("BENCH_PACKAGES", "/nonexistent")


def upload():
    content, digest = bottle.request.files["content"], hashlib.sha256()
    target = os.path.join(PACKAGES, os.path.basename(content.raw_filename))
    with open(target + ".new", "wb") as f:
        for piece in iter(lambda: content.file.read(65536), b""):
            digest.update(piece)
            f.write(piece)
        f.flush()
        os.fsync(f.fileno())
    if digest.hexdigest() != bottle.request.forms["sha256_digest"]:
        os.unlink(target + ".new")
        bottle.abort(400, "digest")
    os.rename(target + ".new", target)
    return "ok\n"


application = bottle.Bottle()
application.route("/", "POST", upload)
