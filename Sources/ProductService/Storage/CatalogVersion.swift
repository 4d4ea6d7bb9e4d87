import Synchronization

/// Counts the commits of this process that changed what the catalog shows: details or stock.
///
/// Whoever keeps something that was read from the catalog keeps the version from *before* the read with it: while the version is still the
/// same, so is the catalog.
final class CatalogVersion: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    var current: UInt64 { count.load(ordering: .acquiring) }

    /// To be called after a commit and before its caller is told of it.
    func advance() { count.add(1, ordering: .releasing) }
}
