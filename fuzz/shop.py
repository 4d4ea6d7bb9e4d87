"""A shop of its own for one run: started by `souk up` on free ports, with people, products and orders in it, and stopped at the end."""

import json
import os
import pathlib
import re
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

SERVICES = ["api-gateway", "user-service", "product-service", "order-service", "payment-service", "notification-service"]
PASSWORD = "correct horse"
#: What the sandbox provider signs its notices with.
WEBHOOK_SECRET = "a secret that only the fuzzed shop's provider knows"


class Client:
    """Speaks JSON to one address."""

    def __init__(self, base):
        self.base = base

    def call(self, method, path, body=None, token=None, headers=None):
        """Returns the status, the JSON that was answered (None without a body) and the headers. Never raises for a status."""
        fields = {"Content-Type": "application/json", **(headers or {})}
        if token:
            fields["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=fields)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                text, status, answered = reply.read(), reply.status, reply.headers
        except urllib.error.HTTPError as refusal:
            with refusal:
                text, status, answered = refusal.read(), refusal.code, refusal.headers
        is_json = "json" in (answered.get("Content-Type") or "")
        return status, json.loads(text) if text and is_json else None, answered

    def ask(self, method, path, body=None, token=None, headers=None):
        """The answer to a call that must succeed."""
        status, answer, _ = self.call(method, path, body, token, headers)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer


class Shop:
    def __init__(self, souk):
        self.directory = tempfile.TemporaryDirectory(prefix="souk-fuzz-")
        self.base = free_ports()
        self.log = pathlib.Path(self.directory.name) / "souk.log"
        environment = {
            **os.environ, "SOUK_ADMIN_EMAIL": "admin@souk.local", "SOUK_ADMIN_PASSWORD": PASSWORD, "RATE_LIMITS": "off",
            # The least that the service takes: most of what is sent here is a password.
            "PASSWORD_COST": "14", "SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [souk, "up", "--exit-with-parent", "--port-base", str(self.base), "--data-dir", self.directory.name],
                stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment)

    def address(self, service):
        return f"http://127.0.0.1:{self.base + SERVICES.index(service)}"

    def wait_until_open(self, seconds=90):
        end = time.monotonic() + seconds
        while "Souk is open" not in self.log.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the shop did not open:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.1)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()


def free_ports():
    """A base from which the ports of a shop are free."""
    for _ in range(100):
        base = 15_000 + secrets.randbelow(16_000)
        if all(is_free(base + offset) for offset in range(len(SERVICES))):
            return base
    raise RuntimeError("no free ports")


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def eventually(what, probe, seconds=60):
    """What `probe` returns once it is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    raise RuntimeError(f"not in time: {what}")


def register(client, name):
    email = f"{name}@example.com"
    client.ask("POST", "/api/users/register", {"name": "Ada", "email": email, "password": PASSWORD})
    return email


def log_in(client, email):
    return client.ask("POST", "/api/users/login", {"email": email, "password": PASSWORD})


def seed(shop):
    """Makes true what the examples of the documents speak of, and returns what the hooks need to know.

    Order 1 is cancelled, so that whoever follows it comes to its end; orders 2 and 3 are shipped; all have payments.
    """
    client = Client(shop.address("api-gateway"))
    administrator = log_in(client, "admin@souk.local")["accessToken"]
    ada = log_in(client, register(client, "ada"))["accessToken"]
    product = client.ask("POST", "/api/products", {"name": "Lamp", "price": 10, "stock": 1_000_000}, administrator)["id"]
    for example in (1, 2):
        client.ask("POST", f"/api/products/{example}/restock", {"quantity": 1_000_000, "reason": "to be fuzzed"}, administrator)
    for number in (1, 2, 3):
        order = client.ask("POST", "/api/orders", {"productId": product, "quantity": 2}, ada)["id"]
        assert order == number, order
        paid = lambda: client.ask("GET", f"/api/orders/{order}", token=ada)["status"] == "paid"
        eventually(f"order {order} is paid", paid)
    client.ask("POST", "/api/orders/1/cancel", token=ada)
    for order in (2, 3):
        client.ask("POST", f"/api/orders/{order}/ship", token=administrator)
    return {
        "addresses": {name: shop.address(name) for name in SERVICES}, "product": product,
        "reset": {through: reset_token(client, f"forgetful-{through}") for through in ("service", "gateway")},
    }


def reset_token(client, name):
    """A token for a new password, from the development inbox of somebody who asked for it."""
    email = register(client, name)
    token = log_in(client, email)["accessToken"]
    client.ask("POST", "/api/users/password-reset", {"email": email})

    def message():
        inbox = client.ask("GET", "/api/notifications", token=token)
        return next((entry["text"] for entry in inbox if entry["kind"] == "reset-password"), None)

    return re.search(r"[A-Za-z0-9_-]{43}", eventually("a message with a token", message)).group()
