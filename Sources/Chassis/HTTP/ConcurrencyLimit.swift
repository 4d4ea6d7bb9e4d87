import Synchronization

/// How many of customers' requests a service works on at a time.
///
/// More would not be answered sooner, only later, and each would hold memory meanwhile: whoever comes beyond the limit is told at once to come
/// back (Little's law: at a given rate, latency grows with what is under way). What services ask each other, and what an orchestrator
/// asks, is not counted: under overload the checkout must be able to go on, and a busy service is not a sick one.
final class ConcurrencyLimit: Sendable {
    private let underWay = Atomic<Int>(0)
    private let maximum: Int

    init(_ maximum: Int) {
        self.maximum = maximum
    }

    /// Runs `body` if there is room for it.
    ///
    /// - Throws: `Problem.busy` when there is none, and what `body` throws.
    func withPlace<Result>(_ body: () async throws -> Result) async throws -> Result {
        defer { underWay.subtract(1, ordering: .relaxed) }
        guard underWay.add(1, ordering: .relaxed).newValue <= maximum else { throw Problem.busy }
        return try await body()
    }
}
