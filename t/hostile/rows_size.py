"""Z: bodies that must end in bounded time and memory."""
from form import BASE, CD, CONTENT, DASH, NAME, beside, body, fields, form, join, part, raw, splice

MIB = 1 << 20


def cases():
    rows = [
        ("Z01", "a file of CR", "allowed", body(content=b"\r" * 400000)),
        ("Z02", "a file of CRLF--", "allowed", body(content=b"\r\n--" * 100000)),
        ("Z03", "almost the boundary, again and again", "allowed", body(content=(b"\r\n" + DASH[:-1]) * 20000)),
        ("Z06", "a million empty parts", "form-parts", (DASH + b"\r\n" + part("x") + b"\r\n") * 100000),
        ("Z06b", "a million delimiters", "form-delimiter", (DASH + b"\r\n") * 100000),
        ("Z07", "a header without end", "part-header-size", DASH + b"\r\nContent-Disposition: " + b"x" * 3 * MIB),
        ("Z08", "10000 headers", "part-header-size",
         splice(NAME, [raw("X: a\r\n" * 10000 + CD + 'name="x"'), part("name", "aaa")])),
        ("Z09", "summary of 70 kB", "field-size", body(extra=[part("summary", "x" * 70000)])),
        ("Z09b", "description of 400 kB", "allowed", body(before=[part("description", "x" * 400000)])),
        ("Z09c", "description of 3 MB", "field-size", body(before=[part("description", "x" * 3 * MIB)])),
        ("Z09d", "a name of 3 MB", "field-size", splice(NAME, [part("name", "x" * 3 * MIB)])),
        ("Z10", "a long preamble", "form-start", b"x" * 3 * MIB),
        ("Z10b", "a long epilogue", "form-epilogue", BASE + b"\r\n" * MIB),
        ("Z10c", "a long file of blanks", "allowed", body(content=b" " * 3 * MIB)),
        ("Z12", "ends between CR and LF", "form-truncated", BASE[:-len(DASH) - 5]),
        ("Z13", "ends after --B-", "form-truncated", BASE[:-3]),
        ("Z13b", "ends in a header", "form-truncated", BASE[:30]),
        ("Z13c", "ends in a delimiter", "form-truncated", BASE[:-10]),
        ("Z13d", "ends after the blank line of the file", "form-truncated", BASE[:BASE.rindex(b"\r\n\r\n") + 4]),
        ("Z17", "empty file", "field-value", body(content=b"")),
        ("Z18", "a megabyte of quotes in a header", "part-header-size", beside(CD + 'name="' + '"' * MIB)),
        ("Z19", "a megabyte of semicolons", "part-header-size", beside(CD + ";" * MIB)),
        ("Z20", "a thousand descriptions of 2 MiB would be 2 GB", "field-duplicate", body(before=[part("description", "x")] * 2)),
    ]
    for cid, what, verdict, data in rows:
        yield form(cid, "Z", what, verdict, data)
    for cid, what, boundary, data in (
            ("Z04", "boundary of dashes", "-" * 70, b"-" * 65 + b"x" + b"-" * 60),
            ("Z04b", "boundary of one letter, the file nearly so", "a" * 70, (b"--" + b"a" * 69 + b"b") * 5000),
            ("Z05", "boundary of two runs, the file in their period", "-" * 35 + "x" * 35, (b"-" * 37 + b"x" * 34 + b"-") * 5000)):
        yield form(cid, "Z", what, "allowed", join(fields(content=data), boundary), "multipart/form-data; boundary=" + boundary)
