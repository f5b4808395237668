"""store.py - where a Site keeps its users and tokens: an SQLite file, or with PYPT_STORE=mysql in the
environment a database of a real server (mariadb.py).

    store.line()        the httpd directives
    store.options()     pypitokenctl's
    store.rows(sql)     from behind the program's back; '?' for values
    store.write(*statements)   in one transaction
    store.away(), store.back() an outage
"""

import os
import sqlite3

from . import mariadb


def kind():
    return os.environ.get("PYPT_STORE", "sqlite")


def of(site, wanted=None):
    """wanted: a kind, or what makes the store of a site."""
    if callable(wanted):
        return wanted(site)
    return Mysql(site) if (wanted or kind()) == "mysql" else Sqlite(site)


class Sqlite:
    def __init__(self, site, path="store/pypi.db"):
        self.site, self.file = site, path

    def path(self):
        return self.site.path(self.file)

    def line(self):
        return 'PyPITokenStore "sqlite:%s"\n' % self.path()

    def options(self):
        return ["--store", "sqlite:" + self.path()]

    def made(self):
        """After init: to httpd's user."""
        for name in os.listdir(self.site.path("store")):
            self.site.give("store/" + name)

    def connect(self):
        return sqlite3.connect(self.path(), timeout=10, isolation_level=None)

    def rows(self, sql, *values):
        db = self.connect()
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def write(self, *statements):
        db = self.connect()
        try:
            db.execute("BEGIN IMMEDIATE")
            for sql, values in statements:
                db.execute(sql, values)
            db.execute("COMMIT")
        finally:
            db.close()

    def columns(self, table):
        return [row[1] for row in self.rows("PRAGMA table_info(%s)" % table)]

    def away(self):
        """Renamed; children that have it open have to go."""
        if os.environ.get("PYPT_COVERAGE"):
            self.site.httpd.graceful()  # what is killed tells nothing
        self.site.httpd.renew()
        os.rename(self.site.path("store"), self.site.path("elsewhere"))
        self.site.httpd.renew()

    def back(self):
        os.rename(self.site.path("elsewhere"), self.site.path("store"))

    def copy(self):
        """A copy of all that is in it: a store of the same kind."""
        os.mkdir(self.site.path("copy"))
        other = Sqlite(self.site, "copy/pypi.db")
        source, copy = self.connect(), sqlite3.connect(other.path())
        source.backup(copy)
        source.close()
        copy.close()
        self.site.give("copy", "copy/pypi.db")
        return other

    def end(self):
        pass


class Mysql:
    """url: what the URL of httpd's has beside the socket, as for Mariadb.url()."""
    count = 0

    def __init__(self, site, server=None, name=None, **url):
        self.site, self.url_options = site, url
        self.server = server or mariadb.shared()
        Mysql.count += 1
        self.name = name or "site%d" % Mysql.count
        if not name:
            self.server.database(self.name)
        site.secrets.add(mariadb.PASSWORD)

    def url(self, user="pypitoken"):
        return self.server.url(self.name, user, **(self.url_options if user == "pypitoken" else {}))

    def line(self):
        return 'PyPITokenStore "%s"\nPyPITokenStoreSecret "%s"\n' % (self.url(), self.server.secret)

    def options(self):
        return ["--store", self.url("pypitoken_admin"), "--store-secret", self.server.secret]

    def made(self):
        self.server.grant(self.name)

    def connect(self):
        return self.server.connect(self.name)

    def rows(self, sql, *values):
        return self.server.query(self.name, sql.replace("?", "%s"), *values)

    def write(self, *statements):
        connection = self.connect()
        try:
            connection.begin()
            with connection.cursor() as cursor:
                for sql, values in statements:
                    cursor.execute(sql.replace("?", "%s"), values)
            connection.commit()
        finally:
            connection.close()

    def columns(self, table):
        return [row[0] for row in self.rows("SHOW COLUMNS FROM %s" % table)]

    def away(self):
        self.server.kill()

    def back(self):
        self.server.start()

    def copy(self):
        other = self.name + "_copy"
        self.server.database(other)
        text = "SET foreign_key_checks = 0"
        connection = self.server.connect(other)
        with connection.cursor() as cursor:
            cursor.execute(text)
            for (table,) in self.rows("SHOW TABLES"):
                cursor.execute(self.rows("SHOW CREATE TABLE " + table)[0][1])
                cursor.execute("INSERT INTO %s SELECT * FROM %s.%s" % (table, self.name, table))
        connection.close()
        self.server.grant(other)
        return Mysql(self.site, self.server, other)


class Nodes(Mysql):
    """A database of a Galera cluster, by its nodes in some order; several sites may share one."""

    def __init__(self, site, cluster, order, name, **url):
        self.cluster, self.order = cluster, order
        super().__init__(site, cluster.nodes[order[0]], name, **url)

    def url(self, user="pypitoken"):
        return self.cluster.url(self.name, self.order, user, **self.url_options)
