"""C43 and on, F: fields that stand twice or in another order, what name and version may be, other actions."""
from form import CONTENT, NAME, VERSION, body, fields, form, join, part, splice

EVIL = part("content", "EVIL", "bbb-1.0.tar.gz")

TWICE = [  # id, what, behind, in front
    ("C43", "name twice, evil last", [part("name", "bbb")], []),
    ("C43b", "name twice, evil first", [], [part("name", "bbb")]),
    ("C43c", "name twice, the same", [part("name", "aaa")], []),
    ("C44", "content twice, evil last", [EVIL], []),
    ("C44b", "content twice, evil first", [], [EVIL]),
    ("C46", "second action", [part(":action", "doc_upload")], []),
    ("C46b", "second action that deletes", [], [part(":action", "remove_pkg")]),
    ("C46c", "version twice", [part("version", "2.0")], []),
    ("C46d", "filetype twice", [part("filetype", "bdist_wheel")], []),
    ("C46e", "metadata_version twice", [part("metadata_version", "1.0")], []),
    ("C46f", "protocol_version twice", [part("protocol_version", "1")], []),
    ("C46g", "pyversion twice", [part("pyversion", ""), part("pyversion", "source")], []),
    ("C46h", "digest twice", [part("sha256_digest", "0" * 64), part("sha256_digest", "1" * 64)], []),
    ("C46i", "empty name first", [], [part("name", "")]),
    ("C46j", "md5_digest twice", [part("md5_digest", ""), part("md5_digest", "")], []),
    ("C46k", "blake2_256_digest twice", [part("blake2_256_digest", ""), part("blake2_256_digest", "")], []),
    ("C46l", "requires_python twice", [part("requires_python", ""), part("requires_python", ">=3")], []),
    ("C46m", "summary twice", [part("summary", "a"), part("summary", "b")], []),
    ("C46n", "two signatures, a file and a text", [part("gpg_signature", "S", "aaa-1.0.tar.gz.asc"), part("gpg_signature", "S")], []),
    ("C46o", "two signature files", [part("gpg_signature", "S", "aaa-1.0.tar.gz.asc")] * 2, []),
    ("01", "two names, good first", [], [part("name", "aaa")]),
    ("02", "two names, bad first", [], [part("name", "bbb")]),
    ("03", "a bad name behind content", [part("name", "bbb")], []),
    ("04", "two contents", [EVIL], []),
    ("05", "two actions", [part(":action", "remove_pkg")], []),
    ("97", "an empty name, then aaa", [], [part("name", "")]),
]

NAMES = [  # id, value; none of them is a name, and none may become one by being tidied up
    ("C50", " aaa "), ("C50a", "aaa "), ("C50b", "aaa\n"), ("C50d", b"\xef\xbb\xbfaaa"), ("C50f", "\uff42\uff42\uff42"),
    ("C50h", "aaa\u212abbb"), ("C50i", "aaa!bbb"), ("C50j", "aaa bbb"), ("C50k", "-aaa"), ("C50l", "aaa-"), ("C50m", "aaa/bbb"),
    ("C50n", "../bbb"), ("C50p", "aaa\r\nbbb"), ("C50q", "aaa%00"), ("C51", ""), ("C50r", "aaa\t"), ("C50s", "aaa[extra]"),
    ("C50t", "aaa==1.0"), ("C50u", "aaa,bbb"), ("C50v", "aaa;bbb"), ("C50w", "aaa+bbb"), ("C50x", "_aaa"), ("C50y", ".aaa"), ("C50z", "aaa."),
    ("73", " aaa "), ("72", "aaa\r\nbbb"), ("N8", "aaa!bbb"), ("N8b", "aaa bbb"), ("N8c", "aaa\u212abbb"), ("c1", "\uff41\uff41\uff41"),
    ("c2", "\u212aaa"), ("c3", "aaa\n"),
]
BYTES = [  # values that are no text
    ("C50c", b"aaa\0bbb"), ("C50e", b"a\xffaa"), ("C50g", b"\xc1\xa2bb"), ("71", b"aaa\0bbb"),
]
VERSIONS = [
    ("E20", "v1.0"), ("E21", "../bbb/1.0"), ("E22", "bbb/1.0"), ("E23", ""), ("E24", " 1.0"), ("E25", "1.0\n"), ("E27", "dog"),
    ("E28", "1.0.dev.a1"), ("E30a", "1.0.*"), ("E30b", "==1.0"), ("E30c", "1.0,2.0"), ("E30d", "1.0 "), ("E30e", "1..0"), ("E30f", "1.0."),
    ("E30g", "!1.0"), ("E30h", "1!"), ("E30i", "1!2!3.0"), ("E30j", "1.0+"), ("E30k", "1.0+a+b"), ("E30l", "1.0+.a"), ("E30m", "-1.0"),
    ("E30n", "+1.0"), ("E30o", "1.0\u0661"), ("E30p", "\uff11.0"), ("E30q", "1.0;x"), ("E30r", "1.0-"), ("E30s", "1.0rc1rc2"), ("E30t", "0x10"),
    ("E30u", "1.0\\"), ("E30v", "1,0"), ("E30w", "1.0#x"), ("E30x", "V1.0"), ("E30y", "1.0+\u00e9"), ("90", "../bbb/1.0"),
]
ACTIONS = ["remove_pkg", "doc_upload", "submit", "submit_pkg_info", "verify", "", "FILE_UPLOAD", " file_upload", "file_upload ",
           "list_classifiers", "file_upload\r\n", "file_upload,remove_pkg", "file_upload;", "file\u005fupload ", "file\uff3fupload", "file_uplo\u0430d"]


def named(value):
    return splice(NAME, [part("name", value)])


def cases():
    for cid, what, behind, before in TWICE:
        yield form(cid, "C", what, "field-duplicate", body(extra=behind, before=before))
    yield form("C45", "C", "name after content", "allowed",
               join([p for i, p in enumerate(fields()) if i != NAME] + [part("name", "aaa")]))
    yield form("b7", "C", "content first", "allowed", join(fields()[::-1]))
    for cid, value in NAMES:
        yield form(cid, "C", "name is %r" % (value,), "name-invalid", named(value))
    for cid, value in BYTES:
        yield form(cid, "C", "name is %r" % (value,), "field-value", named(value))
    yield form("C50o", "C", "name of 300 letters", "field-size", named("a" * 300))
    yield form("C50oo", "C", "name of 101 letters", "name-invalid", named("a" * 101))
    for cid, value in VERSIONS:
        yield form(cid, "E", "version is %r" % (value,), "version-invalid", splice(VERSION, [part("version", value)]))
    yield form("E26", "E", "version with a NUL", "field-value", splice(VERSION, [part("version", b"1.0\0")]))
    yield form("E29", "E", "version of 400 digits", "field-size", splice(VERSION, [part("version", "1" * 400)]))
    yield form("E29b", "E", "version of 129 digits", "version-invalid", splice(VERSION, [part("version", "1" * 129)]))
    yield form("N7", "E", "project packages, version bbb/1.0", "version-invalid",
               join([part("version", "bbb/1.0") if i == VERSION else p for i, p in enumerate(fields(name="packages"))]))
    for k, action in enumerate(ACTIONS):
        yield form("F%02d" % (k + 1), "F", ":action is %r" % (action,), "action", join([part(":action", action)] + fields()[1:]))
    yield form("F17", "F", ":action with a NUL", "field-value", join([part(":action", b"file_upload\0")] + fields()[1:]))
    yield form("N10", "F", "submit for bbb", "action", join([part(":action", "submit"), part("name", "bbb"), part("version", "1.0"),
                                                            part("content", "x", "bbb-1.0.tar.gz")]))
    yield form("N10b", "F", "doc_upload", "filename-invalid", join([part(":action", "doc_upload"), part("name", "bbb"),
                                                                   part("content", "PK", "bbb.zip")]))
    yield form("F18", "F", "remove_pkg without a file", "field-missing", join([part(":action", "remove_pkg"), part("name", "bbb"),
                                                                             part("version", "1.0")]))
    for k, missing in enumerate([0, NAME, VERSION, CONTENT]):
        parts = fields()
        del parts[missing]
        yield form("F%02d" % (k + 20), "F", "a field left out", "field-missing", join(parts))
