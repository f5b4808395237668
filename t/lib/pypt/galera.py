"""galera.py - a Galera cluster of MariaDBs, all on this machine's loopback, each with a socket of its own.

    with Cluster(3) as cluster:
        cluster.nodes[0]            a Mariadb
        cluster.whole()             waits until every running node sees every other one
"""

import os
import shutil

from . import poll
from .httpd import free_port
from .mariadb import Mariadb

PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera/libgalera_smm.so",
             "/usr/lib/galera-4/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")

OPTIONS = """\
wsrep-on=ON
wsrep-provider={provider}
wsrep-cluster-name=pypt-{name}
wsrep-cluster-address=gcomm://{members}
wsrep-node-name=node{number}
wsrep-node-address=127.0.0.1
wsrep-node-incoming-address=127.0.0.1:{port}
wsrep-sst-method=rsync
wsrep-sst-receive-address=127.0.0.1:{sst}
wsrep-provider-options="base_host=127.0.0.1;base_port={base};gmcast.listen_addr=tcp://127.0.0.1:{base};ist.recv_addr=127.0.0.1:{ist};gcache.size=8M;evs.keepalive_period=PT0.3S;evs.suspect_timeout=PT1S;evs.inactive_timeout=PT2S;evs.install_timeout=PT2S;evs.inactive_check_period=PT0.3S"
binlog-format=ROW
innodb-autoinc-lock-mode=2
innodb-flush-log-at-trx-commit=2
[sst]
ssl-mode=DISABLED
""".rstrip()


def provider():
    return next((path for path in PROVIDERS if os.path.exists(path)), None)


class Node(Mariadb):
    def __init__(self, **options):
        super().__init__()
        self.own_options = options

    def write(self):
        # these two are listened on while a node joins and at no other time: somebody may have the ones of before
        self.options = OPTIONS.format(port=self.port, sst=free_port(), ist=free_port(), **self.own_options).split("\n")
        return super().write()


class Cluster:
    def __init__(self, n):
        bases = [free_port() for _ in range(n)]
        members = ",".join("127.0.0.1:%d" % port for port in bases)
        self.nodes = []
        for i in range(n):
            self.nodes.append(Node(provider=provider(), name=bases[0], members=members, number=i, base=bases[i]))
        for node in self.nodes[1:]:
            shutil.copytree(self.nodes[0].path("tls"), node.path("tls"), dirs_exist_ok=True)

    def _same(self):
        """All begin with the state of one that has been a cluster alone, so that none has to be copied from
        another while it runs: that takes long."""
        first = self.nodes[0]
        first.argv = ["--wsrep-new-cluster"]
        first.start()
        first.stop()
        for node in self.nodes[1:]:
            shutil.copytree(first.path("data"), node.path("data"), dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("gvwstate.dat", "galera.cache", "ibtmp1"))
            for at, directories, files in os.walk(node.path("data")):
                node.own(*(os.path.join(at, name) for name in directories + files))

    def __enter__(self):
        try:
            self._same()
            for node in self.nodes:
                node.start()
                node.argv = []
            if not self.whole():
                raise RuntimeError("the cluster does not come together")
        except Exception:
            self.report()
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, value, trace):
        if kind:
            self.report()
        for node in self.nodes:
            node.remove()

    def report(self):
        for node in self.nodes:
            print("# " + node.said()[-2500:].replace("\n", "\n# "), flush=True)

    def url(self, database, order, user="pypitoken", **options):
        """By TLS, over these nodes in this order."""
        one = self.nodes[order[0]].url(database, user, how="tls", **options)
        hosts = ",".join("127.0.0.1:%d" % self.nodes[i].port for i in order)
        return one.replace("127.0.0.1:%d" % self.nodes[order[0]].port, hosts)

    def status(self, node, name):
        rows = node.query(None, "SHOW STATUS LIKE 'wsrep_%s'" % name)
        return rows[0][1] if rows else None

    def whole(self, limit=60):
        running = [node for node in self.nodes if node.running()]

        def together():
            try:
                return all(self.status(node, "cluster_size") == str(len(running)) and
                           self.status(node, "local_state_comment") == "Synced" for node in running)
            except Exception:  # not yet
                return False
        return poll.until(together, limit)
