import Contracts

/// The rules of `ReservationBatcher`, without its tasks: who waits, who travels, when the next flight leaves.
///
/// A pure state machine: whoever holds it under a lock carries out what it returns.
struct ReservationQueue {
    typealias Ticket = UInt64

    /// One request to product-service that is to be sent now.
    struct Flight: Sendable, Hashable {
        let number: UInt64
        /// In the order of `requests`.
        let tickets: [Ticket]
        let requests: [ReservationRequest]
    }

    private let limits: ReservationBatcher.Limits
    /// In the order of arrival. Tickets of those who left stay in it until their turn comes.
    private var line: [Ticket] = []
    private var waiting: [Ticket: ReservationRequest] = [:]
    private var flightsUnderWay = 0
    private var flightsSoFar: UInt64 = 0
    private var lastDeparture: Duration = .zero

    init(limits: ReservationBatcher.Limits) {
        self.limits = limits
    }

    /// How many wait on the ground.
    var waitingCount: Int { waiting.count }

    /// Takes a request into the line. False when the line is full.
    mutating func arrive(_ ticket: Ticket, _ request: ReservationRequest) -> Bool {
        guard waiting.count < limits.waiting else { return false }
        line.append(ticket)
        waiting[ticket] = request
        return true
    }

    /// Somebody waits no longer. Who travels already is not called back.
    mutating func leave(_ ticket: Ticket) {
        waiting[ticket] = nil
        if waiting.isEmpty { line.removeAll(keepingCapacity: true) }
    }

    /// A flight has come back, whatever it brought.
    mutating func land() {
        flightsUnderWay -= 1
    }

    /// The next flight to leave, if one is due at `now`.
    mutating func departure(now: Duration) -> Flight? {
        guard !waiting.isEmpty, isDue(now) else { return nil }
        var tickets: [Ticket] = []
        var requests: [ReservationRequest] = []
        var passed = 0
        for ticket in line {
            if tickets.count == limits.batch { break }
            passed += 1
            guard let request = waiting.removeValue(forKey: ticket) else { continue }
            tickets.append(ticket)
            requests.append(request)
        }
        line.removeFirst(passed)
        flightsUnderWay += 1
        flightsSoFar += 1
        lastDeparture = now
        return Flight(number: flightsSoFar, tickets: tickets, requests: requests)
    }

    private func isDue(_ now: Duration) -> Bool {
        if flightsUnderWay == 0 { return true }
        guard flightsUnderWay < limits.flights else { return false }
        return waiting.count >= limits.batch || now - lastDeparture >= limits.patience
    }
}
