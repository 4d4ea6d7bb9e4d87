/// How many retries a client may have under way: a fifth of its calls, but three always.
///
/// Retries help when a few calls fail. When all fail, three attempts each would triple the load of a service that is already in
/// trouble and keep it there; the budget stops that (Envoy's `retry_budget`, Google's SRE book, chapter 22).
package struct RetryBudget: Sendable {
    static let fractionOfCalls = 0.2
    static let floor = 3

    package private(set) var callsInFlight = 0
    package private(set) var retriesInFlight = 0

    package init() {}

    package mutating func beginCall() { callsInFlight += 1 }

    package mutating func endCall() {
        callsInFlight -= 1
        assert(callsInFlight >= 0, "every call ends once")
    }

    /// How many retries may be under way with as many calls as there are now.
    package var limit: Int { max(Self.floor, Int(Double(callsInFlight) * Self.fractionOfCalls)) }

    /// Whether a retry could begin now.
    package var hasRoom: Bool { retriesInFlight < limit }

    /// Takes a place for one retry, counted from its backoff until it is over; false when there is none.
    package mutating func beginRetry() -> Bool {
        guard hasRoom else { return false }
        retriesInFlight += 1
        return true
    }

    package mutating func endRetry() {
        retriesInFlight -= 1
        assert(retriesInFlight >= 0, "every retry ends once")
    }
}
