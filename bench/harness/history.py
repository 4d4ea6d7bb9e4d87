"""A past for a shop: so many products and so many orders, written straight into its databases, with the schema that its services have made.

The shop must be stopped. What is written is what two years of trade leave behind: every order was paid, shipped and delivered long ago, and what the
retentions would have trimmed by now is not there. The reservations of the last month and the messages of the last three are. The same sizes give
the same past, but for its dates, which end a while before today. `souk audit --settled` finds it sound, and is asked each time.

The services' own rules are written here a second time. That the audit knows nothing of this file is what makes its word count.
"""

import hashlib
import os
import sqlite3
import time

DAY = 86_400_000
#: How long ago the first order was placed and the last one was delivered.
FIRST, LAST = 730 * DAY, 10 * DAY
#: As docs/retention.md has them.
RESERVATIONS, MESSAGES = 30 * DAY, 90 * DAY
#: What an order waits between being placed, paid, shipped and delivered.
PAID, SHIPPED, DELIVERED = 2_000, DAY, 3 * DAY
PIECES = 100_000
ORDERS_PER_CUSTOMER = 100
PRODUCTS_PER_SERIES = 20
SOURCES = {"users": "user-service", "products": "product-service", "orders": "order-service", "payments": "payment-service"}
CATEGORIES = ["Kitchen", "Garden", "Garage", "Office", "Nursery", "Bath", "Cellar", "Balcony"]


class History:
    """`orders` orders of `products` products, for the shop in `directory`."""

    def __init__(self, directory, orders, products):
        self.directory = directory
        self.orders = orders
        self.products = products
        self.now = int(time.time() * 1000)
        #: The first of the products, of the customers, and of the orders; whatever the shop had before is left alone.
        self.first_product = self.next_id("products", "products")
        self.first_customer = self.next_id("users", "users")
        self.first_order = self.next_id("orders", "orders")
        self.first_payment = self.next_id("payments", "payments")

    def write(self):
        self.write_customers()
        self.write_catalog()
        self.write_orders()
        self.write_payments()
        self.write_messages()
        self.forget_events()

    # MARK: What happened

    def customers(self):
        return max(1, self.orders // ORDERS_PER_CUSTOMER)

    def price(self, index):
        """Minor units."""
        return 500 + index * 37 % 20_000

    def name(self, index):
        return f"{CATEGORIES[index % len(CATEGORIES)]} thing {index} {series(index)}"

    def order(self, index):
        """(id, customer, moment of placing, lines of (index of a product, quantity)) of an order. One in three has two lines."""
        placed = self.now - FIRST + (FIRST - LAST - DELIVERED) * index // self.orders
        first = index * 7_919 % self.products
        lines = [(first, 1 + index % 3)]
        if index % 3 == 0 and self.products > 1:
            lines.append(((first + 1) % self.products, 1))
        return self.first_order + index, self.first_customer + index % self.customers(), placed, lines

    def total(self, lines):
        return sum(self.price(product) * quantity for product, quantity in lines)

    # MARK: Who knows what of it

    def write_customers(self):
        ids = range(self.first_customer, self.first_customer + self.customers())
        with self.open("users") as users:
            insert(users, "users (id, name, email, email_key, password, role, notify_email, notify_sms, search_text, created_at, updated_at)", (
                (id, f"Customer {id}", f"customer{id}@past.example", f"customer{id}@past.example", "none", "customer", 1, 0,
                 f"customer {id} customer{id}@past.example", self.now - FIRST, self.now - FIRST) for id in ids))
        with self.open("notifications") as notifications:
            insert(notifications, "contacts (user_id, name, email, wants_email, wants_sms)", (
                (id, f"Customer {id}", f"customer{id}@past.example", 1, 0) for id in ids))

    def write_catalog(self):
        sold = [0] * self.products
        with self.open("products") as products:
            first_movement = self.next_id("products", "stock_movements")
            insert(products, "stock_movements (id, product_id, kind, delta, balance, reason, order_id, at)", self.movements(first_movement, sold))
            # Movements name their product, which comes now: foreign keys are checked when the transaction ends.
            created = self.now - FIRST - DAY
            insert(products, """products (id, on_hand, price, currency, price_thousandths, created_at, updated_at, name, name_key, category,
                category_key, description)""", (
                (self.first_product + index, PIECES - sold[index], self.price(index), "USD", self.price(index) * 10, created, created,
                 self.name(index), self.name(index).casefold(), CATEGORIES[index % len(CATEGORIES)],
                 CATEGORIES[index % len(CATEGORIES)].casefold(), f"Model {model(index)}.") for index in range(self.products)))
            self.write_reservations(products)

    def movements(self, first, sold):
        """Rows of the shelf's ledger; counts in `sold` what has left it."""
        number = first
        for index in range(self.products):
            yield number, self.first_product + index, "received", PIECES, PIECES, "initial stock", None, self.now - FIRST - DAY
            number += 1
        for index in range(self.orders):
            id, _, placed, lines = self.order(index)
            for product, quantity in sorted(lines):
                sold[product] += quantity
                yield (number, self.first_product + product, "reservation-committed", -quantity, PIECES - sold[product], None, id,
                       placed + PAID)
                number += 1

    def write_reservations(self, products):
        recent = [index for index in self.last_orders(RESERVATIONS)]
        first = products.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM reservations").fetchone()[0]

        def reservations():
            for number, index in enumerate(recent, first):
                id, _, placed, _ = self.order(index)
                yield number, reservation(index), "committed", id, placed + 900_000, placed, placed + SHIPPED

        def lines():
            for number, index in enumerate(recent, first):
                for product, quantity in self.order(index)[3]:
                    yield number, self.first_product + product, quantity, self.price(product), "USD", self.name(product)

        insert(products, "reservations (number, id, state, order_id, expires_at, created_at, ended_at)", reservations())
        insert(products, "reservation_lines (reservation, product_id, quantity, unit_price, currency, name)", lines())
        products.execute("UPDATE reservation_retention SET trimmed_through = ?", (self.now - RESERVATIONS,))

    def last_orders(self, age):
        """The indexes of the orders that were shipped within `age`."""
        return (index for index in range(self.orders) if self.order(index)[2] + SHIPPED >= self.now - age)

    def write_orders(self):
        with self.open("orders") as orders:
            insert(orders, """orders (id, user_id, status, total, currency, payment_method, reservation_id, created_at, pay_by, payment_id,
                captured, timeline_length)""", (
                (id, customer, "delivered", self.total(lines), "USD", "tok_visa", reservation(index), placed, placed + 900_000,
                 self.first_payment + index, self.total(lines), 4)
                for index in range(self.orders) for id, customer, placed, lines in [self.order(index)]))
            insert(orders, "order_lines (order_id, position, product_id, name, unit_price, quantity)", (
                (id, position, self.first_product + product, self.name(product), self.price(product), quantity)
                for index in range(self.orders) for id, _, _, lines in [self.order(index)]
                for position, (product, quantity) in enumerate(lines)))
            insert(orders, "order_timeline (order_id, sequence, status, at, changes_status)", (
                (id, number, status, placed + after, 1)
                for index in range(self.orders) for id, _, placed, _ in [self.order(index)]
                for number, (status, after) in enumerate(
                    [("pending", 0), ("paid", PAID), ("shipped", SHIPPED), ("delivered", DELIVERED)], 1)))

    def write_payments(self):
        def captures():
            for index in range(self.orders):
                id, customer, placed, lines = self.order(index)
                yield self.first_payment + index, id, customer, self.total(lines), placed

        with self.open("payments") as payments:
            insert(payments, """payments (id, order_id, user_id, amount, currency, method, status, captured, attempts, provider_reference,
                created_at)""", (
                (payment, order, customer, amount, "USD", "tok_visa", "captured", amount, 1, f"sandbox_payment-{payment}", placed)
                for payment, order, customer, amount, placed in captures()))
            insert(payments, "sandbox_charges (key, amount, currency, calls, charged)", (
                (f"payment-{payment}", amount, "USD", 1, 1) for payment, _, _, amount, _ in captures()))
            insert(payments, "ledger_transfers (key, payment_id, debit_account, credit_account, amount, currency, created_at)", (
                (f"capture-{payment}", payment, "provider", "sales", amount, "USD", placed + PAID)
                for payment, _, _, amount, placed in captures()))

    def write_messages(self):
        kinds = [("order-placed", 0), ("order-paid", PAID), ("order-shipped", SHIPPED), ("order-delivered", DELIVERED)]
        with self.open("notifications") as notifications:
            insert(notifications, "notifications (cause, user_id, kind, model, channel, status, created_at)", (
                (digest(f"{kind} {index}")[:32], customer, kind, f'{{"orderId":"{id}"}}', "email", "kept", placed + after)
                for index in self.last_orders(MESSAGES) for id, customer, placed, _ in [self.order(index)] for kind, after in kinds))

    def forget_events(self):
        """All of this was announced, read by everybody, and trimmed since."""
        announced = {"users": self.customers(), "products": 0, "orders": 4 * self.orders, "payments": self.orders}
        latest = {}
        for service, count in announced.items():
            with self.open(service) as producer:
                before, = producer.execute("SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0)").fetchone()
                latest[SOURCES[service]] = before + count
                producer.execute("DELETE FROM outbox")
                producer.execute("DELETE FROM sqlite_sequence WHERE name = 'outbox'")
                producer.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', ?)", (before + count,))
                producer.execute("UPDATE outbox_retention SET trimmed_through = ?", (before + count,))
        for service in ["products", "orders", "payments", "notifications"]:
            with self.open(service) as consumer:
                for source, position in latest.items():
                    consumer.execute("UPDATE consumer_positions SET position = ? WHERE source = ?", (position, source))

    # MARK: Databases

    def open(self, service):
        return Writing(self.path(service))

    def path(self, service):
        return os.path.join(self.directory, f"{service}.sqlite")

    def next_id(self, service, table):
        connection = sqlite3.connect(self.path(service))
        try:
            return connection.execute(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}").fetchone()[0]
        finally:
            connection.close()


class Writing:
    """One database, in one transaction, which is folded into its file at the end."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.executescript("PRAGMA cache_size = -400000; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON")

    def __enter__(self):
        self.connection.executescript("BEGIN; PRAGMA defer_foreign_keys = ON")
        return self.connection

    def __exit__(self, kind, *_):
        try:
            self.connection.execute("ROLLBACK" if kind else "COMMIT")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.connection.close()


def insert(connection, into, rows):
    columns = into[into.index("(") + 1:].count(",") + 1
    connection.executemany(f"INSERT INTO {into} VALUES ({', '.join('?' * columns)})", rows)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def reservation(index):
    return digest(f"reservation {index}")


def model(index):
    """A word that only this product has."""
    return "m" + digest(f"model {index}")[:10]


def series(index):
    """A word that the products of a series have, as many in a large shop as in a small one."""
    return f"s{index // PRODUCTS_PER_SERIES:07d}"
