"""wire.py - HTTP/1.1 by hand: any bytes out, one response after the other in."""

import base64
import json
import socket
import ssl

from . import under

TIMEOUT = 30 * under.slower()


class Closed(Exception):
    """The server closed the connection before a whole response."""


class Response:
    def __init__(self, status, reason, headers):
        self.status, self.reason, self.headers = status, reason, headers
        self.body = b""

    def header(self, name, default=None):
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return ", ".join(values) if values else default

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "<%d %s %r %r>" % (self.status, self.reason, self.headers, self.body[:300])


class Conn:
    """One connection."""

    def __init__(self, port, host="127.0.0.1", cafile=None):
        self.port, self.host = port, host
        self.sock = socket.create_connection((host, port), TIMEOUT)
        if cafile:
            self.sock = ssl.create_default_context(cafile=cafile).wrap_socket(
                self.sock, server_hostname="localhost")
        self.buffer = b""
        self.interim = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        """Sends all of it; a server that answered early and closed is no error here."""
        try:
            self.sock.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def _until(self, mark):
        while mark not in self.buffer:
            if not self._more():
                raise Closed(self.buffer[:200])
        got, self.buffer = self.buffer.split(mark, 1)
        return got

    def _exactly(self, n):
        while len(self.buffer) < n:
            if not self._more():
                raise Closed(self.buffer[:200])
        got, self.buffer = self.buffer[:n], self.buffer[n:]
        return got

    def _head(self):
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        _, status, reason = (lines[0] + "  ").split(" ", 2)
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        return Response(int(status), reason.strip(), headers)

    def _body(self, response):
        if "chunked" in (response.header("Transfer-Encoding") or "").lower():
            body = b""
            while True:
                n = int(self._until(b"\r\n").split(b";")[0], 16)
                body += self._exactly(n)
                if n == 0:
                    while self._until(b"\r\n"):
                        pass
                    return body
                self._exactly(2)
        length = response.header("Content-Length")
        if length is not None:
            return self._exactly(int(length))
        while self._more():
            pass
        body, self.buffer = self.buffer, b""
        return body

    def response(self, method="GET"):
        """The next final response; interim ones (100) are collected in self.interim."""
        while True:
            response = self._head()
            if response.status >= 200:
                break
            self.interim.append(response.status)
        if method != "HEAD" and response.status not in (204, 304):
            response.body = self._body(response)
        return response

    def closed(self):
        """Whether the server has closed, with nothing more to read."""
        return not self.buffer and not self._more()

    def request(self, method, target, headers=(), body=None, user=None, chunks=None):
        self.send(request(method, target, headers, body, user, self.host, chunks))
        return self.response(method)


def basic(user, password):
    pair = "%s:%s" % (user, password)
    return "Basic " + base64.b64encode(pair.encode()).decode()


def chunked(body, size):
    out = [b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size]) for i in range(0, len(body), size)]
    return b"".join(out) + b"0\r\n\r\n"


def request(method, target, headers=(), body=None, user=None, host="127.0.0.1", chunks=None):
    """The bytes of a request. user: (name, password) for Basic. chunks: the size of each chunk."""
    lines = ["%s %s HTTP/1.1" % (method, target)]
    names = [k.lower() for k, _ in headers]
    if "host" not in names:
        lines.append("Host: " + host)
    if user:
        lines.append("Authorization: " + basic(*user))
    lines += ["%s: %s" % (k, v) for k, v in headers]
    if body is not None and chunks:
        lines.append("Transfer-Encoding: chunked")
        body = chunked(body, chunks)
    elif body is not None and "content-length" not in names:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def once(port, method, target, headers=(), body=None, user=None, **kw):
    """One request on a connection of its own."""
    host, cafile = kw.pop("host", "127.0.0.1"), kw.pop("cafile", None)
    with Conn(port, host, cafile) as conn:
        return conn.request(method, target, headers, body, user, **kw)
