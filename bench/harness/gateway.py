"""Souk's gateway beside nginx, HAProxy and Express, under the same load in turn, before the same upstream."""

import contextlib
import dataclasses
import http.client
import os
import resource
import socket
import subprocess

from . import report
from .benchmark import Benchmark
from .gateways import CONNECTIONS, GATEWAYS, NARROW_LIMIT, Certificate, Tokens, Upstream, executable
from .load import h2load, wrk
from .measure import WARM_UP_SECONDS, say, summary
from .processes import Failure, memory, processor_seconds

CONSTANT = b'{"id":1,"name":"constant"}\n'
#: Customers that take turns in the load.
CUSTOMERS = 1_000
#: The mean answer under load may be so much longer or shorter than the one that was looked at.
SIZE_TOLERANCE = 0.03


@dataclasses.dataclass(frozen=True)
class Scenario:
    title: str
    method: str = "GET"
    path: str = "/"
    #: Of the request; it comes back as the answer.
    body_bytes: int = 0
    #: Whether every request has a token, which is checked, and is counted for its user.
    is_checked: bool = False
    #: Connections that are open and do nothing while the others are busy.
    idle: int = 0
    #: Requests under way on each connection, of HTTP/2 over TLS; 0: one, of HTTP/1.1 without TLS.
    streams: int = 0

    def gateways(self):
        return [gateway for gateway in GATEWAYS if gateway.speaks_http2 or not self.streams]

    def takes_same_work(self, gateway):
        """Whether `gateway` does all of it: only then a ratio says something."""
        return gateway in self.gateways() and (gateway.checks_tokens or not self.is_checked)


SCENARIOS = {
    "plain": Scenario("Plain proxying: GET, 27 bytes"),
    "bodies": Scenario("Bodies: POST of 16 KB that comes back", method="POST", body_bytes=16_384),
    "checked": Scenario(f"A token checked and its user's rate limited at every request, {CUSTOMERS:,} users in turn", is_checked=True),
    "http2": Scenario("Plain proxying of HTTP/2 over TLS, 4 requests at a time on each connection", streams=4),
    "idle": Scenario("Plain proxying beside 1,000 idle connections", idle=1_000),
}


@dataclasses.dataclass(frozen=True)
class Goal:
    """What the ratio of Souk's figure to that of `peer` must be in a scenario."""

    scenario: str
    #: A figure of a load, and its name for people.
    figure: str
    title: str
    peer: str
    at_least: float = None
    at_most: float = None

    def is_met(self, ratio):
        return ratio >= self.at_least if self.at_least is not None else ratio <= self.at_most

    def __str__(self):
        return f"≥ {self.at_least:.1f}" if self.at_least is not None else f"≤ {self.at_most:.1f}"


GOALS = [
    Goal("plain", "perSecond", "requests /s", "nginx", at_least=1.0),
    Goal("plain", "processorMicroseconds", "processor time a request", "nginx", at_most=1.2),
    Goal("checked", "perSecond", "requests /s", "haproxy", at_least=2.0),
    *(Goal(name, "p99", "p99", gateway.name, at_most=1.0)
      for name, scenario in SCENARIOS.items() for gateway in GATEWAYS
      if gateway.name in ("nginx", "haproxy") and scenario.takes_same_work(gateway)),
]


class GatewayBenchmark(Benchmark):
    """The gateways, in turn before one upstream."""

    def peers(self, found):
        self.results["versions"] = versions = {gateway.name: gateway.version(self.options.souk) for gateway in GATEWAYS}
        return f", nginx {versions['nginx']}, HAProxy {versions['haproxy']}, Express {versions['express']}"

    def gateway(self):
        raise_open_files()
        upstream = Upstream(self.options.souk, self.directory)
        self.open.callback(upstream.stop)
        upstream.wait_until_ready()
        self.results["scenarios"] = {}
        for name in self.options.scenario or SCENARIOS:
            self.rounds_of(name, upstream)
        self.judge()

    def rounds_of(self, name, upstream):
        """Starts all gateways anew, looks at what each answers, and drives one after the other; every other round the other way round."""
        scenario = SCENARIOS[name]
        rounds = []
        with contextlib.ExitStack() as running:
            tokens = None
            if scenario.is_checked:
                tokens = Tokens(self.directory, CUSTOMERS)
                running.callback(tokens.stop)
            certificate = Certificate(self.directory) if scenario.streams else None
            gateways = [
                self.start(gateway, running, upstream, tokens, scenario.body_bytes, certificate) for gateway in scenario.gateways()]
            sizes = {gateway.name: look_at(gateway, scenario, tokens) for gateway in gateways}
            for gateway in gateways:
                self.load(name, gateway, tokens, sizes, WARM_UP_SECONDS)
            for number in range(1, self.options.rounds + 1):
                results = {}
                for gateway in gateways if number % 2 else gateways[::-1]:
                    results[gateway.name] = found = self.load(name, gateway, tokens, sizes, self.options.seconds)
                    say(f"{name}, round {number} of {self.options.rounds}, {gateway.name}: {summary(found)}, "
                        f"{found['processorMicroseconds']:.1f} µs of processor time a request")
                rounds.append({gateway.name: results[gateway.name] for gateway in gateways})
        self.results["scenarios"][name] = rounds
        compared = [gateway.name for gateway in scenario.gateways()[1:] if scenario.takes_same_work(gateway)]
        print(f"\n## {scenario.title}\n\n{report.gateway_table(rounds, compared)}\n", flush=True)
        for gateway in scenario.gateways():
            if not scenario.takes_same_work(gateway):
                print(f"{gateway.name} checks no tokens: it only limits, and is no measure here.\n", flush=True)

    def start(self, kind, running, *setup):
        gateway = kind(self.options.souk, self.directory, *setup)
        running.callback(gateway.stop)
        gateway.wait_until_ready()
        return gateway

    def load(self, name, gateway, tokens, sizes, seconds):
        scenario = SCENARIOS[name]
        told = {"BENCH_METHOD": scenario.method, "BENCH_PATH": scenario.path, "BENCH_BODY_BYTES": str(scenario.body_bytes)}
        if tokens:
            told["BENCH_TOKENS"] = tokens.file
        with IdleConnections(gateway, scenario.idle) as idle:
            before = processor_seconds([gateway.upstream.child.pid])
            if scenario.streams:
                log = os.path.join(self.directory, "h2load.log")
                found = h2load(gateway, scenario.path, seconds, self.options.connections, scenario.streams, log)
            else:
                found = wrk(gateway, "gateway.lua", told, seconds, self.options.connections)
            after = processor_seconds([gateway.upstream.child.pid])
            # The idle connections cost memory, too.
            found["memory"] = memory(gateway.pids())
            if gone := idle.gone():
                found["errors"]["idle connections ended"] = gone
        used = sum(found["processorMillisecondsPerRequest"].values())
        found["processorMicroseconds"] = used * 1_000
        found["upstreamMicroseconds"] = (sum(after.values()) - sum(before.values())) * 1e6 / max(found["requests"], 1)
        # Of one processor: what the gateway had of it while the load ran.
        found["processorShare"] = used / 1_000 * found["perSecond"]
        found["memoryMiB"] = sum(each["pss"] for each in found["memory"].values()) / 1024
        faults = [f"{count} errors ({kind})" for kind, count in found["errors"].items()]
        if abs(found["bytesPerResponse"] - sizes[gateway.name]) > SIZE_TOLERANCE * sizes[gateway.name]:
            faults.append(f"answers are of {found['bytesPerResponse']:.0f} bytes, where the one that was looked at had {sizes[gateway.name]}")
        for fault in faults:
            self.faults.append(f"{name}, {gateway.name}: {fault}")
            say(f"FAULT: {self.faults[-1]}")
        return found

    def judge(self):
        judged = []
        for goal in GOALS:
            if rounds := self.results["scenarios"].get(goal.scenario):
                ratio = report.gateway_ratio(rounds, goal.peer, goal.figure)
                judged.append((goal, ratio))
        self.results["goals"] = [
            {"scenario": goal.scenario, "figure": goal.figure, "peer": goal.peer, "goal": str(goal), "ratio": ratio, "met": goal.is_met(ratio)}
            for goal, ratio in judged]
        self.missed = [
            f"{goal.scenario}: {goal.title}, souk : {goal.peer} {ratio:.2f}, goal {goal}" for goal, ratio in judged if not goal.is_met(ratio)]
        rows = [
            [f"{goal.scenario}: {goal.title}", f"souk : {goal.peer}", f"{ratio:.2f}", str(goal), "met" if goal.is_met(ratio) else "**missed**"]
            for goal, ratio in judged]
        print(f"\n## Goals\n\n{report.table(['goal', '', 'ratio', 'wanted', ''], rows)}\n", flush=True)


# MARK: Answers looked at


def look_at(gateway, scenario, tokens):
    """Fails unless `gateway` answers as it should, and refuses what it should. Returns the bytes of a good answer, its head included."""
    if scenario.streams:
        return look_at_http2(gateway, scenario)
    body = bytes(index * 7 % 251 for index in range(scenario.body_bytes)) if scenario.body_bytes else None
    status, size, answer = ask(gateway, scenario.method, scenario.path, body, tokens and tokens.good[0])
    if status != 200 or answer != (body or CONSTANT):
        raise Failure(f"{gateway.name}: {scenario.method} {scenario.path} was {status} with {len(answer)} bytes: {answer[:200]!r}")
    if tokens:
        look_at_refusals(gateway, scenario, tokens)
    return size


def look_at_http2(gateway, scenario):
    """Returns the bytes of the body: with fields compressed against those before, no two answers are equally long."""
    ended = subprocess.run(
        [executable("nghttp", "nghttp2-client"), "--no-verify-peer", f"https://127.0.0.1:{gateway.port}{scenario.path}"], capture_output=True,
        timeout=10)
    if ended.returncode != 0 or ended.stdout != CONSTANT:
        raise Failure(f"{gateway.name}: over HTTP/2 {scenario.path} was {ended.stdout[:200]!r} {ended.stderr[:200]!r}")
    return len(CONSTANT)


def look_at_refusals(gateway, scenario, tokens):
    if gateway.checks_tokens:
        for what, token in {"no token": None, **tokens.bad}.items():
            status = ask(gateway, scenario.method, scenario.path, None, token)[0]
            if status != 401:
                raise Failure(f"{gateway.name}: a request with {what} was {status}, not 401")
    for user in tokens.good[:2]:
        # One counts in fixed windows, another refills while this goes on: not all refuse just the first one beyond the limit.
        statuses = [ask(gateway, scenario.method, "/limited", None, user)[0] for _ in range(2 * NARROW_LIMIT)]
        if statuses[:NARROW_LIMIT] != [200] * NARROW_LIMIT or statuses[-1] != 429:
            raise Failure(f"{gateway.name}: with {NARROW_LIMIT} requests a minute allowed they were {statuses}")


def ask(gateway, method, path, body, token):
    """One request on a connection of its own: (status, bytes of the whole answer, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"} if token else {})
        response = connection.getresponse()
        data = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f"{gateway.name}: {method} {path}: {error!r}")
    finally:
        connection.close()
    line = len(f"HTTP/1.1 {response.status} {response.reason}\r\n")
    return response.status, line + sum(len(name) + len(value) + 4 for name, value in response.getheaders()) + 2 + len(data), data


# MARK: Idle connections


class IdleConnections:
    """Connections that have had one answer each and are kept open, as browsers do."""

    def __init__(self, gateway, count):
        self.gateway = gateway
        self.count = count
        self.sockets = []

    def __enter__(self):
        try:
            for _ in range(self.count):
                self.sockets.append(self.open())
        except OSError as error:
            self.__exit__()
            raise Failure(f"{self.gateway.name}: connection {len(self.sockets) + 1:,} of {self.count:,}: {error!r}")
        return self

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()

    def open(self):
        connection = socket.create_connection(("127.0.0.1", self.gateway.port), timeout=10)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        received = b""
        while not received.endswith(CONSTANT):
            if not (part := connection.recv(4096)):
                raise ConnectionError(f"ended after {received!r}")
            received += part
        connection.setblocking(False)
        return connection

    def gone(self):
        """How many of them the gateway has ended."""
        return sum(not self.is_open(each) for each in self.sockets)

    @staticmethod
    def is_open(connection):
        try:
            connection.recv(1)
        except BlockingIOError:
            return True
        except OSError:
            return False
        # Its end, or bytes that nobody asked for.
        return False


def raise_open_files():
    """As many open files as this process may have; what it starts inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2 * CONNECTIONS:
        raise Failure(f"a process may open {most} files here; {2 * CONNECTIONS} are needed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * CONNECTIONS, most))
