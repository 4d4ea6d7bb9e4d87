import Synchronization

extension Randomness {
    /// Numbers for trace and span ids: unpredictable enough never to meet twice, and made without a system call, which is most of the cost of a span
    /// that is not recorded. Not for secrets.
    ///
    /// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014) over a counter that threads advance atomically.
    /// A second seed goes into each number, so that two processes whose counters pass the same values still draw different ids.
    static func identifiers(seededBy seeds: Randomness) -> Randomness {
        let counter = AtomicCounter(start: seeds.next())
        let seed = seeds.next()
        return Randomness { mixed(mixed(counter.advance()) ^ seed) }
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    private final class AtomicCounter: Sendable {
        private let value: Atomic<UInt64>

        init(start: UInt64) {
            value = Atomic(start)
        }

        /// Steps by the golden ratio's odd fraction of 2⁶⁴, which visits every value once.
        func advance() -> UInt64 {
            value.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        }
    }
}
