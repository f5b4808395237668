"""mutate.py - bodies for the differential test: number k of seed s is always the same one.

Three kinds in turn, by chance: a form built from nothing in one of very many spellings that the grammar
allows; such a form, or a recorded request, spoiled in a few places by what somebody would try who wants
two readers to disagree; a case of the hostile corpus, altered once more.
"""
import os
import random
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../hostile"))

import corpus  # noqa: E402

CAPTURES = os.path.join(HERE, "../data/captures")
EDGES = (4096, 5120, 8192, 10240, 16384, 20480, 65536)  # where readers' buffers end
LARGE = 16384                # recorded bodies above this are rare guests
LEGACY, CUT_ALL, CUT = 1, 2, 4  # flags of t/unit/form_tool.c

NAMES = ["aaa", "AAA", "a", "A1", "0", "aaa.bbb", "aaa_bbb", "aaa-bbb", "A.b-C_d", "zope.interface", "aaa--bbb", "aaa-._bbb",
         "x" * 60, "aaa1", "1aaa", "aaa-1", "aaa_1.0", "e", "name", "content", "py3", "aaa-py3.9", "con", "nul"]
VERSIONS = ["1.0", "0", "1", "1.0.0", "2024.1", "1!2.0", "0!1.0", "1.0+local", "1.0+abc.1", "1.0+a-b_c", "1.0a1", "1.0.A1",
            "1.0-alpha-1", "1.0rc1", "1.0.RC1", "1.0c1", "1.0.post1", "1.0-1", "1.0r2", "1.0.dev0", "1.0dev", "1.0-DEV_3",
            "1.0a1.post2.dev3+x.y", "00001.02", "1.0.post", "1.0preview2", "12345678901234567890", "1.0+1", "1e1", "1.0b", "1_1"]
TYPES = ["application/octet-stream", "application/gzip", "application/zip", "application/x-gzip", "application/x-tar", "text/plain",
         "application/x-www-form-urlencoded", "text/html", "text/xml", "application/json", "image/svg+xml", "APPLICATION/OCTET-STREAM",
         "Text/Plain", "application/x-php", "a/b", "0/0", "x-a.b+c/!#$&^_.+-", "application/multipart", "multipart-x/form-data",
         "application/http", "text/x-python", "binary/octet-stream", "octet/stream", "application/x-macbinary",
         "application/vnd.ms-excel", "text/rfc822-headers", "application/x-httpd-php", "content/unknown", "application/mixed",
         "application/pgp-signature", "application/form-data", "application/X-WWW-Form-Urlencoded"]
EXTRA = ["summary", "description", "author", "author_email", "license", "keywords", "classifiers", "requires_dist", "home_page",
         "platform", "project_urls", "provides", "obsoletes", "comment", "maintainer", "download_url", "protcol_version",
         "attestations", "description_content_type", "dynamic", "license_file", "import_name", "x", "a1", ":x", "filename",
         "file", "files", "content_type", "names", "name1", "name_", "versions", "action", "content1", "length", "constructor",
         "tostring", "submit", "key", "0", "1", "true", "null", "keys", "get", "hasownproperty", "__proto__".strip("_")]
SPELLED = 0.004              # of the headers that the guard wants spelled in one way are spelled in another
WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def header(request):
    head, _, body = request.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)\ncontent-type: ([^\r\n]*)", head)
    return (found.group(1).decode("latin-1") if found else ""), body


def dechunk(request):
    """The body of a request, without its chunks if it was sent in such."""
    ctype, body = header(request)
    if not re.search(rb"(?i)\ntransfer-encoding: chunked", request[:4000].split(b"\r\n\r\n")[0]):
        return ctype, body
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        n = int(size.split(b";")[0], 16)
        whole, body = whole + body[:n], body[n + 2:]
        if n == 0:
            break
    return ctype, whole


def captures():
    for name in sorted(os.listdir(CAPTURES)):
        with open(os.path.join(CAPTURES, name), "rb") as f:
            ctype, body = dechunk(f.read())
        if "multipart" in ctype:
            yield name, ctype, body


class Maker:
    def __init__(self, seed):
        self.seed = seed
        self.recorded = [(c, b) for _, c, b in captures()]
        self.small = [x for x in self.recorded if len(x[1]) <= LARGE]
        self.hostile = [(c.head_type() or "", c.body) for c in corpus.cases() if not c.http_only and len(c.body) <= LARGE]

    def cut(self, k):
        """The same, to be cut in two at every byte."""
        flags, ctype, body = self.make(k)
        return flags | CUT_ALL, ctype, body[:2500]

    def make(self, k):
        """(flags, Content-Type, body) of body number k."""
        r = self.rng = random.Random(self.seed << 40 | k)
        kind = r.random()
        if kind < 0.04:
            ctype, body = self.form()
        elif kind < 0.55:
            ctype, body = self.form() if r.random() < 0.6 else self.capture()
            ctype, body = self.spoil(ctype, body, r.choice((1, 1, 1, 2, 3)))
        elif kind < 0.62:
            ctype, body = self.lines(*(self.form() if r.random() < 0.5 else self.capture()))
        else:
            ctype, body = r.choice(self.hostile)
            ctype, body = self.spoil(ctype, body, r.choice((0, 1, 1, 2)))
        flags = (r.random() < 0.3) * LEGACY | (k % 3 == 0) * CUT | (len(body) <= 2048 and k % 64 == 0) * CUT_ALL
        return flags, ctype, body

    def capture(self):
        return self.rng.choice(self.recorded if self.rng.random() < 0.002 else self.small)

    # ---- forms that are right ----

    def boundary(self):
        r = self.rng
        kind = r.random()
        if kind < 0.5:
            return "".join(r.choices("0123456789abcdef", k=32))
        if kind < 0.6:
            return "-" * r.randint(1, 30) + "".join(r.choices(WORD, k=r.randint(0, 20)))
        if kind < 0.7:
            return r.choice(["-", "--", "a", "0", "_", "B", "--B", "B-", "B--", "-B-", "x" * 70, "-" * 70, "--------X", "name", "content",
                             "Content-Disposition", "form-data", "boundary", "filename", "1-1-1", "a" * 35 + "b" * 35])
        return "".join(r.choices(WORD, k=r.randint(1, 70)))

    def names(self):
        """A project, a version, a file name that fits both."""
        r = self.rng
        name = r.choice(NAMES) if r.random() < 0.7 else self.word("aAbB09._-", 1, 12).strip("._-") or "a"
        version = r.choice(VERSIONS)
        part = r.choice([name, name.lower(), re.sub(r"[-_.]+", "_", name).lower(), re.sub(r"[-_.]+", "_", name), name.replace("-", "."), name])
        spelled = version if r.random() < 0.6 else version.replace("-", r.choice("._"))
        if r.random() < 0.4:
            tail = r.choice(["py3-none-any", "py2.py3-none-any", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "1-py3-none-any",
                             "2024a-cp39-abi3-win_amd64", "py3-none-macosx_11_0_universal2"])
            return name, version, "%s-%s-%s.whl" % (part, spelled, tail)
        return name, version, "%s-%s%s" % (part, spelled, r.choice([".tar.gz", ".tar.gz", ".tar.gz", ".zip", ".tar.bz2"]))

    def word(self, chars, least, most):
        return "".join(self.rng.choices(chars, k=self.rng.randint(least, most)))

    def data(self, dash, text):
        """Field values and file contents that come near a delimiter without being one."""
        r = self.rng
        pieces = [b"\r\n", b"\n", b"\r", b"\r\n--", b"--", b"-", b"\r\n" + dash[:-1], dash[1:], dash[:-1], b"\r\n-" + dash[2:], b"\0", b"x",
                  b"\r\r\n", b"\n\r", b"\x0b\x0c", b"\xc2\x85", b"\xe2\x80\xa8", b"=\r\n", b"YmJi", b"=62", b"+AGI-", b" ", b"\t",
                  b"Content-Disposition: form-data; name=\"name\"\r\n\r\nbbb", b"\r\n\r\n", b"a=b&name=bbb", b"\xef\xbb\xbf", b"%00", b"&#98;",
                  b"--" + dash[3:], dash[:2] + dash[2:].swapcase() if dash[2:].swapcase() != dash[2:] else b"z", b"\x1a", b"\x1f\x8b\x08\0",
                  "\u00e9\u4e2d\U0001f600".encode()]
        pieces += [] if text else [b"\xff", b"\xfe\xff", bytes(r.choices(range(256), k=r.randint(1, 40)))]
        value = b"".join(r.choices(pieces, k=r.randint(0, 8)))
        if r.random() < 0.01:
            value += b"\r\n" * r.randint(1, 3000)
        while dash in value:
            value = value.replace(dash, b"")
        return value

    def spelled(self, word):
        r = self.rng
        return word if r.random() > SPELLED else r.choice([word.lower(), word.upper(), word.capitalize(), word.swapcase()])

    def part(self, dash, name, value, filename=None):
        r = self.rng
        head = '%s: %s; %s="%s"' % (self.spelled("Content-Disposition"), self.spelled("form-data"), self.spelled("name"), name)
        if filename is not None:
            head += '%s%s="%s"' % ("; " if r.random() < 0.95 else ";", self.spelled("filename"), filename)
        if filename is not None and r.random() < 0.03:
            # a type that holds the boundary, or one that brings the head to the edge of its 1000 bytes
            odd = dash.decode() if r.random() < 0.3 else "b" * (r.choice((700, 990, 1000, 1001, 1024, 1500)) - len(head))
            head += "\r\nContent-Type: a/%s" % odd
        elif r.random() < (0.8 if filename is not None else 0.003):
            ctype = r.choice(TYPES) if filename is not None else r.choice(["text/plain", "text/plain; charset=utf-8", "Text/PLAIN; charset=UTF-8"])
            head += "\r\n%s: %s" % (self.spelled("Content-Type"), ctype)
        return head.encode("latin-1") + b"\r\n\r\n" + (value if isinstance(value, bytes) else value.encode())

    def edge(self, dash, before):
        """A file that brings its own end, or a crowd of near delimiters, to the edge of somebody's buffer.
        before: how many bytes stand in front of it."""
        r = self.rng
        edge = r.choice(EDGES[:-1] if r.random() < 0.9 else EDGES)
        if r.random() < 0.5:
            return b"x" * max(1, edge - before - r.randint(-4, len(dash) + 8))
        near = b"\r\n" + dash[:-1]
        crowd = near * (1 + 600 // len(near))
        return b"x" * max(1, edge - before - r.randint(0, len(crowd))) + crowd

    def form(self):
        r = self.rng
        boundary = self.boundary()
        dash = b"--" + boundary.encode()
        name, version, filename = self.names()
        content = self.data(dash, False) or b"\0"
        parts = [self.part(dash, ":action", "file_upload"), self.part(dash, "name", name), self.part(dash, "version", version)]
        for field, values in (("protocol_version", ["1"]), ("filetype", ["sdist", "bdist_wheel"]), ("metadata_version", ["2.1", "", "1.0"]),
                              ("pyversion", ["", "source", "py3"]), ("requires_python", [">=3.6", "", ">=3,<4"]),
                              ("md5_digest", ["00", "d41d8cd98f00b204e9800998ecf8427e"]), ("sha256_digest", ["0" * 64])):
            if r.random() < 0.5:
                parts.append(self.part(dash, field, r.choice(values)))
        for _ in range(r.choice((0, 0, 1, 2, 3, 8)) if r.random() < 0.995 else r.randint(50, 600)):
            parts.append(self.part(dash, r.choice(EXTRA), self.data(dash, True)))
        signed = r.random()
        if signed < 0.06:
            parts.append(self.part(dash, "gpg_signature", self.data(dash, False), filename + ".asc"))
        elif signed < 0.09:
            parts += [self.part(dash, "gpg_signature", self.data(dash, True))] * 2
        if r.random() < 0.5:
            r.shuffle(parts)
        at = len(parts) if r.random() < 0.6 else r.randint(0, len(parts))
        if r.random() < 0.06:
            content = self.edge(dash, sum(len(p) + len(dash) + 4 for p in parts[:at]) + len(dash) + 110 + len(filename))
        parts.insert(at, self.part(dash, "content", content, filename))
        body = b"\r\n" * (r.random() < 0.2) + b"".join(dash + b"\r\n" + p + b"\r\n" for p in parts) + dash + b"--" + b"\r\n" * (r.random() < 0.8)
        quote = '"' if r.random() < 0.15 else ""
        return "multipart/form-data;%sboundary=%s%s%s" % (" " * (r.random() < 0.9), quote, boundary, quote), body

    # ---- and what is done to them ----

    def tokens(self, dash):
        cd = b'Content-Disposition: form-data; name="name"'
        return [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b"\x85", b"\xa0", b"-", b"--", b'"', b"'", b"\\", b'\\"', b";", b"; ",
                b":", b",", b"=", b"*", b"%", b"&", b"[", b"]", b"(x)", b"\xff", b"\xc3\xa9", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\x7f", b"\x1b",
                b"\r\n" + dash + b"\r\n", b"\r\n" + dash + b"--\r\n", b"\n" + dash + b"\r\n", b"\r" + dash + b"\r\n", b"\r\n" + dash + b" \r\n",
                b"\r\n" + dash + b"\n", b"\r\n" + dash, dash, dash + b"\r\n", dash + b"--", b"\r\n" + dash[:-1] + b"\r\n", b"\r\n-" + dash + b"\r\n",
                b"\r\n" + dash + b"x\r\n", b"\r\n" + dash + b"\r\n" + cd + b"\r\n\r\nbbb", b"\n" + dash + b"\n" + cd + b"\n\nbbb\n",
                b"\r\n" + dash + b"\r\n" + cd + b"\r\n\r\nbbb\r\n" + dash + b"\r\n", cd, b"\r\n" + cd, cd + b"\r\n",
                b'; filename="bbb-1.0.tar.gz"', b"; filename*=utf-8''bbb-1.0.tar.gz", b"; name*=utf-8''name", b'; name="name"', b"; filename=x",
                b'; filename=""', b"; filename", b"; charset=utf-8", b"; charset=utf-7", b"\r\nContent-Type: text/plain; charset=utf-16le",
                b"\r\nContent-Type: text/plain", b"\r\nContent-Type: application/x-www-form-urlencoded", b"\r\nContent-Type: multipart/mixed; boundary=x",
                b"\r\nContent-Transfer-Encoding: base64", b"\r\nContent-Transfer-Encoding: quoted-printable", b"\r\nContent-Length: 3", b"\r\nX: y",
                b"\r\n x", b"\r\n\tx", b"remove_pkg", b"bbb", b"bbb-1.0.tar.gz", b"name", b":action", b"content", b"version", b"form-data", b"attachment"]

    def spot(self, body):
        """A place in the body: anywhere, where structure is, or in a value."""
        r = self.rng
        where = r.random()
        if where < 0.3 or not body:
            return r.randint(0, len(body))
        if where < 0.6:
            ends = [m.end() for m in re.finditer(rb"\r\n\r\n", body[:LARGE])] or [0]
            return min(len(body), r.choice(ends) + r.randint(0, 30))
        mark = r.choice((b"\r\n", b"\r\n\r\n", b'"', b"--", b"name=", b"filename=", b"; ", b": ", b"form-data"))
        found = [m.start() for m in re.finditer(re.escape(mark), body[:LARGE])]
        if not found:
            return r.randint(0, len(body))
        return min(len(body), r.choice(found) + r.choice((0, len(mark), 1)))

    def spoil(self, ctype, body, times):
        r = self.rng
        found = re.search(r'boundary="?([^";, ]+)', ctype)
        dash = b"--" + (found.group(1).encode("latin-1") if found else b"x")
        tokens = self.tokens(dash)
        for _ in range(times):
            what, at = r.random(), self.spot(body)
            if what < 0.45:
                body = body[:at] + r.choice(tokens) + body[at:]
            elif what < 0.6:
                body = body[:at] + body[at + r.choice((1, 1, 1, 2, 4, 30)):]
            elif what < 0.7:
                new = bytes([r.randrange(256)]) if r.random() < 0.5 else r.choice(tokens)
                body = body[:at] + new + body[at + len(new):]
            elif what < 0.78:
                n, to = r.randint(1, 300), self.spot(body)
                body = body[:to] + body[at:at + n] + body[to:]
            elif what < 0.84:
                body = body[:at] + body[at:at + 40].swapcase() + body[at + 40:]
            elif what < 0.9:
                body = self.parts(body, dash)
            else:
                ctype, body = self.retype(ctype, body, found and found.group(1))
        return ctype, body

    def parts(self, body, dash):
        """Whole parts moved, doubled, left out."""
        r = self.rng
        mark = b"\r\n" + dash + b"\r\n"
        parts = body.split(mark)
        if len(parts) < 3:
            return body
        i, j = r.randrange(1, len(parts)), r.randrange(1, len(parts))
        what = r.random()
        if what < 0.4 and i < len(parts) - 1 and j < len(parts) - 1:
            parts[i], parts[j] = parts[j], parts[i]
        elif what < 0.7:
            parts.insert(j, parts[i] if i < len(parts) - 1 else parts[1])
        elif i < len(parts) - 1:
            del parts[i]
        return mark.join(parts)

    def retype(self, ctype, body, boundary):
        """Another Content-Type, or another boundary in all the places, or in nearly all."""
        r = self.rng
        boundary = boundary or "x"
        what = r.random()
        if what < 0.4:
            new = self.boundary()
            return ctype.replace(boundary, new), body.replace(b"--" + boundary.encode("latin-1"), b"--" + new.encode(), r.choice((-1, -1, 3)))
        spellings = ['multipart/form-data; boundary="%s"', "multipart/form-data;boundary=%s", "multipart/form-data; boundary=%s;", "Multipart/Form-Data; boundary=%s",
                     "multipart/form-data; charset=utf-8; boundary=%s", "multipart/form-data; boundary=%s; charset=utf-8", "multipart/form-data; Boundary=%s",
                     "multipart/form-data; boundary=%s ", "multipart/form-data; boundary=x; boundary=%s", "multipart/form-data; boundary=%s, x", "multipart/form-data;\tboundary=%s",
                     'multipart/form-data; boundary=%s"', "multipart/form-data; boundary='%s'", "multipart/form-data;  boundary=%s", "multipart/form-data ; boundary=%s",
                     "multipart/mixed; boundary=%s", 'multipart/form-data; boundary="%s" ', 'multipart/form-data;boundary="%s"']
        if what < 0.85:
            return r.choice(spellings) % boundary, body
        at = r.randint(0, len(ctype))
        return ctype[:at] + r.choice(list('";,=* \t\\-_aZ9') + ["\xe9", ""]) + ctype[at + r.randint(0, 1):], body

    def lines(self, ctype, body):
        """Line ends changed: everywhere, or here and there."""
        r = self.rng
        new = r.choice((b"\n", b"\r", b"\n\r", b"\r\r\n", b"\r\n\n", b"\r\n ", b"\0\n"))
        if r.random() < 0.3:
            return ctype, body.replace(b"\r\n", new)
        pieces = body.split(b"\r\n")
        at = {r.randrange(len(pieces)) for _ in range(r.choice((1, 1, 2)))}
        out = b"".join(p + (new if i in at else b"\r\n") for i, p in enumerate(pieces[:-1]))
        return ctype, out + pieces[-1]
