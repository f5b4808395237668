"""h2wire.py - HTTP/2 by hand, over TLS (h2) or in clear with prior knowledge (h2c): several requests at the
same time on one connection, each with its own credentials."""

import socket
import ssl

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from . import wire


class Stream:
    """One request under way."""

    def __init__(self, body, piece):
        self.body, self.piece, self.sent = body, piece, 0
        self.response, self.interim, self.done, self.reset = None, [], False, None
        self.trailers = ()


class Conn2:
    """One connection. cafile: speak TLS and insist on ALPN h2."""

    def __init__(self, port, host="127.0.0.1", cafile=None):
        self.sock = socket.create_connection((host, port), wire.TIMEOUT)
        self.scheme = "http"
        if cafile:
            context = ssl.create_default_context(cafile=cafile)
            context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
            if self.sock.selected_alpn_protocol() != "h2":
                raise wire.Closed("no h2 by ALPN")
            self.scheme = "https"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        self.h2.initiate_connection()
        self.streams = {}
        self.gone = False
        self._flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def _flush(self):
        data = self.h2.data_to_send()
        try:
            if data:
                self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.gone = True

    # ---- a request ----

    def start(self, method, path, headers=(), body=None, user=None, piece=16384, length=True, trailers=()):
        """Opens a stream and sends its headers; the number to ask for. Without length the body is sent as a
        client does that does not know its size."""
        number = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", self.scheme), (":authority", "localhost"), (":path", path)]
        if user:
            fields.append(("authorization", wire.basic(*user)))
        fields += [(k.lower(), str(v)) for k, v in headers]
        if body is not None and length:
            fields.append(("content-length", str(len(body))))
        self.h2.send_headers(number, fields, end_stream=body is None)
        stream = Stream(body, piece)
        stream.trailers = trailers
        self.streams[number] = stream
        self._flush()
        return number

    def _feed(self, number, stream):
        """As much of the body as the windows allow, a piece for each frame. Whether anything went out."""
        sent = False
        while stream.body is not None and not stream.done:
            room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size, stream.piece)
            part = stream.body[stream.sent:stream.sent + room]
            if not part and stream.sent < len(stream.body):
                break
            end = stream.sent + len(part) == len(stream.body)
            try:
                self.h2.send_data(number, part, end_stream=end and not stream.trailers)
                if end and stream.trailers:
                    self.h2.send_headers(number, list(stream.trailers), end_stream=True)
            except (h2.exceptions.StreamClosedError, h2.exceptions.ProtocolError):
                stream.body = None
                break
            stream.sent += len(part)
            sent = True
            if end:
                stream.body = None
        return sent

    def _event(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.gone = True
        if stream is None:
            return
        if isinstance(event, h2.events.InformationalResponseReceived):
            stream.interim.append(int(dict(event.headers)[":status"]))
        elif isinstance(event, h2.events.ResponseReceived):
            headers = [(k, v) for k, v in event.headers if not k.startswith(":")]
            stream.response = wire.Response(int(dict(event.headers)[":status"]), "", headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.response.body += event.data
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            stream.done = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset, stream.done = event.error_code, True

    def _receive(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.gone = True
            return
        for event in self.h2.receive_data(data):
            self._event(event)
        self._flush()

    def finish(self, *numbers):
        """The responses to these, in this order; the bodies go out meanwhile, one frame of each in turn."""
        while not self.gone and not all(self.streams[n].done for n in numbers):
            for number in numbers:
                self._feed(number, self.streams[number])
                self._flush()
            if all(self.streams[n].done for n in numbers):
                break
            self._receive()
        out = []
        for number in numbers:
            stream = self.streams[number]
            if stream.response is None:
                raise wire.Closed("stream %d without a response, reset %s" % (number, stream.reset))
            out.append(stream.response)
        return out

    def request(self, method, path, headers=(), body=None, user=None, **kw):
        return self.finish(self.start(method, path, headers, body, user, **kw))[0]


def once(port, method, path, headers=(), body=None, user=None, cafile=None, **kw):
    with Conn2(port, cafile=cafile) as conn:
        return conn.request(method, path, headers, body, user, **kw)
