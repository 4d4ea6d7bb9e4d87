import ChassisStorage
public import Contracts

// The invariants: what must be true of a shop's books, written once, for the simulation, the tests and `souk audit`.
//
// An independent witness. Nothing here calls a service's code. The tables are read by SQL, and what is known of them (which status may
// follow which, what a payment of a cancelled order must look like) is written here a second time. A mistake in a service is therefore
// not repeated by its check; the price is that whoever changes a rule says so in two places, and finds out when it was forgotten in one.
//
// Two levels. `always` holds in every state that a commit leaves behind, in the middle of everything and after any crash. `settled` holds
// when all work is done: events consumed, jobs run. It is what catches the work that nobody does any more.
//
// Reading a shop that runs. Invariants within one database are read in one snapshot, so that they are exact. Those across databases
// cannot be: each is read at a moment of its own, and the shop goes on in between. What makes them sound is causality. Everything that
// is true in one database because of another became true there later: the order is paid because the payment was captured before. So the
// effect is read first and its cause afterwards. What we saw of the effect was caused by something that had been committed already, and
// that fact is still there when we look for it, because the facts we look for are never taken back: a capture stays a capture, a cancelled
// order stays cancelled, a booking stays in the ledger, a refund only grows, an outbox only loses its trimmed beginning. Read the other way
// round, a shop in good order would look broken whenever an order is paid between the two reads.
//
//     order says paid            ── then read payments: captured there
//     payment exists             ── then read orders: the order exists
//     position and effects       ── one snapshot of the consumer; then the producer's outbox up to that position
//     outbox trimmed through n   ── then read the consumer: it is beyond n
//
// "Read what is needed twice" is the rule where one comparison goes both ways: each direction is a comparison of its own.
//
// Exactly once. An event counts as passed when the consumer's position is beyond it. Then its effect must be there, in the very snapshot
// that the position was read in, unless it is parked in `dead_events`. That it is not there twice is shown by counting: bookings,
// movements, messages, events of one fact.
//
// Size. A check is a few statements, or a few for each page of some thousand rows where two databases are compared; never one for each
// row. What is remembered between two databases is at most some words for each order. A full check of a small shop takes milliseconds, so
// that the simulation can make it after each step; of a million orders, a minute or two.
//
// What waits for a person. Dead letters are not violations: the shop says openly that it needs somebody. `nothing-is-dead` reports them as
// warnings, and the settled invariants excuse the orders that they are about.

/// Something that must be true of a shop's books.
public struct Invariant: Sendable {
    /// When it must hold.
    public enum Level: String, Sendable, CaseIterable, Codable {
        /// At any moment, even in the middle of everything.
        case always
        /// Once all work is done.
        case settled
    }

    /// What it means when it does not hold.
    public enum Weight: String, Sendable, Codable {
        /// The shop has broken a promise.
        case violation
        /// The shop waits for a person.
        case warning
    }

    /// Stable, in kebab case: `no-oversell`.
    public let name: String
    public let promise: Promise
    public let level: Level
    public let weight: Weight
    /// The promise in one sentence.
    public let sentence: String
    /// The services whose databases it reads: what none of them has changed need not be checked again.
    public let databases: [ServiceName]
    /// Whether it can do with some of them.
    private let isPartial: Bool
    private let body: @Sendable (Books) async throws -> Finding

    /// An invariant across databases.
    ///
    /// - Parameter isPartial: whether it checks what it can where a database is missing.
    init(
        _ name: String, _ promise: Promise, _ level: Level, weight: Weight = .violation, reading databases: [ServiceName],
        isPartial: Bool = false, _ sentence: String, _ check: @escaping @Sendable (Books) async throws -> Finding
    ) {
        self.name = name
        self.promise = promise
        self.level = level
        self.weight = weight
        self.sentence = sentence
        self.databases = databases
        self.isPartial = isPartial
        body = check
    }

    /// An invariant within one database, checked in one snapshot of it.
    init(
        _ name: String, _ promise: Promise, _ level: Level, in service: ServiceName, _ sentence: String,
        _ check: @escaping @Sendable (Transaction, inout Finding) throws -> Void
    ) {
        self.init(name, promise, level, reading: [service], sentence) { books in
            try await books.read(service) { transaction in
                var finding = Finding()
                try check(transaction, &finding)
                return finding
            }
        }
    }

    /// The databases without which it cannot be checked and which are not at hand.
    public func missing(in books: Books) -> [ServiceName] {
        let missing = databases.filter { books[$0] == nil }
        return isPartial && missing.count < databases.count ? [] : missing
    }

    /// Checks it. The databases that it needs must be at hand.
    ///
    /// - Throws: `StorageError`.
    public func check(_ books: Books) async throws -> Finding {
        try await body(books)
    }
}

extension Invariant {
    /// Every invariant, in the order of the promises.
    public static let all: [Invariant] = stock + money + events + keys + progress + memory

    private static let stock = [
        stockBalances, reservedIsHeld, noOversell, salesMatchReservations, orderLinesMatchReservations, reservationsFollowTheirOrders,
        shippedIsSold, stockAgreesWithOrders, leasesEnd,
    ]
    private static let money = [
        orderTotalIsItsLines, captureWithinAmount, oneCapturePerOrder, ledgerSumsToZero, ledgerMatchesPayments, refundsAddUp,
        chargedIsCaptured, chargebacksAddUp, chargebacksAreTheBanks, chargebacksAreHeard, paidOrdersAreCaptured, paymentsBelongToOrders,
        cancelledIsRefundedOrNeverCaptured, ordersKnowTheirPayments,
        cancelledOrdersKeepNoMoney,
    ]
    private static let events =
        [
            outboxReachesConsumers, userFactsAreAnnouncedOnce, orderFactsAreAnnouncedOnce, paymentFactsAreAnnouncedOnce,
            stockFactsAreAnnouncedOnce, paymentsFollowOrders, stockFollowsOrders, ordersFollowPayments, ordersFollowStock,
            contactsFollowUsers,
        ] + messagesFollowEvents + [allEventsAreConsumed]
    private static let keys = [oneEffectPerKey]
    private static let progress = [
        orderHistoryIsLawful, openPaymentsHaveJobs, queuedMessagesHaveJobs, allWorkIsDone, jobsAreAlive, everyOrderEnds, nothingIsDead,
    ]
    private static let memory = [answersAreKept]
}
