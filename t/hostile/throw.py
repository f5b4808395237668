"""throw.py - sends the cases of the corpus to a server, as they are."""

from pypt import wire


def target(case, url):
    """The request target of a case where the uploads go to url ("/legacy/")."""
    if case.path and case.path.startswith("="):
        found = case.path[1:].replace("{url}", url).replace("{bare}", url.rstrip("/"))
    else:
        found = url + (case.path or "")
    return found + ("?" + case.query if case.query is not None else "")


def send(port, url, case, user=None, chunks=None, tag="", change=None):
    """The response to a case. user: (name, password) of the Authorization header; chunks: the size of the
    chunks it is sent in; change: makes another body of it. The headers X-Case and User-Agent name the case: not every
    header gets through a guard."""
    headers = [("X-Case", case.id + tag), ("User-Agent", "case " + case.id)] + list(case.headers)
    body = case.body
    if case.framing == "raw":
        raw = wire.request(case.method, target(case, url), headers, None, user).replace(b"HTTP/1.1\r\n", case.protocol.encode() + b"\r\n", 1)
        with wire.Conn(port) as conn:
            conn.send(raw + body)
            return conn.response(case.method)
    body = change(body) if change else body
    return wire.once(port, case.method, target(case, url), headers, body, user, chunks=chunks)
