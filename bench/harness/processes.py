"""Processes: started, measured and ended, each by its own id. What is measured comes from Linux's /proc."""

import os
import random
import signal
import socket
import subprocess
import time

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """Something that a person must see; ends the benchmark."""


class Child:
    """A process that this script started. Its output goes to a file."""

    def __init__(self, name, command, environment, log, directory=None):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            # A session of its own: Ctrl-C reaches only this script, which ends its children in order.
            self.process = subprocess.Popen(
                command, env={**os.environ, **environment}, cwd=directory, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def check_alive(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} ended with status {self.process.returncode}:\n{self.tail()}")

    def tail(self, lines=20):
        with open(self.log, errors="replace") as text:
            return "".join(text.readlines()[-lines:])

    def stop(self, timeout=40):
        """SIGTERM to the process; SIGKILL to it and its descendants when it takes longer than `timeout` seconds."""
        descendants = tree(self.pid) if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            for pid in descendants:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(10)


def tree(root):
    """The ids of `root` and all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            status = fields_of_stat(int(entry))
            if status:
                children.setdefault(int(status[1]), []).append(int(entry))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def fields_of_stat(pid):
    """/proc/PID/stat from the state on (the name before it may hold spaces); None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def name_of(pid):
    """The file name of what a process runs; for an interpreter that of its script; of nginx the title that it gives itself."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        arguments = file.read().decode(errors="replace").rstrip("\0").split("\0")
    if arguments[0].startswith("nginx: "):
        return " ".join(arguments[0].split()[:2])
    name = os.path.basename(arguments[0])
    if name in ("node", "nodejs") and len(arguments) > 1:
        name = os.path.basename(arguments[1])
    return name


def memory(pids):
    """Kibibytes of each process: {name: {"pss": …, "rss": …}}; processes of one name together.

    The proportional set size counts a page that several processes map divided by their number, so that it can be summed; the
    resident set size counts it in each.
    """
    found = {}
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            lines = dict(line.split(":", 1) for line in file.read().splitlines()[1:])
        sizes = found.setdefault(name_of(pid), {"pss": 0, "rss": 0})
        for key in ("Pss", "Rss"):
            sizes[key.lower()] += int(lines[key].split()[0])
    return found


def processor_seconds(pids):
    """Seconds of processor time (user and system) that each process has used so far: {name: seconds}; processes of one name together."""
    used = {}
    for pid in pids:
        fields = fields_of_stat(pid)
        if fields:
            name = name_of(pid)
            used[name] = used.get(name, 0) + (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
    return used


def free_port_base(count):
    """A port such that it and the `count` - 1 after it are free on 127.0.0.1, below those the system gives to clients."""
    for _ in range(200):
        base = random.randrange(12_000, 32_000)
        if all(is_free(port) for port in range(base, base + count)):
            return base
    raise Failure(f"found no {count} free ports in a row")


def is_free(port):
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_until(condition, timeout, interval, complaint):
    """Asks `condition` every `interval` seconds until it is true; returns the seconds it took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > timeout:
            raise Failure(f"{complaint} within {timeout} s")
        time.sleep(interval)
    return time.monotonic() - start


def wait_until_steady(value, quiet, timeout, complaint):
    """Asks `value` until it has been the same for `quiet` seconds; returns it."""
    start = since = time.monotonic()
    last = value()
    while time.monotonic() - since < quiet:
        time.sleep(quiet / 10)
        if (now := value()) != last:
            last, since = now, time.monotonic()
        if time.monotonic() - start > timeout:
            raise Failure(f"{complaint} within {timeout} s")
    return last
