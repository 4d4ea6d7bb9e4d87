"""Does an order take longer in an old shop? Two shops, one with a thousand orders and products, one with a million, under the same load in turn."""

import json
import os
import subprocess

from . import report
from .benchmark import Benchmark
from .history import PRODUCTS_PER_SERIES, History
from .load import GROWTH_KINDS, KINDS, drive
from .measure import WARM_UP_SECONDS, say, summary
from .processes import Failure
from .souk import Souk

GOAL = 1.20


class OldSouk(Souk):
    """A Souk with a past."""

    def __init__(self, build, directory, orders, products):
        self.build = build
        self.orders = orders
        self.name = f"{orders:,} orders, {products:,} products"
        shop = Souk(build, directory)
        try:
            shop.wait_until_ready()
            shop.register()
            shop.login()
            shop.settle()
        finally:
            shop.stop()
        history = History(directory, orders, products)
        say(f"writing the past of a shop with {self.name} …")
        history.write()
        say(f"auditing it …")
        self.data_directory = directory
        self.audit()
        super().__init__(build, directory, shop.administrator_password)
        #: What a script is told of the shop.
        self.told = {
            "BENCH_FIRST_PRODUCT": str(history.first_product), "BENCH_PRODUCTS": str(products),
            "BENCH_SERIES": str(max(1, products // PRODUCTS_PER_SERIES)), "BENCH_FIRST_CUSTOMER": str(history.first_customer),
            "BENCH_CUSTOMERS": str(history.customers()),
        }

    def audit(self):
        """The books of a shop that is at rest, running or not."""
        found = subprocess.run(
            [os.path.join(os.path.abspath(self.build), "souk"), "audit", "--settled", "--json", "--data-dir", self.data_directory],
            capture_output=True, text=True)
        if found.returncode != 0:
            raise Failure(f"the books of the shop with {self.name} are not in order:\n{found.stdout[:4_000]}{found.stderr}")
        return json.loads(found.stdout)


class Growth(Benchmark):
    """The two shops."""

    def growth(self):
        shops = [self.start(size) for size in (self.options.small, self.options.large)]
        self.results["sizes"] = [shop.orders for shop in shops]
        for kind in GROWTH_KINDS:
            self.rounds_of(kind, shops)
        for shop in shops:
            say(f"auditing the shop with {shop.name} …")
            shop.audit()
        print("The books of both shops are in order, before and after.\n", flush=True)
        self.judge()

    def start(self, size):
        shop = OldSouk(self.options.souk, os.path.join(self.directory, f"with-{size}", "shop"), size, size)
        self.open.callback(shop.stop)
        shop.wait_until_ready()
        shop.login()
        return shop

    def rounds_of(self, kind, shops):
        for shop in shops:
            self.load(shop, kind, WARM_UP_SECONDS)
        rounds = []
        for number in range(1, self.options.rounds + 1):
            results = {}
            for shop in shops if number % 2 else shops[::-1]:
                results[shop.name] = found = self.load(shop, kind, self.options.seconds)
                say(f"{kind}, round {number} of {self.options.rounds}, {shop.name}: {summary(found)}")
            rounds.append({shop.name: results[shop.name] for shop in shops})
        self.results[kind] = rounds
        print(f"\n## {KINDS[kind][0]}\n\n{report.growth_table(rounds)}\n", flush=True)

    def load(self, shop, kind, seconds):
        shop.login()
        found = drive(shop, kind, seconds, self.options.connections)
        # What the orders leave to do is no part of the next load.
        shop.settle()
        for name, count in found["errors"].items():
            self.faults.append(f"{kind}, {shop.name}: {count} errors ({name})")
            say(f"FAULT: {self.faults[-1]}")
        return found

    def judge(self):
        ratio = report.growth_ratio(self.results["old-orders"])
        self.results["ratio"], self.results["goal"] = ratio, GOAL
        print(f"An order's p50 is {ratio:.2f} times that of the small shop; the goal is {GOAL:.2f} at most.")
        if ratio > GOAL:
            self.faults.append(f"the latency of an order grows: {ratio:.2f} > {GOAL:.2f}")
