#!/usr/bin/python3
"""version.t - versions and file names against python3-packaging, on thousands of random ones."""
import os
import random
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import tap  # noqa: E402

try:
    from packaging import specifiers, utils, version
except ImportError:
    version = None

TOOL = os.path.join(os.environ.get("builddir", "."), "t/unit/version_tool")
PIECES = ["0", "1", "01", "10", "2024", ".", ".", "-", "_", "!", "+", "a", "b", "c", "rc", "alpha", "beta", "pre",
          "preview", "post", "rev", "r", "dev", "A", "RC", "Post", "DEV", "x", "abc", "v", " ", "e"]


def made(rng):
    """A version that is right, spelled in one of many ways."""
    sep = lambda: rng.choice(["", ".", "-", "_"])  # noqa: E731
    num = lambda: rng.choice(["0", "1", "007", "12", "2024"])  # noqa: E731
    text = rng.choice(["", "", "0!", "1!", "002!"]) + ".".join(num() for _ in range(rng.randint(1, 4)))
    if rng.random() < .4:
        text += sep() + rng.choice(["a", "b", "c", "rc", "ALPHA", "beta", "pre", "Preview"])
        text += rng.choice(["", sep() + num()])
    if rng.random() < .4:
        text += rng.choice(["-" + num(), sep() + rng.choice(["post", "rev", "R"]) + rng.choice(["", sep() + num()])])
    if rng.random() < .3:
        text += sep() + rng.choice(["dev", "DEV"]) + rng.choice(["", sep() + num()])
    if rng.random() < .3:
        text += "+" + rng.choice(["abc", "1", "01", "Ubuntu.1", "a-b_c", "1x"])
    return text


def spoiled(rng, text):
    for _ in range(rng.randint(1, 2)):
        at = rng.randint(0, len(text))
        text = text[:at] + rng.choice(PIECES) + text[at + rng.randint(0, 1):]
    return text


def ask(kind, texts):
    done = subprocess.run([TOOL], input="".join("%s %s\n" % (kind, x) for x in texts), stdout=subprocess.PIPE, text=True,
                          check=True)
    return done.stdout.split("\n")[:-1]


def normal(text):
    """What packaging says; stricter where we are: no v, no white space around."""
    if not text or text[0] in "vV" or text != text.strip() or len(text) > 128:
        return "-"
    try:
        return str(version.Version(text))
    except version.InvalidVersion:
        return "-"


def versions(t, rng):
    texts = [made(rng) for _ in range(4000)]
    texts += [spoiled(rng, x) for x in texts] + ["".join(rng.choices(PIECES, k=rng.randint(1, 7))) for _ in range(4000)]
    got = ask("V", texts)
    bad = [(x, g, normal(x)) for x, g in zip(texts, got) if g != normal(x)]
    t.is_(len(got), len(texts), "an answer for each of %d versions" % len(texts))
    t.is_(bad[:10], [], "all %d as packaging reads them" % len(texts))
    t.ok(2000 < sum(1 for g in got if g != "-") < len(texts) - 2000, "a good part valid, a good part not")
    good = [x for x, g in zip(texts, got) if g != "-" and " " not in x]
    pairs = [(a, rng.choice([a + ".0" if re.fullmatch(r"[0-9.]+", a) else a, rng.choice(good)])) for a in good[:4000]]
    pairs = [(a, b) for a, b in pairs if normal(b) != "-"]
    same = ask("E", ["%s %s" % p for p in pairs])
    bad = [(p, g) for p, g in zip(pairs, same) if g != "01"[version.Version(p[0]) == version.Version(p[1])]]
    t.is_(bad[:10], [], "%d pairs are equal when packaging says so" % len(pairs))


def means(clause, text):
    """What packaging says of "==clause"."""
    try:
        found = specifiers.Specifier("==" + clause)
    except specifiers.InvalidSpecifier:
        return "-"
    return "01"[found.contains(version.Version(text), prereleases=True)]


def clauses(t, rng):
    pairs, numbers = [], ("0", "1", "2", "01", "10")
    for _ in range(12000):
        release = ".".join(rng.choices(numbers, k=rng.randint(1, 3)))
        clause = rng.choice(["", "", "", "1!", "0!"]) + release + rng.choice([".*", ".*", "", "rc1", ".post1", "+a.1"])
        candidate = rng.choice(["", "", "", "1!"]) + release + rng.choice(["", ".0", ".1", ".0.0"]) + \
            rng.choice(["", "", "rc1", "a0", ".post1", ".dev2", "+a.1", "+b"])
        pairs.append((clause, candidate if rng.random() < .8 else made(rng)))
    pairs = [(a, b) for a, b in pairs if normal(b) != "-" and " " not in b]
    got = ask("C", ["%s %s" % p for p in pairs])

    def unsure(a, b):
        """Where packaging 23 does not do as PEP 440 says: ".*" and an epoch, or too few numbers before a suffix."""
        return a.endswith(".*") and ("!" in a + b or len(version.Version(b).release) < a.count("."))
    bad = [(p, g, means(*p)) for p, g in zip(pairs, got) if not unsure(*p) and g != means(*p)]
    t.is_(bad[:10], [], "%d clauses mean what packaging says they do" % len(pairs))
    t.ok(min(got.count("1"), got.count("0")) > 2000, "  a good part of them matches, a good part not")
    told = {"0.* 1!0.0": "0", "1!0.* 0.0": "0", "1!1.0.* 1!1.0rc1": "1", "1!1.* 1!1": "1", "01!1.* 1!1.2": "1",
            "0!1.* 1.2": "1", "1.0.* 1a1": "1", "1.0.1.* 1a1": "0", "1.0.0.* 1.post1": "1", "10.* 1.0": "0"}
    t.is_(dict(zip(told, ask("C", told))), told, "epochs and missing numbers as PEP 440 has them")
    odd = ["1.0.post1.*", "1.0+a.*", "1.0rc1.*", "1.*.0", "*", ".*", "1.0.*.*", "1.0 .*", "==1.0", "v1.0", "1.0*"]
    t.is_([x for x, g in zip(odd, ask("C", [x + " 1.0" for x in odd])) if g != "-"], [], "what is no clause is none")


def filename(rng):
    name = "".join(rng.choices("aBc1._-", k=rng.randint(1, 6)))
    v = made(rng).replace("-", rng.choice(["-", "_", "."]))
    if rng.random() < .5:
        build = rng.choice(["", "", "-1", "-2b", "-q"])
        return "%s-%s%s-%s-none-any.whl" % (name, v, build, rng.choice(["py3", "py2.py3", "cp311"]))
    return "%s-%s%s" % (name, v, rng.choice([".tar.gz", ".zip"]))


def files(t, rng):
    """What we take, packaging takes and reads alike; the other way round it is looser."""
    texts = [filename(rng) for _ in range(12000)]
    got = ask("F", texts)
    bad, taken = [], 0
    for text, answer in zip(texts, got):
        if answer == "-":
            continue
        taken += 1
        try:
            parse = utils.parse_wheel_filename if text.endswith(".whl") else utils.parse_sdist_filename
            theirs = "%s %s" % tuple(str(x) for x in parse(text)[:2])
        except (utils.InvalidWheelFilename, utils.InvalidSdistFilename, version.InvalidVersion) as why:
            theirs = str(why)
        if answer.rsplit(" ", 1)[0] != theirs:
            bad.append((text, answer, theirs))
    t.is_(bad[:10], [], "%d of %d file names taken, all as packaging reads them" % (taken, len(texts)))
    t.ok(taken > 1000, "enough of them were taken")
    loose = [x for x, g in zip(texts, got) if g == "-" and re.fullmatch(r"[a-z]+-[0-9]+(\.[0-9]+)*\.tar\.gz", x)]
    t.is_(loose, [], "no plain file name is refused")


def main(t):
    if not version:
        t.skip_all("python3-packaging is not installed")
    rng = random.Random(int(os.environ.get("SEED", "1")))
    versions(t, rng)
    clauses(t, rng)
    files(t, rng)


tap.run(main)
