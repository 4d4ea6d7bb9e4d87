import ChassisStorage
import Commerce
import Contracts

/// How far a consumer has come in its producer's outbox, read in one snapshot of the consumer's database with the effects that it had.
struct Passage: Sendable {
    /// Everything up to here has taken effect, was of no interest, or is parked.
    let position: Int64
    /// The sequences of the events that wait for a person.
    let parked: Set<Int64>

    init(of producer: ServiceName, in transaction: Transaction) throws {
        position =
            try transaction.value("SELECT position FROM consumer_positions WHERE source = \(producer.rawValue)", as: Int64.self) ?? 0
        parked = Set(
            try transaction.all("SELECT sequence FROM dead_events WHERE source = \(producer.rawValue)") { try $0["sequence"] as Int64 })
    }

    /// One event that the consumer has passed.
    struct Event: Sendable {
        let sequence: Int64
        let type: String
        /// The id of what it is about; 0, which is nobody's, when it is no id.
        let subject: Int64
        let time: Timestamp
        let data: String
    }

    /// Runs `body` for each event of these types that must have taken effect, in order.
    ///
    /// - Parameter transaction: of the producer, begun after the passage was read.
    func each(_ types: [String], in transaction: Transaction, _ body: (Event) throws -> Void) throws {
        try transaction.each(
            """
            SELECT sequence, type, subject, time, data FROM outbox WHERE sequence <= \(position) AND type IN \(list: types) ORDER BY sequence
            """
        ) { row in
            let sequence: Int64 = try row["sequence"]
            guard !parked.contains(sequence) else { return }
            let subject: String = try row["subject"]
            try body(
                Event(sequence: sequence, type: try row["type"], subject: Int64(subject) ?? 0, time: try row["time"], data: try row["data"])
            )
        }
    }
}

extension Passage.Event {
    /// How a person finds it.
    func name(of producer: ServiceName) -> String { "\(producer.rawValue)/event-\(sequence)" }
}
