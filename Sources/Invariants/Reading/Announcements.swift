import ChassisStorage

/// How often an outbox says each type of event of each subject: gathered in one pass, four words a subject.
struct Announcements {
    typealias Counts = SIMD8<UInt16>

    /// Events up to here are gone.
    let trimmedThrough: Int64
    private var counts: [Int64: Counts] = [:]
    /// Subjects that are no ids.
    private(set) var nameless: [String] = []

    /// - Parameter types: at most eight.
    init(of types: [String], in transaction: Transaction) throws {
        trimmedThrough = try transaction.value("SELECT trimmed_through FROM outbox_retention") ?? 0
        var counts: [Int64: Counts] = [:]
        var nameless: [String] = []
        try transaction.each("SELECT type, subject FROM outbox WHERE type IN \(list: types)") { row in
            let (type, subject): (String, String) = (try row["type"], try row["subject"])
            guard let index = types.firstIndex(of: type) else { return }
            guard let id = Int64(subject) else { return nameless.append("\(type) of \(subject)") }
            counts[id, default: Counts()][index] &+= 1
        }
        self.counts = counts
        self.nameless = nameless
    }

    /// Whether every event that was ever said is still there.
    var isWhole: Bool { trimmedThrough == 0 }

    /// What is said of a subject. It is then no longer among the rest.
    mutating func take(_ subject: Int64) -> Counts { counts.removeValue(forKey: subject) ?? Counts() }

    /// The subjects that nobody has taken.
    var rest: [Int64] { counts.keys.sorted() }

    /// The lowest subject of which the first type of event is said.
    var lowestSubjectOfFirstType: Int64? { counts.lazy.filter { $0.value[0] > 0 }.map(\.key).min() }
}
