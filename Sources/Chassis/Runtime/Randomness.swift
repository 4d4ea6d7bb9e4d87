/// Where a service gets random numbers: the system's generator in production, a seeded one in the simulation.
public struct Randomness: Sendable {
    private let draw: @Sendable () -> UInt64

    public init(next: @escaping @Sendable () -> UInt64) {
        self.draw = next
    }

    /// The system's cryptographically secure generator.
    public static let system = Randomness {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    public func next() -> UInt64 { draw() }

    /// A uniformly distributed fraction in 0..<1.
    public func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A uniformly distributed duration in zero..<limit, with microsecond steps: full jitter.
    public func duration(below limit: Duration) -> Duration {
        let (seconds, attoseconds) = limit.components
        let microseconds = Double(seconds) * 1_000_000 + Double(attoseconds) / 1_000_000_000_000
        return .microseconds(Int64(fraction() * microseconds))
    }

    public func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count {
            withUnsafeBytes(of: next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }

    /// `count` random bytes as lower-case hexadecimal digits: request, trace and event ids.
    public func hex(bytes count: Int) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: count * 2) { buffer in
            for (index, byte) in bytes(count).enumerated() {
                buffer[index * 2] = digits[Int(byte >> 4)]
                buffer[index * 2 + 1] = digits[Int(byte & 15)]
            }
            return count * 2
        }
    }
}
