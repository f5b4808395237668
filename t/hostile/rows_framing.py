"""B: delimiters, and the shape of the body."""
from form import BASE, BOUNDARY, CONTENT, DASH, FILE, NAME, body, fields, form, join, part, smuggle, smuggle_file, splice

END = DASH + b"--\r\n"
WHOLE = join(fields(), end=b"")
REMOVE = (b'Content-Disposition: form-data; name=":action"\r\n\r\nremove_pkg\n' + DASH
          + b'\r\nContent-Disposition: form-data; name="name"\r\n\r\nbbb')


def nested(boundary, ctype, inner=None, at=CONTENT):
    """A part that is a form itself."""
    inner = join([part("x", "EVIL", "bbb-1.0.tar.gz")] if inner is None else inner, boundary)
    filename = "aaa-1.0.tar.gz" if at == CONTENT else None
    new = [part("content" if at == CONTENT else "x", inner, filename, ctype % boundary)]
    return splice(at, new + ([] if at == CONTENT else [part("name", "aaa")]))


def first(old, new):
    return BASE.replace(old, new, 1)


ROWS = [  # id, what, verdict, body
    ("B00", "the ordinary body", "allowed", BASE),
    ("B01", "preamble", "form-start", b"This is a preamble\r\n" + BASE),
    ("B02", "preamble with a part in it", "form-start",
     b"\n" + DASH + b'\nContent-Disposition: form-data; name="name"\n\nbbb\n' + BASE),
    ("B03", "leading LF", "form-start", b"\n" + BASE),
    ("B03b", "leading CRLF as distutils sends it", "allowed", b"\r\n" + BASE),
    ("B03c", "leading CR", "form-start", b"\r" + BASE),
    ("B04", "two leading CRLF", "form-start", b"\r\n\r\n" + BASE),
    ("B05", "blank after the first delimiter", "form-delimiter", first(DASH + b"\r\n", DASH + b" \r\n")),
    ("B06", "tab after a delimiter", "form-delimiter", first(b"\r\n" + DASH + b"\r\n", b"\r\n" + DASH + b"\t\r\n")),
    ("B06b", "padded delimiter hides a name", "form-delimiter", smuggle(b"\r\n", b" \r\n")),
    ("B07", "junk after a delimiter", "form-delimiter", smuggle(b"\r\n", b"x\r\n")),
    ("B07b", "semicolon after a delimiter", "form-delimiter", smuggle(b"\r\n", b";x\r\n")),
    ("B08", "parts after the close", "form-epilogue", BASE + join([part("name", "bbb")])),
    ("B09", "epilogue", "form-epilogue", BASE + b"garbage\r\n"),
    ("B09b", "epilogue of CRLF", "form-epilogue", BASE + b"\r\n"),
    ("B10", "no close", "form-truncated", WHOLE),
    ("B11", "ends inside the file", "form-truncated", WHOLE[:-12]),
    ("B11b", "ends inside a header", "form-truncated", BASE[:60]),
    ("B11c", "ends after the CR of a delimiter", "form-truncated", WHOLE[:-1]),
    ("B11d", "ends inside the closing delimiter", "form-truncated", WHOLE + END[:-3]),
    ("B12", "close without CRLF", "allowed", WHOLE + END[:-2]),
    ("B12b", "close with LF", "form-epilogue", WHOLE + END[:-2] + b"\n"),
    ("B12c", "close with CR", "form-truncated", WHOLE + END[:-2] + b"\r"),
    ("B13", "LF everywhere", "form-delimiter", BASE.replace(b"\r\n", b"\n")),
    ("B14", "CR everywhere", "form-delimiter", BASE.replace(b"\r\n", b"\r")),
    ("B15", "LF delimiter in a text", "form-delimiter", smuggle(b"\n", b"\n")),
    ("B15b", "LF before, CRLF after", "form-delimiter", smuggle(b"\n")),
    ("B15c", "CRLF before, LF after", "form-delimiter", smuggle(b"\r\n", b"\n")),
    ("B15d", "CR before", "form-delimiter", smuggle(b"\r")),
    ("B15e", "LF CR before", "form-delimiter", smuggle(b"\n\r")),
    ("B16", "in mid-line", "form-delimiter", smuggle(b"")),
    ("B17", "after a blank", "form-delimiter", smuggle(b"\r\n ")),
    ("B18", "one dash behind", "form-delimiter", smuggle(b"\r\n", b"-\r\n")),
    ("B19", "two dashes and a letter", "form-epilogue", smuggle(b"\r\n", b"--X\r\n")),
    ("B19b", "early close", "form-epilogue", smuggle(b"\r\n", b"--\r\n")),
    ("B19c", "early close, padded", "form-epilogue", smuggle(b"\r\n", b"-- \r\n")),
    ("B20", "two delimiters in a row", "form-delimiter", first(b"\r\n" + DASH, b"\r\n" + DASH + b"\r\n" + DASH)),
    ("B21", "a part without headers", "part-header", splice(NAME, [b"\r\nstuff", part("name", "aaa")])),
    ("B22", "headers without a blank line", "form-delimiter",
     splice(NAME, [b'Content-Disposition: form-data; name="name"', part("name", "aaa")])),
    ("B23", "value without its CRLF", "form-delimiter", BASE.replace(b'name="name"\r\n\r\naaa\r\n', b'name="name"\r\n\r\n')),
    ("B24", "no parts", "field-missing", DASH + b"--\r\n"),
    ("B25", "nothing", "form-truncated", b""),
    ("B26", "no delimiter", "form-start", b"garbage"),
    ("B27", "nested multipart/mixed", "part-type", nested("INNER", "multipart/mixed; boundary=%s")),
    ("B27b", "nested, inner boundary as long", "part-type", nested("BOUND9f3c2b", "multipart/mixed; boundary=%s")),
    ("B28", "nested multipart/form-data", "part-type",
     nested("INNER", "multipart/form-data; boundary=%s", [part("name", "bbb")], NAME)),
    ("B28b", "nested with the outer boundary", "part-type",
     splice(NAME, [part("x", b"", ctype="multipart/mixed; boundary=" + BOUNDARY), part("name", "aaa")])),
    ("B28c", "message/rfc822", "part-type", splice(NAME, [part("x", b"A: b\r\n\r\n", ctype="message/rfc822"), part("name", "aaa")])),
    ("B28d", "message/rfc822 as the file's type", "part-type",
     splice(CONTENT, [part("content", FILE, "aaa-1.0.tar.gz", "message/rfc822")])),
    ("B29", "nested boundary with ours as prefix", "part-type",
     splice(NAME, [part("x", b"", ctype="multipart/mixed; boundary=%sX" % BOUNDARY), part("name", "aaa")])),
    ("B29b", "a line that begins with the boundary", "form-delimiter", smuggle(b"\r\n", b"X\r\n")),
    ("B30", "the boundary in lower case is data", "allowed",
     splice(NAME, [part("description", b"x\r\n--" + BOUNDARY.lower().encode() + b"\r\ny"), part("name", "aaa")])),
    ("B31", "NUL behind", "form-delimiter", smuggle(b"\r\n", b"\0\r\n")),
    ("B32", "CR CR LF in front", "name-invalid", first(b"aaa\r\n" + DASH, b"aaa\r\r\n" + DASH)),
    ("B33", "CR alone behind", "form-delimiter", smuggle(b"\r\n", b"\r")),
    ("B34", "CR CR LF behind", "form-delimiter", smuggle(b"\r\n", b"\r\r\n")),
    ("B35", "a third dash in front", "form-delimiter", smuggle(b"\r\n-")),
    ("B36", "VT FF behind", "form-delimiter", smuggle(b"\r\n", b"\x0b\x0c\r\n")),
    ("B37", "NEL behind", "form-delimiter", smuggle(b"\r\n", b"\x85\r\n")),
    ("B37b", "U+2028 in front", "form-delimiter", smuggle(b"\xe2\x80\xa8")),
    ("B37c", "NUL in front", "form-delimiter", smuggle(b"\r\n\0")),
    ("B40", "the file holds an LF delimiter", "form-delimiter", smuggle_file(b"\n")),
    ("B41", "the file holds a CR delimiter", "form-delimiter", smuggle_file(b"\r")),
    ("B42", "the file holds a padded delimiter", "form-delimiter", smuggle_file(b"\r\n", b"  \r\n")),
    ("B43", "the file holds a delimiter and junk", "form-delimiter", smuggle_file(b"\r\n", b"junk\r\n")),
    ("B44", "the file holds a whole second file", "field-duplicate", smuggle_file(b"\r\n")),
    ("B45", "the file is the bare boundary", "form-delimiter", body(content=DASH)),
    ("B46", "the file ends in it", "form-delimiter", body(content=FILE + DASH)),
    ("B47", "the boundary without its dashes is data", "allowed", body(content=b"x" + BOUNDARY.encode())),
    ("B48", "one dash and the boundary is data", "allowed", body(content=b"\r\n-" + BOUNDARY.encode())),
    ("B49", "the file smuggles an action", "form-delimiter",
     splice(CONTENT, [part("content", FILE + b"\n" + DASH + b"\r\n" + REMOVE, "aaa-1.0.tar.gz")])),
    ("B50", "the file ends in CRs and LFs", "allowed", body(content=b"x\r\n\r\r\n\n\r")),
    ("B51", "an early close behind the name", "form-epilogue", join(fields()[:4]) + join(fields()[4:])),
    ("B52", "a second form behind the close, no line end between", "form-epilogue", WHOLE + END[:-2] + BASE),
    ("B53", "the close without its second dash", "form-delimiter", WHOLE + DASH + b"-\r\n"),
    ("B54", "the first delimiter without its dashes", "form-start", BASE[2:]),
    ("B55", "the first delimiter doubled", "form-epilogue", DASH + BASE),
]

SURVEY = [
    ("00", "the ordinary body", "allowed", BASE),
    ("47", "LF before the delimiters", "form-delimiter", BASE.replace(b"\r\n" + DASH, b"\n" + DASH)),
    ("48", "LF behind the delimiters", "form-delimiter", BASE.replace(DASH + b"\r\n", DASH + b"\n")),
    ("49", "the file holds LF, a delimiter, a second file", "form-delimiter", smuggle_file(b"\n")),
    ("50", "the same with LF alone", "form-delimiter", smuggle_file(b"\n", b"\n")),
    ("51", "the same behind a CR", "form-delimiter", smuggle_file(b"\r")),
    ("52", "a delimiter and blanks", "form-delimiter", smuggle_file(b"\r\n", b"   \r\n")),
    ("53", "a delimiter and junk", "form-delimiter", smuggle_file(b"\r\n", b"junk\r\n")),
    ("54", "parts after the close", "form-epilogue", BASE + join([part("name", "bbb")])),
    ("55", "closed by --x", "form-epilogue", WHOLE + DASH + b"--x\r\n" + join([part("name", "bbb")])),
    ("56", "preamble with a part", "form-start", part("name", "bbb") + b"\r\n" + BASE),
    ("57", "LF everywhere", "form-delimiter", BASE.replace(b"\r\n", b"\n")),
    ("58", "no close", "form-truncated", WHOLE),
    ("a0", "a second file behind LF, closed as well", "form-delimiter", smuggle_file(b"\n", value=b"EVIL\n" + DASH + b"--\n")),
    ("a1", "a delimiter and a blank", "form-delimiter", smuggle_file(b"\r\n", b" \r\n")),
    ("a2", "the file smuggles remove_pkg and a name", "form-delimiter", smuggle_file(
        b"\n", head=b'name=":action"', value=b"remove_pkg\n" + DASH + b'\r\nContent-Disposition: form-data; name="name"\r\n\r\nbbb')),
    ("a3", "a second file after the close", "form-epilogue", BASE + join([part("content", "EVIL", "bbb-1.0.tar.gz")])),
    ("d3", "leading CRLF", "allowed", b"\r\n" + BASE),
    ("d4", "leading CRLF, close without one", "allowed", b"\r\n" + WHOLE + END[:-2]),
    ("45", "nested multipart/mixed in the file", "part-type", nested("INNER", "multipart/mixed; boundary=%s")),
    ("46", "nested multipart/mixed in a field", "part-type",
     nested("INNER", "multipart/mixed; boundary=%s", [part("name", "bbb")], NAME)),
    ("c4", "nested multipart/form-data in the file", "part-type", nested("INNER", "multipart/form-data; boundary=%s")),
    ("c5", "nested multipart/form-data in a field", "part-type",
     nested("INNER", "multipart/form-data; boundary=%s", [part("name", "bbb")], NAME)),
    ("c6", "nested, type in upper case", "part-type", nested("INNER", "MULTIPART/MIXED; boundary=%s")),
    ("c7", "nested without a boundary", "part-type", nested("INNER", "multipart/mixed;%.0s")),
    ("d0", "nested, inner boundary of the same length", "part-type", nested("BOUND9f3c2b", "multipart/mixed; boundary=%s")),
    ("d1", "the same, two files inside", "part-type", nested(
        "BOUND9f3c2b", "multipart/mixed; boundary=%s",
        [part("x", "FILE", "aaa-1.0.tar.gz"), part("x", "EVIL", "bbb-1.0.tar.gz")])),
]


def cases():
    for cid, what, verdict, data in ROWS + SURVEY:
        yield form(cid, "B", what, verdict, data)
