"""What one request costs a gateway, counted instead of timed: instructions above the kernel, allocations and system calls.

Each gateway is run twice under valgrind's callgrind, once for some requests and once for more, and twice under strace; the difference is what requests
cost, without start and end. No other load on the machine changes the counts, so that a gain or a loss of two percent shows, which no time does.
"""

import collections
import contextlib
import glob
import os
import re
import shutil
import subprocess

from . import report
from .benchmark import Benchmark
from .gateways import HAProxy, Nginx, SoukGateway, Upstream, executable
from .measure import say
from .processes import Failure

FEW, MANY = 1_000, 5_000
CONNECTIONS = 8
#: What hands out memory, by its name in the C library.
ALLOCATORS = {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "memalign"}
GATEWAYS = (SoukGateway, Nginx, HAProxy)


class Cost(Benchmark):
    def driven(self):
        return f"{FEW:,} and {MANY:,} requests over {CONNECTIONS} connections"

    def peers(self, found):
        return f", nginx {Nginx.version(self.options.souk)}, HAProxy {HAProxy.version(self.options.souk)}"

    def cost(self):
        upstream = Upstream(self.options.souk, self.directory)
        self.open.callback(upstream.stop)
        upstream.wait_until_ready()
        build = stripped(self.options.souk, self.directory)
        found = {}
        for kind in GATEWAYS:
            instructions, calls = difference(Callgrind(kind, build, self.directory, upstream))
            _, system = difference(Strace(kind, build, self.directory, upstream))
            found[kind.name] = {
                "instructions": instructions, "allocations": sum(calls[name] for name in ALLOCATORS if name in calls),
                "systemCalls": {name: count for name, count in sorted(system.items()) if count >= 0.01},
            }
            say(f"{kind.name}: {instructions:,.0f} instructions a request")
        self.results["cost"] = found
        print(f"\n## What a request costs: GET, 27 bytes\n\n{cost_table(found)}\n", flush=True)


def cost_table(found):
    names = sorted({name for each in found.values() for name in each["systemCalls"]})
    souk, *peers = found
    instructions = {name: each["instructions"] for name, each in found.items()}
    rows = [
        ["instructions above the kernel", *(f"{count:,.0f}" for count in instructions.values()),
         *(f"**{instructions[souk] / instructions[peer]:.2f}**" for peer in peers)],
        ["allocations", *(f"{each['allocations']:.1f}" for each in found.values()), *("" for _ in peers)],
        *([f"system call {name}", *(f"{each['systemCalls'].get(name, 0):.2f}" for each in found.values()), *("" for _ in peers)] for name in names),
    ]
    return report.table(["a request", *found, *(f"{souk} : {peer}" for peer in peers)], rows)


def stripped(build, directory):
    """A folder with Souk's executable without what is for debuggers, which valgrind of some systems cannot read."""
    folder = os.path.join(directory, "stripped")
    os.makedirs(folder)
    ended = subprocess.run(
        [executable("strip", "binutils"), "-g", "-o", os.path.join(folder, "souk"), os.path.join(os.path.abspath(build), "souk")],
        capture_output=True, text=True)
    if ended.returncode != 0:
        raise Failure(f"strip failed: {ended.stderr}")
    return folder


def difference(tool):
    """What one request costs: (total, {what: count})."""
    (few, few_calls), (many, many_calls) = tool.run(FEW), tool.run(MANY)
    requests = MANY - FEW
    return (many - few) / requests, {name: (many_calls[name] - few_calls[name]) / requests for name in many_calls}


class Tool:
    """Runs a gateway under something that counts."""

    def __init__(self, kind, build, directory, upstream):
        self.kind = kind
        self.build = build
        self.directory = directory
        self.upstream = upstream

    def run(self, requests):
        folder = os.path.join(self.directory, f"{self.name}-{requests}")
        os.makedirs(folder, exist_ok=True)
        shutil.rmtree(os.path.join(folder, self.kind.name), ignore_errors=True)
        with contextlib.ExitStack() as running:
            gateway = watched(self.kind, self.command)(self.build, folder, self.upstream)
            running.callback(gateway.stop)
            gateway.wait_until_ready(timeout=120)
            ask(gateway.port, requests)
        return self.read(gateway.directory)


class Callgrind(Tool):
    name = "callgrind"

    @staticmethod
    def command(directory):
        return [executable("valgrind"), "--tool=callgrind", f"--callgrind-out-file={directory}/counted.%p"]

    @staticmethod
    def read(directory):
        """Instructions in all processes, and how often each function was called."""
        total, calls = 0, collections.Counter()
        for path in glob.glob(os.path.join(directory, "counted.*")):
            names, callee = {}, None
            with open(path, errors="replace") as file:
                for line in file:
                    # A name stands once beside its number, later the number alone.
                    if found := re.match(r"c?fn=\((\d+)\)(?: (.*))?", line):
                        number, name = found.groups()
                        if name:
                            names[number] = name.split("'")[0]
                        if line.startswith("cfn="):
                            callee = names[number]
                    elif line.startswith("calls="):
                        calls[callee] += int(line[6:].split()[0])
                    elif line.startswith("totals:"):
                        total += int(line.split()[1])
        if not total:
            raise Failure(f"callgrind left no count in {directory}")
        return total, calls


class Strace(Tool):
    name = "strace"

    @staticmethod
    def command(directory):
        # -I2: with its output in a file it would not hear that it is to end.
        return [executable("strace"), "-I2", "--follow-forks", "--summary-only", f"--output={directory}/counted"]

    @staticmethod
    def read(directory):
        """System calls of all processes, in all and each by its name."""
        with open(os.path.join(directory, "counted")) as file:
            # % of the time, seconds, microseconds a call, calls, errors if any, name.
            rows = [line.split() for line in file if re.match(r"\s*\d", line)]
        calls = collections.Counter({row[-1]: int(row[3]) for row in rows if row[-1] != "total"})
        if not calls:
            raise Failure(f"strace left no count in {directory}")
        return sum(calls.values()), calls


def watched(kind, command):
    """The same gateway, under what counts."""

    class Watched(kind):
        def launch(self):
            launched, environment = super().launch()
            return [*command(self.directory), *launched], environment

    return Watched


def ask(port, requests):
    command = [
        executable("h2load", "nghttp2-client"), "--h1", "-t1", f"-c{CONNECTIONS}", f"-n{requests}", f"http://127.0.0.1:{port}/"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if ended.returncode != 0 or f"{requests} 2xx" not in ended.stdout:
        raise Failure(f"h2load: not {requests} good answers: {ended.stdout}{ended.stderr}")
