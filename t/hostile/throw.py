"""throw.py - sends the cases of the corpus to a server, as they are."""

from pypt import wire


def target(case, url):
    """The request target of a case where the uploads go to url ("/legacy/")."""
    if case.path and case.path.startswith("^"):
        found = case.path[1:].rstrip("/") + url if case.path != "^//" else "/" + url
    elif case.path:
        found = url + case.path if case.path[0] != "/" else url + case.path[1:]
    else:
        found = url
    return found + ("?" + case.query if case.query is not None else "")


def send(port, url, case, user=None, chunks=None, tag="", change=None):
    """The response to a case. user: (name, password) of the Authorization header; chunks: the size of the
    chunks it is sent in; change: makes another body of it. The headers X-Case and User-Agent name the case: not every
    header gets through a guard."""
    headers = [("X-Case", case.id + tag), ("User-Agent", "case " + case.id)] + list(case.headers)
    body = change(case.body) if change else case.body
    if case.framing == "none":
        body = None
    if case.framing == "chunked":
        raw = wire.request(case.method, target(case, url), headers, None, user) + wire.chunked(body, 1000)
        with wire.Conn(port) as conn:
            conn.send(raw)
            return conn.response(case.method)
    return wire.once(port, case.method, target(case, url), headers, body, user, chunks=chunks)
