/// Counts calls and failures of about the last ten seconds, in ten slots of one second: constant space however many calls there are.
struct OutcomeWindow: Sendable {
    static let length: Duration = .seconds(10)
    private static let slotCount = 10

    private struct Slot {
        /// The second that it counts, on the caller's monotonic clock.
        var second = Int64.min
        var calls = 0
        var failures = 0
    }

    private var slots = [Slot](repeating: Slot(), count: slotCount)

    mutating func add(isFailure: Bool, at now: Duration) {
        let second = now.components.seconds
        let index = Int(second.magnitude % UInt64(Self.slotCount))
        if slots[index].second != second { slots[index] = Slot(second: second) }
        slots[index].calls += 1
        if isFailure { slots[index].failures += 1 }
    }

    func totals(at now: Duration) -> (calls: Int, failures: Int) {
        let oldest = now.components.seconds - Int64(Self.slotCount) + 1
        return slots.reduce(into: (0, 0)) { totals, slot in
            guard slot.second >= oldest else { return }
            totals.0 += slot.calls
            totals.1 += slot.failures
        }
    }
}
