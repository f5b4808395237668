#!/usr/bin/python3
"""docs.t - what the manual says is what there is, both ways."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, tap  # noqa: E402


def read(name):
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as f:
        return f.read()


def verdicts(t):
    table = {word: status for word, status in re.findall(r'^    X\(\w+, "([a-z0-9-]+)", (\d+),', read("mod_pypitoken/core/verdict.h"), re.M)}
    page = re.findall(r"^    ([a-z][a-z0-9-]+) +(\d{3})  \S", read("doc/verdicts"), re.M)
    t.ok(len(table) > 50, "the table of verdicts is read")
    t.is_(sorted(set(table) - {w for w, _ in page}), [], "every verdict stands in doc/verdicts")
    t.is_([w for w, s in page if table.get(w) != s], [], "  with its status, and no other does")
    t.is_(len(page), len({w for w, _ in page}), "  once")


def store(t):
    """doc/store: the options of a mysql:// URL with their defaults, the commands, directives and files."""
    page, code = read("doc/store"), read("mod_pypitoken/store/db_mysql_url.c")
    rows = re.search(r"db_mysql_url_options\[\] = \{(.*?)\n\};", code, re.S).group(1)
    options = set(re.findall(r'\{"([a-z-]+)",', rows))
    words = set(re.findall(r'"(\w+)"', re.search(r"db_mysql_url_words\[\] = \{(.*?)\}", code).group(1)))
    told = re.findall(r"^    ([a-z-]+)=(\S+)  +\S", page, re.M)
    t.ok(len(options) > 8, "the options of a URL are read")
    t.is_({name for name, _ in told}, options, "doc/store has each of them, and no other")
    t.is_({value for name, value in told if name == "tls"}, words, "  and each value of tls=")
    value = dict(told)
    seconds = re.findall(r"url->((?:\w+ = url->)*\w+) = (\d+);", code)
    defaults = {name.replace("_", "-"): n + "s" for names, n in seconds for name in names.replace("url->", "").split(" = ")}
    t.is_({name: value[name] for name in options if name.endswith("timeout")}, defaults, "  and the defaults of the timeouts")
    slots = re.search(r"#define DB_SLOTS +(\d+)", read("mod_pypitoken/store/db.h")).group(1)
    t.is_(value["pool"], slots, "  and of pool=")


def names(t):
    """Every page: commands, directives and files that it names are there."""
    table = read("mod_pypitoken/ctl/commands.c")
    commands = {" ".join(filter(None, row)) for row in re.findall(r'\{\{"([\w-]+)", (?:NULL|"([\w-]+)")\},', table)}
    options = set(re.findall(r'^    \{"([\w-]+)", (?:NULL|"[^"]+"), COMMANDS_', table, re.M))
    firsts = {c.split()[0] for c in commands}
    directives = set()
    for name in os.listdir(os.path.join(SRCDIR, "mod_pypitoken/httpd")):
        if name.endswith(".c"):
            directives |= set(re.findall(r'"(PyPIToken\w+)"', read("mod_pypitoken/httpd/" + name)))
    t.ok(len(commands) > 30 and len(options) > 30 and len(directives) > 20, "commands, options and directives are read")
    for page in ("doc/store",):
        text = re.sub(r"\\\n *", "", read(page))
        said = re.findall(r"pypitokenctl (?:--\S+ (?:\"[^\"]*\"|\S+) +)*([a-z-]+)(?: ([a-z-]+))?", text)
        said += [tuple((c + " ").split(" ")[:2]) for c in re.findall(r'"([a-z-]+(?: [a-z-]+)?)(?: --[^"]*)?"', text)
                 if c.split()[0] in firsts]
        wrong = [c for c in said if c[0] not in commands and " ".join(c) not in commands]
        t.ok(len(said) > 10 and not wrong, page + ": every command is one", wrong)
        t.is_(sorted(set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text)) - options - {"single-transaction"}), [],
              "  every option is one")
        t.is_(sorted(set(re.findall(r"PyPIToken\w+", text)) - directives), [], "  every directive is one")
        files = re.findall(r"(?<![\w/])((?:doc|conf|schema|t)/[\w./-]*\w)", text)
        t.is_([f for f in files if not os.path.exists(os.path.join(SRCDIR, f))], [], "  every file is there")
    t.is_([f for f in re.findall(r"^    (doc/\S+)", read("README"), re.M) if not os.path.exists(os.path.join(SRCDIR, f))],
          [], "README: every page is there")


def main(t):
    verdicts(t)
    store(t)
    names(t)


tap.run(main)
