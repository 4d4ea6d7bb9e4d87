import Synchronization

/// How many jobs of each kind a worker does, and how many more it may take.
///
/// A kind that got as many jobs as it had room for probably has more waiting. To take them one by one, as each place becomes free,
/// would cost a transaction for each; so such a kind counts as free again only once half of its places are.
final class JobSlots: Sendable {
    private struct Kind {
        let limit: Int
        var running = 0
        var isSaturated = false

        var free: Int {
            guard isSaturated else { return limit - running }
            return running <= limit / 2 ? limit - running : 0
        }
    }

    private let kinds: Mutex<[String: Kind]>

    init(_ handlers: some Sequence<JobHandler>) {
        kinds = Mutex(Dictionary(uniqueKeysWithValues: handlers.map { ($0.kind, Kind(limit: $0.concurrency)) }))
    }

    /// How many jobs of each kind may be taken now; kinds without room are left out.
    var free: [String: Int] {
        kinds.withLock { kinds in kinds.mapValues(\.free).filter { $0.value > 0 } }
    }

    /// Notes that `taken` jobs of a kind are under way, out of the `offered` that it had room for.
    func begin(_ kind: String, taken: Int, of offered: Int) {
        kinds.withLock { kinds in
            kinds[kind]?.running += taken
            kinds[kind]?.isSaturated = taken >= offered
        }
    }

    /// Notes that one is over. True when the worker should look for more: there may be some, and there is room for them again.
    func end(_ kind: String) -> Bool {
        kinds.withLock { kinds in
            kinds[kind]?.running -= 1
            guard let kind = kinds[kind] else { return false }
            return kind.isSaturated && kind.running == kind.limit / 2
        }
    }
}
