"""codehost.py - a code host that reports tokens: a key of its own, its public half as a file, signed reports."""

import base64
import json
import subprocess


class Host:
    """A code host with a key: openssl signs for it."""

    def __init__(self, s, name, prefix="GITHUB", curve="prime256v1"):
        self.s, self.name, self.prefix, self.key = s, name, prefix, s.path(name + ".pem")
        subprocess.run(["openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", self.key], check=True,
                       stderr=subprocess.DEVNULL)
        self.public = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout"], check=True, stdout=subprocess.PIPE).stdout.decode()
        self.id = name + "-key"

    def sign(self, body, digest="-sha256"):
        done = subprocess.run(["openssl", "dgst", digest, "-sign", self.key], input=body, stdout=subprocess.PIPE, check=True)
        return base64.b64encode(done.stdout).decode()

    def headers(self, body, **changes):
        pair = {"IDENTIFIER": self.id, "SIGNATURE": self.sign(body), **changes}
        return [("%s-PUBLIC-KEY-%s" % (self.prefix, k), v) for k, v in pair.items() if v is not None] + [("Content-Type", "application/json")]

    def row(self, **changes):
        return {"key_identifier": self.id, "key": self.public, "is_current": True, **changes}

    def file(self, *more, mode=0o644):
        return self.s.write(self.name + ".json", json.dumps({"public_keys": [self.row(), *more]}), mode)
