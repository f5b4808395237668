"""slow_line.py - a slow line: a loopback port that passes every connection on to another one, so many bytes a
second towards the server."""

import socket
import threading
import time

TICK = 0.05


class SlowLine:
    """A context manager. What is counted in self.taken comes from clients, over all connections."""

    def __init__(self, port, rate):
        self.to, self.rate = port, rate
        self.taken = self.connections = 0
        self.over = threading.Event()
        self.sock = socket.socket()
        # small buffers: what a client has sent is on the line, not in this machine's memory
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        self.threads = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self.threads:
            thread.join(10)
        self.sock.close()

    def _accept(self):
        while True:
            near, _ = self.sock.accept()
            if self.over.is_set():
                near.close()
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self.to))
            for where in (self._up, self._down):
                thread = threading.Thread(target=self._pass, args=(where, near, far), daemon=True)
                self.threads.append(thread)
                thread.start()

    def _pass(self, where, near, far):
        try:
            where(near, far)
        except OSError:
            pass

    def _up(self, near, far):
        began, sent = time.monotonic(), 0
        while not self.over.is_set():
            data = near.recv(min(65536, int(self.rate * TICK)))
            if not data:
                break
            far.sendall(data)
            sent += len(data)
            self.taken += len(data)
            ahead = sent / self.rate - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
        far.shutdown(socket.SHUT_WR)

    def _down(self, near, far):
        while True:
            data = far.recv(65536)
            if not data:
                break
            near.sendall(data)
        near.shutdown(socket.SHUT_WR)
