"""token.py - tokens as a holder of one sees them: narrowed offline with pymacaroons, or damaged.

pymacaroons is an implementation of its own and serves as the judge of ours.
"""

import json
import os
import time
import uuid

import pymacaroons

PREFIX = "pypi-"


class Token:
    def __init__(self, text, site=None):
        self.text, self.site = text, site
        if site:
            site.secret(text)

    @property
    def id(self):
        return pymacaroons.Macaroon.deserialize(self.text[len(PREFIX):]).identifier_bytes.decode()

    @property
    def user(self):
        return ("__token__", self.text)

    def narrow(self, *caveats):
        """A new token with these caveats: JSON values, or bytes as they are."""
        macaroon = pymacaroons.Macaroon.deserialize(self.text[len(PREFIX):])
        for caveat in caveats:
            macaroon.add_first_party_caveat(caveat if isinstance(caveat, (str, bytes)) else json.dumps(caveat))
        return Token(PREFIX + macaroon.serialize(), self.site)

    def only(self, *projects):
        return self.narrow([1, list(projects)])

    def expired(self):
        now = int(time.time())
        return self.narrow([0, now - 10, now - 1000])

    def mistyped(self):
        """One letter of the signature is another one: well-formed, but not ours."""
        at = len(self.text) - 12
        return Token(self.text[:at] + ("A" if self.text[at] != "A" else "B") + self.text[at + 1:], self.site)


def forged():
    """Well-formed, with a new identifier and signed by nobody's key."""
    macaroon = pymacaroons.Macaroon(location="pypi.org", identifier=str(uuid.uuid4()), key=os.urandom(32),
                                    version=pymacaroons.MACAROON_V2)
    return Token(PREFIX + macaroon.serialize())
