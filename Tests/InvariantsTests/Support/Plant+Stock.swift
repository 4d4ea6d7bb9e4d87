import ChassisStorage
import Contracts

extension Plant {
    static let stock = [
        Plant("leases-end", "nobody ends a lease whose time is over") { shop in
            try await shop.change(
                .products, "INSERT INTO reservations (id, state, expires_at, created_at) VALUES ('forgotten', 'held', 1, 0)")
            return "reservation forgotten"
        },
        Plant("stock-balances", "a piece appears on the shelf") { shop in
            try await shop.change(.products, "UPDATE products SET on_hand = on_hand + 1 WHERE id = 1")
            return "product 1"
        },
        Plant("stock-balances", "a movement says the wrong balance") { shop in
            try await shop.change(.products, "UPDATE stock_movements SET balance = balance + 1 WHERE id = 1")
            return "product 1"
        },
        Plant("reserved-is-held", "a release was forgotten") { shop in
            try await shop.change(.products, "UPDATE products SET reserved = reserved + 1 WHERE id = 1")
            return "product 1"
        },
        Plant("no-oversell", "a reservation holds more than there is") { shop in
            try await shop.change(
                .products, "PRAGMA ignore_check_constraints = ON",
                "INSERT INTO reservations (number, id, state, expires_at, created_at) VALUES (900, 'too much', 'held', 2, 1)",
                """
                INSERT INTO reservation_lines (reservation, product_id, quantity, unit_price, currency, name)
                VALUES (900, 1, 1000, 1000, 'USD', 'Lamp')
                """, "UPDATE products SET reserved = reserved + 1000 WHERE id = 1")
            return "product 1"
        },
        Plant("sales-match-reservations", "what was sold to an order is booked as sold by hand") { shop in
            try await shop.change(
                .products, "UPDATE stock_movements SET kind = 'sale' WHERE kind = 'reservation-committed' AND order_id = \(Sample.paid)")
            return "order \(Sample.paid)"
        },
        Plant("sales-match-reservations", "pieces of a cancelled order never came back") { shop in
            try await shop.change(.products, "UPDATE stock_movements SET kind = 'received' WHERE kind = 'returned'")
            return "order \(Sample.cancelled)"
        },
        Plant("order-lines-match-reservations", "an order costs less than what was agreed") { shop in
            try await shop.change(
                .products,
                """
                UPDATE reservation_lines SET unit_price = unit_price + 1
                WHERE reservation = (SELECT number FROM reservations WHERE order_id = \(Sample.paid)) AND product_id = 1
                """)
            return "order \(Sample.paid)"
        },
        Plant("reservations-follow-their-orders", "a reservation is cancelled for no order") { shop in
            try await shop.change(.products, "UPDATE reservations SET state = 'cancelled' WHERE id = 'given-up'")
            return "reservation given-up"
        },
        Plant("shipped-is-sold", "an order left the shop though its pieces had gone to others") { shop in
            try await shop.change(
                .products, "UPDATE reservations SET state = 'lost' WHERE order_id = \(Sample.delivered)",
                "UPDATE stock_movements SET kind = 'sale', order_id = NULL WHERE order_id = \(Sample.delivered)",
                """
                INSERT INTO outbox (id, source, type, subject, time, data)
                VALUES ('lost', 'product-service', \(ReservationLost.eventType), \("\(Sample.delivered)"), 0, '{}')
                """)
            return "order \(Sample.delivered)"
        },
        Plant("stock-agrees-with-orders", "the stock never heard that an order is cancelled") { shop in
            try await shop.forget(.orders)
            try await shop.change(
                .products, "UPDATE reservations SET state = 'expired', order_id = NULL WHERE order_id = \(Sample.declined)")
            return "order \(Sample.declined)"
        },
    ]
}
