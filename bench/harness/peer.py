"""The Express peer: four Node processes on free ports."""

import json
import os
import shutil

from .client import Client, status_of
from .processes import Child, Failure, free_port_base, tree, wait_until

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers", "express")
DEBIAN_MODULES = "/usr/share/nodejs"
PROCESSES = ["users.js", "products.js", "orders.js", "gateway.js"]


def node_environment():
    """Debian's packages are found too."""
    modules = [path for path in (os.environ.get("NODE_PATH"), DEBIAN_MODULES) if path]
    return {"NODE_ENV": "production", "NODE_PATH": os.pathsep.join(modules)}


class ExpressPeer:
    """`catalog` is what it sells, as Souk's GET /api/products answered: both then send the same bytes."""

    product_id = 1
    told = {}

    def __init__(self, directory, catalog, keep_alive):
        self.name = "express keep-alive" if keep_alive else "express"
        node = shutil.which("node") or shutil.which("nodejs")
        if not node:
            raise Failure("node is missing; install it with: scripts/bootstrap --bench")
        self.port = free_port_base(len(PROCESSES))
        slug = self.name.replace(" ", "-")
        catalog_file = os.path.join(directory, f"{slug}.json")
        with open(catalog_file, "w") as file:
            json.dump(catalog, file)
        environment = {
            **node_environment(), "CATALOG": catalog_file, "KEEP_ALIVE": "1" if keep_alive else "0",
            **{f"{service}_SERVICE_URL": f"http://127.0.0.1:{self.port + offset}"
               for offset, service in enumerate(("USER", "PRODUCT", "ORDER"), start=1)},
        }
        self.children = []
        for script in PROCESSES:
            port = self.port + (PROCESSES.index(script) + 1) % len(PROCESSES)
            self.children.append(Child(
                f"{self.name} {script}", [node, os.path.join(FOLDER, script)], {**environment, "PORT": str(port)},
                os.path.join(directory, f"{slug}-{script}.log")))

    def wait_until_ready(self):
        wait_until(self.is_ready, 20, 0.05, f"{self.name}: not every process listened")

    def is_ready(self):
        for child in self.children:
            child.check_alive()
        return all(status_of(self.port + offset, "/health") == 200 for offset in range(len(PROCESSES)))

    def pids(self):
        return [pid for child in self.children for pid in tree(child.pid)]

    def liveness(self):
        """(path, port) of what says whether each process is alive."""
        return [("/health", self.port + offset) for offset in range(len(PROCESSES))]

    def register(self):
        self.customer_id = Client(self.port).call(
            "POST", "/api/users/register", {"name": "Bench", "email": "customer@bench.example", "password": "a long enough password"})["id"]
        # The peer has no tokens. It is sent one of the length of Souk's, and ignores it, so that both read the same bytes.
        self.customer = Client(self.port, token="x" * 400)

    def login(self):
        """The peer has no sessions."""

    def stock(self):
        return Client(self.port).get(f"/api/products/{self.product_id}")["stock"]

    def stop(self):
        for child in self.children:
            child.stop(timeout=10)
