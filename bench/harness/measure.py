"""The measurements: what is started, in which order it is driven, what is kept."""

import os
import shutil
import sys

from . import report
from .benchmark import Benchmark
from .books import Books
from .load import KINDS, drive
from .overload import CLIENTS, FACTOR, overload
from .peer import ExpressPeer
from .processes import Failure, memory, wait_until_steady
from .souk import Souk

WARM_UP_SECONDS = 2
#: More than any system here accepts in a second: the stock must never be what stops an order.
ORDERS_PER_SECOND_AT_MOST = 15_000


class Measurements(Benchmark):
    """One Souk and its peers."""

    def __init__(self, options, directory):
        super().__init__(options, directory)
        self.systems = []

    def peers(self, found):
        return f", Express on Node {found['node']}"

    # MARK: Systems

    def start_systems(self):
        """Souk, then the peers with Souk's catalog, all with a customer."""
        if self.systems:
            return
        seconds = (self.options.seconds + WARM_UP_SECONDS) * (self.options.rounds + 1)
        souk = Souk(self.options.souk, os.path.join(self.directory, "shop"))
        self.open.callback(souk.stop)
        souk.wait_until_ready()
        souk.register()
        souk.login()
        souk.stock_up(min(1_000_000, seconds * ORDERS_PER_SECOND_AT_MOST))
        catalog = souk.catalog()
        self.systems = [souk]
        for keep_alive in (False, True):
            peer = ExpressPeer(self.directory, catalog, keep_alive)
            self.open.callback(peer.stop)
            peer.wait_until_ready()
            peer.register()
            self.systems.append(peer)
        self.compare_catalogs()

    def compare_catalogs(self):
        """The reads are only comparable when everybody sends the same list."""
        sizes = {}
        for system in self.systems:
            status, _, body = system.customer.exchange("GET", "/api/products")
            if status != 200:
                raise Failure(f"{system.name}: GET /api/products: {status}")
            sizes[system.name] = len(body)
        self.results["catalogBytes"] = sizes
        if max(sizes.values()) > 1.02 * min(sizes.values()):
            self.faults.append(f"the catalogs differ in size: {sizes}")

    # MARK: Loads

    def orders(self):
        self.rounds_of("orders")
        self.rounds_of("keyed-orders")

    def reads(self):
        self.rounds_of("reads")
        self.rounds_of("unique-reads")

    def rounds_of(self, kind):
        """Every round drives each system once; every other round the other way round, so that a drift of the machine evens out."""
        self.start_systems()
        for system in self.systems:
            self.load(system, kind, WARM_UP_SECONDS)
        rounds = []
        for number in range(1, self.options.rounds + 1):
            order = self.systems if number % 2 else self.systems[::-1]
            results = {}
            for system in order:
                results[system.name] = found = self.load(system, kind, self.options.seconds)
                say(f"{kind}, round {number} of {self.options.rounds}, {system.name}: {summary(found)}")
            rounds.append({system.name: results[system.name] for system in self.systems})
        self.results[kind] = rounds
        print(f"\n## {KINDS[kind][0]}\n\n{report.load_table(rounds)}\n\n{report.processor_table(rounds)}\n", flush=True)
        if kind.endswith("orders"):
            self.print_drains(rounds)

    def load(self, system, kind, seconds):
        """One load; after orders also waits until all is paid and checks that everything adds up."""
        system.login()
        if not kind.endswith("orders"):
            found = drive(system, kind, seconds, self.options.connections)
        elif isinstance(system, Souk):
            system.stock_up(min(1_000_000, seconds * ORDERS_PER_SECOND_AT_MOST))
            books = Books(system)
            found = drive(system, kind, seconds, self.options.connections)
            found["books"] = books.close(found, self.options.connections)
        else:
            found = self.peer_orders(system, kind, seconds)
        self.complain(system, kind, found)
        return found

    def peer_orders(self, peer, kind, seconds):
        # What an overload before left under way is not this load's.
        before = wait_until_steady(peer.stock, 0.5, 30, f"{peer.name}: orders still came in before the load")
        found = drive(peer, kind, seconds, self.options.connections)
        # wrk left with requests under way, which the peer completes.
        sold = before - wait_until_steady(peer.stock, 0.3, 30, f"{peer.name}: orders still came in after the load")
        answered = found["requests"] - found["errors"].get("status", 0)
        balanced = answered <= sold <= answered + self.options.connections
        found["books"] = {"orders": sold, "complaints": [] if balanced else [f"wrk saw {answered} accepted, the stock fell by {sold}"]}
        return found

    def complain(self, system, kind, found):
        """Every request must succeed and every book balance, in warm-ups too; else the whole run says that it did not."""
        faults = [f"{count} errors ({name})" for name, count in found["errors"].items()] + found.get("books", {}).get("complaints", [])
        for fault in faults:
            self.faults.append(f"{kind}, {system.name}: {fault}")
            say(f"FAULT: {self.faults[-1]}")

    def print_drains(self, rounds):
        books = [results["souk"]["books"] for results in rounds]
        if not any(each["complaints"] for each in books):
            print("Every order was paid; orders, stock, payments and ledger add up after each round.")
        for name, meaning in (("secondsUntilPaid", "every order was paid"), ("secondsUntilSettled", "every order's pieces had left the stock")):
            print(f"After the load ended it took {report.median(each[name] for each in books):.2f} s (median) until {meaning}.")
        print(flush=True)

    # MARK: Overload

    #: What must hold of Souk under ten times the load it can serve.
    MOST_MILLISECONDS = 500
    MOST_SECONDS_TO_RECOVER = 5

    def overload(self):
        """Each round: what a system can serve, then ten times as much. The plain peer is left out, the other shows what no limit leads to."""
        self.start_systems()
        souk, plain, peer = self.systems
        plain.stop()
        self.systems = [souk, peer]
        rounds = []
        for number in range(1, self.options.rounds + 1):
            results = {}
            for system in self.systems if number % 2 else self.systems[::-1]:
                results[system.name] = self.overload_one(system, number)
            rounds.append({system.name: results[system.name] for system in self.systems})
        self.results["overload"] = rounds
        print(f"\n## {FACTOR} times the load: POST /api/orders\n\n{report.overload_table(rounds)}\n", flush=True)

    def overload_one(self, system, number):
        served = self.load(system, "orders", self.options.seconds)
        rate = FACTOR * served["perSecond"]
        if isinstance(system, Souk):
            system.login()
            system.stock_up(1_000_000)
            books = Books(system)
            found = overload(system, rate, self.options.seconds)
            # The load left with requests under way, at most one of each client.
            found["books"] = books.close({"requests": found["accepted"] + found["acceptedBesides"], "errors": {}}, CLIENTS)
            self.judge(found)
        else:
            found = overload(system, rate, self.options.seconds)
        found["served"] = served
        say(
            f"overload, round {number} of {self.options.rounds}, {system.name}: offered {found['offeredPerSecond']:,.0f} /s, accepted "
            f"{found['acceptedPerSecond']:,.0f} /s, p99 {(found['acceptedMilliseconds'] or {}).get('p99', 0):,.0f} ms")
        return found

    def judge(self, found):
        accepted = found["acceptedMilliseconds"] or {"p99": float("inf")}
        checks = {
            f"answers other than 201 and 503: {found['other']}": not found["other"],
            f"refusals without Retry-After: {found['witness']['refusalsWithoutRetryAfter']}": not found["witness"]["refusalsWithoutRetryAfter"],
            f"not alive under load: {found['notAlive'][:3]}": not found["notAlive"],
            f"processes ended: {found['processesEnded']}": not found["processesEnded"],
            f"p99 of accepted orders was {accepted['p99']:.0f} ms": accepted["p99"] <= self.MOST_MILLISECONDS,
            f"answers that the witness never got: {found['witness']['statuses'].get('None', 0)}": "None" not in found["witness"]["statuses"],
            f"recovered after {found['secondsUntilRecovered']} s":
                found["secondsUntilRecovered"] is not None and found["secondsUntilRecovered"] <= self.MOST_SECONDS_TO_RECOVER,
        }
        self.faults += [f"overload: {sentence}" for sentence, holds in checks.items() if not holds]
        self.faults += [f"overload: {complaint}" for complaint in found["books"]["complaints"]]

    # MARK: Memory

    def memory(self):
        """After the loads of this run, or one of orders and one of reads. The last measurement that needs the peers."""
        self.start_systems()
        if "orders" not in self.results:
            for system in self.systems:
                for kind in ("orders", "reads"):
                    say(f"{kind}, {system.name}: {summary(self.load(system, kind, self.options.seconds))}")
        # Of the peers only the faster stays: eight Node processes would share between them what four have for themselves.
        souk, plain, peer = self.systems
        plain.stop()
        found = {system.name: memory(system.pids()) for system in (souk, peer)}
        self.results["memory"] = found
        print(f"\n## Memory after the load\n\n{report.memory_table(found)}\n", flush=True)

    # MARK: Start

    def start(self):
        """From the start of `souk up` until all is ready, over an empty directory, the same one again, and one full of orders."""
        found = {"an empty data directory": [], "an existing one": []}
        for number in range(1, self.options.rounds + 1):
            data = os.path.join(self.directory, f"start-{number}", "shop")
            for kind, times in found.items():
                times.append(self.time_start(data))
                say(f"start over {kind}, round {number} of {self.options.rounds}: {times[-1]['ready']:.2f} s")
            shutil.rmtree(os.path.dirname(data))
        if self.systems:
            loaded = self.systems[0]
            kind = f"one with {loaded.customer.get(f'/api/orders/user/{loaded.customer_id}?limit=1')[0]['id']:,} orders"
            loaded.stop()
            found[kind] = [self.time_start(loaded.data_directory) for _ in range(self.options.rounds)]
        self.results["start"] = found
        print(f"\n## Start\n\n{report.start_table(found)}\n", flush=True)

    def time_start(self, data_directory):
        souk = Souk(self.options.souk, data_directory)
        try:
            ready, catalog = souk.wait_until_ready()
        finally:
            souk.stop()
        return {"ready": ready, "catalog": catalog}


def say(text):
    """Progress, beside the report."""
    print(text, file=sys.stderr, flush=True)


def summary(found):
    return f"{found['perSecond']:,.0f} /s, p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms"
