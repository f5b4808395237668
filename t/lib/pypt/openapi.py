"""openapi.py - doc/openapi.json as a judge: every answer is held against it, and what was seen is counted."""

import json
import os
import re

import jsonschema

from . import SRCDIR, wire


def described():
    with open(os.path.join(SRCDIR, "doc/openapi.json"), encoding="utf-8") as f:
        return json.load(f)


class Api:
    """Calls below one mount point."""

    def __init__(self, tap, site, mount="/account"):
        self.tap, self.site, self.mount = tap, site, mount
        self.doc = described()
        self.seen = set()

    def where(self, method, path):
        """The path of the description that this one is of, and what it says of the method."""
        path = path.split("?")[0]
        for template in sorted(self.doc["paths"], key=lambda p: p.count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                return template, self.doc["paths"][template].get(method.lower())
        return None, None

    def fits(self, value, schema):
        """None, or why the value is not of the schema."""
        resolver = jsonschema.RefResolver("", self.doc)
        errors = list(jsonschema.Draft202012Validator(schema, resolver=resolver).iter_errors(value))
        return "\n".join("%s: %s" % (list(e.path), e.message) for e in errors) or None

    def wrong(self, method, path, r):
        """None, or how the answer differs from what is described."""
        template, operation = self.where(method, path)
        if r.header("Cache-Control") != "no-store":
            return "may be kept: %r" % r.header("Cache-Control")
        if not operation:  # an address or a method that is none
            return self.fits(r.json(), {"$ref": "#/components/schemas/Error"})
        self.seen.add((template, method, str(r.status)))
        said = operation["responses"].get(str(r.status))
        if not said:
            return "%d is not described" % r.status
        for name in said.get("headers", {}):
            if r.header(name) is None:
                return "no header " + name
        if "content" not in said:
            return "there is a body" if r.body else None
        if r.header("Content-Type") != "application/json":
            return "the type is %r" % r.header("Content-Type")
        return self.fits(r.json(), said["content"]["application/json"]["schema"])

    def call(self, method, path, user=None, body=None, headers=(), conn=None):
        """body: a value for JSON, or bytes as they are."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            if "content-type" not in [k.lower() for k, _ in headers]:
                headers = [*headers, ("Content-Type", "application/json")]
        ask = conn.request if conn else lambda *args: wire.once(self.site.httpd.port, *args)
        r = ask(method, self.mount + path, headers, body, user)
        wrong = self.wrong(method, path, r)
        if wrong:
            self.tap.ok(False, "%s %s: as described" % (method, path), "%s\n%r" % (wrong, r))
        return r

    def rest(self):
        """What is described and was not seen."""
        every = {(path, method.upper(), status) for path, methods in self.doc["paths"].items()
                 for method, operation in methods.items() for status in operation["responses"]}
        return sorted(every - self.seen)
