#!/usr/bin/python3
"""completion.t - bash, zsh and fish complete every command, its options, operands and values: as --help has them."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, tap  # noqa: E402

CTL = os.path.join(os.path.abspath(BUILDDIR), "pypitokenctl")
# one line asks: what stands before the cursor; an empty line ends an answer
BASH = r"""
source "$1"
while IFS= read -r line; do
    COMP_LINE=$line COMP_WORDS=($line) COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
    [[ $line = *' ' ]] && COMP_WORDS+=('') COMP_CWORD=${#COMP_WORDS[@]} && COMP_CWORD=$((COMP_CWORD - 1))
    _pypitokenctl
    printf '%s\n' "${COMPREPLY[@]}" ''
done
"""
# the builtin works inside an editor alone: these stand for it and for zsh's own function
ZSH = r"""
compdef() { : }
source "$1"
compadd() { shift; local w; for w in "$@"; do [[ $w = ${words[CURRENT]}* ]] && print -r -- $w; done }
_files() { print -rl -- ${words[CURRENT]}*(N) }
while IFS= read -r line; do
    words=(${=line})
    [[ $line = *' ' ]] && words+=('')
    CURRENT=${#words}
    _pypitokenctl
    print
done
"""
FISH = r"""
source $argv[1]
while read -l line
    complete -C $line | string replace -r '\t.*' ''
    echo
end
"""
SHELLS = {"bash": ["bash", "--norc", "-c", BASH, "-"], "zsh": ["zsh", "-f", "-c", ZSH, "-"], "fish": ["fish", "--no-config", "-c", FISH]}


def said(*argv):
    return subprocess.run([CTL, *argv], stdout=subprocess.PIPE, text=True, check=True, env={"PATH": "/usr/bin:/bin"}).stdout


def table():
    """{words: options} and {option: its value} out of --help."""
    rows, values = {}, {}
    commands = re.search(r"(?s)\nCommands:\n(.*?)\n\n", said("--help")).group(1)
    for line in re.findall(r"(?m)^  ([a-z].*)$", commands):
        words = []
        for word in line.split()[:2]:
            if re.fullmatch(r"[a-z-]+", word):
                words.append(word)
        text = said(*words, "--help")
        if not text.startswith("Usage: pypitokenctl " + " ".join(words)):
            words = words[:1]
        found = re.findall(r"(?m)^  --([a-z-]+) ([A-Z]\S*)?", text)
        rows[" ".join(words)] = {name for name, _ in found}
        values.update(found)
    return rows, values


class Shell:
    """All questions at once: shells start slowly."""

    def __init__(self, name, where):
        self.name, self.asked, self.where = name, [], where
        self.script = os.path.join(BUILDDIR, "completion", {"bash": "pypitokenctl", "zsh": "_pypitokenctl", "fish": "pypitokenctl.fish"}[name])

    def answers(self):
        argv = SHELLS[self.name] + [os.path.abspath(self.script)]
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": self.where, "TERM": "dumb"}
        done = subprocess.run(argv, input="".join("pypitokenctl %s\n" % q for q in self.asked), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, cwd=self.where, env=env, check=False)
        blocks, block = [], set()
        for line in done.stdout.split("\n"):
            if line:
                block.add(line)
            else:
                blocks.append(block)
                block = set()
        return dict(zip(self.asked, blocks)), done.stderr


def complete(t, name, where, rows, values):
    shell = Shell(name, where)
    firsts = {row.split()[0] for row in rows}
    want = {"": firsts, "us": {"user"}, "--store x ": firsts, "--json ": firsts, "nothing at all ": set()}
    for first in firsts:
        second = {row.split()[1] for row in rows if row.startswith(first + " ")}
        if second:
            want[first + " "] = second
            want["--keyring k %s --json " % first] = second
    for row, options in rows.items():
        want[row + " --"] = {"--" + o for o in options | {"help"}}
        want["%s --user u x --no" % row] = {"--" + o for o in options if o.startswith("no")}
    files = {"dist/", "one.txt", "two words"} if name == "fish" else {"dist", "one.txt", "two words"}
    for option, value in values.items():
        row = next(r for r, options in sorted(rows.items()) if option in options)
        if value in ("FILE", "DIST"):
            want["%s --%s " % (row, option)] = files
            want["%s --%s on" % (row, option)] = {"one.txt"}
        elif value == "KIND":
            want["%s --%s " % (row, option)] = {"sdist", "wheel"}
        elif value:
            want["%s --%s " % (row, option)] = set()
    want.update({"role add p u ": {"owner", "maintainer"}, "role add p u m": {"maintainer"}, "role add p ": set(), "completion ": {"bash", "zsh", "fish"},
                 "user import o": {"one.txt"}, "user add ": set(), "init ": set()})
    shell.asked = list(want)
    got, errors = shell.answers()
    t.is_(errors, "", "%s: the script is read without a complaint" % name)
    wrong = ["%r: %s, not %s" % (q, sorted(got.get(q, ["nothing"])), sorted(w)) for q, w in want.items() if got.get(q) != w]
    t.is_(wrong, [], "%s: %d questions are answered as --help has it" % (name, len(want)))
    t.ok(len(want) > 2 * len(rows) + len(values), "  which are all commands and options")


# with their line editors, where words are cut as a shell cuts them: the key ^G shows what stands there and clears it
REAL = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}
REAL_BEGIN = {"bash": r"""source %(scripts)s/pypitokenctl; bind -x '"\C-g": printf "<<%%s>>\n" "$READLINE_LINE"; READLINE_LINE='""",
              "zsh": r"""fpath=(%(scripts)s $fpath); autoload -Uz compinit; compinit -u -D;
                         probe() { print -rn -- "<<$BUFFER>>" >$TTY; BUFFER= }; zle -N probe; bindkey '^G' probe"""}
REAL_WANT = {"tok": "token ", "--store sqlite:/x/y.db token cr": "token create ", "--store=sqlite:/x/y.db token cr": "token create ",
             "--service 'a b' token rev": "token revoke ", "--keyring on": "--keyring one.txt ", "--keyring=on": "--keyring=one.txt ",
             "token create --kind=wh": "token create --kind=wheel ", "role add p u m": "role add p u maintainer "}


def editor(name, where, questions):
    """Types each question and a tab. What stands on the line then."""
    script = " ".join((REAL_BEGIN[name] % {"scripts": os.path.join(os.path.abspath(BUILDDIR), "completion")}).split())
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": where, "TERM": "dumb", "PS1": "$ ", "INPUTRC": "/dev/null"}
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(where)
        os.execvpe(name, [name, *REAL[name]], env)
    seen, got = b"", []
    try:
        os.write(fd, (script + "; printf 'rea%s\\n' dy\n").encode())
        for wanted, question in zip([rb"ready\r?\n"] + [rb"<<([^>]*)>>"] * len(questions), questions + [None]):
            while not re.search(wanted, seen):
                if not select.select([fd], [], [], 30)[0]:
                    raise RuntimeError("%s says nothing but %r" % (name, seen[-500:]))
                seen += os.read(fd, 65536)
            found = re.search(wanted, seen)
            seen = seen[found.end():]
            got += [text.decode() for text in found.groups()]
            if question:
                os.write(fd, ("pypitokenctl %s\t\x07" % question).encode())
    finally:
        os.close(fd)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return got


def edited(t, name, where):
    got = dict(zip(REAL_WANT, editor(name, where, list(REAL_WANT))))
    end = {q: text[-len(REAL_WANT[q]):] for q, text in got.items()}
    t.is_(end, REAL_WANT, "%s: on its command line, with what cuts words there" % name, got)


def main(t):
    rows, values = table()
    t.ok(len(rows) > 35 and len(values) > 25 and "events" in rows and "events prune" in rows, "the tables are read", (rows, values))
    where = tempfile.mkdtemp(prefix="pypt-completion-")
    try:
        os.mkdir(os.path.join(where, "dist"))
        for name in ("one.txt", "two words"):
            with open(os.path.join(where, name), "w", encoding="ascii"):
                pass
        for name in SHELLS:
            if not shutil.which(name):
                t.skip("completion in " + name, "no " + name)
                continue
            complete(t, name, where, rows, values)
            if name in REAL:
                edited(t, name, where)
        done = subprocess.run([CTL, "completion", "csh"], stderr=subprocess.PIPE, text=True, check=False)
        t.ok(done.returncode == 2 and "bash, zsh or fish" in done.stderr, "no other shell", done.stderr)
    finally:
        shutil.rmtree(where)


tap.run(main)
