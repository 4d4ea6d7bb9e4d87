"""What the figures were measured on."""

import os
import platform
import statistics
import subprocess
import time


def describe(directory, build):
    """The machine, the disk under `directory`, and the versions of what takes part."""
    return {
        "processors": len(os.sched_getaffinity(0)),
        "processor": first_value("/proc/cpuinfo", "model name"),
        "memoryMiB": int(first_value("/proc/meminfo", "MemTotal").split()[0]) // 1024,
        "system": platform.platform(),
        "fileSystem": file_system(directory),
        "fsyncMedianMicroseconds": round(fsync_microseconds(directory)),
        "node": output(["node", "--version"]),
        "souk": output([os.path.join(build, "souk"), "version"]),
        "build": os.path.basename(os.path.normpath(build)),
        "loadBefore": os.getloadavg()[0],
    }


def first_value(file, key):
    with open(file) as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return "unknown"


def file_system(directory):
    """The type of the file system that holds `directory`. On tmpfs nothing is durable."""
    return output(["stat", "--file-system", "--format=%T", directory])


def fsync_microseconds(directory, count=100):
    """The median time of appending 4 KiB and fsync: what one durable commit costs at least."""
    path = os.path.join(directory, "fsync-probe")
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            times.append((time.perf_counter() - start) * 1e6)
    os.remove(path)
    return statistics.median(times)


def output(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10).stdout.strip() or "unknown"
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
