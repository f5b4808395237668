#!/usr/bin/python3
"""galera.t - three nodes of a Galera cluster, two front ends on different ones: the store's tests, what one
front end does seen by the other on its next request, and nodes that are lost while clients upload.

    t/galera.t          what make check runs
    t/galera.t all      all parts, for longer
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "t/lib"))

from pypt import BUILDDIR, dist, galera, load, mariadb, poll, site, store, tap, wire  # noqa: E402

CONNECT, READ = 2, 3
# two statements without an answer, and twice all three nodes, each for as long as it takes to connect
STUCK = 2 * READ + 6 * CONNECT
SLACK = 20
DB = "galera"
EXPECTED = (r"cannot (reach|open) the store mysql:", r"store mysql:.*:", r"pypitoken: unable, store-down",
            r"stays unconfirmed until its next upload")


def front(t, cluster, order, keyring=None):
    """A site whose httpd prefers the nodes in that order. All share one database and one keyring."""
    s = site.Site(t, lambda own: store.Nodes(own, cluster, order, DB, **{"connect-timeout": CONNECT,
                                                                         "read-timeout": READ}))
    s.allow(*EXPECTED)
    if keyring:
        shutil.copy(keyring, s.path("keyring"))
        shutil.copystat(keyring, s.path("keyring"))
    return s


# ---- the store's own tests, from two sides ----

def contract(t, cluster, every):
    """They look into the database by one node, and the store uses another one."""
    node = cluster.nodes[0]
    for host in ("localhost", "127.0.0.1"):
        node.query(None, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES "
                         "ON `pypt\\_%%`.* TO 'pypitoken_admin'@'%s'" % host)
    with open(node.path("grants.sql"), "w") as f:
        f.writelines(sql + ";\n" for sql in node.grants("pypitoken", "pypitoken"))
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYPT_STORE": cluster.url("{db}", [1]),
           "PYPT_STORE_INIT": cluster.url("{db}", [1], "pypitoken_admin"), "PYPT_STORE_SECRET": node.secret,
           "PYPT_STORE_ADMIN": node.socket, "PYPT_STORE_GRANTS": node.path("grants.sql"), "PYPT_STORE_CLUSTER": cluster.nodes[1].socket}
    names = "store store_edit store_threads store_seal migrate people narrow trail" if every else "store people"
    for name in names.split():
        done = subprocess.run([os.path.join(BUILDDIR, "t/unit/test_" + name)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", env=env, check=False)
        bad = [line for line in done.stdout.split("\n") if line.startswith("not ok")]
        t.ok(done.returncode == 0 and not bad, "test_%s, looking at one node what was done on another" % name,
             "\n".join(bad[:20]) or done.stdout[-2000:])


# ---- two front ends ----

def together(t, a, b):
    """What is done on one node counts on the other with the next request."""
    token = a.token("alice")
    with wire.Conn(b.httpd.port) as c:
        wrong = []
        for i in range(15):
            mine = a.token("alice")
            if b.upload(dist.sdist("together", "1.%d" % i), mine, conn=c).status != 200:
                wrong.append("new token %d" % i)
            (a if i % 2 else b).ctl("token", "revoke", mine.id)
            r = b.upload(dist.sdist("together", "2.%d" % i), mine, conn=c)
            if r.status != 403 or "revoked" not in r.reason:
                wrong.append("revoked token %d: %s" % (i, r))
        t.is_(wrong, [], "15 tokens, made on one node, are known on the other at once, and revoked at once")
        a.ctl("user", "disable", "alice")
        t.is_(b.upload(dist.sdist("together", "3.0"), token, conn=c).status, 403, "a user disabled on one node")
        a.ctl("user", "enable", "alice")
        t.is_(b.upload(dist.sdist("together", "3.0"), token, conn=c).status, 200, "  and enabled")
    r = a.upload(dist.sdist("claimed", "1.0"), token)
    t.is_(r.status, 200, "a project that one front end lets its uploader claim", r)
    r = b.upload(dist.sdist("claimed", "2.0"), b.token("bob"))
    t.is_(r.status, 403, "  is nobody else's on the other", r)


def behind(t, cluster, a, b):
    """A node that has not yet applied what another one committed makes the request wait."""
    token = a.token("alice")
    t.is_(b.upload(dist.sdist("behind", "1.0"), token).status, 200, "before: 200 on the other node")
    held = cluster.nodes[b.store.order[0]].connect()
    got = []
    with held.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")  # nothing is applied from here on
        a.ctl("token", "revoke", token.id)
        thread = threading.Thread(target=lambda: got.append(b.upload(dist.sdist("behind", "1.1"), token)))
        thread.start()
        thread.join(1.0)
        waited = not got
        cursor.execute("UNLOCK TABLES")
    thread.join()
    held.close()
    t.ok(waited, "a node that is behind: the request waits", got)
    t.ok(got[0].status in (403, 503), "  and a revoked token is not taken for a good one", got)


def both_claim(t, a, b):
    """Two owners for one project, at the same time on two nodes: one of them gets it."""
    tokens = (a.token("alice"), a.token("bob"))
    wrong = []
    for i in range(8):
        got = [None, None]

        def upload(n, name="race-%d" % i, got=got):
            got[n] = (a, b)[n].upload(dist.sdist(name, "1.%d" % n), tokens[n])
        threads = [threading.Thread(target=upload, args=(n,)) for n in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(r.status for r in got)
        owners = [row["user"] for row in a.ctl_json("role", "list", "race-%d" % i)]
        if statuses != [200, 403] or len(owners) != 1:
            wrong.append((statuses, owners))
    t.is_(wrong, [], "8 projects that two people claim at once, on two nodes: each gets one owner")


def one_use(t, a, b):
    """Nodes find out at the commit that both have taken the same use: one of them takes it back and asks again."""
    for i in range(2):
        token = a.token("alice").narrow([1004, 1])
        files = [dist.sdist("one-use", "%d.%d" % (i, n)) for n in range(40)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            got = list(pool.map(lambda n, token=token, files=files: (a, b)[n % 2].upload(files[n], token).status, range(40)))
        # the first upload makes the project: what loses that race is told to come again
        t.ok(got.count(200) == 1 and set(got) <= {200, 403, 503}, "40 at once on two nodes with a token for one upload: one",
             sorted(got))
        stored = [name for s in (a, b) for name in s.visible() if name.startswith("one-use/") and "-%d." % i in name]
        t.is_(len(stored), 1, "  and one is stored", stored)
        again = [s.upload(dist.sdist("one-use", "9.%d" % i), token).status for s in (a, b)]
        t.is_(again, [403, 403], "  then neither node takes another")


# ---- nodes that are lost ----

def lost(t, cluster, a, b, times):
    token = a.token("alice")
    with load.Load(8) as clients:
        clients.start([a, b], token)
        clients.enough(16)
        for victim in range(times):
            node = cluster.nodes[victim % 2]
            node.kill()
            t.ok(clients.enough(24, 120), "a node is lost under 8 clients: uploads go on by the others")
            node.start()
            t.ok(cluster.whole(120), "  it comes back")
            t.ok(clients.enough(16, 120), "  and uploads go on")
    judge(t, (a, b), clients, "after %d lost nodes" % times)


def judge(t, sites, clients, what):
    t.is_(clients.strange(503), [], what + ": no answer but 200 and 503")
    taken = len(clients.taken())
    t.note("%d times 200, %d times 503" % (taken, len(clients.outcomes) - taken))
    slow = [o for o in clients.outcomes if o.seconds > STUCK + SLACK]
    t.is_(slow, [], "  nobody was stuck longer than the timeouts allow")
    names = {o.filename for o in clients.taken()}
    stored = {name.split("/")[-1] for s in sites for name in s.visible()}
    events = {e["file"] for e in sites[0].events() if e["kind"] == "upload" and e.get("file")}
    t.ok(names <= stored, "  every 200 is stored", sorted(names - stored)[:5])
    t.ok(names <= events, "  and has its event", sorted(names - events)[:5])
    t.ok({n for n in stored if n.startswith("load-")} <= events, "  and nothing is stored without one")


def frozen(t, cluster, a, b):
    token = a.token("alice")
    with load.Load(8) as clients:
        clients.start([a, b], token)
        clients.enough(16)
        cluster.nodes[1].freeze()
        t.ok(clients.enough(24, 120), "a frozen node under 8 clients: uploads go on by the others")
        cluster.nodes[1].thaw()
        t.ok(cluster.whole(120), "  thawed, it is a member again")
        t.ok(clients.enough(16, 120), "  and uploads go on")
    judge(t, (a, b), clients, "after the frost")


def minority(t, cluster, a):
    """One of three nodes is not the cluster: it may not be believed."""
    token, dead = a.token("alice"), a.token("alice")
    for node in cluster.nodes[1:]:
        node.kill()
    r = poll.until(lambda: [r for r in [a.upload(dist.sdist("alone", "1.0"), token)] if r.status == 503], 60)
    t.ok(r and int(r[0].header("Retry-After", "0")) > 0, "a node that is left alone: 503 with Retry-After", r)
    r = a.upload(dist.sdist("alone", "1.1"), dead.mistyped())
    t.is_(r.status, 503, "  also for a forged token, for nobody knows", r)
    t.is_(a.get("/simple/").status, 200, "  and reading goes on")
    for node in cluster.nodes[1:]:
        node.launch()
    t.ok(cluster.whole(180), "the others come back")
    r = poll.until(lambda: [r for r in [a.upload(dist.sdist("alone", "2.0"), token)] if r.status != 503], 60)
    t.is_(r and r[0].status, 200, "  and so do uploads", r)


def main(t):
    site.need(t)
    missing = mariadb.missing() or (None if galera.provider() else "galera-4")
    if missing:
        t.skip_all("no " + missing)
    every = sys.argv[1:] == ["all"]
    with galera.Cluster(3) as cluster:
        node = cluster.nodes[0]
        node.database(DB)
        contract(t, cluster, every)
        with front(t, cluster, [0, 1, 2]) as a:
            a.init("alice", "bob")
            with front(t, cluster, [1, 2, 0], a.path("keyring")) as b:
                a.start()
                b.start()
                together(t, a, b)
                behind(t, cluster, a, b)
                both_claim(t, a, b)
                one_use(t, a, b)
                lost(t, cluster, a, b, 4 if every else 1)
                if every:
                    frozen(t, cluster, a, b)
                    minority(t, cluster, a)


tap.run(main)
