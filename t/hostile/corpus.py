#!/usr/bin/python3
"""The corpus of hostile uploads: every case a request and the verdict it must get.

A token for the project "aaa" sends each of these; "bbb" is the project that it must not reach.
Grouped by class; the letters and numbers follow the catalogue that the grammar was made from:
A request type and boundary, B delimiters, C part headers, names and values, D query, E what a file
is called, F other actions, H the HTTP layer, P paths, Z resources.

    corpus.py            a table of the cases
    corpus.py --write D  every case as one file D/<id>.bin

`cases()` gives Case objects: head lines and body are separate, so that a test can put its own
Authorization into them, send the body chunked, or feed it to a parser.
"""

import os
import sys
from dataclasses import dataclass, field

BOUNDARY = "BOUND9f3c2a"
TYPE = "multipart/form-data; boundary=" + BOUNDARY
FILE = b"FILEDATA of aaa 1.0\r\nwith lines\n\x00\xff"


@dataclass
class Case:
    id: str
    klass: str
    what: str
    verdict: str                     # the word; "allowed" for the harmless ones
    body: bytes = b""
    method: str = "POST"
    path: str = None                 # None: the upload URL itself
    query: str = None
    headers: list = field(default_factory=list)  # (name, value); Content-Type included
    http_only: bool = False          # says nothing about the body
    framing: str = "length"          # length, none, chunked
    accept: tuple = ()               # further verdicts or statuses that are as good

    def head_type(self):
        for name, value in self.headers:
            if name.lower() == "content-type":
                return value
        return None


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


def fields(name="aaa", version="1.0", filename=None, action="file_upload", content=FILE,
           filetype="sdist"):
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


def splice(at, new, parts=None):
    """An ordinary body with part number `at` replaced by the parts in `new`."""
    parts = fields() if parts is None else parts
    return join(parts[:at] + list(new) + parts[at + 1:])


NAME, VERSION, CONTENT = 2, 3, 6
BASE = body()
DASH = b"--" + BOUNDARY.encode()


def raw(head, value=b"bbb"):
    """A further part with the given header block (bytes or text, inner CRLFs included)."""
    return part(None, value, head=head)


def types():
    """A: the Content-Type of the request."""
    t = TYPE
    b = BOUNDARY
    two = join(fields(), "AAA") + join(fields(name="bbb"), "BBB")
    rows = [
        ("A01", "two boundaries, good first", "multipart/form-data; boundary=AAA; boundary=BBB", "boundary", two),
        ("A02", "two boundaries, evil first", "multipart/form-data; boundary=BBB; boundary=AAA", "boundary", two),
        ("A03", "boundary*0 and boundary*1", "multipart/form-data; boundary*0=BOUND; boundary*1=9f3c2a", "boundary", BASE),
        ("A04", "boundary*=", "multipart/form-data; boundary*=utf-8''" + b, "boundary", BASE),
        ("A05", "boundary and boundary*", "multipart/form-data; boundary=AAA; boundary*=utf-8''BBB", "boundary", two),
        ("A06", "boundary and boundary*0", "multipart/form-data; boundary=AAA; boundary*0=BBB", "boundary", two),
        ("A07", "quoted boundary", 'multipart/form-data; boundary="%s"' % b, "allowed", BASE),
        ("A08", "backslash in a quoted boundary", 'multipart/form-data; boundary="BO\\UND9f3c2a"', "boundary", BASE),
        ("A09", "single quotes", "multipart/form-data; boundary='%s'" % b, "boundary", BASE),
        ("A10b", "blank inside the quotes", 'multipart/form-data; boundary="%s "' % b, "boundary", BASE),
        ("A11", "blanks around =", "multipart/form-data; boundary = " + b, "boundary", BASE),
        ("A12", "comma in the boundary", "multipart/form-data; boundary=%s,x" % b, "boundary", BASE),
        ("A13", "quoted semicolon", 'multipart/form-data; boundary="%s;x"' % b, "boundary", BASE),
        ("A14", "quote without end", 'multipart/form-data; boundary="' + b, "boundary", BASE),
        ("A15", "BOUNDARY=", "multipart/form-data; BOUNDARY=" + b, "boundary", BASE),
        ("A16", "Multipart/Form-Data", "Multipart/Form-Data; boundary=" + b, "content-type", BASE),
        ("A23", "no blank before boundary", "multipart/form-data;boundary=" + b, "allowed", BASE),
        ("A17", "no boundary", "multipart/form-data", "boundary", BASE),
        ("A18", "empty boundary", "multipart/form-data; boundary=", "boundary", BASE),
        ("A18b", "empty quoted boundary", 'multipart/form-data; boundary=""', "boundary", BASE),
        ("A19", "71 characters", "multipart/form-data; boundary=" + "x" * 71, "boundary", join(fields(), "x" * 71)),
        ("A19b", "70 characters", "multipart/form-data; boundary=" + "x" * 70, "allowed", join(fields(), "x" * 70)),
        ("A20", "300 characters", "multipart/form-data; boundary=" + "x" * 300, "boundary", join(fields(), "x" * 300)),
        ("A21", "5200 characters", "multipart/form-data; boundary=" + "x" * 5200, "boundary", join(fields(), "x" * 5200)),
        ("A24", "no semicolon", "multipart/form-data boundary=" + b, "content-type", BASE),
        ("A25", "multipart/mixed", "multipart/mixed; boundary=" + b, "content-type", BASE),
        ("A26", "multipart/related", "multipart/related; boundary=" + b, "content-type", BASE),
        ("A27", "multipart/form-dataX", "multipart/form-dataX; boundary=" + b, "content-type", BASE),
        ("A28", "urlencoded type, multipart body", "application/x-www-form-urlencoded", "content-type", BASE),
        ("A29", "urlencoded", "application/x-www-form-urlencoded", "content-type", b":action=remove_pkg&name=bbb&version=1.0"),
        ("A29b", "text/plain", "text/plain", "content-type", b":action=remove_pkg&name=bbb&version=1.0"),
        ("A29c", "JSON that devpi takes for a push", "application/json", "content-type", b'{"name":"bbb","version":"1.0","targetindex":"root/prod"}'),
        ("A30", "two types joined, multipart first", t + ", application/x-www-form-urlencoded", "boundary", BASE),
        ("A31", "two types joined, urlencoded first", "application/x-www-form-urlencoded, " + t, "content-type", BASE),
        ("A32", "charset before the boundary", "multipart/form-data; charset=utf-8; boundary=" + b, "boundary", BASE),
        ("A33", "charset utf-16 after it", t + "; charset=utf-16le", "boundary", BASE),
        ("A34", "xboundary first", "multipart/form-data; xboundary=AAA; boundary=BBB", "boundary", two),
        ("A35", "boundary inside a quoted parameter", 'multipart/form-data; x="; boundary=AAA"; boundary=BBB', "boundary", two),
        ("A36", "8-bit byte", "multipart/form-data; boundary=BO\xe9UND", "boundary", join(fields(), b"BO\xe9UND")),
        ("A37", "blank inside", "multipart/form-data; boundary=BO UND", "boundary", join(fields(), "BO")),
        ("A38", "percent encoding", "multipart/form-data; boundary=BO%55ND", "boundary", join(fields(), "BO%55ND")),
        ("A39", "empty parameter", "multipart/form-data;; boundary=" + b, "boundary", BASE),
        ("A40", "semicolon at the end", t + ";", "boundary", BASE),
        ("A41", "junk parameter", t + "; foo", "boundary", BASE),
        ("A43", "comment", t + " (x)", "boundary", BASE),
        ("A44", "braces", "multipart/form-data; boundary=BO{}UND", "boundary", join(fields(), "BO{}UND")),
        ("A46", "boundary with a colon", "multipart/form-data; boundary=BO:UND", "boundary", join(fields(), "BO:UND")),
        ("A47", "boundary with a slash", "multipart/form-data; boundary=BO/UND", "boundary", join(fields(), "BO/UND")),
        ("A48", "boundary with a dot", "multipart/form-data; boundary=BO.UND", "boundary", join(fields(), "BO.UND")),
        ("A49", "boundary with a plus", "multipart/form-data; boundary=BO+UND", "boundary", join(fields(), "BO+UND")),
        ("A50", "no Content-Type", None, "content-type", BASE),
    ]
    for cid, what, ctype, verdict, data in rows:
        headers = [] if ctype is None else [("Content-Type", ctype)]
        yield Case(cid, "A", what, verdict, data, headers=headers)


def smuggle(before, after=b"\r\n", value=b"bbb"):
    """A description whose text holds something that some parser takes for a delimiter."""
    evil = b'x' + before + DASH + after + b'Content-Disposition: form-data; name="name"\r\n\r\n' + value
    return splice(NAME, [part("description", evil), part("name", "aaa")])


def smuggle_file(before, after=b"\r\n"):
    evil = (FILE + before + DASH + after + b'Content-Disposition: form-data; name="content"; '
            b'filename="bbb-1.0.tar.gz"\r\n\r\nEVIL')
    return splice(CONTENT, [part("content", evil, "aaa-1.0.tar.gz", "application/octet-stream")])


def framing():
    """B: delimiters and the shape of the body."""
    end = DASH + b"--\r\n"
    whole = join(fields(), end=b"")
    rows = [
        ("B00", "the ordinary body", "allowed", BASE),
        ("B01", "preamble", "form-start", b"This is a preamble\r\n" + BASE),
        ("B02", "preamble with a part in it", "form-start", b"\n" + DASH + b'\nContent-Disposition: form-data; name="name"\n\nbbb\n' + BASE),
        ("B03", "leading LF", "form-start", b"\n" + BASE),
        ("B03b", "leading CRLF as distutils sends it", "allowed", b"\r\n" + BASE),
        ("B03c", "leading CR", "form-start", b"\r" + BASE),
        ("B04", "two leading CRLF", "form-start", b"\r\n\r\n" + BASE),
        ("B05", "blank after the first delimiter", "form-delimiter", BASE.replace(DASH + b"\r\n", DASH + b" \r\n", 1)),
        ("B06", "tab after a delimiter", "form-delimiter", BASE.replace(b"\r\n" + DASH + b"\r\n", b"\r\n" + DASH + b"\t\r\n", 1)),
        ("B06b", "padded delimiter hides a name", "form-delimiter", smuggle(b"\r\n", b" \r\n")),
        ("B07", "junk after a delimiter", "form-delimiter", smuggle(b"\r\n", b"x\r\n")),
        ("B07b", "semicolon after a delimiter", "form-delimiter", smuggle(b"\r\n", b";x\r\n")),
        ("B08", "parts after the close", "form-epilogue", BASE + join([part("name", "bbb")])),
        ("B09", "epilogue", "form-epilogue", BASE + b"garbage\r\n"),
        ("B09b", "epilogue of CRLF", "form-epilogue", BASE + b"\r\n"),
        ("B10", "no close", "form-truncated", whole),
        ("B11", "ends inside the file", "form-truncated", whole[:-12]),
        ("B11b", "ends inside a header", "form-truncated", BASE[:60]),
        ("B11c", "ends after the CR of a delimiter", "form-truncated", whole[:-1]),
        ("B11d", "ends inside the closing delimiter", "form-truncated", whole + end[:-3]),
        ("B12", "close without CRLF", "allowed", whole + end[:-2]),
        ("B12b", "close with LF", "form-epilogue", whole + end[:-2] + b"\n"),
        ("B12c", "close with CR", "form-epilogue", whole + end[:-2] + b"\r", ("form-truncated",)),
        ("B13", "LF everywhere", "form-delimiter", BASE.replace(b"\r\n", b"\n")),
        ("B14", "CR everywhere", "form-delimiter", BASE.replace(b"\r\n", b"\r")),
        ("B15", "LF delimiter in a text", "form-delimiter", smuggle(b"\n", b"\n")),
        ("B15b", "LF before, CRLF after", "form-delimiter", smuggle(b"\n")),
        ("B15c", "CRLF before, LF after", "form-delimiter", smuggle(b"\r\n", b"\n")),
        ("B15d", "CR before", "form-delimiter", smuggle(b"\r")),
        ("B16", "in mid-line", "form-delimiter", smuggle(b"")),
        ("B17", "after a blank", "form-delimiter", smuggle(b"\r\n ")),
        ("B18", "one dash behind", "form-delimiter", smuggle(b"\r\n", b"-\r\n")),
        ("B19", "two dashes and a letter", "form-delimiter", smuggle(b"\r\n", b"--X\r\n"), ("form-epilogue",)),
        ("B19b", "early close", "form-epilogue", smuggle(b"\r\n", b"--\r\n")),
        ("B19c", "early close, padded", "form-delimiter", smuggle(b"\r\n", b"-- \r\n"), ("form-epilogue",)),
        ("B20", "two delimiters in a row", "form-delimiter", BASE.replace(b"\r\n" + DASH, b"\r\n" + DASH + b"\r\n" + DASH, 1), ("part-header",)),
        ("B21", "a part without headers", "part-header", splice(NAME, [b"\r\nstuff", part("name", "aaa")]), ("part-disposition",)),
        ("B22", "headers without a blank line", "form-delimiter", splice(NAME, [b'Content-Disposition: form-data; name="name"', part("name", "aaa")])),
        ("B23", "value without its CRLF", "form-delimiter", BASE.replace(b'name="name"\r\n\r\naaa\r\n', b'name="name"\r\n\r\n'), ("part-header",)),
        ("B24", "no parts", "field-missing", DASH + b"--\r\n", ("form-start", "form-delimiter")),
        ("B25", "nothing", "form-truncated", b"", ("form-start", "length-required")),
        ("B26", "no delimiter", "form-start", b"garbage"),
        ("B27", "nested multipart/mixed", "part-type", splice(CONTENT, [part("content", join([part("x", "EVIL", "bbb-1.0.tar.gz")], "INNER"), "aaa-1.0.tar.gz", "multipart/mixed; boundary=INNER")])),
        ("B27b", "nested, inner boundary as long", "part-type", splice(CONTENT, [part("content", join([part("x", "EVIL", "bbb-1.0.tar.gz")], "BOUND9f3c2b"), "aaa-1.0.tar.gz", "multipart/mixed; boundary=BOUND9f3c2b")])),
        ("B28", "nested multipart/form-data", "part-type", splice(NAME, [part("x", join([part("name", "bbb")], "INNER"), ctype="multipart/form-data; boundary=INNER"), part("name", "aaa")])),
        ("B28b", "nested with the outer boundary", "part-type", splice(NAME, [part("x", b"", ctype="multipart/mixed; boundary=" + BOUNDARY), part("name", "aaa")])),
        ("B28c", "message/rfc822", "part-type", splice(NAME, [part("x", b"A: b\r\n\r\n", ctype="message/rfc822"), part("name", "aaa")])),
        ("B29", "nested boundary with ours as prefix", "part-type", splice(NAME, [part("x", b"", ctype="multipart/mixed; boundary=%sX" % BOUNDARY), part("name", "aaa")])),
        ("B29b", "a line that begins with the boundary", "form-delimiter", smuggle(b"\r\n", b"X\r\n")),
        ("B30", "the boundary in lower case is data", "allowed", splice(NAME, [part("description", b"x\r\n--" + BOUNDARY.lower().encode() + b"\r\ny"), part("name", "aaa")])),
        ("B31", "NUL behind", "form-delimiter", smuggle(b"\r\n", b"\0\r\n")),
        ("B32", "CR CR LF in front", "name-invalid", BASE.replace(b"aaa\r\n" + DASH, b"aaa\r\r\n" + DASH, 1)),
        ("B33", "CR alone behind", "form-delimiter", smuggle(b"\r\n", b"\r")),
        ("B34", "CR CR LF behind", "form-delimiter", smuggle(b"\r\n", b"\r\r\n")),
        ("B35", "a third dash in front", "form-delimiter", smuggle(b"\r\n-")),
        ("B36", "VT FF behind", "form-delimiter", smuggle(b"\r\n", b"\x0b\x0c\r\n")),
        ("B37", "NEL behind", "form-delimiter", smuggle(b"\r\n", b"\x85\r\n")),
        ("B40", "the file holds an LF delimiter", "form-delimiter", smuggle_file(b"\n")),
        ("B41", "the file holds a CR delimiter", "form-delimiter", smuggle_file(b"\r")),
        ("B42", "the file holds a padded delimiter", "form-delimiter", smuggle_file(b"\r\n", b"  \r\n")),
        ("B43", "the file holds a delimiter and junk", "form-delimiter", smuggle_file(b"\r\n", b"junk\r\n")),
        ("B44", "the file holds a whole second file", "field-duplicate", smuggle_file(b"\r\n")),
        ("B45", "the file is the bare boundary", "form-delimiter", body(content=DASH)),
        ("B46", "the file ends in it", "form-delimiter", body(content=FILE + DASH)),
        ("B47", "the boundary without its dashes is data", "allowed", body(content=b"x" + BOUNDARY.encode())),
        ("B48", "one dash and the boundary is data", "allowed", body(content=b"\r\n-" + BOUNDARY.encode())),
        ("B49", "the file smuggles an action", "form-delimiter", splice(CONTENT, [part("content", FILE + b"\n" + DASH + b'\r\nContent-Disposition: form-data; name=":action"\r\n\r\nremove_pkg\n' + DASH + b'\r\nContent-Disposition: form-data; name="name"\r\n\r\nbbb', "aaa-1.0.tar.gz")])),
    ]
    for row in rows:
        cid, what, verdict, data = row[:4]
        yield Case(cid, "B", what, verdict, data, headers=[("Content-Type", TYPE)],
                   accept=row[4] if len(row) > 4 else ())


def headers_of_parts():
    """C: part headers, field names and values."""
    cd = "Content-Disposition: form-data; "
    long_line = "X: " + "a" * 9000
    extra = [  # a further part whose header block is the trick; its value is "bbb"
        ("C01", "two dispositions", "part-header", cd + 'name="description"\r\n' + cd + 'name="name"'),
        ("C01b", "two, the other way round", "part-header", cd + 'name="name"\r\n' + cd + 'name="description"'),
        ("C02", "name twice in one", "part-disposition", cd + 'name="description"; name="name"'),
        ("C02b", "the other way round", "part-disposition", cd + 'name="name"; name="description"'),
        ("C03", "name and name*", "part-disposition", cd + "name=\"description\"; name*=utf-8''name"),
        ("C03b", "name* alone", "part-disposition", cd + "name*=utf-8''name"),
        ("C04", "name*0 name*1", "part-disposition", cd + 'name*0="na"; name*1="me"'),
        ("C04b", "name and name*0", "part-disposition", cd + 'name="description"; name*0="na"; name*1="me"'),
        ("C09", "name without quotes", "part-disposition", cd + "name=name"),
        ("C10", "single quotes", "part-disposition", cd + "name='name'"),
        ("C11", "backslash in a name", "part-disposition", cd + 'name="na\\me"'),
        ("C11b", "escaped quote", "part-disposition", cd + 'name="name\\"x"'),
        ("C11c", "escaped quote hides a name", "part-disposition", cd + 'name="a\\"; name="name"'),
        ("C12", "percent in a name", "field-name", cd + 'name="n%61me"'),
        ("C14", "no semicolon", "part-disposition", 'Content-Disposition: form-data name="name"'),
        ("C14b", "no semicolon between", "part-disposition", cd + 'x="1" name="name"'),
        ("C15", "xname", "part-disposition", cd + 'xname="name"; name="description"'),
        ("C15b", "x-name", "part-disposition", cd + 'x-name="name"'),
        ("C16b", "a name inside quotes", "part-disposition", cd + 'foo="; name=\\"name\\";"; name="description"'),
        ("C17", "quote without end", "part-disposition", cd + 'name="name'),
        ("C17b", "and a file name", "part-disposition", cd + 'name="description; filename="name'),
        ("C18", "NAME=", "part-disposition", cd + 'NAME="name"'),
        ("C19", "blanks around =", "part-disposition", cd + 'name = "name"'),
        ("C19b", "tab after the semicolon", "part-header", 'Content-Disposition: form-data;\tname="name"'),
        ("C19c", "nothing after the semicolon", "part-disposition", 'Content-Disposition: form-data;name="name"'),
        ("C20", "folded", "part-header", 'Content-Disposition: form-data;\r\n name="name"'),
        ("C20b", "folded with a second name", "part-header", cd + 'name="description"\r\n ; name="name"'),
        ("C20c", "folded inside quotes", "part-header", cd + 'name="na\r\n me"'),
        ("C21", "blank before the colon", "part-header", 'Content-Disposition : form-data; name="name"'),
        ("C22", "blank before the header", "part-header", ' Content-Disposition: form-data; name="name"'),
        ("C22b", "no blank after the colon", "part-header", 'Content-Disposition:form-data; name="name"'),
        ("C22c", "tab after the colon", "part-header", 'Content-Disposition:\t form-data; name="name"'),
        ("C24", "junk before it", "part-header", 'junk\r\n' + cd + 'name="name"'),
        ("C25", "NUL in a header name", "part-header", 'Content-Dis\0position: form-data; name="name"'),
        ("C25b", "NUL in the type", "part-header", 'Content-Disposition: form-da\0a; name="name"'),
        ("C25c", "NUL in the name", "part-header", cd + 'name="name\0x"'),
        ("C25d", "NUL behind", "part-header", cd + 'name="name"\0'),
        ("C26", "8-bit header name", "part-header", 'Content-Disp\xf6sition: form-data; name="name"'),
        ("C28", "encoded word", "field-name", cd + 'name="=?utf-8?B?bmFtZQ==?="'),
        ("C28b", "encoded word, no quotes", "part-disposition", cd + 'name==?utf-8?B?bmFtZQ==?='),
        ("C29", "attachment", "part-disposition", 'Content-Disposition: attachment; name="name"'),
        ("C29b", "FORM-DATA", "part-disposition", 'Content-Disposition: FORM-DATA; name="name"'),
        ("C29c", "form-datax", "part-disposition", 'Content-Disposition: form-datax; name="name"'),
        ("C29d", "no type", "part-disposition", 'Content-Disposition: ; name="name"'),
        ("C30", "Content-Type alone", "part-header", "Content-Type: text/plain"),
        ("C30b", "name on the Content-Type", "part-header", 'Content-Type: text/plain; name="name"'),
        ("C34", "part Content-Length", "part-header", cd + 'name="name"\r\nContent-Length: 68'),
        ("C35", "a header of 9000 bytes", "part-header-size", long_line + "\r\n" + cd + 'name="name"'),
        ("C35b", "1001 bytes of headers", "part-header-size", cd + 'name="x"\r\nX: ' + "a" * 990),
        ("C36", "200 headers", "part-header-size", "".join("X%d: a\r\n" % i for i in range(200)) + cd + 'name="name"'),
        ("C38", "CRLF in a name", "part-header", cd + 'name="na\r\nme"'),
        ("C38b", "LF in a name", "part-header", cd + 'name="na\nme"'),
        ("C38c", "CR in a name", "part-header", cd + 'name="na\rme"'),
        ("C39", "empty name", "field-name", cd + 'name=""'),
        ("C39b", "no name", "part-disposition", "Content-Disposition: form-data"),
        ("C40", "blank behind the name", "field-name", cd + 'name="name "'),
        ("C40b", "blank before the name", "field-name", cd + 'name=" name"'),
        ("C40c", "name[]", "field-name", cd + 'name="name[]"'),
        ("C40d", "dot in a name", "field-name", cd + 'name="md5.digest"'),
        ("C40e", "Name", "field-name", cd + 'name="Name"'),
        ("C40f", "name[0", "field-name", cd + 'name="name[0"'),
        ("C40g", ":ACTION", "field-name", cd + 'name=":ACTION"'),
        ("C40h", "CONTENT", "field-name", cd + 'name="CONTENT"'),
        ("C41c", "a bare filename parameter", "part-disposition", cd + 'name="description"; filename'),
        ("C48", "unknown parameter", "part-disposition", cd + 'name="description"; foo="bar"'),
        ("C49", "LF between headers", "part-header", cd + 'name="description"\nX-A: b'),
        ("C49d", "CR hides a disposition", "part-header", 'X-A: b\rContent-Disposition: form-data; name="name"\r\n' + cd + 'name="description"'),
        ("C49e", "LF hides a disposition", "part-header", 'X-A: b\nContent-Disposition: form-data; name="name"\r\n' + cd + 'name="description"'),
        ("C49f", "VT hides a disposition", "part-header", 'X-A: b\x0bContent-Disposition: form-data; name="name"\r\n' + cd + 'name="description"'),
        ("C52", "comment", "part-disposition", 'Content-Disposition: form-data (x); name="name"'),
        ("C53", "quoted type", "part-disposition", 'Content-Disposition: "form-data"; name="name"'),
        ("C54", "MAX_FILE_SIZE", "field-name", cd + 'name="MAX_FILE_SIZE"'),
        ("C55", "_method", "field-name", cd + 'name="_method"'),
        ("C55b", "_charset_", "field-name", cd + 'name="_charset_"'),
        ("C56", "part Content-Encoding", "part-header", cd + 'name="description"\r\nContent-Encoding: gzip'),
        ("C57", "semicolon at the end", "part-disposition", cd + 'name="description";'),
        ("C58", "two semicolons", "part-disposition", 'Content-Disposition: form-data;; name="description"'),
        ("C59", "junk after the quote", "part-disposition", cd + 'name="name"x'),
        ("C59b", "two quoted strings", "part-disposition", cd + 'name="na""me"'),
        ("C60", "no-break space", "part-header", 'Content-Disposition: form-data;\xa0name="name"'),
        ("C61", "BOM before the name", "part-header", cd + 'name="\xef\xbb\xbfname"'),
        ("C62", "the boundary in a header", "form-delimiter", cd + 'name="x"; filename="x--%sy.tar.gz"' % BOUNDARY),
        ("C63", "transfer encoding first", "part-header", "Content-Transfer-Encoding: base64\r\n" + cd + 'name="description"'),
    ]
    loose = ("part-disposition", "part-header", "field-name", "field-file", "part-type", "field-duplicate")
    for cid, what, verdict, head in extra:
        accept = loose if verdict in loose else ()
        yield Case(cid, "C", what, verdict, splice(NAME, [raw(head), part("name", "aaa")]),
                   headers=[("Content-Type", TYPE)], accept=accept)
        if cid == "C19c":
            continue
    ct = [
        ("C31", "utf-16 text", "charset=utf-16le", b"b\0b\0b\0"),
        ("C31b", "utf-7 text", "charset=utf-7", b"+AGI-bb"),
        ("C31c", "ibm037 text", "charset=ibm037", b"\x82\x82\x82"),
    ]
    for cid, what, charset, value in ct:
        yield Case(cid, "C", what, "part-type",
                   splice(NAME, [part("name", value, ctype="text/plain; " + charset)]),
                   headers=[("Content-Type", TYPE)])
    cte = [
        ("C33", "base64", b"YmJi"), ("C33b", "quoted-printable", b"=62bb"), ("C33c", "x-foo", b"aaa"),
        ("C33d", "binary", b"aaa"), ("C33e", "BASE64", b"YmJi"),
    ]
    for cid, enc, value in cte:
        yield Case(cid, "C", "Content-Transfer-Encoding: " + enc, "part-header",
                   splice(NAME, [raw(cd + 'name="name"\r\nContent-Transfer-Encoding: ' + enc, value)]),
                   headers=[("Content-Type", TYPE)])
    yield Case("C23", "C", "header name in lower case", "part-header",
               splice(NAME, [raw('content-disposition: form-data; name="name"', b"aaa")]),
               headers=[("Content-Type", TYPE)])
    yield Case("C05", "C", "filename before name", "part-disposition",
               splice(CONTENT, [raw(cd + 'filename="aaa-1.0.tar.gz"; name="content"', FILE)]),
               headers=[("Content-Type", TYPE)])
    yield Case("C37", "C", "1500 parts", "form-parts",
               body(before=[part("classifiers", "x")] * 1500), headers=[("Content-Type", TYPE)])
    yield Case("C37b", "C", "990 parts", "allowed",
               body(before=[part("classifiers", "x")] * 990), headers=[("Content-Type", TYPE)])
    yield Case("C41", "C", "name with an empty file name", "field-file",
               splice(NAME, [part("name", "aaa", "")]), headers=[("Content-Type", TYPE)],
               accept=loose + ("filename-invalid",))
    yield Case("C41b", "C", "name with a file name", "field-file",
               splice(NAME, [part("name", "aaa", "x")]), headers=[("Content-Type", TYPE)], accept=loose)
    yield Case("C41d", "C", "name as octet-stream", "part-type",
               splice(NAME, [part("name", "aaa", ctype="application/octet-stream")]),
               headers=[("Content-Type", TYPE)])
    yield Case("C42", "C", "content without a file name", "field-file",
               splice(CONTENT, [part("content", FILE)]), headers=[("Content-Type", TYPE)])


def values():
    """C: duplicates and values; E: what the file is called; F: other actions."""
    dup = [
        ("C43", "name twice, evil last", [part("name", "bbb")], []),
        ("C43b", "name twice, evil first", [], [part("name", "bbb")]),
        ("C44", "content twice, evil last", [part("content", "EVIL", "bbb-1.0.tar.gz")], []),
        ("C44b", "content twice, evil first", [], [part("content", "EVIL", "bbb-1.0.tar.gz")]),
        ("C46", "second action", [part(":action", "doc_upload")], []),
        ("C46b", "second action that deletes", [], [part(":action", "remove_pkg")]),
        ("C46c", "version twice", [part("version", "2.0")], []),
        ("C46d", "filetype twice", [part("filetype", "bdist_wheel")], []),
        ("C46e", "metadata_version twice", [part("metadata_version", "1.0")], []),
        ("C46f", "protocol_version twice", [part("protocol_version", "1")], []),
        ("C46g", "pyversion twice", [part("pyversion", ""), part("pyversion", "source")], []),
        ("C46h", "digest twice", [part("sha256_digest", "0" * 64), part("sha256_digest", "1" * 64)], []),
        ("C46i", "empty name first", [], [part("name", "")]),
    ]
    for cid, what, after, before in dup:
        yield Case(cid, "C", what, "field-duplicate", body(extra=after, before=before),
                   headers=[("Content-Type", TYPE)], accept=("action", "name-invalid"))
    yield Case("C45", "C", "name after content", "allowed",
               join([p for i, p in enumerate(fields()) if i != NAME] + [part("name", "aaa")]),
               headers=[("Content-Type", TYPE)])
    names = [
        ("C50", " aaa "), ("C50a", "aaa "), ("C50b", "aaa\n"), ("C50c", b"aaa\0bbb"),
        ("C50d", b"\xef\xbb\xbfaaa"), ("C50e", b"a\xffaa"), ("C50f", "\uff42\uff42\uff42"),
        ("C50g", b"\xc1\xa2bb"), ("C50h", "aaa\u212abbb"), ("C50i", "aaa!bbb"), ("C50j", "aaa bbb"),
        ("C50k", "-aaa"), ("C50l", "aaa-"), ("C50m", "aaa/bbb"), ("C50n", "../bbb"), ("C50o", "a" * 300),
        ("C50p", "aaa\r\nbbb"), ("C50q", "aaa%00"), ("C51", ""),
    ]
    for cid, value in names:
        yield Case(cid, "C", "name is %r" % (value,), "name-invalid",
                   splice(NAME, [part("name", value)]), headers=[("Content-Type", TYPE)],
                   accept=("field-value", "field-size", "field-missing"))
    versions = [
        ("E20", "v1.0"), ("E21", "../bbb/1.0"), ("E22", "bbb/1.0"), ("E23", ""), ("E24", " 1.0"),
        ("E25", "1.0\n"), ("E26", b"1.0\0"), ("E27", "dog"), ("E28", "1.0.dev.a1"), ("E29", "1" * 400),
    ]
    for cid, value in versions:
        yield Case(cid, "E", "version is %r" % (value,), "version-invalid",
                   splice(VERSION, [part("version", value)]), headers=[("Content-Type", TYPE)],
                   accept=("field-value", "field-size", "field-missing"))
    wheel = "py3-none-any.whl"
    files = [
        ("E01", "filename-project", "bbb-1.0.tar.gz"),
        ("E02", "filename-version", "aaa-2.0.tar.gz"),
        ("E03", "filename-invalid", "../bbb-1.0.tar.gz"),
        ("E04", "filename-invalid", "aaa-1.0.tar.gz/bbb-1.0.tar.gz"),
        ("E05", "filename-invalid", "C:\\aaa-1.0\\bbb-1.0.tar.gz"),
        ("E06", "filename-invalid", "%62%62%62-1.0.tar.gz"),
        ("E07", "filename-invalid", "=?utf-8?Q?bbb-1.0.tar.gz?="),
        ("E08", "filename-invalid", "&#98;bb-1.0.tar.gz"),
        ("E09", "filename-invalid", "aaa-1.0.tar.gz "),
        ("E10", "filename-invalid", " aaa-1.0.tar.gz"),
        ("E11", "filename-invalid", ".aaa-1.0.tar.gz"),
        ("E12", "filename-invalid", "aaa-1.0.exe"),
        ("E13", "filename-invalid", "aaa-1.0-py2.7.egg"),
        ("E14", "filename-invalid", "aaa-1-2.tar.gz"),
        ("E15", "filename-invalid", "aaa-py3.9-1.0.tar.gz"),
        ("E16", "filename-invalid", "aaa-1.0"),
        ("E17", "filename-invalid", "-1.0.tar.gz"),
        ("E18", "filename-invalid", "aaa-.tar.gz"),
        ("E19", "filename-project", "aaab-1.0.tar.gz"),
        ("E30", "filename-invalid", "aaa-v1-2.0-" + wheel),
        ("E31", "filename-invalid", "aaa-bbb-1.0-" + wheel),
        ("E32", "filename-project", "bbb-1.0-" + wheel),
        ("E33", "filename-version", "aaa-2.0-" + wheel),
        ("E34", "filename-invalid", "aaa-1.0.whl"),
        ("E35", "filename-invalid", "aaa-1.0-q-" + wheel),
        ("E36", "filename-invalid", "aaa-1.0-py3-none-any-x-y.whl"),
        ("E37", "filename-invalid", "aaa-1.0.tar.gz\u00e9".encode().decode("latin-1")),
        ("E38", "filename-invalid", "a" * 300 + "-1.0.tar.gz"),
        ("E39", "filename-invalid", "aaa-1.0.TAR.GZ"),
        ("E40", "filename-invalid", "aaa-1.0.tar.gz;x"),
        ("E41", "filename-invalid", "aaa-1.0.tar.gz\\"),
    ]
    loose = ("part-disposition", "part-header", "filetype", "filename-project", "filename-version",
             "filename-invalid", "field-size")
    for cid, verdict, filename in files:
        yield Case(cid, "E", "file name %r" % filename, verdict,
                   body(filename=filename, filetype="bdist_wheel" if filename.endswith(".whl") else "sdist"),
                   headers=[("Content-Type", TYPE)], accept=loose)
    cd = 'Content-Disposition: form-data; name="content"; '
    tricks = [
        ("E50", 'filename="aaa-1.0.tar.gz"; filename="bbb-1.0.tar.gz"'),
        ("E51", "filename=\"aaa-1.0.tar.gz\"; filename*=utf-8''bbb-1.0.tar.gz"),
        ("E52", "filename*=utf-8''aaa-1.0.tar.gz"),
        ("E53", 'filename="aaa-1.0.tar.gz"; filename*0="bbb-1.0"; filename*1=".tar.gz"'),
        ("E54", 'FileName="aaa-1.0.tar.gz"'),
        ("E55", "filename=aaa-1.0.tar.gz"),
        ("E56", 'filename=aaa"bbb-1.0.tar.gz"'),
        ("E57", 'filename="aaa-1.0.tar.gz\0bbb-1.0.tar.gz"'),
        ("E58", 'filename="x\\"; name=\\"name\\"; .tar.gz"'),
        ("E59", 'filename="x; name=name; .tar.gz"'),
        ("E60", 'filename="aaa-1.0.tar.gz'),
        ("E61", 'filename=""'),
        ("E62", "filename='aaa-1.0.tar.gz'"),
        ("E63", 'filename="aaa-1.0.tar.gz"; modification-date="x"'),
        ("E64", ' filename="aaa-1.0.tar.gz"'),
    ]
    for cid, tail in tricks:
        yield Case(cid, "E", tail[:60], "part-disposition",
                   splice(CONTENT, [raw(cd + tail, FILE)]), headers=[("Content-Type", TYPE)],
                   accept=loose + ("field-file",))
    yield Case("E70", "E", "signature of another file", "signature-name",
               body(extra=[part("gpg_signature", "SIG", "bbb-1.0.tar.gz.asc")]),
               headers=[("Content-Type", TYPE)])
    yield Case("E71", "E", "signature of this file", "allowed",
               body(extra=[part("gpg_signature", "SIG", "aaa-1.0.tar.gz.asc")]),
               headers=[("Content-Type", TYPE)])
    yield Case("E72", "E", "utf-7 on the file part", "part-type",
               splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "application/octet-stream; charset=utf-7")]),
               headers=[("Content-Type", TYPE)])
    yield Case("E73", "E", "sdist called a wheel", "allowed", body(filetype="bdist_wheel"),
               headers=[("Content-Type", TYPE)])
    yield Case("E73b", "E", "an egg", "filetype", body(filetype="bdist_egg"),
               headers=[("Content-Type", TYPE)])
    yield Case("E74", "E", "the other project, honestly", "token-scope", body(name="bbb"),
               headers=[("Content-Type", TYPE)])
    yield Case("E75", "E", "content[]", "field-name",
               body(extra=[part("content[]", "EVIL", "bbb-1.0.tar.gz")]),
               headers=[("Content-Type", TYPE)], accept=("field-file", "part-disposition"))
    yield Case("E76", "E", "another file field", "field-file",
               body(extra=[part("docs", "EVIL", "bbb-1.0.tar.gz")]), headers=[("Content-Type", TYPE)])
    for k, action in enumerate(["remove_pkg", "doc_upload", "submit", "submit_pkg_info", "verify", "",
                                "FILE_UPLOAD", " file_upload", "file_upload ", "list_classifiers",
                                b"file_upload\0"]):
        parts = fields()
        parts[0] = part(":action", action)
        yield Case("F%02d" % (k + 1), "F", ":action %r" % (action,), "action", join(parts),
                   headers=[("Content-Type", TYPE)], accept=("field-value",))
    for k, missing in enumerate([0, NAME, VERSION, CONTENT]):
        parts = fields()
        del parts[missing]
        yield Case("F%02d" % (k + 20), "F", "a field left out", "field-missing", join(parts),
                   headers=[("Content-Type", TYPE)])


def sizes():
    """Z: bodies that must end in bounded time and memory."""
    rows = [
        ("Z01", "a file of CR", "allowed", body(content=b"\r" * 400000)),
        ("Z02", "a file of CRLF--", "allowed", body(content=b"\r\n--" * 100000)),
        ("Z03", "almost the boundary, again and again", "allowed", body(content=(b"\r\n" + DASH[:-1]) * 20000)),
        ("Z04", "boundary of dashes", "allowed", None),
        ("Z08", "10000 headers", "part-header-size", splice(NAME, [raw("X: a\r\n" * 10000 + 'Content-Disposition: form-data; name="x"'), part("name", "aaa")])),
        ("Z09", "summary of 70 kB", "field-size", body(extra=[part("summary", "x" * 70000)])),
        ("Z09b", "description of 400 kB", "allowed", body(before=[part("description", "x" * 400000)])),
        ("Z09c", "description of 3 MB", "field-size", body(before=[part("description", "x" * 3000000)])),
        ("Z10", "a long preamble", "form-start", b"x" * 300000),
        ("Z12", "ends between CR and LF", "form-truncated", BASE[:-len(DASH) - 5]),
        ("Z17", "empty file", "field-value", body(content=b"")),
    ]
    for cid, what, verdict, data in rows:
        ctype = TYPE
        if data is None:
            ctype = "multipart/form-data; boundary=" + "-" * 70
            data = join(fields(content=b"-" * 65 + b"x" + b"-" * 60), "-" * 70)
        yield Case(cid, "Z", what, verdict, data, headers=[("Content-Type", ctype)])


def http_layer():
    """D, H, P: the request around the form. Statuses in `accept` are httpd's own refusals."""
    ct = ("Content-Type", TYPE)
    yield Case("D01", "D", "?name=bbb", "query-string", BASE, query="name=bbb", headers=[ct], http_only=True)
    yield Case("D02", "D", "?:action=remove_pkg", "query-string", BASE, query=":action=remove_pkg&name=bbb&version=1.0", headers=[ct], http_only=True)
    yield Case("D03", "D", "?_method=DELETE", "query-string", BASE, query="_method=DELETE", headers=[ct], http_only=True)
    rows = [
        ("H01", "two Content-Type lines", "boundary", [ct, ("Content-Type", "text/plain")], ()),
        ("H01b", "the other way round", "content-type", [("Content-Type", "text/plain"), ct], ()),
        ("H04", "Content_Type beside it", "header-refused", [ct, ("Content_Type", "text/evil")], ()),
        ("H04b", "REMOTE_USER", "header-refused", [ct, ("REMOTE_USER", "root")], ()),
        ("H04c", "X_Remote_User", "header-refused", [ct, ("X_Remote_User", "root")], ()),
        ("H06", "Connection names Content-Type", "header-refused", [ct, ("Connection", "close, content-type")], ()),
        ("H07", "Connection names a header of ours", "header-refused", [ct, ("Connection", "close, X-Remote-User")], ()),
        ("H07b", "Connection names Authorization", "header-refused", [ct, ("Connection", "authorization")], ()),
        ("H22", "Content-Encoding gzip", "content-encoding", [ct, ("Content-Encoding", "gzip")], ()),
        ("H22b", "Content-Encoding identity", "content-encoding", [ct, ("Content-Encoding", "identity")], ()),
        ("H25", "X-HTTP-Method-Override", "header-refused", [ct, ("X-HTTP-Method-Override", "DELETE")], ()),
        ("H25b", "X-Method-Override", "header-refused", [ct, ("X-Method-Override", "DELETE")], ()),
        ("H25c", "X-Original-URL", "header-refused", [ct, ("X-Original-URL", "/other/")], ()),
        ("H25d", "X-Rewrite-URL", "header-refused", [ct, ("X-Rewrite-URL", "/other/")], ()),
        ("H25e", "X-HTTP-Method", "header-refused", [ct, ("X-HTTP-Method", "PUT")], ()),
        ("H30", "8-bit Content-Type", "boundary", [("Content-Type", TYPE + "\xe9")], ("400",)),
        ("H31", "two Authorization headers", "credentials-malformed", [ct, ("Authorization", "Basic eDp5")], ("token-malformed",)),
    ]
    for cid, what, verdict, headers, accept in rows:
        yield Case(cid, "H", what, verdict, BASE, headers=headers, accept=accept, http_only=True)
    for k, method in enumerate(["PUT", "DELETE", "PATCH", "MOVE", "COPY", "MKCOL", "PROPFIND", "LOCK",
                                "OPTIONS", "TRACE", "FOO", "post", "PUSH"]):
        yield Case("H26%c" % (97 + k), "H", "method " + method, "method", b"" if method == "TRACE" else BASE,
                   method=method, headers=[ct, ("Destination", "/bbb/")], accept=("405", "501", "400"),
                   http_only=True)
    yield Case("H15", "H", "neither length nor chunks", "length-required", b"", headers=[ct], framing="none",
               http_only=True, accept=("411",))
    yield Case("H10", "H", "Transfer-Encoding gzip, chunked", "transfer-encoding", BASE,
               headers=[ct, ("Transfer-Encoding", "gzip, chunked")], framing="chunked", http_only=True,
               accept=("400", "501"))
    for k, tail in enumerate([";x", "?", "%3fname=bbb", "..;/", "%2fbbb", "/x", "%00", "%20", "."]):
        yield Case("P%02d" % (k + 1), "P", "upload URL and " + tail, "not-found", BASE, path=tail, headers=[ct],
                   accept=("404", "400", "query-string"), http_only=True)
    for k, alias in enumerate(["//", "/./", "/x/../", "/%2e/"]):
        yield Case("P%02d" % (k + 20), "P", "alias " + alias, "not-found", BASE, path="^" + alias, headers=[ct],
                   accept=("404", "400"), http_only=True)


def cases():
    """All cases, ids unique."""
    seen = set()
    for maker in (types, framing, headers_of_parts, values, sizes, http_layer):
        for case in maker():
            assert case.id not in seen, case.id
            seen.add(case.id)
            yield case


def main(argv):
    everything = list(cases())
    if argv[:1] == ["--write"]:
        os.makedirs(argv[1], exist_ok=True)
        for c in everything:
            head = "".join("%s: %s\r\n" % h for h in c.headers)
            with open(os.path.join(argv[1], c.id + ".bin"), "wb") as f:
                f.write(head.encode("latin-1") + b"\r\n" + c.body)
        return 0
    for c in everything:
        print("%-6s %-22s %8d  %s" % (c.id, c.verdict, len(c.body), c.what))
    print("%d cases" % len(everything))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
