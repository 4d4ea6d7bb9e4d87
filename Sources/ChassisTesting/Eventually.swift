public import Chassis
import Synchronization

/// What a test waited for did not happen.
public struct NeverHappened: Error, CustomStringConvertible {
    public let description: String
}

/// Looks again and again, letting others run in between, until the condition holds.
///
/// - Throws: ``NeverHappened`` after half a minute; what `condition` throws.
public func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < end {
        if try await condition() { return }
        await Task.yield()
    }
    throw NeverHappened(description: "never: \(what)")
}

extension Randomness {
    /// Draws next to nothing, always different: no backoff has to be waited for, and no two ids are the same.
    public static func withoutJitter() -> Randomness {
        let count = Atomic<UInt64>(0)
        return Randomness { count.wrappingAdd(1, ordering: .relaxed).newValue }
    }
}
