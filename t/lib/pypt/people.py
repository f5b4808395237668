"""people.py - second factors as people have them: an authenticator, by oathtool."""

import re
import subprocess
import urllib.parse

STEP = 30


def oathtool(*argv):
    return subprocess.run(["oathtool", *map(str, argv)], stdout=subprocess.PIPE, text=True, check=True).stdout.split()


class Authenticator:
    """What scanned an otpauth: URI."""

    def __init__(self, uri):
        self.uri = uri
        parts = urllib.parse.urlsplit(uri)
        self.label = urllib.parse.unquote(parts.path.lstrip("/"))
        self.says = dict(urllib.parse.parse_qsl(parts.query))

    def code(self, steps=0, at=None):
        """The code that is shown now (or at a Unix time), or that many steps later."""
        argv = ["--totp=" + self.says["algorithm"].lower(), "-b", "-d", self.says["digits"]]
        when = "now %+d seconds" % (STEP * steps) if at is None else "@%d" % (at + STEP * steps)
        return oathtool(*argv, "-N", when, self.says["secret"])[0]


def enroll(site, user, *options, confirm=True):
    """A second factor for the user, in force."""
    uri = site.ctl("totp", "enroll", user, *options).strip()
    site.secrets.add(re.search(r"secret=(\w+)", uri).group(1))
    own = Authenticator(uri)
    if confirm:
        site.ctl("totp", "confirm", user, text=own.code() + "\n")
    fresh(site)
    return own


def fresh(site):
    """As if no code had been used: the next one need not be waited for."""
    site.store.write(("UPDATE totp SET counter = 0", ()))


def recovery(site, user):
    codes = site.ctl("recovery-codes", user).split()
    site.secrets.update(codes)
    return codes
