#!/usr/bin/env python3
"""restrict.py DIST... < TOKEN: prints a token for these files alone, once each, for ten minutes."""
import base64, hashlib, hmac, json, os, re, sys, time


def add(raw, caveat):
    """A macaroon ends with: end of caveats (0), signature (6, length 32, 32 bytes)."""
    text = json.dumps(caveat).encode()
    size = bytes([len(text) & 127 | 128, len(text) >> 7]) if len(text) > 127 else bytes([len(text)])
    signature = hmac.new(raw[-32:], text, hashlib.sha256).digest()
    return raw[:-35] + b"\x02" + size + text + b"\0\0\x06\x20" + signature


files = sys.argv[1:]
names = [os.path.basename(path) for path in files]
digests = [hashlib.sha256(open(path, "rb").read()).hexdigest() for path in files]
projects = {re.sub("[-_.]+", "-", name.split("-")[0]).lower() for name in names}
token = sys.stdin.read().strip()[len("pypi-"):]
raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
for caveat in ([1, sorted(projects)], [1007, names], [1002, digests], [1004, len(files)],
               [0, int(time.time()) + 600, int(time.time()) - 60]):
    raw = add(raw, caveat)
print("pypi-" + base64.urlsafe_b64encode(raw).decode().rstrip("="))
