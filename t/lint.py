#!/usr/bin/python3
"""lint.py - the project's own checker: floors, prefixes, banned functions, sizes, heads, words.

    t/lint.py [TREE]     one line a fault; exit 1 when there is any
"""
import glob
import os
import re
import sys

FLOORS = {  # room: what it may include from the house
    "core": {"core"},
    "store": {"core", "store"},
    "access": {"core", "store", "access"},
    "httpd": {"core", "store", "access", "httpd"},
    "ctl": {"core", "store", "access", "ctl"},
}
# store/ may use of core/ only what is data and plumbing
STORE_CORE = {"core/slice.h", "core/seam.h", "core/macaroon.h", "core/utf8.h", "core/verdict.h"}
BANNED = ("strcpy strcat sprintf vsprintf gets atoi atol atoll strtok alloca system popen rand srand "
          "tmpnam mktemp setjmp longjmp apr_pstrcatv").split()
FILE_MAX, FUNCTION_MAX, WIDTH_MAX = 450, 80, 100
# phrases that upload clients take for "the file is there, go on"
PHRASES = ["already exist", "updating asset", "cannot be updated", "already been taken", "overwrite artifact",
           "was ever registered"]
# what has no place in the repository; spelled so that this file does not hold it
WORDS = ["/wo" + "rk/", "de" + "b.debian.org", "py" + "thonhosted.org", "registry.np" + "mjs", "Clau" + "de",
         "TO" + "DO", "FIX" + "ME", "XX" + "X:"]
SKIP_WORDS = ("t/data/", "t/fuzz/corpus/", "LICENSE", ".git/")


def strip(text):
    """The code without comments and string contents, line breaks kept."""
    def blank(m):
        s = m.group(0)
        if s.startswith('"'):
            return '""'
        return "''" if s.startswith("'") else re.sub(r"[^\n]", " ", s)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def prefixes(path):
    """What a function in this file may begin with: the file's name or its family's."""
    stem = os.path.basename(path).rsplit(".", 1)[0]
    words = stem.split("_")
    return ["_".join(words[:n]) for n in range(len(words), 0, -1)]


def includes(path, room, text):
    for name in re.findall(r'^\s*#\s*include\s+["<]([^">]+)[">]', text, flags=re.M):
        top = name.split("/")[0]
        if top in FLOORS and top not in FLOORS[room]:
            yield "%s: %s/ may not include %s" % (path, room, name)
        if room == "store" and top == "core" and name not in STORE_CORE:
            yield "%s: store/ may not use %s" % (path, name)
        if room != "httpd" and re.match(r"(httpd|http_\w+|ap_\w+|mod_\w+|util_\w+)\.h$", name):
            yield "%s: httpd's %s below httpd/" % (path, name)


def functions(path, code):
    """Definitions begin at column 0 and end with a brace at column 0 (clang-format sees to it)."""
    lines = code.split("\n")
    allowed = prefixes(path)
    for at, line in enumerate(lines):
        if line != "{":
            continue
        head = at - 1
        while head > 0 and lines[head - 1].strip() and not re.match(r"[#}]|.*[;{}]\s*$", lines[head - 1]):
            head -= 1
        m = re.search(r"(\w+)\s*\(", " ".join(lines[head:at]))
        if not m:
            continue
        end = next((n for n in range(at, len(lines)) if lines[n].startswith("}")), len(lines))
        if end - head > FUNCTION_MAX:
            yield "%s:%d: %s is %d lines long (%d)" % (path, head + 1, m.group(1), end - head, FUNCTION_MAX)
        name = m.group(1)
        if name != "main" and not any(name == p or name.startswith(p + "_") for p in allowed):
            yield "%s:%d: %s does not begin with its file's name" % (path, head + 1, name)


def source(path, room, text):
    code = strip(text)
    yield from includes(path, room, text)
    for name in BANNED:
        for m in re.finditer(r"(?<![\w.>])%s\s*\(" % name, code):
            yield "%s:%d: %s is banned" % (path, code.count("\n", 0, m.start()) + 1, name)
    if room != "httpd":
        m = re.search(r"(?<!\w)ap_[a-z]\w*\s*\(", code)
        if m:
            yield "%s: %s... below httpd/" % (path, m.group(0))
    if not text.startswith("/*"):
        yield "%s: no comment at its head" % path
    lines = text.split("\n")
    if len(lines) - 1 > FILE_MAX:
        yield "%s: %d lines (%d)" % (path, len(lines) - 1, FILE_MAX)
    for n, line in enumerate(lines, 1):
        if len(line) > WIDTH_MAX:
            yield "%s:%d: %d columns (%d)" % (path, n, len(line), WIDTH_MAX)
        if "\t" in line:
            yield "%s:%d: a tab" % (path, n)
    if path.endswith(".c"):
        yield from functions(path, code)


def sentences(path, text):
    text = re.sub(r'"\s*(?:\\\s*)?\n\s*"', "", text)
    for row in re.findall(r"X\((\w+),\s*\"[^\"]*\",\s*\d+,\s*\"([^\"]*)\"", text):
        for phrase in PHRASES:
            if phrase in row[1].lower() and row[0] != "FILE_EXISTS":
                yield '%s: the sentence of %s holds "%s"' % (path, row[0], phrase)


def template(path, text):
    """Escaping makes a value safe in text and in quoted attributes: it stands nowhere else."""
    for pattern, fault in ((r"(?i)<script|<iframe|<object|<embed|<base", "a forbidden element"),
                           (r"(?i)\s(style|on\w+|srcdoc)\s*=", "a forbidden attribute"),
                           (r"(?i)(https?:)?//\w", "an address elsewhere"),
                           (r"(?i)(href|src|action)=\"(?!\{\{root\}\}|#)", "an address that does not begin with {{root}}")):
        for m in re.finditer(pattern, text):
            yield "%s:%d: %s" % (path, text.count("\n", 0, m.start()) + 1, fault)
    # outside quotes a tag may hold sections that are markup themselves, but no value
    for tag in re.finditer(r"<[a-z](?:\{\{[^}]*\}\}|\"[^\"]*\"|[^<>\"{])*>", re.sub(r"\{\{!.*?\}\}", "", text)):
        if re.search(r"\{\{[^#^/]", re.sub(r"\"[^\"]*\"", "", tag.group(0))):
            yield "%s: a value outside of quotes in %s" % (path, tag.group(0)[:60])


def head(path, text):
    """What lives here, in the first line that a reader reads; by the kind of file, or None."""
    lines = [line for line in text.split("\n")[:2] if not line.startswith(("#!", "<?php"))]
    first = lines[0] if lines else ""
    if path.endswith((".c", ".h")):
        return text.startswith("/*")
    if path.endswith((".py", ".t")):
        return first.startswith(('"""', "# "))
    if path.endswith(".sql"):
        return first.startswith("-- ")
    if path.endswith(".conf"):
        return first.startswith("# %s - " % os.path.basename(path))
    if path.endswith((".mjs", ".go", ".php")):
        return first.startswith(("//", "/*"))
    if text.startswith("#!"):
        return first.startswith(("# ", '"""'))
    return None


def heads(tree, path, text):
    if head(path, text) is False:
        yield "%s: no head that says what lives there" % path
    if re.match(r"t/[^/]+\.t$", path) and not os.access(os.path.join(tree, path), os.X_OK):
        yield "%s: is not executable" % path


def words(tree):
    for at, dirs, names in os.walk(tree):
        dirs[:] = [d for d in dirs if d not in (".git", "__pycache__", "autom4te.cache", "build-aux", "m4")
                   and not d.startswith("_")]
        for name in names:
            path = os.path.relpath(os.path.join(at, name), tree)
            if path.startswith(SKIP_WORDS) or name.endswith("~") or name in (
                    "configure", "aclocal.m4", "Makefile.in", "config.log"):
                continue
            with open(os.path.join(tree, path), "rb") as f:
                data = f.read(1 << 20).decode("utf-8", "replace")
            if not path.startswith("mod_pypitoken/") or not path.endswith((".c", ".h")):
                yield from heads(tree, path, data)
            for word in WORDS:
                if word in data:
                    yield "%s: holds the word %r" % (path, word)


def check(tree):
    for room in FLOORS:
        for path in sorted(glob.glob(os.path.join(tree, "mod_pypitoken", room, "*.[ch]"))):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            name = os.path.relpath(path, tree)
            yield from source(name, room, text)
            if name == "mod_pypitoken/core/verdict.h":
                yield from sentences(name, text)
    for path in sorted(glob.glob(os.path.join(tree, "mod_pypitoken", "httpd", "pages", "*.html"))):
        with open(path, encoding="utf-8") as f:
            yield from template(os.path.relpath(path, tree), f.read())
    yield from words(tree)


def main(argv):
    tree = argv[0] if argv else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    faults = list(check(tree))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
