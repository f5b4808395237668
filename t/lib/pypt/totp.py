"""totp.py - codes as an authenticator shows them: RFC 6238, SHA-1, six digits, 30 seconds."""

import base64
import hashlib
import hmac
import struct
import time


def code(secret, step=0, now=None):
    """The code of so many steps from now. secret: base32, as an otpauth: URI has it."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    counter = struct.pack(">Q", int(time.time() if now is None else now) // 30 + step)
    mac = hmac.new(key, counter, hashlib.sha1).digest()
    at = mac[19] & 15
    return "%06d" % ((struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff) % 1000000)
