#!/usr/bin/python3
"""docs.t - what the manual says is what there is, both ways: verdicts, directives, commands, tests, licences."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, SRCDIR, clients, dist, httpd, site, tap  # noqa: E402


def read(name):
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as f:
        return f.read()


def pages():
    """Every text that a person reads: {name: text}."""
    names = ["README", "CONTRIBUTING", "SECURITY", "t/README"]
    names += [os.path.relpath(p, SRCDIR) for kind in ("doc/*", "conf/*", "conf/examples/*", "man/*.in")
              for p in glob.glob(os.path.join(SRCDIR, kind)) if os.path.isfile(p)]
    return {name: read(name) for name in sorted(names)}


# ---- verdicts ----

def table_of_verdicts():
    """word: (status, sentence)"""
    source = read("mod_pypitoken/core/verdict.h").replace("\\\n", " ")
    rows = re.findall(r'X\(\w+, "([a-z0-9-]+)", (\d+),((?:\s*"(?:[^"\\]|\\.)*")+)\s*\)', source)
    return {word: (status, "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))) for word, status, text in rows}


def verdicts(t):
    table = table_of_verdicts()
    page = re.findall(r"^    ([a-z][a-z0-9-]+) +(\d{3})  \S", read("doc/verdicts"), re.M)
    t.ok(len(table) > 50, "the table of verdicts is read")
    t.is_(sorted(set(table) - {w for w, _ in page}), [], "every verdict stands in doc/verdicts")
    t.is_([w for w, s in page if w not in table or table[w][0] != s], [], "  with its status, and no other does")
    t.is_(len(page), len({w for w, _ in page}), "  once")
    told = re.findall(r'^    (\d{3}) "(.*)"$', read("doc/uploaders"), re.M)
    # token-caveat's is whatever the caveat says
    known = [(status, re.escape(sentence).replace(r"\{\}", ".+")) for word, (status, sentence) in table.items()
             if word != "token-caveat"]
    t.ok(len(told) > 15, "the sentences of doc/uploaders are read")
    t.is_([said for status, said in told if not any(status == s and re.fullmatch(r, said) for s, r in known)], [],
          "  each is one that the server says, with its status")


# ---- the store ----

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


# ---- directives ----

CONTEXTS = {frozenset(["RSRC_CONF"]): "server config, virtual host", frozenset(["ACCESS_CONF"]): "directory",
            frozenset(["ACCESS_CONF", "RSRC_CONF"]): "server config, virtual host, directory"}
# what is typed where the default is no value, or one that would need more
TYPED = {"PyPITokenStore": "sqlite:/nowhere/store.db", "PyPITokenStoreSecret": "/nowhere", "PyPITokenKeyring": "/nowhere",
         "PyPITokenService": "index.test", "PyPITokenDrain": "1G", "PyPITokenMaxSpools": "100", "PyPITokenSpoolDir": "/tmp",
         "PyPITokenPackages": "/tmp", "PyPITokenPolicy": "{policy}", "PyPITokenNotify": "/bin/true", "PyPITokenHashes": "2 16", "PyPITokenDisclosureKeys": "{keys}",
         "PyPITokenAdmins": "alice bob", "PyPITokenUploadURL": "https://pypi.example/legacy/"}


def table_of_directives():
    """name: (macro, context in words)"""
    files = {name: read(name) for name in
             (os.path.relpath(p, SRCDIR) for p in glob.glob(os.path.join(SRCDIR, "mod_pypitoken/httpd/*.c")))}
    every = "\n".join(files.values())
    found = {}
    for macro, name, setter, flags in re.findall(
            r'AP_INIT_(\w+)\(\s*"(PyPI\w+)",\s*(\w+),[^"]*?,\s*((?:\w+_CONF)(?:\s*\|\s*\w+_CONF)*),', every):
        body = re.search(r"^(?:static )?const char \*%s\(.*?^}" % setter, every, re.M | re.S)
        words = CONTEXTS[frozenset(re.findall(r"\w+_CONF", flags))]
        found[name] = (macro, "server config" if body and "GLOBAL_ONLY" in body.group() else words)
    return found


def entries():
    """doc/directives: name: {key: [value, ...]}, continued lines joined."""
    found, name = {}, None
    for line in read("doc/directives").split("\n"):
        if re.fullmatch(r"PyPIToken\w+", line):
            name = line
            t_key, found[name] = None, {}
        elif line and not line.startswith(" "):
            name = None
        elif name and re.match(r"    [A-Z]", line):
            t_key, value = line.split(None, 1)
            found[name].setdefault(t_key, []).append(value)
        elif name and line.strip():
            found[name][t_key][-1] += " " + line.strip()
    return found


def directives(t):
    table, page = table_of_directives(), entries()
    t.ok(len(table) > 20, "the command table is read")
    t.is_(sorted(set(table) ^ set(page)), [], "every directive stands in doc/directives, and no other")
    for name, (macro, context) in sorted(table.items()):
        entry = page.get(name, {})
        t.is_(sorted(set(entry)), ["Context", "Default", "Protects", "Syntax", "Wrong"], "%s: has it all" % name)
        t.is_(entry.get("Context"), [context], "  stands where the table says")
        syntax = entry.get("Syntax", [""])[0]
        t.ok(syntax.startswith(name + " "), "  its syntax begins with its name")
        if macro == "FLAG":
            t.is_(syntax, name + " On | Off", "  is a flag")
    named = {(where, d) for where, text in pages().items() for d in re.findall(r"\bPyPIToken[A-Z]\w*", text)}
    t.is_(sorted((w, d) for w, d in named if d not in table), [], "no page names a directive that is not there")
    commented = set(re.findall(r"^\s*#?\s*(PyPIToken\w+)", read("conf/pypitoken.conf"), re.M))
    t.is_(sorted(set(table) - commented - {"PyPITokenStoreSecret", "PyPITokenLegacyNames"}), [],
          "conf/pypitoken.conf has every directive of a usual site")


def sizes(text):
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1]] if text[-1] in "KMG" else int(text)


def seconds(text):
    n, unit = re.fullmatch(r"(\d+)([a-z]*)", text).groups()
    return int(n) * {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}[unit]


def defaults(t):
    """The defaults of the page against the code's constants."""
    page, source = entries(), "\n".join(read("mod_pypitoken/httpd/config%s.c" % part) for part in ("", "_limits", "_people"))
    constant = {k: v for k, v in re.findall(r"^#define (CONFIG_\w+) +([^/\n]+)", source, re.M)}

    def value(name):
        text = re.sub(r"\(apr_off_t\)|apr_time_from_sec", "", constant[name])
        return int(eval(text, {"__builtins__": {}}))  # pylint: disable=eval-used

    def default(name):
        return page[name]["Default"][0]
    for name, macro, read_as in (("MaxUpload", "CONFIG_MAX_UPLOAD", sizes), ("Memory", "CONFIG_MEMORY", sizes),
                                 ("Linger", "CONFIG_LINGER", seconds), ("Session", "CONFIG_SESSION", seconds),
                                 ("Flush", "CONFIG_FLUSH", seconds)):
        t.is_(read_as(default("PyPIToken" + name)), value(macro), "PyPIToken%s: the default is the code's" % name)
    words = dict(re.findall(r'\{"(\w+)", (LOGIN_FACTOR_\w+|CONFIG_UPLOAD_\w+)\}', source))
    for name, pattern in (("SecondFactor", r"factor == CONFIG_UNSET \? (\w+)"),
                          ("PasswordUpload", r"password_upload == CONFIG_UNSET \? (\w+)")):
        t.is_(words[default("PyPIToken" + name)], re.search(pattern, source).group(1), "PyPIToken%s: likewise" % name)
    every = "\n".join(read(os.path.relpath(p, SRCDIR)) for p in glob.glob(os.path.join(SRCDIR, "mod_pypitoken/httpd/*.c")))
    for name, value_unset, pattern in (("Guard", "Off", "->guard == 1"), ("LegacyNames", "Off", "->legacy_names == 1"), ("Stream", "Off", "->stream == 1"),
                                       ("RequireTLS", "On", "->require_tls != 0"), ("NewProjects", "Anyone", "->new_projects != 0"),
                                       ("BackendAuth", "None", "->backend == CONFIG_BACKEND_KEEP")):
        field = re.match(r"->(\w+)", pattern).group(1)
        uses = set(re.findall(r"->%s (?:[=!]= \w+)" % field, re.sub(r"(?:add|base)->\w+ == \w+", "", every)))
        allowed = {pattern, "->backend == CONFIG_BACKEND_SERVICE"} if name == "BackendAuth" else {pattern}
        t.is_((default("PyPIToken" + name), uses), (value_unset, allowed), "PyPIToken%s: likewise" % name)
    t.is_(default("PyPITokenHashes"), "one a processor, from 2 to %d, and %d" % (value("CONFIG_HASHES"), value("CONFIG_QUEUE")),
          "PyPITokenHashes: likewise")
    throttle = read("mod_pypitoken/access/throttle.c")
    spans = {"MINUTE": "m", "HOUR": "h", "DAY": "d"}
    figures = []
    for name, rates in re.findall(r"^    \[THROTTLE_(\w+)\] = \{(\{\d.*\})\}", throttle, re.M):
        each = re.findall(r"\{(\d+), (?:(\d+) \* )?THROTTLE_(\w+)\}", rates)
        figures.append("%s %s" % (name.lower().replace("_", "-"), ",".join("%s/%s%s" % (n, k or 1, spans[u]) for n, k, u in each)))
    t.is_(page["PyPITokenThrottle"]["Default"], figures, "PyPITokenThrottle: likewise")
    t.is_([f for f in figures if not re.search(r"^#PyPITokenThrottle %s$" % re.escape(f), read("conf/pypitoken.conf"), re.M)], [],
          "  and conf/pypitoken.conf has the same")


def public_keys():
    """What a code host publishes."""
    pair = subprocess.run(["openssl", "ecparam", "-genkey", "-noout", "-name", "prime256v1"], stdout=subprocess.PIPE, check=True)
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=pair.stdout, stdout=subprocess.PIPE, check=True).stdout.decode()
    return json.dumps({"public_keys": [{"key_identifier": "a", "key": public, "is_current": True}]})


def contexts(t):
    """httpd itself, about every directive in every context."""
    if not httpd.binary():
        t.skip("contexts, asked of httpd", "no httpd")
        return
    page = entries()
    with site.Site(t, "sqlite") as s:
        policy = s.write("policy", read("conf/policy"), 0o644)
        keys = s.write("keys", public_keys(), 0o644)

        def line(name):
            text = TYPED.get(name, page[name]["Default"][0]).replace("{policy}", policy).replace("{keys}", keys)
            return "%s %s\n" % (name, text)

        def takes(config):
            for log in ("error.log", "stderr.log"):
                s.write("logs/" + log, "")
            code, said = httpd.Httpd(s, config).check()
            return (code == 0 or "AH00526" not in said, said)
        frames = {"server config": "%s", "virtual host": "<VirtualHost 127.0.0.1:1>\n%s</VirtualHost>\n",
                  "directory": '<Location "/x/">\n%s</Location>\n'}
        for where, frame in frames.items():
            mine = [name for name in page if where in page[name]["Context"][0].split(", ")]
            good, said = takes(frame % "".join(line(name) for name in mine))
            t.ok(good, "%s: takes all that may stand there, with their defaults" % where, said)
            for name in sorted(set(page) - set(mine)):
                t.ok(not takes(frame % line(name))[0], "  not %s" % name)


def configuration(t):
    """conf/pypitoken.conf: it starts and takes an upload, also with all that is commented out in it."""
    if not httpd.binary():
        t.skip("conf/pypitoken.conf, run", "no httpd")
        return
    with site.Site(t, "sqlite") as s:
        s.init("alice")
        tok = s.token("alice")
        s.write("policy", read("conf/policy"), 0o644)
        s.write("github-keys.json", public_keys(), 0o644)
        log = re.search(r"^ +(LogFormat .*)\n +CustomLog logs/", read("doc/operators"), re.M).group(1)
        lines = read("conf/pypitoken.conf")
        for ours, here in (("/var/lib/pypitoken/store.db", s.path("store/pypi.db")), ("/var/lib/pypitoken/packages", s.path("packages")),
                           ("/etc/pypitoken/", s.root + "/"), ("/var/spool/pypitoken", s.path("spool")),
                           ("/usr/local/lib/pypitoken/told", s.write("told", "#!/bin/sh\ncat >/dev/null\n", 0o755))):
            t.has(lines, ours, "conf/pypitoken.conf has %s" % ours)
            lines = lines.replace(ours, here)
        every = re.sub(r"^( *)#(PyPIToken)", r"\1\2", lines, flags=re.M)
        for what, config in (("as it is", lines), ("with everything", every)):
            server = httpd.Httpd(s, config + log + '\nCustomLog "%s" pypitoken\n' % s.path("logs/uploads.log"), modules=["logio"])
            s.httpd = server
            s.servers.append(server)
            server.start()
            r = s.upload(dist.sdist("demo"), tok)
            t.is_(r.status, 200, "%s it starts and takes an upload" % what, r)
            t.is_(s.get("/simple/demo/").status, 200, "  which is listed")
            t.is_(s.get("/account/sign-in").status, 200, "  and has the pages")
            s.upload(dist.sdist("demo"), tok.mistyped())
            if config == lines and all(map(shutil.which, ("twine", "curl"))):
                by_the_book(t, s, tok)
            server.stop()
        with open(s.path("logs/uploads.log"), encoding="ascii") as f:
            told = [line.split() for line in f if "POST" in line]
        want = {("alice", "200", tok.id, "demo", "demo-1.0.tar.gz", "allowed"), ("-", "403", "-", "-", "-", "token-signature")}
        t.is_(want - {(w[1], w[7], *w[-4:]) for w in told}, set(), "the LogFormat of doc/operators says who, what, which file, and why", told)


def by_the_book(t, s, tok):
    """What doc/uploaders and doc/migrating tell people to type, typed."""
    url, home = "http://127.0.0.1:%d/legacy/" % s.httpd.port, s.path("home")
    package, text = dist.sdist("typed"), read("doc/uploaders")
    clients.fresh(home)
    os.makedirs(os.path.join(home, "dist"))
    package.save(os.path.join(home, "dist"))

    def told(page, first):
        """The command that begins with this, continued lines joined, for our server and file."""
        line = re.search(r"^ +(%s(?:.*\\\n)*.*)" % re.escape(first), page, re.M).group(1)
        line = re.sub(r"\\\n *", "", line).replace("https://index.example.org/legacy/", url)
        return line.replace("demo", "typed").replace("FILE", "netrc")
    netrc = re.search(r'"(machine index.example.org login __token__ password )pypi-\.\.\."', text).group(1)
    for who, status, said in ((tok.mistyped(), "403", "signatures do not match"), (tok, "200", "")):
        clients.write(os.path.join(home, "netrc"), netrc.replace("index.example.org", "127.0.0.1") + who.text + "\n", 0o600)
        line = told(text, "curl --netrc-file")
        done = clients.run(home, ["sh", "-c", line + ' -sS -w "%{http_code}\n" -H "Accept: text/plain"'])
        t.ok(status in done.flat and said in done.flat, "doc/uploaders: curl, %s" % status, done)
        done = clients.run(home, ["sh", "-c", told(text, "twine upload --verbose") + " --disable-progress-bar"], TWINE_USERNAME="__token__",
                           TWINE_PASSWORD=who.text)
        t.ok((done.code == 0) == (status == "200") and said in done.flat, "  twine", done)
    page = read("doc/migrating")
    pypirc = page[page.index("        [distutils]"):page.index('    then "twine')]
    pypirc = pypirc.replace("https://index.example.org/legacy/", url).replace("pypi-...", tok.text).replace("        ", "", 1)
    clients.write(os.path.join(home, ".pypirc"), re.sub(r"^        ", "", pypirc, flags=re.M), 0o600)
    line = re.search(r'then "(twine [^"]*)"', page).group(1)
    done = clients.run(home, ["sh", "-c", line + " --disable-progress-bar"])
    t.is_(done.code, 0, "doc/migrating: twine with .pypirc", done)
    line = read("man/pypitokenctl.8.in")
    line = re.search(r"^(pypitokenctl token restrict --file.*)$", line, re.M).group(1).replace("pypitokenctl", os.path.join(
        os.path.abspath(BUILDDIR), "pypitokenctl"))
    clients.write(os.path.join(home, "project-token"), tok.text + "\n", 0o600)
    done = clients.run(home, ["sh", "-c", line])
    t.is_(done.code, 0, "pypitokenctl(8): a token narrowed to a file", done)
    with open(os.path.join(home, "upload-token"), encoding="ascii") as f:
        narrow = f.read().strip()
    s.secret(narrow)
    r = s.upload(package, ("__token__", narrow))
    t.is_(r.status, 200, "  takes that file", r)
    r = s.upload(dist.sdist("typed", "2.0"), ("__token__", narrow))
    t.is_(r.status, 403, "  and no other", r)


# ---- the command line ----

def table_of_commands():
    """({words: set of its options}, {option: bit}) out of the tables of ctl."""
    source = read("mod_pypitoken/ctl/commands.c")
    options = dict(re.findall(r'^    \{"([a-z-]+)", (?:NULL|"[^"]*"), (\w+),', source, re.M))
    rows = {}
    for first, second, rest in re.findall(r'\{\{"([a-z-]+)", (?:NULL|"([a-z-]+)")\},(.*?)cmd_\w+,', source, re.S):
        bits = set(re.findall(r"COMMANDS_\w+", rest)) | {"COMMANDS_ALL"}
        rows[(first, second) if second else (first,)] = {o for o, bit in options.items() if bit in bits} | {"help", "json"}
    return rows, options


def asked(text):
    """The calls of pypitokenctl in a text: a line that begins with it, or what stands in quotes behind it."""
    text = re.sub(r"\\\n *", "", text)
    joined = re.sub(r"\n +(?=[a-z-]+[^\n]*[\"'])", " ", text)
    for quoted in re.findall(r"[\"'`]pypitokenctl ([^\"'`\n]*)[\"'`]", joined):
        yield quoted
    for whole in re.findall(r"^[ #$]*(?:\d\. +)?pypitokenctl ([^\n]*)", text, re.M):
        yield whole
    for short in re.findall(r"[\"']((?:user|token|role|project|totp|events|keyring|schema) [a-z][^\"'\n]*)[\"']", joined):
        yield short


def wrong_call(call, rows, options):
    """None, or what is wrong with a call as somebody wrote it."""
    words = [w for w in re.split(r"\s{2,}|[;|<>]", call.replace("...", " ").strip(), maxsplit=1)[0].split()]
    plain, given, skip = [], [], False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("--"):
            given.append(word[2:].split("=")[0].strip(",.)"))
            skip = bool(re.search(r'\{"%s", "' % re.escape(given[-1]), read("mod_pypitoken/ctl/commands.c")))
        else:
            plain.append(word.strip(",.)"))
    if not plain:
        return None if all(g in options or g in ("help", "version", "json") for g in given) else "options"
    command = next((c for c in (tuple(plain[:2]), tuple(plain[:1])) if c in rows), None)
    if not command:
        return "no such command" if re.fullmatch("[a-z-]+", plain[0]) else None
    return next(("no --" + g for g in given if g not in rows[command] and g != "version"), None)


def commands(t):
    rows, options = table_of_commands()
    t.ok(len(rows) > 30 and len(options) > 25, "the tables of commands and options are read", (len(rows), len(options)))
    t.ok(wrong_call("user nothing x", rows, options) and wrong_call("user add --uses 3", rows, options)
         and not wrong_call("--store x user add alice", rows, options), "a wrong call would be noticed")
    calls = [(name, call) for name, text in pages().items() for call in asked(text)]
    t.ok(len(calls) > 60, "%d calls in the manual" % len(calls))
    bad = ["%s: %s: %s" % (name, call, wrong) for name, call in calls for wrong in [wrong_call(call, rows, options)] if wrong]
    t.is_(bad, [], "  each is one that the program takes")
    bare = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", read("doc/store")))
    t.is_(sorted(bare - set(options) - {"single-transaction"}), [], "doc/store: every option is one")


def man(t):
    rows, options = table_of_commands()
    page = open(os.path.join(BUILDDIR, "man/pypitokenctl.8"), encoding="utf-8").read()
    t.unlike(page, r"@[A-Z]+@", "pypitokenctl(8) is filled")
    listed = page[page.index(".Sh COMMANDS"):page.index(".Sh OPTIONS OF SINGLE")]
    shown = {tuple(re.findall(r"Cm ([a-z-]+)", item)[:2 if "Cm" in item else 0]) for item in re.findall(r"^\.It(.*)$", listed, re.M)}
    shown = {s if s in rows else s[:1] for s in shown}
    t.is_(sorted(shown ^ set(rows)), [], "  has every command, and no other")
    tags = {o.replace("\\", "") for o in re.findall(r"^\.It Fl \\-([a-z\\-]+)", page, re.M)}
    t.is_(sorted(tags ^ (set(options) | {"help"})), [], "  every option, and no other")
    five = open(os.path.join(BUILDDIR, "man/mod_pypitoken.5"), encoding="utf-8").read()
    t.is_(sorted(set(re.findall(r"^\.It Ic (\w+)", five, re.M)) ^ set(table_of_directives())), [],
          "mod_pypitoken(5) has every directive, and no other")
    every = "\n".join(read(os.path.relpath(p, SRCDIR)) for p in glob.glob(os.path.join(SRCDIR, "mod_pypitoken/httpd/*.[ch]")))
    names = {dict(re.findall(r'^#define (\w+) +"([^"]*)"', every, re.M))[macro] for macro in re.findall(r"r->handler, ([A-Z]\w+)\)", every)}
    requires = set(re.findall(r'AUTHZ_PROVIDER_GROUP, "([\w-]+)"', every))
    t.ok(len(names) > 2 and len(requires) > 1, "handlers and Require lines are read", (names, requires))
    page = read("doc/directives")
    t.is_(set(re.findall(r"^    SetHandler (\S+)$", page, re.M)), names, "  doc/directives has them, and no other")
    t.is_(set(re.findall(r"^    Require (\S+)", page, re.M)), requires, "  likewise")
    plain = five.replace("\\-", "-")
    t.is_([n for n in names if ".Ql " + n not in plain] + [n for n in requires if ".Ic Require " + n not in plain], [],
          "  and so has mod_pypitoken(5)")
    set_by = set(re.findall(r'subprocess_env, "(PYPITOKEN_[A-Z]+)"', "\n".join(read(p) for p in (
        "mod_pypitoken/httpd/handoff.c", "mod_pypitoken/httpd/denial.c", "mod_pypitoken/httpd/guard.c"))))
    t.is_(sorted(set(re.findall(r"^\.It Ev (PYPITOKEN_\w+)", five, re.M)) ^ set_by), [], "  and every variable")
    if not shutil.which("mandoc"):
        t.skip("mandoc's own opinion", "no mandoc")
        return
    for name in ("man/pypitokenctl.8", "man/mod_pypitoken.5"):
        said = subprocess.run(["mandoc", "-Tlint", os.path.join(BUILDDIR, name)], stdout=subprocess.PIPE, text=True, check=False).stdout
        t.is_([l for l in said.splitlines() if "referenced manual not found" not in l], [], "%s: mandoc -Tlint is content" % name)


# ---- tests and licences ----

def tests(t):
    """Every test that the threat model names is there, under that name, and is run."""
    text = read("doc/threat-model")
    body = text[text.index("\nA stranger\n"):text.index("\nWhat it does not defend")]
    makefile, bad, n = read("Makefile.am"), [], 0
    for script, part in re.findall(r"\b(t/(?:unit/)?\w+\.[tc])(?: ([a-z]\w*))?(?=[,;\s)])", body):
        n += 1
        source = read(script) if os.path.exists(os.path.join(SRCDIR, script)) else ""
        define = r"^def %s\(" if script.endswith(".t") else r"^(?:static )?\w[\w ]*\b\*?%s\("
        listed = re.search(r"^\t%s \\?$|^\t%s \\?$" % (re.escape(script), re.escape(script[:-2])), makefile, re.M)
        if not source or not listed or (part and not re.search(define % part, source, re.M)):
            bad.append("%s %s" % (script, part))
    t.ok(n > 80, "%d tests in doc/threat-model" % n)
    t.is_(bad, [], "  all are there, and run")
    bare, claim = [], ""
    for line in body.split("\n"):
        if line.startswith("        "):
            claim = ""
            continue
        if claim and (not line.startswith("    ") or claim.endswith(".")):
            bare.append(claim)
            claim = ""
        if line.startswith("    ") and "t/" not in line:
            claim = line
    t.is_(bare, [], "  no claim is without")


def licences(t):
    page = read("doc/licences")
    linked = set(re.findall(r"pt_pkg\(\[\w+\], \[([\w.-]+)\]", read("configure.ac")))
    linked |= set(re.findall(r"PKG_CHECK_MODULES\(\[CONNECTOR\], \[(\w+)\]", read("configure.ac")))
    listed = set(re.findall(r"^    (\S+) {2,}\S", page[page.index("What the module"):page.index("And it is")], re.M))
    t.ok(len(linked) > 9, "what configure looks for is read")
    t.is_(sorted(linked ^ listed), [], "doc/licences has what we link, and nothing else")
    t.is_([p for p in re.findall(r"^    ((?:mod_pypitoken|t)/\S+)", page, re.M) if not os.path.exists(os.path.join(SRCDIR, p))], [],
          "  and names files that are there")


def paths(t):
    """Pages name each other, and examples, by names that are there; README names them all, on one screen."""
    bad = ["%s: %s" % (name, path) for name, text in pages().items() if not name.endswith(".in")
           for path in re.findall(r"\b((?:doc|conf|man)/[a-z][\w./-]*\w)", text) if not os.path.exists(os.path.join(SRCDIR, path))]
    t.is_(bad, [], "every file of doc/ and conf/ that a page names is there")
    targets = set(re.findall(r"^([a-z][a-z-]*):", read("Makefile.am"), re.M)) | {"check", "install", "dist"}
    said = [(name, word) for name, page in pages().items() for word in re.findall(r'(?:^ +|"|&& )make ([a-z][a-z-]*)', page, re.M)]
    t.ok(len(said) > 5, "calls of make are read")
    t.is_([w for w in said if w[1] not in targets], [], "  and are targets of ours")
    tests = read("t/README")
    t.is_([n for n in (os.path.basename(p) for kind in ("t/*.t", "t/lib/pypt/[a-z]*.py") for p in glob.glob(os.path.join(SRCDIR, kind)))
           if not re.search(r"(?m)^%s " % re.escape(n), tests)], [], "t/README names every script and helper")
    t.is_([n for n in re.findall(r"(?m)^([a-z0-9_]+\.(?:t|py)) ", tests)
           if not any(os.path.exists(os.path.join(SRCDIR, at, n)) for at in ("t", "t/lib/pypt"))], [], "  and no other")
    text = read("README")
    t.is_([p for p in os.listdir(os.path.join(SRCDIR, "doc")) if "doc/" + p not in text and p != "examples"], [], "README names every page")
    t.ok(len(text.split("\n")) <= 66, "  and is one page long")
    t.is_([l for l in text.split("\n") if len(l) > 110], [], "  of lines that fit")


def main(t):
    for part in (verdicts, store, directives, defaults, contexts, configuration, commands, man, tests, licences, paths):
        t.note(part.__name__)
        part(t)


tap.run(main)
