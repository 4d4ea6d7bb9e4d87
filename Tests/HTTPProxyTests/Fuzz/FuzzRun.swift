import NIOCore

@testable import HTTPProxy

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How long a fuzzing test goes on, and from which seed: a short run that is always the same, or, when it is asked for (`make fuzz-parser`), for
/// FUZZ_SECONDS from FUZZ_SEED on.
struct FuzzRun {
    let seed = Self.number("FUZZ_SEED") ?? 1
    /// How many inputs were begun.
    private(set) var inputs = 0
    private let shortRun: Int
    private let end = Self.number("FUZZ_SECONDS").map { NIODeadline.now() + .seconds(Int64($0)) }

    private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

    /// - Parameter shortRun: the inputs of a run for which nothing was asked.
    init(shortRun: Int) {
        self.shortRun = shortRun
    }

    var dice: FuzzDice { FuzzDice(seed: UInt64(bitPattern: Int64(seed))) }

    /// Whether there is to be another input.
    mutating func goesOn() -> Bool {
        guard end.map({ NIODeadline.now() < $0 }) ?? (inputs < shortRun) else { return false }
        inputs += 1
        return true
    }
}

/// Numbers that look random and are the same for the same seed.
struct FuzzDice {
    private var generator: SeededRandom

    init(seed: UInt64) { generator = SeededRandom(seed) }

    mutating func next() -> UInt64 { generator.next() }

    mutating func below(_ bound: Int) -> Int {
        bound > 0 ? Int(generator.next() % UInt64(bound)) : 0
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// One to three places to cut `count` bytes at, in order.
    mutating func cuts(of count: Int) -> [Int] {
        var cuts: [Int] = []
        for _ in 0...below(3) { cuts.append(below(count + 1)) }
        return cuts.sorted()
    }
}
