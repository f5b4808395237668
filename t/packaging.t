#!/usr/bin/python3
"""packaging.t - debian/ and rpm/ without building them (t/package does): versions, dependencies, scripts, and that what
"make install" installs is what the packages hold, both ways. README's lines, as they stand, in an httpd."""
import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, SRCDIR, dist, site, tap  # noqa: E402

NAME = "libapache2-mod-pypitoken"


def read(name):
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as f:
        return f.read()


def run(*argv, **kw):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kw)
    return done.returncode, done.stdout


def versions(t):
    version = re.search(r"^AC_INIT\(\[mod_pypitoken\], \[([\d.]+)\]\)", read("configure.ac"), re.M).group(1)
    t.like(read("debian/changelog"), r"\Amod-pypitoken \(%s-\d+\) " % re.escape(version), "debian/changelog: this version")
    t.is_(re.search(r"^Version: +(\S+)", read("rpm/mod_pypitoken.spec"), re.M).group(1), version, "the spec: this version")


def dependencies(t):
    """Each library that configure looks for, by the names that it prints."""
    pairs = re.findall(r"\[(lib[\w.+-]+-dev|apache2-dev)\], \[([\w-]+-devel)\]", read("configure.ac"))
    t.ok(len(pairs) > 9, "configure's libraries are read")
    control = read("debian/control").split("\n\n")[0]
    debian = set(re.findall(r"\b(lib[\w.+-]+-dev|apache2-dev)\b", control))
    t.is_(debian, {d for d, _ in pairs}, "Build-Depends has them, and no others")
    spec = set(re.findall(r"^BuildRequires: +(\S+-devel)$", read("rpm/mod_pypitoken.spec"), re.M))
    t.is_(spec, {r for _, r in pairs}, "BuildRequires has them, and no others")
    wanted = set(re.findall(r"^build (lib[\w.+-]+-dev|apache2-dev)$", read("t/packages"), re.M))
    t.is_(wanted, debian, "so has t/packages")


def scripts(t):
    names = ["debian/%s.%s" % (NAME, end) for end in ("config", "postinst", "postrm")] + ["debian/tests/upload"]
    for name in names:
        text = read(name)
        t.ok(text.startswith("#!/bin/sh\n# ") and re.search(r"^set -e", text, re.M), name + " stops at a failure, and says what it is")
        t.is_(run("sh", "-n", os.path.join(SRCDIR, name))[0], 0, "  and is shell")
    t.ok(os.access(os.path.join(SRCDIR, "debian/rules"), os.X_OK), "debian/rules may be run")
    asked = set(re.findall(r"^Template: (\S+)", read("debian/%s.templates" % NAME), re.M))
    used = set(re.findall(NAME + r"/[a-z-]+", "".join(map(read, names))))
    t.is_({u for u in used if not u.endswith(("/README", "/examples"))}, asked, "each question is asked, and each that is asked is there")
    t.unlike(re.sub(r"(?s)RET\" = true.*?(elif|fi)", "", read("debian/%s.postrm" % NAME)), r"rm -rf",
             "nothing is removed at a purge but when told to")
    t.is_(run("bash", "-n", os.path.join(SRCDIR, "t/package"))[0], 0, "t/package is shell")


def spec(t):
    if not shutil.which("rpmspec"):
        t.skip("the spec is parsed", "no rpmspec")
        return
    code, said = run("rpmspec", "--parse", os.path.join(SRCDIR, "rpm/mod_pypitoken.spec"))
    t.ok(code == 0 and "%files" in said and not re.search(r"^(error|warning)", said, re.M), "rpmspec takes the spec", said[-2000:])


def installed(t):
    """What make install puts where, held against both lists."""
    with tempfile.TemporaryDirectory() as top:
        code, said = run("make", "-s", "install", "DESTDIR=" + top, "prefix=/usr", "docdir=/usr/share/doc/PACKAGE",
                         "mandir=/usr/share/man", "moddir=/usr/lib/MODULES", cwd=BUILDDIR,
                         env=dict(os.environ, MAKEFLAGS=""))
        if not t.is_(code, 0, "make install", said[-2000:]):
            return
        files = sorted("/" + os.path.relpath(os.path.join(at, name), top) for at, _, names in os.walk(top) for name in names)
    t.ok(len(files) > 15, "files are installed", files)
    debian = ["/" + line.replace("lib/apache2/modules", "lib/MODULES").replace(NAME, "PACKAGE") + tail
              for line in read("debian/%s.install" % NAME).split() for tail in ("", "/*")]
    macros = {"%{_httpd_moddir}": "/usr/lib/MODULES", "%{_sbindir}": "/usr/sbin", "%{_mandir}": "/usr/share/man",
              "%{_datadir}": "/usr/share", "%{_docdir}/%{name}": "/usr/share/doc/PACKAGE"}
    lines = re.search(r"(?s)\n%files\n(.*?)\n\n", read("rpm/mod_pypitoken.spec")).group(1).split("\n")
    rpm = [line for line in lines if line.startswith("%{_") and not line.startswith("%{_httpd_modconf")]
    for macro, path in macros.items():
        rpm = [line.replace(macro, path) for line in rpm]
    rpm += [line + "/*" for line in rpm]
    for what, patterns in (("debian/%s.install" % NAME, debian), ("the spec's %files", rpm)):
        t.is_([f for f in files if not any(fnmatch.fnmatch(f, p) for p in patterns)], [], "all of them are in " + what)
        t.is_([p for p in patterns if not p.endswith("/*") and not any(fnmatch.fnmatch(f, p) or f.startswith(p + "/") for f in files)],
              [], "  which names no others")
    examples = sorted(os.path.basename(f) for f in files if "/examples/" in f)
    t.is_([n for n in os.listdir(os.path.join(SRCDIR, "conf/examples")) if n not in examples], [], "every example is installed")


def readme(t):
    """As they stand, but for the places."""
    lines = re.search(r"(?m)^    PyPITokenStore [\s\S]*?\n\n", read("README")).group(0)
    t.is_(len(re.findall(r"^    (?!    |</)\S", lines, re.M)), 5, "README's lines are five directives")
    with site.Site(t) as s:
        s.init("alice")
        text = lines.replace("sqlite:/var/lib/pypitoken/store.db", s.store.options()[1]).replace("/etc/pypitoken", s.root)
        s.start(locations=text.replace("/var/lib/pypitoken", s.root))
        tok, package = s.token("alice"), dist.sdist("demo")
        t.is_(s.upload(package, tok.mistyped()).status, 403, "  a token of nobody's is refused")
        t.is_(s.upload(package, tok).status, 200, "  an upload goes through")
        t.has(s.get("/simple/demo/").text, package.filename, "  and is listed")


def commands(t):
    """README's commands, pasted into a shell all at once: an index of its own places, a token at the end."""
    lines = re.search(r"(?m)^    mkdir [\s\S]*?\n\n", read("README")).group(0)
    if os.geteuid() != 0:
        lines = re.sub(r"(?m)^ *chown .*$", "", lines)
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)  # the store's owner gets in
        ours = 'pypitokenctl() { "%s" --config "%s/etc/pypitoken/pypitokenctl.conf" "$@"; }\n' % (
            os.path.abspath(os.path.join(BUILDDIR, "pypitokenctl")), top)
        done = subprocess.run(["bash", "-eu"], input=ours + re.sub(r"/(etc|var/lib)/pypitoken", top + r"/\1/pypitoken", lines),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        t.is_(done.returncode, 0, "README's commands work as they are pasted", done.stderr)
        t.like(done.stdout, r"(?m)^pypi-\S+$", "  and print a token", done.stderr)


def main(t):
    site.need(t)
    versions(t)
    dependencies(t)
    scripts(t)
    spec(t)
    installed(t)
    readme(t)
    commands(t)


tap.run(main)
