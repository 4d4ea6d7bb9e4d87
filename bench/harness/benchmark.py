"""What every command of `bench/run` has: options, a directory, systems that must be ended, and what came out."""

import contextlib


class Benchmark:
    """Systems are started when first needed and ended with `close`; results collect in `results`, faults in `faults`, and in `missed` the goals
    that were not reached by a run without faults."""

    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.results = {}
        self.faults = []
        self.missed = []
        self.open = contextlib.ExitStack()

    def close(self):
        self.open.close()

    def driven(self):
        """How the load is made, for the report's head."""
        return f"{self.options.connections} connections, {self.options.seconds} s a load, {self.options.rounds} rounds"

    def peers(self, found):
        """What is measured beside Souk, for the report's head."""
        return ""
