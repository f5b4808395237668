"""faulty.py - back ends that misbehave, spoken to over HTTP or SCGI: they write down what they were
given, then answer, close, hang or talk nonsense as they are told."""

import socket
import struct
import threading

from . import poll

TIMEOUT = 30


class Given:
    """One request as it arrived: head as text, the body so far, whether it was all there."""

    def __init__(self):
        self.head, self.body, self.whole = "", b"", False


class Backend:
    """A listening socket on loopback; how(connection, given) says what happens to each request. A context
    manager; its threads end with it."""

    def __init__(self, how, scgi=False):
        self.how, self.scgi = how, scgi
        self.given = []
        self.over = threading.Event()
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def url(self, path="/"):
        return "%s://127.0.0.1:%d%s" % ("scgi" if self.scgi else "http", self.port, path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        # wakes the accept
        socket.create_connection(("127.0.0.1", self.port), TIMEOUT).close()
        for thread in self.threads:
            thread.join(TIMEOUT)
        self.sock.close()

    def _accept(self):
        while True:
            conn, _ = self.sock.accept()
            if self.over.is_set():
                conn.close()
                return
            thread = threading.Thread(target=self._serve, args=(conn,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, conn):
        conn.settimeout(TIMEOUT)
        given = Given()
        try:
            with conn:
                self._head(conn, given)
                if given.head:
                    self.given.append(given)
                    self.how(self, conn, given)
        except OSError:
            pass

    # ---- reading ----

    def _head(self, conn, given):
        data = b""
        end = None
        while end is None:
            more = conn.recv(65536)
            if not more:
                return
            data += more
            end = self._end(data)
        given.head, given.body = data[:end].decode("latin-1"), data[end:]

    def _end(self, data):
        """Where the head ends, None if not yet."""
        if not self.scgi:
            at = data.find(b"\r\n\r\n")
            return None if at < 0 else at + 4
        size, colon, _ = data.partition(b":")
        if not colon:
            return None
        end = len(size) + 1 + int(size) + 1
        return end if len(data) >= end else None

    def length(self, given):
        """The announced length of the body; None when chunked."""
        if self.scgi:
            words = given.head.split(":", 1)[1].split("\0")
            return int(dict(zip(words[::2], words[1::2]))["CONTENT_LENGTH"])
        for line in given.head.split("\r\n"):
            if line.lower().startswith("content-length:"):
                return int(line.split(":")[1])
        return None if "chunked" in given.head.lower() else 0

    def read(self, conn, given, limit=None):
        """The body, up to limit bytes of it."""
        length = self.length(given)
        while limit is None or len(given.body) < limit:
            if given.body.endswith(b"\r\n0\r\n\r\n") if length is None else len(given.body) >= length:
                given.whole = True
                return
            data = conn.recv(65536)
            if not data:
                return
            given.body += data

    # ---- answering ----

    def say(self, conn, status, body=b"said the back end\n", length=None):
        head = ("Status: %s\r\n" if self.scgi else "HTTP/1.1 %s\r\nConnection: close\r\n") % status
        head += "Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % (len(body) if length is None else length)
        conn.sendall(head.encode() + body)


# ---- what they do ----

def answers(status="200 OK", body=b"said the back end\n"):
    """Reads all, answers."""
    def how(backend, conn, given):
        backend.read(conn, given)
        backend.say(conn, status, body)
    return how


def answers_early(status="400 No"):
    """Answers when it has the head, reads nothing more and closes."""
    def how(backend, conn, given):
        backend.say(conn, status)
        # what was sent must not be lost with what is unread
        conn.shutdown(socket.SHUT_WR)
        backend.read(conn, given)
    return how


def closes(after=1000, reset=False):
    """Closes in the middle of the body, without a word."""
    def how(backend, conn, given):
        backend.read(conn, given, after)
        if reset:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return how


def closes_silently():
    """Reads all, says nothing."""
    def how(backend, conn, given):
        backend.read(conn, given)
    return how


def hangs():
    """Reads all and never answers."""
    def how(backend, conn, given):
        backend.read(conn, given)
        backend.over.wait(TIMEOUT)
    return how


def hangs_reading():
    """Does not even read: the socket's buffers fill."""
    def how(backend, conn, given):
        backend.over.wait(TIMEOUT)
    return how


def babbles():
    """Answers nonsense."""
    def how(backend, conn, given):
        backend.read(conn, given)
        # not a NUL first: mod_proxy_scgi takes that for an empty line, the end of an empty head
        conn.sendall(b"\xff\x00 what?\r\n" * 20)
    return how


def waits(for_what):
    """Reads all, answers when for_what() says so."""
    def how(backend, conn, given):
        backend.read(conn, given)
        poll.until(for_what, TIMEOUT)
        backend.say(conn, "200 OK")
    return how


def breaks_off():
    """Promises more than it sends."""
    def how(backend, conn, given):
        backend.read(conn, given)
        backend.say(conn, "200 OK", b"only this", 1000)
    return how
