"""ldap.py - a real slapd of our own: a directory, a loopback port, a few people, and its end.

    with Slapd(site, {"carol": "her password"}) as d:
        d.url("uid")          # ldap://127.0.0.1:PORT/ou=people,dc=index,dc=test?uid?one
        d.binds()             # the passwords that it was asked about: (dn, result)
"""

import os
import re
import shutil
import socket
import subprocess

from . import poll
from .httpd import free_port, guardian

BASE = "dc=index,dc=test"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/lib/openldap:/usr/libexec/openldap"

CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {root}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
loglevel stats
access to attrs=userPassword by anonymous auth by * none
access to * by * read
database mdb
maxsize 10485760
suffix "{base}"
rootdn "cn=admin,{base}"
directory {root}/data
index objectClass,uid,mail eq
"""

TOP = """\
dn: {base}
objectClass: dcObject
objectClass: organization
dc: index
o: index

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people
"""

PERSON = """
dn: uid={uid},ou=people,{base}
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
mail: {uid}@mail.test
userPassword: {password}
"""


def slapd():
    return shutil.which("slapd", path=PATH)


def missing():
    for name in ("slapd", "slapadd"):
        if not shutil.which(name, path=PATH):
            return name
    return None if os.path.exists("/etc/ldap/schema/core.schema") else "/etc/ldap/schema"


class Slapd:
    def __init__(self, site, people):
        self.root = site.path("slapd")
        os.makedirs(os.path.join(self.root, "data"), 0o700)
        os.chmod(self.root, 0o700)
        self.port, self.proc, self.guardian = free_port(), None, None
        self._file("slapd.conf", CONFIG.format(root=self.root, base=BASE))
        ldif = TOP.format(base=BASE) + "".join(PERSON.format(uid=uid, base=BASE, password=password)
                                               for uid, password in people.items())
        subprocess.run([shutil.which("slapadd", path=PATH), "-q", "-f", self._file("slapd.conf"), "-l",
                        self._file("people.ldif", ldif)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def _file(self, name, text=None):
        path = os.path.join(self.root, name)
        if text is not None:
            with open(path, "w") as f:
                f.write(text)
        return path

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with open(self._file("log"), "ab") as log:
            self.proc = subprocess.Popen([slapd(), "-f", self._file("slapd.conf"), "-d", "stats", "-h",
                                          "ldap://127.0.0.1:%d/" % self.port], stdin=subprocess.DEVNULL, stdout=log,
                                         stderr=log, start_new_session=True)
        self.guardian = guardian(self.proc.pid, "KILL")
        if not poll.until(lambda: self.proc.poll() is not None or self.answers()) or self.proc.poll() is not None:
            raise RuntimeError("slapd does not start:\n" + self.said()[-2000:])
        return self

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            self.proc.wait(20)
        if self.guardian and self.guardian.poll() is None:
            self.guardian.communicate(b"done\n")

    def said(self):
        with open(self._file("log"), errors="replace") as f:
            return f.read()

    def url(self, attribute="uid", more=""):
        return "ldap://127.0.0.1:%d/ou=people,%s?%s%s?one" % (self.port, BASE, attribute, more)

    def binds(self):
        """How many times somebody's password was asked about, by name."""
        return re.findall(r'BIND dn="uid=(\w+),\S+" method=', self.said())
