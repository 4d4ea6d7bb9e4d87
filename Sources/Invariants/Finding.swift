/// What a check has found: how much it looked at, and what breaks the promise.
public struct Finding: Sendable, Hashable {
    /// Violations that are kept with their words; beyond them they are only counted.
    public static let mostKept = 20

    /// How many things were examined: orders, products, bookings, whatever the invariant is about.
    public internal(set) var examined = 0
    /// How many violations there are in all.
    public private(set) var count = 0
    /// The first of them.
    public private(set) var violations: [Violation] = []

    public var holds: Bool { count == 0 }

    mutating func violation(_ id: String, _ sentence: @autoclosure () -> String) {
        count += 1
        if violations.count < Self.mostKept { violations.append(Violation(id: id, sentence: sentence())) }
    }

    /// Takes over what another look has found.
    mutating func add(_ other: Finding) {
        examined += other.examined
        count += other.count
        violations += other.violations.prefix(max(0, Self.mostKept - violations.count))
    }
}

/// One thing that breaks a promise.
public struct Violation: Sendable, Hashable, Codable {
    /// What it is, as a person would look it up: `order 12`, `payment-service/job-3`.
    public let id: String
    /// What is wrong with it.
    public let sentence: String

    public init(id: String, sentence: String) {
        self.id = id
        self.sentence = sentence
    }
}
