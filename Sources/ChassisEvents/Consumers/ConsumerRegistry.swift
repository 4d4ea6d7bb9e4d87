import Contracts
import Synchronization

/// The consumers of one service, for those that show them and replay what they could not apply.
final class ConsumerRegistry: Sendable {
    private struct Entry {
        let consumer: Consumer
        let progress: ConsumerProgress
    }

    private let entries = Mutex<[ServiceName: Entry]>([:])

    /// - Precondition: it is the first consumer of its source: two would both move one position.
    func add(_ consumer: Consumer, _ progress: ConsumerProgress) {
        let earlier = entries.withLock { $0.updateValue(Entry(consumer: consumer, progress: progress), forKey: consumer.source) }
        precondition(earlier == nil, "two consumers of \(consumer.source.rawValue)")
    }

    /// The consumer of the service with this CloudEvents `source`.
    func consumer(of source: String) -> Consumer? {
        guard let name = ServiceName(rawValue: source) else { return nil }
        return entries.withLock { $0[name]?.consumer }
    }

    /// By name of the source.
    var progress: [ConsumerProgress] {
        entries.withLock { $0.values.map(\.progress) }.sorted { $0.source.rawValue < $1.source.rawValue }
    }
}
