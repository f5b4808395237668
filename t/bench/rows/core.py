"""core.py - what is computed, without a server: tokens and forms."""

import json
import os
import subprocess
import time

from pypt import BUILDDIR


ROWS = {
    "token": "verifying a token of three caveats / its bare HMAC calls; / pymacaroons",
    "parser": "the parser over random data in 8 KiB pieces / memcpy; / memmem",
    "hostile": "the parser over data that is made to be slow / over random data",
}


def lines(*argv, program="bench_core"):
    """What bench_core or bench_store says, line by line as it comes."""
    with subprocess.Popen([os.path.join(BUILDDIR, "t/bench", program), *map(str, argv)], stdout=subprocess.PIPE, text=True) as tool_:
        for line in tool_.stdout:
            yield json.loads(line)
    if tool_.returncode:
        raise RuntimeError("%s: exit %d" % (program, tool_.returncode))


def tool(*argv, **kw):
    """All of them, in order."""
    return list(lines(*argv, **kw))


def _token(result):
    rounds, count = result.rounds(9), result.size(500, 20000)
    lines = tool("token", rounds, count)
    text = lines.pop(0)["token"]
    for line in lines:
        result.add("token", line["variant"], us=line["seconds"] / line["count"] * 1e6)
    for _ in range(rounds):
        result.add("token", "pymacaroons", us=_pymacaroons(text, result.size(20, 500)))
    for variant in ("verify", "verify and judge", "hmac, libsodium", "hmac, OpenSSL", "pymacaroons"):
        result.figure("token", variant, variant, "us", "us")
    best = min(("hmac, libsodium", "hmac, OpenSSL"), key=lambda v: result.median("token", v, "us"))
    result.ratio("token", "verify / " + best, "verify", best, "us", ("<=", 1.5))
    result.ratio("token", "pymacaroons / verify and judge", "pymacaroons", "verify and judge", "us", (">=", 50))


def _pymacaroons(text, count):
    """The same token, read and verified with three callbacks that say yes: microseconds of CPU."""
    import pymacaroons
    key = bytes([1, 2, 3]) + bytes(29)
    start = time.thread_time()
    for _ in range(count):
        macaroon = pymacaroons.Macaroon.deserialize(text[len("pypi-"):])
        verifier = pymacaroons.Verifier()
        verifier.satisfy_general(lambda caveat: caveat.startswith("["))
        if not verifier.verify(macaroon, key):
            raise RuntimeError("pymacaroons does not take the token")
    return (time.thread_time() - start) / count * 1e6


def _form(result, rows):
    for line in tool("form", result.rounds(9), result.size(2, 64)):
        kind, data = line["variant"].split(": ", 1)
        result.add("form", line["variant"], rate=line["count"] / line["seconds"] / 1e9)
    sets = [v.split(": ", 1)[1] for v in result.figures["form"] if v.startswith("parser")]
    random = result.median("form", "parser: random", "rate")
    if "parser" in rows:
        for other, target in (("memcpy", 0.5), ("memmem", 1.0)):
            result.figure("parser", other + ", random data", other + ": random", "rate", "GB/s", of="form")
            result.ratio("parser", "parser / %s, random data" % other, "parser: random", other + ": random", "rate",
                         (">=", target), "form")
        result.figure("parser", "parser, random data", "parser: random", "rate", "GB/s", of="form")
    if "hostile" in rows:
        for data in sets:
            good = data == "random" or data.startswith("boundary ")
            result.line("hostile", "parser, " + data, result.values("form", "parser: " + data, "rate"), "GB/s",
                        (">=", 0.4) if good else None,
                        "memmem %.2f" % result.median("form", "memmem: " + data, "rate"))
        for data in sets:
            if data != "random" and not data.startswith("boundary "):
                result.line("hostile", "%s / random" % data,
                            [rate / random for rate in result.values("form", "parser: " + data, "rate")],
                            target=(">=", 0.5))


def measure(result, rows):
    if "token" in rows:
        _token(result)
    if {"parser", "hostile"} & set(rows):
        _form(result, rows)


