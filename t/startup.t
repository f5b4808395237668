#!/usr/bin/python3
"""startup.t - what stops httpd from starting, and the sentence that says which file or line to mend."""
import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import httpd, site, tap, under, wire  # noqa: E402

GUARD = """
<Location "/legacy/">
    AuthType Basic
    AuthName uploads
    AuthBasicProvider pypitoken
    Require valid-user
    PyPITokenGuard On
</Location>
"""
STORE = 'PyPITokenStore "sqlite:{root}/store/pypi.db"\n'
KEYS = 'PyPITokenKeyring "{root}/keyring"\n'


def directives(t, s):
    """(what is wrong, configuration, what the sentence names)"""
    on = '<%s>\nPyPITokenGuard On\n</%s>\n'
    cases = [
        ("no store", KEYS + GUARD, "PyPITokenStore"),
        ("no keyring", STORE + GUARD, "PyPITokenKeyring"),
        ("neither", GUARD, "PyPITokenStore"),
        ("a store that is no URL", "PyPITokenStore /x/y.db\n", "sqlite:/"),
        ("a relative store", "PyPITokenStore sqlite:y.db\n", "sqlite:/"),
        ("a store of an unknown kind", "PyPITokenStore oracle://x\n", "sqlite:/"),
        ("a guard in a Directory", STORE + KEYS + on % ('Directory "/srv/x"', "Directory"), "<Location"),
        ("a guard in a LocationMatch", STORE + KEYS + on % ('LocationMatch "^/up/$"', "LocationMatch"),
         "<Location"),
        ("a guard in a Location with a pattern", STORE + KEYS + on % ('Location "/up*/"', "Location"),
         "<Location"),
        ("a guard in a Location ~", STORE + KEYS + on % ('Location ~ "/up/"', "Location"), "<Location"),
        ("a guard in Files", STORE + KEYS + on % ('Files "x"', "Files"), "<Location"),
        ("a guard at server level", "PyPITokenGuard On\n", "PyPITokenGuard"),
        ("a guard that is neither On nor Off", GUARD.replace("Guard On", "Guard Maybe"), "PyPITokenGuard"),
        ("a wrong size", "PyPITokenMaxUpload 12X\n", "PyPITokenMaxUpload"),
        ("a negative size", "PyPITokenMaxUpload -1\n", "PyPITokenMaxUpload"),
        ("an endless size", "PyPITokenMaxUpload 99999999999999999999G\n", "PyPITokenMaxUpload"),
        ("no uploads at all", "PyPITokenMaxSpools 0\n", "PyPITokenMaxSpools must be a number from 1"),
        ("more uploads than can be counted", "PyPITokenMaxSpools 5000\n", "PyPITokenMaxSpools must be a number"),
        ("a number with a unit", "PyPITokenMaxSpools 10K\n", "PyPITokenMaxSpools must be a number"),
        ("a wrong word", "PyPITokenNewProjects Some\n", "Anyone or Nobody"),
        ("packages that are not there", 'PyPITokenPackages "{root}/nowhere"\n', "/nowhere"),
        ("packages that are a file", 'PyPITokenPackages "{root}/httpd.conf"\n', "/httpd.conf"),
        ("a spool directory that is not there", 'PyPITokenSpoolDir "{root}/nospool"\n', "/nospool"),
        ("an unknown word for the back end", "PyPITokenBackendAuth Some\n", "PyPITokenBackendAuth"),
        ("a service without its file", "PyPITokenBackendAuth Service\n", "PyPITokenBackendAuth"),
        ("a service file that is not there", 'PyPITokenBackendAuth Service "{root}/nosuch"\n', "/nosuch"),
        ("a service file that others read", 'PyPITokenBackendAuth Service "{root}/open"\n', "/open"),
        ("a service file without a colon", 'PyPITokenBackendAuth Service "{root}/nocolon"\n', "/nocolon"),
        ("a service file with a password cut short", 'PyPITokenBackendAuth Service "{root}/long"\n', "/long"),
        ("a service file that others write", 'PyPITokenBackendAuth Service "{root}/written"\n', "/written"),
        ("PyPITokenStream that is neither On nor Off", "PyPITokenStream Maybe\n", "PyPITokenStream"),
        ("an empty service", 'PyPITokenService ""\n', "PyPITokenService"),
        ("a project that cannot be", '<Location "/x/">\nRequire pypi-project -x-\n</Location>\n', "-x-"),
        ("an unknown limit", "PyPITokenThrottle some 1/1m\n", "there is no limit 'some'"),
        ("a limit that is none", "PyPITokenThrottle account many\n", "NUMBER/TIME"),
        ("a limit in a virtual host", "<VirtualHost 127.0.0.1:1>\nPyPITokenThrottle account 1/1m\n</VirtualHost>\n",
         "PyPITokenThrottle"),
        ("no hashes at all", "PyPITokenHashes 0\n", "PyPITokenHashes"),
        ("too many hashes", "PyPITokenHashes 65\n", "PyPITokenHashes"),
        ("a queue that is no number", "PyPITokenHashes 2 x\n", "PyPITokenHashes"),
        ("a time that is none", "PyPITokenLinger long\n", "PyPITokenLinger"),
        ("a code that lingers for days", "PyPITokenLinger 25h\n", "PyPITokenLinger"),
        ("pages in a Directory", STORE + KEYS + '<Directory "/srv">\nSetHandler pypitoken-manage\n</Directory>\n',
         '<Location "/path/">'),
        ("pages in a pattern", STORE + KEYS + '<LocationMatch "^/a">\nSetHandler pypitoken-manage\n</LocationMatch>\n',
         '<Location "/path/">'),
        ("pages without a store", '<Location "/a/">\nSetHandler pypitoken-manage\n</Location>\n', "PyPITokenStore"),
        ("a session without time", "PyPITokenSession 0\n", "PyPITokenSession"),
        ("a session without end", "PyPITokenSession 31d\n", "PyPITokenSession"),
        ("uses that are never written down", "PyPITokenFlush 0\n", "PyPITokenFlush must be a time"),
        ("a policy that is not there", '<Location "/x/">\nPyPITokenPolicy "{root}/nopolicy"\n</Location>\n', "/nopolicy"),
        ("an administrator that nobody can be", '<Location "/x/">\nPyPITokenAdmins alice -x-\n</Location>\n', "'-x-' is not the name of an account"),
        ("a path that no file can have", 'PyPITokenKeyring "/%s"\n' % ("x" * 5000), "PyPITokenKeyring: the path is not valid"),
        ("an alias of a provider that does not end", '<AuthnProviderAlias file x\nAuthUserFile /x\n</AuthnProviderAlias>\n', "AuthnProviderAlias"),
        ("a second store that is not there", STORE + KEYS + GUARD + '<VirtualHost 127.0.0.1:1>\nPyPITokenStore "sqlite:{root}/store/other.db"\n' + GUARD +
         "</VirtualHost>\n", "/other.db"),
        ("no project", '<Location "/x/">\nRequire pypi-project\n</Location>\n', "pypi-project"),
        ("a role that is none", '<Location "/x/">\nRequire pypi-role king\n</Location>\n', "pypi-role"),
    ]
    s.write("open", "a:b\n", 0o644)
    s.write("written", "a:b\n", 0o620)
    s.write("long", "a:%s\n" % ("b" * 2000), 0o600)
    s.write("nocolon", "ab\n", 0o600)
    for what, config, names in cases:
        refused(t, s, what, config, names)


def refused(t, s, what, config, names, start=False):
    """httpd -t, or a real start, ends with an exit code that is not 0 and names what is wrong."""
    server = httpd.Httpd(s, config.replace("{root}", s.root))
    for name in ("error.log", "stderr.log"):
        s.write("logs/" + name, "")
    code, said = server.attempt() if start else server.check()
    t.ok(code not in (0, None), what + (": httpd does not start" if start else ": httpd -t refuses"), said)
    t.has(said, names, "  and names it")
    lines = [l for l in said.split("\n") if names in l and not l.startswith("AH00526")]
    t.ok(not any(len(l) > 600 for l in lines), "  in one readable line")
    return said


def files(t, s):
    """A store and a keyring that are not as they should be: by -t and by a start."""
    both = STORE + KEYS + GUARD
    db, keyring = s.path("store/pypi.db"), s.path("keyring")

    def case(what, names, spoil, *remedies):
        saved = [(p, p + ".saved") for p in (db, keyring)]
        for path, copy in saved:
            shutil.copy2(path, copy)
        spoil()
        for start in (False, True):
            said = refused(t, s, what, both, names, start)
            for remedy in remedies:
                t.has(said, remedy, "  and says what to do: " + remedy)
        for path, copy in saved:
            os.chmod(copy, 0o600)
            os.replace(copy, path)
        s.give("store/pypi.db")

    def sql(statement):
        def spoil():
            connection = sqlite3.connect(db)
            connection.execute(statement)
            connection.commit()
            connection.close()
        return spoil

    def text(path, content):
        def spoil():
            s.write(os.path.relpath(path, s.root), content, 0o600)
        return spoil

    case("no database file", db, lambda: os.unlink(db), "pypitokenctl init")
    case("a database that is text", db, text(db, "hello " * 1000))
    case("an empty database", db, text(db, ""))
    case("another program's database", db, lambda: (os.unlink(db), sql("CREATE TABLE x (y)")()))
    case("a newer schema", db,
         sql("INSERT INTO schema_version (version, compatible, applied_at) VALUES (9999, 9999, 1)"))
    case("an older schema", db, sql("DELETE FROM schema_version"), "pypitokenctl")
    case("no keyring file", keyring, lambda: os.unlink(keyring))
    case("a keyring that others may read", keyring, lambda: os.chmod(keyring, 0o644), "chmod 600")
    case("a keyring that the group may read", keyring, lambda: os.chmod(keyring, 0o640), "chmod 600")
    case("an empty keyring", keyring, text(keyring, ""))
    case("a keyring of other content", keyring, text(keyring, "not a key at all\n"))
    case("a keyring with a short key", keyring, text(keyring, "a c2hvcnQ=\n"))


def good(t, s):
    """The same configuration without a fault starts: the cases above fail for their own reason."""
    for name in ("error.log", "stderr.log"):
        s.write("logs/" + name, "")
    server = httpd.Httpd(s, (STORE + KEYS + GUARD).replace("{root}", s.root))
    code, said = server.check()
    t.is_(code, 0, "a right configuration: httpd -t is content", said)
    t.like(said, "Syntax OK", "  and says so")
    server = httpd.Httpd(s, "")
    t.is_(server.check()[0], 0, "the module alone, without a guard: fine")
    server = httpd.Httpd(s, GUARD.replace("Guard On", "Guard Off"))
    t.is_(server.check()[0], 0, "a guard that is off needs no store")
    root_only = s.path("keyring")
    os.chmod(root_only, 0o600)
    for name in os.listdir(s.path("store")):
        s.give("store/" + name)
    with_store = httpd.Httpd(s, (STORE + KEYS + GUARD).replace("{root}", s.root))
    s.servers.append(with_store)
    with_store.start()
    t.ok(with_store.proc.poll() is None, "and a server with it starts")
    with_store.stop()
    t.is_(with_store.proc.returncode, 0, "and stops")


READ_ONLY = """
<Location "/simple/">
    SetHandler pypi-index
    PyPITokenPackages "{root}/packages"
    Require all granted
</Location>
<Location "/people/">
    AuthType Basic
    AuthName people
    AuthBasicProvider pypitoken
    Require valid-user
</Location>
"""


def storeless(t, s):
    """An index that only reads, and people who live elsewhere: no store at all. What is refused there is refused, and kills no
    child, however long the body that comes with it."""
    s.allow(r"AH01618: user alice not found")
    server = httpd.Httpd(s, READ_ONLY.replace("{root}", s.root))
    s.servers.append(server)
    server.start()
    for what, path, user, status in (("an upload", "/simple/", None, 405), ("a token", "/people/", ("__token__", "pypi-" + "A" * 60), 403),
                                     ("a person", "/people/", ("alice", "x"), 401)):
        for how, more in (("of unknown length", {"chunks": 65536}), ("of 1 MB", {})):
            try:
                r = wire.once(server.port, "POST", path, [], b"x" * 1000000, user, **more)
            except wire.Closed as gone:
                r = wire.Response(0, "closed: %s" % gone, [])
            t.is_(r.status, status, "no store, %s %s: refused" % (what, how), r)
    t.is_(wire.once(server.port, "GET", "/simple/").status, 200, "  and the index is there")
    server.stop()


def supplementary(t, s):
    """A store that httpd's user may write as a member of a group: its children are in all of its groups, so that is asked for, too.
    With a list of groups of our own, in a name space of our own."""
    what = "a store of a group that httpd's user is in"
    alone = ["unshare", "--mount"]
    if not s.as_root or not shutil.which("unshare") or subprocess.run(alone + ["true"], stderr=subprocess.DEVNULL, check=False).returncode:
        t.skip(what, "not root, or no name spaces")
        return
    with open("/etc/group", encoding="utf-8") as f:
        groups = s.write("group", f.read() + "pypt-store:x:64990:www-data\n")
    server = httpd.Httpd(s, (STORE + KEYS + GUARD).replace("{root}", s.root))
    server.write()
    os.chmod(s.path("store"), 0o2770)
    for path in [s.path("store")] + [s.path("store", name) for name in os.listdir(s.path("store"))]:
        os.chown(path, 0, 64990)
        os.chmod(path, os.stat(path).st_mode | 0o060)
    config = s.path("httpd.conf")
    with open(config, encoding="utf-8") as f:
        numbered = f.read().replace("User www-data", "User #%d" % pwd.getpwnam("www-data").pw_uid)
    for group, code, says, user in (("/etc/group", 1, "may not write", "by name"), (groups, 0, "Syntax OK", "by name"),
                                    (groups, 0, "Syntax OK", "by number")):
        if user == "by number":
            s.write("httpd.conf", numbered)
        done = subprocess.run(alone + ["sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', group, *under.command(s.under, server._argv("-t"), s)],
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=under.environment(s.under, httpd.environment(), s))
        said = done.stdout + server.error_log()
        t.ok(done.returncode == code and says in said, "%s%s, %s: exit %d" %
             (what, "" if code == 0 else " no more", user, code), (done.returncode, said))
    s.give("store", *["store/" + name for name in os.listdir(s.path("store"))])


def symbols(t):
    done = subprocess.run(["nm", "-D", "--defined-only", httpd.module_path()], stdout=subprocess.PIPE, text=True,
                          check=True)
    names = [line.split()[-1].split("@")[0] for line in done.stdout.splitlines()]
    names = [n for n in names if not re.match(r"_init$|_fini$|__(asan|ubsan|bss|odr)_|_edata$|_end$", n)]
    t.is_(names, ["pypitoken_module"], "the module exports pypitoken_module and nothing else")


def main(t):
    site.need(t)
    with site.Site(t, "sqlite") as s:
        s.init("alice")
        for part in (directives, files, good, storeless, supplementary):
            t.note(part.__name__)
            part(t, s)
        symbols(t)


tap.run(main)
