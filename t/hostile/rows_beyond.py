"""U: letters that look like others, boundaries that look like delimiters, fields at the very edge of a limit."""
from form import BOUNDARY, CD, CONTENT, DASH, FILE, NAME, TYPE, VERSION, beside, body, fields, file_head, form, join, part, splice

# Letters that some normalisation, case mapping or font turns into the victim's.
LETTERS = [
    ("full width", "\uff42\uff42\uff42"), ("Cyrillic a", "\u0430\u0430\u0430"), ("Greek alpha", "\u03b1aa"), ("dotless i", "a\u0131a"),
    ("dotted I", "a\u0130a"), ("long s", "a\u017fa"), ("Kelvin", "a\u212aa"), ("Angstrom", "\u212baa"), ("ligature", "a\ufb01a"),
    ("superscript", "aa\u00aa"), ("combining", "aa\u0308a"), ("composed", "a\u00e4a"), ("zero width", "aa\u200ba"), ("joiner", "aa\u200da"),
    ("soft hyphen", "aa\u00ada"), ("right to left", "\u202eaaa"), ("hyphen", "aaa\u2010b"), ("minus", "aaa\u2212b"), ("low line", "aaa\uff3fb"),
    ("full stop", "aaa\uff0eb"), ("mathematical", "\U0001d41a\U0001d41a\U0001d41a"), ("circled", "\u24d0\u24d0\u24d0"), ("sharp s", "aa\u00df"),
    ("tag", "aaa\U000e0061"), ("variation selector", "aaa\ufe0f"), ("BOM at the end", "aaa\ufeff"), ("line separator", "aaa\u2028bbb"),
    ("next line", "aaa\u0085"), ("no-break space", "aaa\u00a0"), ("ideographic space", "\u3000aaa"),
]
DIGITS = [("Arabic", "\u0661.0"), ("Devanagari", "\u0967.0"), ("full width", "\uff11.\uff10"), ("superscript", "1.0\u00b2"), ("circled", "\u2460.0"),
          ("ideographic stop", "1\u30020"), ("one dot leader", "1\u20240"), ("Roman", "\u2160.0")]
NOT_UTF8 = [("overlong a", b"\xc1\xa1aa"), ("overlong slash", b"aa\xc0\xaf"), ("surrogate", b"aa\xed\xa0\x80"), ("cut off", b"aa\xe2\x82"),
            ("too far", b"aa\xf4\x90\x80\x80"), ("continuation", b"\x80aa"), ("latin-1", b"a\xe4a"), ("utf-16", b"a\0a\0a\0")]

# Boundaries made of what delimiters are made of; every reader takes them alike, so they are harmless.
BOUNDARIES = ["-", "--", "---", "a", "_", "B-", "B--", "--B", "-B-", "-" * 70, "x" * 69 + "-", "A" * 35 + "B" * 35, "name", "Content-Disposition", "00"]


def wide(text):
    return text.encode("utf-8")


def letters():
    for k, (what, name) in enumerate(LETTERS):
        yield form("U%02d" % (k + 1), "U", "name with " + what, "name-invalid", splice(NAME, [part("name", wide(name))]))
    for k, (what, version) in enumerate(DIGITS):
        yield form("U%02d" % (k + 40), "U", "version in digits: " + what, "version-invalid", splice(VERSION, [part("version", wide(version))]))
    for k, (what, name) in enumerate(NOT_UTF8):
        yield form("U%02d" % (k + 50), "U", "name that is no UTF-8: " + what, "field-value", splice(NAME, [part("name", name)]))
    for k, (what, name) in enumerate(LETTERS[:6]):
        yield form("U%02d" % (k + 60), "U", "file name with " + what, "part-header",
                   file_head('filename="%s-1.0.tar.gz"' % wide(name).decode("latin-1")))
    yield form("U66", "U", "field name with Cyrillic a", "part-header", beside(CD + 'name="n\xd0\xb0me"'))
    yield form("U67", "U", "description that is no UTF-8", "allowed", body(before=[part("description", b"\xff\xfe\0\r\n\xed\xa0\x80")]))
    yield form("U68", "U", "summary full of line ends and NULs", "allowed", body(before=[part("summary", b"\0\r\n\n\r\0" * 20)]))


def boundaries():
    for k, boundary in enumerate(BOUNDARIES):
        yield form("U%02d" % (k + 70), "U", "boundary %r" % boundary[:20], "allowed", join(fields(content=b"file"), boundary),
                   "multipart/form-data; boundary=" + boundary)
    near = [DASH[:-1], DASH[1:], b"\r\n" + DASH[:-1] + b"\r\n", b"\r\n" + DASH[:-1] + DASH[:-1], DASH[:2] + DASH[:-1], b"\r\n--\r\n", b"\r\n-",
            DASH[:-1] + b"\r\n" + DASH[-1:]]
    for k, data in enumerate(near):
        yield form("U%02d" % (k + 90), "U", "a file of nearly a delimiter, %d" % k, "allowed", body(content=b"x" + data))
    yield form("U98", "U", "a nested form with an honest boundary is data", "allowed",
               body(content=join(fields(name="bbb"), "INNER")))
    yield form("U99", "U", "the file is an upload of its own, head and all", "allowed",
               body(content=b"POST /legacy/ HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=I\r\n\r\n" + join(fields(name="bbb"), "I")))
    for k, pair in enumerate((("AB", "ABC"), ("B", "B-"), ("B", "B--"), ("-", "--"))):
        inner = join([part("name", "bbb")], pair[1])
        yield form("U%d" % (k + 100), "U", "boundary %s, and %s in the file" % pair, "form-epilogue" if k == 2 else "form-delimiter",
                   join(fields(content=b"x\r\n" + inner), pair[0]), "multipart/form-data; boundary=" + pair[0])
    yield form("U104", "U", "boundary ABC, and AB in the file", "allowed",
               join(fields(content=b"x\r\n" + join([part("name", "bbb")], "AB")), "ABC"), "multipart/form-data; boundary=ABC")


def edges():
    """Delimiters that lie across the ends of the blocks in which bodies are read."""
    k = 110
    for block in (8192, 65536):
        for off in (-len(DASH) - 2, -len(DASH), -2, -1, 0):
            honest = body(content=b"")
            at = honest.rindex(b"\r\n\r\n") + 4
            data = b"x" * (block + off - at)
            yield form("U%d" % k, "U", "the close lies at %d%+d" % (block, off), "allowed", body(content=data))
            yield form("U%d" % (k + 1), "U", "an LF delimiter lies at %d%+d" % (block, off), "form-delimiter",
                       body(content=data + b"\n" + DASH + b'\r\nContent-Disposition: form-data; name="name"\r\n\r\nbbb'))
            k += 2


def limits():
    long_name = "a" * 100
    rows = [
        ("U140", "field name of 64 characters", "allowed", body(before=[part("x" * 64, "1")])),
        ("U141", "file name of 240 bytes", "allowed", body(filename="aaa-1.0-py3-none-%s.whl" % ("x" * 219))),
        ("U142", "file name of 256 bytes", "filename-invalid", body(filename="aaa-1.0-py3-none-%s.whl" % ("x" * 235))),
        ("U143", "name of 100 characters", "token-scope", join(fields(name=long_name))),
        ("U144", "summary of 65536 bytes", "allowed", body(before=[part("summary", "x" * 65536)])),
        ("U145", "summary of 65537 bytes", "field-size", body(before=[part("summary", "x" * 65537)])),
        ("U146", "filetype of 257 bytes", "field-size", body(before=[part("pyversion", "x" * 257)])),
        ("U147", "description of 2 MiB", "allowed", body(before=[part("description", "x" * 2097152)])),
        ("U148", "description of 2 MiB and a byte", "field-size", body(before=[part("description", "x" * 2097153)])),
        ("U149", "signature text of 65537 bytes", "field-size", body(before=[part("gpg_signature", "x" * 65537)])),
        ("U150", "a file of one NUL", "allowed", body(content=b"\0")),
        ("U151", "a file of one CRLF", "allowed", body(content=b"\r\n")),
        ("U152", "500 fields of one name", "allowed", body(before=[part("classifiers", "x")] * 500)),
        ("U153", "500 fields of names of their own", "allowed", body(before=[part("x%d" % i, "1") for i in range(500)])),
        ("U154", "digest that is no digest", "field-value", body(before=[part("sha256_digest", "../../x")])),
        ("U155", "digest with a NUL", "field-value", body(before=[part("md5_digest", b"00\0")])),
        ("U156", "pyversion with a line end", "allowed", body(before=[part("pyversion", "py3\r\nX-A: b")])),
        ("U157", "every header of 1000 bytes", "filename-invalid", splice(CONTENT, [part("content", FILE, "a" * 900)])),
        ("U158", "a star in a type", "part-type", splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "*/*")])),
        ("U159", "a type of one word", "part-type", splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "gzip")])),
        ("U160", "a type with a comment", "part-type", splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "a/b (c)")])),
        ("U161", "two types in one", "part-type", splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "a/b, c/d")])),
        ("U162", "an empty type", "part-header", file_head('filename="aaa-1.0.tar.gz"\r\nContent-Type: ')),
    ]
    for cid, what, verdict, data in rows:
        yield form(cid, "U", what, verdict, data)
    yield form("U163", "U", "the boundary stands in the Content-Type of a part", "form-delimiter",
               splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "a/--" + BOUNDARY)]), TYPE)


def cases():
    for make in (letters, boundaries, edges, limits):
        yield from make()
