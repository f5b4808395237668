#!/usr/bin/python3
"""oracle.t - thousands of random tokens against pymacaroons, the library that PyPI itself runs.

Both ways: ours must read and verify there, theirs here, and what either side narrows must be
enforced on the other. What a caveat means is told by holds() below, written from PyPI's rules and
in nothing like the C code's way. Another round: SEED=anything t/oracle.t
"""
import base64
import json
import os
import random
import subprocess
import sys
import uuid

try:
    from pymacaroons import MACAROON_V2, Macaroon, Verifier
except ImportError:
    print("1..0 # SKIP no pymacaroons for this python3")
    sys.exit(0)

TOOL = os.path.join(os.environ.get("builddir", "."), "t", "unit", "token_tool")
SEED = os.environ.get("SEED", "1")
ROUNDS = 3000
NOW = 1700000000
rnd = random.Random(SEED)
count = failed = 0


def check(name, bad, tried):
    """One line of TAP: no pair in bad may be there, and something must have been tried."""
    global count, failed
    count += 1
    good = not bad and tried > 0
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name} ({tried} tried, {len(bad)} wrong)")
    for item in bad[:3]:
        print("#", repr(item)[:600])


def ask(requests):
    """The tool's answers, one for each request."""
    text = "".join(" ".join(r) + "\n" for r in requests)
    done = subprocess.run([TOOL], input=text, capture_output=True, text=True, check=True)
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(requests), (len(answers), len(requests))
    return answers


def hexed(data):
    data = data.encode() if isinstance(data, str) else data
    return data.hex() or "-"


# ---- what a caveat means ----


def is_int(x):
    return isinstance(x, int) and not isinstance(x, bool)


def is_list(x):
    return isinstance(x, list) and all(isinstance(y, str) for y in x)


def from_object(o):
    """The array form of the three objects of 2019 to 2022, None for any other object."""
    if o.get("version") == 1 and is_int(o["version"]):
        permissions = o.get("permissions")
        if permissions == "user":
            return "user"
        if isinstance(permissions, dict) and "projects" in permissions:
            return [1, permissions["projects"]]
    elif "version" in o or "permissions" in o:
        return None
    elif "exp" in o and "nbf" in o:
        return [0, o["exp"], o["nbf"]]
    elif "project_ids" in o:
        return [2, o["project_ids"]]
    return None


def holds(text, ctx):
    """Does the caveat hold for a request of this user for this project, now?"""
    try:
        c = json.loads(text.decode() if isinstance(text, bytes) else text)
    except ValueError:
        return False
    if isinstance(c, dict):
        c = from_object(c)
        if c == "user":
            return True
    if not isinstance(c, list) or not c or not is_int(c[0]):
        return False
    tag, fields = c[0], c[1:]
    if tag == 0 and len(fields) >= 2 and is_int(fields[0]) and is_int(fields[1]):
        return fields[1] <= ctx["now"] < fields[0]
    if tag == 1 and fields and is_list(fields[0]):
        return ctx["project"] in fields[0]
    if tag == 2 and fields and is_list(fields[0]):
        return ctx["pid"] in fields[0]
    if tag == 3 and fields and isinstance(fields[0], str):
        return ctx["user"] == fields[0]
    return False


# ---- random things ----


def name():
    return rnd.choice(["a", "sample-project", "x1", "pkg-%d" % rnd.randrange(9), "lib"])


def context():
    return {"now": NOW + rnd.randrange(-50, 50), "project": name(),
            "pid": str(uuid.UUID(int=rnd.getrandbits(128))),
            "user": str(uuid.UUID(int=rnd.getrandbits(128)))}


def strings(right, wrong):
    items = [wrong() for _ in range(rnd.randrange(4))]
    if rnd.random() < 0.8:
        items.insert(rnd.randrange(len(items) + 1), right)
    return items


def odd_name():
    return rnd.choice([name, lambda: "", lambda: "é\u2028\U0001f600", lambda: 'q"\\/\n',
                       lambda: "A" * rnd.randrange(200), lambda: "a\u0000",
                       lambda: "[[[{{{" * 5])()


def times(ctx):
    far = rnd.choice([1, 50, 3600, 2**31, 2**63 - 1 - NOW, 2**63 - NOW, 2**64, 10**30])
    exp, nbf = ctx["now"] + far, ctx["now"] - rnd.choice([0, 1, 50, NOW, 2**63, 10**25])
    if rnd.random() < 0.15:
        exp = ctx["now"] - rnd.choice([0, 1, 50, 2**63, 10**30])
    if rnd.random() < 0.15:
        nbf = ctx["now"] + rnd.choice([1, 50, 2**63, 10**30])
    return exp, nbf


def well_formed(ctx):
    exp, nbf = times(ctx)
    names, ids = strings(ctx["project"], odd_name), strings(ctx["pid"], lambda: str(uuid.uuid4()))
    user = ctx["user"] if rnd.random() < 0.8 else str(uuid.UUID(int=rnd.getrandbits(128)))
    return rnd.choice([
        [0, exp, nbf], [1, names], [2, ids], [3, user],
        [0, exp, nbf, rnd.choice([None, 1.5, "x", 10**40, {"a": [True]}])], [1, names, names],
        {"version": 1, "permissions": "user"},
        {"permissions": {"projects": names}, "version": 1},
        {"nbf": nbf, "exp": exp}, {"project_ids": ids},
        {"version": 1, "permissions": "user", "extra": odd_name()}])


def dumps(value):
    text = json.dumps(value, ensure_ascii=rnd.random() < 0.5,
                      separators=rnd.choice([(",", ":"), (", ", ": "), (" ,\t", ": \n")]))
    return rnd.choice(["", " ", "\n"]) + text + rnd.choice(["", "\r\n"])


def bent(ctx):
    """A caveat with something wrong with it, mostly."""
    value = well_formed(ctx)
    how = rnd.randrange(6)
    if how == 0 and isinstance(value, list):
        value[rnd.randrange(len(value))] = rnd.choice(
            [None, 5, -1, 7, 2**70, 1.5, "", [], {}, "1", [1], ["a", 1]])
    elif how == 1 and isinstance(value, list):
        value = value[:rnd.randrange(len(value))]
    elif how == 2:
        text = dumps(value)
        return text[:rnd.randrange(1, len(text))]
    elif how == 3:
        return dumps(value) + rnd.choice(["x", "]", ",", "[]", "\0"])
    elif how == 4:
        value = rnd.choice([None, True, 5, "foo", [], {}, [[1], 2], [4, ctx["user"]], [99],
                            {"version": 1}, {"version": 2, "permissions": "user"}, {"exp": 2**40},
                            {"nbf": 1}, {"exp": "1", "nbf": 0}, {"project_ids": ctx["pid"]}])
    else:
        text = dumps(value)
        i = rnd.randrange(len(text))
        return text[:i] + rnd.choice('0129[]{},:"\\ -.eEx') + text[i + 1:]
    return dumps(value)


def caveat(ctx):
    return bent(ctx) if rnd.random() < 0.15 else dumps(well_formed(ctx))


def outside_the_contract(text):
    """Where this project is stricter than PyPI on purpose and says so."""
    try:
        pairs = []
        value = json.loads(text, object_pairs_hook=lambda p: pairs.append(p) or dict(p))
    except ValueError:
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True  # lone surrogates
    if any(len(dict(p)) != len(p) for p in pairs):
        return True  # duplicate keys
    if isinstance(value, dict):
        known = [k for k in value if k in ("version", "permissions", "exp", "nbf", "project_ids")]
        inner = value.get("permissions")
        return (set(known) not in ({"version", "permissions"}, {"exp", "nbf"}, {"project_ids"})
                or known == ["project_ids"] and len(value) > 1
                or isinstance(inner, dict) and len(inner) > 1)
    return "inf" in repr(value) or "nan" in repr(value)  # numbers past a double


def caveats(ctx, most=6):
    out = [caveat(ctx) for _ in range(rnd.randrange(most))]
    return [c for c in out if not outside_the_contract(c)]


def theirs(key, location, identifier, texts):
    m = Macaroon(location=location, identifier=identifier, key=key, version=MACAROON_V2)
    for text in texts:
        m.add_first_party_caveat(text)
    return m


def token(m):
    return "pypi-" + m.serialize().rstrip("=")


def load(text):
    return Macaroon.deserialize(text[len("pypi-"):])


def verified_there(text, key, ctx):
    v = Verifier()
    v.satisfy_general(lambda predicate: holds(predicate, ctx))
    try:
        return v.verify(load(text), key)
    except Exception:  # it raises for a caveat that fails, and much else for bent bytes
        return False


def verify_request(text, key, ctx):
    return ["verify", text, hexed(key), str(ctx["now"]), hexed(ctx["user"]), hexed(ctx["project"]),
            hexed(ctx["pid"])]


class Case:
    def __init__(self):
        self.ctx = context()
        self.key = rnd.randbytes(rnd.choice([32, 32, 32, 1, 64, 65, 100]))
        self.location = rnd.choice(["pypi.org", "", "upload.example.org", "bücher.example"])
        self.identifier = str(uuid.UUID(int=rnd.getrandbits(128)))
        self.texts = caveats(self.ctx)
        self.more = caveats(self.ctx, 3)
        self.holds = all(holds(c, self.ctx) for c in self.texts)
        self.both = self.holds and all(holds(c, self.ctx) for c in self.more)

    def base(self):
        return theirs(self.key, self.location, self.identifier, self.texts)


def compare(name_, cases, got, want):
    bad = [(c.texts, c.more, c.ctx, g, w) for c, g, w in zip(cases, got, want) if g != w]
    check(name_, bad, len(cases))


def allowed(answers):
    return [a == "allowed" for a in answers]


def bytes_alike(cases):
    want = [token(c.base()) for c in cases]
    minted = ask([["mint", hexed(c.key), hexed(c.location), hexed(c.identifier)]
                  + [hexed(t) for t in c.texts] for c in cases])
    compare("ours is theirs, byte for byte", cases, minted, ["ok " + w for w in want])
    compare("theirs is read here, field by field", cases, ask([["parse", w] for w in want]), [
        " ".join(["ok", hexed(c.location), hexed(c.identifier), c.base().signature]
                 + [hexed(t) for t in c.texts]) for c in cases])


def decisions_alike(cases):
    tokens = [token(c.base()) for c in cases]
    got = ask([verify_request(t, c.key, c.ctx) for t, c in zip(tokens, cases)])
    compare("theirs, decided here", cases, allowed(got), [c.holds for c in cases])
    compare("theirs, decided there", cases,
            [verified_there(t, c.key, c.ctx) for t, c in zip(tokens, cases)],
            [c.holds for c in cases])
    got = ask([verify_request(t, c.key + b"x", c.ctx) for t, c in zip(tokens, cases)])
    compare("another key", cases, got, ["token-signature"] * len(cases))
    share = sum(c.holds for c in cases) / len(cases)
    check("the tokens are a fair mixture: %d%% hold" % (100 * share),
          [] if 0.2 < share < 0.8 else [share], len(cases))


def narrowed(cases):
    here = ask([["restrict", token(c.base())] + [hexed(t) for t in c.more] for c in cases])
    there = []
    for c in cases:
        m = load(token(c.base()))
        for text in c.more:
            m.add_first_party_caveat(text)
        there.append(token(m))
    compare("narrowed here is narrowed there", cases, here, ["ok " + t for t in there])
    compare("narrowed here, enforced there", cases,
            [verified_there(h[3:], c.key, c.ctx) for h, c in zip(here, cases)],
            [c.both for c in cases])
    got = ask([verify_request(t, c.key, c.ctx) for t, c in zip(there, cases)])
    compare("narrowed there, enforced here", cases, allowed(got), [c.both for c in cases])


def granted(cases):
    """What this project mints is what PyPI mints, and is enforced there too."""
    requests, want = [], []
    for c in cases:
        c.key = rnd.randbytes(32)
        c.texts, projects = [], []
        names = sorted({name() for _ in range(rnd.randrange(4))})
        ids = [str(uuid.UUID(int=rnd.getrandbits(128))) for _ in names]
        exp, nbf = rnd.choice([(0, 0), (NOW + 3600, NOW), (NOW - 60, NOW - 3600)])
        if names:
            c.texts = [[1, names], [2, ids]]
            projects = [hexed(n) + ":" + hexed(i) for n, i in zip(names, ids)]
            c.ctx["project"] = rnd.choice(names + ["zzz"])
            c.ctx["pid"] = dict(zip(names, ids)).get(c.ctx["project"], c.ctx["pid"])
        else:
            c.texts = [[3, c.ctx["user"]]]
        c.texts += [[0, exp, nbf]] if exp else []
        c.texts = [json.dumps(t, separators=(",", ":")) for t in c.texts]
        c.holds = all(holds(t, c.ctx) for t in c.texts)
        want.append("ok " + token(c.base()))
        requests.append(["grant", hexed(c.key), hexed(c.location), hexed(c.identifier),
                         hexed(c.ctx["user"]), str(exp), str(nbf)] + projects)
    got = ask(requests)
    compare("a new token is PyPI's, byte for byte", cases, got, want)
    compare("a new token, enforced there", cases,
            [verified_there(g[3:], c.key, c.ctx) for g, c in zip(got, cases)],
            [c.holds for c in cases])


def damaged(cases):
    """Bent bytes: whatever is allowed here is allowed there too, and only its location may have
    changed, which no signature covers."""
    bad, requests, tokens = [], [], []
    for c in cases:
        raw = bytearray(base64.urlsafe_b64decode(token(c.base())[5:] + "=="))
        for _ in range(rnd.randrange(1, 3)):
            i = rnd.randrange(len(raw))
            how = rnd.randrange(4)
            if how == 0:
                raw[i] = rnd.randrange(256)
            elif how == 1:
                del raw[i]
            elif how == 2:
                raw.insert(i, rnd.choice([0, 1, 2, 4, 6, 0x20, 0x80, 0xff]))
            else:
                raw[i] ^= 1 << rnd.randrange(8)
        tokens.append("pypi-" + base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))
        requests.append(verify_request(tokens[-1], c.key, c.ctx))
    for c, text, answer in zip(cases, tokens, ask(requests)):
        if answer != "allowed":
            continue
        original = load(token(c.base()))
        if not verified_there(text, c.key, c.ctx):
            bad.append(("allowed here alone", text))
        elif load(text).identifier_bytes != original.identifier_bytes or [
                x.caveat_id for x in load(text).caveats] != [x.caveat_id for x in original.caveats]:
            bad.append(("changed, and allowed", text))
    check("damaged tokens", bad, len(cases))


def main():
    print("# seed", SEED)
    cases = [Case() for _ in range(ROUNDS)]
    bytes_alike(cases)
    decisions_alike(cases)
    narrowed(cases)
    damaged([Case() for _ in range(ROUNDS)])
    granted([Case() for _ in range(ROUNDS // 3)])
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
