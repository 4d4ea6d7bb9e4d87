package import Chassis
import Synchronization

/// The generator from which everything in a simulation is drawn: SplitMix64 (Steele, Lea and Flood, 2014), small and good enough to choose by.
package final class SeededGenerator: Sendable {
    private let state: Mutex<UInt64>

    package init(seed: UInt64) {
        state = Mutex(seed)
    }

    package func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// A generator of its own, whose draws do not move this one's.
    package func fork() -> SeededGenerator { SeededGenerator(seed: next()) }

    package var randomness: Randomness { Randomness { self.next() } }

    /// A whole number in a range. The bias of the remainder is below 2^-40 for ranges as small as ours.
    package func int(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    package func chance(_ probability: Double) -> Bool { randomness.fraction() < probability }

    package func pick<Element>(_ elements: [Element]) -> Element { elements[int(in: 0...elements.count - 1)] }

    package func duration(in range: ClosedRange<Duration>) -> Duration {
        range.lowerBound + randomness.duration(below: range.upperBound - range.lowerBound)
    }
}
