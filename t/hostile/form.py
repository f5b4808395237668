"""form.py - what the cases are made with: a case, an ordinary upload of "aaa", and ways to spoil it."""
from dataclasses import dataclass, field

BOUNDARY = "BOUND9f3c2a"
TYPE = "multipart/form-data; boundary=" + BOUNDARY
FILE = b"FILEDATA of aaa 1.0\r\nwith lines\n\x00\xff"
DASH = b"--" + BOUNDARY.encode()
CD = "Content-Disposition: form-data; "
NAME, VERSION, CONTENT = 2, 3, 6  # their places in fields()


@dataclass
class Case:
    id: str
    klass: str
    what: str
    verdict: str                     # the word; "allowed" for the harmless ones; "httpd-400": not ours to refuse
    body: bytes = b""
    method: str = "POST"
    path: str = None                 # None: the upload URL itself; else see throw.target
    query: str = None
    headers: list = field(default_factory=list)  # (name, value); Content-Type included
    http_only: bool = False          # says nothing about the body
    framing: str = "length"          # length, none, chunked; raw: the body as it is, without a header for it
    protocol: str = "HTTP/1.1"

    def head_type(self):
        for name, value in self.headers:
            if name.lower() == "content-type":
                return value
        return None

    def fits(self, status, word):
        """Whether the status (text) and the word in the log are what this case must get."""
        return status == self.verdict[6:] if self.verdict.startswith("httpd-") else word == self.verdict


def form(cid, klass, what, verdict, body, ctype=TYPE):
    """A case that is all in its body and Content-Type."""
    return Case(cid, klass, what, verdict, body, headers=[] if ctype is None else [("Content-Type", ctype)])


def part(name, value=b"", filename=None, ctype=None, head=None, eol=b"\r\n"):
    """The bytes of a part from its first header to its last data byte, no delimiters."""
    if isinstance(value, str):
        value = value.encode()
    if head is None:
        head = 'Content-Disposition: form-data; name="%s"' % name
        if filename is not None:
            head += '; filename="%s"' % filename
    if isinstance(head, str):
        head = head.encode("latin-1")
    if ctype:
        head += eol + b"Content-Type: " + ctype.encode("latin-1")
    return head + eol + eol + value


def fields(name="aaa", version="1.0", filename=None, action="file_upload", content=FILE, filetype="sdist"):
    """The parts of an ordinary upload, in the order of twine."""
    if filename is None:
        filename = "%s-%s.tar.gz" % (name, version)
    return [
        part(":action", action),
        part("protocol_version", "1"),
        part("name", name),
        part("version", version),
        part("filetype", filetype),
        part("metadata_version", "2.1"),
        part("content", content, filename, "application/octet-stream"),
    ]


def join(parts, boundary=BOUNDARY, eol=b"\r\n", pre=b"", end=None):
    dash = b"--" + (boundary.encode("latin-1") if isinstance(boundary, str) else boundary)
    out = pre
    for p in parts:
        out += dash + eol + p + eol
    return out + (dash + b"--" + eol if end is None else end)


def body(extra=(), before=(), **kw):
    return join(list(before) + fields(**kw) + list(extra))


def splice(at, new):
    """An ordinary body with part number `at` replaced by the parts in `new`."""
    parts = fields()
    return join(parts[:at] + list(new) + parts[at + 1:])


BASE = body()


def raw(head, value=b"bbb"):
    """A part with the given header block (bytes or text, inner line ends included)."""
    return part(None, value, head=head)


def beside(head, value=b"bbb"):
    """An ordinary body with one more part before the name, whose head is the trick."""
    return splice(NAME, [raw(head, value), part("name", "aaa")])


def instead(head, value=b"bbb"):
    """An ordinary body in which the trick stands where the name was."""
    return splice(NAME, [raw(head, value)])


def file_head(tail, value=FILE):
    """An ordinary body whose file part is headed so."""
    return splice(CONTENT, [raw('Content-Disposition: form-data; name="content"; ' + tail, value)])


def smuggle(before, after=b"\r\n", value=b"bbb"):
    """A description whose text holds something that some reader takes for a delimiter, and a name behind it."""
    evil = b"x" + before + DASH + after + b'Content-Disposition: form-data; name="name"\r\n\r\n' + value
    return splice(NAME, [part("description", evil), part("name", "aaa")])


def smuggle_file(before, after=b"\r\n", head=b'name="content"; filename="bbb-1.0.tar.gz"', value=b"EVIL"):
    """The same in the file: a second file behind it, or another part."""
    evil = FILE + before + DASH + after + b"Content-Disposition: form-data; " + head + b"\r\n\r\n" + value
    return splice(CONTENT, [part("content", evil, "aaa-1.0.tar.gz", "application/octet-stream")])
