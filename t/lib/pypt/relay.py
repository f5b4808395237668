"""relay.py - a TCP port on loopback that leads to another one: what passes is seen, held up or changed.

    with Relay(port) as relay:
        relay.port            connect here
        relay.mode = "refuse" new connections are closed at once; "hang": accepted, then silence;
                              "strip": the server's greeting loses its offer of TLS
        relay.seen            all that clients have sent
        relay.cut()           every connection is closed
"""

import select
import socket
import struct
import threading

CLIENT_SSL = 0x0800


def strip_tls(greeting):
    """A MySQL server's first packet, as one without TLS would send it."""
    end = greeting.index(b"\0", 5)  # of the version
    at = end + 1 + 4 + 8 + 1  # thread id, half of the nonce, a filler
    flags = struct.unpack_from("<H", greeting, at)[0] & ~CLIENT_SSL
    return greeting[:at] + struct.pack("<H", flags) + greeting[at + 2:]


class Relay:
    def __init__(self, target, mode="pass", host="127.0.0.1"):
        self.target, self.mode, self.seen, self.accepted = target, mode, b"", 0
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((host, 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.open, self.lock, self.over = [], threading.Lock(), False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def cut(self):
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.open = []

    def _accept(self):
        while not self.over:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.mode == "refuse":
                client.close()
                continue
            with self.lock:
                self.open.append(client)
            threading.Thread(target=self._carry, args=(client, self.mode), daemon=True).start()

    def _carry(self, client, mode):
        if mode == "hang":
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 10)
        except OSError:
            client.close()
            return
        with self.lock:
            self.open.append(server)
        greeted = mode != "strip"
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for sock in ready:
                    data = sock.recv(65536)
                    if not data:
                        return
                    if sock is client:
                        self.seen += data
                        server.sendall(data)
                    else:
                        client.sendall(data if greeted else strip_tls(data))
                        greeted = True
        except (OSError, ValueError):
            pass
        finally:
            client.close()
            server.close()
