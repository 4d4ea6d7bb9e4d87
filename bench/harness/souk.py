"""A Souk of its own: `souk up` on free ports over a data directory of its own."""

import os
import secrets
import time

from .client import Client, status_of
from .processes import Child, Failure, free_port_base, tree, wait_until

SERVICES = 6
ADMINISTRATOR = "admin@bench.example"
CUSTOMER = "customer@bench.example"


class Souk:
    """The product that is ordered has the id `product_id`."""

    name = "souk"
    product_id = 1
    #: What wrk's scripts are told of this shop, beside what they are told of the load.
    told = {}

    def __init__(self, build, data_directory, administrator_password=None):
        self.data_directory = data_directory
        self.administrator_password = administrator_password or secrets.token_hex(12)
        self.port = free_port_base(SERVICES + 1)
        command = os.path.join(build, "souk")
        if not os.access(command, os.X_OK):
            raise Failure(f"{command} is missing; build it with: scripts/build release (or name its folder with --souk)")
        os.makedirs(data_directory, exist_ok=True)
        self.started = time.monotonic()
        self.child = Child(
            "souk up", [os.path.abspath(command), "up", "--port-base", str(self.port), "--data-dir", data_directory],
            {"SOUK_ADMIN_EMAIL": ADMINISTRATOR, "SOUK_ADMIN_PASSWORD": self.administrator_password, "RATE_LIMITS": "off"},
            os.path.join(os.path.dirname(data_directory), "souk-up.log"))

    def wait_until_ready(self, timeout=90):
        """Returns when every service's /ready has answered 200 and the gateway has given out the catalog.

        Returns: seconds from the start of `souk up` to the last /ready, and to the first catalog.
        """
        waiting = list(range(SERVICES))
        while waiting:
            waiting = [offset for offset in waiting if status_of(self.port + offset, "/ready") != 200]
            self.pause(timeout, lambda: f"not ready: {[self.port + offset for offset in waiting]}")
        ready = time.monotonic() - self.started
        while status_of(self.port, "/api/products") != 200:
            self.pause(timeout, lambda: "the gateway does not give out the catalog")
        return ready, time.monotonic() - self.started

    def pause(self, timeout, complaint):
        self.child.check_alive()
        if time.monotonic() - self.started > timeout:
            raise Failure(f"after {timeout} s: {complaint()}\n{self.child.tail()}")
        time.sleep(0.005)

    def pids(self):
        return tree(self.child.pid)

    def liveness(self):
        """(path, port) of what says whether each process is alive."""
        return [("/live", self.port + offset) for offset in range(1, SERVICES)] + [("/health", self.port)]

    def register(self):
        """Makes the customer whose orders are placed."""
        Client(self.port).call(
            "POST", "/api/users/register", {"name": "Bench", "email": CUSTOMER, "password": "a long enough password"})

    def login(self):
        """Logs both in anew: access tokens live for 15 minutes."""
        self.customer_id, self.customer = self.session(CUSTOMER, "a long enough password")
        _, self.administrator = self.session(ADMINISTRATOR, self.administrator_password)

    def session(self, email, password):
        client = Client(self.port)
        answer = client.call("POST", "/api/users/login", {"email": email, "password": password})
        client.token = answer["accessToken"]
        return answer["userId"], client

    def catalog(self):
        return Client(self.port).get("/api/products")

    def stock(self):
        return Client(self.port).get(f"/api/products/{self.product_id}")["stock"]

    def stock_up(self, pieces):
        """Sees to it that at least `pieces` can be bought, at most a million more at a time, which is what one delivery may hold."""
        while (missing := pieces - self.stock()) > 0:
            self.administrator.call(
                "POST", f"/api/products/{self.product_id}/restock", {"quantity": min(missing, 1_000_000), "reason": "benchmark"})

    def settle(self, timeout=180):
        """Returns once all events are consumed and no job waits."""
        wait_until(self.is_at_rest, timeout, 0.05, "the shop did not come to rest")

    def is_at_rest(self):
        reports = [
            Client(self.port + offset, self.administrator.token).get("/internal/status") for offset in range(1, SERVICES)]
        latest = {report["service"]: report["outboxLatest"] for report in reports}
        return all(
            report["jobsWaiting"] == 0 and all(each["position"] == latest[each["source"]] for each in report["consumers"])
            for report in reports)

    def stop(self):
        self.child.stop()
