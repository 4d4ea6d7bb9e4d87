"""Do the books balance? What a load of orders must have done to a Souk, seen through its public API alone.

Before the load `Books` notes the newest order, the stock and the ledger. After it, `close` waits until no order is pending, then
reads every new order, and holds against each other:

- what wrk saw accepted, and the orders there are: never fewer, and more by at most the requests that were under way when wrk left;
- pieces in orders, and pieces gone from stock: equal;
- pieces on the shelf by the newest stock movement, and pieces that can be bought: equal, so nothing is still reserved;
- the totals of orders, and what the ledger's provider account grew by: equal, and the ledger sums to zero;
- for a sample of orders, exactly one payment, captured in full.
"""

import time

from .processes import Failure, wait_until, wait_until_steady

DRAIN_LIMIT_SECONDS = 180
SAMPLED_PAYMENTS = 20


class Books:
    def __init__(self, souk):
        self.souk = souk
        newest = souk.customer.get(f"/api/orders/user/{souk.customer_id}?limit=1")
        self.last_order = newest[0]["id"] if newest else 0
        self.stock = souk.stock()
        self.captured, _ = self.ledger()

    def ledger(self):
        """Minor units that the provider account holds, and the sum over all accounts."""
        ledger = self.souk.administrator.get("/api/payments/ledger")
        held = sum(minor(account["balance"]) for account in ledger["accounts"] if account["account"] == "provider")
        return held, sum(minor(entry["sum"]) for entry in ledger["sums"])

    def wait_for_payments(self):
        """Seconds until every order is paid, and until every paid order's pieces have left the shelf, both from now."""
        customer, administrator = self.souk.customer, self.souk.administrator
        start = time.monotonic()
        wait_until(
            lambda: not customer.get("/api/orders?status=pending&limit=1"), DRAIN_LIMIT_SECONDS, 0.02, "not every order was paid")
        paid = time.monotonic() - start

        def nothing_is_reserved():
            newest = administrator.get(f"/api/products/{self.souk.product_id}/stock-movements?limit=1")
            return newest and newest[0]["balance"] == self.souk.stock()

        wait_until(nothing_is_reserved, DRAIN_LIMIT_SECONDS, 0.02, "pieces are still reserved")
        return paid, time.monotonic() - start

    def close(self, load, connections):
        """Waits, checks, and returns what was found; `complaints` is empty when all adds up."""
        paid, settled = self.wait_for_payments()
        # wrk left with requests under way, which may have become orders only now.
        wait_until_steady(self.souk.stock, 0.3, 30, "orders still came in after the load")
        self.wait_for_payments()
        orders = self.new_orders()
        pieces = sum(order["quantity"] for order in orders)
        total = sum(minor(order["totalPrice"]) for order in orders)
        sold = self.stock - self.souk.stock()
        captured, ledger_sum = self.ledger()
        answered = load["requests"] - load["errors"].get("status", 0)
        checks = {
            f"wrk saw {answered} accepted, there are {len(orders)} orders": answered <= len(orders) <= answered + connections,
            f"every order is paid: {statuses(orders)}": all(order["status"] == "paid" for order in orders),
            f"{pieces} pieces were ordered, {sold} left the stock": pieces == sold,
            f"orders are worth {total}, the ledger holds {captured - self.captured} more": total == captured - self.captured,
            f"the ledger sums to {ledger_sum}": ledger_sum == 0,
            **self.payments(orders),
        }
        return {
            "orders": len(orders), "secondsUntilPaid": paid, "secondsUntilSettled": settled,
            "complaints": [sentence for sentence, holds in checks.items() if not holds],
        }

    def new_orders(self):
        orders = []
        for order in self.souk.customer.pages(f"/api/orders/user/{self.souk.customer_id}?limit=200"):
            if order["id"] <= self.last_order:
                break
            orders.append(order)
        if len({order["id"] for order in orders}) != len(orders):
            raise Failure("the history lists an order twice")
        return orders

    def payments(self, orders):
        """The sentence about each sampled order whose payment is not as it should be, with False."""
        found = {}
        for order in orders[:: max(1, len(orders) // SAMPLED_PAYMENTS)]:
            payments = self.souk.customer.get(f"/api/payments?orderId={order['id']}")
            captured = [minor(payment["captured"]) for payment in payments]
            if captured != [minor(order["totalPrice"])]:
                found[f"order {order['id']} is worth {order['totalPrice']}, captured was {captured}"] = False
        return found


def minor(amount):
    """Cents of an amount in dollars."""
    return round(amount * 100)


def statuses(orders):
    found = {}
    for order in orders:
        found[order["status"]] = found.get(order["status"], 0) + 1
    return found
