"""D, H, P: the request around the form. What a connection does over time is in scenes.py."""
from form import BASE, TYPE, Case

CT = ("Content-Type", TYPE)
EVIL = "name=bbb&version=9.9&:action=remove_pkg"


def chunks(*pieces, tail=b"0\r\n\r\n", end=b"\r\n", ext=b""):
    return b"".join(b"%x%s%s%s\r\n" % (len(p), ext, end, p) for p in pieces) + tail


HALVES = (BASE[:300], BASE[300:])
CHUNKED = chunks(*HALVES)
TE = ("Transfer-Encoding", "chunked")
SIZE = len(BASE)

HEADERS = [  # id, what, verdict, headers
    ("H01", "two Content-Type lines", "boundary", [CT, ("Content-Type", "text/plain")]),
    ("H01b", "the other way round", "content-type", [("Content-Type", "text/plain"), CT]),
    ("H01c", "the same twice", "boundary", [CT, CT]),
    ("H02", "folded Content-Type", "allowed", [("Content-Type", TYPE.replace("; ", ";\r\n "))]),
    ("H03", "blank before the colon", "httpd-400", [("Content-Type ", TYPE)]),
    ("H04", "Content_Type beside it", "header-refused", [CT, ("Content_Type", "text/evil")]),
    ("H04b", "REMOTE_USER", "header-refused", [CT, ("REMOTE_USER", "root")]),
    ("H04c", "X_Remote_User", "header-refused", [CT, ("X_Remote_User", "root")]),
    ("H04d", "Content_Length", "header-refused", [CT, ("Content_Length", "3")]),
    ("H05", "Cntent-Type", "content-type", [("Cntent-Type", TYPE)]),
    ("H06", "Connection names Content-Type", "header-refused", [CT, ("Connection", "close, content-type")]),
    ("H07", "Connection names a header of ours", "header-refused", [CT, ("Connection", "close, X-Remote-User")]),
    ("H07b", "Connection names Authorization", "header-refused", [CT, ("Connection", "authorization")]),
    ("H08", "Connection names Content-Length", "header-refused", [CT, ("Connection", "close, content-length")]),
    ("H08b", "Connection names Transfer-Encoding", "header-refused", [CT, ("Connection", "transfer-encoding")]),
    ("H08c", "two Connection lines", "header-refused", [CT, ("Connection", "close"), ("Connection", "cookie")]),
    ("H22", "Content-Encoding gzip", "content-encoding", [CT, ("Content-Encoding", "gzip")]),
    ("H22b", "Content-Encoding identity", "content-encoding", [CT, ("Content-Encoding", "identity")]),
    ("H22c", "Content-Encoding br", "content-encoding", [CT, ("Content-Encoding", "br")]),
    ("H22d", "an empty Content-Encoding", "content-encoding", [CT, ("Content-Encoding", "")]),
    ("H23", "Expect: 100-continue", "allowed", [CT, ("Expect", "100-continue")]),
    ("H24", "Expect: foo", "httpd-417", [CT, ("Expect", "foo")]),
    ("H25", "X-HTTP-Method-Override", "header-refused", [CT, ("X-HTTP-Method-Override", "DELETE")]),
    ("H25b", "X-Method-Override", "header-refused", [CT, ("X-Method-Override", "DELETE")]),
    ("H25c", "X-Original-URL", "header-refused", [CT, ("X-Original-URL", "/other/")]),
    ("H25d", "X-Rewrite-URL", "header-refused", [CT, ("X-Rewrite-URL", "/other/")]),
    ("H25e", "X-HTTP-Method", "header-refused", [CT, ("X-HTTP-Method", "PUT")]),
    ("H29", "two Host lines", "httpd-400", [CT, ("Host", "a"), ("Host", "b")]),
    ("H29b", "NUL in a header", "httpd-400", [CT, ("X-A", "a\0b")]),
    ("H29c", "CR in a header", "httpd-400", [CT, ("X-A", "a\rContent-Type: text/plain")]),
    ("H29d", "101 headers", "httpd-400", [CT] + [("X-%d" % i, "a") for i in range(101)]),
    ("H29e", "a header of 9 kB", "httpd-400", [CT, ("X-A", "a" * 9000)]),
    ("H29f", "a line without a colon", "httpd-400", [CT, ("X-A", "a\r\nnonsense")]),
    ("H30", "8-bit byte behind the boundary", "boundary", [("Content-Type", TYPE + "\xe9")]),
    ("H31", "Upgrade: h2c", "allowed", [CT, ("Upgrade", "h2c")]),
    ("H31b", "and Connection names it", "allowed", [CT, ("Upgrade", "h2c"), ("Connection", "Upgrade")]),
    ("H33", "Content-Type in lower case, no blank", "allowed", [("content-type", TYPE)]),
    ("H1", "two Authorization headers", "credentials-malformed", [CT, ("Authorization", "Basic eDp5")]),
    ("H2", "X-Devpi-Auth, cookies, names of users", "allowed",
     [CT, ("X-Devpi-Auth", "cm9vdDp4"), ("Cookie", "sessionid=x"), ("X-WEBAUTH-USER", "root"), ("REMOTE-USER", "root")]),
    ("H3", "REMOTE_USER", "header-refused", [CT, ("REMOTE_USER", "root")]),
    ("H4", "Connection: close, X-Remote-User", "header-refused", [CT, ("Connection", "close, X-Remote-User")]),
    ("H5", "Content-Encoding gzip", "content-encoding", [CT, ("Content-Encoding", "gzip")]),
]

FRAMINGS = [  # id, what, verdict, headers, body as it is, protocol
    ("H09", "length and chunks", "allowed", [CT, ("Content-Length", "5"), TE], CHUNKED, "HTTP/1.1"),
    ("H10", "identity", "httpd-400", [CT, ("Transfer-Encoding", "identity")], BASE, "HTTP/1.1"),
    ("H10b", "xchunked", "httpd-400", [CT, ("Transfer-Encoding", "xchunked")], CHUNKED, "HTTP/1.1"),
    ("H10c", "VT chunked", "httpd-400", [CT, ("Transfer-Encoding", "\x0bchunked")], CHUNKED, "HTTP/1.1"),
    ("H10d", "two lines", "httpd-400", [CT, TE, ("Transfer-Encoding", "identity")], CHUNKED, "HTTP/1.1"),
    ("H11", "gzip, chunked", "transfer-encoding", [CT, ("Transfer-Encoding", "gzip, chunked")], CHUNKED, "HTTP/1.1"),
    ("H11b", "chunked, chunked", "transfer-encoding", [CT, ("Transfer-Encoding", "chunked, chunked")], CHUNKED, "HTTP/1.1"),
    ("H12", "chunks in HTTP/1.0", "transfer-encoding", [CT, TE], CHUNKED, "HTTP/1.0"),
    ("H12b", "chunks and a length in HTTP/1.0", "transfer-encoding", [CT, ("Content-Length", str(SIZE)), TE], CHUNKED, "HTTP/1.0"),
    ("H12c", "chunks in HTTP/1.0, and the connection is to stay", "transfer-encoding", [CT, TE, ("Connection", "keep-alive")], CHUNKED,
     "HTTP/1.0"),
    ("H13", "two lengths that differ", "httpd-400", [CT, ("Content-Length", "5"), ("Content-Length", str(SIZE))], BASE, "HTTP/1.1"),
    ("H13b", "the same length twice", "httpd-400", [CT, ("Content-Length", str(SIZE)), ("Content-Length", str(SIZE))], BASE, "HTTP/1.1"),
    ("H13c", "a list of lengths", "httpd-400", [CT, ("Content-Length", "%d, %d" % (SIZE, SIZE))], BASE, "HTTP/1.1"),
    ("H13d", "a plus", "httpd-400", [CT, ("Content-Length", "+%d" % SIZE)], BASE, "HTTP/1.1"),
    ("H13e", "negative", "httpd-400", [CT, ("Content-Length", "-5")], BASE, "HTTP/1.1"),
    ("H13f", "hexadecimal", "httpd-400", [CT, ("Content-Length", "0x10")], BASE, "HTTP/1.1"),
    ("H13g", "too long a number", "httpd-400", [CT, ("Content-Length", "9" * 30)], BASE, "HTTP/1.1"),
    ("H14", "leading zeros", "allowed", [CT, ("Content-Length", "00%d" % SIZE)], BASE, "HTTP/1.1"),
    ("H15", "neither length nor chunks", "length-required", [CT], b"", "HTTP/1.1"),
    ("H16", "chunk extensions", "allowed", [CT, TE], chunks(*HALVES, ext=b';name="bbb"'), "HTTP/1.1"),
    ("H17", "chunk lines that end in LF", "body-broken", [CT, TE], chunks(*HALVES, end=b"\n"), "HTTP/1.1"),
    ("H17b", "0x in a chunk size", "body-broken", [CT, TE], b"0x" + CHUNKED, "HTTP/1.1"),
    ("H17c", "a negative chunk", "body-broken", [CT, TE], b"-" + CHUNKED, "HTTP/1.1"),
    ("H18", "a chunk of 2^68", "upload-too-large", [CT, TE], b"ffffffffffffffff1\r\n" + BASE, "HTTP/1.1"),
    ("H19", "blanks behind a chunk size", "allowed", [CT, TE], chunks(*HALVES, end=b"  \r\n"), "HTTP/1.1"),
    ("H20", "trailers", "allowed", [CT, TE], chunks(*HALVES, tail=b"0\r\nContent-Type: text/evil\r\n\r\n"), "HTTP/1.1"),
    ("H28", "HTTP/1.2", "allowed", [CT, ("Content-Length", str(SIZE))], BASE, "HTTP/1.2"),
    ("H28b", "HTTP/2.0 in text", "allowed", [CT, ("Content-Length", str(SIZE))], BASE, "HTTP/2.0"),
    ("H28c", "http/1.1", "httpd-400", [CT, ("Content-Length", str(SIZE))], BASE, "http/1.1"),
    ("H28d", "HTTP/1.0 with a length", "allowed", [CT, ("Content-Length", str(SIZE))], BASE, "HTTP/1.0"),
    ("H6", "chunks, trailers, Expect: 100-continue", "allowed", [CT, TE, ("Expect", "100-continue"), ("Trailer", "X-Remote-User")],
     chunks(*HALVES, tail=b"0\r\nX-Remote-User: root\r\n\r\n"), "HTTP/1.1"),
    ("Z15", "a length that ends inside the form", "form-truncated", [CT, ("Content-Length", str(SIZE - 40)), ("Connection", "close")],
     BASE[:-40], "HTTP/1.1"),
    ("Z15b", "a length that goes on behind it", "form-epilogue", [CT, ("Content-Length", str(SIZE + 40))], BASE + b"x" * 40, "HTTP/1.1"),
]

METHODS = ["PUT", "DELETE", "PATCH", "MOVE", "COPY", "MKCOL", "PROPFIND", "LOCK", "OPTIONS", "TRACE", "FOO", "post", "PUSH", "PROPPATCH",
           "UNLOCK", "REPORT", "MERGE"]
# {url} is the upload URL, {bare} the same without its last slash
PATHS = [
    ("P01", "not-found", "{bare}"), ("P02", "not-found", "/{url}"), ("P02b", "not-found", "{url}/"), ("P02c", "not-found", "/.{url}"),
    ("P02d", "not-found", "/x/..{url}"), ("P02e", "not-found", "/x/%2e%2e{url}"), ("P02f", "not-found", "/%6cegacy/"),
    ("P02g", "not-found", "{url}."), ("P03", "httpd-404", "{bare};a=b/"), ("P03b", "httpd-404", "{bare}./"), ("P03c", "httpd-404", "{bare}%20/"),
    ("P03d", "httpd-404", "{bare}%09/"), ("P03e", "httpd-404", "{bare}%0a/"), ("P03f", "httpd-404", "{bare}%5c"), ("P03g", "httpd-404", "/LEGACY/"),
    ("P03h", "httpd-404", "/%256cegacy/"), ("P04", "not-found", "{url}..;/"), ("P04b", "not-found", "{url};x"),
    ("P04c", "not-found", "{url}%3fname=bbb"), ("P04d", "not-found", "{url}%23"), ("P05", "httpd-404", "{bare}%2f"), ("P05b", "httpd-404", "{bare}%00/"),
    ("P06", "allowed", "http://evil{url}"), ("P07", "httpd-400", "{url}#x"), ("P07b", "httpd-400", "*"), ("P07c", "httpd-400", "legacy/"),
    ("P07d", "httpd-400", "\\legacy\\"), ("P08", "query-string", "{url}?name=bbb"), ("P08b", "query-string", "{url}?:action=remove_pkg"),
    ("P08c", "query-string", "{url}?_method=DELETE"), ("P09", "not-found", "{url}x"), ("P09b", "not-found", "{url}%20"), ("P09c", "not-found", "{url}bbb/"),
    ("P09d", "httpd-404", "{url}%2fbbb"), ("P09e", "httpd-404", "{url}%00"), ("P09f", "not-found", "{url}../legacy/"),
    ("P09h", "not-found", "http://evil/{url}"), ("P09i", "query-string", "{url}??"), ("D04", "query-string", "{url}?"),
    ("D05", "query-string", "{url}?&"), ("D06", "query-string", "http://evil{url}?name=bbb"),
    ("H7", "not-found", "/{url}"), ("H7b", "not-found", "/.{url}"), ("H7c", "not-found", "/%2e{url}"), ("H7d", "not-found", "{bare}"),
    ("H7e", "not-found", "{url};x"), ("H7f", "httpd-404", "{bare}%2F"),
]


def http(cid, what, verdict, headers, **kw):
    return Case(cid, kw.pop("klass", cid[0]), what, verdict, kw.pop("body", BASE), headers=headers, http_only=True, **kw)


def cases():
    yield http("D01", "?name=bbb", "query-string", [CT], query="name=bbb")
    yield http("D02", "?:action=remove_pkg", "query-string", [CT], query=":action=remove_pkg&name=bbb&version=1.0")
    yield http("D03", "?_method=DELETE", "query-string", [CT], query="_method=DELETE")
    yield http("06", "?" + EVIL, "query-string", [CT], query=EVIL, klass="D")
    for cid, what, verdict, headers in HEADERS:
        yield http(cid, what, verdict, headers)
    for cid, what, verdict, headers, body, protocol in FRAMINGS:
        yield http(cid, what, verdict, headers, body=body, protocol=protocol, framing="raw")
    for k, method in enumerate(METHODS):
        yield http("H26" + "abcdefghijklmnopq"[k - 1] * (k > 0), "method " + method, "method", [CT, ("Destination", "/bbb/")], method=method,
                   body=b"" if method == "TRACE" else BASE)
    for cid, method in (("H9", "TRACE"), ("H9b", "OPTIONS"), ("H9c", "BREW")):
        yield http(cid, "method " + method, "method", [CT], method=method, body=b"" if method == "TRACE" else BASE)
    for cid, method in (("N11", "PUT"), ("N11b", "DELETE"), ("N11c", "MOVE"), ("N11d", "PATCH")):
        yield http(cid, method + " on a path of bbb", "not-found", [CT, ("Destination", "/legacy/bbb/")], method=method, path="bbb/1.0", klass="H")
    yield http("H29g", "two blanks behind the method", "httpd-400", [CT], method="POST ")
    yield http("H32", "an empty line before the request", "allowed", [CT], method="\r\nPOST")
    for cid, verdict, path in PATHS:
        yield http(cid, path, verdict, [CT], path="=" + path, klass=cid[0])
