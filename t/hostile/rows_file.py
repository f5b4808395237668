"""E: what the file is called, in its header and in the grammar of file names."""
from form import CONTENT, FILE, body, fields, file_head, form, join, part, splice

WHEEL = "py3-none-any.whl"
PROJECT, INVALID, VERSION = "filename-project", "filename-invalid", "filename-version"

NAMES = [  # id, verdict, file name; the form says aaa 1.0
    ("E01", PROJECT, "bbb-1.0.tar.gz"),
    ("E02", VERSION, "aaa-2.0.tar.gz"),
    ("E03", INVALID, "../bbb-1.0.tar.gz"),
    ("E04", INVALID, "aaa-1.0.tar.gz/bbb-1.0.tar.gz"),
    ("E06", INVALID, "%62%62%62-1.0.tar.gz"),
    ("E07", INVALID, "=?utf-8?Q?bbb-1.0.tar.gz?="),
    ("E08", INVALID, "&#98;bb-1.0.tar.gz"),
    ("E09", INVALID, "aaa-1.0.tar.gz "),
    ("E10", INVALID, " aaa-1.0.tar.gz"),
    ("E11", INVALID, ".aaa-1.0.tar.gz"),
    ("E12", INVALID, "aaa-1.0.exe"),
    ("E13", INVALID, "aaa-1.0-py2.7.egg"),
    ("E14", INVALID, "aaa-1-2.tar.gz"),
    ("E15", INVALID, "aaa-py3.9-1.0.tar.gz"),
    ("E16", INVALID, "aaa-1.0"),
    ("E17", INVALID, "-1.0.tar.gz"),
    ("E18", INVALID, "aaa-.tar.gz"),
    ("E19", PROJECT, "aaab-1.0.tar.gz"),
    ("E30", INVALID, "aaa-v1-2.0-" + WHEEL),
    ("E31", INVALID, "aaa-bbb-1.0-" + WHEEL),
    ("E32", PROJECT, "bbb-1.0-" + WHEEL),
    ("E33", VERSION, "aaa-2.0-" + WHEEL),
    ("E34", INVALID, "aaa-1.0.whl"),
    ("E35", INVALID, "aaa-1.0-q-" + WHEEL),
    ("E36", INVALID, "aaa-1.0-py3-none-any-x-y.whl"),
    ("E38", INVALID, "a" * 300 + "-1.0.tar.gz"),
    ("E39", INVALID, "aaa-1.0.TAR.GZ"),
    ("E40", INVALID, "aaa-1.0.tar.gz;x"),
    ("E42", INVALID, ""),
    ("E43", INVALID, "aaa--1.0.tar.gz"),
    ("E44", INVALID, "aaa-1.0-.tar.gz"),
    ("E45", INVALID, "aaa-1.0.tar.gz.tar.gz"),
    ("E46", INVALID, "aaa-1.0.tar.gz.asc"),
    ("E47", INVALID, "aaa-1.0.tgz"),
    ("E48", INVALID, "aaa_1.0.tar.gz"),
    ("E49", INVALID, "aaa-bbb-1.0.tar.gz"),
    ("E80", INVALID, "aaa-1.0--" + WHEEL),
    ("E81", INVALID, "aaa__b-1.0-" + WHEEL),
    ("E82", INVALID, "aaa-1.0-py3-none-.whl"),
    ("E83", INVALID, "aaa-1.0-py3-none-any.WHL"),
    ("E84", INVALID, "aaa-1.0-py3-none-an+y.whl"),
    ("E85", INVALID, "1.0-aaa-" + WHEEL),
    ("E86", INVALID, "aaa-1.0.tar.gz\t"),
    ("E87", INVALID, "aaa-1.0.win32-py3.9.tar.gz"),
    ("E88", INVALID, "aaa-1.0.linux-x86_64.tar.gz"),
    ("E89", INVALID, "aaa-1.0.src.rpm"),
    ("E90", VERSION, "aaa-1.0.post1.tar.gz"),
    ("E91", VERSION, "aaa-1!1.0.tar.gz"),
    ("E92", VERSION, "aaa-1.0+local.tar.gz"),
    ("E93", INVALID, "aaa-v1.0.tar.gz"),
    ("E94", PROJECT, "a.aa-1.0.tar.gz"),
    ("E95", INVALID, "aaa -1.0.tar.gz"),
    ("E96", INVALID, "aaa-1.0%2B.tar.gz"),
    ("E97", INVALID, "C:aaa-1.0.tar.gz"),
    ("E98", INVALID, "con:aaa-1.0.tar.gz"),
    ("E99", INVALID, "aaa-1.0.tar.gz::$DATA"),
    ("C12b", INVALID, "..%2fbbb-1.0.tar.gz"),
    ("C13", INVALID, "&#98;bb-1.0.tar.gz"),
    ("C16", INVALID, "x; name=name; .tar.gz"),
    ("C47", INVALID, "../../bbb-1.0.tar.gz"),
    ("C47d", INVALID, "aaa-1.0.tar.gz/bbb-1.0.tar.gz"),
    ("C47f", PROJECT, "bbb-1.0.tar.gz"),
    ("07", PROJECT, "bbb-1.0.tar.gz"),
    ("08", INVALID, "../bbb/bbb-1.0.tar.gz"),
    ("24", INVALID, "=?utf-8?Q?bbb-1.0.tar.gz?="),
    ("25", INVALID, "%62%62%62-1.0.tar.gz"),
    ("80", INVALID, "aaa-1.0.tar.gz; filename=bbb-1.0.tar.gz"),
    ("82", INVALID, "aaa-1.0.tar.gz "),
    ("e4", PROJECT, "aaab-1.0.tar.gz"),
    ("e1", INVALID, "aaa-v1-2.0-" + WHEEL),
    ("e5", INVALID, "aaa-bbb-1.0-" + WHEEL),
    ("e7", INVALID, "aaa-1.0-py3.9.egg"),
]

HEADERS = [  # the header is the trick
    ("E05", 'filename="C:\\aaa-1.0\\bbb-1.0.tar.gz"'),
    ("E41", 'filename="aaa-1.0.tar.gz\\"'),
    ("E50", 'filename="aaa-1.0.tar.gz"; filename="bbb-1.0.tar.gz"'),
    ("E51", "filename=\"aaa-1.0.tar.gz\"; filename*=utf-8''bbb-1.0.tar.gz"),
    ("E52", "filename*=utf-8''aaa-1.0.tar.gz"),
    ("E53", 'filename="aaa-1.0.tar.gz"; filename*0="bbb-1.0"; filename*1=".tar.gz"'),
    ("E54", 'FileName="aaa-1.0.tar.gz"'),
    ("E55", "filename=aaa-1.0.tar.gz"),
    ("E56", 'filename=aaa"bbb-1.0.tar.gz"'),
    ("E58", 'filename="x\\"; name=\\"name\\"; .tar.gz"'),
    ("E60", 'filename="aaa-1.0.tar.gz'),
    ("E62", "filename='aaa-1.0.tar.gz'"),
    ("E63", 'filename="aaa-1.0.tar.gz"; modification-date="x"'),
    ("E64", ' filename="aaa-1.0.tar.gz"'),
    ("E65", 'filename="aaa-1.0.tar.gz";'),
    ("E66", 'filename="aaa-1.0.tar.gz""bbb-1.0.tar.gz"'),
    ("E67", 'filename="aaa-1.0.tar.gz"; name="name"'),
    ("E68", 'size=3; filename="aaa-1.0.tar.gz"'),
    ("C06", "filename=\"aaa-1.0.tar.gz\"; filename*=utf-8''bbb-1.0.tar.gz"),
    ("C06b", "filename*=utf-8''bbb-1.0.tar.gz"),
    ("C07", 'filename="aaa-1.0.tar.gz"; filename*0="bbb-1.0"; filename*1=".tar.gz"'),
    ("C08", 'filename="aaa-1.0.tar.gz"; filename="bbb-1.0.tar.gz"'),
    ("C47b", 'filename="C:\\aaa-1.0\\bbb-1.0.tar.gz"'),
    ("C47e", "filename=bbb-1.0.tar.gz"),
    ("09", 'filename="..\\bbb\\bbb-1.0.tar.gz"'),
    ("10", 'filename="aaa\\"bbb-1.0.tar.gz"'),
    ("11", 'filename="aaa-1.0.tar.gz"; filename="bbb-1.0.tar.gz"'),
    ("12", "filename=\"aaa-1.0.tar.gz\"; filename*=UTF-8''bbb-1.0.tar.gz"),
    ("13", "filename*=UTF-8''bbb-1.0.tar.gz"),
    ("14", 'filename*0="bbb-1"; filename*1=".0.tar.gz"'),
    ("79", 'filename="aaa-1.0.tar.gz'),
    ("92", 'filename=aaa"bbb-1.0.tar.gz"'),
    ("b4", "filename*=UTF-8''bbb-1.0.tar.gz; filename=\"aaa-1.0.tar.gz\""),
    ("b5", "filename=\"aaa-1.0.tar.gz\"; filename*=UTF-8'en'bbb-1.0.tar.gz"),
    ("b6", 'FileName="bbb-1.0.tar.gz"'),
]
BYTES = [  # bytes that do not print
    ("E37", 'filename="aaa-1.0.tar.gz\xc3\xa9"'),
    ("E57", 'filename="aaa-1.0.tar.gz\0bbb-1.0.tar.gz"'),
    ("C27", 'filename="\xc3\xa4aa-1.0.tar.gz"'),
    ("C27b", 'filename="aaa\xff-1.0.tar.gz"'),
    ("C47c", 'filename="aaa-1.0.tar.gz\0bbb-1.0.tar.gz"'),
    ("81", 'filename="aaa-1.0.tar.gz\0bbb-1.0.tar.gz"'),
]

PAIRS = [  # id, verdict, name, version, file name: the ways to split a file name in two
    ("e0", INVALID, "aaa", "1-2", "aaa-1-2.tar.gz"),
    ("e0b", INVALID, "aaa", "2024-1", "aaa-2024-1.tar.gz"),
    ("e0c", INVALID, "aaa", "1a1-2", "aaa-1a1-2.tar.gz"),
    ("e0d", INVALID, "aaa", "1-r2", "aaa-1-r2.tar.gz"),
    ("e2", INVALID, "aaa-1.0", "2", "aaa-1.0-2.tar.gz"),
    ("e3", INVALID, "aaa-py3.9", "1.0", "aaa-py3.9-1.0.tar.gz"),
    ("e6", INVALID, "zope.aaa-bb", "1", "zope.aaa-bb-1.tar.gz"),
    ("E100", "token-scope", "aaa-1.0", "2", "aaa_1.0-2.tar.gz"),
    ("E101", "token-scope", "aaa.1.0", "2", "aaa.1.0-2.tar.gz"),
    ("E102", "token-scope", "aaa-py3.9", "1.0", "aaa_py3.9-1.0.tar.gz"),
    ("E103", "token-scope", "aaa1", "0", "aaa1-0.tar.gz"),
    ("E104", "token-scope", "a", "1.0", "a-1.0.tar.gz"),
    ("E105", "token-scope", "bbb", "1.0", "bbb-1.0.tar.gz"),
    ("E106", "token-scope", "BBB", "1.0", "BBB-1.0-" + WHEEL),
    ("E107", "token-scope", "aa.a", "1.0", "aa.a-1.0.tar.gz"),
    ("E108", "allowed", "AAA", "1.0", "AAA-1.0.tar.gz"),
    ("E109", "allowed", "AAA", "1.0", "aaa-1.0-1-" + WHEEL),
    ("E110", "allowed", "aaa", "1.0", "aaa-1.0.0.tar.gz"),
    ("E111", "allowed", "aaa", "1.0.0", "aaa-1.0.zip"),
    ("E112", "allowed", "aaa", "1!1.0", "aaa-1!1.0.tar.gz"),
    ("E113", "allowed", "aaa", "1.0+Local-1", "aaa-1.0+local.1.tar.gz"),
    ("E114", "allowed", "aaa", "1.0+local.1", "aaa-1.0+local_1-" + WHEEL),
    ("E115", "allowed", "aaa", "1.0-1", "aaa-1.0.post1.tar.gz"),
    ("E116", "allowed", "aaa", "1.0.ALPHA-1", "aaa-1.0a1.tar.gz"),
    ("E117", VERSION, "aaa", "2!1.0", "aaa-1!1.0.tar.gz"),
    ("E118", VERSION, "aaa", "1.0+a", "aaa-1.0+b.tar.gz"),
    ("E119", VERSION, "aaa", "1.0", "aaa-1.0+a.tar.gz"),
    ("E120", VERSION, "aaa", "11.0", "aaa-1!1.0.tar.gz"),
    ("E121", VERSION, "aaa", "1.0.1", "aaa-1.0+1.tar.gz"),
    ("E122", "allowed", "aaa", "0!1.0", "aaa-1.0.tar.gz"),
    ("E123", VERSION, "aaa", "1.0a1", "aaa-1.0b1.tar.gz"),
    ("E124", INVALID, "aaa", "1.0-1", "aaa-1.0-1.tar.gz"),
    ("E125", "allowed", "aaa", "01.00", "aaa-1.0.tar.gz"),
    ("E126", "allowed", "aaa", "1.0", "aaa-1.0-2024bbb-" + WHEEL),
]


def kind(filename):
    return "bdist_wheel" if filename.endswith(".whl") else "sdist"


def cases():
    for cid, verdict, filename in NAMES:
        if "\t" in filename:
            verdict = "part-header"
        yield form(cid, "E", "file name %r" % filename[:50], verdict, body(filename=filename, filetype=kind(filename)))
    for cid, tail in HEADERS:
        yield form(cid, "E", tail[:60], "part-disposition", file_head(tail))
    for cid, tail in BYTES:
        yield form(cid, "E", repr(tail)[:60], "part-header", file_head(tail))
    for cid, verdict, name, version, filename in PAIRS:
        yield form(cid, "E", "%s %s as %s" % (name, version, filename), verdict,
                   join(fields(name=name, version=version, filename=filename, filetype=kind(filename))))
    for cid, what, verdict, filename in (("E70", "another file", "signature-name", "bbb-1.0.tar.gz.asc"),
                                         ("E71", "this file", "allowed", "aaa-1.0.tar.gz.asc"),
                                         ("91", "another file", "signature-name", "bbb-1.0.tar.gz.asc"),
                                         ("E77", "a path", "signature-name", "../aaa-1.0.tar.gz.asc"),
                                         ("E78", "the file itself", "signature-name", "aaa-1.0.tar.gz"),
                                         ("E79", "another case", "signature-name", "AAA-1.0.tar.gz.asc")):
        yield form(cid, "E", "signature of " + what, verdict, body(extra=[part("gpg_signature", "SIG", filename)]))
    for cid, charset, filename in (("E72", "utf-7", "aaa-1.0.tar.gz"), ("c9", "utf-7", "aaa-1.0+AC8.tar.gz"),
                                   ("E72b", "utf-8", "aaa-1.0.tar.gz"), ("E72c", "utf-16le", "aaa-1.0.tar.gz")):
        yield form(cid, "E", "%s on the file part" % charset, "part-type",
                   splice(CONTENT, [part("content", FILE, filename, "application/octet-stream; charset=" + charset)]))
    yield form("E59", "E", "parameters inside the quotes", INVALID, file_head('filename="x; name=name; .tar.gz"'))
    yield form("E61", "E", "an empty file name", INVALID, file_head('filename=""'))
    yield form("E73", "E", "sdist called a wheel", "allowed", body(filetype="bdist_wheel"))
    yield form("E73b", "E", "an egg", "filetype", body(filetype="bdist_egg"))
    yield form("E75", "E", "content[]", "field-name", body(extra=[part("content[]", "EVIL", "bbb-1.0.tar.gz")]))
    yield form("E76", "E", "another file field", "field-file", body(extra=[part("docs", "EVIL", "bbb-1.0.tar.gz")]))
    yield form("E76b", "E", "name as a file", "field-file", body(extra=[part("name", "bbb", "bbb-1.0.tar.gz")]))
