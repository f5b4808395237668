#!/usr/bin/python3
"""store_tls.t - the way to a MariaDB: who is believed, what a wire tap sees, several hosts, wrong URLs and
passwords, and what httpd says about them when it starts."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, dist, httpd, mariadb, poll, relay, rogue, site, store, tap  # noqa: E402

DB = "tls"


def ctl(url, secret, *argv, env=()):
    """pypitokenctl with that URL: exit code, what it said."""
    full = [os.path.join(BUILDDIR, "pypitokenctl"), "--config", "/dev/null", "--store", url, "--service", "x",
            *(["--store-secret", secret] if secret else []), *(argv or ("schema", "status"))]
    done = subprocess.run(full, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **dict(env)})
    return done.returncode, done.stdout


def works(t, db, url, what, **kw):
    code, said = ctl(url, db.secret, **kw)
    t.is_(code, 0, what + ": works", said)


def refuses(t, db, url, names, what, secret=None, **kw):
    code, said = ctl(url, secret or db.secret, **kw)
    t.is_(code, 3, what + ": refused", said)
    t.like(said, names, "  with the reason")
    t.ok(mariadb.PASSWORD not in said, "  and without the password")


# ---- who is believed ----

def believed(t, db):
    strangers = db.path("strangers")
    mariadb.certificates(strangers)
    os.chmod(strangers, 0o755)
    works(t, db, db.url(DB, how="tls"), "an authority that is ours, by address")
    works(t, db, db.url(DB, how="tls", host="localhost"), "by name")
    works(t, db, db.url(DB, how="tls", tls="verify"), "with the default written")
    works(t, db, db.url(DB, how="tls", host="[::1]"), "by IPv6 address")
    works(t, db, db.url(DB), "the socket, without TLS")
    tls = r"TLS|SSL|certificate"
    refuses(t, db, db.url(DB, how="tls", **{"ssl-ca": strangers + "/ca.pem"}), tls, "another authority")
    refuses(t, db, db.url(DB, how="off").split("?")[0], tls, "the system's authorities, which ours is not among")
    code, said = ctl(db.url(DB, how="tls", **{"ssl-ca": db.path("nowhere.pem")}), db.secret)
    t.ok(code == 3 and "ssl-ca=" + db.path("nowhere.pem") in said and "No such file" in said,
         "an authority's file that is not there is named", said)
    refuses(t, db, db.url(DB, how="tls", tls="required", **{"ssl-ca": strangers + "/ca.pem"}), tls,
            "tls=required with another authority")
    accepts = int(db.query(None, "SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")[0][1])
    works(t, db, "mysql://pypitoken@127.0.0.1:%d/%s?tls=required" % (db.port, DB), "tls=required without an authority")
    t.ok(int(db.query(None, "SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'")[0][1]) > accepts, "  is encrypted")
    refuses(t, db, db.url(DB, how="off"), "Access denied", "tls=off, when the account demands TLS")
    db.query(None, "ALTER USER 'pypitoken'@'127.0.0.1' REQUIRE X509")
    refuses(t, db, db.url(DB, how="tls"), "Access denied", "no client certificate, when the account demands one")
    works(t, db, db.url(DB, how="tls", **{"ssl-cert": db.path("tls/client.pem"), "ssl-key": db.path("tls/client.key")}),
          "with one")
    db.query(None, "ALTER USER 'pypitoken'@'127.0.0.1' REQUIRE NONE")
    works(t, db, db.url(DB, how="off"), "tls=off, when it does not")


def impostors(t, db):
    """Servers that show a certificate which does not fit."""
    for what, names, days in (("of another name", "DNS:other.example", "2"),
                              ("that has expired", "DNS:localhost,IP:127.0.0.1", "-1")):
        other = mariadb.Mariadb()
        try:
            mariadb.certificates(other.path("tls"), names, days)
        except RuntimeError:
            t.skip("a certificate " + what, "this openssl makes none")
            continue
        # 127.0.0.1 is nobody else's: Connector/C 3.4 asks for no name there
        with other, relay.Relay(other.port, host="127.0.0.2") as far:
            other.database(DB)
            url = other.url(DB, "pypitoken_admin", how="tls")
            url = url.replace("127.0.0.1:%d" % other.port, "127.0.0.2:%d" % far.port)
            refuses(t, db, url, r"TLS|SSL|certificate", "a certificate " + what)
            said = ctl(url.split("?")[0] + "?tls=required", db.secret)[1]
            t.has(said, "Schema 0", "  which tls=required does not look at")
            if days == "2":
                said = ctl(url + "&tls=required", db.secret)[1]
                t.like(said, "Schema 0|Hostname verification failed",
                       "  with ssl-ca: who signed it counts, the name to Connector/C 3.4 only")
            else:
                refuses(t, db, url + "&tls=required", r"TLS|SSL|certificate", "  with ssl-ca it does")


def plain(t, db):
    """A server without TLS, and a man in the middle who makes one look so."""
    with mariadb.Mariadb(["skip-ssl"]) as other:
        other.database(DB)
        other.query(None, "ALTER USER 'pypitoken_admin'@'127.0.0.1' REQUIRE NONE")
        url = other.url(DB, "pypitoken_admin", how="tls")
        refuses(t, db, url, r"TLS|SSL", "a server without TLS")
        refuses(t, db, url + "&tls=required", "clear text only", "  also with tls=required")
        code, said = ctl(url.split("?")[0] + "?tls=off", db.secret)
        t.has(said, "Schema 0", "  but not with tls=off", said)
    db.query(None, "ALTER USER 'pypitoken'@'127.0.0.1' REQUIRE NONE")
    with relay.Relay(db.port) as middle:
        url = db.url(DB, how="tls").replace(":%d/" % db.port, ":%d/" % middle.port)
        works(t, db, url, "through a relay")
        t.ok(b"pypitoken" not in middle.seen and b"schema_version" not in middle.seen,
             "  on whose wire is neither the account's name nor a statement", middle.seen[:200])
    with relay.Relay(db.port, "strip") as middle:
        url = db.url(DB, how="tls").replace(":%d/" % db.port, ":%d/" % middle.port)
        refuses(t, db, url, r"TLS|SSL", "one that takes the offer of TLS away")
        t.is_(middle.seen, b"", "  and to which not a byte is said")
        refuses(t, db, url + "&tls=required", "clear text only", "  the same with tls=required")
        t.ok(b"schema_version" not in middle.seen and mariadb.PASSWORD.encode() not in middle.seen,
             "  which says no statement and no password", middle.seen[:200])
        code, said = ctl(url.split("?")[0] + "?tls=off", db.secret)
        t.is_(code, 0, "  tls=off does not care", said)
        t.ok(b"schema_version" in middle.seen, "  and the relay sees what is said: the tests above can fail")


def robbed(t, db):
    """A server may answer a statement by asking for a file."""
    treasure = db.path("treasure")
    with open(treasure, "w") as f:
        f.write("gold and silver\n")
    with rogue.Rogue(treasure) as thief:
        code, said = ctl("mysql://u@127.0.0.1:%d/x?tls=off&read-timeout=2s" % thief.port, db.secret)
        t.is_(code, 3, "a server that asks for a file gets no answer", said)
        t.ok(thief.asked > 0, "  (it did ask)")
        t.ok(b"gold" not in thief.seen, "  and not the file", thief.seen[-300:])


# ---- several hosts ----

def hosts(t, db):
    with relay.Relay(db.port) as one, relay.Relay(db.port) as two, relay.Relay(db.port) as three:
        url = db.url(DB, how="tls", **{"connect-timeout": "2s"}).replace(
            "127.0.0.1:%d" % db.port, "127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d" % (one.port, two.port, three.port))
        works(t, db, url, "three hosts")
        t.is_((one.accepted, two.accepted, three.accepted), (1, 0, 0), "  of which the first one is asked")
        one.mode = "refuse"
        works(t, db, url, "the first one hangs up")
        t.is_((two.accepted, three.accepted), (1, 0), "  then the second is asked")
        one.mode = two.mode = "hang"
        works(t, db, url, "the first two say nothing")
        t.is_(three.accepted, 1, "  then the third is asked")
        three.mode = "hang"
        code, said = ctl(url, db.secret)
        t.is_(code, 3, "all say nothing: the store is away", said)
        t.ok(all(str(r.port) in said for r in (one, two, three)), "  and each is named", said)
        one.mode = two.mode = three.mode = "pass"
        read_only(t, db, url, (one, two, three))


def read_only(t, db, url, relays):
    """A replica will do where there is no server that takes writes, and only there."""
    asked = [r.accepted for r in relays]
    with mariadb.Mariadb() as other:
        other.database(DB)  # without tables: whose schema is 0
        far = "mysql://pypitoken_admin@127.0.0.1:%d,127.0.0.1:%d/%s?tls=required" % (db.port, other.port, DB)
        code, said = ctl(far, db.secret)
        t.ok(code == 0 and "Schema 0" not in said, "two servers that take writes: the first", said)
        db.query(None, "SET GLOBAL read_only = 1")
        try:
            t.has(ctl(far, db.secret)[1], "Schema 0", "  it takes none any more: the second")
            works(t, db, url, "no server takes writes, reading")
        finally:
            db.query(None, "SET GLOBAL read_only = 0")
    t.is_([r.accepted for r in relays], [n + 1 for n in asked], "  each was asked")


def failover(t, db):
    """In a running httpd: the next request goes to the next host, and back after a while."""
    with relay.Relay(db.port) as one, relay.Relay(db.port) as two:
        def url(own):
            kept = store.Mysql(own, db, how="tls", **{"connect-timeout": "2s", "read-timeout": "2s"})
            plain_url = kept.url
            kept.url = lambda *user: plain_url(*user).replace(
                "127.0.0.1:%d" % db.port, "127.0.0.1:%d,127.0.0.1:%d" % (one.port, two.port))
            return kept
        with site.Site(t, url) as s:
            s.init("alice")
            s.start()
            token = s.token("alice")
            t.is_(s.upload(dist.sdist("host", "1.0"), token).status, 200, "an upload by the first host")
            t.is_(two.accepted, 0, "  the second is not asked")
            one.mode = "refuse"
            one.cut()
            t.is_([s.upload(dist.sdist("host", "1.%d" % i), token).status for i in range(1, 6)], [200] * 5,
                  "the first one is gone: uploads go on by the second, none is refused")
            t.ok(two.accepted > 0, "  which is asked now")
            one.mode, before = "pass", one.accepted
            two.mode = "refuse"
            two.cut()
            r = poll.until(lambda: [r for r in [s.upload(dist.sdist("host", "2.%d" % one.accepted), token)]
                                    if r.status != 503])
            t.is_(r and r[0].status, 200, "and back again", r)
            t.ok(one.accepted > before, "  by the first")
            s.allow("cannot reach the store", "store mysql:", "unable, store-down", "stays unconfirmed until its next")


# ---- what httpd says when it starts ----

GUARD = site.GUARD.replace('PyPITokenPackages "{root}/packages"\n    SetHandler pypi-index\n    {guard}\n', "")


def startup(t, db):
    with site.Site(t, lambda own: store.Mysql(own, db, DB)) as s:
        s.ctl("init")
        mariadb.certificates(db.path("strangers"))
        wrong = s.write("wrong", "not-the-password\n", 0o600)
        cases = [
            ("a password in the URL", "mysql://pypitoken:%s@localhost/x" % mariadb.PASSWORD, None,
             "PyPITokenStoreSecret"),
            ("an unknown option", db.url(DB) + "&sslmode=on", None, "sslmode"),
            ("no account", "mysql://localhost/x", None, "names no account"),
            ("a wrong password", db.url(DB), wrong, "refuses|Access denied"),
            ("no password", db.url(DB), "", "Access denied"),
            ("an unknown account", db.url(DB, "nobody"), None, "Access denied"),
            ("an unknown database", db.url("nowhere", "pypitoken_admin"), None, "nowhere|Access denied"),
            ("a server that is not believed", db.url(DB, how="tls", **{"ssl-ca": db.path("strangers/ca.pem")}), None,
             "ssl-ca"),
            ("a password file that is not there", db.url(DB), s.path("nofile"), s.path("nofile")),
            ("a password file that others may read", db.url(DB), s.write("open", "x\n", 0o644), "chmod 600"),
            ("an empty password file", db.url(DB), s.write("empty", "", 0o600), "one line"),
            ("an empty database", db.url("empty", "pypitoken_admin"), None, "pypitokenctl init"),
        ]
        db.database("empty")
        for what, url, secret, names in cases:
            start(t, s, what, url, db.secret if secret is None else secret, names)
        schema(t, s, db)


def start(t, s, what, url, secret, names):
    config = 'PyPITokenStore "%s"\nPyPITokenKeyring "{root}/keyring"\n' % url
    config += 'PyPITokenStoreSecret "%s"\n' % secret if secret else ""
    for name in ("error.log", "stderr.log"):
        s.write("logs/" + name, "")
    server = httpd.Httpd(s, (config + GUARD).replace("{root}", s.root))
    for how in ("-t", "start"):
        code, said = server.check() if how == "-t" else server.attempt()
        t.ok(code not in (0, None), "%s: httpd %s refuses" % (what, how), said)
        t.like(said, names, "  and names it")
        t.ok(mariadb.PASSWORD not in said, "  without the password", said)
    return server


def schema(t, s, db):
    """A schema of another version, and one that comes while a server is running."""
    url, rows = db.url(DB), s.store.rows
    (want, compatible), = rows("SELECT MAX(version), MAX(compatible) FROM schema_version")
    rows("INSERT INTO schema_version VALUES (?, ?, 0)", want + 1, want + 1)
    start(t, s, "a newer schema", url, db.secret, "newer version")
    rows("DELETE FROM schema_version WHERE version > ?", want)
    rows("UPDATE schema_version SET version = version - 1, compatible = 1 ORDER BY version")
    if want > 1:
        start(t, s, "an older schema", url, db.secret, "pypitokenctl schema migrate")
    rows("UPDATE schema_version SET version = version + 1 ORDER BY version DESC")
    for name in ("error.log", "stderr.log"):
        s.write("logs/" + name, "")
    s.store.made()
    s.ctl("user", "add", "alice", text=s.password("alice") + "\n")
    s.start()
    token = s.token("alice")
    t.is_(s.upload(dist.sdist("age", "1.0"), token).status, 200, "a server is running")
    rows("ALTER TABLE users ADD COLUMN shoe INTEGER NOT NULL DEFAULT 42")
    rows("CREATE TABLE shoes (size INTEGER PRIMARY KEY)")
    rows("INSERT INTO schema_version VALUES (?, ?, 0)", want + 1, compatible)
    t.is_(s.upload(dist.sdist("age", "1.1"), token).status, 200, "a step that adds: it goes on")
    s.httpd.renew()
    s.allow("exit signal Killed")
    t.is_(s.upload(dist.sdist("age", "1.2"), token).status, 200, "  and so do its new children")
    s.httpd.stop()
    s.start()
    t.is_(s.upload(dist.sdist("age", "1.3"), token).status, 200, "  and one that is started again")
    rows("INSERT INTO schema_version VALUES (?, ?, 0)", want + 2, want + 2)
    s.httpd.renew()
    r = s.upload(dist.sdist("age", "1.4"), token)
    t.is_(r.status, 503, "a step that changes: its new children refuse with 503", r)
    t.like(s.httpd.said(), "was made by a newer version", "  and say why")
    s.allow("newer version", "unable, store-down")


def secrets(t, db):
    """The password comes from the file alone."""
    url = db.url(DB)
    for name in ("MYSQL_PWD", "PYPITOKEN_STORE_PASSWORD", "MARIADB_PWD"):
        code, said = ctl(url, None, env={name: mariadb.PASSWORD})
        t.ok(code == 3 and "Access denied" in said, "not from $" + name, said)
    home = db.path("home")
    os.mkdir(home)
    with open(os.path.join(home, ".my.cnf"), "w") as f:
        f.write("[client]\npassword=%s\n" % mariadb.PASSWORD)
    code, said = ctl(url, None, env={"HOME": home})
    t.ok(code == 3 and "Access denied" in said, "not from ~/.my.cnf", said)


def main(t):
    site.need(t)
    if mariadb.missing():
        t.skip_all("no " + mariadb.missing())
    db = mariadb.Mariadb(["bind-address=127.0.0.1,::1"])
    with db:
        db.database(DB)
        db.query(None, "CREATE USER 'pypitoken'@'::1' IDENTIFIED BY '%s' REQUIRE SSL" % mariadb.PASSWORD)
        db.query(None, "GRANT SELECT ON %s.* TO 'pypitoken'@'::1'" % DB)
        code, said = ctl(db.url(DB, "pypitoken_admin"), db.secret, "--keyring", db.path("keyring"), "init")
        t.is_(code, 0, "the database is made", said)
        db.grant(DB)
        wanted = sys.argv[1:] or ["believed", "impostors", "plain", "robbed", "hosts", "failover", "secrets", "startup"]
        for part in wanted:
            t.note(part)
            globals()[part](t, db)


tap.run(main)
