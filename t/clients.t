#!/usr/bin/python3
"""clients.t - the real clients of Debian upload through the guard, pip installs what they uploaded,
and each of them shows the sentence when it is refused."""
import concurrent.futures
import glob
import html
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import clients, dist, pages, site, tap  # noqa: E402

TOOLS = ("twine", "curl", "flit", "poetry", "distutils")
WORKERS = 3
PAGES = '<Location "/account/">\nSetHandler pypitoken-manage\nRequire all granted\n</Location>\n'


def job(s, tool, url, user, name, version, form="wheel", **env):
    """One upload by one client; form is wheel or sdist (distutils makes sdists only)."""
    home = s.path("home", "%s-%s-%s-%s" % (tool, name, version, form))
    if tool in ("twine", "curl"):
        package = (dist.wheel if form == "wheel" else dist.sdist)(name, version)
        return getattr(clients, tool)(home, url, user, package, **env)
    if tool == "distutils":
        form = "sdist"
    return getattr(clients, tool)(home, url, user, name, version, form, **env)


def in_parallel(jobs):
    """[(name, callable)] -> [(name, Done)], in order."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        futures = [(name, pool.submit(call)) for name, call in jobs]
        return [(name, future.result()) for name, future in futures]


def uploads(t, s, url, alice):
    """Every client, with a user-wide and with a project token, a wheel and an sdist."""
    jobs = []
    for tool in TOOLS:
        name = "by" + tool
        scoped = s.token("alice", name)
        for version, token in (("1.0", alice), ("2.0", scoped), ("3.0", alice.only(name))):
            for form in ("sdist", "wheel"):
                if not (tool == "distutils" and form == "wheel") and not (version == "3.0" and form == "wheel"):
                    jobs.append(("%s %s %s" % (name, version, form),
                                 lambda a=(tool, url, token.user, name, version, form): job(s, *a)))
    for name, done in in_parallel(jobs):
        t.ok(done.code == 0, name + ": uploaded", done)
    for tool in TOOLS:
        kept = [n for n in s.visible() if n.startswith("by%s/" % tool)]
        t.is_(len(kept), 3 if tool == "distutils" else 5, tool + "'s files are stored", kept)


def refusals(t, s, url, alice):
    """(what is wrong, credentials, what the client must show)"""
    revoked = s.token("alice")
    s.ctl("token", "revoke", revoked.id)
    wrong = [
        ("another", alice.only("something-else").user, "project-scoped token is not valid for project"),
        ("revoked", revoked.user, "Invalid API Token: it was revoked"),
        ("expired", alice.expired().user, "Invalid API Token: token is expired"),
        ("mistyped", alice.mistyped().user, "Invalid API Token: signatures do not match"),
        ("password", ("alice", s.password("alice")), "User name and password are not accepted for uploads"),
        ("account", ("alice", alice.text), "Use __token__ as the user name"),
    ]
    before, url = s.visible(), url.replace("/legacy/", "/counted/")
    jobs = []
    for tool in TOOLS:
        for name, user, _ in wrong:
            jobs.append((tool + " " + name, lambda a=(tool, url, user, "no" + name + tool, "1.0"): job(s, *a)))
    sentences = [sentence for _ in TOOLS for _, _, sentence in wrong]
    for (name, done), sentence in zip(in_parallel(jobs), sentences):
        t.ok(done.code not in (0, "timeout"), name + ": refused, exit code not 0", done)
        t.has(done.flat, sentence, "  and the user reads why")
        t.has(done.flat, "403", "  with the status")
    t.is_(len(s.httpd.access(len(jobs), path="/counted/")), len(jobs), "each client tried exactly once")
    t.is_(s.visible(), before, "nothing was stored")


def others(t, s, url, alice):
    r = clients.twine(s.path("home", "skip"), url, alice.user, dist.wheel("bytwine", "1.0"))
    t.is_(r.code, 0, "twine, the same bytes again: fine", r)
    other = dist.wheel("bytwine", "1.0", salt="other")
    r = clients.twine(s.path("home", "skip"), url, alice.user, other)
    t.ok(r.code != 0 and "File already exists" in r.flat, "twine, other bytes under the same name: refused", r)
    r = clients.twine(s.path("home", "skip"), url, alice.user, other, "--skip-existing")
    t.ok(r.code == 0 and "Skipping" in r.flat, "twine --skip-existing skips it", r)
    r = clients.twine(s.path("home", "skip"), url, alice.expired().user, other, "--skip-existing")
    t.ok(r.code != 0 and "expired" in r.flat, "twine --skip-existing does not skip a refusal", r)
    r = clients.twine(s.path("home", "blank"), url, ("__token__", alice.text + "\n"), dist.wheel("bytwine", "4.0"))
    t.is_(r.code, 0, "twine with a newline behind the token", r)

    big = dist.sdist("bycurl", "5.0", padding=3 << 20)
    r = clients.curl(s.path("home", "big"), url, alice.user, big)
    t.is_(r.code, 0, "curl with 3 MB (Expect: 100-continue)", r)
    r = clients.curl(s.path("home", "big"), url, alice.expired().user, big)
    t.ok(r.code == 22 and "token is expired" in r.flat, "curl with 3 MB, refused: reads the sentence", r)
    r = clients.twine(s.path("home", "big"), url, alice.expired().user, big)
    t.ok(r.code == 1 and "token is expired" in r.flat, "twine with 3 MB, refused: reads the sentence", r)
    r = clients.curl(s.path("home", "chunked"), url, alice.user, dist.wheel("bycurl", "6.0"),
                     "-H", "Transfer-Encoding: chunked")
    t.is_(r.code, 0, "curl, chunked", r)
    r = clients.curl(s.path("home", "json"), url, alice.expired().user, dist.wheel("bycurl", "6.1"),
                     "-H", "Accept: application/json")
    t.ok(r.code == 22 and '"code":"403 Invalid API Token' in r.flat, "curl with Accept: application/json", r)


def legacy_names(t, s, alice):
    """distutils writes the name's dashes into the name of an sdist."""
    for location, code in (("legacy", 1), ("dashes", 0)):
        url = "http://127.0.0.1:%d/%s/" % (s.httpd.port, location)
        r = clients.distutils(s.path("home", "dashes"), url, alice.user, "with-dashes", "1.0")
        t.is_(r.code, code, "distutils with a dash in the name, PyPITokenLegacyNames %s" %
              ("Off: refused" if code else "On: stored"), r)
    r = clients.pip(s.path("home", "pip-dashes"), "download", "--index-url",
                    "http://127.0.0.1:%d/simple/" % s.httpd.port, "--no-deps", "--no-build-isolation",
                    "--dest", s.path("home", "down-dashes"), "with_dashes")
    t.is_(r.code, 0, "  and pip finds it", r)


def tls(t, s, alice):
    url = "https://localhost:%d/legacy/" % s.httpd.tls_port
    cert = s.certificate()
    trust = {"REQUESTS_CA_BUNDLE": cert, "CURL_CA_BUNDLE": cert, "SSL_CERT_FILE": cert,
             "POETRY_CERTIFICATES_FOO_CERT": cert}
    big = dist.sdist("tlsrefused", "1.0", padding=3 << 20)
    jobs = [(tool + " over TLS", lambda a=tool: job(s, a, url, alice.user, "tls" + a, "1.0", **trust))
            for tool in TOOLS]
    for name, done in in_parallel(jobs):
        t.is_(done.code, 0, name + ": uploaded", done)
    bad = alice.expired().user
    jobs = [(tool + " over TLS", lambda a=tool: job(s, a, url, bad, "tlsbad" + a, "1.0", **trust))
            for tool in TOOLS]
    jobs += [("twine with 3 MB over TLS", lambda: clients.twine(s.path("home", "tls1"), url, bad, big, **trust)),
             ("curl with 3 MB over TLS", lambda: clients.curl(s.path("home", "tls2"), url, bad, big, **trust))]
    for name, done in in_parallel(jobs):
        t.ok(done.code not in (0, "timeout") and "token is expired" in done.flat, name + ": refused with the reason",
             done)


def install(t, s):
    """pip, from the index alone: downloads and installs what every client has uploaded."""
    index = ["--index-url", "http://127.0.0.1:%d/simple/" % s.httpd.port, "--no-deps"]
    jobs = []
    for tool in TOOLS:
        name = "by" + tool
        target = s.path("home", "site-" + tool)
        jobs.append(("pip install %s==2.0" % name, lambda a=(name, target): clients.pip(
            s.path("home", "pip-" + a[0]), "install", *index, "--no-build-isolation", "--target", a[1],
            a[0] + "==2.0")))
    for tool in ("twine", "distutils"):
        jobs.append(("pip download by%s, the sdist" % tool, lambda a=tool: clients.pip(
            s.path("home", "pipd-" + a), "download", *index, "--no-build-isolation", "--no-binary", ":all:",
            "--dest", s.path("home", "down-" + a), "by%s==1.0" % a)))
    for name, done in in_parallel(jobs):
        t.is_(done.code, 0, name, done)
    for tool in TOOLS:
        t.ok(os.path.exists(s.path("home", "site-" + tool, "by%s.py" % tool)), "  by%s.py is there" % tool)
    for tool in ("twine", "distutils"):
        stored = [n for n in s.visible() if n.startswith("by%s/" % tool) and n.endswith("1.0.tar.gz")][0]
        got = os.listdir(s.path("home", "down-" + tool))
        with open(s.path("packages", stored), "rb") as a, open(s.path("home", "down-" + tool, got[0]), "rb") as b:
            t.ok(a.read() == b.read(), "  the sdist by %s is the same, byte for byte" % tool)


# what the shell lines of a page may be pasted into
SHELLS = {"twine": ["zsh", "-f"], "flit": ["bash"], "poetry": ["bash"], "uv": ["zsh", "-f"], "GitHub Actions": ["bash"], "GitLab CI": ["bash"]}


def script(name, text, token):
    """The shell lines of a snippet, and what its service puts into their environment."""
    text = text.replace("${{ secrets.PYPI_TOKEN }}", token)
    env = dict(re.findall(r"(?m)^ +((?:TWINE|PYPI)_\w+): (.*)$", text))
    if name == "GitLab CI":
        env["PYPI_TOKEN"] = token
    lines = re.findall(r"(?m)^- run: (.*)$|^    - (?!if:)(.*)$", text)
    return "\n".join(a or b for a, b in lines) or text, env


def snippets(t, s, url):
    """What the page of a new token tells people to paste, in the shells that they use."""
    b = pages.Browser(s)
    b.more = [("Host", "127.0.0.1:%d" % s.httpd.port)]
    b.sign_in("alice", s.password("alice"))
    page = b.post("/account/tokens/new", "/account/tokens/new", name="pasted", scope="all", life="30d").text
    text = re.search('id="token">([^<]+)<', page).group(1)
    s.secret(text)
    shown = {name: html.unescape(code) for name, code in re.findall(r'(?s)<pre [^>]*aria-label="([^"]+)"><code>(.*?)</code></pre>', page)}
    t.is_(set(shown), set(SHELLS) | {".pypirc"}, "the page has these", page)
    t.ok(all(url in code and text not in code for code in shown.values()), "  with the URL, and never with the token in them", shown)

    def paste(name):
        home, project = clients.fresh(s.path("home", "paste-" + name.replace(" ", ""))), "pasted" + re.sub(r"\W", "", name.lower())
        for tool, form in (("flit", clients.FLIT), ("poetry", clients.POETRY)):
            if name == tool:
                top = clients.source(home, project, None)
                clients.write(os.path.join(home, "pyproject.toml"), form % (project, "1.0", top if name == "poetry" else project))
        if name == "poetry":
            clients.run(home, ["poetry", "build", "-n", "-f", "wheel"])
        elif name not in ("flit", "uv"):
            os.mkdir(os.path.join(home, "dist"))
            dist.wheel(project, "1.0").save(os.path.join(home, "dist"))
        lines, env = script(name, shown[name], text)
        if name == ".pypirc":
            clients.write(os.path.join(home, ".pypirc"), lines.replace("(the token)", text), 0o600)
            return clients.run(home, ["twine", "upload", "--non-interactive", "-r", site.SERVICE, *glob.glob(home + "/dist/*")])
        if name == "uv":  # is in no Debian yet: what it would be told
            clients.write(os.path.join(home, "uv"), '#!/bin/sh\necho "$1 $UV_PUBLISH_URL ${UV_PUBLISH_TOKEN%${UV_PUBLISH_TOKEN#??????????}}"\n', 0o755)
            env["PATH"] = home + ":/usr/bin:/bin"
        return clients.run(home, [*SHELLS[name], "-c", lines], typed=(text + "\n").encode(), **env)
    done = dict(in_parallel([(name, lambda name=name: paste(name)) for name in shown]))
    for name in sorted(shown):
        t.is_(done[name].code, 0, "%s: what the page says works" % name, done[name])
        t.ok(name == "uv" or any(n.startswith("pasted" + re.sub(r"\W", "", name.lower()) + "/") for n in s.visible()), "  and uploads", done[name])
        if name in ("twine", "flit", "poetry", "uv"):
            t.unlike(shown[name], "#", "  also on a command line of zsh, which has no comments")
            t.like(shown[name].split("\n")[-1], " && " + name, "  also pasted all at once: who reads the token is not given a line of it")
    t.has(done["uv"].flat, "publish %s %s" % (url, text[:10]), "uv: is told where to, and the token")


def main(t):
    site.need(t, "twine", "flit", "poetry", "curl", "openssl", "zsh")
    with site.Site(t) as s:
        s.init("alice")
        dashes = site.GUARD.replace('"/legacy/"', '"/dashes/"').replace("{guard}", "PyPITokenLegacyNames On")
        counted = site.GUARD.replace('"/legacy/"', '"/counted/"').replace("{guard}", "")
        s.start(more=dashes + counted + PAGES + "PyPITokenPasswordUpload Never\n", tls=True)
        alice = s.token("alice")
        url = "http://127.0.0.1:%d/legacy/" % s.httpd.port
        for part, arguments in ((uploads, (url, alice)), (install, ()), (refusals, (url, alice)),
                                (others, (url, alice)), (legacy_names, (alice,)), (snippets, (url,)), (tls, (alice,))):
            t.note(part.__name__)
            part(t, s, *arguments)


tap.run(main)
