"""Changes of a gateway under load: its configuration is replaced again and again, and in the end it is told to end. No request may be lost.

A round is a whole life of one gateway. WebSockets are opened and clients begin to ask (`steady.py`). Then its file is replaced 25 times, one
change each 200 ms, each followed by SIGHUP: the two files that take turns have no route and no cluster in common, name different upstreams,
and only one of them knows where WebSockets go. When a change is in force, a route that answers by itself tells. Then comes SIGTERM: each client must
get the answer that it waits for, and be told that it is the last one, the WebSockets talk on until they take leave themselves, and the process must end with
0.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

from . import report
from .benchmark import Benchmark
from .client import Client
from .gateways import SoukGateway, Upstream
from .measure import say
from .processes import Child, Failure
from .talks import Echo, Talks

RELOADS = 25
INTERVAL_SECONDS = 0.2
#: Load before the first change.
WARM_UP_SECONDS = 1
WEBSOCKETS = 4
#: How long they talk on after SIGTERM.
TALK_ON_SECONDS = 1
LEAST_PER_SECOND = 10_000
#: Whoever takes longer for something hangs.
PATIENCE_SECONDS = 10
STEADY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "steady.py")
NAMES = ("first", "second")


class ChangingGateway(SoukGateway):
    """Souk's gateway with two configurations that take turns."""

    def __init__(self, build, directory, upstreams, echo):
        self.upstreams = upstreams
        self.echo = echo
        super().__init__(build, directory, upstreams[0])

    def launch(self):
        self.file = self.write("gateway.yaml", self.configuration(0))
        return [os.path.join(self.build, "souk"), "serve", "api-gateway"], {
            "GATEWAY_CONFIGURATION": self.file, "HOST": "127.0.0.1", "PORT": str(self.port), "ACCESS_LOG": "none"}

    def configuration(self, number):
        """The one before the first change, and after each that has an even number, knows the way to the echo."""
        which = number % 2
        name = NAMES[which]
        echo_cluster = f"  - {{name: echo, endpoints: ['http://127.0.0.1:{self.echo.port}']}}\n"
        echo_route = "  - {name: talks, path: /talks, cluster: echo, upgrades: [websocket]}\n"
        return f"""\
clusters:
  - {{name: {name}, endpoints: ['http://127.0.0.1:{self.upstreams[which].port}']}}
{echo_cluster if which == 0 else ""}routes:
  - {{name: all-{name}, path: /, cluster: {name}}}
  - {{name: change-{name}, path: /change, exact: true, respond: {{status: 200, contentType: application/json, text: '{number}'}}}}
{echo_route if which == 0 else ""}"""

    def change(self, number, witness):
        """Puts a configuration in the place of the last one, and returns how many milliseconds it took until it was in force."""
        # In one step: half a file would be a mistake.
        os.replace(self.write("gateway.yaml.next", self.configuration(number)), self.file)
        begun = time.monotonic()
        self.child.process.send_signal(signal.SIGHUP)
        while witness.get("/change") != number:
            if time.monotonic() > begun + PATIENCE_SECONDS:
                raise Failure(f"change {number} is not in force after {PATIENCE_SECONDS} s:\n{self.child.tail()}")
            time.sleep(0.002)
        return (time.monotonic() - begun) * 1000


class Changes(Benchmark):
    """Reloads and the end of the gateway, under load."""

    def changes(self):
        with contextlib.ExitStack() as running:
            upstreams = [self.upstream(running) for _ in NAMES]
            echo = Echo()
            running.callback(echo.stop)
            rounds = self.results["changes"] = []
            for number in range(1, self.options.rounds + 1):
                rounds.append(self.life(upstreams, echo))
                self.judge(number, rounds[-1])
        print(f"\n## {RELOADS} reloads and the end of the gateway, under load\n\n{report.changes_table(rounds)}\n", flush=True)

    def upstream(self, running):
        upstream = Upstream(self.options.souk, self.directory)
        running.callback(upstream.stop)
        upstream.wait_until_ready()
        return upstream

    def life(self, upstreams, echo):
        with contextlib.ExitStack() as running:
            gateway = ChangingGateway(self.options.souk, self.directory, upstreams, echo)
            running.callback(gateway.stop)
            gateway.wait_until_ready()
            talks = Talks(gateway.port, "/talks", WEBSOCKETS)
            load = self.load(running, gateway)
            with talks:
                time.sleep(WARM_UP_SECONDS)
                begun = time.monotonic()
                in_force = self.reload(gateway)
                ended = time.monotonic()
                gateway.child.process.terminate()
                time.sleep(TALK_ON_SECONDS)
            echoes = talks.echoes
            talks.close()
            status = wait(gateway.child)
            seconds_to_end = time.monotonic() - ended
            wait(load)
        with open(load.log) as file:
            found = json.load(file)
        return {
            **found, "perSecond": per_second(found, begun, ended), "inForceMilliseconds": in_force, "echoes": echoes,
            "talkComplaints": talks.complaints, "announcedEarly": sum(at < ended for at in found["announced"]), "status": status,
            "secondsToEnd": seconds_to_end,
        }

    def load(self, running, gateway):
        log = os.path.join(self.directory, "steady.json")
        if os.path.exists(log):
            os.remove(log)
        seconds = WARM_UP_SECONDS + RELOADS * INTERVAL_SECONDS + 3 * PATIENCE_SECONDS
        load = Child("the load", [sys.executable, STEADY, str(gateway.port), str(self.options.connections), str(seconds)], {}, log)
        running.callback(load.stop)
        return load

    def reload(self, gateway):
        in_force = []
        next_one = time.monotonic()
        witness = Client(gateway.port)
        with contextlib.closing(witness.connection):
            for number in range(1, RELOADS + 1):
                in_force.append(gateway.change(number, witness))
                next_one += INTERVAL_SECONDS
                time.sleep(max(0, next_one - time.monotonic()))
        return in_force

    def judge(self, number, found):
        say(f"round {number} of {self.options.rounds}: {found['answered']:,} answers, {found['perSecond']:,.0f} /s, {len(found['lost'])} lost")
        checks = {
            f"{len(found['lost'])} requests were lost: {found['lost'][:3]}": not found["lost"],
            f"wrong answers: {found['wrong']}": not found["wrong"],
            f"{found['announcedEarly']} connections were ended before SIGTERM": not found["announcedEarly"],
            f"{len(found['announced'])} of {self.options.connections} connections had a last answer that said so":
                len(found["announced"]) == self.options.connections,
            f"{found['talkComplaints']}": not found["talkComplaints"],
            f"the gateway ended with status {found['status']}": found["status"] == 0,
        }
        self.faults += [f"round {number}: {sentence}" for sentence, holds in checks.items() if not holds]
        if found["perSecond"] < LEAST_PER_SECOND:
            self.missed.append(f"round {number}: {found['perSecond']:,.0f} requests /s, goal ≥ {LEAST_PER_SECOND:,}")


def per_second(found, begun, ended):
    """Of the buckets that lie between the first change and SIGTERM as a whole."""
    size = found["bucketSeconds"]
    first = int((begun - found["begun"]) / size) + 1
    last = int((ended - found["begun"]) / size)
    return sum(found["buckets"][first:last]) / ((last - first) * size)


def wait(child):
    try:
        return child.process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"{child.name} has not ended after {PATIENCE_SECONDS} s:\n{child.tail()}")
