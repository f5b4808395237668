#!/usr/bin/python3
"""words.t - what the pages say stands in one catalogue, and every catalogue has it all."""
import glob
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import SRCDIR, tap  # noqa: E402

PAGES = os.path.join(SRCDIR, "mod_pypitoken/httpd/pages")
PO = os.path.join(SRCDIR, "po")
MARKS = re.compile(r"\{\{[^}]*\}\}|%s|<[^>]*>")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def rows(path):
    """msgid, msgstr of each message."""
    unquote = lambda s: re.sub(r"\\(.)", r"\1", s)  # noqa: E731
    return [(unquote(a), unquote(b)) for a, b in re.findall(r'^msgid "(.+)"\nmsgstr "(.*)"$', read(path), re.M)]


def outside(text):
    """Words of a template that are in no message: not markup, not holes, not what a shell reads."""
    text = re.sub(r"\{\{t\}\}.*?\{\{/t\}\}", "", text, flags=re.S)
    text = re.sub(r"<pre.*?</pre>", "", text, flags=re.S)
    said = re.findall(r'(?:alt|title|aria-label|data-label|placeholder)="([^"]*)"', text) + [re.sub(r"<[^>]*>", " ", re.sub(r"\{\{.*?\}\}", "", text))]
    return [w for part in said for w in re.findall(r"[A-Za-z]{2,}", re.sub(r"&\w+;|\{\{.*?\}\}", "", part))]


# names of programs and services, in headings and labels
NAMES = {"twine", "flit", "poetry", "uv", "pypirc", "GitHub", "GitLab", "Actions", "CI"}


def main(t):
    t.is_(outside('<p title="a word">{{t}}kept{{/t}} {{hole}} lost</p>'), ["word", "lost"], "words outside of messages are seen")
    for path in sorted(glob.glob(os.path.join(PAGES, "*.html"))):
        t.is_([w for w in outside(read(path)) if w not in NAMES], [], "%s: all words are messages" % os.path.basename(path))
    # whole sentences in code: for people, so they are marked
    for path in sorted(glob.glob(os.path.join(SRCDIR, "mod_pypitoken/httpd/manage*.c"))):
        bare = re.sub(r'/\*.*?\*/|T_\((?:\s*"(?:[^"\\]|\\.)*")+\s*\)', "", read(path), flags=re.S)
        said = [s for s in re.findall(r'"((?:[^"\\\n]|\\.)*)"', bare) if re.search(r"^[A-Z][a-z]* .*[.?]$", s)]
        t.is_(said, [], "%s: all sentences are marked" % os.path.basename(path))
    made = subprocess.run([sys.executable, os.path.join(PO, "extract")], stdout=subprocess.PIPE, check=True).stdout.decode()
    t.is_(made == read(os.path.join(PO, "pypitoken.pot")), True, "po/pypitoken.pot is what po/extract makes")
    ids = [a for a, _ in rows(os.path.join(PO, "pypitoken.pot"))]
    t.ok(len(ids) > 300, "%d messages" % len(ids))
    for path in sorted(glob.glob(os.path.join(PO, "*.po"))):
        name = os.path.basename(path)
        if shutil.which("msgfmt"):
            done = subprocess.run(["msgfmt", "--check", "-o", "/dev/null", path], stderr=subprocess.PIPE, text=True, check=False)
            t.ok(done.returncode == 0 and "fuzzy" not in done.stderr, name + ": msgfmt --check", done.stderr)
        else:
            t.skip(name + ": msgfmt --check", "no msgfmt")
        said = dict(rows(path))
        t.is_([i for i in ids if not said.get(i)], [], "  has every message")
        t.is_([i for i in said if i not in ids], [], "  and no other")
        t.is_([i for i in ids if sorted(MARKS.findall(i)) != sorted(MARKS.findall(said[i]))], [], "  each with the same markup and holes")
        t.is_([i for i in ids if MARKS.findall(i) != MARKS.findall(said[i]) and "%s" in i], [], "  those for sentences in the same order")
        t.is_([i for i in ids if '"' in re.sub(r"<[^>]*>", "", said[i])], [], "  none with a quote that would end an attribute")


tap.run(main)
