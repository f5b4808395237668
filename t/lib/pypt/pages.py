"""pages.py - a browser of few words: keeps cookies, finds a form's fields, sends forms."""

import re
import urllib.parse

from . import wire

FORM = ("Content-Type", "application/x-www-form-urlencoded")


def at(path, *lines):
    """A Location of the pages for people, for Site.start(more=...)."""
    return "".join(line + "\n" for line in ('<Location "%s">' % path, "    SetHandler pypitoken-manage", *("    " + x for x in lines),
                                            "    Require all granted", "</Location>"))


class Browser:
    def __init__(self, site, port=None, cafile=None):
        self.port, self.cafile = port or site.httpd.port, cafile
        self.cookies, self.more, self.text = {}, [], ""

    def request(self, method, path, headers=(), body=None, user=None, cookies=True):
        headers = [*self.more, *headers]
        if cookies and self.cookies:
            headers.append(("Cookie", "; ".join("%s=%s" % pair for pair in self.cookies.items())))
        host = {"host": "localhost"} if self.cafile else {}
        r = wire.once(self.port, method, path, headers, body, user, cafile=self.cafile, **host)
        for name, value in r.headers:
            if name.lower() == "set-cookie":
                key, content = value.split(";")[0].split("=", 1)
                self.cookies.pop(key, None)
                if content:
                    self.cookies[key] = content
        self.text = r.text
        return r

    def get(self, path, headers=(), user=None):
        return self.request("GET", path, headers, None, user)

    def field(self, name):
        """The value of a hidden field on the page that was read last."""
        found = re.search('name="%s" value="([^"]*)"' % re.escape(name), self.text)
        return found.group(1) if found else ""

    def send(self, path, fields, headers=(), user=None, cookies=True):
        return self.request("POST", path, [FORM, *headers], urllib.parse.urlencode(fields, doseq=True).encode(), user, cookies)

    def post(self, path, page, **fields):
        """Reads page and sends the form on it."""
        self.get(page)
        return self.send(path, dict(fields, csrf=self.field("csrf")))

    def sign_in(self, user, password, mount="/account/", code=""):
        return self.post(mount + "sign-in", mount + "sign-in", user=user, password=password, code=code)
