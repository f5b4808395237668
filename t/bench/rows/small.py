"""small.py - uploads of 2 kB, 32 clients with keep-alive: what the guard adds to a handler, next to what
httpd's own database provider adds."""

import hashlib
import base64
import shutil
import subprocess

from pypt import mariadb, site, store, tap
from pypt.httpd import free_port, load_lines

from . import core, load, table

ROWS = {
    "sqlite": "2 kB uploads, guard with SQLite / the same handler without authentication",
    "mariadb": "the same with MariaDB on a local socket",
    "dbd": "the same / mod_authn_dbd on the same MariaDB with a SHA hash",
    "bcrypt": "the same / mod_authn_dbd with bcrypt, cost 10",
}

VARIANTS = {  # path, on the port of MariaDB's virtual host, who
    "none": ("/none", 0, None),
    "sqlite": ("/upload", 0, "token"),
    "mariadb": ("/upload", 1, "token"),
    "dbd": ("/dbd", 0, "sha"),
    "bcrypt": ("/dbd", 0, "bcrypt"),
}

CONFIG = load.STEADY + """\
{dbd}
Listen 127.0.0.1:{other}
""" + load.PLAIN % "/none" + load.GUARDED % ("/upload", "", "bench-sink") + """\
<Location "/dbd">
    AuthType Basic
    AuthName "uploads"
    AuthBasicProvider dbd
    AuthDBDUserPWQuery "SELECT password FROM bench_people WHERE name = %s"
    Require valid-user
    SetHandler bench-sink
</Location>
<VirtualHost 127.0.0.1:{other}>
{mysql}
PyPITokenKeyring "{keyring}"
PyPITokenService index.test
</VirtualHost>
"""


def missing():
    if not load_lines(["authn_dbd", "dbd"]) or not shutil.which("wrk"):
        return "wrk or mod_authn_dbd"
    return None


def _people(server, name, cost):
    """The passwords that mod_authn_dbd looks at."""
    sha = "{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
    made = subprocess.run(["htpasswd", "-nbB", "-C", str(cost), "x", "secret"], stdout=subprocess.PIPE, text=True, check=True)
    server.query(name, "CREATE TABLE bench_people (name VARCHAR(64) PRIMARY KEY, password VARCHAR(128) NOT NULL)")
    for who, hash_ in (("sha", sha), ("bcrypt", made.stdout.strip().split(":", 1)[1])):
        server.query(name, "INSERT INTO bench_people VALUES (%s, %s)", who, hash_)
    server.query(None, "GRANT SELECT ON %s.bench_people TO pypitoken@localhost" % name)


class Bench:
    """One httpd with all variants; its pids, tokens and ports."""

    def __init__(self, s, cost=10):
        self.s, self.other = s, free_port()
        s.init("alice")
        self.tokens = {"token": s.token("alice", "bench").user}
        self.tokens["sha"] = ("sha", "secret")
        self.tokens["bcrypt"] = ("bcrypt", "secret")
        sqlite, mysql = s.store, store.Mysql(s, load.database(), "bench")
        mysql.server.database(mysql.name)
        s.store = mysql
        s.init("alice")
        self.second = s.token("alice", "bench").user
        s.store = sqlite
        _people(mysql.server, mysql.name, cost)
        config = CONFIG.replace("{other}", str(self.other)).replace("{mysql}", mysql.line())
        config = config.replace("{keyring}", s.path("keyring")).replace("{dbd}", """\
DBDriver mysql
DBDParams "sock=%s host=localhost user=pypitoken pass=%s dbname=%s"
DBDMin 16
DBDKeep 16
DBDMax 16
""" % (mysql.server.socket, mariadb.PASSWORD, mysql.name))
        s.start(locations="", more=load.module() + config, modules=("authn_dbd", "dbd"))
        s.httpd.more_ports = (self.other,)
        self.body = load.body(s, "body.bin")
        self.pids = [s.httpd.proc.pid, mysql.server.proc.pid]
        self.server, self.database = mysql.server, mysql.name
        mysql.server.query(mysql.name, "CREATE TABLE bench_rows (k VARCHAR(64) PRIMARY KEY, v VARCHAR(128), n INT)")
        mysql.server.query(mysql.name, "INSERT INTO bench_rows VALUES ('a', 'b', 1)")
        mysql.server.query(mysql.name, "CREATE TABLE bench_log (k BIGINT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(128), n INT)")

    def alone(self, engine, count):
        """What two look-ups cost, and adding a row, with nobody else there: CPU microseconds, of MariaDB too."""
        if engine == "sqlite":
            return {line["variant"]: line["seconds"] / line["count"] * 1e6
                    for line in core.tool("sqlite", count, self.s.path("store"), program="bench_store")}
        before, costs = load.seconds_of(self.pids[1:]), {}
        for line in core.lines("mysql", count, self.server.socket, mariadb.PASSWORD, self.database, program="bench_store"):
            now = load.seconds_of(self.pids[1:])
            costs[line["variant"]] = (line["seconds"] + now - before) / line["count"] * 1e6
            before = now
        return costs

    def run(self, variant, seconds):
        path, other, who = VARIANTS[variant]
        user = self.second if other else self.tokens.get(who)
        return load.wrk(self.other if other else self.s.httpd.port, path, self.body, load.basic(user) if user else None,
                        seconds, cpu=self.pids)


def measure(result, rows):
    if missing():
        for row in rows:
            result.skip(row, "no " + missing())
        return
    # every variant on the way is measured under the name of the first row
    wanted = ["none"] + [v for v in ("sqlite", "mariadb", "dbd", "bcrypt") if v in rows or (v in ("mariadb", "dbd") and
                         {"dbd", "bcrypt"} & set(rows))]
    t = tap.Tap()
    t.ok = lambda good, name, diag="": good or result.fail("small", "%s\n%s" % (name, diag))
    with site.Site(t, "sqlite") as s:
        bench = Bench(s, result.size(4, 10))
        for variant in wanted:
            if variant != "bcrypt":
                bench.run(variant, 1)
        for _, variant in table.turns(wanted, result.rounds(7)):
            result.add("small", variant, **bench.run(variant, result.size(1, 4 if variant == "bcrypt" else 2)))
        for engine in ("sqlite", "mariadb"):
            for _ in range(result.rounds(7) if engine in rows else 0):
                costs = bench.alone(engine, result.size(100, 10000))
                result.add("small", engine + " alone", look=costs["look"], add=costs["add"])
    report(result, rows)


def report(result, rows):
    for variant in VARIANTS:
        if variant in result.figures["small"]:
            result.figure("small", variant + ": requests a second", variant, "rate", "/s")
            result.figure("small", variant + ": CPU of httpd and MariaDB for each", variant, "cpu", "us")
    for row, what, a, b, target in (
            ("sqlite", "guard + SQLite / no authentication", "sqlite", "none", 0.85),
            ("mariadb", "guard + MariaDB / no authentication", "mariadb", "none", 0.75),
            ("dbd", "guard + MariaDB / authn_dbd + MariaDB, {SHA}", "mariadb", "dbd", 1.3),
            ("bcrypt", "guard + MariaDB / authn_dbd + MariaDB, bcrypt 10", "mariadb", "bcrypt", 100)):
        if row in rows:
            result.ratio(row, what, a, b, "rate", (">=", target), "small")
            result.ratio(row, "  the same by CPU of httpd and MariaDB", b, a, "cpu", of="small")
        if row in rows and row + " alone" in result.figures["small"]:
            looks = result.values("small", row + " alone", "look")
            result.line(row, "  CPU of two look-ups by a key, without us", looks, "us")
            result.line(row, "  CPU of adding a row in a transaction, without us", result.values("small", row + " alone", "add"), "us")
            result.line(row, "  the most that is left, by CPU, for who looks up twice",
                        [none / (none + look) for none, look in zip(result.values("small", "none", "cpu"), looks)])
