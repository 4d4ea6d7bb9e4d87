import Synchronization

/// The kinds of one service's jobs that nobody may give up (``Job/isIndispensable``), for those that offer to.
final class IndispensableJobs: Sendable {
    private let kinds = Mutex<Set<String>>([])

    func add(_ handlers: [JobHandler]) {
        let found = handlers.filter(\.isIndispensable).map(\.kind)
        kinds.withLock { $0.formUnion(found) }
    }

    func contains(_ kind: String) -> Bool { kinds.withLock { $0.contains(kind) } }
}
