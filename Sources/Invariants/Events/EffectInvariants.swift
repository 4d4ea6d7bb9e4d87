import ChassisStorage
import Commerce
import Contracts
import Foundation

// Each event takes effect exactly once. The consumer's position and the effects are read in one snapshot, then the producer's outbox up to
// that position: what is in it and not parked must have had its effect.

extension Invariant {
    /// The effects of a producer's events, as one snapshot of the consumer has them.
    private struct Effects<Effect: Sendable>: Sendable {
        let passage: Passage
        let bySubject: [Int64: Effect]

        /// - Parameter query: gives `id`, the subject of the events, and what `map` reads.
        static func read(
            _ wire: Wire, in books: Books, _ query: SQL, _ map: @escaping @Sendable (Row) throws -> Effect
        ) async throws -> Effects {
            try await books.read(wire.consumer) { transaction in
                let passage = try Passage(of: wire.producer, in: transaction)
                var bySubject: [Int64: Effect] = [:]
                try transaction.each(query) { bySubject[try $0["id"]] = try map($0) }
                return Effects(passage: passage, bySubject: bySubject)
            }
        }

        /// Holds every passed event of these types against the effects of its subject.
        func compare(
            _ wire: Wire, in books: Books, _ types: [String], _ mistake: @escaping @Sendable (Passage.Event, Effect?) throws -> String?
        ) async throws -> Finding {
            try await books.read(wire.producer) { transaction in
                var finding = Finding()
                try passage.each(types, in: transaction) { event in
                    finding.examined += 1
                    guard let problem = try mistake(event, bySubject[event.subject]) else { return }
                    finding.violation(event.name(of: wire.producer), "\(event.type) of \(event.subject) \(problem)")
                }
                return finding
            }
        }
    }

    // MARK: Payments

    static let paymentsFollowOrders = Invariant(
        "payments-follow-orders", .events, .always, reading: [.payments, .orders],
        "Each order that payment-service has heard of has a payment, and each that it heard is cancelled is marked so."
    ) { books in
        let wire = Wire(consumer: .payments, producer: .orders)
        let effects = try await Effects.read(wire, in: books, "SELECT order_id AS id, order_cancelled FROM payments") { row in
            try row["order_cancelled"] as Bool
        }
        return try await effects.compare(wire, in: books, [OrderPlaced.eventType, OrderCancelled.eventType]) { event, isCancelled in
            guard let isCancelled else { return "was passed, but there is no payment" }
            return event.type == OrderCancelled.eventType && !isCancelled ? "was passed, but the payment does not know of it" : nil
        }
    }

    // MARK: Stock

    static let stockFollowsOrders = Invariant(
        "stock-follows-orders", .events, .always, reading: [.products, .orders],
        "The pieces of each order that product-service heard is paid are sold or lost, and of each that it heard is off they are free."
    ) { books in
        let wire = Wire(consumer: .products, producer: .orders)
        let effects = try await Effects.read(
            wire, in: books, "SELECT order_id AS id, state FROM reservations WHERE order_id IS NOT NULL"
        ) { row in try row["state"] as String }
        // Of an event from before the trimming nobody can say any more what it did to a reservation that is gone.
        let trimmed = try await books.read(.products) { try TrimmedReservations(in: $0) }
        var finding = try await effects.compare(wire, in: books, [OrderPaid.eventType, OrderCancelled.eventType]) { event, state in
            let right: Set<String> =
                event.type == OrderPaid.eventType ? ["committed", "returned", "lost", "cancelled"] : ["returned", "cancelled", "lost"]
            guard !right.contains(state ?? "held"), state != nil || event.time > trimmed.horizon else { return nil }
            return "was passed, but the reservation is \(state ?? "not moved")"
        }
        try await refundsBeforeShipment(wire, in: books, effects, trimmed, &finding)
        return finding
    }

    /// Of an order that was refunded before it was shipped the pieces are free too. The event itself says which it was.
    private static func refundsBeforeShipment(
        _ wire: Wire, in books: Books, _ effects: Effects<String>, _ trimmed: TrimmedReservations, _ finding: inout Finding
    ) async throws {
        let refunds = try await effects.compare(wire, in: books, [OrderRefunded.eventType]) { event, state in
            let refund = try JSONDecoder().decode(OrderRefunded.self, from: Data(event.data.utf8))
            guard refund.previousStatus == .paid, !["returned", "cancelled", "lost"].contains(state ?? "held"),
                state != nil || event.time > trimmed.horizon
            else { return nil }
            return "was passed, but the reservation is \(state ?? "not moved")"
        }
        finding.add(refunds)
    }

    // MARK: Orders

    static let ordersFollowPayments = Invariant(
        "orders-follow-payments", .events, .always, reading: [.orders, .payments],
        "Each capture, refusal, refund, chargeback and reversal that order-service has heard of stands in its order."
    ) { books in
        let wire = Wire(consumer: .orders, producer: .payments)
        let effects = try await Effects.read(
            wire, in: books,
            """
            SELECT id, captured, refunded, charged_back, chargeback_reversed, CASE WHEN payment_failure IS NULL THEN 0 ELSE 1 END AS failed
            FROM orders
            """
        ) { row in
            (
                captured: try row["captured"] as Int64, refunded: try row["refunded"] as Int64,
                chargedBack: try row["charged_back"] as Int64, reversed: try row["chargeback_reversed"] as Int64,
                isRefused: try row["failed"] as Bool
            )
        }
        var finding = try await effects.compare(wire, in: books, [PaymentCaptured.eventType, PaymentFailed.eventType]) { event, order in
            guard let order else { return "was passed, but there is no such order" }
            let isThere = event.type == PaymentCaptured.eventType ? order.captured > 0 : order.isRefused
            return isThere ? nil : "was passed, but the order does not know of it"
        }
        finding.add(
            try await effects.compare(wire, in: books, [PaymentRefunded.eventType]) { event, order in
                let refund = try JSONDecoder().decode(PaymentRefunded.self, from: Data(event.data.utf8))
                let (told, known) = (refund.refundedInTotal.minorUnits, order?.refunded ?? 0)
                return known >= told ? nil : "says \(told) went back, but the order knows of \(known)"
            })
        finding.add(
            try await effects.compare(wire, in: books, [PaymentChargedBack.eventType]) { event, order in
                let chargeback = try JSONDecoder().decode(PaymentChargedBack.self, from: Data(event.data.utf8))
                let (told, known) = (chargeback.chargedBackInTotal.minorUnits, order?.chargedBack ?? 0)
                return known >= told ? nil : "says that a bank took \(told), but the order knows of \(known)"
            })
        finding.add(
            try await effects.compare(wire, in: books, [PaymentChargebackReversed.eventType]) { event, order in
                let reversal = try JSONDecoder().decode(PaymentChargebackReversed.self, from: Data(event.data.utf8))
                let (told, known) = (reversal.reversedInTotal.minorUnits, order?.reversed ?? 0)
                return known >= told ? nil : "says that a bank gave \(told) back, but the order knows of \(known)"
            })
        return finding
    }

    static let ordersFollowStock = Invariant(
        "orders-follow-stock", .events, .always, reading: [.orders, .products],
        "An order that order-service heard has lost its pieces does not wait for them any more."
    ) { books in
        let wire = Wire(consumer: .orders, producer: .products)
        let effects = try await Effects.read(wire, in: books, "SELECT id, status FROM orders") { row in try row["status"] as String }
        return try await effects.compare(wire, in: books, [ReservationLost.eventType]) { _, status in
            guard let status else { return "was passed, but there is no such order" }
            return status == "pending" || status == "paid" ? "was passed, but the order is \(status)" : nil
        }
    }

    // MARK: Contacts

    static let contactsFollowUsers = Invariant(
        "contacts-follow-users", .events, .always, reading: [.notifications, .users],
        "Notification-service knows how to reach each customer that it has heard of, and has forgotten each that it heard is erased."
    ) { books in
        let wire = Wire(consumer: .notifications, producer: .users)
        let effects = try await Effects.read(wire, in: books, "SELECT user_id AS id, erased FROM contacts") { row in
            try row["erased"] as Bool
        }
        return try await effects.compare(wire, in: books, [UserRegistered.eventType, UserErased.eventType]) { event, isErased in
            guard let isErased else { return "was passed, but there is no contact" }
            return event.type == UserErased.eventType && !isErased ? "was passed, but the contact is still known" : nil
        }
    }
}
