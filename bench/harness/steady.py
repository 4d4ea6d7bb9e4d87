"""Clients that never stop asking, each over one connection that it keeps, and what became of every request.

A process of its own, so that it has an interpreter for itself:

    steady.py PORT CONNECTIONS SECONDS

Each connection has one request under way, always: when an answer is whole, the next request leaves. So a connection that ends has a request under
way, which is lost, unless its last answer said `Connection: close`: then none was sent after it. No connection is made after the first ones, so each has
been accepted, and none may be lost. It is over when every connection has ended, or after SECONDS; what is still under way then is lost, too.
What was counted is written to standard output as JSON.
"""

import array
import json
import select
import socket
import sys
import time

ANSWER = b'{"id":1,"name":"constant"}\n'
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
#: How finely the answers are counted over time.
BUCKET_SECONDS = 0.1


class Connection:
    __slots__ = ("socket", "asked", "received")

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""

    def ask(self, now):
        self.asked = now
        self.socket.send(REQUEST)


class Steady:
    def __init__(self, port, connections):
        self.connections = {each.socket.fileno(): each for each in (Connection(port) for _ in range(connections))}
        self.poll = select.epoll()
        self.begun = time.monotonic()
        self.buckets = []
        self.milliseconds = array.array("d")
        #: When a connection's last answer said that it is the last.
        self.announced = []
        self.lost = []
        self.wrong = {}

    def run(self, seconds):
        for number, connection in self.connections.items():
            self.poll.register(number, select.EPOLLIN)
            connection.ask(time.monotonic())
        while self.connections and time.monotonic() < self.begun + seconds:
            events = self.poll.poll(BUCKET_SECONDS)
            now = time.monotonic()
            for number, _ in events:
                self.read(number, self.connections[number], now)
        for number in list(self.connections):
            self.lose(number, "no answer until the end")

    def read(self, number, connection, now):
        try:
            data = connection.received + connection.socket.recv(65_536)
        except OSError as error:
            return self.lose(number, repr(error))
        if len(data) == len(connection.received):
            return self.lose(number, "the connection ended")
        connection.received = data
        if not is_whole(data):
            return
        connection.received = b""
        self.note(data, (now - connection.asked) * 1000, now)
        if b"\r\nconnection: close\r\n" in data.lower():
            self.announced.append(now)
            return self.end(number)
        try:
            connection.ask(now)
        except OSError as error:
            self.lose(number, repr(error))

    def note(self, data, milliseconds, now):
        if not data.startswith(b"HTTP/1.1 200 ") or not data.endswith(ANSWER):
            line = data.split(b"\r\n", 1)[0].decode(errors="replace")
            self.wrong[line] = self.wrong.get(line, 0) + 1
        bucket = int((now - self.begun) / BUCKET_SECONDS)
        while len(self.buckets) <= bucket:
            self.buckets.append(0)
        self.buckets[bucket] += 1
        self.milliseconds.append(milliseconds)

    def lose(self, number, why):
        self.lost.append({"at": time.monotonic(), "why": why, "received": self.connections[number].received.decode(errors="replace")})
        self.end(number)

    def end(self, number):
        self.poll.unregister(number)
        self.connections.pop(number).socket.close()

    def summary(self):
        times = sorted(self.milliseconds)
        at = lambda part: times[min(len(times) - 1, int(part * len(times)))] if times else None  # noqa: E731
        return {
            "begun": self.begun, "bucketSeconds": BUCKET_SECONDS, "buckets": self.buckets, "answered": len(times),
            "milliseconds": {"p50": at(0.5), "p99": at(0.99), "max": at(1)}, "announced": self.announced, "lost": self.lost,
            "wrong": self.wrong,
        }


def is_whole(data):
    """Whether this is an answer to its last byte. One that is longer than it says counts, too: it is then wrong."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return False
    fields = data[:head].lower()
    name = b"\r\ncontent-length: "
    start = fields.find(name)
    length = int(fields[start + len(name):].split(b"\r\n", 1)[0]) if start >= 0 else 0
    return len(data) >= head + 4 + length


if __name__ == "__main__":
    steady = Steady(int(sys.argv[1]), int(sys.argv[2]))
    steady.run(float(sys.argv[3]))
    json.dump(steady.summary(), sys.stdout)
