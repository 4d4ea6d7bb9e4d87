"""WebSockets (RFC 6455) that talk to an echo: the server that stands behind a gateway, and the clients before it."""

import base64
import hashlib
import os
import socket
import socketserver
import struct
import threading

from .overload import Background

TEXT, CLOSE = 1, 8
#: Of RFC 6455, section 1.3.
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_value(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def frame(opcode, data, mask=b""):
    """One whole message of less than 126 bytes. What a client sends is masked."""
    head = struct.pack("BB", 0x80 | opcode, len(data) | (0x80 if mask else 0))
    return head + mask + masked(data, mask)


def masked(data, mask):
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)) if mask else data


def read_frame(stream):
    """(opcode, data) of the next message; fails when the stream has ended."""
    opcode, length = struct.unpack("BB", read(stream, 2))
    mask = read(stream, 4) if length & 0x80 else b""
    return opcode & 0x0F, masked(read(stream, length & 0x7F), mask)


def read(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise ConnectionError(f"ended after {len(data)} of {count} bytes")
    return data


def read_head(stream):
    """The first line, and the fields by their names in small letters."""
    line = stream.readline().strip()
    fields = {}
    while field := stream.readline().strip():
        name, _, value = field.partition(b":")
        fields[name.lower()] = value.strip()
    return line, fields


class Echo:
    """A server that sends every message back."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            _, fields = read_head(self.rfile)
            self.wfile.write(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Accept: " + accept_value(fields[b"sec-websocket-key"]) + b"\r\n\r\n")
            opcode = TEXT
            while opcode != CLOSE:
                opcode, data = read_frame(self.rfile)
                self.wfile.write(frame(opcode, data))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_):
            """Whoever talks with it sees that it ended."""

    def __init__(self):
        self.server = self.Server(("127.0.0.1", 0), self.Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Talk:
    """One WebSocket, and how many of its messages have come back."""

    def __init__(self, port, path):
        self.echoes = 0
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16))
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n".encode()
            + b"Sec-WebSocket-Key: " + key + b"\r\n\r\n")
        line, fields = read_head(self.stream)
        if b" 101 " not in line or fields.get(b"sec-websocket-accept") != accept_value(key):
            raise ConnectionError(f"no WebSocket: {line.decode(errors='replace')}")

    def say(self, text):
        self.exchange(TEXT, text)
        self.echoes += 1

    def close(self):
        """Takes leave, as both sides must; fails when the other one does not."""
        try:
            self.exchange(CLOSE, struct.pack("!H", 1000))
        finally:
            self.stream.close()
            self.socket.close()

    def exchange(self, opcode, data):
        self.socket.sendall(frame(opcode, data, mask=os.urandom(4)))
        if (answer := read_frame(self.stream)) != (opcode, data):
            raise ConnectionError(f"said {data!r}, heard {answer!r}")


class Talks(Background):
    """Several WebSockets that talk in the background."""

    interval = 0.05

    def __init__(self, port, path, count):
        self.talks = [Talk(port, path) for _ in range(count)]
        #: What went wrong; the talk that it happened to is over.
        self.complaints = []

    @property
    def echoes(self):
        return sum(talk.echoes for talk in self.talks)

    def step(self):
        self.each(lambda talk: talk.say(f"message {talk.echoes}".encode()))

    def close(self):
        self.each(Talk.close)
        self.talks = []

    def each(self, do):
        for talk in list(self.talks):
            try:
                do(talk)
            except OSError as error:
                self.complaints.append(f"a WebSocket after {talk.echoes} echoes: {error!r}")
                self.talks.remove(talk)
