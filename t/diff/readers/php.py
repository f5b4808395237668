#!/usr/bin/python3
"""php.py - PHP reads forms: a php-cgi of our own, spoken to over FastCGI. See wsgi.py for the protocol.

PHP takes forms apart in its server interface, before a script runs, so that nothing but php-cgi (or
FPM, or mod_php) will do. Its limits are those of php.ini-production but for the sizes.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

import wsgi

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


def record(kind, data):
    out = b""
    for at in range(0, len(data), 65528):
        piece = data[at:at + 65528]
        out += struct.pack(">BBHHBB", 1, kind, 1, len(piece), 0, 0) + piece
    return out


def pair(name, value):
    name, value = name.encode(), value.encode("latin-1")
    head = b"".join(struct.pack(">I", n | 1 << 31) if n > 127 else bytes([n]) for n in (len(name), len(value)))
    return head + name + value


class Php:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="pypt-php-")
        path = os.path.join(self.dir, "fcgi")
        env = {"PATH": "/usr/bin:/bin", "PHP_FCGI_CHILDREN": "0", "PHP_FCGI_MAX_REQUESTS": "0"}
        settings = {"upload_max_filesize": "1G", "post_max_size": "1G", "upload_tmp_dir": self.dir,
                    "display_errors": "0", "html_errors": "0"}
        argv = ["php-cgi", "-n", "-b", path]
        for name, value in settings.items():
            argv += ["-d", "%s=%s" % (name, value)]
        self.proc = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.sock = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 20
        while self.sock.connect_ex(path):
            if self.proc.poll() is not None or time.monotonic() > end:
                raise RuntimeError("php-cgi does not start")
            time.sleep(0.01)

    def stop(self):
        self.sock.close()
        self.proc.terminate()
        self.proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise RuntimeError("php-cgi is gone")
            data += more
        return data

    def read(self, ctype, body):
        script = os.path.join(HERE, "form.php")
        params = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": ctype, "CONTENT_LENGTH": str(len(body)),
                  "QUERY_STRING": "", "SCRIPT_FILENAME": script, "SCRIPT_NAME": "/form.php",
                  "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1", "REDIRECT_STATUS": "200"}
        self.sock.sendall(struct.pack(">BBHHBBHB5x", 1, BEGIN, 1, 8, 0, 0, 1, 1)
                          + record(PARAMS, b"".join(pair(k, v) for k, v in params.items()))
                          + struct.pack(">BBHHBB", 1, PARAMS, 1, 0, 0, 0)
                          + record(STDIN, body) + struct.pack(">BBHHBB", 1, STDIN, 1, 0, 0, 0))
        said = b""
        while True:
            _, kind, _, n, padding, _ = struct.unpack(">BBHHBB", self._exactly(8))
            data = self._exactly(n)
            self._exactly(padding)
            if kind == STDOUT:
                said += data
            if kind == END:
                return json.loads(said.split(b"\r\n\r\n", 1)[1])


def main():
    php = Php()
    try:
        boundary = "x"
        empty = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--x--\r\n'
        version = php.read("multipart/form-data; boundary=" + boundary, empty)["php"]
        print(json.dumps({"reader": version}), flush=True)
        for ctype, body in wsgi.records(sys.stdin.buffer):
            said = php.read(ctype, body)
            del said["php"]
            print(json.dumps(said), flush=True)
    finally:
        php.stop()


if __name__ == "__main__":
    main()
