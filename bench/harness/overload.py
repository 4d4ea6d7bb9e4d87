"""Ten times the load that a shop can serve: what is accepted, what is refused and how, how late, and how soon it is over.

The load is open: requests come at a rate of their own, whether or not earlier ones were answered, from many clients (h2load, HTTP/1.1).
Meanwhile one patient customer orders on, as a witness of what refusals say, and every service is asked whether it is alive.
"""

import http.client
import json
import shutil
import subprocess
import tempfile
import threading
import time

from .client import status_of
from .processes import Failure, memory

FACTOR = 10
#: Connections that the load comes over; each sends its next request when its time has come and its last one is answered.
CLIENTS = 1000
#: The shop has recovered when this many orders in a row were accepted, each within `CALM_MILLISECONDS`.
CALM_ORDERS = 10
CALM_MILLISECONDS = 100
RECOVERY_LIMIT_SECONDS = 60

ACCEPTED = 201
REFUSED = 503


def overload(system, per_second, seconds):
    """Offers `per_second` orders for `seconds` and returns what became of them, per status and in milliseconds."""
    witness = Witness(system)
    watch = Watch(system)
    pids = set(system.pids())
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        with witness, watch:
            begun = time.monotonic()
            attack(system, per_second, seconds, log.name)
            ended = time.monotonic()
        # Somewhat longer than it was meant to when answers, and with them their clients' next requests, come late.
        lasted = ended - begun
        answers = read(log.name)
    recovery, placed_since = time_to_recover(system, ended)
    accepted = sorted(milliseconds for status, milliseconds in answers if status == ACCEPTED)
    refused = sorted(milliseconds for status, milliseconds in answers if status == REFUSED)
    return {
        "offeredPerSecond": len(answers) / lasted,
        "acceptedPerSecond": len(accepted) / lasted,
        "accepted": len(accepted),
        "refused": len(refused),
        "other": count(status for status, _ in answers if status not in (ACCEPTED, REFUSED)),
        "acceptedMilliseconds": percentiles(accepted),
        "refusedMilliseconds": percentiles(refused),
        "witness": witness.summary(),
        # By the witness, and by who timed the recovery.
        "acceptedBesides": witness.statuses.count(ACCEPTED) + placed_since,
        "notAlive": watch.complaints,
        "processesEnded": len(pids - set(system.pids())),
        "peakMemoryMiB": watch.peak_memory / 1024,
        "secondsUntilRecovered": recovery,
    }


def attack(system, per_second, seconds, log):
    h2load = shutil.which("h2load")
    if not h2load:
        raise Failure("h2load is missing; install it with: scripts/bootstrap --bench")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        body.write(json.dumps(order(system)))
        body.flush()
        command = [
            h2load, "--h1", "-t1", f"-c{CLIENTS}", f"-n{int(per_second * seconds)}", f"--rps={per_second / CLIENTS:.3f}", f"--log-file={log}",
            f"--data={body.name}", "--header=Content-Type: application/json", f"--header=Authorization: Bearer {system.customer.token}",
            f"http://127.0.0.1:{system.port}/api/orders"]
        try:
            # A system that answers late is offered less, and its load would take for ever.
            ended = subprocess.run(command, capture_output=True, text=True, timeout=3 * seconds)
        except subprocess.TimeoutExpired:
            return
    if ended.returncode != 0:
        raise Failure(f"h2load failed: {ended.stdout[-500:]}{ended.stderr[-500:]}")


def read(log):
    """(status, milliseconds) of every request that was answered, or -1 of one that failed."""
    with open(log) as lines:
        rows = [line.split("\t") for line in lines]
    # The last may be cut off.
    return [(int(row[1]), int(row[2]) / 1000) for row in rows if len(row) >= 3 and row[2].strip().isdigit()]


def order(system):
    return {"userId": system.customer_id, "productId": system.product_id, "quantity": 1}


def place(system, connection):
    """One order on `connection`: its status, the answer's headers, and how many milliseconds it took."""
    start = time.monotonic()
    connection.request(
        "POST", "/api/orders", json.dumps(order(system)),
        {"Content-Type": "application/json", "Authorization": f"Bearer {system.customer.token}"})
    response = connection.getresponse()
    response.read()
    return response.status, response.headers, (time.monotonic() - start) * 1000


def time_to_recover(system, since):
    """Seconds from `since` until orders are accepted as in a quiet hour, and how many were accepted to find that out."""
    connection = Patient(system)
    calm = accepted = 0
    first_calm = since
    while calm < CALM_ORDERS:
        asked = time.monotonic()
        status, _, milliseconds = connection.place()
        accepted += status == ACCEPTED
        if status == ACCEPTED and milliseconds <= CALM_MILLISECONDS:
            first_calm = asked if calm == 0 else first_calm
            calm += 1
        else:
            calm = 0
        if time.monotonic() - since > RECOVERY_LIMIT_SECONDS:
            return None, accepted
    return first_calm - since, accepted


class Patient:
    """A customer with one connection, who takes a new one when an answer does not come."""

    def __init__(self, system):
        self.system = system
        self.connection = None

    def place(self):
        """One order; its status is None when no answer came."""
        try:
            self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.system.port, timeout=10)
            return place(self.system, self.connection)
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = None
            return None, {}, None


class Background:
    """Does `step` again and again in a thread while it is open."""

    interval = 0.05

    def __enter__(self):
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        if self.failure:
            raise self.failure

    def run(self):
        try:
            while not self.stopping.wait(self.interval):
                self.step()
        except Exception as failure:  # Raised again where it is waited for.
            self.failure = failure


class Witness(Background):
    """One customer who goes on ordering on one connection, and looks at the answers' headers."""

    def __init__(self, system):
        self.customer = Patient(system)
        self.statuses = []
        self.refusals_without_retry_after = 0

    def step(self):
        status, headers, _ = self.customer.place()
        self.statuses.append(status)
        if status == REFUSED and not headers.get("Retry-After"):
            self.refusals_without_retry_after += 1

    def summary(self):
        return {"statuses": count(self.statuses), "refusalsWithoutRetryAfter": self.refusals_without_retry_after}


class Watch(Background):
    """Asks every process whether it is alive, and notes how much memory all have together."""

    interval = 0.5

    def __init__(self, system):
        self.system = system
        self.complaints = []
        self.peak_memory = 0

    def step(self):
        for path, port in self.system.liveness():
            if (status := status_of(port, path)) != 200:
                self.complaints.append(f"port {port}: {path} was {status}")
        self.peak_memory = max(self.peak_memory, sum(each["pss"] for each in memory(self.system.pids()).values()))


def percentiles(sorted_values):
    if not sorted_values:
        return None
    at = lambda part: sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))]  # noqa: E731
    return {"p50": at(0.5), "p99": at(0.99), "max": sorted_values[-1]}


def count(values):
    found = {}
    for value in values:
        found[str(value)] = found.get(str(value), 0) + 1
    return found
