"""Load on one system: by wrk, with a script of wrk/, or over HTTP/2 by h2load."""

import json
import os
import re
import shutil
import subprocess
import time

from .processes import Failure, processor_seconds

SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "wrk")
WRK_THREADS = 1

#: What can be driven: how a person calls it, its script, and what that is told beside what every script is.
KINDS = {
    "orders": ("Orders: POST /api/orders", "orders.lua", {}),
    "keyed-orders": ("Orders, each with an Idempotency-Key of its own", "orders.lua", {"BENCH_KEY": "bench"}),
    "reads": ("Reads: GET /api/products", "reads.lua", {"BENCH_PATH": "/api/products"}),
    "unique-reads": ("Reads, no two alike: GET /api/products?visit=N", "reads.lua", {"BENCH_PATH": "/api/products", "BENCH_UNIQUE": "1"}),
    "old-orders": ("Orders, of any product, each with an Idempotency-Key of its own", "growth.lua", {"BENCH_WHAT": "orders"}),
    "old-product": ("One product: GET /api/products/ID", "growth.lua", {"BENCH_WHAT": "product"}),
    "old-history": ("A customer's orders: GET /api/orders/user/ID, by an administrator", "growth.lua", {"BENCH_WHAT": "history"}),
    "old-search": ("A search that finds twenty products", "growth.lua", {"BENCH_WHAT": "search"}),
}
GROWTH_KINDS = ["old-orders", "old-product", "old-history", "old-search"]


def drive(system, kind, seconds, connections):
    """Drives a shop as `wrk` does."""
    _, script, told = KINDS[kind]
    told = {
        **told, **system.told,
        # Only an administrator may look at the orders of anybody.
        "BENCH_TOKEN": (system.administrator if kind == "old-history" else system.customer).token,
        "BENCH_RUN": f"bench-{time.time_ns():x}",
        "BENCH_BODY": json.dumps({"userId": system.customer_id, "productId": system.product_id, "quantity": 1}),
    }
    if "BENCH_KEY" in told:
        told["BENCH_KEY"] = f"bench-{time.time_ns():x}"
    return wrk(system, script, told, seconds, connections)


def wrk(system, script, told, seconds, connections):
    """Drives `system` and returns what wrk counted, per second and in milliseconds, and the processor time it took.

    wrk sends a connection's next request when the last is answered, so that latency and rate are of `connections` patient clients.
    Requests that are under way at the end are not counted, though the system may complete them.
    """
    command = shutil.which("wrk")
    if not command:
        raise Failure("wrk is missing; install it with: scripts/bootstrap --bench")
    command = [
        command, f"-t{WRK_THREADS}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", os.path.join(SCRIPTS, script),
        f"http://127.0.0.1:{system.port}"]
    pids = system.pids()
    before = processor_seconds(pids)
    try:
        ended = subprocess.run(
            command, env={**os.environ, **told, "BENCH_SCRIPTS": SCRIPTS}, capture_output=True, text=True, timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        raise Failure(f"wrk did not end: {' '.join(command)}")
    after = processor_seconds(pids)
    summary = [line for line in ended.stdout.splitlines() if line.startswith("SUMMARY ")]
    if ended.returncode != 0 or not summary:
        raise Failure(f"wrk failed: {ended.stdout}{ended.stderr}")
    found = measurement(json.loads(summary[0].removeprefix("SUMMARY ")), before, after)
    if gone := set(pids) - set(system.pids()):
        found["errors"]["processes ended"] = len(gone)
    return found


def h2load(system, path, seconds, connections, streams, log):
    """Drives `system` over HTTP/2 with TLS: `connections` clients, each with `streams` requests under way. What it returns is what `wrk` returns.

    `log`: the file that the time of each request is written to.
    """
    command = shutil.which("h2load")
    if not command:
        raise Failure("h2load is missing; install it with: scripts/bootstrap --bench")
    command = [
        command, "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}", f"--log-file={log}", f"https://127.0.0.1:{system.port}{path}"]
    # It would be added to.
    if os.path.exists(log):
        os.remove(log)
    pids = system.pids()
    before = processor_seconds(pids)
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        raise Failure(f"h2load did not end: {' '.join(command)}")
    after = processor_seconds(pids)
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", ended.stdout)
    data = re.search(r"\((\d+)\) data", ended.stdout)
    if ended.returncode != 0 or not done or not data or "Application protocol: h2" not in ended.stdout:
        raise Failure(f"h2load failed: {ended.stdout}{ended.stderr}")
    with open(log) as file:
        times = sorted(int(line.split("\t")[2]) for line in file)
    succeeded, failed, errored, late = map(int, done.groups())
    found = measurement({
        "status": failed - errored - late, "connect": 0, "read": errored, "write": 0, "timeout": late,
        "requests": succeeded, "durationMicroseconds": seconds * 1e6, "bytes": int(data.group(1)),
        **{name: times[min(int(len(times) * share), len(times) - 1)] if times else 0
           for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999), ("max", 1))},
    }, before, after)
    if gone := set(pids) - set(system.pids()):
        found["errors"]["processes ended"] = len(gone)
    return found


def measurement(counted, before, after):
    errors = {name: counted[name] for name in ("status", "connect", "read", "write", "timeout") if counted[name]}
    requests = max(counted["requests"], 1)
    return {
        "requests": counted["requests"],
        "perSecond": counted["requests"] / (counted["durationMicroseconds"] / 1e6),
        **{name: counted[name] / 1000 for name in ("p50", "p90", "p99", "p999", "max")},
        # Whole responses, headers too.
        "bytesPerResponse": counted["bytes"] / requests,
        # "status" counts answers of 400 and above. Not one of the requests here may end so.
        "errors": errors,
        "processorMillisecondsPerRequest": {name: (after[name] - before.get(name, 0)) * 1000 / requests for name in after},
    }
